//! Searching the trail, reading of it, taking it out.

use serde_json::{Value, json};
use tests::{Actor, Dealer, TestApp};
use time::Duration;
use time::format_description::well_known::Rfc3339;

use super::{id_of, records};

async fn actions(who: &Actor, query: &str) -> Vec<String> {
    let found = who
        .get(&format!("/audit-records?{query}"))
        .await
        .expect(200);
    let rows = found.json["data"].as_array().unwrap().iter();
    rows.map(|row| row["action"].as_str().unwrap().to_owned())
        .collect()
}

/// A dealer whose owner and whose buyer have done some things.
async fn busy() -> (TestApp, Dealer, Actor) {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let buyer = app.member(&acme, "buyer").await;
    let made = acme.item("=A", json!({})).await;
    let path = format!("/items/{}", made["id"].as_str().unwrap());
    buyer
        .patch(&path, 1, json!({"name": "Bolt"}))
        .await
        .expect(200);
    acme.delete(&path).await.expect(204);
    (app, acme, buyer)
}

#[actix_web::test]
async fn the_trail_tells_who_did_what_the_latest_first() {
    let (_app, acme, buyer) = busy().await;

    let found = acme.get("/audit-records?limit=2").await.expect(200).json;
    let [last, before] = [&found["data"][0], &found["data"][1]];

    assert_eq!(last["action"], "item.retire");
    assert_eq!(before["action"], "item.change");
    assert_eq!(
        before["actor"],
        json!({"kind": "member", "id": id_of(&buyer).await})
    );
    assert_eq!(before["before"]["name"], "Item =A");
    assert_eq!(before["after"]["name"], "Bolt");
    let next = format!("limit=2&cursor={}", found["next"].as_str().unwrap());
    assert_eq!(actions(&acme, &next).await[0], "item.create");
    let one = acme
        .get(&format!(
            "/audit-records/{}",
            before["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(one.expect(200).json, *before);
    let nobodys = format!("/audit-records/{}", uuid::Uuid::now_v7());
    assert_eq!(acme.get(&nobodys).await.problem(), "audit_record_not_found");
}

#[actix_web::test]
async fn records_are_found_by_actor_action_thing_and_time() {
    let (app, acme, buyer) = busy().await;
    let (boss, buyer) = (id_of(&acme).await, id_of(&buyer).await);
    let item = records(&app, &acme).await.last().unwrap()["target"]["id"].clone();
    let item = item.as_str().unwrap();
    let now = app.state.clock.now();
    let at = |late: i64| (now + Duration::minutes(late)).format(&Rfc3339).unwrap();

    let about_it = ["item.retire", "item.change", "item.create"];
    assert_eq!(
        actions(&acme, &format!("target_kind=item&target_id={item}")).await,
        about_it
    );
    assert_eq!(
        actions(&acme, &format!("actor_id={buyer}&target_kind=item")).await,
        ["item.change"]
    );
    assert_eq!(actions(&acme, "action=item.create").await, ["item.create"]);
    assert_eq!(
        actions(&acme, &format!("actor_id={boss}&target_kind=item")).await,
        ["item.retire", "item.create"]
    );
    assert_eq!(
        actions(&acme, &format!("since={}&target_kind=item", at(-5))).await,
        about_it
    );
    assert_eq!(actions(&acme, &format!("since={}", at(5))).await, [""; 0]);
    assert_eq!(actions(&acme, &format!("until={}", at(-5))).await, [""; 0]);
    assert_eq!(actions(&acme, "actor_kind=operator").await, [""; 0]);
    for refused in [
        "actor_kind=ghost",
        "target_id=x",
        "since=yesterday",
        "sort=at",
    ] {
        let refused = acme.get(&format!("/audit-records?{refused}")).await;
        assert_eq!(refused.problem(), "query_invalid", "{}", refused.text());
    }
}

#[actix_web::test]
async fn whoever_reaches_over_a_branch_sees_what_its_people_did_and_no_more() {
    let (app, acme, buyer) = busy().await;
    let manager = app.member(&acme, "branch_manager").await;
    let schema = app.database.schema_of(&acme.slug).await;
    let branch = uuid::Uuid::now_v7();
    let found = format!(
        "INSERT INTO {schema}.branch (id, name, created_at, updated_at)
             VALUES ('{branch}', 'North', now(), now());
         UPDATE {schema}.member SET branch_id = '{branch}' WHERE role IN ('buyer', 'branch_manager')"
    );
    app.sql_on_access(&schema, &found).await;
    let mine = id_of(&manager).await;
    let theirs = id_of(&buyer).await;

    tests::eventually("the branch is heard of", async || {
        actions(&manager, "target_kind=item").await == ["item.change"]
    })
    .await;
    let found = manager.get("/audit-records").await.expect(200).json;
    let rows = found["data"].as_array().unwrap();
    assert!(
        rows.iter()
            .all(|row| [&mine, &theirs].iter().any(|id| row["actor"]["id"] == **id))
    );
    let all = acme
        .get("/audit-records?action=item.retire")
        .await
        .expect(200)
        .json;
    let hidden = format!("/audit-records/{}", all["data"][0]["id"].as_str().unwrap());
    assert_eq!(
        manager.get(&hidden).await.problem(),
        "audit_record_not_found"
    );
    assert_eq!(
        manager
            .get("/audit-records/export?format=csv")
            .await
            .problem(),
        "permission_denied"
    );
}

#[actix_web::test]
async fn a_search_reads_an_index() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let schema = app.database.schema_of(&acme.slug).await;
    app.sql(&format!(
        "INSERT INTO {schema}.audit_record (seq, content, hash, id, at)
         SELECT n, json_build_object('action', 'a.b' || n % 97, 'actor',
                json_build_object('kind', 'member', 'id', n % 89), 'target',
                json_build_object('kind', 'item', 'id', n % 83)), '', gen_random_uuid(), now()
         FROM generate_series(100000, 130000) n; ANALYZE {schema}.audit_record"
    ))
    .await;

    for (which, index) in [
        ("actor_id = '7'", "audit_record_actor_idx"),
        ("action = 'a.b7'", "audit_record_action_idx"),
        (
            "target_kind = 'item' AND target_id = '7'",
            "audit_record_target_idx",
        ),
        ("true", "audit_record_pkey"),
        (
            "id = '01890000-0000-7000-8000-000000000000'",
            "audit_record_id_key",
        ),
    ] {
        let sql = format!(
            "EXPLAIN SELECT seq FROM {schema}.audit_record WHERE {which} ORDER BY seq DESC LIMIT 51"
        );
        let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_all(&mut app.database.connect().await)
            .await
            .unwrap();
        assert!(plan.join("\n").contains(index), "{which}: {plan:#?}");
    }
}

#[actix_web::test]
async fn the_trail_is_taken_out_line_by_line_as_it_was_hashed_and_that_is_on_record() {
    let (app, acme, _) = busy().await;
    let before = records(&app, &acme).await;

    let taken = acme
        .get("/audit-records/export?format=ndjson")
        .await
        .expect(200);

    assert_eq!(taken.header("content-type"), "application/x-ndjson");
    let text = taken.text();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), before.len());
    for (number, (line, record)) in lines.iter().zip(&before).enumerate() {
        assert_eq!(line["seq"], number + 1);
        assert_eq!(&line["content"], record);
        assert_eq!(line["hash"].as_str().unwrap().len(), 64);
    }
    let after = records(&app, &acme).await;
    assert_eq!(after.len(), before.len() + 1);
    assert_eq!(after.last().unwrap()["action"], "audit.export");
    assert_eq!(after.last().unwrap()["after"]["format"], "ndjson");
}

