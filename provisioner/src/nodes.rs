//! Nodes: the databases that tenants live in. One is the platform's own; others hold tenants and
//! schema `shared`, and no platform. No transaction spans two of them, so whatever concerns
//! another node is written in an order that can be cut anywhere and done again.

mod adding;
mod connector;
mod fleet;
mod preparing;

use std::ops::Deref;

use entity::platform::node;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr,
    EntityTrait as _, QueryFilter as _, QueryOrder as _,
};
use uuid::Uuid;

pub use self::adding::{AddedNode, NewNode};
pub use self::connector::{NodeConnector, ReachError};
pub use self::fleet::{NodeEntry, NodeReport, NodeState};
use crate::fence::FenceReport;
use crate::lanes::LaneError;
use crate::transaction::{Limits, act_as_owner, begin, finish};
use crate::{Label, db_error};

/// Why a node was not added, or not brought to head.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Another node is called that.
    #[error("there is a node {0} already")]
    NameTaken(Label),
    /// Another node has this address.
    #[error("node {0} is at that address already")]
    AddressTaken(String),
    /// The database holds a platform: this one, or another.
    #[error("the database there holds a platform of its own, so it can't be a node of this one")]
    HasPlatform,
    /// The server is too old.
    #[error("Postgres 15 or newer is needed, and the node's version number is {0}")]
    OldPostgres(i32),
    /// The fence would have gaps, and a complete one was asked for.
    #[error("{} rights could not be taken from PUBLIC on the node", .0.gaps.len())]
    Fence(Box<FenceReport>),
    /// The node could not be worked on.
    #[error("the node is out of reach")]
    Reach(#[from] ReachError),
    /// A login could not be made, or a membership not mended.
    #[error("the node's lanes could not be brought in order")]
    Lane(#[source] LaneError),
    /// A statement failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}

impl From<LaneError> for NodeError {
    fn from(error: LaneError) -> Self {
        match error {
            LaneError::Db(cause) => Self::Db(cause),
            LaneError::Reach(cause) => Self::Reach(cause),
            other => Self::Lane(other),
        }
    }
}

impl NodeError {
    /// Whether the node has no files of an extension that we need.
    pub fn is_missing_extension(&self) -> bool {
        matches!(self, Self::Db(cause) if db_error::is_missing_extension(cause))
    }
}

/// Whether a node is the database that holds the platform.
pub(crate) fn is_own(node: &node::Model) -> bool {
    node.host.is_none() && node.port.is_none() && node.database.is_none()
}

/// The platform's own node, if the directory has one.
pub(crate) async fn find_own(db: &impl ConnectionTrait) -> Result<Option<node::Model>, DbErr> {
    node::Entity::find()
        .filter(node::Column::Host.is_null())
        .filter(node::Column::Port.is_null())
        .filter(node::Column::Database.is_null())
        .order_by_asc(node::Column::CreatedAt)
        .one(db)
        .await
}

/// A node by its name.
pub(crate) async fn find(
    db: &impl ConnectionTrait,
    name: &str,
) -> Result<Option<node::Model>, DbErr> {
    node::Entity::find()
        .filter(node::Column::Name.eq(name))
        .one(db)
        .await
}

/// A node by its id.
pub(crate) async fn find_by_id(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<node::Model>, DbErr> {
    node::Entity::find_by_id(id).one(db).await
}

/// A node and the way to it.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) node: node::Model,
    /// Nothing for the platform's own: there the platform's transaction does the work.
    there: Option<DatabaseConnection>,
}

impl Site {
    /// A way to `node`, which must be the platform's own where no connector was given.
    pub(crate) async fn reach(
        node: node::Model,
        connector: Option<&NodeConnector>,
    ) -> Result<Self, ReachError> {
        let there = match connector {
            _ if is_own(&node) => None,
            Some(connector) => Some(connector.connect(&node).await?),
            None => return Err(ReachError::NoConnector(node.name)),
        };
        Ok(Self { node, there })
    }

    /// The platform's own node.
    pub(crate) fn own(node: node::Model) -> Self {
        Self { node, there: None }
    }

    pub(crate) fn id(&self) -> Uuid {
        self.node.id
    }

    pub(crate) fn is_own(&self) -> bool {
        self.there.is_none()
    }

    /// The node's database, for work that has transactions of its own; `platform` where that is
    /// the place.
    pub(crate) fn database<'a>(
        &'a self,
        platform: &'a DatabaseConnection,
    ) -> &'a DatabaseConnection {
        self.there.as_ref().unwrap_or(platform)
    }

    /// A transaction on the node, as its owner: the platform's own one where that is the place.
    pub(crate) async fn begin<'a>(
        &self,
        platform: &'a DatabaseTransaction,
        limits: Limits,
    ) -> Result<NodeTx<'a>, DbErr> {
        match &self.there {
            None => Ok(NodeTx::Platform(platform)),
            Some(db) => {
                // The platform's side is silent for as long as the node's side works.
                platform
                    .execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = 0")
                    .await?;
                let tx = begin(db, limits).await?;
                act_as_owner(&tx).await?;
                Ok(NodeTx::There(tx))
            }
        }
    }
}

/// A transaction on a node.
#[derive(Debug)]
pub(crate) enum NodeTx<'a> {
    /// Ends when the platform's ends.
    Platform(&'a DatabaseTransaction),
    /// Ends by itself, and so earlier or later than the platform's.
    There(DatabaseTransaction),
}

impl NodeTx<'_> {
    /// Ends it the way its work ended, if it has an end of its own.
    pub(crate) async fn finish<T, E: From<DbErr>>(self, outcome: Result<T, E>) -> Result<T, E> {
        match self {
            Self::Platform(_) => outcome,
            Self::There(tx) => finish(tx, outcome).await,
        }
    }

    /// Commits it, if it has an end of its own.
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        self.finish(Ok(())).await
    }

    /// Undoes it, if it has an end of its own.
    pub(crate) async fn rollback(self) {
        let undone = DbErr::Custom("the work failed".to_owned());
        // The error is the one that we made up.
        let _ = self.finish::<(), _>(Err(undone)).await;
    }
}

impl Deref for NodeTx<'_> {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        match self {
            Self::Platform(tx) => tx,
            Self::There(tx) => tx,
        }
    }
}
