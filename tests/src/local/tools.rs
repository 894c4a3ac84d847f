//! Finding the programs of the local stack: Postgres, PgBouncer, Redis or Valkey, wrk,
//! promtool, Chromium.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::install::{self, Package};

/// The oldest Postgres that the product supports.
pub const OLDEST_POSTGRES: u32 = 15;

const HOMEBREW: [&str; 3] = ["/opt/homebrew", "/usr/local", "/home/linuxbrew/.linuxbrew"];

const POSTGRES: Package = Package {
    name: "Postgres",
    apt: "postgresql",
    brew: "postgresql@17",
    instead: "install PostgreSQL 15 or newer and set PG_BIN to the directory of its programs if \
              they are not on PATH, use an existing server (TUBEX_DATABASE__URL for make dev, \
              TUBEX_TEST_DATABASE_URL for make test), or use docker compose",
};

// Debian's redis-server package holds a service, a system user and one symbolic link: the
// program itself is in redis-tools, and that is all we want on somebody's machine.
const REDIS: Package = Package {
    name: "Redis",
    apt: "redis-tools",
    brew: "redis",
    instead: "install redis-server or valkey-server, use an existing one (TUBEX_REDIS__URL for \
              make dev, TUBEX_TEST_REDIS_URL for make test), or use docker compose",
};

const PGBOUNCER: Package = Package {
    name: "PgBouncer",
    apt: "pgbouncer",
    brew: "pgbouncer",
    instead: "install PgBouncer (https://www.pgbouncer.org) and put it on PATH",
};

const WRK: Package = Package {
    name: "wrk",
    apt: "wrk",
    brew: "wrk",
    instead: "install wrk (https://github.com/wg/wrk) and put it on PATH",
};

const PROMTOOL: Package = Package {
    name: "promtool",
    apt: "prometheus",
    brew: "prometheus",
    instead: "install Prometheus (https://prometheus.io) and put its promtool on PATH",
};

const CHROMIUM: Package = Package {
    name: "Chromium",
    apt: "chromium",
    brew: "chromium",
    instead: "install Chromium or Chrome and put it on PATH",
};

/// Names that Chromium goes by; the last ones are where macOS keeps applications.
const BROWSERS: [&str; 6] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// A directory with `initdb`, `pg_ctl` and `postgres`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresPrograms {
    /// The directory.
    pub bin: PathBuf,
    /// The major version.
    pub major: u32,
}

/// A program that serves the Redis protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisProgram {
    /// The file.
    pub path: PathBuf,
    /// The name to start it under: one file serves several purposes, and looks at its name.
    pub called: &'static str,
}

/// Finds Postgres, installs it if there is none.
///
/// `major` is the version that existing data needs; without data any supported one will do.
///
/// # Errors
///
/// When it is neither here nor can be installed, or existing data needs another version.
pub fn postgres(major: Option<u32>) -> Result<PostgresPrograms> {
    if let Some(found) = find_postgres(major)? {
        return Ok(found);
    }
    install::install(&POSTGRES)?;
    find_postgres(major)?
        .with_context(|| format!("Postgres was installed, but is older than {OLDEST_POSTGRES}"))
}

/// Finds Redis or Valkey, installs Redis if there is none.
///
/// # Errors
///
/// When there is none and it cannot be installed.
pub fn redis() -> Result<RedisProgram> {
    if let Some(found) = find_redis() {
        return Ok(found);
    }
    install::install(&REDIS)?;
    find_redis().context("Redis was installed, but cannot be found")
}

/// Finds PgBouncer, through which some of the tests go, or installs it.
///
/// # Errors
///
/// When there is none and it cannot be installed.
pub fn pgbouncer() -> Result<PathBuf> {
    if let Some(found) = find_program("pgbouncer") {
        return Ok(found);
    }
    install::install(&PGBOUNCER)?;
    find_program("pgbouncer").context("PgBouncer was installed, but cannot be found")
}

/// Finds wrk, the load generator of `make bench`, or installs it.
///
/// # Errors
///
/// When there is none and it cannot be installed.
pub fn wrk() -> Result<PathBuf> {
    if let Some(found) = find_program("wrk") {
        return Ok(found);
    }
    install::install(&WRK)?;
    find_program("wrk").context("wrk was installed, but cannot be found")
}

/// Finds promtool, which tries the alert rules, or installs it.
///
/// # Errors
///
/// When there is none and it cannot be installed.
pub fn promtool() -> Result<PathBuf> {
    if let Some(found) = find_program("promtool") {
        return Ok(found);
    }
    install::install(&PROMTOOL)?;
    find_program("promtool").context("Prometheus was installed, but promtool cannot be found")
}

/// Finds Chromium, in which the tests look at pages, or installs it.
///
/// # Errors
///
/// When there is none and it cannot be installed.
pub fn chromium() -> Result<PathBuf> {
    let find = || BROWSERS.iter().find_map(|name| find_program(name));
    if let Some(found) = find() {
        return Ok(found);
    }
    install::install(&CHROMIUM)?;
    find().context("Chromium was installed, but cannot be found")
}

