//! Whom to rehearse with: those that differ most, in an order that anybody can follow.

use std::borrow::Borrow;

use uuid::Uuid;

use crate::SchemaName;

/// A tenant that is behind.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) id: Uuid,
    pub(super) slug: String,
    pub(super) schema: SchemaName,
    pub(super) version: String,
    pub(super) node: Uuid,
    /// What its schema looks like, in a form that can be compared.
    pub(super) look: String,
    /// Its tables with their indexes.
    pub(super) bytes: i64,
    /// As far as the database knows without counting.
    pub(super) rows: i64,
}

/// Somebody who was chosen.
#[derive(Clone, Debug)]
pub(super) struct Pick {
    pub(super) candidate: Candidate,
    pub(super) why: String,
}

/// At most so many of them, who together are no larger than the budget: one of each version and
/// look first, then the extremes of size and of rows, then those between. Candidates come in the
/// order of their slugs.
pub(super) fn pick(candidates: &[Candidate], most: usize, budget: i64) -> Vec<Pick> {
    let mut picks = Picks {
        chosen: vec![],
        most,
        left: budget,
    };
    let groups = groups(candidates);
    for (place, group) in groups.iter().enumerate() {
        let version = &group[0].version;
        let first_of_version = groups[..place].iter().all(|one| one[0].version != *version);
        let alike = match first_of_version {
            true => format!("stands for {} at {version}", group.len()),
            false => format!("looks unlike the others at {version}"),
        };
        picks.first_that_fits(&by(group, |one| -one.bytes), &alike);
    }
    let largest = by(candidates, |one| -one.bytes);
    picks.first_that_fits(&largest, "is the largest within the budget");
    picks.first_that_fits(&by(candidates, |one| one.bytes), "is the smallest");
    picks.first_that_fits(&by(candidates, |one| -one.rows), "has the most rows");
    picks.first_that_fits(&by(candidates, |one| one.rows), "has the fewest rows");
    // Halves, then quarters, then eighths of the list by size.
    for parts in [2, 4, 8, 16, 32] {
        for part in (1..parts).step_by(2) {
            let from = candidates.len() * part / parts;
            let between: Vec<_> = largest.iter().skip(from).copied().collect();
            picks.first_that_fits(&between, "lies between the others by size");
        }
    }
    picks.chosen
}

/// Candidates of one version and look, the largest group first.
fn groups(candidates: &[Candidate]) -> Vec<Vec<&Candidate>> {
    let mut groups: Vec<Vec<&Candidate>> = vec![];
    for one in candidates {
        let same = |group: &&mut Vec<&Candidate>| {
            group[0].version == one.version && group[0].look == one.look
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    // Stable: groups of the same length stay in the order of their first slugs.
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    groups
}

/// In the order of a number; of the same, in that of their slugs.
fn by<T: Borrow<Candidate>>(
    candidates: &[T],
    number: impl Fn(&Candidate) -> i64,
) -> Vec<&Candidate> {
    let mut ordered: Vec<&Candidate> = candidates.iter().map(Borrow::borrow).collect();
    ordered.sort_by_key(|one| number(one));
    ordered
}

struct Picks {
    chosen: Vec<Pick>,
    most: usize,
    left: i64,
}

impl Picks {
    /// Chooses the first that the budget has room for, unless that one is chosen already.
    fn first_that_fits(&mut self, ordered: &[&Candidate], why: &str) {
        if self.chosen.len() == self.most {
            return;
        }
        let is_chosen =
            |one: &Candidate| self.chosen.iter().any(|pick| pick.candidate.id == one.id);
        let fits = |one: &&&Candidate| is_chosen(one) || one.bytes <= self.left;
        if let Some(one) = ordered.iter().find(fits)
            && !is_chosen(one)
        {
            self.left -= one.bytes;
            self.chosen.push(Pick {
                candidate: (*one).clone(),
                why: why.to_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(slug: &str, version: &str, look: &str, bytes: i64, rows: i64) -> Candidate {
        Candidate {
            id: Uuid::now_v7(),
            slug: slug.to_owned(),
            schema: SchemaName::generate().unwrap(),
            version: version.to_owned(),
            node: Uuid::nil(),
            look: look.to_owned(),
            bytes,
            rows,
        }
    }

    fn fleet() -> Vec<Candidate> {
        vec![
            candidate("a", "m1", "x", 50, 5),
            candidate("b", "m2", "x", 10, 90),
            candidate("c", "m2", "x", 40, 1),
            candidate("d", "m2", "x", 900, 40),
            candidate("e", "m2", "x", 20, 20),
            candidate("f", "m2", "y", 30, 30),
        ]
    }

    fn slugs(picks: &[Pick]) -> Vec<&str> {
        picks
            .iter()
            .map(|pick| pick.candidate.slug.as_str())
            .collect()
    }

    #[test]
    fn versions_and_looks_come_before_extremes() {
        let picks = pick(&fleet(), 6, 10_000);

        assert_eq!(slugs(&picks), ["d", "a", "f", "b", "c", "e"]);
        assert_eq!(picks[0].why, "stands for 4 at m2");
        assert_eq!(picks[2].why, "looks unlike the others at m2");
        assert_eq!(picks[3].why, "is the smallest");
    }

    #[test]
    fn a_budget_is_kept() {
        let picks = pick(&fleet(), 6, 100);

        let bytes: i64 = picks.iter().map(|pick| pick.candidate.bytes).sum();
        assert!(bytes <= 100, "{bytes}");
        assert_eq!(slugs(&picks)[0], "c", "the largest of its kind has no room");
        assert!(pick(&fleet(), 6, 5).is_empty());
        assert_eq!(slugs(&pick(&fleet(), 2, 10_000)), ["d", "a"]);
    }
}
