//! How long a job that failed waits.

use std::time::Duration;

use super::job::Retry;

/// The wait after the attempt of this number (from 1): at most `first`, doubled with each failure up
/// to `most`; `dice` of 65,536 parts of it ("full jitter").
pub(super) fn wait(retry: Retry, attempt: i32, dice: u16) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1))
        .unwrap_or(0)
        .min(30);
    let longest = retry
        .first
        .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
        .min(retry.most);
    let millis = longest.as_millis().saturating_mul(u128::from(dice) + 1) / 65_536;
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// Two random bytes; without randomness the longest wait, which is safe.
pub(super) fn dice() -> u16 {
    let mut bytes = [u8::MAX; 2];
    if getrandom::fill(&mut bytes).is_err() {
        return u16::MAX;
    }
    u16::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Retry = Retry {
        attempts: 9,
        first: Duration::from_secs(2),
        most: Duration::from_secs(60),
    };

    #[test]
    fn the_longest_wait_doubles_up_to_a_bound() {
        let longest = |attempt| wait(RETRY, attempt, u16::MAX).as_secs();

        let waits: Vec<u64> = (1..=7).map(longest).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(longest(i32::MAX), 60);
    }

    #[test]
    fn the_dice_spread_it_over_all_of_that() {
        assert_eq!(wait(RETRY, 3, 0), Duration::ZERO);
        assert_eq!(wait(RETRY, 3, 32_767), Duration::from_secs(4));
    }
}
