//! The fleet part of the check: every tenant against its own version, and what belongs to nobody.
//! It only reads, in transactions that are READ ONLY.
//!
//! The login needs little: CONNECT on each node's database, and on the platform's own USAGE of
//! schema `platform` with SELECT on its tables `node`, `lane` and `tenant`. All else is read from
//! catalogues. A member of `pg_monitor` also knows which indexes are being built at this moment;
//! for any other they look invalid until they are done.

use std::collections::{BTreeMap, HashSet};

use super::{Code, Finding};
use crate::drift::{Examined, Named};
use crate::fingerprint::Shape;
use crate::query::column;
use crate::{Product, Provisioner, RunError};

/// As many tenants are named in a finding.
const MOST_NAMED: usize = 20;

/// What a look at the fleet has to say: findings, how many tenants were looked at, and notes.
pub(super) type Looked = (Vec<Finding>, u64, Vec<String>);

/// The versions that somebody in the fleet stands at: a look needs references of these.
pub(super) async fn versions<P: Product>(
    provisioner: &Provisioner<P>,
) -> Result<HashSet<String>, RunError> {
    let versions: Vec<String> = column(
        &provisioner.inner.db,
        "SELECT DISTINCT schema_version FROM platform.tenant
         WHERE status NOT IN ('provisioning', 'archived', 'gone')",
        [],
    )
    .await?;
    Ok(versions.into_iter().collect())
}

/// Compares every tenant and spare with the reference of its version.
pub(super) async fn look<P: Product>(
    provisioner: &Provisioner<P>,
    references: &BTreeMap<String, Shape>,
) -> Result<Looked, RunError> {
    let mut examined = provisioner.examine_against(references).await?;
    if let Some(error) = examined.unreachable.pop() {
        // Half a fleet that is well says nothing of the other half.
        return Err(error.into());
    }
    let looked_at = u64::try_from(examined.looked_at).unwrap_or(u64::MAX);
    Ok((findings(&examined), looked_at, notes(&examined)))
}

fn findings(examined: &Examined) -> Vec<Finding> {
    let mut findings = vec![];
    for group in examined.groups() {
        // That is said of the index itself.
        if group.difference.is_only_invalid() {
            continue;
        }
        let words = group.difference.words().join("; ");
        let mut finding = Finding::new(Code::Drift, format!("at {}: {words}", group.version));
        finding.object = group.difference.first().map(ToString::to_string);
        let slugs = group.tenants.iter().map(|one| one.slug.as_str());
        findings.push(seen_at(finding, slugs));
    }
    for one in &examined.invalid_indexes {
        let message = format!("index `{}` of `{}` is invalid", one.name, one.table);
        let finding = Finding::new(Code::InvalidIndex, message).at(&one.name);
        let slugs = one.tenants.iter().map(|(slug, _)| slug.as_str());
        findings.push(seen_at(finding, slugs));
    }
    for (code, word, orphans) in [
        (Code::OrphanSchema, "schema", &examined.orphan_schemas),
        (Code::OrphanRole, "role", &examined.orphan_roles),
    ] {
        for one in orphans {
            let says = one.says.as_ref();
            let says = says.map_or_else(String::new, |says| format!(" ({says})"));
            let message = format!(
                "{word} {} on node {} is no tenant's{says}",
                one.name, one.node
            );
            findings.push(Finding::new(code, message).at(&one.name));
        }
    }
    if !examined.schema_missing.is_empty() {
        let finding = Finding::new(
            Code::SchemaMissing,
            "the directory has them, their nodes don't",
        );
        let slugs = examined.schema_missing.iter().map(|one| one.slug.as_str());
        findings.push(seen_at(finding, slugs));
    }
    for (version, tenants) in by_version(&examined.ahead) {
        let finding = Finding::new(Code::TenantAhead, format!("this build knows no {version}"));
        let slugs = tenants.iter().map(|one| one.slug.as_str());
        findings.push(seen_at(finding.at(version), slugs));
    }
    findings
}

fn notes(examined: &Examined) -> Vec<String> {
    let mut notes = vec![];
    for (version, tenants) in by_version(&examined.not_compared) {
        notes.push(format!(
            "{} tenants at {version} were compared with nothing",
            tenants.len()
        ));
    }
    if !examined.moved.is_empty() {
        notes.push(format!(
            "{} tenants were moved meanwhile and not judged",
            examined.moved.len()
        ));
    }
    let roles = &examined.uncertain_roles;
    if !roles.is_empty() {
        let named = roles.iter().take(MOST_NAMED).map(|one| one.name.as_str());
        notes.push(format!(
            "cannot tell whose {} roles are that nothing here knows, since their clusters have \
             other databases: {}",
            roles.len(),
            named.collect::<Vec<_>>().join(", ")
        ));
    }
    notes
}

fn by_version(tenants: &[Named]) -> BTreeMap<&str, Vec<&Named>> {
    let mut versions: BTreeMap<&str, Vec<&Named>> = BTreeMap::new();
    for one in tenants {
        versions.entry(&one.version).or_default().push(one);
    }
    versions
}

fn seen_at<'a>(mut finding: Finding, slugs: impl Iterator<Item = &'a str>) -> Finding {
    for slug in slugs {
        finding.tenant_count += 1;
        if finding.tenants.len() < MOST_NAMED {
            finding.tenants.push(slug.to_owned());
        }
    }
    finding
}
