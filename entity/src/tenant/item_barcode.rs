//! A barcode; it belongs to exactly one item of a dealer.

use sea_orm::entity::prelude::*;

/// One barcode of an item.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "item_barcode")]
pub struct Model {
    /// As scanned, usually a GTIN.
    #[sea_orm(primary_key, auto_increment = false)]
    pub barcode: String,
    /// Whose it is.
    pub item_id: Uuid,
    /// Place among the item's barcodes, from 0.
    pub position: i16,
}

/// Where a barcode leads.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Its item.
    #[sea_orm(
        belongs_to = "super::item::Entity",
        from = "Column::ItemId",
        to = "super::item::Column::Id"
    )]
    Item,
}

impl Related<super::item::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Item.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
