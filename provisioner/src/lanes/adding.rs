//! Adding a lane: a row, a login, and a look at what the node can bear.

use sea_orm::DbErr;
use uuid::Uuid;

use super::placing::Placed;
use super::{Ground, LIMITS, Lane, LaneError, LaneOptions, ensure_login, lock};
use crate::nodes::Site;
use crate::query::{one, run};
use crate::role::RoleName;
use crate::transaction::{act_as_owner, begin, finish, to_the_end};
use crate::{Label, Product, Provisioner};
use std::fmt;
use std::sync::Arc;

/// Connections of a node that are not the lanes': the platform's login, the provisioner, backups,
/// monitoring.
const SET_ASIDE: i64 = 10;

/// A lane to be added.
#[derive(Clone, Debug, Default)]
pub struct NewLane {
    /// Where; the platform's own node if it isn't said.
    pub node: Option<Label>,
    /// Connections of one server process; the provisioner's default if it isn't said.
    pub width: Option<u16>,
    /// Tenants that fit; the provisioner's default if it isn't said.
    pub capacity: Option<u16>,
    /// Nobody is put there automatically.
    pub is_dedicated: bool,
}

/// A lane that was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedLane {
    /// Never changes.
    pub id: Uuid,
    /// The role that servers log in as.
    pub login: String,
    /// What operators call its node.
    pub node: String,
    /// Set when the node's lanes are wider than its connections.
    pub pressure: Option<Pressure>,
}

/// The lanes of a node may open more connections than it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pressure {
    /// What operators call the node.
    pub node: String,
    /// The width of all its lanes together: connections of one server process.
    pub lanes: i64,
    /// What it takes: `max_connections` without those that are reserved.
    pub available: i64,
}

/// A warning for operators, with its remedy.
impl fmt::Display for Pressure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "one server may open {} connections on the lanes of node {}, and with {SET_ASIDE} set \
             aside for others that is more than the {} it takes: raise max_connections there, or \
             make lanes narrower with tubex lane set LANE --width N",
            self.lanes, self.node, self.available
        )
    }
}

/// What a new lane is like.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// For everybody.
    Shared(LaneOptions),
    /// For those who are placed there by name.
    Reserved(LaneOptions),
    /// For one tenant alone; as wide as others.
    Dedicated,
}

impl<P: Product> Provisioner<P> {
    /// Adds a lane to a node.
    ///
    /// # Errors
    ///
    /// [`LaneError::UnknownNode`], [`LaneError::Reach`], [`LaneError::Db`].
    pub async fn add_lane(&self, new: NewLane) -> Result<AddedLane, LaneError> {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move {
            let site = inner.site(&inner.db, new.node.as_ref()).await?;
            let options = LaneOptions {
                width: new.width.unwrap_or(inner.lanes.width),
                capacity: new.capacity.unwrap_or(inner.lanes.capacity),
            };
            let shape = match (new.is_dedicated, new.capacity) {
                (false, _) => Shape::Shared(options),
                (true, Some(_)) => Shape::Reserved(options),
                (true, None) => Shape::Reserved(LaneOptions {
                    capacity: 1,
                    ..options
                }),
            };
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = async {
                act_as_owner(&tx).await?;
                lock(&tx).await?;
                add(inner.ground(&tx, &site), shape).await
            };
            let outcome = outcome.await;
            let placed = finish(tx, outcome).await?;
            Ok(placed.added.expect("a lane that was added says so"))
        })
        .await
    }
}

/// Adds a lane. On another node its login is there before its row is: cut in between, it leaves a
/// login that may do nothing, never a lane that nobody can open.
pub(crate) async fn add(on: Ground<'_>, shape: Shape) -> Result<Placed, LaneError> {
    let lane = Lane {
        id: Uuid::now_v7(),
        login: RoleName::generate_for_lane()?,
    };
    let (options, is_dedicated) = match shape {
        Shape::Shared(options) => (options, false),
        Shape::Reserved(options) => (options, true),
        Shape::Dedicated => (
            LaneOptions {
                capacity: 1,
                ..on.options
            },
            true,
        ),
    };
    run(
        on.tx,
        "INSERT INTO platform.lane (id, node_id, login_role, width, capacity, dedicated)
         VALUES ($1, $2, $3, $4, $5, $6)",
        [
            lane.id.into(),
            on.site.id().into(),
            lane.login.as_str().into(),
            i32::from(options.width).into(),
            i32::from(options.capacity).into(),
            is_dedicated.into(),
        ],
    )
    .await?;
    let node = on.site.begin(on.tx, LIMITS).await?;
    let made = ensure_login(&node, &lane.login, on.secret, None).await;
    node.finish(made).await?;
    let added = AddedLane {
        id: lane.id,
        login: lane.login.to_string(),
        node: on.site.node.name.clone(),
        pressure: pressure(on).await?,
    };
    if let Some(pressure) = &added.pressure {
        tracing::warn!(
            node.name = pressure.node,
            lanes.width = pressure.lanes,
            node.connections = pressure.available,
            "the lanes of a node are wider than its connections"
        );
    }
    Ok(Placed {
        lane,
        added: Some(added),
    })
}

/// Whether all lanes of the node together still fit its connections.
pub(crate) async fn pressure(on: Ground<'_>) -> Result<Option<Pressure>, LaneError> {
    let sum = one(
        on.tx,
        "SELECT coalesce(sum(width), 0) AS lanes FROM platform.lane WHERE node_id = $1",
        [on.site.id().into()],
    )
    .await?;
    let lanes: i64 = sum.map_or(Ok(0), |row| row.try_get("", "lanes"))?;
    let available = available(on.site, on).await?;
    Ok((lanes + SET_ASIDE > available).then(|| Pressure {
        node: on.site.node.name.clone(),
        lanes,
        available,
    }))
}

async fn available(site: &Site, on: Ground<'_>) -> Result<i64, DbErr> {
    let node = site.begin(on.tx, LIMITS).await?;
    // `reserved_connections` came with Postgres 16.
    let row = one(
        &*node,
        "SELECT current_setting('max_connections')::bigint
             - current_setting('superuser_reserved_connections')::bigint
             - coalesce(current_setting('reserved_connections', true), '0')::bigint AS available",
        [],
    )
    .await;
    let row = node.finish(row).await?;
    row.map_or(Ok(0), |row| row.try_get("", "available"))
}
