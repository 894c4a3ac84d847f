//! Leaks that other products have had, each by its name.

use provisioner::login_password;
use sea_orm::{ConnectionTrait, DbErr};
use secrecy::ExposeSecret;
use server::db::TenantDb;
use tests::{Dealer, Scratch, TestApp, eventually};
use uuid::Uuid;

use crate::transactions::{statement, text_of, themselves, who};

/// A setting made within a transaction, for the session, is undone with it or outdone by the next.
#[actix_web::test]
async fn a_path_or_role_set_for_the_session_is_not_the_next_dealers() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let (door, next) = (app.door(&acme).await, app.door(&bolt).await);
    let theirs = app.database.schema_of(&bolt.slug).await;
    let expected = [themselves(&app, &acme).await, themselves(&app, &bolt).await];

    for setting in [
        "SET search_path = pg_catalog".to_owned(),
        format!("SET search_path = {theirs}"),
        format!("SET ROLE {theirs}"),
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY".to_owned(),
        "SELECT set_config('search_path', 'nowhere', false)".to_owned(),
        "DISCARD PLANS".to_owned(),
    ] {
        let rolled_back = door.write(async |tx| {
            tx.execute_unprepared(&setting).await?;
            Err::<(), _>(DbErr::Custom("given up".to_owned()))
        });
        assert!(rolled_back.await.is_err());
        assert_eq!(who(&next).await, expected[1], "after {setting}, undone");

        let _some_are_refused = door
            .write(async |tx| tx.execute_unprepared(&setting).await)
            .await;
        assert_eq!(who(&next).await, expected[1], "after {setting}, kept");
        assert_eq!(who(&door).await, expected[0], "after {setting}, kept");
        let written = next.write(async |tx| text_of(tx, "SELECT nextval_of_nothing()").await);
        assert!(written.await.is_err(), "a failure changes nothing either");
        assert_eq!(who(&door).await, expected[0]);
    }
}

/// Drivers remember types by name, but their numbers differ from schema to schema.
#[actix_web::test]
async fn types_of_one_name_in_two_schemas_are_not_mixed_up() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let doors = [app.door(&acme).await, app.door(&bolt).await];
    for (dealer, words) in [(&acme, "'low', 'high'"), (&bolt, "'high', 'low'")] {
        let schema = app.database.schema_of(&dealer.slug).await;
        app.sql(&format!(
            "CREATE TYPE {schema}.mood AS ENUM ({words});
             CREATE TABLE {schema}.day (mood {schema}.mood);
             INSERT INTO {schema}.day VALUES ('low');
             GRANT ALL ON {schema}.day TO {schema}"
        ))
        .await;
    }

    for _ in 0..4 {
        for (door, order) in doors.iter().zip(["low,high", "high,low"]) {
            let all = "SELECT string_agg(m::text, ',' ORDER BY m)
                 FROM unnest(enum_range(NULL::mood)) m";
            assert_eq!(text_within(door, all).await, order);
            let cast = "SELECT mood::text FROM day WHERE mood = CAST('low' AS mood)";
            assert_eq!(text_within(door, cast).await, "low");
            let bound = door.read(async |tx| {
                let mut cast = statement("SELECT CAST($1::text AS mood)::text");
                cast.values = Some(sea_orm::Values(vec!["high".into()]));
                let row = tx.query_one_raw(cast).await?.expect("one row");
                row.try_get_by_index::<String>(0)
            });
            assert_eq!(bound.await.unwrap(), "high");
        }
    }
}

