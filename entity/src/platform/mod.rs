//! Schema `platform`: where every tenant lives and what happened to it. Always qualified, so that
//! no search path can point these queries anywhere else.

pub mod lane;
pub mod node;
pub mod plan;
pub mod security_event;
pub mod tenant;
pub mod tenant_domain;
pub mod tenant_event;
