//! How the dealer is organised: branches, and teams within and across them. Permissions that
//! reach over a branch or a team go by this.

mod branches;
mod error;
pub mod http;
mod teams;

pub use error::OrganisationError;
