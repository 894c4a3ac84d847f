//! Which column means what, and how the file is written: given by the caller, or found.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// How to read a supplier's file. Everything is optional: what is missing is looked for.
///
/// The mapping that a survey answers with is complete and can be given back for the same file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PriceFileMapping)] // most languages have a `Mapping` of their own
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// Column of the article number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sku: Option<ColumnRef>,
    /// Column of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<ColumnRef>,
    /// Column of the longer text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<ColumnRef>,
    /// Columns of the group, from the widest to the narrowest; an empty list means no group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Vec<ColumnRef>>,
    /// Column of the unit of sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<ColumnRef>,
    /// Column of the price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<ColumnRef>,
    /// Column of the quantity that the price is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_per: Option<ColumnRef>,
    /// Column of the currency. Not looked for when `currency` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency_column: Option<ColumnRef>,
    /// Column of the barcodes; a cell may hold several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub barcode: Option<ColumnRef>,
    /// Column that says whether the article is being given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ColumnRef>,
    /// The worksheet of a workbook; its first when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// What separates the cells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<Delimiter>,
    /// How the text is encoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// The decimal sign of the prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<DecimalSign>,
    /// ISO 4217 code of prices that name no currency themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Physical line of the header, counted from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_line: Option<u64>,
    /// Further words that mark an article as obsolete, at either end of its name or as its status.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub obsolete_markers: Vec<String>,
}

/// One column of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum ColumnRef {
    /// Its place, counted from one: for columns without a name of their own.
    Number(u32),
    /// Its header; case, diacritics and padding do not matter.
    Name(String),
}

impl fmt::Display for ColumnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "number {number}"),
            Self::Name(name) => write!(f, "\"{name}\""),
        }
    }
}

/// What separates the cells of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delimiter {
    /// `,`
    #[serde(rename = ",")]
    Comma,
    /// `;`
    #[serde(rename = ";")]
    Semicolon,
    /// A tabulator.
    #[serde(rename = "\t")]
    Tab,
    /// `|`
    #[serde(rename = "|")]
    Pipe,
}

/// By hand, because the derived one writes the tabulator as a backslash and a letter.
impl PartialSchema for Delimiter {
    fn schema() -> RefOr<Schema> {
        let signs = Self::ALL.map(|delimiter| char::from(delimiter.byte()));
        let names = Self::ALL.map(|delimiter| format!("{delimiter:?}"));
        schema_of_signs("What separates the cells of a row.", &signs, &names)
    }
}

impl ToSchema for Delimiter {}

impl Delimiter {
    pub(super) const ALL: [Self; 4] = [Self::Comma, Self::Semicolon, Self::Tab, Self::Pipe];

    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
        }
    }

    /// As a person would call it in a sentence.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Comma => "a comma",
            Self::Semicolon => "a semicolon",
            Self::Tab => "a tabulator",
            Self::Pipe => "a vertical bar",
        }
    }
}

/// How the file's text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark; plain ASCII too.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, little end first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, big end first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// The western code page of Windows.
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// The western code page of DOS.
    #[serde(rename = "cp850")]
    Cp850,
}

/// The decimal sign of a column of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DecimalSign {
    /// `1.238,56`
    #[serde(rename = ",")]
    Comma,
    /// `1,238.56`
    #[serde(rename = ".")]
    Point,
}

impl PartialSchema for DecimalSign {
    fn schema() -> RefOr<Schema> {
        let all = [Self::Comma, Self::Point];
        let (signs, names) = (
            all.map(Self::character),
            all.map(|sign| format!("{sign:?}")),
        );
        schema_of_signs("The decimal sign of a column of numbers.", &signs, &names)
    }
}

impl ToSchema for DecimalSign {}

/// Generated clients need names for values, and make none of a sign by themselves.
fn schema_of_signs(description: &str, signs: &[char], names: &[String]) -> RefOr<Schema> {
    let names = ExtensionsBuilder::new().add("x-enum-varnames", json!(names));
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(signs.iter().map(char::to_string)))
        .extensions(Some(names.build()))
        .into()
}

impl DecimalSign {
    pub(super) fn character(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Point => '.',
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Comma => Self::Point,
            Self::Point => Self::Comma,
        }
    }
}

/// What a column can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Article number.
    Sku,
    /// Name.
    Name,
    /// Longer text.
    Description,
    /// Group, or one level of its path.
    Group,
    /// Unit of sale.
    Unit,
    /// Price.
    Price,
    /// Quantity that the price is for.
    PricePer,
    /// Currency.
    Currency,
    /// Barcode.
    Barcode,
    /// Whether the article is being given up.
    Status,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sku => "article number",
            Self::Name => "name",
            Self::Description => "description",
            Self::Group => "group",
            Self::Unit => "unit",
            Self::Price => "price",
            Self::PricePer => "price quantity",
            Self::Currency => "currency",
            Self::Barcode => "barcode",
            Self::Status => "status",
        })
    }
}

impl Mapping {
    /// The same, with the columns of another one where this says nothing.
    #[must_use]
    pub fn with_columns_of(self, other: Self) -> Self {
        Self {
            sku: self.sku.or(other.sku),
            name: self.name.or(other.name),
            description: self.description.or(other.description),
            group: self.group.or(other.group),
            unit: self.unit.or(other.unit),
            price: self.price.or(other.price),
            price_per: self.price_per.or(other.price_per),
            currency_column: self.currency_column.or(other.currency_column),
            barcode: self.barcode.or(other.barcode),
            status: self.status.or(other.status),
            currency: self.currency.or(other.currency),
            obsolete_markers: match self.obsolete_markers.is_empty() {
                true => other.obsolete_markers,
                false => self.obsolete_markers,
            },
            ..self
        }
    }

    /// The columns that the mapping fixes, except the group's.
    pub(super) fn fixed(&self) -> [(Field, Option<&ColumnRef>); 9] {
        [
            (Field::Sku, self.sku.as_ref()),
            (Field::Name, self.name.as_ref()),
            (Field::Description, self.description.as_ref()),
            (Field::Unit, self.unit.as_ref()),
            (Field::Price, self.price.as_ref()),
            (Field::PricePer, self.price_per.as_ref()),
            (Field::Currency, self.currency_column.as_ref()),
            (Field::Barcode, self.barcode.as_ref()),
            (Field::Status, self.status.as_ref()),
        ]
    }

    /// Every column that the mapping names in words.
    pub(super) fn named_columns(&self) -> impl Iterator<Item = &str> {
        let fixed = self.fixed().into_iter().filter_map(|(_, column)| column);
        fixed
            .chain(self.group.iter().flatten())
            .filter_map(|column| match column {
                ColumnRef::Name(name) => Some(name.as_str()),
                ColumnRef::Number(_) => None,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_round_trips_through_json() {
        let json = r#"{"sku":"Art.-Nr.","group":["Haupt",3],"delimiter":";","decimal":",",
            "encoding":"windows-1252","currency":"EUR","header_line":4}"#;

        let mapping: Mapping = serde_json::from_str(json).unwrap();
        let again = serde_json::from_str(&serde_json::to_string(&mapping).unwrap()).unwrap();

        assert_eq!(mapping, again);
        assert_eq!(mapping.group.unwrap()[1], ColumnRef::Number(3));
    }

    #[test]
    fn a_misspelt_setting_is_refused() {
        assert!(serde_json::from_str::<Mapping>(r#"{"skuu":"A"}"#).is_err());
    }
}
