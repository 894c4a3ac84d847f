//! Spares: complete tenants that are nobody's yet. Whoever creates a tenant takes one, and only
//! its first rows are left to be written.
//!
//! A spare's entry says so, bears a slug that nobody can have, and takes room on its lane. On
//! another node than the platform's a spare in the making, and one on its way out, is an entry
//! with that slug that is being provisioned: whoever looks next finishes what was begun.

mod keeping;
mod making;
mod step;

use std::sync::Arc;
use std::time::Duration;

use entity::platform::{node, spare_goal};
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait as _, sea_query::OnConflict};

pub use self::keeping::SpareNews;
pub(crate) use self::making::{forget, give_back, is_untouched, unmark};
use crate::create::head;
use crate::history::now;
use crate::lanes::LaneError;
use crate::nodes::{self, ReachError};
use crate::query::all;
use crate::transaction::{Limits, act_as_owner, begin, finish, to_the_end};
use crate::{CreateError, Label, Product, Provisioner};

/// Keepers of one node wait for each other, each for as long as a spare takes.
const LIMITS: Limits = Limits {
    lock_timeout: Duration::from_secs(30),
    statement_timeout: Duration::from_secs(120),
    silence: None,
};

/// What a spare is called where tenants have a name.
const NAME: &str = "spare";

/// The spares of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpareReport {
    /// What operators call the node.
    pub node: String,
    /// How many there should be; nothing where nobody has said so, and nobody keeps any.
    pub keep: Option<u16>,
    /// How many can be taken: they stand at this build's head.
    pub ready: u64,
    /// How many stand elsewhere, and wait for the next run over the fleet.
    pub behind: u64,
    /// How many are being made or removed.
    pub unfinished: u64,
    /// Those that are complete, lane by lane.
    pub lanes: Vec<SpareLane>,
}

/// The spares of one lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpareLane {
    /// The lane's login.
    pub login: String,
    /// How many it holds.
    pub spares: u64,
}

/// Something that happened to a spare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpareMove {
    /// One was made.
    Made {
        /// What operators call its node.
        node: String,
        /// Its schema.
        schema: String,
        /// The login of its lane.
        lane: String,
        /// How long it took.
        took: Duration,
    },
    /// One too many was removed.
    Removed {
        /// What operators call its node.
        node: String,
        /// What its schema was.
        schema: String,
    },
}

