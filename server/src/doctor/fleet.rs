//! The fleet as the directory has it: nodes, lanes, and whose roles each lane should be able to
//! take.

use std::collections::{HashMap, HashSet};

use ::entity::platform::tenant::Status;
use provisioner::{RoleName, SchemaName};
use sea_orm::{DbErr, FromQueryResult};
use uuid::Uuid;

use crate::db::probe::{NodeAddress, Probe};

/// All of it.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) nodes: Vec<Node>,
    pub(super) lanes: Vec<Lane>,
    pub(super) tenants: Vec<Tenant>,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) address: NodeAddress,
}

#[derive(Debug)]
pub(super) struct Lane {
    pub(super) id: Uuid,
    pub(super) node_id: Uuid,
    pub(super) login: RoleName,
    pub(super) width: u32,
    pub(super) capacity: usize,
}

#[derive(Debug)]
pub(super) struct Tenant {
    pub(super) lane_id: Uuid,
    pub(super) schema: SchemaName,
    pub(super) status: Status,
    pub(super) version: String,
}

/// The roles of a lane's tenants.
#[derive(Debug, Default, Clone)]
pub(super) struct Roles {
    /// Those it must be able to take.
    pub(super) must: HashSet<String>,
    /// Those of tenants that are being made: the role may not be there yet.
    pub(super) may: HashSet<String>,
}

impl Roles {
    pub(super) fn are_named(&self, role: &str) -> bool {
        self.must.contains(role) || self.may.contains(role)
    }

    fn add(&mut self, schema: String, status: Status) {
        match status {
            // Its schema and its role are gone.
            Status::Archived | Status::Gone => {}
            Status::Provisioning | Status::Closing => {
                self.may.insert(schema);
            }
            Status::Spare | Status::Active | Status::Suspended | Status::PastGrace => {
                self.must.insert(schema);
            }
        }
    }
}

impl Node {
    /// Whether it is the database that holds the directory.
    pub(super) fn is_platform(&self) -> bool {
        self.address == NodeAddress::default()
    }
}

#[derive(FromQueryResult)]
struct NodeRow {
    id: Uuid,
    name: String,
    host: Option<String>,
    port: Option<i32>,
    database: Option<String>,
}

#[derive(FromQueryResult)]
struct LaneRow {
    id: Uuid,
    node_id: Uuid,
    login_role: String,
    width: i32,
    capacity: i32,
}

#[derive(FromQueryResult)]
struct TenantRow {
    lane_id: Uuid,
    schema_name: String,
    status: Status,
    schema_version: String,
}

impl Fleet {
    /// Reads the directory.
    pub(super) async fn read(server: &Probe) -> Result<Self, DbErr> {
        let nodes = "SELECT id, name, host, port, database FROM platform.node ORDER BY name";
        let lanes = "SELECT id, node_id, login_role, width, capacity FROM platform.lane \
             ORDER BY created_at, id";
        let tenants = "SELECT lane_id, schema_name, status, schema_version FROM platform.tenant \
             ORDER BY schema_name";
        let nodes: Vec<NodeRow> = server.rows(nodes).await?;
        let lanes: Vec<LaneRow> = server.rows(lanes).await?;
        let tenants: Vec<TenantRow> = server.rows(tenants).await?;
        Ok(Self {
            nodes: nodes.into_iter().map(Node::from).collect(),
            lanes: lanes.into_iter().map(lane).collect::<Result<_, _>>()?,
            tenants: tenants.into_iter().map(tenant).collect::<Result<_, _>>()?,
        })
    }

    /// The roles of each lane's tenants.
    pub(super) fn roles(&self) -> HashMap<Uuid, Roles> {
        let mut roles: HashMap<Uuid, Roles> = HashMap::new();
        for tenant in &self.tenants {
            let of_lane = roles.entry(tenant.lane_id).or_default();
            of_lane.add(tenant.schema.as_str().to_owned(), tenant.status);
        }
        roles
    }

    /// What people call the node of a lane.
    pub(super) fn node_of(&self, lane: &Lane) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == lane.node_id)
    }
}

/// The roles of one lane's tenants, read anew.
pub(super) async fn roles_now(server: &Probe, lane: &Lane) -> Result<Roles, DbErr> {
    let sql = format!(
        "SELECT lane_id, schema_name, status, schema_version FROM platform.tenant \
         WHERE lane_id = '{}'",
        lane.id
    );
    let mut roles = Roles::default();
    for row in server.rows::<TenantRow>(&sql).await? {
        roles.add(row.schema_name, row.status);
    }
    Ok(roles)
}

impl From<NodeRow> for Node {
    fn from(row: NodeRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            address: NodeAddress {
                host: row.host,
                port: row.port.and_then(|port| u16::try_from(port).ok()),
                database: row.database,
            },
        }
    }
}

/// Names go into statements as they are, so each must be one that we could have made.
fn lane(row: LaneRow) -> Result<Lane, DbErr> {
    Ok(Lane {
        id: row.id,
        node_id: row.node_id,
        login: RoleName::parse_lane(&row.login_role)
            .map_err(|error| DbErr::Type(error.to_string()))?,
        width: u32::try_from(row.width).unwrap_or(1).max(1),
        capacity: usize::try_from(row.capacity).unwrap_or_default(),
    })
}

fn tenant(row: TenantRow) -> Result<Tenant, DbErr> {
    Ok(Tenant {
        lane_id: row.lane_id,
        schema: SchemaName::parse(&row.schema_name)
            .map_err(|error| DbErr::Type(error.to_string()))?,
        status: row.status,
        version: row.schema_version,
    })
}