/// Where somebody gave the right to make temporary tables back, they still hide nothing.
#[actix_web::test]
async fn a_temporary_table_does_not_hide_a_real_one() {
    let app = TestApp::start_on(Scratch::with_lane_of(1).await, &[]).await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let (door, next) = (app.door(&acme).await, app.door(&bolt).await);
    app.sql(
        "DO $$ BEGIN
             EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', current_database());
         END $$",
    )
    .await;
    let made = door
        .write(async |tx| {
            tx.execute_unprepared("CREATE TEMPORARY TABLE member (email text)")
                .await?;
            tx.execute_unprepared("INSERT INTO pg_temp.member VALUES ('shadow')")
                .await
        })
        .await;
    made.expect("it may be made now");

    for (door, dealer) in [(&door, &acme), (&next, &bolt), (&door, &acme)] {
        let email = text_within(door, "SELECT email FROM member").await;
        assert_eq!(email, dealer.email);
    }
    acme.sign_in(&acme.email, &acme.password).await.expect(200);
    bolt.sign_in(&bolt.email, &bolt.password).await.expect(200);
}

/// Products that keep a map of so many pools, or of so many tenants, forget the others.
#[actix_web::test]
async fn the_sixty_fifth_dealer_is_served_like_the_first() {
    let app = TestApp::start().await;
    let dealers = bare_dealers(&app).await;
    let stranger = app.stranger(&format!("{}.localhost", dealers[dealers.len() - 1].0));
    eventually("the last dealer is known", async || {
        stranger.get("/").await.status == 200
    })
    .await;

    let ask = async |slug: &String, schema: &String| {
        let dealer = Dealer {
            slug: slug.clone(),
            email: String::new(),
            password: String::new(),
            owner: app.stranger(&format!("{slug}.localhost")),
        };
        dealer.get("/").await.expect(200);
        let door = app.door(&dealer).await;
        let expected = format!("{schema}|{schema}, shared, pg_temp");
        assert_eq!(who(&door).await, expected, "{slug}");
    };
    let ask_all = async |dealers: &[(String, String)]| {
        for (slug, schema) in dealers {
            ask(slug, schema).await;
        }
    };
    // Each twice, two at a time, and never one after itself.
    let (some, others) = dealers.split_at(dealers.len() / 2);
    tokio::join!(ask_all(some), ask_all(others));
    tokio::join!(ask_all(others), ask_all(some));
}

/// Enters 65 more dealers into the directory, on five lanes. They have a role and no tables, which
/// is enough to be answered and a hundred times faster than to be created. Their slugs and schemas.
async fn bare_dealers(app: &TestApp) -> Vec<(String, String)> {
    const LANES: usize = 5;
    const PER_LANE: usize = 13;
    let word = || Uuid::new_v4().simple().to_string()[..16].to_owned();
    let mut dealers = Vec::new();
    for _ in 0..LANES {
        let (id, login) = (Uuid::now_v7(), format!("lane_{}", word()));
        let password = login_password(&app.database.secret().into(), &login);
        let password = password.expose_secret();
        let mut sql = format!(
            "CREATE ROLE {login} LOGIN NOINHERIT PASSWORD '{password}';
             DO $$ BEGIN
                 EXECUTE format('GRANT CONNECT ON DATABASE %I TO {login}', current_database());
             END $$;
             INSERT INTO platform.lane (id, node_id, login_role, width, capacity)
             SELECT '{id}', id, '{login}', 2, {PER_LANE} FROM platform.node;"
        );
        for _ in 0..PER_LANE {
            let (schema, slug) = (format!("t_{}", word()), format!("many-{}", dealers.len()));
            sql += &format!(
                "CREATE ROLE {schema} NOLOGIN; GRANT {schema} TO {login};
                 INSERT INTO platform.tenant
                     (id, slug, name, schema_name, lane_id, status, schema_version)
                 SELECT gen_random_uuid(), '{slug}', '{slug}', '{schema}', '{id}', 'active',
                     schema_version
                 FROM platform.tenant WHERE slug = 'acme';"
            );
            dealers.push((slug, schema));
        }
        app.sql(&sql).await;
    }
    dealers
}

async fn text_within(door: &TenantDb, sql: &str) -> String {
    let asked = door.read(async |tx| text_of(tx, sql).await);
    asked.await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}
