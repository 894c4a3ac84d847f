//! All nodes: who they are, and bringing them to this build's head.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{DatabaseTransaction, EntityTrait as _, QueryOrder as _};
use sea_orm_migration::MigratorTraitSelf;
use uuid::Uuid;

use super::preparing::{LIMITS, Prepared, prepare};
use super::{NodeError, NodeTx, Site, is_own};
use crate::db_error;
use crate::fence::FenceReport;
use crate::jobs;
use crate::lanes::{self, LaneError, MendedMemberships};
use crate::platform::{ATTEMPTS, FenceRule};
use crate::query::{all, column};
use crate::role::RoleName;
use crate::transaction::{begin, finish, to_the_end};
use crate::{Inner, Product, Provisioner};

/// A node as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeEntry {
    /// Never changes.
    pub id: Uuid,
    /// What operators call it.
    pub name: String,
    /// Nothing means the platform's own.
    pub host: Option<String>,
    /// Nothing means the platform's own.
    pub port: Option<i32>,
    /// Nothing means the platform's own.
    pub database: Option<String>,
    /// How many lanes lead there.
    pub lanes: i64,
    /// The width of all of them together: connections of one server process.
    pub width: i64,
    /// How many tenants live there; archived ones are not counted.
    pub tenants: i64,
}

/// What became of one node.
#[derive(Debug)]
pub struct NodeReport {
    /// What operators call it.
    pub name: String,
    /// What was done there, or why nothing was.
    pub outcome: Result<NodeState, NodeError>,
}

/// What was done on a node.
#[derive(Clone, Debug)]
pub struct NodeState {
    /// Migrations of schema `shared` that were applied now.
    pub applied: Vec<String>,
    /// Login roles of its lanes.
    pub lanes: Vec<String>,
    /// What the fence closed, and what is open still.
    pub fence: FenceReport,
    /// Memberships that did not agree with the directory.
    pub memberships: MendedMemberships,
}

impl<P: Product> Provisioner<P> {
    /// All nodes, the platform's own first.
    ///
    /// # Errors
    ///
    /// [`NodeError::Db`].
    pub async fn nodes(&self) -> Result<Vec<NodeEntry>, NodeError> {
        let rows = all(
            &self.inner.db,
            "SELECT n.id, n.name, n.host, n.port, n.database,
                 count(l.id) AS lanes, coalesce(sum(l.width), 0) AS width,
                 coalesce(sum(room.held), 0)::bigint AS tenants
             FROM platform.node n
             LEFT JOIN platform.lane l ON l.node_id = n.id
             LEFT JOIN LATERAL (
                 SELECT count(*) AS held FROM platform.tenant t
                 WHERE t.lane_id = l.id AND t.status NOT IN ('archived', 'gone')) room ON true
             GROUP BY n.id
             ORDER BY n.created_at, n.id",
            [],
        )
        .await?;
        rows.iter()
            .map(|row| {
                Ok(NodeEntry {
                    id: row.try_get("", "id")?,
                    name: row.try_get("", "name")?,
                    host: row.try_get("", "host")?,
                    port: row.try_get("", "port")?,
                    database: row.try_get("", "database")?,
                    lanes: row.try_get("", "lanes")?,
                    width: row.try_get("", "width")?,
                    tenants: row.try_get("", "tenants")?,
                })
            })
            .collect()
    }

    /// Brings every node but the platform's own to head: schema `shared`, fence, logins of its
    /// lanes, memberships. Each in its own transactions; one that fails stops no other.
    ///
    /// # Errors
    ///
    /// [`NodeError::Db`] when the directory can't be read. What happens to a single node is in its
    /// report.
    pub async fn migrate_nodes<M>(
        &self,
        migrator: M,
        rule: FenceRule,
    ) -> Result<Vec<NodeReport>, NodeError>
    where
        M: MigratorTraitSelf + 'static,
    {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move {
            let nodes = super::node::Entity::find()
                .order_by_asc(super::node::Column::CreatedAt)
                .all(&inner.db)
                .await?;
            let mut reports = vec![];
            for node in nodes {
                if is_own(&node) {
                    continue;
                }
                let name = node.name.clone();
                let outcome = match inner.reach(node).await {
                    Ok(site) => migrate_one(&inner, &site, &migrator, rule).await,
                    Err(error) => Err(error.into()),
                };
                reports.push(NodeReport { name, outcome });
            }
            Ok(reports)
        })
        .await
    }
}

async fn migrate_one<P: Product, M: MigratorTraitSelf>(
    inner: &Inner<P>,
    site: &Site,
    migrator: &M,
    rule: FenceRule,
) -> Result<NodeState, NodeError> {
    let mut attempt = 1;
    let (prepared, lanes) = loop {
        let tx = begin(&inner.db, LIMITS).await?;
        let outcome = prepare_with_logins(&tx, inner, site, migrator, rule).await;
        match finish(tx, outcome).await {
            // Roles are the cluster's, and another database of it was at one of them.
            Err(NodeError::Db(cause))
                if db_error::is_cluster_race(&cause) && attempt < ATTEMPTS =>
            {
                tokio::time::sleep(Duration::from_millis(50) * attempt).await;
                attempt += 1;
            }
            outcome => break outcome?,
        }
    };
    let memberships = lanes::mend(&inner.db, site).await?;
    lanes::finish_retired(&inner.db, site).await?;
    Ok(NodeState {
        applied: prepared.applied,
        lanes,
        fence: prepared.fence,
        memberships,
    })
}

async fn prepare_with_logins<P: Product, M: MigratorTraitSelf>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    site: &Site,
    migrator: &M,
    rule: FenceRule,
) -> Result<(Prepared, Vec<String>), NodeError> {
    // Nobody adds or drops a lane meanwhile.
    lanes::lock(tx).await?;
    let logins: Vec<String> = column(
        tx,
        "SELECT login_role FROM platform.lane WHERE node_id = $1 ORDER BY created_at, id",
        [site.id().into()],
    )
    .await?;
    let on_node = site.begin(tx, LIMITS).await?;
    let outcome = async {
        // Before the logins: the fence takes CONNECT from everybody, and they get it back.
        let prepared = prepare(&on_node, migrator, rule).await?;
        ensure_logins(&on_node, inner, &logins).await?;
        jobs::ensure_login(&on_node, &inner.secret).await?;
        Ok::<_, NodeError>(prepared)
    };
    let outcome = outcome.await;
    Ok((on_node.finish(outcome).await?, logins))
}

async fn ensure_logins<P: Product>(
    tx: &NodeTx<'_>,
    inner: &Inner<P>,
    logins: &[String],
) -> Result<(), LaneError> {
    for login in logins {
        let login = RoleName::parse_lane(login)?;
        lanes::ensure_login(tx, &login, &inner.secret, None).await?;
    }
    Ok(())
}
