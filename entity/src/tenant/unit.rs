//! A unit of measure, named by its code.

use sea_orm::entity::prelude::*;

/// One unit, such as `m2`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "unit")]
pub struct Model {
    /// `[a-z0-9][a-z0-9_]{0,31}`; never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// For people, such as `Square metre`.
    pub name: String,
    /// Printed after a quantity, such as `m²`.
    pub symbol: String,
    /// Code of UN/ECE Recommendation 20 or 21.
    pub un_ece: Option<String>,
    /// Decimal places a quantity in this unit may have, 0 to 6.
    pub decimals: i16,
    /// Goes up with every change; the ETag.
    pub version: i64,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub updated_at: TimeDateTimeWithTimeZone,
}

/// None: what refers to a unit is looked up from the other side.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
