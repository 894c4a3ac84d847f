//! Tables of a dealer's schema. They name no schema: the transaction decides whose they are.

pub mod access_state;
pub mod api_key;
pub mod api_key_usage;
pub mod audit_head;
pub mod audit_record;
pub mod branch;
pub mod idempotency_key;
pub mod invitation;
pub mod item;
pub mod item_barcode;
pub mod item_group;
pub mod member;
pub mod one_time_token;
pub mod recovery_code;
pub mod refresh_token;
pub mod role;
pub mod role_grant;
pub mod session;
pub mod setting;
pub mod sso_connection;
pub mod sso_domain;
pub mod sso_identity;
pub mod team;
pub mod team_member;
pub mod totp_credential;
pub mod unit;
