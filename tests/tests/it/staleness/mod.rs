//! After a change of who may what was acknowledged, no server serves the old answer for longer than
//! a second: with Redis, without, and while it goes.

mod caches;
mod changes;

use std::time::{Duration, Instant};

use tests::{Actor, Reply};

/// What is promised.
const BOUND: Duration = Duration::from_secs(1);
/// After the first new answer the old one must not come back; it is looked for this long.
const WATCHED: Duration = Duration::from_millis(300);

/// Asks again and again until the answer is new, and a while on. An old answer may only be given to
/// who asked within the bound: whoever asked later, however long they waited, gets the new one.
async fn watch(who: &Actor, acknowledged: Instant, what: &str, is_new: impl Fn(&Reply) -> bool) {
    let mut first_new: Option<Instant> = None;
    loop {
        let asked = Instant::now();
        let reply = who.get("/me").await;
        if is_new(&reply) {
            let first = *first_new.get_or_insert(asked);
            if asked.duration_since(first) > WATCHED {
                return;
            }
        } else {
            let late = asked.saturating_duration_since(acknowledged);
            assert!(
                late <= BOUND,
                "{what}: old {late:?} after: {}",
                reply.text()
            );
            assert!(
                first_new.is_none(),
                "{what}: the old answer came back: {}",
                reply.text()
            );
        }
    }
}
