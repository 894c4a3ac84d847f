//! How members want to be told: in the app, by mail, in a digest, and what nobody can switch off.

use serde_json::json;
use server::jobs::{Enqueue, enqueue};
use server::tenant::notifications::{Kind, SendDigest};
use tests::{Dealer, TestApp};

use super::{id_of, prefer, told};

async fn send_digest(app: &TestApp, dealer: &Dealer) {
    let db = app.door(dealer).await;
    let job = db.write(async |tx| enqueue(tx, &SendDigest {}, Enqueue::now()).await);
    let id = job.await.unwrap();
    app.work();
    tests::eventually("the digest is sent", async || {
        let left = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM jobs.job WHERE id = $1");
        let mut connection = app.database.connect().await;
        left.bind(id).fetch_one(&mut connection).await.unwrap() == 0
    })
    .await;
    app.all_mail_has_left().await;
}

#[actix_web::test]
async fn each_kind_is_told_as_the_member_prefers() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let me = id_of(&dealer).await;
    let choices = json!({"choices": [
        {"kind": "import.applied", "in_app": false, "mail": "instant"},
        {"kind": "import.failed", "in_app": false, "mail": "off"},
        {"kind": "export.ready", "in_app": true, "mail": "off"},
    ]});

    let chosen = prefer(&dealer, 0, choices).await.expect(200);
    let data = json!({"name": "spring.csv"});
    app.tell(&dealer, &me, Kind::ImportApplied, data).await;
    app.tell(&dealer, &me, Kind::ImportFailed, json!({})).await;
    app.tell(&dealer, &me, Kind::ExportReady, json!({})).await;
    app.all_mail_has_left().await;

    let shown = told(&dealer, "").await;
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0]["kind"], "export.ready");
    let letters = app.mails_to(&dealer.email);
    assert_eq!(letters.len(), 1);
    assert_eq!(
        letters[0].subject,
        "A price file was applied: spring.csv – Acme Baustoffe"
    );
    let read = dealer.get("/me/notification-preferences").await.expect(200);
    assert_eq!(read.json, chosen.json);
    assert_eq!(read.header("etag"), "\"1\"");
    let all = read.json["choices"].as_array().unwrap();
    assert_eq!(all.len(), Kind::ALL.len());
}

#[actix_web::test]
async fn what_is_about_safety_cant_be_switched_off() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let kind = "security.password_changed";
    for off in [
        json!({"kind": kind, "in_app": true, "mail": "off"}),
        json!({"kind": kind, "in_app": false, "mail": "instant"}),
    ] {
        let refused = prefer(&dealer, 0, json!({"choices": [off]})).await;
        assert_eq!(
            (refused.status.as_u16(), refused.problem()),
            (422, "fields_invalid")
        );
        assert_eq!(refused.json["errors"][0]["pointer"], "/choices/0/kind");
        assert_eq!(refused.json["errors"][0]["code"], "fixed");
    }
    let body = json!({"current": dealer.password, "new": "tundra wicker oboe 19"});

    dealer.post("/me/password", body).await.expect(204);

    let letter = app.mail_to(&dealer.email, 1).await;
    assert!(letter.subject.contains("was changed"), "{}", letter.subject);
    assert_eq!(told(&dealer, "").await[0]["kind"], kind);
}

#[actix_web::test]
async fn preferences_that_cant_be_are_refused() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let ready = json!({"kind": "export.ready", "in_app": true, "mail": "off"});
    let unknown = json!({"kind": "coffee.ready", "in_app": true, "mail": "off"});

    for (body, code) in [
        (json!({"choices": [unknown]}), "unknown"),
        (json!({"choices": [ready, ready]}), "twice"),
    ] {
        let refused = prefer(&dealer, 0, body).await;
        assert_eq!(refused.status, 422);
        assert_eq!(refused.json["errors"][0]["code"], code);
    }
    prefer(&dealer, 0, json!({"choices": [ready]}))
        .await
        .expect(200);
    let late = prefer(&dealer, 0, json!({"choices": []})).await;
    assert_eq!(
        (late.status.as_u16(), late.problem()),
        (412, "precondition_failed")
    );
    let language = prefer(&dealer, 1, json!({"language": "fr", "choices": []})).await;
    assert!(language.status.is_client_error());
}

#[actix_web::test]
async fn a_digest_tells_all_at_once_and_nothing_twice() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let colleague = app.member(&dealer, "admin").await;
    let me = id_of(&dealer).await;
    let choices = json!({"language": "de", "choices": [
        {"kind": "import.applied", "in_app": false, "mail": "digest"},
        {"kind": "export.ready", "in_app": true, "mail": "digest"},
    ]});
    prefer(&dealer, 0, choices).await.expect(200);

    let data = json!({"name": "Frühjahr.csv"});
    app.tell(&dealer, &me, Kind::ImportApplied, data).await;
    app.tell(&dealer, &me, Kind::ExportReady, json!({})).await;
    let shown = told(&dealer, "").await;
    send_digest(&app, &dealer).await;
    send_digest(&app, &dealer).await;

    assert_eq!(shown.len(), 1);
    let letters = app.mails_to(&dealer.email);
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].subject, "Was bei Acme Baustoffe geschehen ist");
    let lines = "- Eine Preisdatei wurde übernommen: Frühjahr.csv\n- Ein Export liegt bereit\n";
    assert!(letters[0].text.contains(lines), "{}", letters[0].text);
    let id = id_of(&colleague).await;
    assert!(app.mails_to("admin@acme.example").is_empty());
    app.tell(&dealer, &id, Kind::JobDead, json!({})).await;
    send_digest(&app, &dealer).await;
    assert_eq!(app.mails_to("admin@acme.example").len(), 1);
    assert_eq!(app.mails_to(&dealer.email).len(), 1);
}
