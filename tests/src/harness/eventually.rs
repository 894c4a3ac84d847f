//! Waiting for what happens behind a test's back, without a guess at how long it takes.

use std::time::{Duration, Instant};

/// Nothing that is waited for takes this long, even on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again and again until the answer is yes.
///
/// # Panics
///
/// When it stays no; `what` then says what did not come to be.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "never came to be: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
