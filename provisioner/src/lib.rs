//! The life of a tenant: a library that knows no product. It is handed a migrator and a seed (see
//! [`Product`]) and makes, lists and migrates tenants; the server and the command line `tubex` are
//! two doors to it.

#![expect(
    clippy::disallowed_types,
    reason = "the provisioner is one of the two doors to a database; only `transaction` opens any"
)]

pub mod check;
pub mod copy;
mod create;
mod db_error;
pub mod directory;
pub mod domains;
mod drift;
mod email;
pub mod events;
pub mod fence;
mod fingerprint;
pub mod fleet;
mod history;
mod invitation;
pub mod jobs;
mod label;
pub mod lanes;
pub mod life;
pub mod login;
mod mark;
pub mod nodes;
pub mod operators;
pub mod password;
pub mod plans;
pub mod platform;
mod product;
mod query;
pub mod rehearse;
pub mod report;
mod role;
mod schema_name;
mod scram;
mod slug;
pub mod spares;
mod status;
mod tenant_name;
mod transaction;

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};
use secrecy::SecretString;

use lanes::LaneError;
use nodes::{ReachError, Site};

pub use create::{CreateError, Created, NewTenant, Placement};
pub use db_error::{Trouble, describe as describe_db_error, trouble as db_trouble};
pub use directory::{DirectoryError, ListTenants, TenantEntry, TenantPage};
pub use domains::{Dns, DomainEntry, DomainError, DomainName, TxtResolver};
pub use drift::{Depth, DriftGroup, Drifted, Examined, InvalidIndex, Named, Orphan};
pub use email::{Email, EmailError};
pub use fingerprint::{Change, Difference, Object, ObjectKind, ObjectName};
pub use fleet::{RunEntry, RunError, RunOptions, Started, WorkOptions};
pub use invitation::InvitationToken;
pub use label::{Label, LabelError};
pub use lanes::LaneOptions;
pub use login::login_password;
pub use mark::{KeptMark, Mark};
pub use nodes::NodeConnector;
pub use product::{Birth, Declared, Entrance, Kind, Owner, Product, SeedError, Setting, Way};
pub use role::{RoleName, RoleNameError};
pub use schema_name::{SchemaName, SchemaNameError};
pub use slug::{Slug, SlugError};
pub use spares::{SpareError, SpareMove, SpareNews, SpareReport};
pub use status::{
    FleetStatus, OldestFailure, RunInProgress, SpareCount, StatusCount, VersionCount,
};
pub use tenant_name::{TenantName, TenantNameError};

/// Makes, shows and migrates the tenants of one product on one database.
///
/// Cheap to clone. The connection must belong to the role that owns the platform (see the README):
/// a role that may create roles and schemas, never the server's own login.
#[derive(Debug)]
pub struct Provisioner<P> {
    inner: Arc<Inner<P>>,
}

#[derive(Debug)]
struct Inner<P> {
    db: DatabaseConnection,
    secret: SecretString,
    lanes: LaneOptions,
    connector: Option<NodeConnector>,
    product: P,
}

impl<P: Product> Provisioner<P> {
    /// A provisioner that gives new lanes their default width and capacity.
    ///
    /// `secret` is the one that all login passwords are derived from ([`login_password`]).
    pub fn new(db: DatabaseConnection, secret: SecretString, product: P) -> Self {
        Self::with_lanes(db, secret, product, LaneOptions::default())
    }

    /// The same, with the width and capacity of lanes that it may have to add.
    pub fn with_lanes(
        db: DatabaseConnection,
        secret: SecretString,
        product: P,
        lanes: LaneOptions,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                db,
                secret,
                lanes,
                connector: None,
                product,
            }),
        }
    }

    /// The same, with a way to nodes other than the platform's own.
    ///
    /// # Panics
    ///
    /// When it was cloned before: this belongs to its making.
    #[must_use]
    pub fn with_nodes(mut self, connector: NodeConnector) -> Self {
        Arc::get_mut(&mut self.inner)
            .expect("nodes are given to a provisioner that nobody shares yet")
            .connector = Some(connector);
        self
    }

    /// The product whose tenants these are.
    pub fn product(&self) -> &P {
        &self.inner.product
    }
}

impl<P> Inner<P> {
    /// The way to a node: the platform's own if none is named.
    async fn site(
        &self,
        db: &impl ConnectionTrait,
        name: Option<&Label>,
    ) -> Result<Site, LaneError> {
        let node = match name {
            None => nodes::find_own(db).await?.ok_or(LaneError::NoNode)?,
            Some(name) => nodes::find(db, name.as_str())
                .await?
                .ok_or_else(|| LaneError::UnknownNode(name.to_string()))?,
        };
        Ok(self.reach(node).await?)
    }

    async fn reach(&self, node: entity::platform::node::Model) -> Result<Site, ReachError> {
        Site::reach(node, self.connector.as_ref()).await
    }

    fn ground<'a>(&'a self, tx: &'a DatabaseTransaction, site: &'a Site) -> lanes::Ground<'a> {
        lanes::Ground {
            tx,
            site,
            secret: &self.secret,
            options: self.lanes,
        }
    }
}

impl<P> Clone for Provisioner<P> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}
