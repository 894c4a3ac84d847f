//! What becomes of each row of a price file: a price, a rejection, or nothing to keep.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The longest raw value that a rejection quotes, in characters.
const QUOTED_CHARS: usize = 200;

/// What one row of the file came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A complete row.
    Row(PriceRow),
    /// A row with a fault.
    Rejected(Rejection),
    /// A good row that a later row with the same article number replaced.
    Superseded(Rejection),
    /// A row that was never meant to be an article.
    Skipped {
        /// Its physical line.
        line: u64,
        /// Why it was passed over.
        reason: SkipReason,
    },
}

/// Why a row is passed over without being an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// No cell is filled.
    Blank,
    /// Only columns that the mapping does not use are filled, such as a running index.
    NothingMapped,
    /// A total or a note after the last article.
    Footer,
    /// The header once more, as printed lists have it on every page.
    RepeatedHeader,
}

/// One article with its price, checked and cleaned.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceRow {
    /// The physical line where the row starts, counted from one.
    pub line: u64,
    /// Article number, 1 to 64 characters, no control characters.
    pub sku: String,
    /// Name, 1 to 500 characters, single blanks, without obsolete markers.
    pub name: String,
    /// Longer text; line breaks are kept. Its length is not limited here.
    pub description: Option<String>,
    /// Path of groups from the widest to the narrowest; blank levels are left out.
    pub group_path: Vec<String>,
    /// The unit of sale.
    pub unit: UnitText,
    /// The price. Always there today; an option so that lists without prices can follow.
    pub price: Option<Price>,
    /// GTINs with correct check digits, each once.
    pub barcodes: Vec<String>,
    /// Whether the supplier is giving the article up.
    pub status: RowStatus,
}

/// A price for a quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// Price of `per` units, not negative, at most 12 integer digits and 6 decimals.
    pub amount: Decimal,
    /// How many units the amount is for; above zero.
    pub per: Decimal,
    /// ISO 4217 code.
    pub currency: &'static str,
}

/// A unit, as far as we know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitText {
    /// One of our codes.
    Known(&'static str),
    /// The file's own word, trimmed, at most 32 characters: the caller decides.
    Unknown(String),
}

/// Whether the supplier goes on with an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowStatus {
    /// It can be ordered as ever.
    Active,
    /// The file marks it as given up.
    Obsolete,
}

/// One row that is not taken, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Rejection {
    /// Physical line where the row starts, counted from one.
    pub line: u64,
    /// The column's name as the file has it, trimmed; none when the whole row is at fault.
    pub column: Option<String>,
    /// The raw value, cut to 200 characters.
    pub value: String,
    /// What is wrong, for programs.
    pub code: RejectionCode,
    /// What is wrong and how to mend it, for people.
    pub hint: String,
}

impl Rejection {
    pub(super) fn new(
        line: u64,
        column: Option<&str>,
        value: &str,
        code: RejectionCode,
        hint: impl Into<String>,
    ) -> Self {
        let column = column.map(|name| shortened(name.trim()));
        Self {
            line,
            column,
            value: shortened(value.trim()),
            code,
            hint: hint.into(),
        }
    }
}

/// Why a row is rejected. The words are stable: programs may store them.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RejectionCode {
    /// The row has more or fewer fields than the header.
    WrongFieldCount,
    /// No article number.
    SkuMissing,
    /// An article number of more than 64 characters.
    SkuTooLong,
    /// No name, or nothing but an obsolete marker.
    NameMissing,
    /// A name of more than 500 characters.
    NameTooLong,
    /// No unit.
    UnitMissing,
    /// No price, or words such as "on request".
    PriceMissing,
    /// A price that is not a number in the column's notation.
    PriceInvalid,
    /// A price below zero.
    PriceNegative,
    /// A price of more than 12 integer digits.
    PriceTooLarge,
    /// A price of more than 6 decimals.
    PriceTooPrecise,
    /// Nothing says what the price is in.
    CurrencyMissing,
    /// A currency we do not know, or a sign that contradicts the file.
    CurrencyInvalid,
    /// A price quantity that is not a number above zero, or contradicts the unit.
    PerInvalid,
    /// A barcode that is not a GTIN.
    BarcodeInvalid,
    /// The article number stands in another row that is kept.
    DuplicateSku,
    /// A group name of more than 200 characters.
    GroupTooLong,
    /// A control character in a text.
    ControlCharacter,
}

impl RejectionCode {
    /// Every code, in the order of the checks.
    pub const ALL: [Self; 18] = [
        Self::WrongFieldCount,
        Self::SkuMissing,
        Self::SkuTooLong,
        Self::NameMissing,
        Self::NameTooLong,
        Self::UnitMissing,
        Self::PriceMissing,
        Self::PriceInvalid,
        Self::PriceNegative,
        Self::PriceTooLarge,
        Self::PriceTooPrecise,
        Self::CurrencyMissing,
        Self::CurrencyInvalid,
        Self::PerInvalid,
        Self::BarcodeInvalid,
        Self::DuplicateSku,
        Self::GroupTooLong,
        Self::ControlCharacter,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WrongFieldCount => "wrong_field_count",
            Self::SkuMissing => "sku_missing",
            Self::SkuTooLong => "sku_too_long",
            Self::NameMissing => "name_missing",
            Self::NameTooLong => "name_too_long",
            Self::UnitMissing => "unit_missing",
            Self::PriceMissing => "price_missing",
            Self::PriceInvalid => "price_invalid",
            Self::PriceNegative => "price_negative",
            Self::PriceTooLarge => "price_too_large",
            Self::PriceTooPrecise => "price_too_precise",
            Self::CurrencyMissing => "currency_missing",
            Self::CurrencyInvalid => "currency_invalid",
            Self::PerInvalid => "per_invalid",
            Self::BarcodeInvalid => "barcode_invalid",
            Self::DuplicateSku => "duplicate_sku",
            Self::GroupTooLong => "group_too_long",
            Self::ControlCharacter => "control_character",
        }
    }
}

/// At most 200 characters, the last one an ellipsis when something was cut.
fn shortened(value: &str) -> String {
    match value.char_indices().nth(QUOTED_CHARS) {
        None => value.to_owned(),
        Some(_) => value.chars().take(QUOTED_CHARS - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_each_code_is_its_serde_name() {
        for code in RejectionCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let long = "ü".repeat(300);

        let rejection = Rejection::new(
            7,
            Some(" Preis "),
            &long,
            RejectionCode::PriceInvalid,
            "mend it",
        );

        assert_eq!(rejection.value.chars().count(), 200);
        assert!(rejection.value.ends_with("ü…"));
        assert_eq!(rejection.column.as_deref(), Some("Preis"));
    }

    #[test]
    fn a_value_of_exactly_two_hundred_characters_is_whole() {
        assert_eq!(shortened(&"é".repeat(200)), "é".repeat(200));
    }
}
