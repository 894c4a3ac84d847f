//! `local dev`: everything that a running Tubex needs, from an empty checkout to a sign-in.

pub mod dealers;
pub mod log;
pub mod ready;
pub mod secrets;
pub mod server;
pub mod summary;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use self::dealers::Tubex;
use self::secrets::Secrets;
use self::server::{Server, Settings};
use self::summary::{Part, Summary};
use super::account::Account;
use super::place::Place;
use super::postgres::{self, Durability, Postgres};
use super::redis::Redis;
use super::say::{print, say};
use super::stop::Stop;
use super::{port, url};

const DATABASE_URL: &str = "TUBEX_DATABASE__URL";
const REDIS_URL: &str = "TUBEX_REDIS__URL";

/// Starts the stack, keeps it until somebody asks to stop, and stops it in order.
///
/// # Errors
///
/// When a part cannot be had or ends by itself; [`super::stop::Interrupted`] when asked to stop
/// before everything was up.
pub fn run(stop: &Stop) -> Result<()> {
    let started = Instant::now();
    let port = chosen_port()?;
    let programs = Programs::beside_us()?;
    let place = Place::here(&Account::detect()?)?;
    let _alone = place.lock()?;
    summary::forget(&place)?;
    server::end_leftover(&place);
    expect_free(port)?;
    if place.is_stand_in() {
        let (home, instances) = (place.home.display(), place.instances.display());
        say(format!(
            "the database's user cannot reach {home}: its files are in {instances}"
        ));
    }

    // Declared in the order of their starts, so that an early return stops them in reverse.
    let database_given = given(DATABASE_URL);
    let data = place.instances.join("postgres/data");
    let secrets = Secrets::load_or_create(&place, database_given.is_none() && data.exists())?;
    let mut database = match database_given {
        Some(url) => Database::Given(url),
        None => Database::ours(&place)?,
    };
    let owner_url = database.owner_url();
    let server_url = url::for_server(&owner_url)?;
    stop.check()?;
    let cache = Cache::find(&place);
    stop.check()?;

    let tubex = Tubex::new(programs.tubex.clone(), owner_url.clone(), &secrets);
    let dealers = dealers::prepare(&tubex, &secrets, stop)?;
    let settings = Settings {
        program: programs.server,
        port,
        database_url: server_url,
        redis_url: cache.url(),
    };
    let mut server = Server::start(&place, &settings, &secrets)?;
    server.wait_until_ready(stop)?;

    let summary = Summary {
        port,
        dealers,
        owner_url,
        database_secret: secrets.database_secret().to_owned(),
        tubex: programs
            .tubex
            .strip_prefix(&place.checkout)
            .unwrap_or(&programs.tubex)
            .to_owned(),
        parts: vec![database.part(), cache.part()],
    };
    summary.write(&place)?;
    print(summary.text(started.elapsed()));

    let ended = watch(&mut server, &mut database, stop);
    if stop.is_requested() {
        say("\nstopping (once more to be impatient) …");
    }
    summary::forget(&place)?;
    server.stop(stop)?;
    drop(cache);
    drop(database);
    ended?;
    say("stopped; the data stays for the next time");
    Ok(())
}

/// Returns when somebody asks to stop, with an error when a part ends by itself.
fn watch(server: &mut Server, database: &mut Database, stop: &Stop) -> Result<()> {
    while !stop.is_requested() {
        server.echo_log();
        if let Some(obituary) = server.obituary()? {
            bail!(obituary);
        }
        if let Database::Ours(postgres) = database
            && let Some(last_words) = postgres.obituary()
        {
            bail!("Postgres ended by itself:{last_words}");
        }
        stop.pause(Duration::from_millis(200));
    }
    Ok(())
}

enum Database {
    Given(String),
    Ours(Postgres),
}

impl Database {
    fn ours(place: &Place) -> Result<Self> {
        let dir = place.instances.join("postgres");
        Postgres::start(&dir, Durability::Kept).map(Self::Ours)
    }

    fn owner_url(&self) -> String {
        match self {
            Self::Given(url) => url.clone(),
            Self::Ours(postgres) => postgres.url(postgres::DATABASE),
        }
    }

    fn part(&self) -> Part {
        let origin = match self {
            Self::Given(_) => format!("from {DATABASE_URL}"),
            Self::Ours(_) => "private".to_owned(),
        };
        Part {
            name: "Postgres",
            text: format!("{} ({origin})", url::shown(&self.owner_url())),
        }
    }
}

enum Cache {
    Given(String),
    Ours(Redis),
    None,
}

impl Cache {
    /// The cache is optional: the server does without, with limits per process.
    fn find(place: &Place) -> Self {
        if let Some(url) = given(REDIS_URL) {
            return Self::Given(url);
        }
        match Redis::start(&place.instances.join("redis")) {
            Ok(redis) => Self::Ours(redis),
            Err(error) => {
                say(format!("going on without Redis: {error:#}"));
                Self::None
            }
        }
    }

    fn url(&self) -> Option<String> {
        match self {
            Self::Given(url) => Some(url.clone()),
            Self::Ours(redis) => Some(redis.url()),
            Self::None => None,
        }
    }

    fn part(&self) -> Part {
        let text = match self {
            Self::Given(_) => format!("from {REDIS_URL}"),
            Self::Ours(redis) => format!("127.0.0.1:{} (private)", redis.port()),
            Self::None => "none (the server's own memory instead)".to_owned(),
        };
        Part {
            name: "Redis",
            text,
        }
    }
}

/// The programs that were built together with this one.
struct Programs {
    server: PathBuf,
    tubex: PathBuf,
}

impl Programs {
    fn beside_us() -> Result<Self> {
        let us = std::env::current_exe().context("cannot find our own program")?;
        let beside = |name: &str| {
            let program = us.with_file_name(name);
            if !program.is_file() {
                bail!(
                    "{} is missing; run `cargo build --workspace --bins`",
                    program.display()
                );
            }
            Ok(program)
        };
        Ok(Self {
            server: beside("server")?,
            tubex: beside("tubex")?,
        })
    }
}

fn given(key: &str) -> Option<String> {
    std::env::var(key).ok().filter(|value| !value.is_empty())
}

fn chosen_port() -> Result<u16> {
    const DEFAULT: u16 = 8080;
    match given("PORT") {
        None => Ok(DEFAULT),
        Some(text) => match text.parse() {
            Ok(port) if port > 0 => Ok(port),
            _ => bail!("PORT={text} is not a port; use a number from 1 to 65535"),
        },
    }
}

fn expect_free(port: u16) -> Result<()> {
    if port::is_free(port) {
        return Ok(());
    }
    let by = port::holder(port).map_or_else(String::new, |holder| format!(" by {holder}"));
    let other = port.checked_add(1).unwrap_or(8080);
    bail!("port {port} is taken{by}; choose another one: PORT={other} make dev")
}
