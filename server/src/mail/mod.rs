//! Messages to people: put down in the transaction that wants them sent, and sent by a job.
//!
//! Invariants: a message is there if its transaction committed, and not otherwise; nobody waits for a
//! mail server, so that it can fail no request and its speed tells nothing; what a message is made of
//! is sealed, and gone once it has ended; a token travels in the fragment of a link, which no browser
//! sends to any server; what is in a message is never logged.
//!
//! A message is sent at least once: a worker that dies between a mail server's answer and its own
//! commit sends it again. It has the same `Message-ID` and `Date` each time, by which mailboxes know
//! it; in all other cases it is sent once.

mod correspondence;
mod delivery;
mod language;
mod letter;
mod links;
mod log;
mod mailer;
mod occasion;
mod outbox;
mod transport;
mod words;

pub use correspondence::{CORRESPONDENCE, Correspondence};
pub use delivery::{SendMail, deliver, give_up};
pub use language::{Language, NoLanguage};
pub use letter::{Letter, Letterhead};
pub use links::{Links, Page};
pub use log::{comes_back, reaches_again, sweep};
pub use mailer::Mailer;
pub use occasion::Occasion;
pub use outbox::{Outbox, To};
