//! Adding a node: its database is prepared, it gets a name in the directory, and a first lane.

use std::sync::Arc;

use entity::platform::node;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, DatabaseTransaction, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _,
};
use sea_orm_migration::MigratorTraitSelf;
use uuid::Uuid;

use super::preparing::{LIMITS, prepare};
use super::{NodeError, find};
use crate::fence::FenceReport;
use crate::history::now;
use crate::jobs;
use crate::lanes::{self, AddedLane, Shape};
use crate::platform::FenceRule;
use crate::transaction::{act_as_owner, begin, finish, to_the_end};
use crate::{Inner, Label, Product, Provisioner};

/// A node to be added. What isn't said is the platform's own.
#[derive(Clone, Debug)]
pub struct NewNode {
    /// What operators call it.
    pub name: Label,
    /// Host name, address, or directory of a socket.
    pub host: String,
    /// TCP port.
    pub port: Option<u16>,
    /// Database name.
    pub database: Option<String>,
}

/// A node that was added.
#[derive(Clone, Debug)]
pub struct AddedNode {
    /// Never changes.
    pub id: Uuid,
    /// Migrations of schema `shared` that were applied now.
    pub applied: Vec<String>,
    /// What the fence closed there, and what is open still.
    pub fence: FenceReport,
    /// Its first lane.
    pub lane: AddedLane,
}

impl<P: Product> Provisioner<P> {
    /// Prepares a database for tenants and adds it to the directory. `migrator` is the history of
    /// schema `shared`.
    ///
    /// Cut in between, it leaves a prepared database that the directory does not know; doing it
    /// again finishes it.
    ///
    /// # Errors
    ///
    /// [`NodeError`]; the directory is then as it was.
    pub async fn add_node<M>(
        &self,
        new: NewNode,
        migrator: M,
        rule: FenceRule,
    ) -> Result<AddedNode, NodeError>
    where
        M: MigratorTraitSelf + 'static,
    {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = add_in(&tx, &inner, new, &migrator, rule).await;
            finish(tx, outcome).await
        })
        .await
    }
}

async fn add_in<P: Product, M: MigratorTraitSelf>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    new: NewNode,
    migrator: &M,
    rule: FenceRule,
) -> Result<AddedNode, NodeError> {
    act_as_owner(tx).await?;
    // A node comes with a lane, and one at a time is enough.
    lanes::lock(tx).await?;
    if find(tx, new.name.as_str()).await?.is_some() {
        return Err(NodeError::NameTaken(new.name));
    }
    let row = node::Model {
        id: Uuid::now_v7(),
        name: new.name.to_string(),
        host: Some(new.host),
        port: new.port.map(i32::from),
        database: new.database,
        created_at: now(),
    };
    if let Some(other) = same_place(tx, &row).await? {
        return Err(NodeError::AddressTaken(other.name));
    }
    let site = inner.reach(row.clone()).await?;
    let on_node = site.begin(tx, LIMITS).await?;
    let prepared = async {
        let prepared = prepare(&on_node, migrator, rule).await?;
        jobs::ensure_login(&on_node, &inner.secret).await?;
        Ok::<_, NodeError>(prepared)
    };
    let prepared = prepared.await;
    let prepared = on_node.finish(prepared).await?;
    row.into_active_model().reset_all().insert(tx).await?;
    let shape = Shape::Shared(inner.lanes);
    let placed = lanes::add(inner.ground(tx, &site), shape).await?;
    tracing::info!(node.name = site.node.name, "added a node");
    Ok(AddedNode {
        id: site.id(),
        applied: prepared.applied,
        fence: prepared.fence,
        lane: placed.added.expect("a lane that was added says so"),
    })
}

/// A node with the same address. Two spellings of one place are not seen through here.
async fn same_place(
    tx: &DatabaseTransaction,
    new: &node::Model,
) -> Result<Option<node::Model>, sea_orm::DbErr> {
    let candidates = node::Entity::find()
        .filter(node::Column::Host.eq(new.host.clone()))
        .all(tx)
        .await?;
    Ok(candidates
        .into_iter()
        .find(|node| node.port == new.port && node.database == new.database))
}
