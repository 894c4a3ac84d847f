//! A price on the wire.

use rust_decimal::Decimal;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::model::{Price, fits};
use crate::http::Problem;
use crate::kernel::Currency;
use crate::tenant::catalog::text::no_control;

/// `amount` of `currency` buys `per` units of `unit`.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PriceBody {
    /// Exact decimal as a string, 0 or more, at most 12 digits before the point and 6 after it.
    #[serde(deserialize_with = "exact")]
    #[validate(custom(function = not_negative), custom(function = in_bounds))]
    #[schema(value_type = String, example = "72.91")]
    pub amount: Decimal,
    /// ISO 4217.
    #[validate(custom(function = currency_code))]
    #[schema(example = "EUR")]
    pub currency: String,
    /// Exact decimal as a string, more than 0, within the same bounds; 1 when absent.
    #[serde(default = "one", deserialize_with = "exact")]
    #[validate(custom(function = positive), custom(function = in_bounds))]
    #[schema(value_type = String, example = "100")]
    pub per: Decimal,
    /// Code of a unit. A new item's price is for its base unit when absent.
    #[validate(length(min = 1, max = 32), custom(function = no_control))]
    #[schema(example = "pcs")]
    pub unit: Option<String>,
}

impl PriceBody {
    /// The price, for `base_unit` unless it says otherwise.
    pub(super) fn into_price(self, base_unit: &str) -> Result<Price, Problem> {
        let currency = Currency::parse(&self.currency)
            .map_err(|error| Problem::field("/price/currency", "currency", error))?;
        Ok(Price {
            amount: self.amount,
            per: self.per,
            unit: self.unit.unwrap_or_else(|| base_unit.to_owned()),
            currency,
        })
    }
}

/// Digits, perhaps a sign, a point and digits. Decimal's own reader knows more spellings, and
/// rounds what it can't hold.
pub(super) fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_plain = [whole, fraction]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if is_plain && let Ok(number) = Decimal::from_str_exact(&text) {
        return Ok(number);
    }
    let expected = "an exact decimal number such as 72.91";
    Err(D::Error::invalid_value(Unexpected::Str(&text), &expected))
}

fn one() -> Decimal {
    Decimal::ONE
}

fn not_negative(amount: &Decimal) -> Result<(), ValidationError> {
    rule(*amount >= Decimal::ZERO, "range", "it must not be negative")
}

fn positive(per: &Decimal) -> Result<(), ValidationError> {
    rule(*per > Decimal::ZERO, "range", "it must be more than 0")
}

fn in_bounds(number: &Decimal) -> Result<(), ValidationError> {
    let bounds = "at most 12 digits before the point and 6 after it";
    rule(fits(*number), "range", bounds)
}

fn currency_code(code: &str) -> Result<(), ValidationError> {
    let hint = "it must be three letters of ISO 4217, such as EUR";
    rule(Currency::parse(code).is_ok(), "currency", hint)
}

fn rule(is_kept: bool, code: &'static str, hint: &'static str) -> Result<(), ValidationError> {
    if is_kept {
        return Ok(());
    }
    Err(ValidationError::new(code).with_message(hint.into()))
}
