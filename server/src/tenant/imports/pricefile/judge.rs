//! Turns one row of cells into an outcome.

use rust_decimal::Decimal;

use super::barcode;
use super::currency;
use super::fold;
use super::mapping::DecimalSign;
use super::mend;
use super::number::{self, Number, NumberError};
use super::outcome::{
    Outcome, Price, PriceRow, Rejection, RejectionCode, RowStatus, SkipReason, UnitText,
};
use super::plan::{HomeCurrency, Plan, least_fields};
use super::records::Record;
use super::unit;

/// The longest article number, in characters.
const MAX_SKU_CHARS: usize = 64;
/// The longest name, in characters.
const MAX_NAME_CHARS: usize = 500;
/// The longest name of a group, in characters.
const MAX_GROUP_CHARS: usize = 200;
/// What `NUMERIC(18,6)` holds.
const MAX_DECIMALS: u32 = 6;
const PRICE_LIMIT: i64 = 1_000_000_000_000;

/// Cells that say in words or signs that there is no price.
const NO_PRICE: [&str; 18] = [
    "",
    "n a",
    "na",
    "auf anfrage",
    "a anfrage",
    "anfrage",
    "on request",
    "poa",
    "p o a",
    "tba",
    "call",
    "sob consulta",
    "consultar",
    "a consultar",
    "sur demande",
    "nous consulter",
    "kusi hinda",
    "bajo pedido",
];

/// Judges a row by itself; whether another row has the same article number is not known here.
pub(super) fn judge(plan: &Plan, record: &Record) -> Outcome {
    if plan.is_unmapped(record) {
        return Outcome::Skipped {
            line: record.line,
            reason: SkipReason::NothingMapped,
        };
    }
    match (Judge { plan, record }).row() {
        Ok(row) => Outcome::Row(row),
        Err(rejection) => Outcome::Rejected(*rejection),
    }
}

type Verdict<T> = Result<T, Box<Rejection>>;

struct Judge<'a> {
    plan: &'a Plan,
    record: &'a Record,
}

impl<'a> Judge<'a> {
    fn row(&self) -> Verdict<PriceRow> {
        let columns = &self.plan.columns;
        self.check_width()?;
        let sku = self.sku()?;
        let (name, marked) = self.name()?;
        let unit_text = self.cell(columns.unit);
        if unit_text.is_empty() {
            let hint = "give the unit of sale, such as pcs, m or kg";
            return Err(self.reject(columns.unit, RejectionCode::UnitMissing, hint));
        }
        self.check_controls(columns.unit, unit_text)?;
        let unit = unit::read(unit_text, self.plan.price_sign);
        let number = self.price()?;
        let currency = self.currency(number.currency)?;
        let per = self.per(unit.per, &unit.unit)?;
        let status = columns
            .status
            .is_some_and(|place| self.plan.markers.is_obsolete_status(self.cell(place)));
        Ok(PriceRow {
            line: self.record.line,
            sku: sku.to_owned(),
            name,
            description: self.description()?,
            group_path: self.group_path()?,
            unit: unit.unit,
            price: Some(Price {
                amount: number.value,
                per,
                currency,
            }),
            barcodes: self.barcodes()?,
            status: if marked || status {
                RowStatus::Obsolete
            } else {
                RowStatus::Active
            },
        })
    }

