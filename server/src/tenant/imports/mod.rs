//! Price files: read, mapped, checked, and loaded into the catalogue.
pub mod http;
