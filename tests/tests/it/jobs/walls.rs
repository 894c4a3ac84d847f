//! One dealer's role and another's jobs.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use tests::{Dealer, TestApp};
use uuid::Uuid;

use super::{count, hand_over};

/// Runs a statement as a dealer's role, and answers with the number of its rows.
async fn as_dealer(app: &TestApp, dealer: &Dealer, sql: &str) -> Result<usize, DbErr> {
    let door = app.door(dealer).await;
    door.write(async |tx| {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        Ok(tx.query_all_raw(statement).await?.len())
    })
    .await
}

async fn refused_with(app: &TestApp, dealer: &Dealer, sql: &str, state: &str) {
    let refusal = as_dealer(app, dealer, sql).await.unwrap_err();
    let code = match &refusal {
        DbErr::Exec(sea_orm::RuntimeErr::SqlxError(error))
        | DbErr::Query(sea_orm::RuntimeErr::SqlxError(error)) => error
            .as_database_error()
            .and_then(|error| error.code().map(|code| code.into_owned())),
        _ => None,
    };
    assert_eq!(code.as_deref(), Some(state), "{sql}: {refusal:?}");
}

#[actix_web::test]
async fn a_dealers_role_neither_sees_nor_ends_anothers_jobs() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let theirs: Uuid = hand_over(&app, &bolt, "nothing", "theirs").await;
    hand_over(&app, &acme, "nothing", "ours").await;
    app.sql(&format!(
        "UPDATE jobs.job SET state = 'running', fence = 7,
             lease_until = now() + interval '1 hour' WHERE id = '{theirs}'"
    ))
    .await;

    let see = "SELECT id FROM shared.own_job";
    assert_eq!(as_dealer(&app, &acme, see).await.unwrap(), 1);
    for sql in ["hold_job", "finish_job"] {
        let end = format!("SELECT shared.{sql}('{theirs}', 7)");
        refused_with(&app, &acme, &end, "TBX01").await;
    }
    app.sql(&format!(
        "UPDATE jobs.job SET state = 'dead' WHERE id = '{theirs}'"
    ))
    .await;
    for sql in ["retry_jobs", "discard_jobs"] {
        let end = format!("SELECT * FROM shared.{sql}(ARRAY['{theirs}']::uuid[])");
        assert_eq!(as_dealer(&app, &acme, &end).await.unwrap(), 0, "{sql}");
    }
    let untouched = "SELECT count(*) FROM jobs.job WHERE state = 'dead'";
    assert_eq!(count(&app.database, untouched).await, 1);
}

#[actix_web::test]
async fn a_dealers_role_touches_no_table_of_jobs_and_hands_over_for_itself_alone() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let [ours, theirs] = [
        app.database.schema_of(&acme.slug).await,
        app.database.schema_of(&bolt.slug).await,
    ];

    for sql in [
        "SELECT id FROM jobs.job".to_owned(),
        format!("INSERT INTO jobs.pause VALUES ('{theirs}', '*', 'x', now()) RETURNING kind"),
        "DELETE FROM jobs.unique_key RETURNING key".to_owned(),
        "UPDATE jobs.firing SET tick = now() RETURNING name".to_owned(),
    ] {
        refused_with(&app, &acme, &sql, "42501").await;
    }
    let enqueue =
        "SELECT shared.enqueue_job(gen_random_uuid(), 'quick', 'test.errand', 2::smallint,
        '{}', 5::smallint, 0, 3, 0, NULL, NULL, 0)";
    as_dealer(&app, &acme, enqueue).await.unwrap();
    let whose = format!("SELECT count(*) FROM jobs.job WHERE tenant = '{ours}'");
    assert_eq!(count(&app.database, &whose).await, 1);

    // Nobody in particular hands nothing over: neither a lane's login nor the owner.
    let nobody = sqlx::query(enqueue)
        .execute(&mut app.database.connect().await)
        .await
        .unwrap_err();
    let code = nobody.as_database_error().and_then(|error| error.code());
    assert_eq!(code.as_deref(), Some("42501"));
}
