//! Messages to people: written from templates, handed over to a queue, sent beside the requests.
//!
//! Invariants: nobody waits for a mail server, so that it can fail no request and its speed tells
//! nothing; a token travels in the fragment of a link, which no browser sends to any server; what is
//! in a message is never logged. The queue lives in this process: a message that a crash takes along
//! can be asked for again.

mod letter;
mod links;
mod mailer;
mod transport;

pub use letter::{Letter, Letterhead, Occasion};
pub use links::{Links, Page};
pub use mailer::Mailer;
