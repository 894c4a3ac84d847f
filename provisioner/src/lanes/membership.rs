//! Which login may become which tenant's role.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr};
use uuid::Uuid;

use super::{LIMITS, LaneError};
use crate::nodes::Site;
use crate::query::{all, column, one};
use crate::role::RoleName;
use crate::schema_name::SchemaName;
use crate::transaction::{act_as_owner, begin, finish};

/// A login that may become a tenant's role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The tenant's role.
    pub role: String,
    /// The lane's login.
    pub login: String,
}

/// Memberships that did not agree with the directory, and do now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MendedMemberships {
    /// Those that were missing.
    pub granted: Vec<Membership>,
    /// Those that were left over.
    pub revoked: Vec<Membership>,
}

/// Lets a lane's login become the tenant's role. A tenant without a role (archived, or not made
/// yet) is nobody's.
///
/// Since Postgres 16 a membership says for itself that it gives nothing without `SET ROLE`;
/// before, the lane's NOINHERIT is all there is.
pub(crate) async fn admit(
    tx: &DatabaseTransaction,
    schema: &SchemaName,
    login: &RoleName,
) -> Result<(), DbErr> {
    tx.execute_unprepared(&format!(
        "DO $body$ BEGIN
            IF to_regrole('{schema}') IS NULL THEN
                NULL;
            ELSIF current_setting('server_version_num')::integer >= 160000 THEN
                EXECUTE 'GRANT {schema} TO {login} WITH INHERIT FALSE, SET TRUE';
            ELSE
                GRANT {schema} TO {login};
            END IF;
        END $body$"
    ))
    .await?;
    Ok(())
}

/// Takes the tenant's role from all `lanes` but `keep`. Says from which.
pub(super) async fn expel(
    tx: &DatabaseTransaction,
    schema: &SchemaName,
    lanes: &BTreeSet<String>,
    keep: &RoleName,
) -> Result<Vec<String>, LaneError> {
    let is_over = |login: &String| login != keep.as_str() && lanes.contains(login);
    let over: Vec<_> = logins_of(tx, schema)
        .await?
        .into_iter()
        .filter(is_over)
        .collect();
    for login in &over {
        let login = RoleName::parse_lane(login)?;
        tx.execute_unprepared(&format!("REVOKE {schema} FROM {login}"))
            .await?;
    }
    // Revoking what another role granted is only a warning to Postgres.
    match logins_of(tx, schema).await?.into_iter().find(is_over) {
        Some(login) if !over.is_empty() => Err(LaneError::Foreign {
            role: schema.to_string(),
            login,
        }),
        _ => Ok(over),
    }
}

/// The logins of all lanes of a node.
pub(super) async fn lanes_of(
    tx: &DatabaseTransaction,
    node: Uuid,
) -> Result<BTreeSet<String>, DbErr> {
    let logins: Vec<String> = column(
        tx,
        "SELECT login_role FROM platform.lane WHERE node_id = $1",
        [node.into()],
    )
    .await?;
    Ok(logins.into_iter().collect())
}

/// The tenants' roles that a login may become.
pub(super) async fn members(
    tx: &DatabaseTransaction,
    login: &RoleName,
) -> Result<Vec<String>, DbErr> {
    column(
        tx,
        "SELECT DISTINCT pg_get_userbyid(roleid)::text FROM pg_auth_members
         WHERE member = to_regrole($1)",
        [login.as_str().into()],
    )
    .await
}

/// The logins that may become a tenant's role.
async fn logins_of(tx: &DatabaseTransaction, schema: &SchemaName) -> Result<Vec<String>, DbErr> {
    column(
        tx,
        "SELECT DISTINCT pg_get_userbyid(member)::text FROM pg_auth_members
         WHERE roleid = to_regrole($1) ORDER BY 1",
        [schema.as_str().into()],
    )
    .await
}

/// Brings the memberships of a node's roles in line with the directory: what a kill or a restored
/// dump left over is revoked, what it lost is granted. Each tenant is looked at again under its
/// own lock, so that whoever is moving it is not disturbed.
///
/// Roles that the directory does not know are left alone: a clone of this database on the same
/// cluster has them too.
pub(crate) async fn mend(
    db: &DatabaseConnection,
    site: &Site,
) -> Result<MendedMemberships, LaneError> {
    let tx = begin(db, LIMITS).await?;
    let found = suspects(&tx, site).await;
    let suspects = finish(tx, found).await?;
    let mut mended = MendedMemberships::default();
    for id in suspects {
        let tx = begin(db, LIMITS).await?;
        let outcome = mend_one(&tx, site, id).await;
        let one = finish(tx, outcome).await?;
        mended.granted.extend(one.granted);
        mended.revoked.extend(one.revoked);
    }
    Ok(mended)
}

