//! Items on the wire.

use std::collections::HashSet;

use ::entity::tenant::item::Status;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::around::ItemAround;
use super::cost::{Cost, Costs, cost_fits, cost_patch_fits};
use super::model::{Item, ItemChange, MAX_BARCODE_CHARS, NewItem};
use super::price::PriceBody;
use crate::http::Problem;
use crate::kernel::{Patch, never_null};
use crate::tenant::catalog::text::{lines, no_control, one_line, storable};

/// State of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StatusOut {
    /// It can be ordered.
    Active,
    /// The supplier has announced its end.
    Obsolete,
    /// The dealer has put it away; it can be restored.
    Retired,
}

/// State of an item that can be written.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum StatusIn {
    Active,
    Obsolete,
}

/// A new item.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemIn {
    /// Unique per dealer, retired items included.
    #[validate(length(max = 64), custom(function = one_line))]
    #[schema(example = "BRK-NF-RED")]
    sku: String,
    #[validate(length(max = 500), custom(function = one_line))]
    #[schema(example = "Facing brick NF, red")]
    name: String,
    #[serde(default)]
    #[validate(length(max = 10000), custom(function = lines))]
    description: String,
    group_id: Option<Uuid>,
    /// Code of the unit that stock is kept in.
    #[validate(length(min = 1, max = 32), custom(function = no_control))]
    #[schema(example = "pcs")]
    base_unit: String,
    #[validate(nested)]
    price: Option<PriceBody>,
    /// What you pay for as much as the price is for, in its currency: an exact decimal as a string.
    /// Needs `price.cost.write`, and a price.
    #[validate(custom(function = cost_fits))]
    #[schema(value_type = Option<String>, example = "48.10")]
    pub cost: Option<Cost>,
    #[serde(default)]
    #[validate(custom(function = distinct_barcodes))]
    barcodes: Vec<String>,
    /// `active` when absent.
    status: Option<StatusIn>,
    /// Fields of the dealer's own.
    #[serde(default)]
    #[validate(custom(function = storable))]
    #[schema(value_type = Object)]
    custom: Map<String, Value>,
}

/// What is to change; what is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemPatch {
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 64), custom(function = one_line))]
    #[schema(nullable = false)]
    sku: Option<String>,
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 500), custom(function = one_line))]
    #[schema(nullable = false)]
    name: Option<String>,
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 10000), custom(function = lines))]
    #[schema(nullable = false)]
    description: Option<String>,
    /// Null takes it out of its group.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    group_id: Patch<Uuid>,
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(min = 1, max = 32), custom(function = no_control))]
    #[schema(nullable = false)]
    base_unit: Option<String>,
    /// Null removes the price. A new one names its unit, unless the base unit changes with it.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Option<PriceBody>)]
    price: Patch<PriceBody>,
    /// What you pay for as much as the price is for. Needs `price.cost.write`. Null removes it, and
    /// so does removing the price.
    #[serde(default)]
    #[validate(custom(function = cost_patch_fits))]
    #[schema(value_type = Option<String>, example = "48.10")]
    pub cost: Patch<Cost>,
    /// Replaces all barcodes.
    #[serde(default, deserialize_with = "never_null")]
    #[validate(custom(function = distinct_barcodes))]
    #[schema(nullable = false)]
    barcodes: Option<Vec<String>>,
    #[serde(default, deserialize_with = "never_null")]
    #[schema(nullable = false)]
    status: Option<StatusIn>,
    /// Replaces all custom fields.
    #[serde(default, deserialize_with = "never_null")]
    #[validate(custom(function = storable))]
    #[schema(value_type = Option<Object>, nullable = false)]
    custom: Option<Map<String, Value>>,
}

/// Something the dealer sells.
#[derive(Serialize, ToSchema)]
pub(super) struct ItemOut {
    id: Uuid,
    sku: String,
    name: String,
    description: String,
    #[schema(required)]
    group_id: Option<Uuid>,
    base_unit: String,
    #[schema(required)]
    price: Option<PriceBody>,
    /// What the dealer pays for as much as the price is for. Absent unless you hold
    /// `price.cost.read`, null where it isn't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "48.10")]
    cost: Option<Option<Cost>>,
    barcodes: Vec<String>,
    status: StatusOut,
    #[schema(value_type = Object)]
    custom: Value,
    /// The ETag's number.
    version: i64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    retired_at: Option<OffsetDateTime>,
    /// Its group, where `include=group` asks for it and it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    group: Option<ItemGroupOut>,
    /// Its base unit, where `include=unit` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    unit: Option<ItemUnitOut>,
}

/// The group an item is in.
#[derive(Serialize, ToSchema)]
struct ItemGroupOut {
    id: Uuid,
    name: String,
    #[schema(required)]
    parent_id: Option<Uuid>,
}

/// The unit that an item's stock is kept in.
#[derive(Serialize, ToSchema)]
struct ItemUnitOut {
    code: String,
    name: String,
    symbol: String,
    decimals: i16,
}

