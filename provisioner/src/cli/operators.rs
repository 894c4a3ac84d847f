//! `tubex operator add`, `list` and `set`.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use provisioner::operators::{ChangeOperator, NewOperator, OperatorEntry, Role, Status};
use provisioner::{Email, Provisioner, TenantName};
use sea_orm::ActiveEnum as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::dealers::Dealers;
use super::failure::Failure;
use super::output::{self, moment, say};
use super::{actor, passwords};

/// Where a password may be taken from.
const VARIABLE: &str = "TUBEX_OPERATOR_PASSWORD";

#[derive(Debug, Subcommand)]
pub(super) enum OperatorCommand {
    /// Add somebody who may sign in to the admin API
    Add(AddArgs),
    /// List operators and what they may do
    List,
    /// Change what somebody may do, or their password; ends their sessions
    ///
    /// The last active admin can't be disabled or made anything less.
    Set(SetArgs),
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// They sign in with it
    email: Email,
    /// How to address them
    #[arg(long)]
    name: TenantName,
    /// What they may do
    #[arg(long)]
    role: RoleWord,
    /// Read the password from standard input. Without this it is taken from
    /// TUBEX_OPERATOR_PASSWORD, and without that one is made and shown once.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
pub(super) struct SetArgs {
    /// Their mail address, or their id
    #[arg(value_name = "EMAIL|ID")]
    operator: String,
    /// What they may do from now on
    #[arg(long)]
    role: Option<RoleWord>,
    /// They may not sign in any more
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    /// They may sign in again
    #[arg(long)]
    enable: bool,
    /// Give them another password: read, or made and shown once
    #[arg(long)]
    new_password: bool,
    /// Read the new password from standard input. Without this it is taken from
    /// TUBEX_OPERATOR_PASSWORD, and without that one is made and shown once.
    #[arg(long, requires = "new_password")]
    password_stdin: bool,
}

/// What an operator may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RoleWord {
    /// Look
    Viewer,
    /// Also suspend and resume tenants, verify domains, and copy tenants without their people
    Support,
    /// Everything
    Admin,
}

/// What is to be done, once everything that can be wrong without a database is right.
#[derive(Debug)]
pub(super) enum Prepared {
    Add(NewOperator, Option<SecretString>),
    List,
    Set(String, ChangeOperator, Option<SecretString>),
}

/// Reads and hashes passwords; needs no database.
pub(super) async fn prepare(command: OperatorCommand) -> Result<Prepared, Failure> {
    match command {
        OperatorCommand::Add(args) => {
            let chosen = passwords::choose(args.password_stdin, VARIABLE, "the operator's").await?;
            let new = NewOperator {
                email: args.email,
                name: args.name,
                role: args.role.into(),
                password_hash: chosen.hash,
            };
            Ok(Prepared::Add(new, chosen.generated))
        }
        OperatorCommand::List => Ok(Prepared::List),
        OperatorCommand::Set(args) => {
            let mut change = ChangeOperator {
                role: args.role.map(Role::from),
                status: match (args.disable, args.enable) {
                    (true, _) => Some(Status::Disabled),
                    (false, true) => Some(Status::Active),
                    (false, false) => None,
                },
                password_hash: None,
            };
            if change.role.is_none() && change.status.is_none() && !args.new_password {
                return Err(Failure::usage("nothing to change was named")
                    .hint("give --role, --disable, --enable or --new-password"));
            }
            let mut generated = None;
            if args.new_password {
                let chosen =
                    passwords::choose(args.password_stdin, VARIABLE, "the operator's").await?;
                change.password_hash = Some(chosen.hash);
                generated = chosen.generated;
            }
            Ok(Prepared::Set(args.operator, change, generated))
        }
    }
}

/// Does it, and shows what came of it.
pub(super) async fn run(
    provisioner: &Provisioner<Dealers>,
    prepared: Prepared,
    json: bool,
) -> Result<ExitCode, Failure> {
    match prepared {
        Prepared::Add(new, generated) => {
            let added = provisioner.add_operator(new, &actor()).await?;
            print(&added, generated.as_ref(), json);
        }
        Prepared::List => list(&provisioner.operators().await?, json),
        Prepared::Set(who, change, generated) => {
            let changed = provisioner.change_operator(&who, change, &actor()).await?;
            print(&changed, generated.as_ref(), json);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(operators: &[OperatorEntry], json: bool) {
    if json {
        let data: Vec<_> = operators.iter().map(operator_json).collect();
        say(&json!({ "data": data }).to_string());
        return;
    }
    if operators.is_empty() {
        say("no operators");
        return;
    }
    let rows: Vec<_> = operators
        .iter()
        .map(|operator| {
            [
                operator.email.clone(),
                operator.name.clone(),
                operator.role.to_value(),
                operator.status.to_value(),
                operator.id.to_string(),
            ]
        })
        .collect();
    let heading = ["EMAIL", "NAME", "ROLE", "STATUS", "ID"];
    say(&output::table(heading, &rows));
}

fn print(operator: &OperatorEntry, generated: Option<&SecretString>, json: bool) {
    if json {
        let mut shown = operator_json(operator);
        if let Some(password) = generated {
            shown["password"] = password.expose_secret().into();
        }
        say(&shown.to_string());
        return;
    }
    say(&output::fields(&[
        ("email", &operator.email),
        ("name", &operator.name),
        ("role", &operator.role.to_value()),
        ("status", &operator.status.to_value()),
        ("id", &operator.id.to_string()),
    ]));
    if let Some(password) = generated {
        say(&format!(
            "\nthe password, shown this once: {}",
            password.expose_secret()
        ));
    }
}

fn operator_json(operator: &OperatorEntry) -> Value {
    json!({
        "id": operator.id,
        "email": operator.email,
        "name": operator.name,
        "role": operator.role.to_value(),
        "status": operator.status.to_value(),
        "created_at": moment(operator.created_at),
        "updated_at": moment(operator.updated_at),
    })
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Viewer => Self::Viewer,
            RoleWord::Support => Self::Support,
            RoleWord::Admin => Self::Admin,
        }
    }
}
