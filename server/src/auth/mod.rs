//! Who is asking: passwords, tokens, sessions, permissions. It knows no HTTP.

mod access;
mod access_token;
mod api_key;
mod attempts;
mod cursor_seal;
pub mod epoch;
mod error;
mod grants;
mod passwords;
mod permission;
mod principal;
mod proof;
mod refresh_token;
pub mod scope;
mod seal;
mod session;

pub use access::{Access, person_of};
pub use access_token::{AccessTokens, Audience, Claims, OfPlatform, OfTenant};
pub use api_key::ApiKeyText;
pub use attempts::{Attempts, Standing};
pub use cursor_seal::CursorSeals;
pub use error::AuthError;
pub use grants::{Grants, granted_to};
pub use passwords::Passwords;
pub use permission::{
    CATALOGUE, Entry, ExportAudit, ManageKeys, ManageMembers, ManageOrganisation, ManageRoles,
    ManageSecurity, ManageSessions, ManageSettings, ManageSso, Permission, ReadAudit, ReadCosts,
    ReadItems, ReadMembers, ReadOrganisation, ReadRoles, ReadSettings, RunImports, Scope,
    WriteCosts, WriteItems, entry,
};
pub use principal::{KeyFacts, Means, Person, Principal, SessionFacts};
pub use proof::{Proof, kept_agent, prove};
pub use refresh_token::RefreshToken;
pub use seal::{Sealer, Unsealable};
pub use session::{
    Beginning, Client, Issued, Method, Sessions, SweepReport, Visitor, end as end_session,
    end_all as end_all_sessions, sweep,
};
