//! Dealers on other clusters: the platform stays on the main one and knows two nodes.

use sqlx::{Connection, PgConnection};
use url::Url;

use super::database::{self, READY, Scratch};

/// The nodes of [`Scratch::across_nodes`], in the order of [`node_urls`].
const NODES: [&str; 2] = ["first", "second"];

/// The owner's addresses of the clusters that hold dealers only.
///
/// # Panics
///
/// Without them: run `make test`.
pub fn node_urls() -> Vec<Url> {
    let urls = std::env::var("TUBEX_TEST_NODE_URLS").unwrap_or_default();
    let urls: Vec<_> = urls.split(',').filter(|url| !url.is_empty()).collect();
    assert!(
        urls.len() >= NODES.len(),
        "TUBEX_TEST_NODE_URLS names {} clusters; `make test` starts them, unless \
         TUBEX_TEST_DATABASE_URL is given without it",
        urls.len()
    );
    urls.iter()
        .map(|url| Url::parse(url).expect("TUBEX_TEST_NODE_URLS holds addresses"))
        .collect()
}

impl Scratch {
    /// The ready dealers on three clusters: `acme` on the first node, `bolt` on the second, `core`
    /// where the platform is.
    ///
    /// # Panics
    ///
    /// Without the clusters: run `make test`.
    pub async fn across_nodes() -> Self {
        let mut scratch = Self::empty().await;
        let platform = scratch.owner_url();
        tubex(&platform, &["platform", "migrate"]).await;
        for (name, node) in NODES.into_iter().zip(node_urls()) {
            let database = scratch.add_database_on(&node).await;
            let host = node.host_str().expect("an address of a server");
            let port = node.port().unwrap_or(5432).to_string();
            let add = ["node", "add", name, "--host", host, "--port", &port];
            tubex(&platform, &[&add[..], &["--database", &database]].concat()).await;
        }
        for (number, (slug, name)) in READY.into_iter().enumerate() {
            let place = NODES.get(number).map(|node| ["--node", *node]);
            let platform = platform.clone();
            aside(move || {
                let place = place.as_ref().map_or(&[][..], |words| words);
                database::create_dealer(&platform, slug, name, place);
            })
            .await;
        }
        scratch
    }

    /// A connection as the owner to the database that holds a dealer's schema.
    ///
    /// # Panics
    ///
    /// When there is no such dealer, or its node is gone.
    pub async fn connect_to_home_of(&self, slug: &str) -> PgConnection {
        let home = "SELECT n.host, n.port, n.database FROM platform.tenant t
             JOIN platform.lane l ON l.id = t.lane_id
             JOIN platform.node n ON n.id = l.node_id WHERE t.slug = $1";
        let (host, port, database): (Option<String>, Option<i32>, Option<String>) =
            sqlx::query_as(home)
                .bind(slug)
                .fetch_one(&mut self.connect().await)
                .await
                .expect("the dealer lives somewhere");
        let mut url = Url::parse(&self.owner_url()).expect("an address");
        if let Some(host) = host {
            url.set_host(Some(&host)).expect("a node has a host");
        }
        if let Some(port) = port.and_then(|port| u16::try_from(port).ok()) {
            url.set_port(Some(port)).expect("a node has a port");
        }
        if let Some(database) = database {
            url.set_path(&database);
        }
        PgConnection::connect(url.as_str())
            .await
            .expect("the dealer's node is there")
    }
}

async fn tubex(url: &str, arguments: &[&str]) {
    let url = url.to_owned();
    let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
    aside(move || {
        let words: Vec<_> = arguments.iter().map(String::as_str).collect();
        database::must(super::tubex(&url, &words, &[]));
    })
    .await;
}

/// A program is waited for on a thread that may wait.
async fn aside(work: impl FnOnce() + Send + 'static) {
    tokio::task::spawn_blocking(work)
        .await
        .expect("tubex does what it is told");
}
