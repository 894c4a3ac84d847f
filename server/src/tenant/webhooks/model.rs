//! When a message is sent, and what an answer means.

use std::time::Duration;

use crate::egress::{Answer, Trouble};

/// The waits before each attempt, seconds, as the specification has them: the first at once, the last
/// a day after the one before.
const SCHEDULE: [u64; 10] = [
    0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
];
/// The longest time that an endpoint is left alone because it asks for that.
const LONGEST: Duration = Duration::from_secs(86_400);
/// How long an endpoint is left alone that is too busy and doesn't say for how long.
const BUSY: Duration = Duration::from_secs(10);

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The endpoint has it.
    Delivered,
    /// It is not there any more, and won't come back.
    Gone,
    /// It may have it another time.
    Failed {
        /// In a word, for people.
        why: &'static str,
        /// Not before so long, this very message.
        after: Duration,
        /// How long nothing at all is to be sent.
        pause: Option<Duration>,
    },
}

impl Verdict {
    /// Judges an attempt. A redirect is a failure: it is not followed, whoever moved says so to people.
    pub(super) fn of(outcome: &Result<Answer, Trouble>) -> Self {
        let answer = match outcome {
            Ok(answer) => answer,
            Err(trouble) => {
                return Self::Failed {
                    why: trouble.as_str(),
                    after: Duration::ZERO,
                    pause: None,
                };
            }
        };
        let wanted = answer.retry_after.map(|wait| wait.min(LONGEST));
        let failed = |why, pause| Self::Failed {
            why,
            after: wanted.unwrap_or_default(),
            pause,
        };
        match answer.status {
            200..=299 => Self::Delivered,
            410 => Self::Gone,
            429 | 502 | 503 | 504 => failed("busy", Some(wanted.unwrap_or(BUSY))),
            300..=399 => failed("redirected", None),
            400..=499 => failed("refused", None),
            _ => failed("failed", None),
        }
    }

    /// In a word, for people; nothing when all is well.
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            Self::Delivered => None,
            Self::Gone => Some("gone"),
            Self::Failed { why, .. } => Some(why),
        }
    }

    /// Whether it speaks for the host's health: a refusal comes from one that is well.
    pub(super) fn is_well(self) -> bool {
        match self {
            Self::Delivered | Self::Gone => true,
            Self::Failed { why, .. } => matches!(why, "refused" | "redirected"),
        }
    }
}

/// How long to wait after the attempt of this number (from 1); nothing when it was the last. Up to a
/// tenth is added, by `dice` of 65,536 parts, so that what failed together doesn't come back together.
pub(super) fn wait_after(attempt: i32, dice: u16) -> Option<Duration> {
    let seconds = SCHEDULE.get(usize::try_from(attempt).ok()?)?;
    let wait = Duration::from_secs(*seconds);
    Some(wait + wait * u32::from(dice) / 655_360)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, retry_after: Option<u64>) -> Verdict {
        Verdict::of(&Ok(Answer {
            status,
            retry_after: retry_after.map(Duration::from_secs),
            beginning: String::new(),
        }))
    }

    #[test]
    fn the_waits_are_those_of_the_specification_and_at_most_a_tenth_more() {
        let waits = |dice| (1..=10).map(move |it| wait_after(it, dice).map(|it| it.as_secs()));

        let shortest: Vec<_> = waits(0).flatten().collect();
        assert_eq!(
            shortest,
            [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
        );
        let longest: Vec<_> = waits(u16::MAX).flatten().collect();
        for (short, long) in shortest.iter().zip(&longest) {
            assert!(
                long >= short && *long <= short + short / 10,
                "{short} {long}"
            );
        }
        assert_eq!(wait_after(10, 0), None);
    }

    #[test]
    fn an_answer_says_what_becomes_of_it() {
        assert_eq!(answered(204, None), Verdict::Delivered);
        assert_eq!(answered(410, None), Verdict::Gone);
        for (status, word) in [(301, "redirected"), (404, "refused"), (500, "failed")] {
            assert_eq!(answered(status, None).word(), Some(word));
        }
    }

    #[test]
    fn who_is_busy_is_left_alone_for_as_long_as_it_says_within_a_day() {
        let pause = |status, wanted| match answered(status, wanted) {
            Verdict::Failed { after, pause, .. } => (after, pause),
            other => panic!("{other:?}"),
        };

        for status in [429, 502, 503, 504] {
            let minute = Duration::from_secs(60);
            assert_eq!(pause(status, Some(60)), (minute, Some(minute)));
            assert_eq!(pause(status, None), (Duration::ZERO, Some(BUSY)));
            assert_eq!(pause(status, Some(u64::MAX)), (LONGEST, Some(LONGEST)));
        }
        assert_eq!(pause(500, Some(60)), (Duration::from_secs(60), None));
    }
}
