//! What was found, for people and for programs.

use std::fmt::Write as _;

use serde::Serialize;

use super::topic::Topic;

/// More findings of one kind than this are counted instead of told.
const TOLD: usize = 5;

/// How a check came out; the worst is last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// Somebody should look, and nothing is in danger.
    Warning,
    /// Not as it must be.
    Failed,
}

/// One line of the report.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it came out.
    pub outcome: Outcome,
    /// Whether dealers are no longer apart when it fails.
    pub isolation: bool,
    /// What was found.
    pub detail: String,
    /// What to do about it, when there is something to do.
    pub remedy: Option<String>,
    #[serde(skip)]
    keeps_from_serving: bool,
}

/// All that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// In the order of importance.
    pub checks: Vec<Check>,
    #[serde(skip)]
    proof: Proof,
}

/// How much of the fleet was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Proof {
    /// Not even the platform's own node.
    Lacking,
    /// All but some node elsewhere, which can't be reached.
    Partial,
    /// All of it.
    Whole,
}

/// One thing that was found.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    topic: Topic,
    outcome: Outcome,
    detail: String,
    remedy: Option<String>,
    proof: Proof,
}

impl Finding {
    /// As it should be, with something worth telling.
    pub(super) fn fine(topic: Topic, detail: impl Into<String>) -> Self {
        Self::new(topic, Outcome::Ok, detail, None)
    }

    pub(super) fn warning(
        topic: Topic,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(topic, Outcome::Warning, detail, Some(remedy.into()))
    }

    pub(super) fn failed(
        topic: Topic,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(topic, Outcome::Failed, detail, Some(remedy.into()))
    }

    /// The same, when it left something unexamined.
    pub(super) fn leaving(self, proof: Proof) -> Self {
        Self { proof, ..self }
    }

    fn new(
        topic: Topic,
        outcome: Outcome,
        detail: impl Into<String>,
        remedy: Option<String>,
    ) -> Self {
        Self {
            topic,
            outcome,
            detail: detail.into(),
            remedy,
            proof: Proof::Whole,
        }
    }
}

impl Report {
    /// A line for each topic, made of its worst findings.
    pub(super) fn of(findings: Vec<Finding>) -> Self {
        let proof = findings.iter().map(|finding| finding.proof).min();
        let proof = proof.unwrap_or(Proof::Whole);
        let looked_at = |topic: &Topic| {
            proof > Proof::Lacking || findings.iter().any(|found| found.topic == *topic)
        };
        let checks = Topic::ALL
            .into_iter()
            .filter(looked_at)
            .map(|topic| {
                let about = findings.iter().filter(|finding| finding.topic == topic);
                check(topic, &about.collect::<Vec<_>>())
            })
            .collect();
        Self { checks, proof }
    }

    /// Whether no check failed.
    pub fn is_fine(&self) -> bool {
        self.checks
            .iter()
            .all(|check| check.outcome < Outcome::Failed)
    }

    /// The failed checks that keep a server from serving.
    pub fn refusals(&self) -> Vec<&Check> {
        let refusals = self
            .checks
            .iter()
            .filter(|check| check.keeps_from_serving && check.outcome == Outcome::Failed);
        refusals.collect()
    }

    pub(super) fn proof(&self) -> Proof {
        self.proof
    }

    /// A line for each check, its remedy beneath.
    pub fn for_people(&self) -> String {
        let width = self.checks.iter().map(|check| check.name.len()).max();
        let width = width.unwrap_or_default();
        let mut text = String::new();
        for check in &self.checks {
            let word = match check.outcome {
                Outcome::Ok => "ok",
                Outcome::Warning => "warning",
                Outcome::Failed => "FAILED",
            };
            // Writing to a string can't fail.
            let _ = writeln!(text, "{word:<8} {:<width$}  {}", check.name, check.detail);
            if let Some(remedy) = &check.remedy {
                let _ = writeln!(text, "{:<8} {:<width$}  do: {remedy}", "", "");
            }
        }
        text
    }
}

fn check(topic: Topic, findings: &[&Finding]) -> Check {
    let outcome = findings.iter().map(|finding| finding.outcome).max();
    let outcome = outcome.unwrap_or(Outcome::Ok);
    let worst: Vec<_> = findings
        .iter()
        .filter(|finding| finding.outcome == outcome)
        .collect();
    let mut details: Vec<_> = worst.iter().map(|finding| &*finding.detail).collect();
    details.sort_unstable();
    let more = details.len().saturating_sub(TOLD);
    details.truncate(TOLD);
    let mut detail = details.join("; ");
    if details.is_empty() {
        topic.fine().clone_into(&mut detail);
    }
    if more > 0 {
        detail.push_str(&format!("; and {more} more"));
    }
    let mut remedies: Vec<_> = worst
        .iter()
        .filter_map(|finding| finding.remedy.as_deref())
        .collect();
    remedies.sort_unstable();
    remedies.dedup();
    remedies.truncate(TOLD);
    Check {
        name: topic.name(),
        outcome,
        isolation: topic.is_isolation(),
        detail,
        remedy: (!remedies.is_empty()).then(|| remedies.join("; ")),
        keeps_from_serving: topic.keeps_from_serving(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_tells_its_worst_findings_and_their_remedies_once() {
        let report = Report::of(vec![
            Finding::fine(Topic::Fence, "fine here"),
            Finding::failed(Topic::Fence, "b is open", "close it"),
            Finding::failed(Topic::Fence, "a is open", "close it"),
        ]);

        let fence = report.refusals();
        assert_eq!(fence.len(), 1);
        assert_eq!(fence[0].detail, "a is open; b is open");
        assert_eq!(fence[0].remedy.as_deref(), Some("close it"));
        assert!(!report.is_fine());
        let people = report.for_people();
        assert!(people.contains("FAILED   fence"), "{people}");
        assert_eq!(people.lines().count(), Topic::ALL.len() + 1, "{people}");
    }

    #[test]
    fn what_could_not_be_looked_at_is_not_called_fine() {
        let finding = Finding::failed(Topic::Platform, "no table", "migrate");
        let report = Report::of(vec![finding.leaving(Proof::Lacking)]);

        assert_eq!(report.checks.len(), 1);
        assert_eq!(report.proof(), Proof::Lacking);
    }

    #[test]
    fn many_findings_are_counted() {
        let findings = (0..9).map(|n| Finding::warning(Topic::Tenants, n.to_string(), "look"));
        let report = Report::of(findings.collect());

        let tenants = report.checks.last().unwrap();
        assert_eq!(tenants.detail, "0; 1; 2; 3; 4; and 4 more");
        assert!(report.is_fine());
    }
}
