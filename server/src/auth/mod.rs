//! Who is asking: passwords, tokens, sessions, permissions. It knows no HTTP.

mod access;
mod access_token;
mod api_key;
mod attempts;
mod claims;
mod cursor_seal;
pub mod epoch;
mod epochs;
mod error;
mod grants;
mod invitation;
mod key_trail;
mod keys;
pub mod one_time;
mod passwords;
mod permission;
mod policy;
mod principal;
mod proof;
mod refresh_token;
pub mod scope;
mod session;
mod session_end;
mod settings;
mod shown;
mod signing;
mod strength;

pub use crate::kernel::{Sealer, Unsealable};
pub use access::{Access, person_of, role_grants};
pub use access_token::{AccessToken, AccessTokens};
pub use api_key::{ApiKeyText, PATTERN as API_KEY_PATTERN};
pub use attempts::{Attempts, Guess, Standing};
pub use claims::{Audience, Claims, Holder, OfPlatform, OfTenant};
pub use cursor_seal::CursorSeals;
pub use error::AuthError;
pub use grants::{Grants, granted_to};
pub use invitation::{InvitationToken, Invited, offer, open_to, renew};
pub use key_trail::KeyTrail;
pub use keys::{SentKey, load_key};
pub use one_time::{Kind as OneTimeKind, NewOneTime, OneTimeToken};
pub use passwords::{Passwords, Unfit};
pub use permission::{
    CATALOGUE, Entry, ExportAudit, ManageJobs, ManageKeys, ManageMembers, ManageOrganisation,
    ManageRoles, ManageSecurity, ManageSessions, ManageSettings, ManageSso, ManageWebhooks,
    Permission, ReadAudit, ReadCosts, ReadEvents, ReadItems, ReadJobs, ReadMembers,
    ReadOrganisation, ReadRoles, ReadSettings, ReadWebhooks, RunExports, RunImports, Scope,
    UndoImports, WriteCosts, WriteItems, entry,
};
pub use policy::{
    SECURITY_SETTING, SecurityPolicy, domain_of, has_second_factor, must_enrol, must_use_sso,
    security_policy,
};
pub use principal::{KeyFacts, Means, Person, Principal, SessionFacts};
pub use proof::{Proof, kept_agent, prove, short_digest};
pub use refresh_token::RefreshToken;
pub use session::{Beginning, Client, Issued, Method, Refreshed, Sessions, Visitor};
pub use session_end::{SweepReport, end as end_session, end_all as end_all_sessions, sweep};
pub use settings::Settings;
pub use shown::Shown;
pub use signing::{Because, Rotated, SigningKeys};
