//! Files that nothing belongs to any more: removed when nobody can be at work on them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::json;
use tests::{Dealer, TestApp, eventually};
use time::Duration;
use uuid::Uuid;

/// Looks after files every second.
const BUSY: [(&str, &str); 2] = [
    ("TUBEX_JOBS__INSIDE", "true"),
    ("TUBEX_WORKER__FILES", "* * * * * *"),
];

/// A file on a shelf of a tenant, put there behind the server's back.
fn leave(app: &TestApp, tenant: Uuid, name: &str) -> PathBuf {
    let path = folder_of(app, tenant).join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "left behind").unwrap();
    path
}

fn folder_of(app: &TestApp, tenant: Uuid) -> PathBuf {
    Path::new(&app.database.storage())
        .join("t")
        .join(tenant.to_string())
}

async fn id_of(app: &TestApp, slug: &str) -> Uuid {
    sqlx::query_scalar("SELECT id FROM platform.tenant WHERE slug = $1")
        .bind(slug)
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap()
}

/// Waits until the sweepers have come round once more, by what they remove.
async fn swept(app: &TestApp, tenant: Uuid) {
    let bait = leave(app, tenant, &format!("imports/{}", Uuid::now_v7()));
    let stranger = Uuid::now_v7();
    let other = leave(app, stranger, &format!("exports/{}", Uuid::now_v7()));
    eventually("the sweepers come round", async || {
        !bait.exists() && !other.exists()
    })
    .await;
}

async fn export(dealer: &Dealer) -> Uuid {
    let body = json!({"kind": "items", "format": "csv"});
    let asked = dealer.post("/exports", body).await.expect(202).json;
    let path = format!("/exports/{}", asked["id"].as_str().unwrap());
    eventually("the export is written", async || {
        dealer.get(&path).await.expect(200).json["state"] == "done"
    })
    .await;
    asked["id"].as_str().unwrap().parse().unwrap()
}

#[actix_web::test]
async fn what_a_crash_left_behind_goes_after_a_day_and_what_is_needed_stays() {
    let app = TestApp::start_with(&BUSY).await;
    let acme = app.dealer().await;
    let tenant = id_of(&app, "acme").await;
    let list = "sku,name,unit,price\nA,a,pcs,1.50\n";
    let waiting = acme.import("apply=false", list).await.expect(200).json;
    let done = acme.import("", list).await.expect(200).json;
    let export = export(&acme).await;
    let waiting = format!("imports/{}", waiting["id"].as_str().unwrap());
    let done = format!("imports/{}", done["id"].as_str().unwrap());
    let needed = [waiting, format!("exports/{export}")].map(|it| folder_of(&app, tenant).join(it));
    let whole = leave(&app, tenant, &format!("imports/{}", Uuid::now_v7()));
    let begun = leave(&app, tenant, &format!("exports/{}#1", Uuid::now_v7()));
    // Of an import that is over, whose worker died before it could remove it.
    let over = leave(&app, tenant, &done);
    let not_ours = leave(&app, tenant, "imports/notes.txt");

    app.advance(Duration::hours(49));
    let young = leave(&app, tenant, &format!("imports/{}", Uuid::now_v7()));
    let soon = SystemTime::now() + std::time::Duration::from_secs(48 * 3600);
    let file = fs::File::options().write(true).open(&young).unwrap();
    file.set_modified(soon).unwrap();

    eventually("what was left behind is gone", async || {
        [&whole, &begun, &over].iter().all(|path| !path.exists())
    })
    .await;
    swept(&app, tenant).await;
    for path in needed.iter().chain([&young, &not_ours]) {
        assert!(path.exists(), "{}", path.display());
    }
}

#[actix_web::test]
async fn files_of_a_dealer_who_is_gone_go_and_those_of_an_archived_one_stay() {
    let app = TestApp::start_with(&BUSY).await;
    let (acme, bolt, core) = (
        id_of(&app, "acme").await,
        id_of(&app, "bolt").await,
        id_of(&app, "core").await,
    );
    let stranger = Uuid::now_v7();
    let name = format!("exports/{}", Uuid::now_v7());
    let [archived, gone, unknown] = [core, bolt, stranger].map(|id| leave(&app, id, &name));
    let status = |slug: &str, status: &str| {
        format!("UPDATE platform.tenant SET status = '{status}' WHERE slug = '{slug}'")
    };
    app.sql(&status("core", "archived")).await;
    app.sql(&status("bolt", "gone")).await;

    // Whatever is gone, a file that is a moment old is left alone.
    let young = gone.exists() && unknown.exists();
    app.advance(Duration::hours(49));

    eventually("their files are gone, with the folders", async || {
        !folder_of(&app, bolt).exists() && !folder_of(&app, stranger).exists()
    })
    .await;
    swept(&app, acme).await;
    assert!(young);
    assert!(archived.exists());
}
