//! Looking at every schema of the fleet: whether its structure is that of its version, and, when
//! asked, how large it is.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use entity::platform::node;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, EntityTrait as _, QueryOrder as _};
use uuid::Uuid;

use crate::fingerprint::{self, Difference};
use crate::fleet::{Course, Extent};
use crate::nodes::{ReachError, Site};
use crate::query::{all, column, run};
use crate::transaction::{Limits, begin, finish};
use crate::{Product, Provisioner, RunError, SchemaName};

/// Schemas of one question: a few thousand rows of catalogues, whatever the fleet's size.
const AT_ONCE: usize = 100;

const LIMITS: Limits = Limits {
    lock_timeout: Duration::from_secs(5),
    statement_timeout: Duration::from_secs(120),
    silence: None,
};

/// What is looked at besides structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Nothing.
    Structure,
    /// How large tables and indexes are, which asks the file system.
    Sizes,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Examined {
    /// How many schemas were looked at.
    pub looked_at: usize,
    /// Those that are not as they should be.
    pub drifted: Vec<Drifted>,
    /// Those at versions that this build does not know, which it can say nothing about.
    pub unknown: Vec<String>,
    /// Nodes that could not be looked at.
    pub unreachable: Vec<ReachError>,
}

/// A schema that is not as it should be.
#[derive(Clone, Debug)]
pub struct Drifted {
    /// The tenant.
    pub tenant_id: Uuid,
    /// What people type.
    pub slug: String,
    /// Its version.
    pub version: String,
    /// How it differs.
    pub difference: Difference,
}

struct Listed {
    id: Uuid,
    slug: String,
    schema: SchemaName,
    version: String,
}

impl<P: Product> Provisioner<P> {
    /// Compares the structure of every tenant and spare, on every node, with that of a fresh
    /// schema of its own version. What is found is kept for `status` and lists.
    ///
    /// # Errors
    ///
    /// [`RunError`] when the directory can't be read or a migration doesn't run on a fresh schema.
    pub async fn examine(&self, depth: Depth) -> Result<Examined, RunError> {
        let mut examined = Examined::default();
        let nodes = node::Entity::find()
            .order_by_asc(node::Column::CreatedAt)
            .all(&self.inner.db)
            .await?;
        for node in nodes {
            match self.inner.reach(node).await {
                Ok(site) => self.examine_node(&site, depth, &mut examined).await?,
                Err(error) => examined.unreachable.push(error),
            }
        }
        Ok(examined)
    }

    async fn examine_node(
        &self,
        site: &Site,
        depth: Depth,
        examined: &mut Examined,
    ) -> Result<(), RunError> {
        let there = site.database(&self.inner.db);
        let product = &self.inner.product;
        let looks = self.versions_on(site.id()).await?;
        let course = Course::record(there, product, Extent::Forth, &looks).await?;
        let mut after = String::new();
        loop {
            let listed = self.listed(site.id(), &after).await?;
            let Some(last) = listed.last() else {
                return Ok(());
            };
            after = last.schema.to_string();
            let schemas: Vec<_> = listed.iter().map(|one| one.schema.clone()).collect();
            let tx = begin(there, LIMITS).await?;
            let marks = fingerprint::marks_in(&tx, &schemas).await;
            let marks = finish(tx, marks).await?;
            let sizes = match depth {
                Depth::Structure => BTreeMap::new(),
                Depth::Sizes => sizes(there, &schemas).await?,
            };
            let mut seen = Seen::default();
            for one in listed {
                examined.looked_at += 1;
                seen.ids.push(one.id);
                seen.sizes
                    .push(sizes.get(one.schema.as_str()).copied().unwrap_or(-1));
                let Some(reference) = course.reference(&one.version) else {
                    seen.differences.push(String::new());
                    examined.unknown.push(one.slug);
                    continue;
                };
                let mark = marks.get(one.schema.as_str()).copied();
                let difference = match mark {
                    Some(mark) if reference.knows(mark) => None,
                    _ => reference.compare(&shape(there, &one.schema).await?, mark),
                };
                seen.differences.push(match &difference {
                    Some(difference) => difference.to_json().to_string(),
                    None => String::new(),
                });
                examined
                    .drifted
                    .extend(difference.map(|difference| Drifted {
                        tenant_id: one.id,
                        slug: one.slug,
                        version: one.version,
                        difference,
                    }));
            }
            self.keep(seen).await?;
        }
    }

