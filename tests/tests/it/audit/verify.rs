//! `tubex audit verify` finds what was done to a trail behind its back.

use serde_json::{Value, json};
use tests::{Dealer, TestApp, tubex};

/// A dealer with a trail of some length, noted in the middle.
async fn trail() -> (TestApp, Dealer) {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    for sku in ["A", "B", "C"] {
        acme.item(sku, json!({})).await;
    }
    assert!(note(&app, &acme).await);
    for sku in ["D", "E", "F"] {
        acme.item(sku, json!({})).await;
    }
    (app, acme)
}

/// Notes how far the trail has come, as workers do now and then.
async fn note(app: &TestApp, dealer: &Dealer) -> bool {
    let (directory, config) = (&app.state.directory, &app.state.config.database);
    let (door, now) = (app.door(dealer).await, app.state.clock.now());
    server::audit::checkpoint(directory.platform(), &door, &config.secret, now)
        .await
        .unwrap()
}

async fn verify(app: &TestApp) -> (Option<i32>, Value) {
    let url = app.database.owner_url();
    let said = tokio::task::spawn_blocking(move || {
        tubex(&url, &["audit", "verify", "acme", "--json"], &[])
    });
    let said = said.await.unwrap();
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    let told: Value = serde_json::from_slice(&said.stdout).unwrap_or_else(|_| panic!("{text}"));
    (said.status.code(), told["data"][0].clone())
}

/// Does something that only the owner of the database can do.
async fn tamper(app: &TestApp, what: &str) {
    let schema = app.database.schema_of("acme").await;
    app.sql(&format!(
        "BEGIN; SET LOCAL search_path = {schema}; SET LOCAL tubex.records_may_go = 'on'; {what}; COMMIT"
    ))
    .await;
}

/// Makes all hashes fit again from a record on, as somebody would who knows how.
const MEND: &str = "
    DO $$
    DECLARE r record; before bytea;
    BEGIN
        FOR r IN SELECT seq, content::text AS content FROM audit_record ORDER BY seq LOOP
            before := sha256(coalesce(before, '') || convert_to(r.content, 'UTF8'));
            UPDATE audit_record SET hash = before WHERE seq = r.seq;
        END LOOP;
        UPDATE audit_head SET hash = before, seq = (SELECT max(seq) FROM audit_record);
    END $$";

#[actix_web::test]
async fn a_trail_that_nobody_touched_is_whole() {
    let (app, acme) = trail().await;
    let length = super::records(&app, &acme).await.len();

    let (code, told) = verify(&app).await;

    assert_eq!(code, Some(0), "{told}");
    assert_eq!(told["records"], length);
    assert_eq!(told["notes"], 1);
    assert_eq!(told["broken"], Value::Null);
    let url = app.database.owner_url();
    let all = tokio::task::spawn_blocking(move || tubex(&url, &["audit", "verify", "--all"], &[]));
    let all = all.await.unwrap();
    assert_eq!(all.status.code(), Some(0));
    assert_eq!(
        String::from_utf8_lossy(&all.stdout)
            .matches("whole")
            .count(),
        3
    );
}

/// What is done, and what is then found at which record.
async fn finds(what: &str, seq: i64, kind: &str) {
    let (app, _) = trail().await;

    tamper(&app, what).await;

    let (code, told) = verify(&app).await;
    assert_eq!(code, Some(1), "{told}");
    assert_eq!(
        (&told["broken"]["seq"], &told["broken"]["kind"]),
        (&json!(seq), &json!(kind))
    );
}

#[actix_web::test]
async fn an_edit_is_found() {
    let edit = "UPDATE audit_record SET content = replace(content::text, '\"A\"', '\"Z\"')::json
                WHERE seq = 2";
    finds(edit, 2, "altered").await;
}

#[actix_web::test]
async fn a_record_that_was_taken_out_is_found() {
    finds("DELETE FROM audit_record WHERE seq = 3", 3, "missing").await;
}

#[actix_web::test]
async fn an_end_that_was_cut_off_is_found() {
    finds("DELETE FROM audit_record WHERE seq >= 6", 6, "end").await;
}

#[actix_web::test]
async fn records_in_another_order_are_found() {
    let swap = "UPDATE audit_record SET seq = -seq WHERE seq IN (2, 3);
                UPDATE audit_record SET seq = 5 + seq WHERE seq < 0";
    finds(swap, 2, "altered").await;
}

#[actix_web::test]
async fn a_record_that_was_put_in_is_found() {
    let insert = "INSERT INTO audit_record (seq, content, hash, id, at)
                  SELECT 1 + seq, content, hash, gen_random_uuid(), at FROM audit_record
                  WHERE seq = (SELECT max(seq) FROM audit_record)";
    finds(insert, 8, "altered").await;
}

#[actix_web::test]
async fn what_is_searched_and_not_what_was_hashed_is_found() {
    finds(
        "UPDATE audit_record SET at = at - interval '1 day' WHERE seq = 4",
        4,
        "column",
    )
    .await;
}

#[actix_web::test]
async fn a_trail_that_was_rewritten_with_all_its_hashes_is_found_by_its_note() {
    let edit = "UPDATE audit_record SET content = replace(content::text, '\"A\"', '\"Z\"')::json
                WHERE seq = 2;";
    finds(&format!("{edit} {MEND}"), 4, "rewritten").await;
}

#[actix_web::test]
async fn a_trail_that_was_shortened_with_its_head_is_found_by_its_note() {
    let cut = "DELETE FROM audit_record WHERE seq >= 3;";
    finds(&format!("{cut} {MEND}"), 3, "cut_off").await;
}

#[actix_web::test]
async fn a_note_that_somebody_made_up_is_found() {
    let edit = "UPDATE audit_record SET content = replace(content::text, '\"A\"', '\"Z\"')::json
                WHERE seq = 2;";
    let forge = "UPDATE platform.audit_checkpoint n SET hash = r.hash FROM audit_record r
                 WHERE r.seq = n.seq";
    finds(&format!("{edit} {MEND}; {forge}"), 4, "forged_note").await;
}

#[actix_web::test]
async fn a_note_is_made_once_for_each_length() {
    let (app, acme) = trail().await;

    assert!(note(&app, &acme).await);
    assert!(!note(&app, &acme).await);
    acme.item("G", json!({})).await;
    assert!(note(&app, &acme).await);
    let (code, told) = verify(&app).await;
    assert_eq!((code, &told["notes"]), (Some(0), &json!(3)), "{told}");
}
