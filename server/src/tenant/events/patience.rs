//! Gives up on a stream whose client takes nothing of it: an answer's body is only asked for more
//! when there is room for it, so nobody would notice otherwise.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt;
use actix_web::web::Bytes;
use futures_util::Stream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A body that is given up when it isn't taken: what it holds is dropped, the client's place with it.
pub(super) struct Patient {
    body: Rc<Body>,
    /// What is said to a client that takes its answer after all.
    farewell: Option<Bytes>,
    watch: JoinHandle<()>,
}

struct Body {
    told: RefCell<Option<Pin<Box<dyn Stream<Item = Bytes>>>>>,
    /// When more was asked for last.
    asked_at: Cell<Instant>,
}

impl Patient {
    /// Gives `told` up, and says so to `given_up`, when nobody asks for more for so long. It has to
    /// say something much more often than that.
    pub(super) fn with(
        told: impl Stream<Item = Bytes> + 'static,
        patience: Duration,
        farewell: Bytes,
        given_up: impl FnOnce() + 'static,
    ) -> Self {
        let body = Rc::new(Body {
            told: RefCell::new(Some(Box::pin(told))),
            asked_at: Cell::new(Instant::now()),
        });
        let watched = body.clone();
        let watch = rt::spawn(async move {
            loop {
                let until = watched.asked_at.get() + patience;
                if until <= Instant::now() {
                    break;
                }
                tokio::time::sleep_until(until).await;
            }
            given_up();
            watched.told.borrow_mut().take();
        });
        Self {
            body,
            farewell: Some(farewell),
            watch,
        }
    }
}

impl Stream for Patient {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.body.asked_at.set(Instant::now());
        match this.body.told.borrow_mut().as_mut() {
            Some(told) => told.as_mut().poll_next(context).map(|said| said.map(Ok)),
            None => Poll::Ready(this.farewell.take().map(Ok)),
        }
    }
}

impl Drop for Patient {
    fn drop(&mut self) {
        self.watch.abort();
        // A task that is told to end does so later; the place is free now.
        self.body.told.borrow_mut().take();
    }
}
