//! The whole chain: a file is sent to one server process, a worker process works on it, the rows lie in
//! the dealer's schema, and who follows at another server process sees it happen.

use reqwest::Method;
use serde_json::Value;
use tests::{Actor, EventSocket, Scratch, ServerProcess, TestApp, eventually};

/// What one hears at a server until something has been told.
async fn heard_until(who: &Actor, last: &str) -> Vec<(String, Value)> {
    let request = who.request(Method::GET, "/events?topics=imports&after=0");
    let request = request.header("accept", "text/event-stream");
    let mut response = request.send().await.expect("the server answers");
    assert_eq!(response.status(), 200);
    let (mut text, mut told) = (String::new(), Vec::new());
    while let Some(piece) = response.chunk().await.expect("the stream goes on") {
        text.push_str(std::str::from_utf8(&piece).unwrap());
        while let Some((block, rest)) = text.split_once("\n\n") {
            let line = |name: &str| {
                let lines = block.lines();
                let mut values = lines.filter_map(|line| line.strip_prefix(name));
                values.next().unwrap_or_default().trim().to_owned()
            };
            let (kind, data) = (line("event:"), line("data:"));
            text = rest.to_owned();
            let is_last = kind == last;
            told.push((kind, serde_json::from_str(&data).unwrap_or_default()));
            if is_last {
                return told;
            }
        }
    }
    panic!("the stream ended before {last}: {told:?}");
}

/// What one hears through a WebSocket until something has been told, as it would be streamed.
async fn heard_on_a_socket_until(who: &Actor, last: &str) -> Vec<(String, Value)> {
    let mut socket = EventSocket::open(who, "/ws?topics=imports&after=0").await;
    let mut told = Vec::new();
    loop {
        let mut message = socket.next().await.expect("the socket stays open");
        let fields = message.as_object_mut().unwrap();
        assert_eq!(fields.remove("type"), Some("event".into()), "{message}");
        let kind = message["kind"].as_str().unwrap().to_owned();
        let is_last = kind == last;
        told.push((kind, message));
        if is_last {
            return told;
        }
    }
}

/// The owner of a dealer, signed in at a process.
async fn owner_at(server: &ServerProcess, dealer: &tests::Dealer) -> Actor {
    let stranger = server.stranger(&dealer.host);
    let reply = stranger.sign_in(&dealer.email, &dealer.password).await;
    let token = reply.expect(200).json["access_token"].clone();
    stranger.with_token(token.as_str().unwrap())
}

#[actix_web::test]
async fn a_file_that_is_sent_to_one_process_is_seen_to_arrive_at_another() {
    let database = Scratch::with_dealers().await;
    let app = TestApp::start_on(database, &[]).await;
    let (dealer, neighbour) = (app.dealer().await, app.dealer().await);
    let first = ServerProcess::start(&app.database, &[], "").await;
    let second = ServerProcess::start(&app.database, &[], "").await;
    let (sender, follower) = (
        owner_at(&first, &dealer).await,
        owner_at(&second, &dealer).await,
    );
    let rows = (0..3_000).map(|n| format!("S{n:04};row {n};m;1,50\n"));
    let file = format!("sku;name;unit;price\n{}", rows.collect::<String>());

    let followed = heard_until(&follower, "import.applied");
    let sent = async {
        // Nobody works yet, so the file waits until somebody does.
        let sent = sender.send_file("apply=true", file).await.expect(202);
        let id = sent.json["id"].as_str().unwrap().to_owned();
        assert_eq!(sent.header("location"), format!("/api/v1/imports/{id}"));
        assert_eq!(sent.json["status"], "uploaded");
        let worker = ServerProcess::worker(&app.database, &[]).await;
        (id, worker)
    };
    let followed_too = heard_on_a_socket_until(&follower, "import.applied");
    let (mut told, told_too, (id, _worker)) = tokio::join!(followed, followed_too, sent);

    assert_eq!(told.remove(0).0, "ready");
    assert_eq!(told, told_too, "the stream and the socket tell the same");
    let kinds: Vec<_> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    let at = |kind: &str| kinds.iter().position(|told| *told == kind);
    assert!(at("import.progress") < at("import.ready"), "{kinds:?}");
    assert!(at("import.progress").is_some(), "{kinds:?}");
    assert!(at("import.ready") < at("import.applied"), "{kinds:?}");
    assert!(told.last().unwrap().1.to_string().contains(&id));
    let import = sender.import_at_rest(&id).await;
    assert_eq!(import["status"], "applied");
    assert_eq!(import["counts"]["created"], 3_000);
    let schema = app.database.schema_of(&dealer.slug).await;
    let count = format!("SELECT count(*) FROM {schema}.item");
    let items: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap();
    assert_eq!(items, 3_000);
    // The neighbour knows nothing of it.
    let theirs = neighbour.get(&format!("/imports/{id}")).await;
    assert_eq!(theirs.problem(), "import_not_found");
    let list = neighbour.get("/imports").await.expect(200);
    assert_eq!(list.json["data"], serde_json::json!([]));
    eventually("the file is gone from storage", async || {
        let folder = walk(database_folder(&app));
        !folder.iter().any(|name| name.contains(&id))
    })
    .await;
}

fn database_folder(app: &TestApp) -> std::path::PathBuf {
    app.database.storage().into()
}

/// The names of all files below a folder.
fn walk(folder: std::path::PathBuf) -> Vec<String> {
    let (mut names, mut folders) = (Vec::new(), vec![folder]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => names.push(path.display().to_string()),
            }
        }
    }
    names
}
