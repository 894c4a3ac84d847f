//! What the dealer pays for an item: a field that not everybody sees who sees the item, nor
//! everybody sets who changes it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use validator::ValidationError;

use super::model::fits;
use super::price::exact;
use crate::auth::{Grants, Permission, ReadCosts, WriteCosts};
use crate::http::Problem;
use crate::kernel::Patch;

/// What the dealer pays for as much as the price is for, in the price's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Cost(#[serde(deserialize_with = "exact")] pub Decimal);

/// Whether an answer tells what items cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Costs {
    /// Not even that there is such a field.
    Hidden,
    /// Null where it isn't known.
    Shown,
}

impl Costs {
    /// What whoever holds these may see.
    pub(super) fn to(grants: &Grants) -> Self {
        match grants.allow(ReadCosts::NAME) {
            true => Self::Shown,
            false => Self::Hidden,
        }
    }

    /// The field of an answer: absent, null or a cost.
    pub(super) fn field(self, amount: Option<Decimal>) -> Option<Option<Cost>> {
        match self {
            Self::Hidden => None,
            Self::Shown => Some(amount.map(|amount| Cost(amount.normalize()))),
        }
    }
}

/// Refuses a body that says what an item costs, but for those who may.
///
/// # Errors
///
/// `permission-denied`, naming the field.
pub(super) fn expect_settable(is_said: bool, grants: &Grants) -> Result<(), Problem> {
    if !is_said || grants.allow(WriteCosts::NAME) {
        return Ok(());
    }
    let message = format!("setting it needs the permission {}", WriteCosts::NAME);
    let refusal = Problem::permission_denied(WriteCosts::NAME);
    Err(refusal.about("/cost", "permission_denied", message))
}

/// The rule of a cost: not negative, and of a size that can be kept.
pub(super) fn cost_fits(cost: &Cost) -> Result<(), ValidationError> {
    if cost.0 >= Decimal::ZERO && fits(cost.0) {
        return Ok(());
    }
    let hint = "it must not be negative, with at most 12 digits before the point and 6 after it";
    Err(ValidationError::new("range").with_message(hint.into()))
}

/// The same in a change.
pub(super) fn cost_patch_fits(patch: &Patch<Cost>) -> Result<(), ValidationError> {
    patch.as_set().map_or(Ok(()), cost_fits)
}