    fn cell(&self, place: usize) -> &'a str {
        fold::trimmed(self.record.get(place).unwrap_or(""))
    }

    /// A text for people to read, on one line and mended.
    fn text(&self, place: usize) -> String {
        fold::one_line(&mend::mended(self.cell(place)))
    }

    fn reject(&self, place: usize, code: RejectionCode, hint: impl Into<String>) -> Box<Rejection> {
        let header = self.plan.layout.headers[place].as_str();
        let nameless = format!("column {}", place + 1);
        let column = if header.is_empty() { &nameless } else { header };
        let value = self.record.get(place).unwrap_or("");
        Box::new(Rejection::new(
            self.record.line,
            Some(column),
            value,
            code,
            hint,
        ))
    }

    fn check_width(&self) -> Verdict<()> {
        if self.plan.has_right_width(self.record) {
            return Ok(());
        }
        let (found, expected) = (self.record.len(), self.plan.layout.headers.len());
        let delimiter = self.plan.layout.dialect.delimiter;
        let hint = if found < least_fields(&self.plan.layout.headers) {
            format!(
                "the row has {found} fields and the header {expected}; add the missing ones, \
                 empty if need be"
            )
        } else {
            format!(
                "the row has {found} fields and the header {expected}; put a cell that contains \
                 {} in quotation marks",
                delimiter.word()
            )
        };
        let sign = char::from(delimiter.byte()).to_string();
        let cells: Vec<&str> = self.record.cells().map(fold::trimmed).take(200).collect();
        let code = RejectionCode::WrongFieldCount;
        Err(Box::new(Rejection::new(
            self.record.line,
            None,
            &cells.join(&sign),
            code,
            hint,
        )))
    }

    fn check_controls(&self, place: usize, text: &str) -> Verdict<()> {
        match text.chars().find(|c| c.is_control()) {
            None => Ok(()),
            Some(found) => {
                let hint = format!(
                    "the cell contains the invisible control character U+{:04X}; remove it",
                    u32::from(found)
                );
                Err(self.reject(place, RejectionCode::ControlCharacter, hint))
            }
        }
    }

    fn sku(&self) -> Verdict<&'a str> {
        let place = self.plan.columns.sku;
        let sku = self.cell(place);
        if sku.is_empty() {
            let hint = "give the article number; without it the row cannot be kept apart";
            return Err(self.reject(place, RejectionCode::SkuMissing, hint));
        }
        if is_longer(sku, MAX_SKU_CHARS) {
            let hint = "an article number has at most 64 characters; shorten it, or check \
                        whether another column holds the article number";
            return Err(self.reject(place, RejectionCode::SkuTooLong, hint));
        }
        self.check_controls(place, sku)?;
        Ok(sku)
    }

    /// The name, and whether it was marked as obsolete.
    fn name(&self) -> Verdict<(String, bool)> {
        let place = self.plan.columns.name;
        let full = self.text(place);
        let (name, marked) = match self.plan.markers.strip(&full) {
            Some(rest) => (rest, true),
            None => (full, false),
        };
        if name.is_empty() {
            let hint = if marked {
                "the cell holds only the mark of an obsolete article; give the name beside it"
            } else {
                "give the name of the article"
            };
            return Err(self.reject(place, RejectionCode::NameMissing, hint));
        }
        if is_longer(&name, MAX_NAME_CHARS) {
            let hint = "a name has at most 500 characters; move the rest to a description column";
            return Err(self.reject(place, RejectionCode::NameTooLong, hint));
        }
        self.check_controls(place, &name)?;
        Ok((name, marked))
    }

    fn price(&self) -> Verdict<Number> {
        let place = self.plan.columns.price;
        let text = self.cell(place);
        let starts_like_number = text.starts_with(|c: char| c.is_ascii_digit());
        if text.is_empty()
            || (!starts_like_number && NO_PRICE.contains(&fold::words(text).as_str()))
        {
            let hint = "give a price; 0 is allowed and means free of charge";
            return Err(self.reject(place, RejectionCode::PriceMissing, hint));
        }
        let sign = self.plan.price_sign;
        let home = self.plan.currency.map(HomeCurrency::code);
        let refuse = |code, hint: String| Err(self.reject(place, code, hint));
        let number = match number::parse(text, sign, home) {
            Ok(number) => number,
            Err(NumberError::TooLong) => {
                let hint = "the number has more digits than any price; check the cell".to_owned();
                return refuse(RejectionCode::PriceTooLarge, hint);
            }
            Err(NumberError::OtherNotation) => {
                let hint = format!(
                    "the other prices of this column have a decimal {}, this one does not fit; \
                     write it like them",
                    sign_word(sign)
                );
                return refuse(RejectionCode::PriceInvalid, hint);
            }
            Err(NumberError::NotANumber) => {
                let (right, group) = (sign.character(), sign.other().character());
                let hint =
                    format!("not a number; write it like 1{group}234{right}50 or 1234{right}50");
                return refuse(RejectionCode::PriceInvalid, hint);
            }
        };
        if number.value < Decimal::ZERO {
            let hint = "a price is not negative; credits and discounts do not belong in a price \
                        list";
            return refuse(RejectionCode::PriceNegative, hint.to_owned());
        }
        if number.value >= Decimal::from(PRICE_LIMIT) {
            let hint = "a price has at most 12 digits before the decimal sign; check whether the \
                        decimal sign was lost";
            return refuse(RejectionCode::PriceTooLarge, hint.to_owned());
        }
        if number.value.scale() > MAX_DECIMALS {
            let hint = "a price has at most 6 decimals; round it";
            return refuse(RejectionCode::PriceTooPrecise, hint.to_owned());
        }
        Ok(number)
    }

    /// The currency by its column, else beside the price, else the file's or the caller's.
    fn currency(&self, beside: Option<&'static str>) -> Verdict<&'static str> {
        let home = self.plan.currency;
        let column = self.plan.columns.currency;
        let text = column.map_or("", |place| self.cell(place));
        let price_place = self.plan.columns.price;
        if let Some(place) = column.filter(|_| !text.is_empty()) {
            let Some(code) = currency::of_text(text, home.map(HomeCurrency::code)) else {
                let hint = "not a currency we know; write its ISO code, such as EUR";
                return Err(self.reject(place, RejectionCode::CurrencyInvalid, hint));
            };
            return match beside {
                Some(other) if other != code => {
                    let hint = format!("the price is in {other}, the currency column says {code}");
                    Err(self.reject(price_place, RejectionCode::CurrencyInvalid, hint))
                }
                _ => Ok(code),
            };
        }
        match (beside, home) {
            (Some(other), Some(HomeCurrency::Stated(code))) if other != code => {
                let hint = format!("the price is in {other}, the other prices are in {code}");
                Err(self.reject(price_place, RejectionCode::CurrencyInvalid, hint))
            }
            (Some(code), _) => Ok(code),
            (None, Some(home)) => Ok(home.code()),
            (None, None) => {
                let hint = "nothing says what the price is in; fill the currency, or give one in \
                            the mapping";
                let place = column.unwrap_or(price_place);
                Err(self.reject(place, RejectionCode::CurrencyMissing, hint))
            }
        }
    }

    /// How many units the price is for, by the unit's text and the column of price quantities.
    ///
    /// When only one of them is above one, it counts; when both say the same, they mean the
    /// same thing and it counts once; when they differ, nobody can know.
    fn per(&self, in_unit: Decimal, unit: &UnitText) -> Verdict<Decimal> {
        let Some(place) = self.plan.columns.price_per else {
            return Ok(in_unit);
        };
        let text = self.cell(place);
        if text.is_empty() {
            return Ok(in_unit);
        }
        let refuse = |hint: String| Err(self.reject(place, RejectionCode::PerInvalid, hint));
        let sign = self.plan.per_sign;
        let stated = unit::quantity(text, sign).or_else(|| {
            let cell = unit::read(text, sign);
            (matches!(cell.unit, UnitText::Known(_)) && cell.unit == *unit).then_some(cell.per)
        });
        let Some(stated) = stated else {
            return refuse("give the quantity that the price is for, a number above 0".to_owned());
        };
        match (in_unit == Decimal::ONE, stated == Decimal::ONE) {
            (true, _) => Ok(stated),
            (false, true) => Ok(in_unit),
            (false, false) if in_unit == stated => Ok(stated),
            (false, false) => refuse(format!(
                "the unit says that the price is for {}, this column says {}; leave one of them 1",
                in_unit.normalize(),
                stated.normalize()
            )),
        }
    }

    fn description(&self) -> Verdict<Option<String>> {
        let Some(place) = self.plan.columns.description else {
            return Ok(None);
        };
        let text = mend::mended(self.cell(place));
        let lines = text.split('\n').map(fold::one_line);
        let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
        for line in &lines {
            self.check_controls(place, line)?;
        }
        Ok((!lines.is_empty()).then(|| lines.join("\n")))
    }

    fn group_path(&self) -> Verdict<Vec<String>> {
        let mut path = Vec::with_capacity(self.plan.columns.group.len());
        for &place in &self.plan.columns.group {
            let level = self.text(place);
            if level.is_empty() {
                continue;
            }
            self.check_controls(place, &level)?;
            if is_longer(&level, MAX_GROUP_CHARS) {
                let hint = "a group has at most 200 characters; look for a quotation mark that is \
                            not closed";
                return Err(self.reject(place, RejectionCode::GroupTooLong, hint));
            }
            path.push(level);
        }
        Ok(path)
    }

    fn barcodes(&self) -> Verdict<Vec<String>> {
        let Some(place) = self.plan.columns.barcode else {
            return Ok(Vec::new());
        };
        let parsed = barcode::parse(self.cell(place));
        parsed.map_err(|hint| self.reject(place, RejectionCode::BarcodeInvalid, hint))
    }
}

/// Whether a text has more characters than `limit`; bytes settle most cases.
fn is_longer(text: &str, limit: usize) -> bool {
    text.len() > limit && text.chars().nth(limit).is_some()
}

fn sign_word(sign: DecimalSign) -> &'static str {
    match sign {
        DecimalSign::Comma => "comma",
        DecimalSign::Point => "point",
    }
}
