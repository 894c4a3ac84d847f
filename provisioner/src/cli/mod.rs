//! Words of the command line, and which of them does what.

mod audit;
mod check;
mod confirm;
mod connection;
mod copies;
mod create;
mod dealers;
mod domains;
mod explain;
mod failure;
mod fleet;
mod lanes;
mod life;
mod nodes;
mod operators;
mod output;
mod passwords;
mod plans;
mod platform;
mod rehearse;
mod runs;
mod spares;
mod tenants;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use provisioner::login::check_secret;
use provisioner::{NodeConnector, Provisioner};
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;

use self::dealers::Dealers;
use self::failure::Failure;

const AFTER_HELP: &str = "\
A first walk:
  tubex platform migrate                               the platform's schema, logins and fence
  tubex tenant create acme --name 'Acme Building' --owner-email owner@acme.example
  tubex rehearse                                       a new build's schema, on copies of a few
  tubex migrate --canary 1 --wave 50,100 --approve     a new build's schema, wave by wave
  tubex runs show                                      who is where, who failed and why
  tubex runs approve | retry | pause | resume | skip | cancel | rollback
  tubex status; tubex drift                            the fleet as it stands, and as it looks
  tubex check; tubex explain CODE                      migrations, proven before they meet anybody

Whatever is killed is finished by saying it again. Each word has its own --help.

Exit codes: 0 done; 1 refused or failed (the slug is taken, no such tenant, a tenant's migration
failed); 2 could not run (wrong usage, no connection, missing rights).
Set TUBEX_LOG=info to see what happens.";

/// Makes, shows and migrates the tenants of one Tubex database.
#[derive(Debug, Parser)]
#[command(
    name = "tubex",
    version,
    after_help = AFTER_HELP
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Common {
    /// The database, as the role that owns the platform: postgres://user:password@host/database.
    /// Without a password it is looked up in ~/.pgpass. Other nodes are reached with the same
    /// login, and the same password or theirs from ~/.pgpass.
    #[arg(
        long,
        global = true,
        env = "TUBEX_DATABASE__URL",
        hide_env_values = true,
        value_name = "URL",
        value_parser = secret
    )]
    database_url: Option<SecretString>,
    /// What login passwords are derived from; at least 32 characters. Better in the environment,
    /// since everybody on the machine can read a command line.
    #[arg(
        long,
        global = true,
        env = "TUBEX_DATABASE__SECRET",
        hide_env_values = true,
        value_name = "SECRET",
        value_parser = secret
    )]
    secret: Option<SecretString>,
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The platform's own schema, logins and fence
    #[command(subcommand)]
    Platform(PlatformCommand),
    /// One tenant, or a list of them
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// A tenant's own domains, proven by a record in DNS
    #[command(subcommand)]
    Domain(domains::DomainCommand),
    /// What tenants may use
    #[command(subcommand)]
    Plan(plans::PlanCommand),
    /// Logins with a few connections each, shared by a bounded number of tenants
    ///
    /// A tenant is on exactly one lane. A wide lane serves more requests at once; a dedicated lane
    /// puts a wall around its tenant, and keeps the noise of others away from it.
    #[command(subcommand)]
    Lane(lanes::LaneCommand),
    /// People who run the platform, through the servers' admin API
    #[command(subcommand)]
    Operator(operators::OperatorCommand),
    /// Databases that tenants live in
    #[command(subcommand)]
    Node(nodes::NodeCommand),
    /// Tenants that are prepared and nobody's yet: creating one takes milliseconds then
    ///
    /// Without a word, shows how many there are.
    Spares(spares::SparesArgs),
    /// Bring all tenants that are behind to this build's schema, or go on with that
    ///
    /// Begins a run, or joins the one that is not over, and works on it. It may be killed at any
    /// moment and started again, and several may work on one run. See tubex runs.
    Migrate(Box<runs::MigrateArgs>),
    /// Try what is before the tenants on clones of a few, and say what is to be expected
    ///
    /// Picks the tenants that differ most (one of each version and look, then the extremes of size
    /// and rows), copies each beside itself on its own node, takes the copy along the path that
    /// `tubex migrate` would take, measures it and removes it. Tenants are read and never changed.
    /// A migration that fails on somebody's rows fails here first: exit code 1, with the tenant,
    /// the statement and what the database said.
    ///
    /// What is measured is kept; a run that is begun within a day to the same version is compared
    /// with it by `tubex runs show`. Copies of a rehearsal that was killed are removed by the next.
    Rehearse(rehearse::RehearseArgs),
    /// Runs of migrations over the fleet: see them, have a say in them, take them back
    #[command(subcommand)]
    Runs(runs::RunsCommand),
    /// The whole fleet at a glance, in one query: versions, failures, drift, spares, the run
    Status,
    /// Compare the structure of every tenant on every node with that of its version
    ///
    /// Exit code 1 when one differs. What is found is kept, for tubex status.
    Drift(fleet::DriftArgs),
    /// Prove migrations before they meet a tenant: each is taken on a scratch database that holds
    /// rows, and what Postgres did is looked at
    ///
    /// Six parts: lint (locks, rewrites, habits), reversible (up, down, up), kind (what calls itself
    /// an expand breaks nothing of the build before it), roads (every version leads to the same
    /// place), entities (they match their tables), fleet (tenants look like their version). Needs
    /// neither a platform nor a secret.
    Check(Box<check::CheckArgs>),
    /// The trails of what was done to tenants' data
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Say why a finding of tubex check hurts, what to do instead, and how to let it stay
    Explain(explain::ExplainArgs),
    /// Print what your shell needs to complete these words
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
enum PlatformCommand {
    /// Make or update the platform; doing it again changes nothing
    ///
    /// Other nodes are brought to head after it: schema `shared`, fence, logins, memberships. A
    /// node that can't be reached is reported, and its turn comes the next time; one that answers
    /// and fails makes the exit code 1. Neither keeps the platform from coming to head.
    Migrate(platform::MigrateArgs),
}

