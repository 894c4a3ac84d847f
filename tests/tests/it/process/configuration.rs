//! `check-config` says what is wrong, how to mend it, and never a secret.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output};

use super::program::bare;

const SECRET: &str = "hunter2hunter2hunter2hunter2hunter2";

#[test]
fn a_whole_configuration_is_fine() {
    let output = run(&mut check(&[]));

    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(text(&output.stdout).trim(), "the configuration is fine");
}

#[test]
fn a_mistake_is_named_with_its_remedy() {
    for (key, value, words) in [
        ("TUBEX_HTTP__LISTENN", "x", &["listenn", "listen"] as &[_]),
        ("TUBEX_HTPP__LISTEN", "x", &["htpp", "http"]),
        ("TUBEX_HTTP_LISTEN", "x", &["write TUBEX_HTTP__LISTEN"]),
        ("TUBEX_HTTP__WORKERS", "999", &["http.workers", "256"]),
        ("TUBEX_HTTP__LISTEN", "nowhere", &["http.listen"]),
        (
            "TUBEX_HTTP__BASE_DOMAIN",
            "https://x",
            &["http.base_domain", "without scheme"],
        ),
        (
            "TUBEX_DATABASE__SECRET",
            "short",
            &["database.secret", "32 characters"],
        ),
        (
            "TUBEX_AUTH__TOKEN_SECRET",
            "",
            &["auth.token_secret", "32 characters"],
        ),
        (
            "TUBEX_DATABASE__URL",
            "nonsense",
            &["database.url", "postgres://"],
        ),
        (
            "TUBEX_DATABASE__URL",
            "mysql://u:hunter2@h/d",
            &["database.url", "postgres://"],
        ),
        (
            "TUBEX_REDIS__URL",
            "http://u:hunter2@h/",
            &["redis.url", "redis://"],
        ),
        ("TUBEX_LOG__FILTER", "server=loud=x", &["log.filter"]),
        (
            "TUBEX_CONFIG",
            "/nowhere/tubex.toml",
            &["/nowhere/tubex.toml"],
        ),
    ] {
        let output = run(&mut check(&[(key, value)]));

        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{key}={value}: {output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        for word in words {
            assert!(
                said.contains(word),
                "{key}={value}: {said:?} lacks {word:?}"
            );
        }
        assert!(!said.contains("hunter2"), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn a_missing_key_is_named() {
    for key in [
        "TUBEX_DATABASE__URL",
        "TUBEX_DATABASE__SECRET",
        "TUBEX_AUTH__TOKEN_SECRET",
    ] {
        let output = run(check(&[]).env_remove(key));

        let name = key.rsplit("__").next().unwrap().to_lowercase();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(text(&output.stderr).contains(&name), "{output:?}");
    }
}

#[test]
fn the_other_roles_refuse_a_broken_configuration_as_well() {
    for role in ["api", "worker"] {
        let output = run(bare().arg(role));

        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}

#[test]
fn a_variable_of_others_may_be_anything() {
    let odd = OsStr::from_bytes(b"\xff\xfe");

    let output = run(check(&[]).env("SOMEBODY_ELSES", odd));

    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_variable_of_ours_that_is_no_text_is_refused() {
    let odd = OsStr::from_bytes(b"\xff\xfe");

    let output = run(check(&[]).env("TUBEX_HTTP__BASE_DOMAIN", odd));

    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(
        said.contains("TUBEX_HTTP__BASE_DOMAIN") && !said.contains("panicked"),
        "{said}"
    );
}

fn check(keys: &[(&str, &str)]) -> Command {
    let mut command = bare();
    command
        .arg("check-config")
        .env(
            "TUBEX_DATABASE__URL",
            "postgres://tubex_server@localhost/tubex",
        )
        .env("TUBEX_DATABASE__SECRET", SECRET)
        .env("TUBEX_AUTH__TOKEN_SECRET", SECRET)
        .envs(keys.iter().copied());
    command
}

fn run(command: &mut Command) -> Output {
    command
        .output()
        .expect("the server is built by `make test`")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
