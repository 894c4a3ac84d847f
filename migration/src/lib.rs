//! The history of both schemas, and what a new dealer is born with. Strings, never entities:
//! history does not move when the entities do.

// `MigrationTrait` elides the lifetime of `SchemaManager`, and async-trait then accepts no other
// spelling in an implementation.
#![allow(elided_lifetimes_in_paths)]

pub mod platform;
pub mod seed;
pub mod tenant;

pub use platform::{NodeMigrator, PlatformMigrator};
pub use tenant::TenantMigrator;