#[actix_web::test]
async fn a_table_holds_no_formula_and_a_long_trail_comes_whole() {
    let (app, acme, _) = busy().await;
    let schema = app.database.schema_of(&acme.slug).await;
    for n in 0..1100 {
        let name = format!("=cmd{n}");
        if n % 100 == 0 {
            acme.post("/item-groups", json!({"name": name}))
                .await
                .expect(201);
        }
    }
    let long = format!(
        "INSERT INTO {schema}.audit_record (seq, content, hash, id, at)
         SELECT h.seq + n, json_build_object('id', gen_random_uuid(), 'at', '2026-01-01T00:00:00Z',
                'action', 'item.change', 'actor', json_build_object('kind', 'system'),
                'target', json_build_object('kind', '=1+1', 'id', '@x')), '', gen_random_uuid(), now()
         FROM {schema}.audit_head h, generate_series(1, 1200) n;
         UPDATE {schema}.audit_head SET seq = seq + 1200"
    );
    app.sql(&long).await;

    let taken = acme
        .get("/audit-records/export?format=csv")
        .await
        .expect(200);
    let part = acme
        .get("/audit-records/export?format=csv&action=item.retire")
        .await
        .expect(200);

    let text = taken.text();
    assert!(taken.header("content-type").starts_with("text/csv"));
    assert!(text.starts_with("seq,id,at,action,"));
    assert!(text.lines().count() > 1200, "{}", text.lines().count());
    assert!(text.contains("\"'=1+1\",\"'@x\""));
    assert!(!text.contains("\"=1+1\""));
    assert_eq!(part.text().lines().count(), 2);
}

#[actix_web::test]
async fn a_dealer_that_is_closing_still_takes_out_its_trail() {
    let (app, acme, _) = busy().await;
    app.sql("UPDATE platform.tenant SET status = 'closing' WHERE slug = 'acme'")
        .await;
    tests::eventually("it is closing", async || {
        acme.post("/item-groups", json!({"name": "late"}))
            .await
            .status
            == 403
    })
    .await;

    let taken = acme
        .get("/audit-records/export?format=ndjson")
        .await
        .expect(200);

    assert!(taken.text().lines().count() >= 3);
    let last = records(&app, &acme).await;
    assert_eq!(last.last().unwrap()["action"], "audit.export");
}
