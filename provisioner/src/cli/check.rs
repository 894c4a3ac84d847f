//! `tubex check`: proves migrations before they meet a tenant.

mod answer;
mod child;
mod keeper;
mod order;
mod source;
mod watched;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use provisioner::check::{Part, PartReport, Report, ScratchName};
use provisioner::report::{Format, json};
use secrecy::{ExposeSecret as _, SecretString};

use self::answer::{Answer, ReportFile};
use self::keeper::Outcome;
use self::order::{Order, Place};
use super::failure::Failure;
use super::output::say;

const EXAMPLES: &str = "\
Examples:
  tubex check                                  everything, on a database that is made and removed
  tubex check --since m0005_session_recent_idx only what a branch adds
  tubex check --only lint,kind --verbose       with all locks that were held
  tubex check --fleet-url postgres://…         and every tenant of a fleet, which is only read
  tubex check --source ../branch               builds that checkout first, then lets it check
  tubex check --format github --report sarif=check.sarif --report junit=check.xml

Every finding has a code; tubex explain CODE says why it hurts, what to do instead, and how to let
it stay. Exit codes: 0 nothing found; 1 findings; 2 could not run.";

/// What to check, where, and how to say it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CheckArgs {
    /// Only these parts
    #[arg(long, value_name = "PART", value_delimiter = ',', value_parser = part())]
    only: Vec<Part>,
    /// All parts but these
    #[arg(
        long,
        value_name = "PART",
        value_delimiter = ',',
        value_parser = part(),
        conflicts_with = "only"
    )]
    skip: Vec<Part>,
    /// Look only at migrations after this one; those before it are still run
    #[arg(long, value_name = "MIGRATION")]
    since: Option<String>,
    /// An empty database to try migrations in. Without it one is made on the server of
    /// --database-url, and removed again; that takes a role that may create databases and roles.
    #[arg(
        long,
        env = "TUBEX_CHECK__SCRATCH_URL",
        hide_env_values = true,
        value_name = "URL",
        value_parser = super::secret
    )]
    scratch_url: Option<SecretString>,
    /// A platform's database, whose tenants are compared with their versions. Nothing is written
    /// there.
    #[arg(long, value_name = "URL", hide_env_values = true, value_parser = super::secret)]
    fleet_url: Option<SecretString>,
    /// How long one migration may take
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..=86_400)
    )]
    timeout: u64,
    /// How many rows each table is given before a migration runs
    #[arg(
        long,
        value_name = "N",
        default_value_t = 50,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    rows: u32,
    /// What those rows are made from: the same number makes the same rows
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// How to say what was found; --json is the same as --format json
    #[arg(long, default_value = "human", value_parser = format())]
    format: Format,
    /// Also write it to a file, in a format of its own; may be said several times
    #[arg(long, value_name = "FORMAT=FILE", value_parser = ReportFile::parse)]
    report: Vec<ReportFile>,
    /// Build this checkout with cargo, and let what was built do the checking. What the compiler
    /// refuses is a finding.
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
    /// Also show every lock that was held, and whole statements
    #[arg(long)]
    verbose: bool,
    /// When to use colours; NO_COLOR is respected
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: When,
    /// Print the JSON Schema of --format json, and do nothing else
    #[arg(long)]
    print_schema: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

/// Exit code 1 when something was found.
pub(super) async fn run(
    args: CheckArgs,
    database_url: Option<SecretString>,
    json: bool,
) -> Result<ExitCode, Failure> {
    if child::is_this() {
        return child::run().await;
    }
    if args.print_schema {
        say(json::SCHEMA.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let answer = args.answer(json);
    if let Some(folder) = &args.source {
        return source::check(folder, &answer, args.parts()).await;
    }
    match keeper::check(&args.order(database_url, json)?).await? {
        Outcome::Report(report) => answer.give(&report),
        Outcome::Stuck => Ok(ExitCode::from(2)),
    }
}

impl CheckArgs {
    /// Whether also a failure is for a machine to read.
    pub(super) fn wants_json(&self) -> bool {
        self.format == Format::Json
    }

    fn answer(&self, json: bool) -> Answer {
        Answer {
            format: if json { Format::Json } else { self.format },
            files: self.report.clone(),
            has_colour: match self.color {
                When::Auto => answer::is_colourful(),
                When::Always => true,
                When::Never => false,
            },
            is_verbose: self.verbose,
        }
    }

    fn parts(&self) -> Vec<Part> {
        let is_wanted = |part: &Part| match self.only.as_slice() {
            [] => !self.skip.contains(part),
            only => only.contains(part),
        };
        Part::ALL.into_iter().filter(is_wanted).collect()
    }

    fn order(&self, database_url: Option<SecretString>, json: bool) -> Result<Order, Failure> {
        let parts = self.parts();
        if parts.is_empty() {
            return Err(
                Failure::usage("no part is left to check").hint("name fewer of them in --skip")
            );
        }
        if self.only.contains(&Part::Fleet) && self.fleet_url.is_none() {
            return Err(Failure::usage("no fleet was named")
                .hint("give --fleet-url postgres://user@host/database"));
        }
        let bare = |url: &SecretString| url.expose_secret().to_owned();
        let place = match (&self.scratch_url, &database_url) {
            (Some(url), _) => Place::Given(bare(url)),
            (None, Some(url)) => Place::Made {
                server: bare(url),
                name: ScratchName::generate().as_str().to_owned(),
            },
            (None, None) => {
                return Err(Failure::usage("no database was named").hint(
                    "set TUBEX_DATABASE__URL to a server where a database may be made, or give an \
                     empty one with --scratch-url postgres://user@host/database",
                ));
            }
        };
        Ok(Order::new(self, place, &parts, json))
    }
}

/// A report that has nothing to say of its parts but why they were not done.
fn undone(parts: &[Part], why: &str) -> Report {
    // What ends a check early is found by the first part, whether or not that was asked for.
    let others = parts.iter().copied().filter(|part| *part != Part::Lint);
    let skipped = |part| PartReport {
        part,
        duration_ms: 0,
        examined: 0,
        skipped: Some(why.to_owned()),
    };
    Report {
        parts: [Part::Lint]
            .into_iter()
            .chain(others)
            .map(skipped)
            .collect(),
        ..Report::default()
    }
}

fn part() -> impl TypedValueParser<Value = Part> {
    let find = |name: String| Part::ALL.into_iter().find(|part| part.name() == name);
    PossibleValuesParser::new(Part::ALL.map(Part::name))
        .map(move |name| find(name).expect("only names of parts are possible"))
}

fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name))
        .map(|name| Format::find(&name).expect("only names of formats are possible"))
}
