//! A person carries a new version over a fleet with `tubex`: wave by wave, past one dealer that was
//! changed by hand, there and back. What they are told at each step is held to its important words.

use serde_json::{Value, json};
use tests::{OlderDealers, Scratch, tubex};

const OLD: &str = "m0002_catalogue";
const TO: &str = "m0005_session_recent_idx";
/// The dealer that somebody alters.
const ODD: &str = "depot-5";

struct Person {
    database: Scratch,
}

/// What a person saw.
struct Seen {
    code: Option<i32>,
    text: String,
}

impl Seen {
    #[track_caller]
    fn with(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.text);
        for word in words {
            assert!(
                self.text.contains(word),
                "{word:?} is not in: {}",
                self.text
            );
        }
        self
    }

    #[track_caller]
    fn without(self, word: &str) -> Self {
        assert!(!self.text.contains(word), "{word:?} is in: {}", self.text);
        self
    }
}

impl Person {
    /// Types a command; answer and complaint are what a terminal shows.
    fn types(&self, words: &[&str]) -> Seen {
        let output = tubex(&self.database.owner_url(), words, &[]);
        let text = [output.stdout, output.stderr].concat();
        Seen {
            code: output.status.code(),
            text: String::from_utf8_lossy(&text).into_owned(),
        }
    }

    /// The same for a machine: the last line of the answer.
    fn asks(&self, words: &[&str]) -> (Option<i32>, Value) {
        let words = [words, &["--json"]].concat();
        let output = tubex(&self.database.owner_url(), &words, &[]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let last = text.lines().last().unwrap_or_default();
        let answer = serde_json::from_str(last).unwrap_or_else(|_| panic!("{words:?}: {text}"));
        (output.status.code(), answer)
    }

    async fn alters(&self, slug: &str, sql: &str) {
        let schema = self.database.schema_of(slug).await;
        let sql = sql.replace("SCHEMA", &schema);
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut self.database.connect().await)
            .await
            .unwrap();
    }

    /// Nine dealers of an old build, and one of this build.
    async fn arrives() -> Self {
        let database = Scratch::empty().await;
        let person = Self { database };
        person
            .types(&["platform", "migrate"])
            .with(0, &["tubex_server"]);
        let old = OlderDealers::knowing(2);
        let old = old.provisioner(&person.database).await.unwrap();
        for number in 0..9 {
            let slug = format!("depot-{number}");
            OlderDealers::create_at(&old, &slug, None, &["demo"])
                .await
                .unwrap();
        }
        let create = ["tenant", "create", "fresh", "--name", "Fresh"];
        let mail = ["--owner-email", "owner@fresh.example"];
        person
            .types(&[&create[..], &mail].concat())
            .with(0, &["fresh", "active", "created in", "invitation"]);
        person
    }
}

