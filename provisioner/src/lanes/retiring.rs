//! Retiring a lane: nobody is put there any more, its tenants move away one by one, and then its
//! login and its row go. Cut anywhere, doing it again finishes it.

use std::sync::Arc;

use sea_orm::{DatabaseConnection, DatabaseTransaction};
use uuid::Uuid;

use super::logins::{Dropped, drop_login};
use super::moving::{Goal, Moved, move_one};
use super::{LIMITS, LaneError, listing, lock};
use crate::nodes::Site;
use crate::query::{column, one, run};
use crate::role::RoleName;
use crate::transaction::{act_as_owner, begin, finish, to_the_end};
use crate::{Inner, Product, Provisioner};

/// A lane that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retired {
    /// The role that servers logged in as.
    pub login: String,
    /// Those who were moved away.
    pub moved: Vec<Moved>,
    /// Whether the role is there still, because another database of its cluster needs it.
    pub is_login_kept: bool,
}

/// A lane whose row is gone.
#[derive(Debug)]
pub(crate) struct Gone {
    pub(crate) login: String,
    pub(crate) dropped: Dropped,
}

impl<P: Product> Provisioner<P> {
    /// Retires a lane, by its login or its id. Lanes are added where the others have no room.
    ///
    /// # Errors
    ///
    /// [`LaneError`]. Whoever was moved stays where they are now, and the lane takes nobody.
    pub async fn retire_lane(&self, lane: &str, actor: &str) -> Result<Retired, LaneError> {
        let inner = Arc::clone(&self.inner);
        let (lane, actor) = (lane.to_owned(), actor.to_owned());
        to_the_end(async move {
            let lane = listing::find(&inner.db, &lane).await?;
            let site = inner.reach(lane.node).await?;
            let tx = begin(&inner.db, LIMITS).await?;
            let marked = run(
                &tx,
                "UPDATE platform.lane SET state = 'retiring' WHERE id = $1 AND state <> 'retiring'",
                [lane.id.into()],
            )
            .await
            .map_err(LaneError::from);
            finish(tx, marked).await?;

            // Nobody can come any more, so whoever is there now is everybody.
            let tenants: Vec<Uuid> = column(
                &inner.db,
                "SELECT id FROM platform.tenant WHERE lane_id = $1 ORDER BY slug",
                [lane.id.into()],
            )
            .await?;
            let mut moved = vec![];
            for tenant in tenants {
                moved.extend(move_one(&inner, tenant, Goal::AwayFrom(lane.id), &actor).await?);
            }

            let gone = drop_if_empty(&inner, &site, lane.id)
                .await?
                .ok_or_else(|| LaneError::InUse(lane.login.clone()))?;
            tracing::info!(lane.login = gone.login, "retired a lane");
            Ok(Retired {
                login: gone.login,
                moved,
                is_login_kept: gone.dropped == Dropped::Kept,
            })
        })
        .await
    }
}

/// Marks a lane that holds nobody, in the transaction that emptied it: killed after that,
/// [`finish_retired`] goes on. Says whether it did; not where somebody is just being put there.
pub(super) async fn mark_if_empty(tx: &DatabaseTransaction, lane: Uuid) -> Result<bool, LaneError> {
    let marked = run(
        tx,
        "UPDATE platform.lane SET state = 'retiring' WHERE id IN (
             SELECT l.id FROM platform.lane l
             WHERE l.id = $1 AND NOT EXISTS (
                 SELECT FROM platform.tenant t WHERE t.lane_id = l.id)
             FOR NO KEY UPDATE SKIP LOCKED)",
        [lane.into()],
    )
    .await?;
    Ok(marked > 0)
}

/// Drops a lane that holds nobody. Nothing if somebody is on it, or is just being put there.
pub(crate) async fn drop_if_empty<P: Product>(
    inner: &Inner<P>,
    site: &Site,
    lane: Uuid,
) -> Result<Option<Gone>, LaneError> {
    let tx = begin(&inner.db, LIMITS).await?;
    let outcome = drop_in(&tx, site, lane).await;
    finish(tx, outcome).await
}

/// Drops the lanes of a node that were to be dropped and hold nobody any more.
pub(crate) async fn finish_retired(
    db: &DatabaseConnection,
    site: &Site,
) -> Result<Vec<String>, LaneError> {
    let lanes: Vec<Uuid> = column(
        db,
        "SELECT l.id FROM platform.lane l
         WHERE l.node_id = $1 AND l.state = 'retiring'
             AND NOT EXISTS (SELECT FROM platform.tenant t WHERE t.lane_id = l.id)",
        [site.id().into()],
    )
    .await?;
    let mut finished = vec![];
    for lane in lanes {
        let tx = begin(db, LIMITS).await?;
        let outcome = drop_in(&tx, site, lane).await;
        finished.extend(finish(tx, outcome).await?.map(|gone| gone.login));
    }
    Ok(finished)
}

/// Its login first, so that a cut leaves a row that says what is left to do.
async fn drop_in(
    tx: &DatabaseTransaction,
    site: &Site,
    lane: Uuid,
) -> Result<Option<Gone>, LaneError> {
    act_as_owner(tx).await?;
    lock(tx).await?;
    let row = one(
        tx,
        "SELECT l.login_role FROM platform.lane l
         WHERE l.id = $1 AND NOT EXISTS (SELECT FROM platform.tenant t WHERE t.lane_id = l.id)
         FOR UPDATE SKIP LOCKED",
        [lane.into()],
    )
    .await?;
    let Some(row) = row else { return Ok(None) };
    let login = RoleName::parse_lane(&row.try_get::<String>("", "login_role")?)?;
    let node = site.begin(tx, LIMITS).await?;
    let dropped = drop_login(&node, &login).await;
    let dropped = node.finish(dropped).await?;
    let sql = "DELETE FROM platform.lane WHERE id = $1";
    run(tx, sql, [lane.into()]).await?;
    Ok(Some(Gone {
        login: login.to_string(),
        dropped,
    }))
}
