//! Items as the use cases see them: commands, filters, and the rules of a price.

use ::entity::tenant::item::{self, Status};
use rust_decimal::Decimal;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::kernel::{Currency, Patch};

/// An item with its barcodes, in their order.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub item: item::Model,
    pub barcodes: Vec<String>,
}

/// What one buys for how much: `amount` of `currency` for `per` units of `unit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Price {
    /// At most 12 digits before the point and 6 after it.
    pub amount: Decimal,
    /// More than zero, within the same bounds.
    pub per: Decimal,
    pub unit: String,
    pub currency: Currency,
}

/// An item to be.
#[derive(Debug, Clone)]
pub(super) struct NewItem {
    pub sku: String,
    pub name: String,
    pub description: String,
    pub group_id: Option<Uuid>,
    pub base_unit: String,
    pub price: Option<Price>,
    /// What the dealer pays for as much as the price is for.
    pub cost: Option<Decimal>,
    pub barcodes: Vec<String>,
    pub status: Status,
    pub custom: Map<String, Value>,
}

/// What is to change about an item.
#[derive(Debug, Clone)]
pub(super) struct ItemChange {
    pub sku: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub group_id: Patch<Uuid>,
    pub base_unit: Option<String>,
    pub price: Patch<Price>,
    pub cost: Patch<Decimal>,
    pub barcodes: Option<Vec<String>>,
    pub status: Option<Status>,
    pub custom: Option<Map<String, Value>>,
}

/// Which items are wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    /// Words and parts of words; all of them must occur.
    pub q: Option<String>,
    /// The group, or any group within it.
    pub group_id: Option<Uuid>,
    pub sku: Option<String>,
    pub barcode: Option<String>,
    /// Changed then or later.
    pub updated_since: Option<OffsetDateTime>,
    pub shown: Shown,
}

/// Which states are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Shown {
    /// All but retired ones.
    #[default]
    Kept,
    Active,
    Obsolete,
    Retired,
}

/// What a list is sorted by. A search is sorted by how well it fits, then by SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sort {
    pub key: SortKey,
    pub direction: Direction,
}

/// What an item can be sorted by; the SKU decides where it leaves two items equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SortKey {
    Sku,
    Name,
    UpdatedAt,
}

/// From the smallest up, or from the largest down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

/// Longest barcode, characters.
pub(super) const MAX_BARCODE_CHARS: usize = 64;

/// Whether an amount fits `NUMERIC(18,6)` exactly.
pub(super) fn fits(amount: Decimal) -> bool {
    const TOO_LARGE: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0); // 10^12
    amount.normalize().scale() <= 6 && amount.abs() < TOO_LARGE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_fits_up_to_twelve_digits_before_and_six_after_the_point() {
        for good in ["0", "999999999999.999999", "-1.5", "72.910000000"] {
            assert!(fits(good.parse().unwrap()), "{good}");
        }
        for bad in ["1000000000000", "0.0000001", "-1000000000000"] {
            assert!(!fits(bad.parse().unwrap()), "{bad}");
        }
    }
}
