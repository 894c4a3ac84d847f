//! What can be asked of items, on the wire.

use serde::Deserialize;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::around::Include;
use super::model::{Direction, Filter, Shown, Sort, SortKey};
use super::wire::{ItemOut, StatusOut};
use crate::http::{Code, Fields, Problem};

/// Which items are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ItemsQuery {
    /// Words or parts of words in SKU, name or description, or a whole barcode. All must occur;
    /// case and accents don't matter. The best fit comes first.
    q: Option<String>,
    /// Items of this group and of all groups within it.
    group_id: Option<Uuid>,
    /// Exactly this SKU.
    sku: Option<String>,
    /// Exactly this barcode.
    barcode: Option<String>,
    /// Only items in this state; all but retired ones when absent.
    #[param(inline)]
    status: Option<StatusOut>,
    /// Only items that were changed then or later, RFC 3339.
    #[serde(default, with = "time::serde::rfc3339::option")]
    updated_since: Option<OffsetDateTime>,
    /// What to sort by without `q`; `sku` when absent. A minus turns the order round.
    #[param(inline)]
    sort: Option<SortIn>,
    /// Rows of the page, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u64>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
    /// Only these fields of each item, with commas between.
    fields: Option<String>,
    /// What to show beside each item: `group`, `unit` (its base unit), or both with a comma.
    include: Option<String>,
}

/// What of an item is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ItemQuery {
    /// Only these fields, with commas between.
    fields: Option<String>,
    /// What to show beside it: `group`, `unit` (its base unit), or both with a comma.
    include: Option<String>,
}

/// What a list can be sorted by.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
enum SortIn {
    #[serde(rename = "sku")]
    Sku,
    #[serde(rename = "-sku")]
    SkuDown,
    #[serde(rename = "name")]
    Name,
    #[serde(rename = "-name")]
    NameDown,
    #[serde(rename = "updated_at")]
    UpdatedAt,
    #[serde(rename = "-updated_at")]
    UpdatedAtDown,
}

impl ItemsQuery {
    pub(super) fn sort(&self) -> Sort {
        let (key, direction) = match self.sort {
            None | Some(SortIn::Sku) => (SortKey::Sku, Direction::Up),
            Some(SortIn::SkuDown) => (SortKey::Sku, Direction::Down),
            Some(SortIn::Name) => (SortKey::Name, Direction::Up),
            Some(SortIn::NameDown) => (SortKey::Name, Direction::Down),
            Some(SortIn::UpdatedAt) => (SortKey::UpdatedAt, Direction::Up),
            Some(SortIn::UpdatedAtDown) => (SortKey::UpdatedAt, Direction::Down),
        };
        Sort { key, direction }
    }

    /// What of each item is to be told, and what beside it.
    pub(super) fn shape(&self) -> Result<(Fields, Include), Problem> {
        shape(self.fields.as_deref(), self.include.as_deref())
    }

    pub(super) fn into_filter(self) -> Filter {
        let shown = match self.status {
            None => Shown::Kept,
            Some(StatusOut::Active) => Shown::Active,
            Some(StatusOut::Obsolete) => Shown::Obsolete,
            Some(StatusOut::Retired) => Shown::Retired,
        };
        // A byte that no text in the database can hold finds nothing, like any other.
        let q = self
            .q
            .map(|q| q.replace('\0', "\u{fffd}").trim().to_owned());
        Filter {
            q: q.filter(|q| !q.is_empty()),
            group_id: self.group_id,
            sku: self.sku.map(|sku| sku.replace('\0', "\u{fffd}")),
            barcode: self
                .barcode
                .map(|barcode| barcode.replace('\0', "\u{fffd}")),
            updated_since: self.updated_since,
            shown,
        }
    }
}

impl ItemQuery {
    /// What of the item is to be told, and what beside it.
    pub(super) fn shape(&self) -> Result<(Fields, Include), Problem> {
        shape(self.fields.as_deref(), self.include.as_deref())
    }
}

/// What is included is told whether or not it is among the fields.
fn shape(fields: Option<&str>, include: Option<&str>) -> Result<(Fields, Include), Problem> {
    let mut wanted = Include::default();
    let words = include.into_iter().flat_map(|words| words.split(','));
    for word in words {
        match word {
            "group" => wanted.group = true,
            "unit" => wanted.unit = true,
            _ => {
                let detail = "include may be group, unit or both";
                return Err(Problem::new(Code::QueryInvalid).detail(detail));
            }
        }
    }
    let fields = Fields::parse::<ItemOut>(fields)?;
    Ok((fields.and(wanted.names()), wanted))
}
