//! Who goes when.

use sea_orm::QueryResult;
use uuid::Uuid;

use super::options::{Canary, RunOptions};

/// A tenant that will be moved.
pub(super) struct Chosen {
    pub(super) id: Uuid,
    pub(super) version: String,
    pub(super) is_spare: bool,
    pub(super) is_canary: bool,
}

impl Chosen {
    pub(super) fn read(row: &QueryResult) -> Result<Self, sea_orm::DbErr> {
        Ok(Self {
            id: row.try_get("", "id")?,
            version: row.try_get("", "schema_version")?,
            is_spare: row.try_get("", "is_spare")?,
            is_canary: row.try_get("", "is_canary")?,
        })
    }

    /// Where it stands among all versions.
    pub(super) fn version_at(&self, known: &[String]) -> usize {
        let at = known.iter().position(|version| *version == self.version);
        at.unwrap_or_default()
    }
}

/// Who goes in which wave: canaries first, spares, which nobody uses, with the last.
pub(super) fn assign(chosen: &[Chosen], options: &RunOptions) -> Vec<(Uuid, i32)> {
    let mut canaries = match options.canary {
        Some(Canary::Count(count)) => count as usize,
        Some(Canary::Those(_)) | None => 0,
    };
    let (mut first, mut rest, mut spares) = (vec![], vec![], vec![]);
    for one in chosen {
        if one.is_spare {
            spares.push(one.id);
        } else if one.is_canary || canaries > 0 {
            canaries = canaries.saturating_sub(1);
            first.push(one.id);
        } else {
            rest.push(one.id);
        }
    }
    let offset = i32::from(!first.is_empty());
    let mut placed: Vec<_> = first.into_iter().map(|id| (id, 0)).collect();
    let last = options.waves.len().saturating_sub(1);
    for (position, id) in rest.iter().enumerate() {
        // The share that is over once this one had its turn.
        let share = (position + 1) * 100;
        let is_within = |percent: &u8| share <= usize::from(*percent) * rest.len();
        let wave = options.waves.iter().position(is_within).unwrap_or(last);
        placed.push((*id, offset + wave as i32));
    }
    let last = placed.last().map_or(0, |(_, wave)| *wave);
    placed.extend(spares.into_iter().map(|id| (id, last)));
    close_gaps(placed)
}

/// A wave without anybody is none.
fn close_gaps(mut placed: Vec<(Uuid, i32)>) -> Vec<(Uuid, i32)> {
    let mut seen: Vec<i32> = placed.iter().map(|(_, wave)| *wave).collect();
    seen.dedup();
    for (_, wave) in &mut placed {
        *wave = seen.iter().position(|one| one == wave).unwrap_or_default() as i32;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(count: usize, spares: usize) -> Vec<Chosen> {
        (0..count + spares)
            .map(|n| Chosen {
                id: Uuid::from_u128(n as u128),
                version: "one".to_owned(),
                is_spare: n >= count,
                is_canary: false,
            })
            .collect()
    }

    fn sizes(placed: &[(Uuid, i32)]) -> Vec<usize> {
        let last = placed.iter().map(|(_, wave)| *wave).max().unwrap();
        (0..=last)
            .map(|wave| placed.iter().filter(|(_, one)| *one == wave).count())
            .collect()
    }

    #[test]
    fn waves_are_shares_of_those_who_are_no_canaries() {
        let options = RunOptions {
            canary: Some(Canary::Count(2)),
            waves: vec![10, 50, 100],
            ..RunOptions::default()
        };

        assert_eq!(sizes(&assign(&chosen(22, 3), &options)), [2, 2, 8, 13]);
        assert_eq!(sizes(&assign(&chosen(3, 0), &options)), [2, 1]);
        assert_eq!(sizes(&assign(&chosen(0, 3), &options)), [3]);
    }
}
