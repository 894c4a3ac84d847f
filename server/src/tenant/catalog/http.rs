//! The routes of the catalogue, and what its errors look like to a client.

use utoipa_actix_web::service_config::ServiceConfig;

use super::{CatalogError, groups, items, units};
use crate::http::{Code, Problem};

/// The routes of this domain.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(items::http::routes)
        .configure(groups::http::routes)
        .configure(units::http::routes);
}

impl From<CatalogError> for Problem {
    fn from(error: CatalogError) -> Self {
        let code = match &error {
            CatalogError::ItemNotFound => return Self::new(Code::ItemNotFound),
            CatalogError::GroupNotFound => return Self::new(Code::GroupNotFound),
            CatalogError::UnitNotFound => return Self::new(Code::UnitNotFound),
            CatalogError::UnknownGroup(_) => return Self::field("/group_id", "unknown", error),
            CatalogError::UnknownParent(_) => return Self::field("/parent_id", "unknown", error),
            CatalogError::UnknownUnit => return Self::field("/base_unit", "unknown", error),
            CatalogError::UnknownPriceUnit => {
                return Self::field("/price/unit", "unknown", error);
            }
            CatalogError::CostWithoutPrice => {
                return Self::field("/cost", "needs_price", error);
            }
            CatalogError::Cursor(error) => return Self::from(error.clone()),
            CatalogError::Db(error) => return Self::database(error),
            CatalogError::SkuTaken => Code::SkuTaken,
            CatalogError::BarcodeTaken => Code::BarcodeTaken,
            CatalogError::GroupNameTaken => Code::GroupNameTaken,
            CatalogError::GroupNotEmpty => Code::GroupNotEmpty,
            CatalogError::GroupCycle => Code::GroupCycle,
            CatalogError::UnitCodeTaken => Code::UnitCodeTaken,
            CatalogError::UnitInUse => Code::UnitInUse,
            CatalogError::Changed(_) => Code::PreconditionFailed,
        };
        Self::new(code).detail(error)
    }
}