#[derive(Debug, Subcommand)]
enum TenantCommand {
    /// Make a tenant, ready for its first sign-in
    Create(create::CreateArgs),
    /// List tenants by slug
    List(tenants::ListArgs),
    /// Show one tenant
    Show(tenants::ShowArgs),
    /// Put a tenant on another plan, or on none
    ///
    /// Servers follow within a second. Its lane stays: tubex lane move --dedicated gives it one of
    /// its own.
    Plan(plans::TenantPlanArgs),
    /// Switch an active tenant off: its requests are answered with 403. Nothing of it is touched.
    Suspend(tenants::SuspendArgs),
    /// Switch a suspended tenant on again
    Resume(tenants::ShowArgs),
    #[command(flatten)]
    Life(life::LifeCommand),
    #[command(flatten)]
    Copy(copies::CopyCommand),
}

/// Reads the arguments, does what they say, and answers with the exit code.
pub(crate) async fn run() -> ExitCode {
    start_logging();
    let mut cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse_usage(&error),
    };
    if let Command::Tenant(TenantCommand::Life(command)) = &mut cli.command {
        cli.common.json |= command.take_json();
    }
    if let Command::Check(args) = &cli.command {
        cli.common.json |= args.wants_json();
    }
    let json = cli.common.json;
    match dispatch(cli).await {
        Ok(code) => code,
        Err(failure) => failure.report(json),
    }
}

