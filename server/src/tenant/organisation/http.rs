//! The routes of branches and teams, and what their errors look like to a client.

use utoipa_actix_web::service_config::ServiceConfig;

use super::{OrganisationError, branches, teams};
use crate::http::{Code, Problem};

/// The routes of this domain.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(branches::http::routes)
        .configure(teams::http::routes)
        .configure(teams::places::routes);
}

impl From<OrganisationError> for Problem {
    fn from(error: OrganisationError) -> Self {
        let code = match &error {
            OrganisationError::BranchNotFound => return Self::new(Code::BranchNotFound),
            OrganisationError::TeamNotFound => return Self::new(Code::TeamNotFound),
            OrganisationError::MemberNotFound => return Self::new(Code::MemberNotFound),
            OrganisationError::UnknownBranch(_) => {
                return Self::field("/branch_id", "unknown", error);
            }
            OrganisationError::Cursor(error) => return Self::from(error.clone()),
            OrganisationError::Db(error) => return Self::database(error),
            OrganisationError::BranchNameTaken => Code::BranchNameTaken,
            OrganisationError::TeamNameTaken => Code::TeamNameTaken,
            OrganisationError::BranchInUse => Code::BranchInUse,
            OrganisationError::Changed(_) => Code::PreconditionFailed,
        };
        Self::new(code).detail(error)
    }
}
