//! Drift: what in a fleet is not as it should be. Every schema against its own version, indexes
//! that are invalid, schemas and roles that nobody has, entries that have no schema; and the SQL
//! that would mend it. Looking changes nothing: each transaction on a fleet is READ ONLY.

mod mend;
mod orphans;
mod plan;
mod survey;
mod vitals;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use entity::platform::node;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait as _, QueryOrder as _};
use serde_json::Value;
use uuid::Uuid;

use crate::fingerprint::{Difference, Shape};
use crate::fleet::{Course, Extent};
use crate::nodes::{ReachError, Site};
use crate::query::column;
use crate::transaction::{Limits, begin};
use crate::{Inner, Product, Provisioner, RunError, SchemaName};

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
    pub ahead: Vec<Named>,
    /// Those at versions that this build knows and nobody could compare them with.
    pub not_compared: Vec<Named>,
    /// Entries that have no schema.
    pub schema_missing: Vec<Named>,
    /// Those that a run moved while we looked; they were not judged.
    pub moved: Vec<Named>,
    /// Indexes that are written and never used.
    pub invalid_indexes: Vec<InvalidIndex>,
    /// Schemas that no tenant has.
    pub orphan_schemas: Vec<Orphan>,
    /// Roles that no tenant has.
    pub orphan_roles: Vec<Orphan>,
    /// Roles that look like a tenant's, and may be of another database of the cluster.
    pub uncertain_roles: Vec<Orphan>,
    /// Nodes that could not be looked at.
    pub unreachable: Vec<ReachError>,
    nodes: Vec<Place>,
}

/// A tenant, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// What people type.
    pub slug: String,
    /// Its version.
    pub version: String,
    /// Its node.
    pub node: String,
}

/// A schema that is not as it should be.
#[derive(Clone, Debug)]
pub struct Drifted {
    /// The tenant.
    pub tenant_id: Uuid,
    /// What people type.
    pub slug: String,
    /// Its schema.
    pub schema: SchemaName,
    /// Its version.
    pub version: String,
    /// Its node.
    pub node: String,
    /// How it differs; shared by all who differ alike.
    pub difference: Arc<Difference>,
}

/// All who stand at one version and differ alike.
#[derive(Clone, Debug)]
pub struct DriftGroup<'a> {
    /// Their version.
    pub version: &'a str,
    /// How they differ.
    pub difference: &'a Difference,
    /// Who they are.
    pub tenants: Vec<&'a Drifted>,
}

/// An index that is written and never used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidIndex {
    /// Its name.
    pub name: String,
    /// Its table.
    pub table: String,
    /// Its node.
    pub node: String,
    /// The statement that would build it, of the first tenant's.
    pub definition: String,
    /// Tenants that have it, by slug, with their schemas.
    pub tenants: Vec<(String, SchemaName)>,
}

/// A schema or role that no tenant has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Orphan {
    /// Its name.
    pub name: String,
    /// The node that it was seen on.
    pub node: String,
    /// What it says of itself, or the directory of it.
    pub says: Option<String>,
}

/// A node that was looked at.
#[derive(Clone, Debug)]
struct Place {
    name: String,
    /// The role that owns schemas there.
    owner: Option<String>,
    /// How psql gets there; nothing for the platform's own.
    address: Option<String>,
}

const LIMITS: Limits = Limits {
    lock_timeout: std::time::Duration::from_secs(5),
    statement_timeout: std::time::Duration::from_secs(120),
    silence: None,
};

/// A transaction that can't change anything.
async fn read_only(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let tx = begin(db, LIMITS).await?;
    sea_orm::ConnectionTrait::execute_unprepared(&tx, "SET TRANSACTION READ ONLY").await?;
    Ok(tx)
}

/// Whether what is found is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    Vitals,
    Nothing,
}

