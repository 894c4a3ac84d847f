//! `tubex drift`: what of the fleet is not as it should be, grouped by what is wrong.

use std::collections::HashMap;
use std::process::ExitCode;

use clap::Args;
use provisioner::{Depth, Examined, InvalidIndex, Named, Orphan, Provisioner};
use serde_json::{Value, json};

use crate::cli::dealers::Dealers;
use crate::cli::failure::Failure;
use crate::cli::output::{complain, say};

/// As many tenants are named of each group.
const MOST_NAMED: usize = 20;

#[derive(Debug, Args)]
pub(in crate::cli) struct DriftArgs {
    /// Also measure how large each tenant is, for lists and selectors
    #[arg(long)]
    sizes: bool,
    /// Print the SQL that would mend it, for psql; nothing is run. What would destroy data is
    /// printed as a comment
    #[arg(long)]
    fix_plan: bool,
}

/// Exit code 1 when anything is not as it should be, or a node could not be looked at.
pub(in crate::cli) async fn drift(
    provisioner: &Provisioner<Dealers>,
    args: DriftArgs,
    json: bool,
) -> Result<ExitCode, Failure> {
    let depth = match args.sizes {
        true => Depth::Sizes,
        false => Depth::Structure,
    };
    let examined = provisioner.examine(depth).await?;
    match (json, args.fix_plan) {
        (true, with_plan) => {
            let mut found = to_json(&examined);
            if with_plan {
                found["fix_plan"] = examined.fix_plan().into();
            }
            say(&found.to_string());
        }
        (false, true) => say(examined.fix_plan().trim_end()),
        (false, false) => print(&examined),
    }
    if !json {
        for error in &examined.unreachable {
            complain(&format!("error: {error}"));
        }
    }
    Ok(ExitCode::from(u8::from(!examined.is_well())))
}

fn to_json(examined: &Examined) -> Value {
    let groups = examined.groups();
    let of_group = groups.iter().enumerate();
    let of_group: HashMap<_, _> = of_group
        .flat_map(|(number, group)| group.tenants.iter().map(move |one| (one.tenant_id, number)))
        .collect();
    let drifted = examined.drifted.iter().map(|one| {
        json!({
            "id": one.tenant_id,
            "slug": one.slug,
            "version": one.version,
            "node": one.node,
            "group": of_group.get(&one.tenant_id),
        })
    });
    let invalid = examined.invalid_indexes.iter().map(|one| {
        json!({
            "index": one.name,
            "table": one.table,
            "node": one.node,
            "count": one.tenants.len(),
            "tenants": one.tenants.iter().take(MOST_NAMED).map(|(slug, _)| slug).collect::<Vec<_>>(),
        })
    });
    let unreachable = examined.unreachable.iter().map(ToString::to_string);
    json!({
        "looked_at": examined.looked_at,
        "groups": groups.iter().map(|one| one.to_json()).collect::<Vec<_>>(),
        "drifted": drifted.collect::<Vec<_>>(),
        "unknown": named_json(&examined.ahead),
        "not_compared": named_json(&examined.not_compared),
        "moved_meanwhile": named_json(&examined.moved),
        "schema_missing": named_json(&examined.schema_missing),
        "invalid_indexes": invalid.collect::<Vec<_>>(),
        "orphan_schemas": orphans_json(&examined.orphan_schemas),
        "orphan_roles": orphans_json(&examined.orphan_roles),
        "uncertain_roles": orphans_json(&examined.uncertain_roles),
        "unreachable": unreachable.collect::<Vec<_>>(),
    })
}

fn named_json(tenants: &[Named]) -> Vec<Value> {
    let one = |one: &Named| json!({"slug": one.slug, "version": one.version, "node": one.node});
    tenants.iter().map(one).collect()
}

fn orphans_json(orphans: &[Orphan]) -> Vec<Value> {
    let one = |one: &Orphan| json!({"name": one.name, "node": one.node, "says": one.says});
    orphans.iter().map(one).collect()
}

fn print(examined: &Examined) {
    for group in examined.groups() {
        let tenants = group.tenants.len();
        say(&format!("{} at {}:", counted(tenants), group.version));
        for line in group.difference.words() {
            say(&format!("  {line}"));
        }
        let slugs = group.tenants.iter().map(|one| one.slug.as_str());
        say(&format!("  tenants: {}", some(slugs, tenants)));
    }
    for one in &examined.invalid_indexes {
        say(&invalid(one));
    }
    for one in &examined.schema_missing {
        say(&format!(
            "{}: it has no schema on node {}",
            one.slug, one.node
        ));
    }
    for one in &examined.ahead {
        let (slug, version) = (&one.slug, &one.version);
        say(&format!(
            "{slug}: at {version}, a version that this build does not know"
        ));
    }
    for one in &examined.not_compared {
        say(&format!(
            "{}: nothing to compare {} with",
            one.slug, one.version
        ));
    }
    for one in &examined.moved {
        say(&format!("{}: moved to another version meanwhile", one.slug));
    }
    for one in &examined.orphan_schemas {
        say(&format!(
            "schema {} on node {} is no tenant's{}",
            one.name,
            one.node,
            says(one)
        ));
    }
    for one in &examined.orphan_roles {
        say(&format!(
            "role {} on node {} is no tenant's{}",
            one.name,
            one.node,
            says(one)
        ));
    }
    for one in &examined.uncertain_roles {
        say(&format!(
            "role {} on node {}: cannot tell whose it is, the cluster has other databases{}",
            one.name,
            one.node,
            says(one)
        ));
    }
    say(&format!(
        "{} schemas looked at, {} drifted, {} unknown",
        examined.looked_at,
        examined.drifted.len(),
        examined.ahead.len()
    ));
    if !examined.is_well() {
        say("tubex drift --fix-plan prints what would mend it");
    }
}

fn invalid(one: &InvalidIndex) -> String {
    let slugs = one.tenants.iter().map(|(slug, _)| slug.as_str());
    format!(
        "{}: index `{}` is invalid at {}: {}",
        one.table,
        one.name,
        counted(one.tenants.len()),
        some(slugs, one.tenants.len())
    )
}

fn says(orphan: &Orphan) -> String {
    let says = orphan.says.as_ref();
    says.map_or_else(String::new, |says| format!(" ({says})"))
}

fn counted(tenants: usize) -> String {
    match tenants {
        1 => "1 tenant".to_owned(),
        many => format!("{many} tenants"),
    }
}

fn some<'a>(slugs: impl Iterator<Item = &'a str>, all: usize) -> String {
    let named: Vec<_> = slugs.take(MOST_NAMED).collect();
    let more = match all.saturating_sub(named.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", named.join(", "))
}
