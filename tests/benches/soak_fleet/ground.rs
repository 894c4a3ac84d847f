//! The ground that is soaked: a platform and two nodes, each on a cluster of its own, so that one
//! can crash without the others; and a folder for exports.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tests::local::account::Account;
use tests::local::place::{self, ThrowAway};
use tests::local::postgres::{Stopping, choose_password};
use tests::local::{Durability, Postgres, secret};
use tests::{Scratch, tubex};
use url::Url;

/// What the platform's own node and the others are called, in the order of their clusters.
pub const OTHERS: [&str; 2] = ["first", "second"];
const DATABASE: &str = "tubex_canaries";
/// So few on the first lanes that some are full and others are added.
const CAPACITY: u16 = 30;

/// The clusters and what is on them.
pub struct Ground {
    /// Where the platform lives.
    pub platform: Scratch,
    /// All nodes; the platform's own is the first.
    pub nodes: Vec<Node>,
    /// Gone when stopped to be started again; declared before the folder they live in.
    clusters: Vec<Option<Postgres>>,
    folder: ThrowAway,
}

/// A node and the way to it.
#[derive(Debug, Clone)]
pub struct Node {
    /// What operators call it.
    pub name: String,
    /// The owner's address.
    pub url: String,
}

impl Node {
    /// A connection as the owner.
    ///
    /// # Errors
    ///
    /// While the cluster is down.
    pub async fn connect(&self) -> Result<PgConnection> {
        let connecting = PgConnection::connect(&self.url);
        let connection = tokio::time::timeout(Duration::from_secs(10), connecting).await;
        Ok(connection.context("the cluster does not answer")??)
    }
}

impl Ground {
    /// Starts the clusters and makes the platform.
    ///
    /// # Errors
    ///
    /// When one does not start.
    pub async fn prepare() -> Result<Self> {
        let account = Account::detect()?;
        let folder = ThrowAway::create(&account)?;
        let root = folder.path().to_owned();
        let clusters = tokio::task::spawn_blocking(move || start(&root, &account)).await??;
        let server: Url = clusters[0].url("postgres").parse()?;
        let platform = Scratch::empty_on(&server).await;
        let url = platform.owner_url();
        must(&url, &["platform", "migrate"])?;
        let mut nodes = Vec::new();
        for (name, cluster) in OTHERS.into_iter().zip(&clusters[1..]) {
            let mut connection = PgConnection::connect(&cluster.url("postgres")).await?;
            let create = format!("CREATE DATABASE {DATABASE}");
            sqlx::raw_sql(AssertSqlSafe(create))
                .execute(&mut connection)
                .await?;
            let port = cluster.port().to_string();
            let add = ["node", "add", name, "--host", "127.0.0.1", "--port", &port];
            must(&url, &[&add[..], &["--database", DATABASE]].concat())?;
            nodes.push(Node {
                name: name.to_owned(),
                url: cluster.url(DATABASE),
            });
        }
        let mut connection = platform.connect().await;
        let own: String = sqlx::query_scalar("SELECT name FROM platform.node WHERE host IS NULL")
            .fetch_one(&mut connection)
            .await?;
        nodes.insert(0, Node { name: own, url });
        sqlx::query("UPDATE platform.lane SET capacity = $1")
            .bind(i32::from(CAPACITY))
            .execute(&mut connection)
            .await?;
        let ground = Self {
            platform,
            nodes,
            clusters: clusters.into_iter().map(Some).collect(),
            folder,
        };
        std::fs::create_dir(ground.exports())?;
        Ok(ground)
    }

    /// The folder of all exports.
    pub fn exports(&self) -> PathBuf {
        self.folder.path().join("exports")
    }

    /// The node of the platform.
    pub fn own(&self) -> &Node {
        &self.nodes[0]
    }

    /// Stops a node's cluster and starts it again.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub async fn restart(&mut self, node: usize, stopping: Stopping) -> Result<()> {
        let Some(mut cluster) = self.clusters[node].take() else {
            return Ok(());
        };
        let restarting = tokio::task::spawn_blocking(move || {
            let restarted = cluster.restart(stopping);
            (cluster, restarted)
        });
        let (cluster, restarted) = restarting.await?;
        self.clusters[node] = Some(cluster);
        restarted
    }
}

/// Clusters with one owner's password: the provisioner works on all of them with one login.
fn start(root: &Path, account: &Account) -> Result<Vec<Postgres>> {
    let password = secret::random_text::<24>()?;
    let mut clusters = Vec::new();
    for name in ["platform", OTHERS[0], OTHERS[1]] {
        let dir = root.join(name);
        place::make_private(&dir, account)?;
        choose_password(&dir, &password)?;
        // Kept, although it goes with the folder: what was committed must be there after a crash.
        clusters.push(Postgres::start(&dir, Durability::Kept)?);
    }
    Ok(clusters)
}

/// Runs `tubex`, which has to do what it is told.
fn must(url: &str, words: &[&str]) -> Result<()> {
    let output = tubex(url, words, &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{words:?}: {said}");
    Ok(())
}
