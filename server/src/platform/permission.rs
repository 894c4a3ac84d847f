//! What an operator may do: permissions as types, and which role holds which.

use provisioner::operators::Role;

use crate::auth::Permission;

/// Look at everything.
#[derive(Debug)]
pub(super) struct Look;
/// Switch tenants off and on again.
#[derive(Debug)]
pub(super) struct SuspendTenants;
/// Look for the proof of a tenant's domain.
#[derive(Debug)]
pub(super) struct VerifyDomains;
/// Copy tenants without their people.
#[derive(Debug)]
pub(super) struct CloneTenants;
/// Retry and discard background work, see what it carries, pause and resume it.
#[derive(Debug)]
pub(super) struct ManageJobs;
/// Make tenants, and change what they are called, may use and where they are.
#[derive(Debug)]
pub(super) struct ChangeTenants;

/// Say that mail to an address came back.
#[derive(Debug)]
pub(super) struct RecordBounces;

/// Carry a new version over the fleet.
#[derive(Debug)]
pub(super) struct RunMigrations;

/// Replace the keys that sign tokens.
#[derive(Debug)]
pub(super) struct RotateKeys;

impl Permission for Look {
    const NAME: &'static str = "platform.read";
}
impl Permission for SuspendTenants {
    const NAME: &'static str = "tenant.suspend";
}
impl Permission for VerifyDomains {
    const NAME: &'static str = "domain.verify";
}
impl Permission for RecordBounces {
    const NAME: &'static str = "mail.bounce";
}
impl Permission for CloneTenants {
    const NAME: &'static str = "tenant.clone";
}
impl Permission for ManageJobs {
    const NAME: &'static str = "job.manage";
}
impl Permission for ChangeTenants {
    const NAME: &'static str = "tenant.change";
}

impl Permission for RunMigrations {
    const NAME: &'static str = "migration.run";
}

impl Permission for RotateKeys {
    const NAME: &'static str = "signing_key.rotate";
}

/// The permissions of a role, each role's with those of the one before.
pub(super) fn granted_to(role: Role) -> &'static [&'static str] {
    const ALL: &[&str] = &[
        Look::NAME,
        SuspendTenants::NAME,
        VerifyDomains::NAME,
        CloneTenants::NAME,
        RecordBounces::NAME,
        ManageJobs::NAME,
        ChangeTenants::NAME,
        RunMigrations::NAME,
        RotateKeys::NAME,
    ];
    let held = match role {
        Role::Viewer => 1,
        Role::Support => 6,
        Role::Admin => ALL.len(),
    };
    &ALL[..held]
}
