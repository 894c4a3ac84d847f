//! Who is behind: where each stands, what it looks like and how large it is.

use std::collections::BTreeMap;

use entity::platform::node;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait as _, QueryOrder as _};
use uuid::Uuid;

use super::LIMITS;
use super::pick::Candidate;
use super::predict::Pending;
use crate::fingerprint;
use crate::fleet::RunError;
use crate::nodes::Site;
use crate::query::all;
use crate::transaction::{begin, finish};
use crate::{Inner, Product, SchemaName};

/// Schemas of one question.
const AT_ONCE: usize = 100;

/// Everybody who is behind.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Those that have rows of their own and can be reached, by slug.
    pub(super) candidates: Vec<Candidate>,
    /// All of them, with spares.
    pub(super) pending: Vec<Pending>,
    pub(super) traffic_is_known: bool,
    /// Where they live.
    pub(super) sites: BTreeMap<Uuid, Site>,
    /// What a reader should know.
    pub(super) notes: Vec<String>,
}

struct Behind {
    id: Uuid,
    slug: String,
    schema: SchemaName,
    version: String,
    node: Uuid,
    has_rows: bool,
    requests: i64,
    slow_ms: i64,
}

const BEHIND: &str = "
    SELECT t.id, t.slug, t.schema_name, t.schema_version, l.node_id,
        t.status IN ('active', 'suspended', 'past_grace', 'closing') AS has_rows,
        coalesce(of.requests, 0)::bigint AS requests, coalesce(of.slow_ms, 0)::bigint AS slow_ms
    FROM platform.tenant t
    JOIN platform.lane l ON l.id = t.lane_id
    LEFT JOIN LATERAL (
        SELECT sum(f.requests) AS requests, max(f.slow_ms) AS slow_ms
        FROM platform.tenant_traffic f
        WHERE f.tenant_id = t.id AND f.ended_at > now() - interval '2 minutes') of ON true
    WHERE t.status NOT IN ('provisioning', 'archived', 'gone')
        AND t.schema_version = ANY ($1::text[])
    ORDER BY t.slug";

/// Tables with their indexes in bytes, and their rows as far as that is known.
const SIZES: &str = "
    SELECT n.nspname::text AS schema, sum(pg_total_relation_size(c.oid))::bigint AS bytes,
        sum(greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0))::bigint AS rows
    FROM pg_catalog.pg_namespace n
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass
        AND d.refobjid = n.oid AND d.refobjsubid = 0
        AND d.classid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'm')
    WHERE n.nspname = ANY ($1::text[]) GROUP BY 1";

/// Looks at all who stand at one of these versions.
pub(super) async fn survey<P: Product>(
    inner: &Inner<P>,
    versions: &[String],
) -> Result<Survey, RunError> {
    let mut survey = Survey::default();
    let rows = all(&inner.db, BEHIND, [versions.to_vec().into()]).await?;
    let mut by_node: BTreeMap<Uuid, Vec<Behind>> = BTreeMap::new();
    for row in rows {
        let behind = Behind {
            id: row.try_get("", "id")?,
            slug: row.try_get("", "slug")?,
            schema: SchemaName::parse(&row.try_get::<String>("", "schema_name")?)?,
            version: row.try_get("", "schema_version")?,
            node: row.try_get("", "node_id")?,
            has_rows: row.try_get("", "has_rows")?,
            requests: row.try_get("", "requests")?,
            slow_ms: row.try_get("", "slow_ms")?,
        };
        by_node.entry(behind.node).or_default().push(behind);
    }
    let known = all(
        &inner.db,
        "SELECT 1 AS yes FROM platform.tenant_traffic
         WHERE ended_at > now() - interval '1 day' LIMIT 1",
        [],
    );
    survey.traffic_is_known = !known.await?.is_empty();
    let nodes = node::Entity::find().order_by_asc(node::Column::CreatedAt);
    for node in nodes.all(&inner.db).await? {
        let behind = by_node.remove(&node.id).unwrap_or_default();
        match inner.reach(node).await {
            Ok(site) => survey.look(inner, site, behind).await?,
            Err(error) => survey.notes.push(format!(
                "{} tenants that are behind are on a node that can't be reached: {error}",
                behind.len()
            )),
        }
    }
    survey
        .candidates
        .sort_by(|one, other| one.slug.cmp(&other.slug));
    Ok(survey)
}

impl Survey {
    async fn look<P: Product>(
        &mut self,
        inner: &Inner<P>,
        site: Site,
        behind: Vec<Behind>,
    ) -> Result<(), RunError> {
        let there = site.database(&inner.db).clone();
        self.sites.insert(site.id(), site);
        let mut behind = behind.into_iter();
        loop {
            let some: Vec<Behind> = behind.by_ref().take(AT_ONCE).collect();
            if some.is_empty() {
                return Ok(());
            }
            let schemas: Vec<SchemaName> = some.iter().map(|one| one.schema.clone()).collect();
            let tx = begin(&there, LIMITS).await?;
            let seen = async {
                let sizes = sizes(&tx, &schemas).await?;
                let marks = fingerprint::marks_in(&tx, &schemas).await?;
                Ok::<_, DbErr>((marks, sizes))
            };
            let seen = seen.await;
            let (marks, sizes) = finish(tx, seen).await?;
            for one in some {
                let (bytes, rows) = sizes.get(one.schema.as_str()).copied().unwrap_or_default();
                self.pending.push(Pending {
                    bytes,
                    requests: one.requests,
                    slow_ms: one.slow_ms,
                });
                if one.has_rows {
                    let look = format!("{:?}", marks.get(one.schema.as_str()));
                    self.candidates.push(Candidate {
                        id: one.id,
                        slug: one.slug,
                        schema: one.schema,
                        version: one.version,
                        node: one.node,
                        look,
                        bytes,
                        rows,
                    });
                }
            }
        }
    }
}

async fn sizes(
    there: &impl ConnectionTrait,
    schemas: &[SchemaName],
) -> Result<BTreeMap<String, (i64, i64)>, DbErr> {
    let names: Vec<String> = schemas.iter().map(ToString::to_string).collect();
    let rows = all(there, SIZES, [names.into()]).await?;
    rows.iter()
        .map(|row| {
            let sizes = (row.try_get("", "bytes")?, row.try_get("", "rows")?);
            Ok((row.try_get("", "schema")?, sizes))
        })
        .collect()
}
