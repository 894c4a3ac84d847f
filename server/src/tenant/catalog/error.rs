//! What can go wrong with the catalogue.

use sea_orm::DbErr;
use uuid::Uuid;

use crate::db::{Failure, failure_of};
use crate::kernel::CursorError;

/// What can go wrong with the catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// There is no such item.
    #[error("item does not exist")]
    ItemNotFound,
    /// There is no such group.
    #[error("item group does not exist")]
    GroupNotFound,
    /// There is no such unit.
    #[error("unit does not exist")]
    UnitNotFound,
    /// Another item, perhaps a retired one, has this SKU.
    #[error("the SKU is taken; a retired item keeps its SKU and can be restored")]
    SkuTaken,
    /// Another item has one of these barcodes.
    #[error("one of the barcodes is taken")]
    BarcodeTaken,
    /// A field names a group that isn't there.
    #[error("there is no group {0}")]
    UnknownGroup(Uuid),
    /// A group is to lie in one that isn't there.
    #[error("there is no group {0}")]
    UnknownParent(Uuid),
    /// The base unit isn't there.
    #[error("there is no such unit; see /api/v1/units")]
    UnknownUnit,
    /// The unit of the price isn't there.
    #[error("there is no such unit; see /api/v1/units")]
    UnknownPriceUnit,
    /// A cost is to be kept, but no price that says what it is for.
    #[error("a cost is for as much as the price is for: say the price, too")]
    CostWithoutPrice,
    /// A sibling has this name.
    #[error("another group in the same place has this name")]
    GroupNameTaken,
    /// Items or groups still lie in it.
    #[error("the group still holds items or groups; move them first")]
    GroupNotEmpty,
    /// It would lie within itself.
    #[error("the new parent lies within the group itself")]
    GroupCycle,
    /// Another unit has this code.
    #[error("the unit code is taken")]
    UnitCodeTaken,
    /// Items are kept or priced in it.
    #[error("items are kept or priced in this unit")]
    UnitInUse,
    /// It is at another version by now.
    #[error("it is at version {0} by now; read it again")]
    Changed(i64),
    /// The cursor belongs to another list.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The database failed.
    #[error("the database failed")]
    Db(DbErr),
}

impl From<DbErr> for CatalogError {
    /// The constraints are the rules; their names say which of them was broken.
    fn from(error: DbErr) -> Self {
        let Failure::Constraint(name) = failure_of(&error) else {
            return Self::Db(error);
        };
        match name.as_str() {
            "item_sku_key" => Self::SkuTaken,
            "item_barcode_pkey" => Self::BarcodeTaken,
            "item_base_unit_fkey" => Self::UnknownUnit,
            "item_price_unit_fkey" => Self::UnknownPriceUnit,
            "item_group_parent_id_name_key" => Self::GroupNameTaken,
            "item_group_parent_not_self_check" => Self::GroupCycle,
            "unit_pkey" => Self::UnitCodeTaken,
            _ => Self::Db(error),
        }
    }
}

/// Insists on the version that a change is based on.
pub(super) fn expect_version(expected: Option<i64>, actual: i64) -> Result<(), CatalogError> {
    match expected {
        Some(version) if version != actual => Err(CatalogError::Changed(actual)),
        _ => Ok(()),
    }
}
