//! The columns that an export can have, and what stands in them.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

use crate::tenant::catalog::items::TakenItem;

/// A column of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExportColumn)]
pub enum Column {
    /// The article number.
    Sku,
    /// The name.
    Name,
    /// The longer text.
    Description,
    /// The groups that lead to it: a column for each level.
    Group,
    /// The unit that the price is for; that of stock where there is no price.
    Unit,
    /// The unit of stock.
    BaseUnit,
    /// The price.
    Price,
    /// How many units the price is for.
    PricePer,
    /// ISO 4217.
    Currency,
    /// All barcodes, with blanks between.
    Barcode,
    /// `active`, `obsolete` or `retired`.
    Status,
    /// What the dealer pays. Needs `price.cost.read`.
    Cost,
    /// When it was last changed, UTC.
    UpdatedAt,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Text(String),
    Number(Decimal),
    Empty,
}

/// What an export has that doesn't say: all that our own importer reads.
pub(super) const USUAL: [Column; 10] = [
    Column::Sku,
    Column::Name,
    Column::Description,
    Column::Group,
    Column::Unit,
    Column::Price,
    Column::PricePer,
    Column::Currency,
    Column::Barcode,
    Column::Status,
];

impl Column {
    /// As it is kept.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Sku => "sku",
            Self::Name => "name",
            Self::Description => "description",
            Self::Group => "group",
            Self::Unit => "unit",
            Self::BaseUnit => "base_unit",
            Self::Price => "price",
            Self::PricePer => "price_per",
            Self::Currency => "currency",
            Self::Barcode => "barcode",
            Self::Status => "status",
            Self::Cost => "cost",
            Self::UpdatedAt => "updated_at",
        }
    }

    /// The column of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let others = [Self::BaseUnit, Self::Cost, Self::UpdatedAt];
        let mut all = USUAL.into_iter().chain(others);
        all.find(|column| column.as_str() == name)
    }

    /// What stands above it: names that our own importer knows. Groups have a column a level.
    pub(super) fn headers(self, levels: usize) -> Vec<String> {
        let one = |name: &str| vec![name.to_owned()];
        match self {
            Self::Sku => one("SKU"),
            Self::Name => one("Name"),
            Self::Description => one("Description"),
            Self::Group if levels <= 1 => one("Group"),
            Self::Group => (1..=levels).map(|level| format!("Level {level}")).collect(),
            Self::Unit => one("Unit"),
            Self::BaseUnit => one("Base unit"),
            Self::Price => one("Price"),
            Self::PricePer => one("Price per"),
            Self::Currency => one("Currency"),
            Self::Barcode => one("Barcode"),
            Self::Status => one("Status"),
            Self::Cost => one("Cost"),
            Self::UpdatedAt => one("Updated at"),
        }
    }

    /// What stands in it, in as many cells as it has headers.
    pub(super) fn cells(self, taken: &TakenItem, group: &[String], levels: usize) -> Vec<Cell> {
        let item = &taken.item;
        let text = |text: &str| vec![Cell::text(text)];
        let number = |number: Option<Decimal>| {
            vec![number.map_or(Cell::Empty, |number| Cell::Number(number.normalize()))]
        };
        match self {
            Self::Sku => text(&item.sku),
            Self::Name => text(&item.name),
            Self::Description => text(&item.description),
            Self::Group => (0..levels.max(1))
                .map(|level| {
                    group
                        .get(level)
                        .map_or(Cell::Empty, |name| Cell::text(name))
                })
                .collect(),
            Self::Unit => text(item.price_unit.as_deref().unwrap_or(&item.base_unit)),
            Self::BaseUnit => text(&item.base_unit),
            Self::Price => number(item.price_amount),
            Self::PricePer => number(item.price_per),
            Self::Currency => text(item.currency.as_deref().unwrap_or("")),
            Self::Barcode => text(&taken.barcodes.join(" ")),
            Self::Status => text(taken.status()),
            Self::Cost => number(item.cost_amount),
            Self::UpdatedAt => text(&item.updated_at.format(&Rfc3339).unwrap_or_default()),
        }
    }
}

impl Cell {
    fn text(text: &str) -> Self {
        match text {
            "" => Self::Empty,
            text => Self::Text(text.to_owned()),
        }
    }
}
