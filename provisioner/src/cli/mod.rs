//! Words of the command line, and which of them does what.

mod connection;
mod create;
mod dealers;
mod domains;
mod failure;
mod fleet;
mod output;
mod platform;
mod tenants;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use provisioner::Provisioner;
use provisioner::login::check_secret;
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;

use self::dealers::Dealers;
use self::failure::Failure;

/// Makes, shows and migrates the tenants of one Tubex database.
#[derive(Debug, Parser)]
#[command(
    name = "tubex",
    version,
    after_help = "Exit codes: 0 done; 1 refused or failed (the slug is taken, no such tenant, a \
                  tenant's migration failed); 2 could not run (wrong usage, no connection, \
                  missing rights).\nSet TUBEX_LOG=info to see what happens."
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Common {
    /// The database, as the role that owns the platform: postgres://user:password@host/database
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
    Domain(DomainCommand),
    /// Bring all tenants that are behind to this build's schema
    Migrate,
}

#[derive(Debug, Subcommand)]
enum PlatformCommand {
    /// Make or update the platform; doing it again changes nothing
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
}

#[derive(Debug, Subcommand)]
enum DomainCommand {
    /// Claim a domain and learn which TXT record proves it
    Add(domains::DomainArgs),
    /// Look for the record; from then on servers answer at the domain
    Verify(domains::VerifyArgs),
    /// List domains and whether they are proven
    List(domains::ListArgs),
    /// Forget a domain; servers stop answering there
    Remove(domains::DomainArgs),
}

/// Reads the arguments, does what they say, and answers with the exit code.
pub(crate) async fn run() -> ExitCode {
    start_logging();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse_usage(&error),
    };
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
    let connect = || connection::open(&url);
    match cli.command {
        Command::Platform(PlatformCommand::Migrate(args)) => {
            platform::migrate(&connect().await?, secret, args, json).await
        }
        Command::Tenant(TenantCommand::Create(args)) => {
            // Everything that can be wrong without a database is found before there is one.
            let new = create::prepare(args).await?;
            create::run(
                &Provisioner::new(connect().await?, secret, Dealers),
                new,
                json,
            )
            .await
        }
        Command::Tenant(TenantCommand::List(args)) => {
            tenants::list(
                &Provisioner::new(connect().await?, secret, Dealers),
                args,
                json,
            )
            .await
        }
        Command::Tenant(TenantCommand::Show(args)) => {
            tenants::show(
                &Provisioner::new(connect().await?, secret, Dealers),
                args,
                json,
            )
            .await
        }
        Command::Domain(command) => {
            let provisioner = Provisioner::new(connect().await?, secret, Dealers);
            match command {
                DomainCommand::Add(args) => domains::add(&provisioner, args, json).await,
                DomainCommand::Verify(args) => domains::verify(&provisioner, args, json).await,
                DomainCommand::List(args) => domains::list(&provisioner, args, json).await,
                DomainCommand::Remove(args) => domains::remove(&provisioner, args, json).await,
            }
        }
        Command::Migrate => {
            fleet::migrate(&Provisioner::new(connect().await?, secret, Dealers), json).await
        }
    }
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
