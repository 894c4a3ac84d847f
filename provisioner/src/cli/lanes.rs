//! `tubex lane`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use entity::platform::lane::State;
use provisioner::lanes::{LaneEntry, MoveTo, NewLane, SetLane};
use provisioner::{Label, Provisioner};
use sea_orm::ActiveEnum as _;
use serde_json::{Value, json};

use super::dealers::Dealers;
use super::failure::Failure;
use super::output::{moment, say, table, warn};
use super::{actor, output};

#[derive(Debug, Subcommand)]
pub(super) enum LaneCommand {
    /// List lanes, node by node: how wide they are, how many tenants they hold
    List,
    /// Add a lane and its login; lanes are also added by themselves when all are full
    Add(AddArgs),
    /// Change a lane's width or capacity; servers follow within a second
    Set(SetArgs),
    /// Move a tenant to another lane of its node, while it is served
    Move(MoveArgs),
    /// Empty a lane and drop it with its login
    ///
    /// Nobody is put there any more, its tenants are moved to the emptiest other lanes one by one
    /// (lanes are added where there is no room), and then it goes. Stopped half-way, the same
    /// command finishes it.
    Retire(RetireArgs),
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// The node it leads to; the platform's own if it isn't given
    #[arg(long, value_name = "NAME")]
    node: Option<Label>,
    /// Connections that one server process opens on it, at most [default: 4]
    #[arg(long, value_name = "N", value_parser = width())]
    width: Option<u16>,
    /// Tenants that fit on it, up to 500 [default: 500; 1 with --dedicated]
    #[arg(long, value_name = "N", value_parser = capacity())]
    capacity: Option<u16>,
    /// Put tenants there by name only, never by themselves
    #[arg(long)]
    dedicated: bool,
}

#[derive(Debug, Args)]
pub(super) struct SetArgs {
    /// The lane, by login or id
    lane: String,
    /// Connections that one server process opens on it, at most
    #[arg(long, value_name = "N", value_parser = width(), required_unless_present = "capacity")]
    width: Option<u16>,
    /// Tenants that fit on it, up to 500, not fewer than it holds
    #[arg(long, value_name = "N", value_parser = capacity())]
    capacity: Option<u16>,
}

#[derive(Debug, Args)]
pub(super) struct MoveArgs {
    /// The tenant's slug or id
    #[arg(value_name = "TENANT")]
    tenant: String,
    /// To this lane, by login or id; to the emptiest other one if neither this nor --dedicated is
    /// given
    #[arg(long, value_name = "LANE", conflicts_with = "dedicated")]
    to: Option<String>,
    /// To a new lane of its own: the full wall between it and all others
    #[arg(long)]
    dedicated: bool,
}

#[derive(Debug, Args)]
pub(super) struct RetireArgs {
    /// The lane, by login or id
    lane: String,
}

fn width() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=1000)
}

fn capacity() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=500)
}

