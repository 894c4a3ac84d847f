//! A transaction pooler between a server and its database.

use secrecy::ExposeSecret;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use url::Url;

use super::database::Scratch;
use crate::local;
use crate::local::account::Account;
use crate::local::place::ThrowAway;

/// A real PgBouncer in transaction mode, in front of a test's database.
#[derive(Debug)]
pub struct PgBouncer {
    // Before its folder, so that it has ended when that goes.
    instance: local::PgBouncer,
    url: String,
    _folder: ThrowAway,
}

impl PgBouncer {
    /// Starts one in which each login shares so many connections to the database.
    ///
    /// # Panics
    ///
    /// When it can't be had or does not start.
    pub async fn in_front_of(database: &Scratch, pool_size: u16) -> Self {
        let owner = Url::parse(&database.owner_url()).expect("an address");
        let (instance, folder) = tokio::task::spawn_blocking(move || {
            let folder = ThrowAway::create(&Account::detect()?)?;
            let dir = folder.path().join("pgbouncer");
            anyhow::Ok((local::PgBouncer::start(&dir, &owner, pool_size)?, folder))
        })
        .await
        .expect("the thread that starts it ends")
        .expect("PgBouncer starts");
        let mut url = Url::parse(&database.server_url()).expect("an address");
        url.set_host(Some("127.0.0.1")).expect("a host");
        url.set_port(Some(instance.port())).expect("a port");
        Self {
            instance,
            url: url.into(),
            _folder: folder,
        }
    }

    /// The server's address of the database, by way of this pooler.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The keys of a server that works through this pooler and hears of changes past it.
    pub fn keys<'a>(&'a self, direct: &'a str) -> [(&'a str, &'a str); 3] {
        [
            ("TUBEX_DATABASE__URL", self.url()),
            ("TUBEX_DATABASE__DIRECT_URL", direct),
            // Debian's PgBouncer knows no prepared statements.
            ("TUBEX_DATABASE__PREPARED_STATEMENTS", "unnamed"),
        ]
    }

    /// A connection through it as one of the server's logins.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub async fn connect_as(&self, database: &Scratch, login: &str) -> PgConnection {
        let password = provisioner::login_password(&database.secret().into(), login);
        let options: PgConnectOptions = self.url.parse().expect("an address");
        let options = options.username(login).password(password.expose_secret());
        PgConnection::connect_with(&options)
            .await
            .expect("the pooler lets the login in")
    }

    /// The last lines of its log.
    pub fn last_words(&self) -> String {
        self.instance.last_words()
    }
}
