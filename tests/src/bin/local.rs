//! The command behind `make dev`, `make test` and `make bench`: see `tests::local`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use tests::local::say::{print, say};
use tests::local::stop::{Interrupted, Stop};
use tests::local::{
    clean, clients, dev, fuzzer, linter, oidc_provider, run, s3_server, tools, validators,
    verifiers,
};

const USAGE: &str = "\
usage: local COMMAND

  dev                 start Postgres, Redis and the server, with two demo dealers; PORT=8080
  run -- CMD ARGS...  run CMD with throw-away instances: Postgres in TUBEX_TEST_DATABASE_URL,
                      two more of them in TUBEX_TEST_NODE_URLS, Redis in TUBEX_TEST_REDIS_URL
  clean               stop what is left running, remove .local and its data
  tools wrk|chromium|pgbouncer|promtool|validators|oidc-provider|linter|clients|verifiers|fuzzer
                      find a program, or install it, and print where it is; validators are what
                      the tests judge reports with, oidc-provider whom they sign in with, linter
                      what reads the API's documents, clients what generators make of them,
                      fuzzer what makes requests up from them

environment: TUBEX_DATABASE__URL, TUBEX_REDIS__URL (dev uses these instead of its own),
             PG_BIN (where initdb and postgres are), LOCAL_INSTALL=no (never install)";

const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let texts: Vec<&str> = words
        .iter()
        .map(|word| word.to_str().unwrap_or_default())
        .collect();
    let (done, when_interrupted) = match texts.as_slice() {
        ["dev"] => (
            Stop::listen().and_then(|stop| dev::run(&stop)).map(|()| 0),
            0,
        ),
        ["run", "--", _, ..] => (
            Stop::listen().and_then(|stop| run::run(&stop, &words[2..])),
            INTERRUPTED,
        ),
        ["clean"] => (clean::clean().map(|()| 0), INTERRUPTED),
        ["tools", "wrk"] => (show(tools::wrk()), INTERRUPTED),
        ["tools", "pgbouncer"] => (show(tools::pgbouncer()), INTERRUPTED),
        ["tools", "promtool"] => (show(tools::promtool()), INTERRUPTED),
        ["tools", "chromium"] => (show(tools::chromium()), INTERRUPTED),
        ["tools", "validators"] => (
            show(validators::validators().map(|found| found.home)),
            INTERRUPTED,
        ),
        ["tools", "oidc-provider"] => (
            show(oidc_provider::packages().map(|found| found.home)),
            INTERRUPTED,
        ),
        ["tools", "s3-server"] => (
            show(s3_server::environment().map(|found| found.python())),
            INTERRUPTED,
        ),
        ["tools", "linter"] => (
            show(linter::packages().map(|found| found.home)),
            INTERRUPTED,
        ),
        ["tools", "fuzzer"] => (
            show(fuzzer::fuzzer().map(|fuzzer| fuzzer.get_program().into())),
            INTERRUPTED,
        ),
        ["tools", "verifiers"] => (show(verifiers::all()), INTERRUPTED),
        ["tools", "clients"] => (show(clients::all()), INTERRUPTED),
        ["help" | "-h" | "--help"] => {
            print(USAGE);
            (Ok(0), 0)
        }
        _ => {
            say(USAGE);
            (Ok(2), 2)
        }
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) if error.is::<Interrupted>() => {
            say("stopped");
            ExitCode::from(when_interrupted)
        }
        Err(error) => {
            say(format!("local: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn show(program: Result<PathBuf>) -> Result<u8> {
    print(program?.display());
    Ok(0)
}