pub(super) async fn run(
    provisioner: &Provisioner<Dealers>,
    command: LaneCommand,
    json: bool,
) -> Result<ExitCode, Failure> {
    match command {
        LaneCommand::List => list(provisioner, json).await?,
        LaneCommand::Add(args) => add(provisioner, args, json).await?,
        LaneCommand::Set(args) => set(provisioner, args, json).await?,
        LaneCommand::Move(args) => move_tenant(provisioner, args, json).await?,
        LaneCommand::Retire(args) => retire(provisioner, args, json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(provisioner: &Provisioner<Dealers>, json: bool) -> Result<(), Failure> {
    let lanes = provisioner.lanes().await?;
    if json {
        let data: Vec<_> = lanes.iter().map(lane_json).collect();
        say(&json!({ "data": data }).to_string());
        return Ok(());
    }
    let rows: Vec<_> = lanes
        .into_iter()
        .map(|lane| {
            [
                lane.node,
                lane.login,
                lane.width.to_string(),
                lane.tenants.to_string(),
                lane.capacity.to_string(),
                lane.state.to_value(),
                if lane.is_dedicated { "yes" } else { "no" }.to_owned(),
            ]
        })
        .collect();
    let heading = [
        "NODE",
        "LANE",
        "WIDTH",
        "TENANTS",
        "CAPACITY",
        "STATE",
        "DEDICATED",
    ];
    say(&table(heading, &rows));
    Ok(())
}

async fn add(provisioner: &Provisioner<Dealers>, args: AddArgs, json: bool) -> Result<(), Failure> {
    let new = NewLane {
        node: args.node,
        width: args.width,
        capacity: args.capacity,
        is_dedicated: args.dedicated,
    };
    let added = provisioner.add_lane(new).await?;
    if let Some(pressure) = &added.pressure {
        warn(pressure);
    }
    if json {
        let warning = added.pressure.map(|pressure| pressure.to_string());
        let shown = json!({
            "id": added.id,
            "login": added.login,
            "node": added.node,
            "warning": warning,
        });
        say(&shown.to_string());
    } else {
        say(&format!("added {} on node {}", added.login, added.node));
    }
    Ok(())
}

async fn set(provisioner: &Provisioner<Dealers>, args: SetArgs, json: bool) -> Result<(), Failure> {
    let set = SetLane {
        lane: args.lane,
        width: args.width,
        capacity: args.capacity,
    };
    let (lane, pressure) = provisioner.set_lane(set).await?;
    if let Some(pressure) = &pressure {
        warn(pressure);
    }
    say(&if json {
        lane_json(&lane).to_string()
    } else {
        output::fields(&[
            ("lane", &lane.login),
            ("node", &lane.node),
            ("width", &lane.width.to_string()),
            ("tenants", &lane.tenants.to_string()),
            ("capacity", &lane.capacity.to_string()),
        ])
    });
    Ok(())
}

async fn move_tenant(
    provisioner: &Provisioner<Dealers>,
    args: MoveArgs,
    json: bool,
) -> Result<(), Failure> {
    let to = match (args.to, args.dedicated) {
        (Some(lane), _) => MoveTo::Lane(lane),
        (None, true) => MoveTo::Dedicated,
        (None, false) => MoveTo::Emptiest,
    };
    let moved = provisioner.move_to_lane(&args.tenant, to, &actor()).await?;
    if let Some(pressure) = moved.added.as_ref().and_then(|lane| lane.pressure.as_ref()) {
        warn(pressure);
    }
    if json {
        let shown = json!({
            "id": moved.id,
            "slug": moved.slug,
            "from": moved.from,
            "to": moved.to,
            "dropped": moved.dropped,
        });
        say(&shown.to_string());
        return Ok(());
    }
    if moved.from == moved.to {
        say(&format!("{} is on {} already", moved.slug, moved.to));
    } else {
        say(&format!("{}: {} -> {}", moved.slug, moved.from, moved.to));
    }
    if let Some(dropped) = moved.dropped {
        say(&format!("{dropped} was its own, and is gone"));
    }
    Ok(())
}

async fn retire(
    provisioner: &Provisioner<Dealers>,
    args: RetireArgs,
    json: bool,
) -> Result<(), Failure> {
    let retired = provisioner.retire_lane(&args.lane, &actor()).await?;
    let pressures = retired
        .moved
        .iter()
        .filter_map(|moved| moved.added.as_ref());
    for pressure in pressures.filter_map(|lane| lane.pressure.as_ref()) {
        warn(pressure);
    }
    if json {
        let moved: Vec<_> = retired
            .moved
            .iter()
            .map(|moved| json!({ "id": moved.id, "slug": moved.slug, "to": moved.to }))
            .collect();
        let shown = json!({
            "login": retired.login,
            "moved": moved,
            "is_login_kept": retired.is_login_kept,
        });
        say(&shown.to_string());
        return Ok(());
    }
    for moved in &retired.moved {
        say(&format!("{}: now on {}", moved.slug, moved.to));
    }
    say(&format!(
        "{} is gone; {} tenants were moved",
        retired.login,
        retired.moved.len()
    ));
    if retired.is_login_kept {
        warn(&"its role is there still: another database of the cluster needs it");
    }
    Ok(())
}

fn lane_json(lane: &LaneEntry) -> Value {
    json!({
        "id": lane.id,
        "login": lane.login,
        "node": lane.node,
        "width": lane.width,
        "capacity": lane.capacity,
        "tenants": lane.tenants,
        "state": State::to_value(&lane.state),
        "dedicated": lane.is_dedicated,
        "created_at": moment(lane.created_at),
    })
}
