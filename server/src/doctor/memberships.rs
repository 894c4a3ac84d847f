//! Whose roles a lane may take, held against the directory.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use provisioner::SchemaName;
use sea_orm::{DbErr, FromQueryResult};

use super::fleet::{self, Lane, Roles};
use super::report::Finding;
use super::topic::Topic;
use crate::db::probe::Probe;

/// Past this many memberships every `SET ROLE` of a fresh connection pays for them.
const MOST_MEMBERSHIPS: usize = 500;
/// A role and its directory row may come to be one after the other; past this both are there.
const SECOND_LOOK: Duration = Duration::from_millis(300);

#[derive(FromQueryResult)]
struct Membership {
    role: String,
    /// Rights come without taking the role (from Postgres 16 on told by each grant).
    inherits: bool,
    /// It may hand the role on.
    is_admin: bool,
    /// Whether the role has its schema in this database.
    has_schema: bool,
}

async fn memberships(probe: &Probe) -> Result<Vec<Membership>, DbErr> {
    let sql = "SELECT g.rolname::text AS role, \
             bool_or(coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, false)) AS inherits, \
             bool_or(m.admin_option) AS is_admin, \
             to_regnamespace(quote_ident(g.rolname)) IS NOT NULL AS has_schema \
         FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid \
         WHERE m.member = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user) \
         GROUP BY g.rolname";
    probe.rows(sql).await
}

/// What it has beyond the directory, and what it lacks.
struct Difference {
    excess: BTreeSet<String>,
    missing: BTreeSet<String>,
}

/// Both readings of the directory are heard: a tenant may come or go between two of them.
fn difference(have: &[Membership], before: &Roles, after: &Roles) -> Difference {
    let names: HashSet<_> = have.iter().map(|held| held.role.as_str()).collect();
    let is_named = |role: &str| before.are_named(role) || after.are_named(role);
    let excess = have
        .iter()
        .filter(|held| leads_somewhere(held) && !is_named(&held.role));
    let missing = before.must.intersection(&after.must);
    Difference {
        excess: excess.map(|held| held.role.clone()).collect(),
        missing: missing
            .filter(|role| !names.contains(role.as_str()))
            .cloned()
            .collect(),
    }
}

/// The role of a tenant that has no schema here opens nothing here: it was left behind, or belongs
/// to another database of the same cluster.
fn leads_somewhere(held: &Membership) -> bool {
    held.has_schema || SchemaName::parse(&held.role).is_err()
}

/// What was found, and the roles that the lane may take.
pub(super) async fn examine(
    probe: &Probe,
    server: &Probe,
    lane: &Lane,
    roles: &Roles,
) -> Result<(Vec<Finding>, HashSet<String>), DbErr> {
    let mut have = memberships(probe).await?;
    let mut found = difference(&have, roles, roles);
    if !found.excess.is_empty() || !found.missing.is_empty() {
        tokio::time::sleep(SECOND_LOOK).await;
        let before = fleet::roles_now(server, lane).await?;
        have = memberships(probe).await?;
        let after = fleet::roles_now(server, lane).await?;
        found = difference(&have, &before, &after);
    }
    let login = &lane.login;
    let mut findings = Vec::new();
    for role in found.excess {
        let detail = format!("{login} may take role {role}, which is none of its dealers'");
        let remedy = format!("as a superuser: REVOKE {role} FROM {login}");
        findings.push(Finding::failed(Topic::LaneMemberships, detail, remedy));
    }
    for held in have.iter().filter(|held| held.inherits || held.is_admin) {
        let role = &held.role;
        let too_much = if held.inherits {
            "inherits"
        } else {
            "may grant"
        };
        let detail = format!("{login} {too_much} role {role}");
        let remedy = format!("as a superuser: REVOKE {role} FROM {login}; GRANT {role} TO {login}");
        findings.push(Finding::failed(Topic::LaneMemberships, detail, remedy));
    }
    for role in found.missing {
        let detail = format!("{login} may not take role {role} of its dealer");
        let remedy = format!("as a superuser: GRANT {role} TO {login}");
        findings.push(Finding::failed(Topic::LaneTenants, detail, remedy));
    }
    findings.extend(examine_size(lane, roles, &have));
    Ok((findings, have.into_iter().map(|held| held.role).collect()))
}

fn examine_size(lane: &Lane, roles: &Roles, have: &[Membership]) -> Option<Finding> {
    let login = &lane.login;
    let placed = roles.must.len();
    let idle = have.iter().filter(|held| !leads_somewhere(held)).count();
    if placed > lane.capacity {
        let detail = format!("{login} has {placed} dealers, room for {}", lane.capacity);
        let remedy = "add lanes and move dealers there, or raise the lane's capacity";
        Some(Finding::warning(Topic::LaneTenants, detail, remedy))
    } else if have.len() > MOST_MEMBERSHIPS {
        let held = have.len();
        let detail = format!("{login} is a member of {held} roles, which slows every transaction");
        let remedy = format!("drop roles without a schema, and keep lanes to {MOST_MEMBERSHIPS}");
        Some(Finding::failed(Topic::LaneTenants, detail, remedy))
    } else if idle > 0 {
        let detail = format!("{login} is a member of {idle} roles that have no schema here");
        let remedy = "drop the roles, if no other database of the cluster uses them";
        Some(Finding::warning(Topic::LaneTenants, detail, remedy))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(role: &str, has_schema: bool) -> Membership {
        Membership {
            role: role.to_owned(),
            inherits: false,
            is_admin: false,
            has_schema,
        }
    }

    fn roles(must: &[&str]) -> Roles {
        Roles {
            must: must.iter().map(|role| (*role).to_owned()).collect(),
            may: HashSet::new(),
        }
    }

    const A: &str = "t_000000000000000a";
    const B: &str = "t_000000000000000b";

    #[test]
    fn a_tenant_that_came_between_two_readings_is_neither_missing_nor_too_many() {
        let came = difference(
            &[held(A, true), held(B, true)],
            &roles(&[A]),
            &roles(&[A, B]),
        );
        let went = difference(&[held(A, true)], &roles(&[A, B]), &roles(&[A]));

        assert!(came.excess.is_empty() && came.missing.is_empty());
        assert!(went.excess.is_empty() && went.missing.is_empty());
    }

    #[test]
    fn a_role_without_a_schema_here_is_no_danger_unless_it_is_no_tenants() {
        let have = [
            held(A, true),
            held(B, false),
            held("pg_read_all_data", false),
        ];

        let found = difference(&have, &roles(&[A]), &roles(&[A]));

        assert_eq!(
            found.excess,
            BTreeSet::from(["pg_read_all_data".to_owned()])
        );
    }
}