#[tokio::test]
async fn a_person_carries_a_version_over_the_fleet_and_back() {
    let person = Person::arrives().await;
    person.types(&["status"]).with(
        0,
        &[
            OLD,
            server::doctor::NEWEST,
            "= head",
            "10 active",
            "run          none",
        ],
    );
    person
        .types(&["runs", "show"])
        .with(1, &["error", "tubex runs list"]);
    person
        .types(&["runs", "list"])
        .with(0, &["no runs yet", "tubex migrate"]);
    person
        .alters(ODD, "ALTER TABLE SCHEMA.item ADD COLUMN mine text")
        .await;
    person
        .types(&["drift"])
        .with(1, &[ODD, "item: column `mine` text is extra", "1 drifted"]);

    // The canary goes first, and then somebody has to say yes.
    let waves = ["--canary", "slug=depot-0", "--wave", "50,100", "--approve"];
    let begin = ["migrate", "--to", TO, "--max-failures", "0"];
    person.types(&[&begin[..], &waves].concat()).with(
        0,
        &[
            "9 tenants",
            "3 waves",
            "waiting",
            "1 of 9 done",
            "tubex runs approve",
        ],
    );
    person.types(&["runs", "show"]).with(
        0,
        &[
            "waiting",
            "1 of 3",
            "1 done, 8 pending",
            "wave 1 is over",
            "approval",
        ],
    );
    person
        .types(&["migrate"])
        .with(1, &["is not over", "waiting", "tubex runs cancel"]);

    // Somewhere in what follows the odd one is met.
    let halted = loop {
        let seen = person.types(&["runs", "approve"]);
        if seen.code != Some(0) {
            break seen;
        }
        let seen = seen.with(0, &["waiting"]);
        assert!(!seen.text.contains("9 of 9"), "{}", seen.text);
    };
    halted.with(1, &["halted", "1 quarantined", "tubex runs show"]);
    person.types(&["runs", "show"]).with(
        0,
        &[
            "halted",
            ODD,
            "quarantined",
            "extra",
            "column item.mine",
            "tubex runs retry",
        ],
    );
    let (code, shown) = person.asks(&["runs", "show", "--state", "quarantined"]);
    assert_eq!((code, &shown["state"]), (Some(0), &json!("halted")));
    assert_eq!(shown["places"][0]["slug"], ODD, "{shown}");
    let extra = &shown["places"][0]["error"]["difference"]["extra"]["objects"];
    assert_eq!(extra, &json!(["column item.mine"]));
    person.types(&["runs", "approve"]).with(1, &["error"]);
    let (_, status) = person.asks(&["status"]);
    assert_eq!(
        (&status["quarantined"], &status["drifted"]),
        (&json!(1), &json!(1)),
        "{status}"
    );

    // Mended, it gets its turn, and the others after it.
    person
        .alters(ODD, "ALTER TABLE SCHEMA.item DROP COLUMN mine")
        .await;
    let mut seen = person.types(&["runs", "retry"]);
    for _ in 0..2 {
        if seen.text.contains("waiting") {
            seen = person.types(&["runs", "approve"]);
        }
    }
    seen.with(0, &["9 of 9 done", "done"])
        .without("quarantined\n");
    person.types(&["runs", "retry"]).with(0, &["done"]);
    person
        .types(&["status"])
        .with(0, &[TO, "quarantined  0", "drifted      0"])
        .without(OLD);
    person
        .types(&["drift"])
        .with(0, &["10 schemas", "0 drifted"]);

    // And all the way back.
    person
        .types(&["runs", "rollback"])
        .with(0, &["taking back", "9 of 9 done"]);
    person.types(&["status"]).with(0, &[OLD]).without(TO);
    person.types(&["drift"]).with(0, &["0 drifted"]);
    person
        .types(&["runs", "list"])
        .with(0, &["migration", "rollback", "9/9"]);
    person
        .types(&["runs", "rollback"])
        .with(1, &["took another one back", "tubex migrate"]);
    person.types(&["status"]).with(0, &[OLD]).without(TO);
}

#[tokio::test]
async fn a_script_reads_the_same_walk_as_json() {
    let person = Person::arrives().await;
    // A column that the first step would add.
    person
        .alters(ODD, "ALTER TABLE SCHEMA.item_barcode ADD COLUMN kind text")
        .await;

    let (code, ended) = person.asks(&["migrate", "--max-failures", "1"]);
    assert_eq!(
        (code, &ended["event"], &ended["state"]),
        (Some(1), &json!("ended"), &json!("done")),
        "{ended}"
    );
    let tenants = &ended["tenants"];
    let troubled = tenants["failed"].as_i64().unwrap() + tenants["quarantined"].as_i64().unwrap();
    assert_eq!((&tenants["done"], troubled), (&json!(8), 1), "{ended}");
    let (code, drift) = person.asks(&["drift"]);
    assert_eq!((code, &drift["drifted"][0]["slug"]), (Some(1), &json!(ODD)));

    person
        .alters(ODD, "ALTER TABLE SCHEMA.item_barcode DROP COLUMN kind")
        .await;
    let (code, retried) = person.asks(&["runs", "retry"]);
    assert_eq!(
        (code, &retried["tenants"]["done"]),
        (Some(0), &json!(9)),
        "{retried}"
    );
    let (code, status) = person.asks(&["status"]);
    assert_eq!(code, Some(0));
    assert_eq!(status["versions"].as_array().unwrap().len(), 1, "{status}");
    assert_eq!(status["versions"][0]["tenants"], 10, "{status}");
    let (code, drift) = person.asks(&["drift"]);
    assert_eq!((code, &drift["drifted"]), (Some(0), &json!([])));

    // The contract's tables are what they were before, but the way back is refused.
    let refused = person.types(&["runs", "rollback", "--json"]);
    let refused = refused.with(1, &["one_way", "m0006_session_member_id_idx"]);
    let error: Value = serde_json::from_str(refused.text.trim()).unwrap();
    assert!(error["error"]["hint"].is_string(), "{error}");
}
