//! Keeping spares: as many as each node should have, one after the other, without being noticed.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use entity::platform::{node, spare_goal};
use sea_orm::{EntityTrait as _, QueryOrder as _};

use super::step::{Demand, Outcome, step};
use super::{SpareError, SpareMove};
use crate::transaction::to_the_end;
use crate::{Label, Product, Provisioner};

/// How soon a keeper with nothing to do looks again.
const IDLE: Duration = Duration::from_secs(2);
/// How soon it tries again what has failed.
const RETRY: Duration = Duration::from_secs(10);

/// Something that a keeper has to tell.
#[derive(Debug)]
pub enum SpareNews {
    /// A spare was made or removed.
    Moved(SpareMove),
    /// Something failed, and will be tried again.
    Failed {
        /// What operators call the node; nothing when the platform itself was the matter.
        node: Option<String>,
        /// What it was.
        error: SpareError,
    },
}

impl<P: Product> Provisioner<P> {
    /// Makes one spare now, whatever the node's goal is: on the platform's own node if none is
    /// named. A keeper of the node takes one away again that is more than its goal.
    ///
    /// # Errors
    ///
    /// [`SpareError`]; what is left behind by [`SpareError::Unfinished`] or a kill is finished or
    /// removed by the next who makes spares there.
    pub async fn prepare_spare(&self, node: Option<&Label>) -> Result<SpareMove, SpareError> {
        let node = self.spare_node(node).await?;
        loop {
            match self.spare_step(node.clone(), Demand::OneMore).await? {
                Outcome::Moved(moved) => return Ok(moved),
                Outcome::Migrating => return Err(SpareError::Migrating),
                Outcome::Announced | Outcome::Met | Outcome::Resting(_) => {}
            }
        }
    }

    /// Brings a node's spares to its goal, and then returns; the platform's own node if none is
    /// named. Ends early when `stop` does, after what it has begun.
    ///
    /// # Errors
    ///
    /// [`SpareError`]; those that were made stay.
    pub async fn fill_spares(
        &self,
        node: Option<&Label>,
        stop: impl Future<Output = ()>,
        mut tell: impl FnMut(SpareMove),
    ) -> Result<(), SpareError> {
        let node = self.spare_node(node).await?;
        let mut stop = pin!(stop);
        loop {
            let pause = match self.spare_step(node.clone(), Demand::Goal).await? {
                Outcome::Moved(moved) => {
                    tell(moved);
                    Duration::ZERO
                }
                Outcome::Announced => Duration::ZERO,
                Outcome::Resting(rest) => rest,
                Outcome::Met => return Ok(()),
                Outcome::Migrating => return Err(SpareError::Migrating),
            };
            if has_stopped(&mut stop, pause).await {
                return Ok(());
            }
        }
    }

    /// Keeps the spares of all nodes that have a goal until `stop` ends. What fails is logged and
    /// tried again; several keepers at once take turns.
    pub async fn keep_spares_until(&self, stop: impl Future<Output = ()>) {
        self.keep_spares(stop, |news| match news {
            SpareNews::Moved(moved) => tracing::info!(moved = ?moved, "spares have changed"),
            SpareNews::Failed { node, error } => tracing::warn!(
                node.name = node,
                error = %error,
                cause = std::error::Error::source(&error).map(tracing::field::display),
                "spares could not be kept"
            ),
        })
        .await;
    }

    /// The same, and tells what happens.
    pub async fn keep_spares(
        &self,
        stop: impl Future<Output = ()>,
        mut tell: impl FnMut(SpareNews),
    ) {
        let mut stop = pin!(stop);
        loop {
            let mut pause = IDLE;
            let nodes = match self.kept_nodes().await {
                Ok(nodes) => nodes,
                Err(error) => {
                    tell(SpareNews::Failed { node: None, error });
                    pause = RETRY;
                    vec![]
                }
            };
            let mut has_failed = false;
            for node in nodes {
                let name = node.name.clone();
                match self.spare_step(node, Demand::Goal).await {
                    Ok(Outcome::Moved(moved)) => {
                        tell(SpareNews::Moved(moved));
                        pause = Duration::ZERO;
                    }
                    Ok(Outcome::Announced) => pause = Duration::ZERO,
                    Ok(Outcome::Resting(rest)) => pause = pause.min(rest),
                    Ok(Outcome::Met | Outcome::Migrating) => {}
                    Err(error) => {
                        let node = Some(name);
                        tell(SpareNews::Failed { node, error });
                        has_failed = true;
                    }
                }
                if has_stopped(&mut stop, Duration::ZERO).await {
                    return;
                }
            }
            // The others wait with it: what fails again and again must not be the whole work.
            if has_failed {
                pause = RETRY;
            }
            if has_stopped(&mut stop, pause).await {
                return;
            }
        }
    }

    /// A step goes to its end even when whoever asked for it stops waiting.
    async fn spare_step(&self, node: node::Model, demand: Demand) -> Result<Outcome, SpareError> {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move { step(&inner, node, demand).await }).await
    }

    /// Nodes of which somebody has said how many spares they should have.
    async fn kept_nodes(&self) -> Result<Vec<node::Model>, SpareError> {
        let kept = spare_goal::Entity::find()
            .find_also_related(node::Entity)
            .order_by_asc(spare_goal::Column::NodeId)
            .all(&self.inner.db)
            .await?;
        Ok(kept.into_iter().filter_map(|(_, node)| node).collect())
    }
}

/// Waits for a pause to pass, and says whether the end came first.
async fn has_stopped(stop: &mut (impl Future<Output = ()> + Unpin), pause: Duration) -> bool {
    tokio::select! {
        biased;
        () = stop => true,
        () = tokio::time::sleep(pause) => false,
    }
}