    /// Where tenants of a node stand.
    async fn versions_on(&self, node: Uuid) -> Result<HashSet<String>, DbErr> {
        let versions: Vec<String> = column(
            &self.inner.db,
            "SELECT DISTINCT t.schema_version
             FROM platform.tenant t JOIN platform.lane l ON l.id = t.lane_id
             WHERE l.node_id = $1",
            [node.into()],
        )
        .await?;
        Ok(versions.into_iter().collect())
    }

    /// The next tenants of a node, in the order of their schemas.
    async fn listed(&self, node: Uuid, after: &str) -> Result<Vec<Listed>, RunError> {
        let rows = all(
            &self.inner.db,
            "SELECT t.id, t.slug, t.schema_name, t.schema_version
             FROM platform.tenant t JOIN platform.lane l ON l.id = t.lane_id
             WHERE l.node_id = $1 AND t.schema_name > $2
                 AND t.status NOT IN ('provisioning', 'archived', 'gone')
             ORDER BY t.schema_name LIMIT $3",
            [node.into(), after.into(), (AT_ONCE as i64).into()],
        )
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Listed {
                    id: row.try_get("", "id")?,
                    slug: row.try_get("", "slug")?,
                    schema: SchemaName::parse(&row.try_get::<String>("", "schema_name")?)?,
                    version: row.try_get("", "schema_version")?,
                })
            })
            .collect()
    }

    async fn keep(&self, seen: Seen) -> Result<(), DbErr> {
        run(
            &self.inner.db,
            "INSERT INTO platform.tenant_vitals AS v (tenant_id, drift, size_bytes, examined_at)
             SELECT s.id, nullif(s.difference, '')::jsonb, nullif(s.size, -1), now()
             FROM unnest($1::uuid[], $2::text[], $3::bigint[]) s (id, difference, size)
             ON CONFLICT (tenant_id) DO UPDATE SET drift = excluded.drift,
                 examined_at = excluded.examined_at,
                 size_bytes = coalesce(excluded.size_bytes, v.size_bytes)",
            [seen.ids.into(), seen.differences.into(), seen.sizes.into()],
        )
        .await?;
        Ok(())
    }
}

#[derive(Default)]
struct Seen {
    ids: Vec<Uuid>,
    differences: Vec<String>,
    /// Bytes; less than nothing where nobody measured.
    sizes: Vec<i64>,
}

async fn shape(
    there: &DatabaseConnection,
    schema: &SchemaName,
) -> Result<fingerprint::Shape, DbErr> {
    // In a transaction of ours, whose search path makes names come out as they do in references.
    let tx = begin(there, LIMITS).await?;
    let shape = fingerprint::shape(&tx, schema).await;
    finish(tx, shape).await
}

/// Tables with their indexes and what was moved out of line, in bytes.
async fn sizes(
    there: &impl ConnectionTrait,
    schemas: &[SchemaName],
) -> Result<BTreeMap<String, i64>, DbErr> {
    let names: Vec<String> = schemas.iter().map(ToString::to_string).collect();
    let rows = all(
        there,
        "SELECT n.nspname::text AS schema, sum(pg_total_relation_size(c.oid))::bigint AS size
         FROM pg_catalog.pg_namespace n
         JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass
             AND d.refobjid = n.oid AND d.refobjsubid = 0
             AND d.classid = 'pg_catalog.pg_class'::regclass
         JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'm')
         WHERE n.nspname = ANY ($1::text[]) GROUP BY 1",
        [names.into()],
    )
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "schema")?, row.try_get("", "size")?)))
        .collect()
}