/// An executable of this name on PATH or in one of the usual places.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let brewed = HOMEBREW.iter().map(|prefix| Path::new(prefix).join("bin"));
    std::env::split_paths(&path)
        .filter(|dir| dir.is_absolute())
        .chain(usual)
        .chain(brewed)
        .map(|dir| dir.join(name))
        .find(|file| is_executable(file))
}

fn find_postgres(major: Option<u32>) -> Result<Option<PostgresPrograms>> {
    if let Some(bin) = std::env::var_os("PG_BIN").filter(|bin| !bin.is_empty()) {
        let bin = PathBuf::from(bin);
        let found = programs_in(&bin)
            .with_context(|| format!("PG_BIN={} holds no usable Postgres", bin.display()))?;
        if major.is_some_and(|major| major != found.major) || found.major < OLDEST_POSTGRES {
            bail!(
                "PG_BIN={} is version {}, but {} is needed",
                bin.display(),
                found.major,
                major.map_or_else(
                    || format!("{OLDEST_POSTGRES} or newer"),
                    |it| it.to_string()
                )
            );
        }
        return Ok(Some(found));
    }
    let found: Vec<PostgresPrograms> = postgres_directories()
        .iter()
        .filter_map(|bin| programs_in(bin))
        .filter(|found| found.major >= OLDEST_POSTGRES)
        .collect();
    let Some(major) = major else {
        return Ok(found.into_iter().next());
    };
    match found.iter().find(|found| found.major == major) {
        Some(fitting) => Ok(Some(fitting.clone())),
        None if found.is_empty() => Ok(None),
        None => bail!(
            "the local data was made by Postgres {major}, which is not installed any more \
             (found {}); install it again, or start afresh with `make clean-dev`",
            found
                .iter()
                .map(|found| found.major.to_string())
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

/// Where Postgres may be, best first.
fn postgres_directories() -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    dirs.extend(versioned(Path::new("/usr/lib/postgresql"), "").map(|dir| dir.join("bin")));
    dirs.extend(versioned(Path::new("/usr"), "pgsql-").map(|dir| dir.join("bin")));
    dirs.extend(asked_from_pg_config());
    dirs.extend(find_program("initdb").and_then(|file| {
        // Often a symbolic link into the directory that holds the others as well.
        file.canonicalize().ok()?.parent().map(Path::to_path_buf)
    }));
    for prefix in HOMEBREW {
        let opt = Path::new(prefix).join("opt");
        dirs.extend(versioned(&opt, "postgresql@").map(|dir| dir.join("bin")));
        dirs.push(opt.join("postgresql/bin"));
    }
    dirs
}

/// Subdirectories called `prefix` and a number, highest number first.
fn versioned(parent: &Path, prefix: &str) -> impl Iterator<Item = PathBuf> + use<> {
    let mut found: Vec<(Reverse<u32>, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry
                .file_name()
                .to_str()?
                .strip_prefix(prefix)?
                .parse()
                .ok()?;
            Some((Reverse(version), entry.path()))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, dir)| dir)
}

fn asked_from_pg_config() -> Option<PathBuf> {
    let output = Command::new(find_program("pg_config")?)
        .arg("--bindir")
        .output()
        .ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(path.trim())).filter(|path| path.is_absolute())
}

fn programs_in(bin: &Path) -> Option<PostgresPrograms> {
    if !["initdb", "pg_ctl", "postgres"]
        .iter()
        .all(|name| is_executable(&bin.join(name)))
    {
        return None;
    }
    let output = Command::new(bin.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    let major = postgres_major(&String::from_utf8(output.stdout).ok()?)?;
    Some(PostgresPrograms {
        bin: bin.to_path_buf(),
        major,
    })
}

/// The major version in what `postgres --version` prints.
fn postgres_major(text: &str) -> Option<u32> {
    let (_, version) = text.split_once("(PostgreSQL) ")?;
    let digits = version
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(version.len());
    version[..digits].parse().ok()
}

fn find_redis() -> Option<RedisProgram> {
    let known: [(&OsStr, &'static str); 4] = [
        ("redis-server".as_ref(), "redis-server"),
        ("valkey-server".as_ref(), "valkey-server"),
        // The same program as the server, under the name that a lean package gives it.
        ("redis-check-rdb".as_ref(), "redis-server"),
        ("valkey-check-rdb".as_ref(), "valkey-server"),
    ];
    known.into_iter().find_map(|(file, called)| {
        Some(RedisProgram {
            path: find_program(file.to_str()?)?,
            called,
        })
    })
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_every_distribution_prints_them() {
        let cases = [
            (
                "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n",
                Some(15),
            ),
            ("postgres (PostgreSQL) 17.5 (Homebrew)", Some(17)),
            ("postgres (PostgreSQL) 19devel", Some(19)),
            ("postgres (PostgreSQL) 18beta1", Some(18)),
            ("postgres (PostgreSQL) 16", Some(16)),
            ("mysqld  Ver 8", None),
            ("", None),
        ];

        for (text, major) in cases {
            assert_eq!(postgres_major(text), major, "{text}");
        }
    }

    #[test]
    fn a_program_on_the_path_is_found() {
        assert!(find_program("sh").unwrap().is_absolute());
        assert_eq!(find_program("tubex-no-such-program"), None);
    }
}
