//! `tubex tenant rename`, `tag`, `hold`, `release`, `close`, `reopen`, `archive`, `purge`,
//! `exports` and `forget`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use provisioner::life::{Archive, ExportEntry, Tags};
use provisioner::{Label, Provisioner, Slug};
use serde_json::{Value, json};

use super::actor;
use super::confirm::{Yes, confirm};
use super::dealers::Dealers;
use super::failure::Failure;
use super::output::{fields, moment, say, table, tenant_json};
use super::tenants::{ShowArgs, SuspendArgs, print};

#[derive(Debug, Subcommand)]
pub(super) enum LifeCommand {
    /// Give a tenant another slug
    ///
    /// Servers follow within a second. The old slug is free for others at once, and whoever still
    /// types it finds nobody, or somebody else. The schema's name never changes.
    Rename(RenameArgs),
    /// Put words on a tenant and take others off: tubex tenant tag acme +pilot -trial
    ///
    /// Words are 1 to 40 letters a-z, digits, hyphens and underscores; tubex tenant list --tag
    /// finds their tenants. Options stand before the tenant.
    Tag(TagArgs),
    /// Put a tenant under legal hold: nothing of it can be archived or purged
    Hold(SuspendArgs),
    /// End a tenant's legal hold
    Release(ShowArgs),
    /// Begin a tenant's end: it can be read and written no more
    ///
    /// An active, suspended or past-grace tenant becomes closing. Take it back with reopen, or go
    /// on with archive.
    Close(SuspendArgs),
    /// Take a closing tenant back; not once its archive was begun
    Reopen(ShowArgs),
    /// Export a closing tenant, keep the export, and drop its schema
    ///
    /// Nothing is dropped before the export is complete, was read again byte by byte, and is
    /// recorded. Interrupted, the same command goes on where it was. Refused under legal hold.
    /// tubex tenant import makes a tenant of the export again.
    Archive(ArchiveArgs),
    /// Destroy the export of an archived tenant, once it need not be kept any more
    ///
    /// Run it where the export lies. The tenant is gone then; only its slug stays taken. Refused
    /// under legal hold, and before the time that archive --keep-days set.
    Purge(EndArgs),
    /// List the exports of a tenant that archive made
    Exports(ShowArgs),
    /// Give up a tenant whose making was interrupted
    ///
    /// Only one that is provisioning: what there is of it on its node goes, and its slug is free.
    Forget(EndArgs),
}

#[derive(Debug, Args)]
pub(super) struct RenameArgs {
    /// The tenant's slug or id
    #[arg(value_name = "SLUG|ID")]
    tenant: String,
    /// What people will type
    new_slug: Slug,
}

#[derive(Debug, Args)]
pub(super) struct TagArgs {
    /// The tenant's slug or id
    #[arg(value_name = "SLUG|ID")]
    tenant: String,
    /// +WORD puts it on, -WORD takes it off
    #[arg(
        required = true,
        value_name = "+WORD|-WORD",
        allow_hyphen_values = true
    )]
    words: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct ArchiveArgs {
    /// The tenant's slug or id
    #[arg(value_name = "SLUG|ID")]
    tenant: String,
    /// The folder of all exports, which exists; the tenant's is made in it
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// For how many days the export has to be kept
    #[arg(long, value_name = "DAYS", default_value_t = 90,
        value_parser = clap::value_parser!(u32).range(0..=36_500))]
    keep_days: u32,
    #[command(flatten)]
    yes: Yes,
}

#[derive(Debug, Args)]
pub(super) struct EndArgs {
    /// The tenant's slug or id
    #[arg(value_name = "SLUG|ID")]
    tenant: String,
    #[command(flatten)]
    yes: Yes,
}

impl LifeCommand {
    /// Whether the words of a tag ask for JSON: what begins with a hyphen is one of them, and this
    /// one is not.
    pub(super) fn take_json(&mut self) -> bool {
        let Self::Tag(args) = self else {
            return false;
        };
        let count = args.words.len();
        args.words.retain(|word| word != "--json");
        args.words.len() < count
    }

    /// Asks what has to be asked, before there is a connection.
    pub(super) fn prepare(&self) -> Result<(), Failure> {
        match self {
            Self::Archive(args) => confirm(&args.tenant, args.yes, "its schema is dropped"),
            Self::Purge(args) => confirm(&args.tenant, args.yes, "its exports are destroyed"),
            Self::Forget(args) => confirm(&args.tenant, args.yes, "what there is of it goes"),
            Self::Tag(args) => read_tags(&args.words).map(|_| ()),
            _ => Ok(()),
        }
    }
}

