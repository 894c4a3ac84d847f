//! Work that is all processor: on a thread of its own, behind whoever is being served.

use std::io;
use std::thread;

use tokio::sync::oneshot;

/// Does `work` on a thread of its own, which ends with it. Whoever stops waiting doesn't stop it.
///
/// # Errors
///
/// When no thread can be had, or the work panics.
pub async fn aside<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (answer, done) = oneshot::channel();
    begin(name, move || {
        let _nobody_waits = answer.send(work());
    })?;
    done.await
        .map_err(|_| io::Error::other("the work aside has panicked"))
}

/// Begins `work` on such a thread, for those that hear of it otherwise. The name is the thread's, in
/// what the system shows of the process: at most 15 bytes of it.
///
/// # Errors
///
/// When no thread can be had.
pub fn begin(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let thread = thread::Builder::new().name(name.to_owned());
    thread
        .spawn(move || {
            step_back();
            work();
        })
        .map(drop)
}

/// Gives this thread a small claim to a processor: it runs at full speed while there is nothing else
/// to do, and at a tenth of it while there is, so that a busy machine still serves. Where that can't
/// be asked for it competes like any other.
fn step_back() {
    #[cfg(target_os = "linux")]
    {
        const BEHIND: i32 = 10;
        let me = rustix::thread::gettid();
        if let Err(error) = rustix::process::setpriority_process(Some(me), BEHIND) {
            tracing::warn!(error = %error, "work aside is done at the priority of requests");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_aside_answers_from_a_thread_of_its_own() {
        let me = thread::current().id();

        let other = aside("aside", || thread::current().id()).await.unwrap();

        assert_ne!(other, me);
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn work_aside_stands_behind_whoever_waits_for_it() {
        let nice = || rustix::process::getpriority_process(Some(rustix::thread::gettid())).unwrap();

        let there = aside("aside", nice).await.unwrap();

        assert!(there > nice(), "{there}");
    }

    #[tokio::test]
    async fn work_aside_that_panics_is_an_error() {
        let failed = aside("aside", || panic!("as a test wants it")).await;

        assert!(failed.is_err());
    }
}
