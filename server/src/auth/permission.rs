//! What a member may do: permissions as types, and which role holds which.

use ::entity::tenant::member::Role;

/// Something that may be allowed or not. A handler names it in its signature.
pub trait Permission: 'static {
    /// Its name in the catalogue, such as `item.read`.
    const NAME: &'static str;
}

/// See the catalogue.
#[derive(Debug)]
pub struct ReadItems;
/// Change the catalogue.
#[derive(Debug)]
pub struct WriteItems;
/// Load price files.
#[derive(Debug)]
pub struct RunImports;

impl Permission for ReadItems {
    const NAME: &'static str = "item.read";
}
impl Permission for WriteItems {
    const NAME: &'static str = "item.write";
}
impl Permission for RunImports {
    const NAME: &'static str = "import.run";
}

/// The permissions of a built-in role, in the order of the catalogue.
pub fn granted_to(role: Role) -> &'static [&'static str] {
    const READ: &[&str] = &[ReadItems::NAME];
    const KEEP: &[&str] = &[ReadItems::NAME, WriteItems::NAME, RunImports::NAME];
    match role {
        Role::Owner | Role::Admin | Role::BranchManager | Role::Buyer => KEEP,
        Role::Sales
        | Role::Counter
        | Role::Warehouse
        | Role::Driver
        | Role::Accounts
        | Role::Viewer => READ,
    }
}