pub(super) async fn run(
    provisioner: &Provisioner<Dealers>,
    command: LifeCommand,
    json: bool,
) -> Result<ExitCode, Failure> {
    let actor = actor();
    let tenant = match command {
        LifeCommand::Rename(args) => {
            provisioner
                .rename(&args.tenant, args.new_slug, &actor)
                .await?
        }
        LifeCommand::Tag(args) => {
            let tags = read_tags(&args.words)?;
            provisioner.tag(&args.tenant, tags, &actor).await?
        }
        LifeCommand::Hold(args) => provisioner.hold(&args.tenant, &args.reason, &actor).await?,
        LifeCommand::Release(args) => provisioner.release(&args.tenant, &actor).await?,
        LifeCommand::Close(args) => {
            provisioner
                .close(&args.tenant, &args.reason, &actor)
                .await?
        }
        LifeCommand::Reopen(args) => provisioner.reopen(&args.tenant, &actor).await?,
        LifeCommand::Purge(args) => provisioner.purge(&args.tenant, &actor).await?,
        LifeCommand::Archive(args) => return archive(provisioner, args, &actor, json).await,
        LifeCommand::Exports(args) => return exports(provisioner, args, json).await,
        LifeCommand::Forget(args) => return forget(provisioner, args, &actor, json).await,
    };
    print(&tenant, json);
    Ok(ExitCode::SUCCESS)
}

async fn archive(
    provisioner: &Provisioner<Dealers>,
    args: ArchiveArgs,
    actor: &str,
    json: bool,
) -> Result<ExitCode, Failure> {
    let archive = Archive {
        to: args.to,
        keep_days: args.keep_days,
    };
    let archived = provisioner.archive(&args.tenant, archive, actor).await?;
    if json {
        let mut shown = tenant_json(&archived.tenant);
        shown["export"] = export_json(&archived.export);
        say(&shown.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let kept = archived.export.keep_until.map(moment).unwrap_or_default();
    say(&fields(&[
        ("slug", &archived.tenant.slug),
        ("status", "archived"),
        ("export", &archived.export.location),
        ("bytes", &archived.export.bytes.to_string()),
        ("keep until", &kept),
    ]));
    Ok(ExitCode::SUCCESS)
}

async fn exports(
    provisioner: &Provisioner<Dealers>,
    args: ShowArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    let exports = provisioner.exports(&args.tenant).await?;
    if json {
        let data: Vec<_> = exports.iter().map(export_json).collect();
        say(&json!({ "data": data }).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    if exports.is_empty() {
        say("no exports are kept");
        return Ok(ExitCode::SUCCESS);
    }
    let or_not = |at: Option<_>| at.map_or_else(|| "-".to_owned(), moment);
    let rows: Vec<_> = exports
        .into_iter()
        .map(|export| {
            [
                moment(export.created_at),
                export.bytes.to_string(),
                or_not(export.keep_until),
                or_not(export.destroyed_at),
                export.location,
            ]
        })
        .collect();
    let heading = ["CREATED", "BYTES", "KEEP UNTIL", "DESTROYED", "LOCATION"];
    say(&table(heading, &rows));
    Ok(ExitCode::SUCCESS)
}

async fn forget(
    provisioner: &Provisioner<Dealers>,
    args: EndArgs,
    actor: &str,
    json: bool,
) -> Result<ExitCode, Failure> {
    let forgotten = provisioner.forget(&args.tenant, actor).await?;
    say(&if json {
        json!({ "slug": forgotten.slug, "node": forgotten.node }).to_string()
    } else {
        format!("{} is free again", forgotten.slug)
    });
    Ok(ExitCode::SUCCESS)
}

fn export_json(export: &ExportEntry) -> Value {
    json!({
        "id": export.id,
        "location": export.location,
        "bytes": export.bytes,
        "sha256": export.sha256,
        "keep_until": export.keep_until.map(moment),
        "actor": export.actor,
        "created_at": moment(export.created_at),
        "destroyed_at": export.destroyed_at.map(moment),
    })
}

fn read_tags(words: &[String]) -> Result<Tags, Failure> {
    let mut tags = Tags::default();
    for word in words {
        let (list, name) = match word.split_at_checked(1) {
            Some(("+", name)) => (&mut tags.add, name),
            Some(("-", name)) => (&mut tags.remove, name),
            _ => {
                return Err(
                    Failure::usage(format!("{word:?} neither puts on nor takes off"))
                        .hint("write +WORD to put a word on, -WORD to take it off"),
                );
            }
        };
        let name = Label::parse(name).map_err(|error| {
            Failure::usage(error.to_string()).hint("options stand before the tenant")
        })?;
        list.push(name);
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_put_on_and_taken_off() {
        let words = ["+pilot", "-trial"].map(str::to_owned);

        let tags = read_tags(&words).unwrap();

        assert_eq!(
            (tags.add[0].as_str(), tags.remove[0].as_str()),
            ("pilot", "trial")
        );
        for word in ["pilot", "", "+", "+A", "--yes", "é"] {
            assert!(read_tags(&[word.to_owned()]).is_err(), "{word}");
        }
    }
}
