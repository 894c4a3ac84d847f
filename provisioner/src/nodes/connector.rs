//! The way to other nodes: with the platform's own login, to another host, port or database.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use entity::platform::node;
use sea_orm::{DatabaseConnection, SqlxPostgresConnector};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::Mutex;

use super::is_own;

/// As many as may work on a run at once.
const CONNECTIONS: u32 = 16;

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens connections to nodes, and keeps them. Cheap to clone.
///
/// Login, password and all other options are those of the platform's address; only host, port
/// and database come from the directory. Where the address has no password, the password file of
/// libpq (`~/.pgpass`, or `PGPASSFILE`) is asked for each node's own.
#[derive(Clone)]
pub struct NodeConnector {
    platform: SecretString,
    open: Arc<Mutex<HashMap<Address, DatabaseConnection>>>,
}

/// Host, port and database.
type Address = (Option<String>, Option<i32>, Option<String>);

/// Why a node could not be worked on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReachError {
    /// Whoever made this provisioner gave it no way to other nodes.
    #[error("node {0} is not the platform's own, and no way to other nodes was given")]
    NoConnector(String),
    /// The platform's address cannot be read.
    #[error("the platform's address cannot be read")]
    Address,
    /// The node does not answer, or refuses us.
    #[error("node {node} cannot be reached: {reason}")]
    Unreachable {
        /// What operators call it.
        node: String,
        /// What the system or the node says. Holds no password.
        reason: String,
    },
}

impl NodeConnector {
    /// A way to nodes with the login of the platform's own address,
    /// `postgres://user:password@host:port/database`.
    pub fn new(platform: SecretString) -> Self {
        Self {
            platform,
            open: Arc::default(),
        }
    }

    /// A connection to a node, the same one each time.
    pub(crate) async fn connect(
        &self,
        node: &node::Model,
    ) -> Result<DatabaseConnection, ReachError> {
        let address = (node.host.clone(), node.port, node.database.clone());
        // Held while we connect, so that two who come at once share one pool.
        let mut open = self.open.lock().await;
        if let Some(connection) = open.get(&address) {
            return Ok(connection.clone());
        }
        let options = self.options(node)?;
        // A single connection first: a pool hides the reason behind its time-out.
        let unreachable = |reason: String| ReachError::Unreachable {
            node: node.name.clone(),
            reason,
        };
        let first = tokio::time::timeout(PATIENCE, options.connect())
            .await
            .map_err(|_| unreachable("it did not answer in time".to_owned()))?
            .map_err(|error| unreachable(error.to_string()))?;
        // Only a farewell; if it fails the node hangs up for us.
        let _ = first.close().await;
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options);
        let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
        open.insert(address, connection.clone());
        Ok(connection)
    }

    /// The platform's options with the node's host, port and database. They are written into the
    /// address, not set afterwards, so that the password file is asked about the node.
    fn options(&self, node: &node::Model) -> Result<PgConnectOptions, ReachError> {
        debug_assert!(!is_own(node), "the platform's own node needs no connector");
        let text = self.platform.expose_secret();
        // What sqlx can't read must not get further: its parser knows more than ours.
        PgConnectOptions::from_str(text).map_err(|_| ReachError::Address)?;
        let mut url = PgConnectOptions::new_without_pgpass()
            .to_url_lossy()
            .join(text)
            .map_err(|_| ReachError::Address)?;
        let replaced: &[&str] = match node.host {
            Some(_) => &["host", "hostaddr"],
            None => &[],
        };
        let mut pairs: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(key, _)| !replaced.contains(&key.as_ref()))
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        if let Some(host) = &node.host {
            // As a parameter, which takes every form of a host: an address of either kind, a
            // name, the directory of a socket. What stands before the path must not compete.
            url.set_host(Some("localhost"))
                .map_err(|_| ReachError::Address)?;
            pairs.push(("host".to_owned(), host.clone()));
        }
        if let Some(port) = node.port {
            pairs.push(("port".to_owned(), port.to_string()));
        }
        if let Some(database) = &node.database {
            pairs.push(("dbname".to_owned(), database.clone()));
        }
        pairs.push(("application_name".to_owned(), "tubex".to_owned()));
        url.query_pairs_mut().clear().extend_pairs(pairs);
        Ok(PgConnectOptions::from_url(&url)
            .map_err(|_| ReachError::Address)?
            // A statement that makes a login carries its verifier; nothing of it belongs in a log.
            .disable_statement_logging())
    }
}

/// Shows nothing of the address: the password is in it.
impl fmt::Debug for NodeConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeConnector").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(host: Option<&str>, port: Option<i32>, database: Option<&str>) -> node::Model {
        node::Model {
            id: uuid::Uuid::nil(),
            name: "n2".to_owned(),
            host: host.map(str::to_owned),
            port,
            database: database.map(str::to_owned),
            created_at: crate::history::now(),
        }
    }

    fn options(platform: &str, node: &node::Model) -> PgConnectOptions {
        NodeConnector::new(platform.into()).options(node).unwrap()
    }

    #[test]
    fn only_what_the_node_says_is_replaced() {
        let platform = "postgres://owner:p%40ss@one:5555/tubex?sslmode=disable";

        let other_host = options(platform, &node(Some("two"), None, None));
        let other_port = options(platform, &node(Some("::1"), Some(6666), Some("fleet")));
        let other_database = options(platform, &node(None, None, Some("fleet")));

        let shape = |options: &PgConnectOptions| {
            (
                options.get_host().to_owned(),
                options.get_port(),
                options.get_database().map(str::to_owned),
                options.get_username().to_owned(),
            )
        };
        let like = |host: &str, port, database: &str| {
            (
                host.to_owned(),
                port,
                Some(database.to_owned()),
                "owner".to_owned(),
            )
        };
        assert_eq!(shape(&other_host), like("two", 5555, "tubex"));
        assert_eq!(shape(&other_port), like("::1", 6666, "fleet"));
        assert_eq!(shape(&other_database), like("one", 5555, "fleet"));
        assert!(other_host.to_url_lossy().as_str().contains("p%40ss"));
    }

    #[test]
    fn a_socket_of_the_platform_does_not_follow_to_another_host() {
        let found = options(
            "postgres://owner@%2Fvar%2Frun/tubex",
            &node(Some("two"), Some(1), None),
        );

        assert!(found.get_socket().is_none());
        assert_eq!(found.get_host(), "two");
    }

    #[test]
    fn nothing_shows_the_password() {
        let connector = NodeConnector::new("postgres://owner:hunter2@one/tubex".into());

        assert!(!format!("{connector:?}").contains("hunter2"));
    }
}
