//! Something the dealer sells.

use sea_orm::entity::prelude::*;

/// One item. The generated column `search` is not read, so it isn't here.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "item")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Unique per dealer, retired items included, so that restoring can't collide.
    pub sku: String,
    /// 1 to 500 characters.
    pub name: String,
    /// Empty when there is none.
    pub description: String,
    /// The group it lies in.
    pub group_id: Option<Uuid>,
    /// Stock is kept in this unit.
    pub base_unit: String,
    /// Price of `price_per` units of `price_unit`, in major units of `currency`. All four or none.
    pub price_amount: Option<Decimal>,
    /// How much the price buys, such as 100 pieces.
    pub price_per: Option<Decimal>,
    /// Unit of `price_per`.
    pub price_unit: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// What the dealer pays for `price_per` of `price_unit`, in major units of `currency`.
    pub cost_amount: Option<Decimal>,
    /// Whether the supplier still makes it.
    pub status: Status,
    /// Fields of the dealer's own, a JSON object.
    pub custom: Json,
    /// Goes up with every change; the ETag.
    pub version: i64,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub updated_at: TimeDateTimeWithTimeZone,
    /// UTC; set while the dealer has put the item away.
    pub retired_at: Option<TimeDateTimeWithTimeZone>,
}

/// Whether the supplier still makes it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Status {
    /// It can be ordered.
    Active,
    /// The supplier has announced its end.
    Obsolete,
}

/// What an item points to, and what points to it.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Its barcodes.
    #[sea_orm(has_many = "super::item_barcode::Entity")]
    Barcode,
}

impl Related<super::item_barcode::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Barcode.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
