//! Budgets of all processes together, in Redis: all of a request's in one question.

use std::sync::LazyLock;

use deadpool_redis::redis::Script;

use super::budget::{Budget, Charged, Verdict};
use crate::redis::{Redis, Wire};

/// The rule of `gcra`, for several keys. Redis runs it as one step, by its own clock, so that
/// processes whose clocks are apart agree. Numbers are doubles there: microseconds since 1970 fit.
///
/// For each key two arguments, microseconds: in what time its burst comes back, and what the
/// request takes. Answers for each what is used and what is missing.
const CHARGE: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local kept = redis.call('MGET', unpack(KEYS))
local answer, moments, refused = {}, {}, false
for i = 1, #KEYS do
    local latest = now + ARGV[2 * i - 1]
    local from = math.min(math.max(tonumber(kept[i] or now), now), latest)
    moments[i] = from + ARGV[2 * i]
    answer[2 * i - 1] = from - now
    answer[2 * i] = moments[i] - latest
    refused = refused or answer[2 * i] > 0
end
if not refused then
    for i = 1, #KEYS do
        local used = moments[i] - now
        redis.call('SET', KEYS[i], string.format('%.0f', moments[i]), 'PX', math.ceil(used / 1000))
        answer[2 * i - 1], answer[2 * i] = used, 0
    end
end
return answer
";

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(CHARGE));

/// `None` when Redis can't say.
pub(super) async fn charge(redis: &Redis, budgets: &[&Budget]) -> Option<Verdict> {
    let ask = async |mut wire: Wire| {
        let mut call = SCRIPT.prepare_invoke();
        for budget in budgets {
            let pace = budget.pace();
            call.key(redis.key(&budget.key))
                .arg(pace.tolerance_us)
                .arg(pace.cost_us);
        }
        call.invoke_async::<Vec<i64>>(&mut wire).await
    };
    let answer = redis.ask(ask).await?;
    let pairs = answer.as_chunks::<2>().0;
    let charged = budgets.iter().zip(pairs);
    Some(Verdict(
        charged
            .map(|(budget, [used_us, over_us])| Charged::of(budget, *used_us, *over_us))
            .collect(),
    ))
}
