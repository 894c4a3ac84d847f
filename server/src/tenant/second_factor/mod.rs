//! Second factors: codes of an authenticator app, and recovery codes for when it is lost.
//!
//! Invariants: a code works once; whoever has a second factor begins no session without it, unless
//! an identity provider vouches for them and the dealer asks for no more; a challenge lives five
//! minutes and survives four wrong codes; what is kept of a recovery code is a keyed hash, of an
//! app's secret a sealed text.

mod challenge;
mod code;
mod error;
pub mod http;
mod members;
mod service;
mod settings;
mod sign_in;
mod step_up;
mod store;

pub use challenge::{Entry, ask_or_begin};
pub use error::SecondFactorError;
pub use sign_in::{ChallengeOut, LetIn, let_in};
