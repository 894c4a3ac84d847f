//! What belongs to nobody on a node: schemas and roles named like a tenant's, and indexes that a
//! build has left behind.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{DatabaseTransaction, DbErr, QueryResult};

use super::{Examined, InvalidIndex, Orphan, read_only};
use crate::fingerprint::OWN;
use crate::nodes::Site;
use crate::query::{all, column};
use crate::transaction::finish;
use crate::{Inner, Product, RunError, SchemaName};

/// What tenants' schemas and roles are called.
const OURS: &str = "^t_[0-9a-f]{16}$";

/// An entry of the directory, by the name of its schema.
struct Entry {
    slug: String,
    node: String,
    is_over: bool,
    status: String,
}

/// What was seen on a node that no entry explains.
#[derive(Default)]
struct Strays {
    schemas: BTreeSet<Orphan>,
    roles: BTreeSet<Orphan>,
    uncertain: BTreeSet<Orphan>,
}

/// Adds what is to be said of a node.
pub(super) async fn look<P: Product>(
    inner: &Inner<P>,
    site: &Site,
    examined: &mut Examined,
) -> Result<(), RunError> {
    let first = strays(inner, site).await?;
    if !(first.schemas.is_empty() && first.roles.is_empty() && first.uncertain.is_empty()) {
        // Whoever was just being made or purged is not there, or has its entry, the second time.
        let second = strays(inner, site).await?;
        let both = |one: BTreeSet<Orphan>, other: BTreeSet<Orphan>| {
            one.into_iter().filter(move |it| other.contains(it))
        };
        let roles = both(first.roles, second.roles);
        let uncertain = both(first.uncertain, second.uncertain);
        let schemas = both(first.schemas, second.schemas);
        examined.orphan_schemas.extend(schemas);
        // Several nodes may be of one cluster, and then they have the same roles.
        add_new(&mut examined.orphan_roles, roles);
        add_new(&mut examined.uncertain_roles, uncertain);
    }
    invalid_indexes(inner, site, examined).await
}

fn add_new(all: &mut Vec<Orphan>, more: impl Iterator<Item = Orphan>) {
    for one in more {
        if !all.iter().any(|known| known.name == one.name) {
            all.push(one);
        }
    }
}

async fn strays<P: Product>(inner: &Inner<P>, site: &Site) -> Result<Strays, RunError> {
    // Schemas first: an entry is there before its schema is, or with it.
    let tx = read_only(site.database(&inner.db)).await?;
    let schemas = schemas(&tx).await;
    let schemas = finish(tx, schemas).await?;
    let entries = entries(inner).await?;
    let lanes: Vec<String> = column(&inner.db, "SELECT login_role FROM platform.lane", []).await?;
    let tx = read_only(site.database(&inner.db)).await?;
    let roles = roles(&tx, &entries, lanes).await;
    let roles = finish(tx, roles).await?;

    let node = &site.node.name;
    let mut strays = Strays::default();
    for (name, comment) in schemas {
        let entry = entries.get(&name);
        if entry.is_some_and(|entry| !entry.is_over && entry.node == *node) {
            continue;
        }
        strays.schemas.insert(Orphan {
            says: says(comment, entry, node),
            node: node.clone(),
            name,
        });
    }
    for role in roles {
        let entry = entries.get(&role.name);
        let is_ours = role.is_used_here || role.is_admitted || !role.has_neighbours;
        let among = match is_ours {
            true => &mut strays.roles,
            false => &mut strays.uncertain,
        };
        among.insert(Orphan {
            says: says(role.comment, entry, node),
            node: node.clone(),
            name: role.name,
        });
    }
    Ok(strays)
}

/// What a stray says of itself, or what the directory says of it.
fn says(comment: Option<String>, entry: Option<&Entry>, node: &str) -> Option<String> {
    match (comment, entry) {
        (Some(comment), _) if comment.starts_with("tubex ") => Some(comment),
        (_, Some(entry)) if entry.is_over => Some(format!(
            "it was that of {}, which is {}",
            entry.slug, entry.status
        )),
        (_, Some(entry)) if entry.node != node => Some(format!(
            "{}, whose it is, lives on node {}",
            entry.slug, entry.node
        )),
        (comment, _) => comment,
    }
}

async fn schemas(tx: &DatabaseTransaction) -> Result<Vec<(String, Option<String>)>, DbErr> {
    let rows = all(
        tx,
        "SELECT n.nspname::text AS name, obj_description(n.oid, 'pg_namespace') AS comment
         FROM pg_catalog.pg_namespace n WHERE n.nspname ~ $1",
        [OURS.into()],
    )
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "name")?, row.try_get("", "comment")?)))
        .collect()
}

async fn entries<P>(inner: &Inner<P>) -> Result<HashMap<String, Entry>, DbErr> {
    let rows = all(
        &inner.db,
        "SELECT t.schema_name, t.slug, t.status, n.name AS node,
             t.status IN ('archived', 'gone') AS is_over
         FROM platform.tenant t
         JOIN platform.lane l ON l.id = t.lane_id JOIN platform.node n ON n.id = l.node_id",
        [],
    )
    .await?;
    let read = |row: &QueryResult| {
        let entry = Entry {
            slug: row.try_get("", "slug")?,
            node: row.try_get("", "node")?,
            is_over: row.try_get("", "is_over")?,
            status: row.try_get("", "status")?,
        };
        Ok((row.try_get("", "schema_name")?, entry))
    };
    rows.iter().map(read).collect()
}

