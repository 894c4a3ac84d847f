//! The house keeps its shape: arrows between crates and modules, and what each file looks like.

mod files;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn crates_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("entity", &[] as &[&str]),
        ("migration", &[]),
        ("provisioner", &["entity", "migration"]),
        ("server", &["entity", "migration", "provisioner"]),
        ("tests", &["entity", "migration", "provisioner", "server"]),
    ]);

    for (name, may) in &allowed {
        let manifest = read(&root().join(name).join("Cargo.toml"));
        let (_, dependencies) = manifest
            .split_once("[dependencies]")
            .expect("has dependencies");
        let used: Vec<_> = allowed
            .keys()
            .filter(|other| dependencies.lines().any(|line| names(line, other)))
            .filter(|other| *other != name)
            .collect();
        let forbidden: Vec<_> = used
            .into_iter()
            .filter(|other| !may.contains(other))
            .collect();
        assert!(
            forbidden.is_empty(),
            "{name} must not depend on {forbidden:?}"
        );
    }
}

#[test]
fn only_the_binary_of_the_provisioner_knows_our_dealers() {
    let library = sources("provisioner/src").into_iter().filter(|path| {
        let path = path.to_string_lossy();
        !path.contains("/cli/") && !path.ends_with("/main.rs") && !path.ends_with("/cli.rs")
    });

    for path in library {
        // The platform's own table is not the dealers'.
        let code = code_of(&path).replace("operator_refresh_token", "");
        for word in [
            " migration::",
            "(migration::",
            "item_group",
            // Not "member": roles have members, too.
            "refresh_token",
            "barcode",
            "price",
        ] {
            assert!(!code.contains(word), "{} says {word:?}", path.display());
        }
    }
}

#[test]
fn modules_of_the_server_point_one_way() {
    // Each may use itself and what is named here; what isn't named may use everything.
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("kernel", &[] as &[&str]),
        ("config", &[]),
        ("db", &["kernel", "config"]),
        ("redis", &["config"]),
        ("origins", &["kernel", "db"]),
        ("deprecations", &["kernel", "config"]),
        ("limits", &["kernel", "config", "redis"]),
        ("mail", &["kernel", "config", "db", "jobs"]),
        ("storage", &["kernel", "config"]),
        ("audit", &["db", "kernel"]),
        ("jobs", &["audit", "db", "kernel", "config"]),
        ("events", &["audit", "auth", "db", "jobs", "kernel"]),
        (
            "live",
            &["audit", "auth", "config", "db", "events", "kernel"],
        ),
        ("cache", &["kernel", "redis"]),
        (
            "auth",
            &["audit", "cache", "db", "kernel", "config", "redis"],
        ),
        (
            "http",
            &[
                "audit",
                "auth",
                "db",
                "kernel",
                "config",
                "deprecations",
                "events",
                "jobs",
                "limits",
                "origins",
                "redis",
                "state",
            ],
        ),
        ("egress", &["kernel", "config"]),
        ("idp", &["egress", "kernel", "config"]),
        (
            "state",
            &[
                "egress",
                "idp",
                "auth",
                "cache",
                "db",
                "kernel",
                "config",
                "deprecations",
                "events",
                "jobs",
                "limits",
                "live",
                "mail",
                "origins",
                "redis",
                "storage",
            ],
        ),
        (
            "tenant",
            &[
                "http", "audit", "auth", "egress", "events", "idp", "jobs", "live", "db", "kernel",
                "config", "mail", "origins", "state", "storage",
            ],
        ),
        (
            "platform",
            &[
                "http", "audit", "auth", "db", "events", "jobs", "kernel", "config", "mail",
                "state",
            ],
        ),
    ]);
    let modules = [
        "kernel",
        "config",
        "redis",
        "cache",
        "limits",
        "mail",
        "storage",
        "origins",
        "deprecations",
        "db",
        "audit",
        "jobs",
        "events",
        "live",
        "auth",
        "http",
        "egress",
        "idp",
        "state",
        "tenant",
        "platform",
        "startup",
        "routes",
    ];

    for path in sources("server/src") {
        let inside = path
            .strip_prefix(root().join("server/src"))
            .expect("is inside");
        let first = inside
            .components()
            .next()
            .expect("has a name")
            .as_os_str()
            .to_string_lossy();
        let module = first.trim_end_matches(".rs").to_owned();
        let Some(may) = allowed.get(module.as_str()) else {
            continue;
        };
        let code = code_of(&path);
        for other in modules
            .iter()
            .filter(|other| **other != module && !may.contains(other))
        {
            assert!(
                !code.contains(&format!("crate::{other}")),
                "{} must not use crate::{other}",
                path.display()
            );
        }
    }
}