/// Tenants whose memberships are not what the directory says.
async fn suspects(tx: &DatabaseTransaction, site: &Site) -> Result<Vec<Uuid>, LaneError> {
    let lanes = lanes_of(tx, site.id()).await?;
    let rows = all(
        tx,
        "SELECT t.id, t.schema_name, l.login_role
         FROM platform.tenant t JOIN platform.lane l ON l.id = t.lane_id
         WHERE l.node_id = $1 AND t.status NOT IN ('archived', 'gone') ORDER BY t.id",
        [site.id().into()],
    )
    .await?;
    let node = site.begin(tx, LIMITS).await?;
    let found = memberships(&node).await;
    let found = node.finish(found).await?;
    let mut suspects = vec![];
    for row in rows {
        let schema: String = row.try_get("", "schema_name")?;
        let wanted: String = row.try_get("", "login_role")?;
        // Who has no role yet, or none any more, has nothing to mend.
        let Some(logins) = found.get(&schema) else {
            continue;
        };
        let ours: Vec<_> = logins
            .iter()
            .filter(|login| lanes.contains(*login))
            .collect();
        if ours != [&wanted] {
            suspects.push(row.try_get("", "id")?);
        }
    }
    Ok(suspects)
}

/// All tenants' roles of the cluster, and the lanes that may become them.
async fn memberships(
    tx: &DatabaseTransaction,
) -> Result<BTreeMap<String, BTreeSet<String>>, DbErr> {
    let rows = all(
        tx,
        "SELECT r.rolname::text AS role, m.rolname::text AS login
         FROM pg_roles r
         LEFT JOIN pg_auth_members a ON a.roleid = r.oid
         LEFT JOIN pg_roles m ON m.oid = a.member AND m.rolname ~ '^lane_[0-9a-f]{16}$'
         WHERE r.rolname ~ '^t_[0-9a-f]{16}$'",
        [],
    )
    .await?;
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        let logins = found.entry(row.try_get("", "role")?).or_default();
        logins.extend(row.try_get::<Option<String>>("", "login")?);
    }
    Ok(found)
}

pub(super) async fn mend_one(
    tx: &DatabaseTransaction,
    site: &Site,
    id: Uuid,
) -> Result<MendedMemberships, LaneError> {
    act_as_owner(tx).await?;
    // Held first and read then: whoever we waited for may have moved it to another lane.
    one(
        tx,
        "SELECT 1 AS yes FROM platform.tenant WHERE id = $1 FOR NO KEY UPDATE",
        [id.into()],
    )
    .await?;
    let row = one(
        tx,
        "SELECT t.schema_name, l.login_role
         FROM platform.tenant t JOIN platform.lane l ON l.id = t.lane_id
         WHERE t.id = $1 AND t.status NOT IN ('archived', 'gone')",
        [id.into()],
    )
    .await?;
    let Some(row) = row else {
        return Ok(MendedMemberships::default());
    };
    let schema = SchemaName::parse(&row.try_get::<String>("", "schema_name")?)?;
    let login = RoleName::parse_lane(&row.try_get::<String>("", "login_role")?)?;
    let lanes = lanes_of(tx, site.id()).await?;
    let node = site.begin(tx, LIMITS).await?;
    let outcome = settle(&node, &schema, &lanes, &login).await;
    node.finish(outcome).await
}

/// Exactly one lane may become the tenant's role.
async fn settle(
    tx: &DatabaseTransaction,
    schema: &SchemaName,
    lanes: &BTreeSet<String>,
    login: &RoleName,
) -> Result<MendedMemberships, LaneError> {
    let had = logins_of(tx, schema).await?;
    if !had.iter().any(|had| had == login.as_str()) {
        admit(tx, schema, login).await?;
    }
    let over = expel(tx, schema, lanes, login).await?;
    let has = logins_of(tx, schema).await?;
    let membership = |login: String| Membership {
        role: schema.to_string(),
        login,
    };
    Ok(MendedMemberships {
        granted: has
            .into_iter()
            .filter(|login| !had.contains(login))
            .map(membership)
            .collect(),
        revoked: over.into_iter().map(membership).collect(),
    })
}
