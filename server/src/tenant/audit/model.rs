//! Records as they are asked for and shown.

use serde_json::Value;
use time::OffsetDateTime;
use uuid::{NoContext, Timestamp, Uuid};

use crate::auth::{Person, Scope};

/// Which records are wanted; what is absent doesn't matter.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub actor_id: Option<Uuid>,
    pub actor_kind: Option<String>,
    pub action: Option<String>,
    pub target_kind: Option<String>,
    pub target_id: Option<String>,
    pub since: Option<OffsetDateTime>,
    pub until: Option<OffsetDateTime>,
}

/// Who looks, and how far they may.
#[derive(Debug, Clone, Copy)]
pub(super) struct Viewer<'a> {
    pub person: &'a Person,
    pub scope: Scope,
}

/// The smallest id that a record of this moment can have: ids begin with the time.
pub(super) fn first_id_at(at: OffsetDateTime) -> Uuid {
    let seconds = u64::try_from(at.unix_timestamp()).unwrap_or_default();
    let made = Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, at.nanosecond()));
    // The time is the first 48 bits; then come version, variant and chance.
    Uuid::from_u128((made.as_u128() >> 80) << 80)
}

/// The same without what things cost the dealer, for people who may not see that.
pub(super) fn without_costs(state: Value) -> Value {
    match state {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(name, _)| name != "cost" && !name.starts_with("cost_"))
                .map(|(name, value)| (name, without_costs(value)))
                .collect(),
        ),
        Value::Array(values) => Value::Array(values.into_iter().map(without_costs).collect()),
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn costs_are_taken_out_however_deep() {
        let state =
            json!({"sku": "A", "cost": {"amount": "1"}, "deep": [{"cost_amount": 1, "costly": 2}]});

        assert_eq!(
            without_costs(state),
            json!({"sku": "A", "deep": [{"costly": 2}]})
        );
    }

    #[test]
    fn ids_of_a_moment_lie_between_its_first_and_the_next_ones() {
        let at = datetime!(2026-11-21 18:00:00.123 UTC);
        let id = Uuid::new_v7(Timestamp::from_unix(
            NoContext,
            u64::try_from(at.unix_timestamp()).unwrap(),
            at.nanosecond(),
        ));

        assert!(first_id_at(at) <= id);
        assert!(id < first_id_at(at + time::Duration::milliseconds(1)));
    }
}