/// A role that no living tenant has.
struct Role {
    name: String,
    comment: Option<String>,
    is_used_here: bool,
    is_admitted: bool,
    has_neighbours: bool,
}

/// Roles that no tenant of this platform has. Roles are the cluster's: one that is used in another
/// database is that one's, and not in this list. One that is used nowhere is ours only where it
/// may be nobody else's.
async fn roles(
    tx: &DatabaseTransaction,
    entries: &HashMap<String, Entry>,
    lanes: Vec<String>,
) -> Result<Vec<Role>, DbErr> {
    let living = entries.iter().filter(|(_, entry)| !entry.is_over);
    let living: Vec<String> = living.map(|(name, _)| name.clone()).collect();
    let rows = all(
        tx,
        "WITH here AS (
             SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()
         ), stray AS MATERIALIZED (
             SELECT r.oid, r.rolname::text AS name FROM pg_catalog.pg_roles r
             WHERE r.rolname ~ $1 AND r.rolname::text <> ALL ($2::text[])
         ), used AS MATERIALIZED (
             SELECT s.oid, bool_or(d.dbid = here.oid) AS here,
                 bool_or(d.dbid NOT IN (0, here.oid)) AS elsewhere
             FROM stray s CROSS JOIN here
             JOIN pg_catalog.pg_shdepend d
                 ON d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = s.oid
             GROUP BY 1
         )
         SELECT s.name, shobj_description(s.oid, 'pg_authid') AS comment,
             coalesce(u.here, false) AS is_used_here,
             EXISTS (SELECT FROM pg_catalog.pg_auth_members m
                 JOIN pg_catalog.pg_roles l ON l.oid = m.member
                 WHERE m.roleid = s.oid AND l.rolname::text = ANY ($3::text[])) AS is_admitted,
             EXISTS (SELECT FROM pg_catalog.pg_database d CROSS JOIN here
                 WHERE d.oid <> here.oid AND NOT d.datistemplate AND d.datname <> 'postgres')
                 AS has_neighbours
         FROM stray s LEFT JOIN used u ON u.oid = s.oid
         WHERE NOT coalesce(u.elsewhere, false)",
        [OURS.into(), living.into(), lanes.into()],
    )
    .await?;
    let read = |row: &QueryResult| {
        Ok(Role {
            name: row.try_get("", "name")?,
            comment: row.try_get("", "comment")?,
            is_used_here: row.try_get("", "is_used_here")?,
            is_admitted: row.try_get("", "is_admitted")?,
            has_neighbours: row.try_get("", "has_neighbours")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Adds the indexes that are invalid and that nobody builds at this moment.
async fn invalid_indexes<P: Product>(
    inner: &Inner<P>,
    site: &Site,
    examined: &mut Examined,
) -> Result<(), RunError> {
    let tx = read_only(site.database(&inner.db)).await?;
    let rows = invalid(&tx).await;
    let rows = finish(tx, rows).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let entries = entries(inner).await?;
    let mut found: BTreeMap<(String, String), InvalidIndex> = BTreeMap::new();
    for row in rows {
        let text = |column: &str| row.try_get::<String>("", column);
        let (schema, table, name) = (text("schema")?, text("relation")?, text("name")?);
        let Some(entry) = entries.get(&schema).filter(|entry| !entry.is_over) else {
            continue;
        };
        let own = text("definition")?.replace(&schema, OWN.encode_utf8(&mut [0; 4]));
        let one = found.entry((table.clone(), name.clone()));
        let one = one.or_insert_with(|| InvalidIndex {
            name,
            table,
            node: site.node.name.clone(),
            definition: own,
            tenants: vec![],
        });
        let schema = SchemaName::parse(&schema)?;
        one.tenants.push((entry.slug.clone(), schema));
    }
    for (_, mut one) in found {
        one.tenants.sort();
        examined.invalid_indexes.push(one);
    }
    Ok(())
}

async fn invalid(tx: &DatabaseTransaction) -> Result<Vec<QueryResult>, DbErr> {
    // The fence keeps the progress of others from whoever may not monitor.
    let may_monitor: Vec<bool> = column(
        tx,
        "SELECT has_function_privilege('pg_catalog.pg_stat_get_progress_info(text)', 'EXECUTE')",
        [],
    )
    .await?;
    let being_built = match may_monitor.first() {
        Some(true) => {
            "SELECT index_relid FROM pg_catalog.pg_stat_progress_create_index
                       WHERE index_relid IS NOT NULL"
        }
        _ => "SELECT NULL::oid WHERE false",
    };
    let sql = format!(
        "SELECT n.nspname::text AS schema, t.relname::text AS relation, c.relname::text AS name,
             pg_get_indexdef(i.indexrelid) AS definition
         FROM pg_catalog.pg_index i
         JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
         JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE NOT (i.indisvalid AND i.indisready) AND n.nspname ~ $1
             AND i.indexrelid NOT IN ({being_built})"
    );
    all(tx, &sql, [OURS.into()]).await
}