impl<P: Product> Provisioner<P> {
    /// Compares the structure of every tenant and spare, on every node, with that of a fresh
    /// schema of its own version, and looks for what belongs to nobody. What is found of tenants is
    /// kept for `status` and lists; nothing else is changed.
    ///
    /// # Errors
    ///
    /// [`RunError`] when the directory can't be read or a migration doesn't run on a fresh schema.
    pub async fn examine(&self, depth: Depth) -> Result<Examined, RunError> {
        let mut examined = Examined::default();
        for site in sites(&self.inner, &mut examined).await? {
            let versions = versions_on(&self.inner, site.id()).await?;
            let there = site.database(&self.inner.db);
            let product = &self.inner.product;
            let course = Course::record(there, product, Extent::Forth, &versions).await?;
            let references = course.references();
            let survey = survey::Survey {
                inner: &self.inner,
                site: &site,
                references: &references,
                depth,
                keep: Keep::Vitals,
            };
            survey.look(&mut examined).await?;
            orphans::look(&self.inner, &site, &mut examined).await?;
        }
        Ok(examined)
    }

    /// The same with references of another place, and without writing anything anywhere.
    pub(crate) async fn examine_against(
        &self,
        references: &BTreeMap<String, Shape>,
    ) -> Result<Examined, RunError> {
        let mut examined = Examined::default();
        for site in sites(&self.inner, &mut examined).await? {
            let survey = survey::Survey {
                inner: &self.inner,
                site: &site,
                references,
                depth: Depth::Structure,
                keep: Keep::Nothing,
            };
            survey.look(&mut examined).await?;
            orphans::look(&self.inner, &site, &mut examined).await?;
        }
        Ok(examined)
    }
}

impl Examined {
    /// Whether everything is as it should be, and everything was seen.
    pub fn is_well(&self) -> bool {
        self.drifted.is_empty()
            && self.ahead.is_empty()
            && self.schema_missing.is_empty()
            && self.invalid_indexes.is_empty()
            && self.orphan_schemas.is_empty()
            && self.orphan_roles.is_empty()
            && self.unreachable.is_empty()
    }

    /// Those who differ, by version and difference; those that are most first.
    pub fn groups(&self) -> Vec<DriftGroup<'_>> {
        let mut groups: BTreeMap<(&str, String), DriftGroup<'_>> = BTreeMap::new();
        let mut texts: BTreeMap<*const Difference, String> = BTreeMap::new();
        for one in &self.drifted {
            // Whoever was read in one node's pass shares the difference itself.
            let text = texts.entry(Arc::as_ptr(&one.difference));
            let text = text
                .or_insert_with(|| format!("{:?}", one.difference))
                .clone();
            let group = groups.entry((&one.version, text));
            let group = group.or_insert_with(|| DriftGroup {
                version: &one.version,
                difference: &one.difference,
                tenants: vec![],
            });
            group.tenants.push(one);
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.tenants.len()));
        groups
    }

    /// The SQL that would mend it all, for people to read and for psql to run. Whatever would
    /// destroy data stands in it as a comment.
    pub fn fix_plan(&self) -> String {
        plan::write(self)
    }
}

impl DriftGroup<'_> {
    /// For reports: the first tenants by name, and how many there are.
    pub fn to_json(&self) -> Value {
        let slugs: Vec<_> = self.tenants.iter().take(20).map(|one| &one.slug).collect();
        serde_json::json!({
            "version": self.version,
            "count": self.tenants.len(),
            "tenants": slugs,
            "difference": self.difference.to_json(),
        })
    }
}

/// All nodes that answer; the others are noted.
async fn sites<P: Product>(
    inner: &Inner<P>,
    examined: &mut Examined,
) -> Result<Vec<Site>, RunError> {
    let nodes = node::Entity::find()
        .order_by_asc(node::Column::CreatedAt)
        .all(&inner.db)
        .await?;
    let mut sites = vec![];
    for node in nodes {
        match inner.reach(node).await {
            Ok(site) => sites.push(site),
            Err(error) => examined.unreachable.push(error),
        }
    }
    Ok(sites)
}

/// Where tenants of a node stand.
async fn versions_on<P>(inner: &Inner<P>, node: Uuid) -> Result<HashSet<String>, DbErr> {
    let versions: Vec<String> = column(
        &inner.db,
        "SELECT DISTINCT t.schema_version
         FROM platform.tenant t JOIN platform.lane l ON l.id = t.lane_id
         WHERE l.node_id = $1 AND t.status NOT IN ('provisioning', 'archived', 'gone')",
        [node.into()],
    )
    .await?;
    Ok(versions.into_iter().collect())
}
