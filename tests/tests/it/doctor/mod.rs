//! The doctor finds what would let dealers see or disturb each other, names it, and keeps a server
//! from serving over it.

mod boot;
mod findings;
mod walls;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor};
use tests::{Scratch, tubex};

use crate::process::program::command;

/// A fleet whose roles no other test knows: roles belong to the whole cluster, and these get
/// rights that they should not have.
struct OwnFleet {
    database: Scratch,
}

impl OwnFleet {
    /// Two dealers on one lane.
    async fn new() -> Self {
        let fleet = Self {
            database: Scratch::empty().await,
        };
        fleet.tubex(&["platform", "migrate"]);
        for slug in ["acme", "bolt"] {
            fleet.create(slug);
        }
        fleet
    }

    /// A third dealer on a second lane.
    async fn with_second_lane() -> Self {
        let fleet = Self::new().await;
        fleet.sql("UPDATE platform.lane SET capacity = 2").await;
        fleet.create("core");
        fleet
    }

    fn create(&self, slug: &str) {
        let email = format!("owner@{slug}.example");
        let about = ["--name", slug, "--owner-email", &email];
        self.tubex(&[&["tenant", "create", slug], &about[..]].concat());
    }

    fn tubex(&self, arguments: &[&str]) {
        let password = [("TUBEX_OWNER_PASSWORD", "a fine password for tests")];
        let output = tubex(&self.database.owner_url(), arguments, &password);
        assert!(output.status.success(), "{output:?}");
    }

    /// The login of a dealer's lane.
    async fn lane_of(&self, slug: &str) -> String {
        let sql = "SELECT l.login_role FROM platform.lane l JOIN platform.tenant t
             ON t.lane_id = l.id WHERE t.slug = $1";
        sqlx::query_scalar(sql)
            .bind(slug)
            .fetch_one(&mut self.database.connect().await)
            .await
            .unwrap()
    }

    async fn sql(&self, statements: &str) {
        let mut connection = self.database.connect().await;
        let done = connection.execute(AssertSqlSafe(statements)).await;
        done.unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    fn examine(&self, keys: &[(&str, &str)]) -> Examined {
        examine(&self.database, keys)
    }
}

/// What `server doctor --json` said, and its exit code.
struct Examined {
    code: i32,
    report: Value,
}

fn examine(database: &Scratch, keys: &[(&str, &str)]) -> Examined {
    let mut command = command(database, keys);
    let output = command.args(["doctor", "--json"]).output().unwrap();
    let report = serde_json::from_slice(&output.stdout);
    Examined {
        code: output.status.code().unwrap(),
        report: report.unwrap_or_else(|error| panic!("{error}: {output:?}")),
    }
}

impl Examined {
    #[track_caller]
    fn check(&self, name: &str) -> &Value {
        let checks = self.report["checks"].as_array().unwrap();
        let found = checks.iter().find(|check| check["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {:#}", self.report))
    }

    /// A check failed, says why with this word, and what to do; and the exit code says so too.
    #[track_caller]
    fn assert_failed(&self, name: &str, because: &str) {
        assert_eq!(self.code, 1, "{:#}", self.report);
        self.assert_came_out(name, "failed", because);
    }

    /// A check warns, and the exit code says that all is well.
    #[track_caller]
    fn assert_warned(&self, name: &str, because: &str) {
        assert_eq!(self.code, 0, "{:#}", self.report);
        self.assert_came_out(name, "warning", because);
    }

    #[track_caller]
    fn assert_came_out(&self, name: &str, outcome: &str, because: &str) {
        let check = self.check(name);
        assert_eq!(check["outcome"], outcome, "{:#}", self.report);
        let detail = check["detail"].as_str().unwrap();
        assert!(detail.contains(because), "{detail}");
        assert!(!check["remedy"].as_str().unwrap().is_empty());
    }
}
