//! One node: its Postgres, its extensions, its fence, and who was granted what.

use provisioner::{describe_db_error, fence};
use sea_orm::{DbErr, FromQueryResult};

use super::fleet::Node;
use super::report::{Finding, Proof};
use super::topic::Topic;
use crate::config::{Database, FenceRule};
use crate::db::probe::Probe;

const OLDEST_POSTGRES: i32 = 150_000;
const EXTENSIONS: [&str; 2] = ["pg_trgm", "unaccent"];
/// Gaps of the fence that are named; there may be dozens.
const GAPS: usize = 4;

/// What a node can take.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Facts {
    version: i32,
    extensions: String,
    pub(super) max_connections: i64,
    /// Kept for superusers and the like.
    pub(super) reserved: i64,
    pub(super) locks_per_transaction: i64,
    /// Connections that the login which looks may have in the cluster; -1 means any number.
    pub(super) login_limit: i32,
}

const FACTS: &str = "SELECT current_setting('server_version_num')::integer AS version, \
     (SELECT coalesce(string_agg(extname, ' '), '') FROM pg_catalog.pg_extension \
         WHERE extnamespace = to_regnamespace('shared')) AS extensions, \
     current_setting('max_connections')::bigint AS max_connections, \
     current_setting('superuser_reserved_connections')::bigint \
         + coalesce(current_setting('reserved_connections', true), '0')::bigint AS reserved, \
     current_setting('max_locks_per_transaction')::bigint AS locks_per_transaction, \
     (SELECT rolconnlimit FROM pg_catalog.pg_roles WHERE rolname = session_user) AS login_limit";

pub(super) async fn examine(
    probe: &Probe,
    node: &Node,
    config: &Database,
) -> Result<(Vec<Finding>, Facts), DbErr> {
    let facts: Facts = probe.row(FACTS).await?;
    let mut findings = examine_build(node, &facts);
    findings.extend(examine_fence(probe, node, config).await?);
    findings.extend(examine_grants(probe, node).await?);
    Ok((findings, facts))
}

/// A node elsewhere that answered its lanes and then no more.
pub(super) fn unreached(node: &Node, error: &DbErr) -> Finding {
    let detail = format!(
        "{} could not be examined: {}",
        node.name,
        describe_db_error(error)
    );
    Finding::failed(Topic::Nodes, detail, "see that it answers").leaving(Proof::Partial)
}

fn examine_build(node: &Node, facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if facts.version < OLDEST_POSTGRES {
        let detail = format!("{} runs Postgres {}", node.name, facts.version / 10_000);
        let remedy = "upgrade it to Postgres 15 or newer";
        findings.push(Finding::failed(Topic::Nodes, detail, remedy));
    }
    let there: Vec<_> = facts.extensions.split(' ').collect();
    let missing: Vec<_> = EXTENSIONS
        .into_iter()
        .filter(|extension| !there.contains(extension))
        .collect();
    if !missing.is_empty() {
        let detail = format!("{} lacks {} in shared", node.name, missing.join(" and "));
        let remedy = "run `tubex platform migrate` there; it makes or moves them";
        findings.push(Finding::failed(Topic::Nodes, detail, remedy));
    }
    findings
}

async fn examine_fence(
    probe: &Probe,
    node: &Node,
    config: &Database,
) -> Result<Option<Finding>, DbErr> {
    let gaps = fence::inspect(probe).await?.gaps;
    if gaps.is_empty() {
        return Ok(None);
    }
    let named: Vec<_> = gaps.iter().take(GAPS).map(|gap| &*gap.object).collect();
    let more = match gaps.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let detail = format!(
        "on {} PUBLIC has rights on {}{more}",
        node.name,
        named.join(", ")
    );
    // The statements themselves name the role that asks as an heir, which must not be ours.
    let remedy = "run `tubex platform migrate`: it takes them away, and prints what only a \
                  superuser can take";
    Ok(Some(match config.fence {
        FenceRule::Required => Finding::failed(Topic::Fence, detail, remedy),
        FenceRule::Reported => Finding::warning(Topic::Fence, detail, remedy),
    }))
}

#[derive(FromQueryResult)]
struct Grant {
    detail: String,
    remedy: String,
}

/// Schemas that somebody beside their own dealer's role was let into, and dealers' roles that may
/// be somebody else or do more than a dealer should.
const GRANTS: &str = "\
    SELECT format('%s may use schema %s', coalesce(r.rolname, 'PUBLIC'), n.nspname) AS detail, \
        format('REVOKE ALL ON SCHEMA %I FROM %s', n.nspname, \
            coalesce(quote_ident(r.rolname), 'PUBLIC')) AS remedy \
    FROM pg_catalog.pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a \
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee \
    WHERE n.nspname ~ '^t_[0-9a-f]{16}$' AND a.grantee <> n.nspowner \
        AND r.rolname IS DISTINCT FROM n.nspname \
    UNION \
    SELECT format('%s owns schema %s', o.rolname, n.nspname), \
        format('ALTER SCHEMA %I OWNER TO the platform''s owner', n.nspname) \
    FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles o ON o.oid = n.nspowner \
    WHERE n.nspname ~ '^t_[0-9a-f]{16}$' AND o.rolname ~ '^(t|lane)_[0-9a-f]{16}$' \
    UNION \
    SELECT format('role %s may take role %s', m.rolname, g.rolname), \
        format('REVOKE %I FROM %I', g.rolname, m.rolname) \
    FROM pg_catalog.pg_auth_members am \
    JOIN pg_catalog.pg_roles m ON m.oid = am.member JOIN pg_catalog.pg_roles g ON g.oid = am.roleid \
    WHERE m.rolname ~ '^t_[0-9a-f]{16}$' AND to_regnamespace(m.rolname) IS NOT NULL \
    UNION \
    SELECT format('role %s has rights over the cluster', rolname), \
        format('ALTER ROLE %I NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS', \
            rolname) \
    FROM pg_catalog.pg_roles \
    WHERE rolname ~ '^t_[0-9a-f]{16}$' AND to_regnamespace(rolname) IS NOT NULL \
        AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls) \
    LIMIT 20";

async fn examine_grants(probe: &Probe, node: &Node) -> Result<Vec<Finding>, DbErr> {
    let grants: Vec<Grant> = probe.rows(GRANTS).await?;
    let findings = grants.into_iter().map(|grant| {
        let detail = format!("on {} {}", node.name, grant.detail);
        let remedy = format!("as a superuser: {}", grant.remedy);
        Finding::failed(Topic::Grants, detail, remedy)
    });
    Ok(findings.collect())
}