impl ItemIn {
    /// The command; a price without a unit is for base units.
    pub(super) fn into_command(self) -> Result<NewItem, Problem> {
        let price = self
            .price
            .map(|price| price.into_price(&self.base_unit))
            .transpose()?;
        Ok(NewItem {
            sku: self.sku.trim().to_owned(),
            name: self.name.trim().to_owned(),
            description: self.description.trim().to_owned(),
            group_id: self.group_id,
            base_unit: self.base_unit,
            price,
            cost: self.cost.map(|cost| cost.0),
            barcodes: trimmed(self.barcodes),
            status: self.status.map_or(Status::Active, Status::from),
            custom: self.custom,
        })
    }
}

impl ItemPatch {
    /// The command. A price must name its unit here, unless the base unit changes with it.
    pub(super) fn into_command(self) -> Result<ItemChange, Problem> {
        let price = match self.price {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(price) => match price.unit.clone().or_else(|| self.base_unit.clone()) {
                Some(unit) => Patch::Set(price.into_price(&unit)?),
                None => return Err(Problem::field("/price/unit", "required", NO_UNIT)),
            },
        };
        let cost = match self.cost {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(cost) => Patch::Set(cost.0),
        };
        Ok(ItemChange {
            sku: self.sku.map(|sku| sku.trim().to_owned()),
            name: self.name.map(|name| name.trim().to_owned()),
            description: self.description.map(|text| text.trim().to_owned()),
            group_id: self.group_id,
            base_unit: self.base_unit,
            price,
            cost,
            barcodes: self.barcodes.map(trimmed),
            status: self.status.map(Status::from),
            custom: self.custom,
        })
    }
}

const NO_UNIT: &str = "say which unit the price is for, such as pcs";

impl ItemOut {
    /// What somebody is told of an item.
    pub(super) fn told(item: Item, costs: Costs) -> Self {
        let cost = costs.field(item.item.cost_amount);
        Self {
            cost,
            ..Self::from(item)
        }
    }

    /// The same with what is around it.
    pub(super) fn told_around(found: ItemAround, costs: Costs) -> Self {
        let cost = costs.field(found.item.item.cost_amount);
        Self {
            cost,
            ..Self::from(found)
        }
    }
}

/// Without what it costs.
impl From<Item> for ItemOut {
    fn from(Item { item, barcodes }: Item) -> Self {
        let price = match (
            item.price_amount,
            item.price_per,
            item.price_unit,
            item.currency,
        ) {
            (Some(amount), Some(per), Some(unit), Some(currency)) => Some(PriceBody {
                amount: amount.normalize(),
                currency,
                per: per.normalize(),
                unit: Some(unit),
            }),
            _ => None,
        };
        let status = match (item.retired_at, item.status) {
            (Some(_), _) => StatusOut::Retired,
            (None, Status::Active) => StatusOut::Active,
            (None, Status::Obsolete) => StatusOut::Obsolete,
        };
        Self {
            id: item.id,
            sku: item.sku,
            name: item.name,
            description: item.description,
            group_id: item.group_id,
            base_unit: item.base_unit,
            price,
            cost: None,
            barcodes,
            status,
            custom: item.custom,
            version: item.version,
            created_at: item.created_at,
            updated_at: item.updated_at,
            retired_at: item.retired_at,
            group: None,
            unit: None,
        }
    }
}

/// Without what it costs.
impl From<ItemAround> for ItemOut {
    fn from(ItemAround { item, group, unit }: ItemAround) -> Self {
        let group = group.map(|group| ItemGroupOut {
            id: group.id,
            name: group.name,
            parent_id: group.parent_id,
        });
        let unit = unit.map(|unit| ItemUnitOut {
            code: unit.code,
            name: unit.name,
            symbol: unit.symbol,
            decimals: unit.decimals,
        });
        Self {
            group,
            unit,
            ..Self::from(item)
        }
    }
}

impl From<StatusIn> for Status {
    fn from(status: StatusIn) -> Self {
        match status {
            StatusIn::Active => Self::Active,
            StatusIn::Obsolete => Self::Obsolete,
        }
    }
}

fn trimmed(texts: Vec<String>) -> Vec<String> {
    texts
        .into_iter()
        .map(|text| text.trim().to_owned())
        .collect()
}

fn distinct_barcodes(barcodes: &[String]) -> Result<(), ValidationError> {
    let mut seen = HashSet::new();
    for barcode in barcodes {
        one_line(barcode)?;
        if barcode.chars().count() > MAX_BARCODE_CHARS || !seen.insert(barcode.trim()) {
            return Err(ValidationError::new("barcodes").with_message(
                "each must be at most 64 characters long and stand there once".into(),
            ));
        }
    }
    if barcodes.len() > 100 {
        return Err(ValidationError::new("length").with_message("at most 100".into()));
    }
    Ok(())
}