async fn dispatch(cli: Cli) -> Result<ExitCode, Failure> {
    let Common {
        database_url,
        secret,
        json,
    } = cli.common;
    let command = match cli.command {
        Command::Completions { shell } => {
            print_completions(shell);
            return Ok(ExitCode::SUCCESS);
        }
        Command::Explain(args) => return explain::run(&args, json),
        Command::Check(args) => return check::run(*args, database_url, json).await,
        command => command,
    };
    let url = database_url.ok_or_else(|| {
        Failure::usage("no database was named")
            .hint("set TUBEX_DATABASE__URL, or give --database-url postgres://user@host/database")
    })?;
    let secret = secret.ok_or_else(|| {
        Failure::usage("no secret was given").hint(
            "set TUBEX_DATABASE__SECRET to at least 32 random characters, the same as servers",
        )
    })?;
    check_secret(&secret).map_err(|weak| {
        Failure::usage(weak.to_string()).hint("make one with: openssl rand -base64 48")
    })?;
    let open = async || {
        let db = connection::open(&url).await?;
        let connector = NodeConnector::new(url.clone());
        Ok::<_, Failure>(Provisioner::new(db, secret.clone(), Dealers).with_nodes(connector))
    };
    match command {
        Command::Platform(PlatformCommand::Migrate(args)) => {
            let db = connection::open(&url).await?;
            let connector = NodeConnector::new(url.clone());
            platform::migrate(&db, connector, secret.clone(), args, json).await
        }
        Command::Tenant(TenantCommand::Create(args)) => {
            // Everything that can be wrong without a database is found before there is one.
            let new = create::prepare(args).await?;
            create::run(&open().await?, new, json).await
        }
        Command::Tenant(TenantCommand::List(args)) => {
            tenants::list(&open().await?, args, json).await
        }
        Command::Tenant(TenantCommand::Show(args)) => {
            tenants::show(&open().await?, args, json).await
        }
        Command::Domain(command) => domains::run(&open().await?, command, json).await,
        Command::Tenant(TenantCommand::Plan(args)) => {
            plans::change_plan(&open().await?, args, json).await
        }
        Command::Tenant(TenantCommand::Suspend(args)) => {
            tenants::suspend(&open().await?, args, json).await
        }
        Command::Tenant(TenantCommand::Resume(args)) => {
            tenants::resume(&open().await?, args, json).await
        }
        Command::Tenant(TenantCommand::Life(command)) => {
            command.prepare()?;
            life::run(&open().await?, command, json).await
        }
        Command::Tenant(TenantCommand::Copy(command)) => {
            command.prepare()?;
            copies::run(&open().await?, command, json).await
        }
        Command::Plan(command) => plans::run(&open().await?, command, json).await,
        Command::Lane(command) => lanes::run(&open().await?, command, json).await,
        Command::Operator(command) => {
            let prepared = operators::prepare(command).await?;
            operators::run(&open().await?, prepared, json).await
        }
        Command::Node(command) => nodes::run(&open().await?, command, json).await,
        Command::Migrate(args) => runs::migrate(&open().await?, *args, json).await,
        Command::Rehearse(args) => rehearse::run(&open().await?, args, json).await,
        Command::Runs(command) => runs::run(&open().await?, command, json).await,
        Command::Status => fleet::status(&open().await?, json).await,
        Command::Drift(args) => fleet::drift(&open().await?, args, json).await,
        Command::Audit(command) => audit::run(&open().await?, command, json).await,
        // They need neither database nor secret, or find their own, and were done above.
        Command::Completions { .. } | Command::Explain(_) | Command::Check(_) => {
            Ok(ExitCode::SUCCESS)
        }
        Command::Spares(args) => spares::run(&open().await?, args, json).await,
    }
}

fn print_completions(shell: clap_complete::Shell) {
    clap_complete::generate(shell, &mut Cli::command(), "tubex", &mut std::io::stdout());
}

/// Quiet unless asked: what people need to know is printed, not logged.
fn start_logging() {
    let filter = EnvFilter::try_from_env("TUBEX_LOG").unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}

/// Help and version are answers; anything else is wrong usage, in JSON if that was asked for.
fn refuse_usage(error: &clap::Error) -> ExitCode {
    let is_answer = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let wants_json = std::env::args_os().any(|arg| arg == "--json");
    if wants_json && !is_answer {
        let text = error.to_string();
        // The first paragraph: what is missing, or what would be known, stands below its first line.
        let lines: Vec<_> = text
            .lines()
            .map(str::trim)
            .take_while(|line| !line.is_empty())
            .collect();
        return Failure::usage(lines.join(" ").trim_start_matches("error: "))
            .hint("see tubex --help")
            .report(true);
    }
    // A closed pipe is all that can go wrong here, and then nobody is listening.
    let _ = error.print();
    if is_answer {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    }
}

/// Who will stand in the history: this program, and the account that it was called from.
fn actor() -> String {
    let account = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| {
        std::env::var(name)
            .ok()
            .filter(|account| !account.is_empty())
    });
    match account {
        Some(account) => format!("tubex/{account}"),
        None => "tubex".to_owned(),
    }
}

fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(text.into())
}
