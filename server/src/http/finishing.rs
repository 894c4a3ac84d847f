//! Work that is done to its end, whether somebody still waits for it or not.

use std::future::pending;
use std::panic::resume_unwind;

use actix_web::rt;
use futures_util::poll;

/// Does something to its end, on this thread, also when its request is refused for something else
/// meanwhile: the extractors of a handler run side by side, and the first refusal drops the others.
/// Broken off there, a question to the database costs its connection, and nothing of the answer is
/// remembered, so that the next such request asks again. What is ready at once costs nothing more.
pub(super) async fn to_its_end<T: 'static>(work: impl Future<Output = T> + 'static) -> T {
    let mut work = Box::pin(work);
    if let std::task::Poll::Ready(done) = poll!(&mut work) {
        return done;
    }
    match rt::spawn(work)
        .await
        .map_err(|error| error.try_into_panic())
    {
        Ok(done) => done,
        Err(Ok(panic)) => resume_unwind(panic),
        // The thread ends, and whoever waits here with it.
        Err(Err(_)) => pending().await,
    }
}