/// Why there is no spare.
#[derive(Debug, thiserror::Error)]
pub enum SpareError {
    /// More than anybody needs.
    #[error("at most {max} spares are kept on a node, and {0} were asked for", max = SpareError::MOST)]
    TooMany(u16),
    /// A run over the fleet is not finished.
    #[error("a migration run is not finished, and spares are made when it is")]
    Migrating,
    /// It could not be made or removed.
    #[error("the spare could not be worked on")]
    Create(#[from] CreateError),
    /// The node is not known, or the directory has none.
    #[error("the spare's place could not be found")]
    Place(#[source] LaneError),
    /// The node could not be worked on.
    #[error("the spare's node is out of reach")]
    Reach(#[from] ReachError),
    /// Another node did not say whether it holds the spare now.
    #[error("node {node} did not say whether it holds the new spare")]
    Unfinished {
        /// Where it is.
        node: String,
        /// What happened to the connection.
        #[source]
        cause: DbErr,
    },
    /// A statement failed.
    #[error("the database failed")]
    Db(#[source] DbErr),
}

impl SpareError {
    /// As many spares as a node can be told to keep.
    pub const MOST: u16 = 1000;
}

impl From<DbErr> for SpareError {
    fn from(error: DbErr) -> Self {
        Self::Db(error)
    }
}

impl From<LaneError> for SpareError {
    fn from(error: LaneError) -> Self {
        match error {
            LaneError::Db(cause) => Self::Db(cause),
            LaneError::Reach(cause) => Self::Reach(cause),
            other => Self::Place(other),
        }
    }
}

const REPORT: &str = "
    SELECT n.name, g.keep, l.login_role,
        count(t.id) FILTER (WHERE t.status = 'spare' AND t.schema_version = $1) AS ready,
        count(t.id) FILTER (WHERE t.status = 'spare' AND t.schema_version <> $1) AS behind,
        count(t.id) FILTER (WHERE t.status = 'provisioning') AS unfinished
    FROM platform.node n
    LEFT JOIN platform.spare_goal g ON g.node_id = n.id
    LEFT JOIN platform.lane l ON l.node_id = n.id
    LEFT JOIN platform.tenant t ON t.lane_id = l.id AND t.status IN ('spare', 'provisioning')
        AND t.slug = 'spare-' || substr(t.schema_name, 3)
    GROUP BY n.id, g.keep, l.id
    ORDER BY n.created_at, n.id, l.created_at, l.id";

impl<P: Product> Provisioner<P> {
    /// The spares of all nodes, the platform's own first.
    ///
    /// # Errors
    ///
    /// [`SpareError::Create`] where the product has no migrations, [`SpareError::Db`].
    pub async fn spares(&self) -> Result<Vec<SpareReport>, SpareError> {
        let head = head(self.inner.product.migrator()).ok_or(CreateError::NoMigrations)?;
        let rows = all(&self.inner.db, REPORT, [head.into()]).await?;
        let mut reports: Vec<SpareReport> = vec![];
        for row in rows {
            let node: String = row.try_get("", "name")?;
            let count = |column| Ok::<_, DbErr>(row.try_get::<i64>("", column)?.unsigned_abs());
            let (ready, behind) = (count("ready")?, count("behind")?);
            if reports.last().is_none_or(|last| last.node != node) {
                let keep: Option<i32> = row.try_get("", "keep")?;
                reports.push(SpareReport {
                    node,
                    keep: keep.and_then(|keep| keep.try_into().ok()),
                    ready: 0,
                    behind: 0,
                    unfinished: 0,
                    lanes: vec![],
                });
            }
            let Some(report) = reports.last_mut() else {
                continue;
            };
            report.ready += ready;
            report.behind += behind;
            report.unfinished += count("unfinished")?;
            if ready + behind > 0 {
                report.lanes.push(SpareLane {
                    login: row.try_get("", "login_role")?,
                    spares: ready + behind,
                });
            }
        }
        Ok(reports)
    }

    /// Says how many spares a node should have: the platform's own if none is named. Keepers make
    /// what is lacking, and remove what is too many.
    ///
    /// # Errors
    ///
    /// [`SpareError::TooMany`], [`SpareError::Place`], [`SpareError::Db`].
    pub async fn set_spare_goal(&self, node: Option<&Label>, keep: u16) -> Result<(), SpareError> {
        if keep > SpareError::MOST {
            return Err(SpareError::TooMany(keep));
        }
        let node = self.spare_node(node).await?;
        let inner = Arc::clone(&self.inner);
        to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = async {
                act_as_owner(&tx).await?;
                let goal = spare_goal::ActiveModel {
                    node_id: Set(node.id),
                    keep: Set(keep.into()),
                    not_before: Set(None),
                    updated_at: Set(now()),
                };
                let again = OnConflict::column(spare_goal::Column::NodeId)
                    .update_columns([spare_goal::Column::Keep, spare_goal::Column::UpdatedAt])
                    .to_owned();
                spare_goal::Entity::insert(goal)
                    .on_conflict(again)
                    .exec_without_returning(&tx)
                    .await?;
                Ok(())
            };
            let outcome = outcome.await;
            finish(tx, outcome).await
        })
        .await
    }

    /// The node that is named, or the platform's own.
    async fn spare_node(&self, name: Option<&Label>) -> Result<node::Model, SpareError> {
        let db = &self.inner.db;
        let found = match name {
            None => nodes::find_own(db).await?.ok_or(LaneError::NoNode)?,
            Some(name) => nodes::find(db, name.as_str())
                .await?
                .ok_or_else(|| LaneError::UnknownNode(name.to_string()))?,
        };
        Ok(found)
    }
}
