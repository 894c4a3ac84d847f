//! Rights that a migration takes away from what was there before it.

use super::finding;
use crate::check::lint::Seen;
use crate::check::{Code, Finding};

pub(super) fn revoked(seen: Seen<'_>) -> Vec<Finding> {
    let mut findings = vec![];
    for (number, was) in &seen.before().relations {
        let Some(is) = seen.after().relations.get(number) else {
            continue;
        };
        let mut lost: Vec<&str> = vec![];
        for (role, rights) in &was.rights {
            let left = is.rights.get(role).map_or("", String::as_str);
            let left: Vec<&str> = left.split_whitespace().collect();
            let gone = rights
                .split_whitespace()
                .filter(|right| !left.contains(right));
            lost.extend(gone);
        }
        if !lost.is_empty() {
            let message = format!("{} on {} is taken away", lost.join(", "), was.name);
            findings.push(finding(seen, Code::RightsRevoked, message).at(&was.name));
        }
    }
    findings
}
