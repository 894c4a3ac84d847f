//! What has to be in order once everything was finished, on every node, read from the catalogues
//! and not from what the product says of itself.

use anyhow::Result;
use provisioner::Depth;
use sqlx::{AssertSqlSafe, PgConnection};

use super::errands::head;
use super::ground::{Ground, Node};

/// Tenants of a node that have a schema there: schema, version and the login they are reached by.
const LISTED: &str = "SELECT t.schema_name, t.schema_version, l.login_role, t.slug
    FROM platform.tenant t
    JOIN platform.lane l ON l.id = t.lane_id JOIN platform.node n ON n.id = l.node_id
    WHERE n.name = $1 AND t.status NOT IN ('archived', 'gone') ORDER BY t.schema_name";
/// What is wrong with the directory alone, in words.
const DIRECTORY: [(&str, &str); 6] = [
    (
        "two entries of one slug",
        "SELECT slug::text FROM platform.tenant GROUP BY slug HAVING count(*) > 1",
    ),
    (
        "nobody finished",
        "SELECT slug::text FROM platform.tenant WHERE status = 'provisioning'",
    ),
    (
        "not born exactly once",
        "SELECT t.slug::text FROM platform.tenant t
         LEFT JOIN platform.tenant_event e ON e.tenant_id = t.id AND e.kind = 'created'
         WHERE t.status NOT IN ('archived', 'gone', 'spare') GROUP BY t.id HAVING count(e.id) <> 1",
    ),
    (
        "a run that is not over",
        "SELECT id::text FROM platform.migration_run WHERE state NOT IN ('done', 'cancelled')",
    ),
    (
        "in somebody's hand after the run",
        "SELECT r.id::text FROM platform.migration_run r
         JOIN platform.migration_run_tenant t ON t.run_id = r.id
         WHERE r.state IN ('done', 'cancelled') AND t.state IN ('pending', 'running')",
    ),
    (
        "archived without an export",
        "SELECT t.slug::text FROM platform.tenant t WHERE t.status = 'archived'
         AND NOT EXISTS (SELECT FROM platform.tenant_export e WHERE e.tenant_id = t.id)",
    ),
];

/// Looks at everything; no findings is what one hopes for.
///
/// # Errors
///
/// When nothing can be asked.
pub async fn look(ground: &Ground, spares: i64) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut platform = ground.own().connect().await?;
    for (what, sql) in DIRECTORY {
        let wrong: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut platform).await?;
        for one in wrong {
            found.push(format!("{what}: {one}"));
        }
    }
    for node in &ground.nodes {
        look_at(node, &mut platform, spares, &mut found).await?;
    }
    let examined = head(ground).await?.examine(Depth::Structure).await?;
    for one in &examined.drifted {
        let difference = one.difference.to_json();
        found.push(format!(
            "{} at {} drifted: {difference}",
            one.slug, one.version
        ));
    }
    for one in &examined.ahead {
        let slug = &one.slug;
        found.push(format!("{slug} stands at a version that nobody knows"));
    }
    for error in &examined.unreachable {
        found.push(format!("a node was not looked at: {error}"));
    }
    let listed: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM platform.tenant WHERE status NOT IN ('archived', 'gone')",
    )
    .fetch_one(&mut platform)
    .await?;
    println!(
        "soak-fleet: looked at {} of {listed} schemas",
        examined.looked_at
    );
    Ok(found)
}

async fn look_at(
    node: &Node,
    platform: &mut PgConnection,
    spares: i64,
    found: &mut Vec<String>,
) -> Result<()> {
    let mut there = node.connect().await?;
    let listed: Vec<(String, String, String, String)> = sqlx::query_as(LISTED)
        .bind(&node.name)
        .fetch_all(&mut *platform)
        .await?;
    let expected: Vec<String> = listed.iter().map(|one| one.0.clone()).collect();
    let mut same = |what: &str, expected: &[String], real: &[String]| {
        for one in real.iter().filter(|one| !expected.contains(one)) {
            found.push(format!("node {}: {what} {one} is nobody's", node.name));
        }
        for one in expected.iter().filter(|one| !real.contains(one)) {
            found.push(format!("node {}: {what} {one} is missing", node.name));
        }
    };
    let schemas = r"SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^t_' ORDER BY 1";
    same("schema", &expected, &column(&mut there, schemas).await?);
    let roles = r"SELECT rolname::text FROM pg_roles WHERE rolname ~ '^t_' ORDER BY 1";
    same("role", &expected, &column(&mut there, roles).await?);
    let members = "SELECT m.roleid::regrole::text || ' of ' || m.member::regrole::text
                   FROM pg_auth_members m WHERE m.roleid::regrole::text ~ '^t_'
                       AND m.member::regrole::text ~ '^lane_'";
    let expected: Vec<_> = listed
        .iter()
        .map(|one| format!("{} of {}", one.0, one.2))
        .collect();
    same("membership", &expected, &column(&mut there, members).await?);
    let lanes = "SELECT l.login_role FROM platform.lane l JOIN platform.node n ON n.id = l.node_id
                 WHERE n.name = $1";
    let lanes: Vec<String> = sqlx::query_scalar(lanes)
        .bind(&node.name)
        .fetch_all(&mut *platform)
        .await?;
    let logins = "SELECT rolname::text FROM pg_roles WHERE rolname ~ '^lane_'";
    same("login", &lanes, &column(&mut there, logins).await?);
    let invalid = "SELECT indexrelid::regclass::text FROM pg_index
                   WHERE NOT (indisvalid AND indisready AND indislive)";
    same("invalid index", &[], &column(&mut there, invalid).await?);

    for (schema, version, _, slug) in &listed {
        let ledger = format!("SELECT version FROM {schema}.seaql_migrations ORDER BY version");
        let Ok(ledger) = column(&mut there, &ledger).await else {
            found.push(format!("{slug}: {schema} has no history"));
            continue;
        };
        let mut once = ledger.clone();
        once.dedup();
        let known = server::doctor::NEWEST;
        if ledger.last() != Some(version) || once.len() != ledger.len() || version != known {
            found.push(format!(
                "{slug}: the directory says {version}, {schema} says {ledger:?}"
            ));
        }
        // Whoever was there when barcodes got kinds has them filled; who came later may not.
        if slug.starts_with("old-") {
            let unfilled = format!("SELECT barcode FROM {schema}.item_barcode WHERE kind IS NULL");
            let unfilled = column(&mut there, &unfilled).await?;
            if !unfilled.is_empty() {
                found.push(format!(
                    "{slug}: barcodes that were not filled: {unfilled:?}"
                ));
            }
        }
    }
    let ready = "SELECT count(*) FROM platform.tenant t
         JOIN platform.lane l ON l.id = t.lane_id JOIN platform.node n ON n.id = l.node_id
         WHERE n.name = $1 AND t.status = 'spare'";
    let ready: i64 = sqlx::query_scalar(ready)
        .bind(&node.name)
        .fetch_one(&mut *platform)
        .await?;
    if ready != spares {
        let name = &node.name;
        found.push(format!("node {name}: {ready} spares instead of {spares}"));
    }
    Ok(())
}

async fn column(connection: &mut PgConnection, sql: &str) -> Result<Vec<String>> {
    let asked = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
    Ok(asked.fetch_all(connection).await?)
}
