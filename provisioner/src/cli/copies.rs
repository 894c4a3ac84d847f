//! `tubex tenant export`, `import` and `clone`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use provisioner::copy::{Imported, NewClone, NewImport, People};
use provisioner::{Label, Placement, Provisioner, Slug, TenantName};
use serde_json::json;

use super::actor;
use super::confirm::{Yes, confirm};
use super::dealers::Dealers;
use super::failure::Failure;
use super::output::{fields, say, tenant_fields, tenant_json, warn};

#[derive(Debug, Subcommand)]
pub(super) enum CopyCommand {
    /// Write a tenant's data into a new folder
    ///
    /// All of one moment, while the tenant is served. The folder appears when it is complete and on
    /// the disk; what an interrupted export leaves is called DIR.partial, and the same command
    /// writes over it. It holds people's data as it is: keep it as safe as the database.
    Export(ExportArgs),
    /// Make a tenant of an export
    ///
    /// Every file is read and compared with the manifest before anything is written. The tenant is
    /// made at the export's version and brought to this build's head. Interrupted, the same command
    /// does it anew.
    Import(ImportArgs),
    /// Make a tenant with the data of another one, as it is at one moment
    ///
    /// On the same node. With --anonymise, what tells who people are is taken out, and nobody can
    /// sign in with an old password; without, the copy is as secret as the original, and it needs
    /// --yes. Interrupted, the same command does it anew.
    Clone(CloneArgs),
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The tenant's slug or id
    #[arg(value_name = "SLUG|ID")]
    tenant: String,
    /// The folder, which must not exist
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The folder of an export
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// First label of the tenant's host name: 2 to 40 letters a-z, digits and single hyphens
    #[arg(long)]
    slug: Slug,
    /// The name that people read; the exported tenant's if it isn't given
    #[arg(long)]
    name: Option<TenantName>,
    /// The plan it is on; the exported tenant's does not come along
    #[arg(long)]
    plan: Option<Label>,
    /// The node it will live on; the platform's own if it isn't given
    #[arg(long, value_name = "NAME")]
    node: Option<Label>,
    /// The lane it will be on, by login or id, and so the node too; the emptiest if it isn't given
    #[arg(long)]
    lane: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct CloneArgs {
    /// Whose data, by slug or id
    #[arg(value_name = "FROM")]
    from: String,
    /// The new tenant's slug
    #[arg(value_name = "TO")]
    to: Slug,
    /// The name that people read; the other's if it isn't given
    #[arg(long)]
    name: Option<TenantName>,
    /// The plan it is on; the other's does not come along
    #[arg(long)]
    plan: Option<Label>,
    /// The lane it will be on, by login or id; the emptiest of the node if it isn't given
    #[arg(long)]
    lane: Option<String>,
    /// Take out what tells who people are
    #[arg(long)]
    anonymise: bool,
    #[command(flatten)]
    yes: Yes,
}

impl CopyCommand {
    /// Asks what has to be asked, before there is a connection.
    pub(super) fn prepare(&self) -> Result<(), Failure> {
        match self {
            Self::Clone(args) if !args.anonymise => {
                confirm(&args.from, args.yes, "the data of its people is copied")
            }
            _ => Ok(()),
        }
    }
}

pub(super) async fn run(
    provisioner: &Provisioner<Dealers>,
    command: CopyCommand,
    json: bool,
) -> Result<ExitCode, Failure> {
    let actor = actor();
    let imported = match command {
        CopyCommand::Export(args) => return export(provisioner, args, &actor, json).await,
        CopyCommand::Import(args) => {
            let import = NewImport {
                folder: args.dir,
                slug: args.slug,
                name: args.name,
                at: Placement {
                    plan: args.plan,
                    node: args.node,
                    lane: args.lane,
                },
                actor,
            };
            provisioner.import(import).await?
        }
        CopyCommand::Clone(args) => {
            let people = match args.anonymise {
                true => People::Anonymised,
                false => People::Kept,
            };
            let clone = NewClone {
                from: args.from,
                slug: args.to,
                name: args.name,
                people,
                at: Placement {
                    plan: args.plan,
                    node: None,
                    lane: args.lane,
                },
                actor,
            };
            provisioner.clone_tenant(clone).await?
        }
    };
    show(imported, json);
    Ok(ExitCode::SUCCESS)
}

async fn export(
    provisioner: &Provisioner<Dealers>,
    args: ExportArgs,
    actor: &str,
    json: bool,
) -> Result<ExitCode, Failure> {
    let exported = provisioner.export(&args.tenant, &args.dir, actor).await?;
    let location = exported.location.display().to_string();
    let took = exported.took.as_millis() as u64;
    say(&if json {
        json!({
            "slug": exported.slug,
            "location": location,
            "schema_version": exported.schema_version,
            "tables": exported.tables,
            "rows": exported.rows,
            "bytes": exported.bytes,
            "sha256": exported.sha256,
            "duration_ms": took,
        })
        .to_string()
    } else {
        fields(&[
            ("slug", &exported.slug),
            ("folder", &location),
            ("version", &exported.schema_version),
            ("tables", &exported.tables.to_string()),
            ("rows", &exported.rows.to_string()),
            ("bytes", &exported.bytes.to_string()),
            ("took", &format!("{took} ms")),
        ])
    });
    Ok(ExitCode::SUCCESS)
}

fn show(imported: Imported, json: bool) {
    if let Some(pressure) = imported.added.and_then(|lane| lane.pressure) {
        warn(&pressure);
    }
    if json {
        let mut shown = tenant_json(&imported.tenant);
        shown["rows"] = imported.rows.into();
        say(&shown.to_string());
    } else {
        let (rows, took) = (imported.rows, imported.took.as_millis());
        say(&tenant_fields(&imported.tenant));
        say(&format!("\n{rows} rows in {took} ms"));
    }
}