#[test]
fn the_kernel_does_no_input_or_output() {
    for path in sources("server/src/kernel") {
        let code = code_of(&path);
        for word in [
            "sea_orm", "actix", "sqlx", "tokio", "std::fs", "std::net", "now_utc",
        ] {
            assert!(!code.contains(word), "{} says {word:?}", path.display());
        }
    }
}

#[test]
fn only_db_knows_that_there_is_a_pool() {
    for path in sources("server/src") {
        if path.starts_with(root().join("server/src/db")) {
            continue;
        }
        let code = code_of(&path);
        for word in ["sqlx::", "PgPool", "DatabaseConnection", "AssertSqlSafe"] {
            assert!(!code.contains(word), "{} says {word:?}", path.display());
        }
    }
}

#[test]
fn only_the_doctor_opens_connections_past_the_pools() {
    for path in sources("server/src") {
        let inside = path
            .strip_prefix(root().join("server/src"))
            .expect("is inside");
        if inside.starts_with("doctor") || inside.starts_with("db") {
            continue;
        }
        assert!(
            !code_of(&path).contains("probe::"),
            "{} reaches for the doctor's door",
            path.display()
        );
    }
}

/// What a request writes is written through the gate, where it is put on record. Whoever else opens
/// a transaction that writes says here why.
#[test]
fn dealers_rows_are_written_through_the_gate_alone() {
    let may = [
        // The doors themselves, and the gate.
        "db/",
        "http/gate.rs",
        // How much keys are used: counted, not done by anybody.
        "auth/key_trail.rs",
        // After a sign-in, when nobody waits any more: it keeps the record itself.
        "tenant/team/arrival.rs",
        // What is put on record is told of, by the gate and by jobs.
        "events/record.rs",
        // What jobs do commits together with their ends, and they tell the record by themselves.
        "jobs/attempt.rs",
        "jobs/task.rs",
        // What is long over is swept out, for nobody.
        "worker.rs",
    ];
    let mut others = Vec::new();

    for path in sources("server/src") {
        let inside = path
            .strip_prefix(root().join("server/src"))
            .expect("is inside")
            .to_string_lossy()
            .into_owned();
        // Operators' sessions are rows of the platform.
        let of_the_platform = inside.starts_with("platform/");
        if may.iter().any(|it| inside.starts_with(it)) || of_the_platform {
            continue;
        }
        let code = code_of(&path).split_whitespace().collect::<String>();
        for word in [
            "db.write(",
            "db.begin()",
            "audit::append(",
            ".door(",
            "TenantTx::open(",
        ] {
            if code.contains(word) {
                others.push(format!("{inside} says {word:?}"));
            }
        }
    }

    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn services_know_neither_transport_nor_clock_nor_the_end_of_a_transaction() {
    let services = sources("server/src/tenant")
        .into_iter()
        .filter(|path| path.ends_with("service.rs") || path.ends_with("store.rs"));

    for path in services {
        let code = code_of(&path);
        for word in [
            "actix",
            "crate::http",
            "now_utc",
            ".commit(",
            "TenantDb",
            "state::",
        ] {
            assert!(!code.contains(word), "{} says {word:?}", path.display());
        }
    }
}

#[test]
fn entities_stay_off_the_wire() {
    for path in sources("server/src/tenant")
        .into_iter()
        .filter(|path| path.ends_with("http.rs"))
    {
        let code = code_of(&path);
        assert!(
            !code.contains("Json<Model>"),
            "{} answers with an entity",
            path.display()
        );
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("lies in the workspace")
        .to_owned()
}

fn all_sources() -> Vec<PathBuf> {
    let crates = ["entity", "migration", "provisioner", "server", "tests"];
    crates.iter().flat_map(|name| sources(name)).collect()
}

/// The Rust files below a folder.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds no sources");
    found
}

/// A file without its comments and without its tests, which may look behind things.
fn code_of(path: &Path) -> String {
    let text = read(path);
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn names(line: &str, crate_name: &str) -> bool {
    line.split(['.', ' ', '=']).next() == Some(crate_name)
}
