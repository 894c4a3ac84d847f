//! What a tenant's role, its lane's login and the server's login may not do.

use provisioner::fence;
use sea_orm::TransactionTrait as _;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};

use crate::scratch::{self, Scratch};
use crate::toy::{Toy, tenant};

#[tokio::test]
async fn a_tenants_role_stays_within_its_schema() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        let ours = provisioner.create(tenant("ours")).await.unwrap().tenant;
        let theirs = provisioner
            .create(tenant("theirs"))
            .await
            .unwrap()
            .tenant
            .schema_name;
        let mut lane = scratch.log_in(&ours.lane).await.unwrap();
        let enter = format!(
            "BEGIN; SET LOCAL ROLE {0}; SET LOCAL search_path = {0}, shared, pg_temp",
            ours.schema_name
        );

        for fine in [
            "INSERT INTO widget (name) VALUES ('Öl')",
            "UPDATE widget SET name = 'oil' WHERE name % 'Öl'",
            "DELETE FROM widget WHERE folded = fold(' OIL')",
            "SELECT relname FROM pg_class",
        ] {
            try_in(&mut lane, &enter, fine).await.unwrap();
        }
        for foul in [
            format!("SELECT * FROM {theirs}.widget"),
            format!("INSERT INTO {theirs}.widget (name) VALUES ('x')"),
            "CREATE TABLE mine ()".to_owned(),
            "ALTER TABLE widget ADD COLUMN mine text".to_owned(),
            "DROP TABLE widget".to_owned(),
            "TRUNCATE widget".to_owned(),
            "CREATE TEMPORARY TABLE mine ()".to_owned(),
            "CREATE TABLE public.mine ()".to_owned(),
            "CREATE TABLE shared.mine ()".to_owned(),
            "CREATE SCHEMA mine".to_owned(),
            "SELECT lo_create(0)".to_owned(),
            "SELECT lo_get(1)".to_owned(),
            "SELECT pg_notify('tubex_directory', '*')".to_owned(),
            "SELECT pg_advisory_lock(1)".to_owned(),
            "SELECT pg_try_advisory_lock_shared(1)".to_owned(),
            "SELECT pg_advisory_unlock_all()".to_owned(),
            "SELECT pg_terminate_backend(1)".to_owned(),
            "SELECT set_limit(0.1)".to_owned(),
            "SELECT * FROM pg_stat_user_tables".to_owned(),
            "SELECT * FROM pg_statio_user_indexes".to_owned(),
            "SELECT * FROM pg_stat_activity".to_owned(),
            "SELECT * FROM pg_locks".to_owned(),
            "SELECT pg_stat_get_live_tuples(1)".to_owned(),
            "SELECT pg_total_relation_size('widget')".to_owned(),
            "SELECT reltuples FROM pg_class".to_owned(),
            "SELECT * FROM pg_prepared_statements".to_owned(),
            "SELECT * FROM seaql_migrations".to_owned(),
            "DELETE FROM seaql_migrations".to_owned(),
            "SELECT * FROM platform.tenant".to_owned(),
        ] {
            let refusal = try_in(&mut lane, &enter, &foul).await;
            assert_eq!(refusal, Err("42501".to_owned()), "{foul}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_lane_without_a_role_reads_nothing() {
    scratch::ready(|scratch| async move {
        let created = scratch
            .provisioner(Toy::first())
            .create(tenant("acme"))
            .await
            .unwrap();
        let schema = created.tenant.schema_name;
        let mut lane = scratch.log_in(&created.tenant.lane).await.unwrap();

        for foul in [
            format!("SELECT * FROM {schema}.widget"),
            "SELECT * FROM platform.tenant".to_owned(),
            "CREATE TABLE public.mine ()".to_owned(),
            "CREATE TEMPORARY TABLE mine ()".to_owned(),
        ] {
            let refusal = try_in(&mut lane, "BEGIN", &foul).await;
            assert_eq!(refusal, Err("42501".to_owned()), "{foul}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_lane_cannot_become_a_tenant_of_another_lane() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        scratch.run("UPDATE platform.lane SET capacity = 1").await;
        let ours = provisioner.create(tenant("ours")).await.unwrap().tenant;
        let theirs = provisioner.create(tenant("theirs")).await.unwrap().tenant;
        assert_ne!(ours.lane, theirs.lane);
        let mut lane = scratch.log_in(&ours.lane).await.unwrap();

        let become_them = format!("SET LOCAL ROLE {}", theirs.schema_name);

        assert_eq!(
            try_in(&mut lane, "BEGIN", &become_them).await,
            Err("42501".to_owned())
        );
    })
    .await;
}

#[tokio::test]
async fn the_server_reads_the_directory_and_reports_and_no_more() {
    scratch::ready(|scratch| async move {
        let created = scratch
            .provisioner(Toy::first())
            .create(tenant("acme"))
            .await
            .unwrap();
        let schema = created.tenant.schema_name;
        let mut server = scratch.log_in(scratch.server_role.as_str()).await.unwrap();

        for fine in [
            "SELECT * FROM platform.tenant, platform.lane, platform.node",
            "SELECT * FROM platform.tenant_domain",
            "INSERT INTO platform.security_event (id, kind) VALUES (gen_random_uuid(), 'x')",
            "INSERT INTO platform.server_process (id, build, knows, needs)
             VALUES (gen_random_uuid(), '1', 'm2', 'm1')
             ON CONFLICT (id) DO UPDATE SET seen_at = now()",
            "DELETE FROM platform.server_process WHERE seen_at < now() - interval '1 day'",
            "INSERT INTO platform.tenant_vitals (tenant_id, last_active_at)
             SELECT id, now() FROM platform.tenant
             ON CONFLICT (tenant_id) DO UPDATE SET last_active_at = now()",
            "LISTEN tubex_directory",
        ] {
            try_in(&mut server, "BEGIN", fine).await.unwrap();
        }
        for foul in [
            "SELECT * FROM platform.security_event".to_owned(),
            "SELECT * FROM platform.tenant_event".to_owned(),
            "SELECT * FROM platform.operator".to_owned(),
            "SELECT * FROM platform.operator_session".to_owned(),
            "SELECT * FROM platform.operator_refresh_token".to_owned(),
            "SELECT * FROM platform.migration_run".to_owned(),
            "SELECT drift FROM platform.tenant_vitals".to_owned(),
            "UPDATE platform.server_process SET knows = 'm9'".to_owned(),
            "UPDATE platform.tenant_vitals SET drift = NULL".to_owned(),
            "DELETE FROM platform.tenant_traffic".to_owned(),
            "SELECT * FROM platform.seaql_migrations".to_owned(),
            "UPDATE platform.tenant SET slug = 'mine'".to_owned(),
            "DELETE FROM platform.tenant".to_owned(),
            format!("SELECT * FROM {schema}.widget"),
            format!("SET LOCAL ROLE {schema}"),
        ] {
            let refusal = try_in(&mut server, "BEGIN", &foul).await;
            assert_eq!(refusal, Err("42501".to_owned()), "{foul}");
        }
    })
    .await;
}

#[tokio::test]
async fn only_our_logins_can_connect() {
    scratch::ready(|scratch| async move {
        let stranger = format!("stranger_{}", uuid::Uuid::now_v7().simple());
        scratch.run(&format!("CREATE ROLE {stranger} LOGIN")).await;

        let may: Vec<bool> = scratch
            .column(&format!(
                "SELECT has_database_privilege('{stranger}', current_database(), 'CONNECT')"
            ))
            .await;

        scratch.run(&format!("DROP ROLE {stranger}")).await;
        assert_eq!(may, [false]);
    })
    .await;
}

#[tokio::test]
async fn what_we_may_not_close_is_reported_with_its_remedy() {
    scratch::empty(|scratch| async move {
        let tx = scratch.db.begin().await.unwrap();
        let weak = format!("weak_{}", uuid::Uuid::now_v7().simple());
        run_in(&tx, &format!("CREATE ROLE {weak}; SET LOCAL ROLE {weak}")).await;

        let report = fence::apply(&tx).await.unwrap();
        run_in(&tx, &format!("RESET ROLE; {}", report.remedy())).await;
        let after = fence::inspect(&tx).await.unwrap();

        assert!(report.closed.is_empty());
        let notify = report
            .gaps
            .iter()
            .find(|gap| gap.object.contains("pg_notify"))
            .unwrap();
        assert!(notify.remedy.contains("REVOKE EXECUTE"), "{notify:?}");
        assert!(notify.remedy.contains(&format!("TO {weak}")), "{notify:?}");
        assert!(after.gaps.is_empty(), "{:?}", after.gaps);
        tx.rollback().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn every_gap_has_a_name_of_its_own() {
    scratch::empty(|scratch: std::sync::Arc<Scratch>| async move {
        let gaps = fence::inspect(&scratch.db).await.unwrap().gaps;

        let mut names: Vec<_> = gaps.iter().map(|gap| gap.object.clone()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), gaps.len());
        assert!(names.len() > 100);
    })
    .await;
}

async fn run_in(tx: &sea_orm::DatabaseTransaction, sql: &str) {
    use sea_orm::ConnectionTrait as _;
    tx.execute_unprepared(sql).await.unwrap();
}

/// Runs one statement in a transaction of its own; answers with the SQLSTATE of a refusal.
async fn try_in(connection: &mut PgConnection, enter: &str, sql: &str) -> Result<(), String> {
    connection.execute(AssertSqlSafe(enter)).await.unwrap();
    let outcome = connection.execute(AssertSqlSafe(sql)).await;
    connection.execute("ROLLBACK").await.unwrap();
    match outcome {
        Ok(_) => Ok(()),
        Err(error) => {
            let refusal = error
                .into_database_error()
                .expect("the database refuses, not the wire");
            Err(refusal.code().unwrap_or_default().into_owned())
        }
    }
}
