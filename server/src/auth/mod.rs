//! Who is asking: passwords, tokens, sessions, permissions. It knows no HTTP.

mod access_token;
mod attempts;
mod error;
mod passwords;
mod permission;
mod proof;
mod refresh_token;
mod seal;
mod session;

pub use access_token::{AccessTokens, Audience, Claims, OfPlatform, OfTenant};
pub use attempts::{Attempts, Standing};
pub use error::AuthError;
pub use passwords::Passwords;
pub use permission::{Permission, ReadItems, RunImports, WriteItems, granted_to};
pub use proof::{Proof, kept_agent, prove};
pub use refresh_token::RefreshToken;
pub use seal::Seals;
pub use session::{Issued, LiveSession, Sessions, SweepReport, sweep};
