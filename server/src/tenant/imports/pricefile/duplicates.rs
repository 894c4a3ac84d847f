//! Notices article numbers that occur twice, in sixteen bytes a row.

use std::hash::{BuildHasher, RandomState};

use serde::{Deserialize, Serialize};

/// Which of several good rows with the same article number is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Duplicates {
    /// The first; each later one is rejected.
    #[default]
    Reject,
    /// The last; each earlier one is superseded.
    LastWins,
}

/// Bits of an entry that hold the line; the other 96 are the article number's hash.
const LINE_BITS: u32 = 32;

/// Collects the article numbers of a file.
///
/// 96 bits of a keyed hash: among a million rows two different numbers meet by chance once in
/// 10^17 files, and nobody can make them meet on purpose.
pub(super) struct Collected {
    hashers: [RandomState; 2],
    entries: Vec<u128>,
}

impl Collected {
    pub(super) fn new() -> Self {
        Self {
            hashers: [RandomState::new(), RandomState::new()],
            entries: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, sku: &str, line: u64) {
        // A file within the limits has fewer lines than 32 bits count.
        let line = u128::from(line.min(u64::from(u32::MAX)));
        self.entries
            .push(hash(&self.hashers, sku) << LINE_BITS | line);
    }

    /// The numbers that occur more than once, with the line that is kept.
    pub(super) fn kept(mut self, duplicates: Duplicates) -> Kept {
        self.entries.sort_unstable();
        let mut winners = Vec::new();
        let mut repeats = 0;
        for same in self
            .entries
            .chunk_by(|left, right| left >> LINE_BITS == right >> LINE_BITS)
        {
            let winner = match duplicates {
                Duplicates::Reject => same.first(),
                Duplicates::LastWins => same.last(),
            };
            if let Some(winner) = winner.filter(|_| same.len() > 1) {
                winners.push(*winner);
                repeats += same.len() as u64 - 1;
            }
        }
        winners.shrink_to_fit();
        Kept {
            hashers: self.hashers,
            winners,
            repeats,
        }
    }
}

/// For each repeated article number, the row that is kept.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    hashers: [RandomState; 2],
    winners: Vec<u128>,
    repeats: u64,
}

impl Kept {
    /// The line that is kept for a repeated number; none for a number that occurs once.
    pub(super) fn line_of(&self, sku: &str) -> Option<u64> {
        if self.winners.is_empty() {
            return None;
        }
        let hash = hash(&self.hashers, sku);
        let at = self
            .winners
            .binary_search_by_key(&hash, |entry| entry >> LINE_BITS)
            .ok()?;
        Some((self.winners[at] & u128::from(u32::MAX)) as u64)
    }

    /// How many rows give way to another.
    pub(super) fn repeats(&self) -> u64 {
        self.repeats
    }
}

fn hash(hashers: &[RandomState; 2], sku: &str) -> u128 {
    let [high, low] = [0, 1].map(|index: usize| u128::from(hashers[index].hash_one(sku)));
    (high << 64 | low) >> LINE_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(rows: &[(&str, u64)], duplicates: Duplicates) -> Kept {
        let mut collected = Collected::new();
        for (sku, line) in rows {
            collected.add(sku, *line);
        }
        collected.kept(duplicates)
    }

    #[test]
    fn the_first_or_the_last_row_is_kept() {
        let rows = [("a", 2), ("b", 3), ("a", 4), ("a", 9), ("c", 10)];

        let (first, last) = (
            kept(&rows, Duplicates::Reject),
            kept(&rows, Duplicates::LastWins),
        );

        assert_eq!((first.line_of("a"), last.line_of("a")), (Some(2), Some(9)));
        assert_eq!((first.line_of("b"), last.line_of("c")), (None, None));
        assert_eq!(first.repeats(), 2);
    }

    #[test]
    fn only_repeated_numbers_are_remembered() {
        let skus: Vec<String> = (0..50_000)
            .map(|number| format!("A{}", number % 49_999))
            .collect();
        let rows: Vec<(&str, u64)> = skus.iter().map(String::as_str).zip(2..).collect();

        let kept = kept(&rows, Duplicates::Reject);

        assert_eq!(kept.winners.len(), 1);
        assert_eq!(kept.line_of("A0"), Some(2));
    }
}
