//! Schema `platform`: where every tenant lives and what happened to it. Always qualified, so that
//! no search path can point these queries anywhere else.

pub mod audit_checkpoint;
pub mod lane;
pub mod membership;
pub mod migration_run;
pub mod migration_run_tenant;
pub mod node;
pub mod operator;
pub mod operator_refresh_token;
pub mod operator_session;
pub mod plan;
pub mod rehearsal;
pub mod security_event;
pub mod server_process;
pub mod signing_key;
pub mod spare_goal;
pub mod tenant;
pub mod tenant_domain;
pub mod tenant_event;
pub mod tenant_export;
pub mod tenant_traffic;
pub mod tenant_vitals;
