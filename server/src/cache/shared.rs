//! The level that all processes share: sealed values in Redis, under names that begin with the
//! dealer's key.

use std::time::Duration;

use deadpool_redis::redis::cmd;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Caches;

/// How long a value may lie there. Its epoch makes it nobody's long before, mostly.
const LIFE: Duration = Duration::from_secs(600);

impl Caches {
    /// What lies under a name: `Some(None)` says that it is known not to exist. What can't be
    /// opened was not put there by us and is as good as absent.
    pub(super) async fn look_up<V: DeserializeOwned>(&self, name: &str) -> Option<Option<V>> {
        let key = self.redis.key(name);
        let asked = self.redis.ask(async |mut connection| {
            let get = cmd("GET").arg(&key).to_owned();
            get.query_async::<Option<Vec<u8>>>(&mut connection).await
        });
        let sealed = asked.await??;
        let Ok(value) = self.sealer.open(&place(name), &sealed) else {
            tracing::warn!(
                key,
                "what lies in redis was not sealed by us for this place"
            );
            return None;
        };
        // Written by a server of another version, perhaps.
        serde_json::from_slice(&value).ok()
    }

    /// Puts a value there. Nobody waits for it.
    pub(super) fn put<V: Serialize>(&self, name: &str, value: Option<&V>) {
        if self.redis.state().is_none() {
            return;
        }
        let Ok(text) = serde_json::to_vec(&value) else {
            return;
        };
        let sealed = self.sealer.seal(&place(name), &text);
        let life_ms = u64::try_from(jittered(LIFE).as_millis()).unwrap_or(u64::MAX);
        let (redis, key) = (self.redis.clone(), self.redis.key(name));
        tokio::spawn(async move {
            let put = redis.ask(async |mut connection| {
                let set = cmd("SET")
                    .arg(&key)
                    .arg(&sealed)
                    .arg("PX")
                    .arg(life_ms)
                    .to_owned();
                set.query_async::<()>(&mut connection).await
            });
            // A value that isn't there is looked up again; `ask` has told why.
            put.await.unwrap_or_default();
        });
    }
}

/// What it is sealed for.
fn place(name: &str) -> String {
    format!("cache:{name}")
}

/// Three quarters of a life up to all of it, so that what was learned together isn't forgotten
/// together.
pub(super) fn jittered(life: Duration) -> Duration {
    // Without randomness all lives are as long, and nothing else is wrong.
    let dice = getrandom::u32().unwrap_or_default() % 256;
    life - life / 4 * dice / 256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_differ_and_lose_at_most_a_quarter() {
        let life = Duration::from_secs(100);
        let lives: Vec<_> = (0..100).map(|_| jittered(life)).collect();

        assert!(lives.iter().all(|it| *it > life * 3 / 4 && *it <= life));
        assert!(lives.iter().any(|it| *it != lives[0]));
    }
}
