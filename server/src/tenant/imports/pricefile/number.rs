//! Exact decimal numbers as people write them, and which sign a column uses for decimals.

use rust_decimal::Decimal;

use super::currency;
use super::fold;
use super::mapping::DecimalSign;

/// A number with the currency that stood beside it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    pub(super) value: Decimal,
    pub(super) currency: Option<&'static str>,
}

/// Why a text is not a number under a decimal sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberError {
    /// Not a number in any notation.
    NotANumber,
    /// A number in the other notation, such as `12.5` in a column of `12,50`.
    OtherNotation,
    /// More than 27 digits.
    TooLong,
}

/// Reads a number in the notation of a column.
///
/// Thousands may be grouped by the other sign, an apostrophe or a blank, in groups of three.
/// A minus may stand at either end, or brackets around; `11,-` is eleven. `home` decides what
/// a bare `$` means.
pub(super) fn parse(
    text: &str,
    sign: DecimalSign,
    home: Option<&'static str>,
) -> Result<Number, NumberError> {
    let bare = Bare::of(text, home).ok_or(NumberError::NotANumber)?;
    let value = match digits(bare.body, sign) {
        Err(NumberError::NotANumber) if digits(bare.body, sign.other()).is_ok() => {
            return Err(NumberError::OtherNotation);
        }
        other => other?,
    };
    let value = if bare.is_negative { -value } else { value };
    Ok(Number {
        value,
        currency: bare.currency,
    })
}

/// A number without what stands around it.
struct Bare<'a> {
    body: &'a str,
    is_negative: bool,
    currency: Option<&'static str>,
}

const MINUS: [char; 3] = ['-', '−', '–'];

impl<'a> Bare<'a> {
    fn of(text: &'a str, home: Option<&'static str>) -> Option<Self> {
        let mut text = fold::trimmed(text);
        let mut is_negative = false;
        if let Some(inner) = text
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'))
        {
            (text, is_negative) = (fold::trimmed(inner), true);
        }
        let first = text.find(|c: char| c.is_ascii_digit())?;
        let last = text.rfind(|c: char| c.is_ascii_digit())?;
        // `.5` starts with its sign, unless that belongs to a word, as in `Fr.5`.
        let leading = &text[..first];
        let before = leading.strip_suffix(['.', ',']);
        let bare_point = before.is_some_and(|rest| !rest.ends_with(char::is_alphabetic));
        let start = if bare_point { first - 1 } else { first };
        let (around, body, after) = (&text[..start], &text[start..=last], &text[last + 1..]);
        let mut currency = None;
        for part in [prefix(around), suffix(after)] {
            let (minus, word) = part?;
            if (minus && is_negative) || (!word.is_empty() && currency.is_some()) {
                return None;
            }
            is_negative |= minus;
            if !word.is_empty() {
                currency = Some(currency::of_text(word, home)?);
            }
        }
        Some(Self {
            body,
            is_negative,
            currency,
        })
    }
}

/// Whether there is a minus, and the word beside it.
fn prefix(around: &str) -> Option<(bool, &str)> {
    let around = fold::trimmed(around);
    let signs: &[char] = &['+', '-', '−', '–'];
    let word = fold::trimmed(around.trim_matches(signs));
    let count = around.chars().filter(|c| signs.contains(c)).count();
    (count <= 1).then(|| (around.contains(MINUS), word))
}

fn suffix(after: &str) -> Option<(bool, &str)> {
    let mut rest = after;
    let mut is_round = false;
    if let Some(cents) = rest.strip_prefix(['.', ',']) {
        rest = cents.trim_start_matches(['-', '−', '–', '—']);
        is_round = true;
    }
    let rest = fold::trimmed(rest);
    let word = fold::trimmed(rest.trim_matches(MINUS));
    let count = rest.chars().filter(|c| MINUS.contains(c)).count();
    (count <= usize::from(!is_round)).then_some((count == 1, word))
}

fn is_grouping(character: char) -> bool {
    matches!(character, '\'' | '’' | '`' | '´') || fold::is_blank(character)
}

/// Digits with groups and one decimal sign, exactly.
fn digits(body: &str, sign: DecimalSign) -> Result<Decimal, NumberError> {
    let (whole, fraction) = match body.split_once(sign.character()) {
        Some((whole, fraction)) => (whole, fraction),
        None => (body, ""),
    };
    let thousands = sign.other().character();
    let mut grouping = None;
    let mut group_digits = 0;
    let mut mantissa: i128 = 0;
    let mut count = 0;
    let mut push = |digit: char| {
        let digit = digit.to_digit(10).ok_or(NumberError::NotANumber)?;
        mantissa = mantissa
            .saturating_mul(10)
            .saturating_add(i128::from(digit));
        count += usize::from(mantissa > 0);
        Ok(())
    };
    for character in whole.chars() {
        if !(character == thousands || is_grouping(character)) {
            push(character)?;
            group_digits += 1;
            continue;
        }
        let fits = match grouping {
            None => (1..=3).contains(&group_digits) && !whole.starts_with('0'),
            Some(before) => before == character && group_digits == 3,
        };
        if !fits {
            return Err(NumberError::NotANumber);
        }
        grouping = Some(character);
        group_digits = 0;
    }
    if grouping.is_some() && group_digits != 3 {
        return Err(NumberError::NotANumber);
    }
    let fraction_digits = fraction.trim_end_matches('0');
    for character in fraction.chars().skip(fraction_digits.len()) {
        if !character.is_ascii_digit() {
            return Err(NumberError::NotANumber);
        }
    }
    for character in fraction_digits.chars() {
        push(character)?;
    }
    if count > 27 || fraction_digits.len() > 27 {
        return Err(NumberError::TooLong);
    }
    let scale = u32::try_from(fraction_digits.len()).map_err(|_| NumberError::TooLong)?;
    let value = Decimal::try_from_i128_with_scale(mantissa, scale);
    value.map_err(|_| NumberError::TooLong)
}

/// What a cell turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Text,
    Number,
    /// A number with its currency.
    Money,
}

/// What the numbers of one column say about its decimal sign.
#[derive(Debug, Clone, Default)]
pub(super) struct DecimalVotes {
    comma: u64,
    point: u64,
    /// `1.234` or `1,234`: either could be meant.
    weak_comma: u64,
    weak_point: u64,
    /// Whole numbers below and from a thousand, written without a sign.
    small: u64,
    large: u64,
}

impl DecimalVotes {
    /// Counts a cell; says whether it is a number in some notation.
    pub(super) fn see(&mut self, text: &str, home: Option<&'static str>) -> Seen {
        let Some(bare) = Bare::of(text, home) else {
            return Seen::Text;
        };
        let comma = digits(bare.body, DecimalSign::Comma).is_ok();
        let point = digits(bare.body, DecimalSign::Point).is_ok();
        match (comma, point) {
            (true, false) => self.comma += 1,
            (false, true) => self.point += 1,
            (false, false) => return Seen::Text,
            (true, true) => match bare.body.find(['.', ',']) {
                Some(at) if bare.body[..at].contains(is_grouping) => {}
                Some(at) if bare.body[at..].starts_with(',') => self.weak_comma += 1,
                Some(_) => self.weak_point += 1,
                None if bare.body.chars().filter(char::is_ascii_digit).count() > 3 => {
                    // A grouping blank would say nothing; a bare `1234` says "no groups here".
                    self.large += u64::from(!bare.body.contains(is_grouping));
                }
                None => self.small += 1,
            },
        }
        if bare.currency.is_some() {
            Seen::Money
        } else {
            Seen::Number
        }
    }

    /// The sign that unambiguous numbers show; the majority's when they disagree.
    pub(super) fn clear(&self) -> Option<DecimalSign> {
        match self.comma.cmp(&self.point) {
            std::cmp::Ordering::Greater => Some(DecimalSign::Comma),
            std::cmp::Ordering::Less => Some(DecimalSign::Point),
            std::cmp::Ordering::Equal => None,
        }
    }

    /// The sign for a column whose only separated numbers look like `1.234`.
    ///
    /// The separator groups thousands when the column also has whole numbers below a thousand
    /// and none above (`950` beside `1.234`); otherwise it is the decimal sign, because a list
    /// with nothing below a thousand is rarer than one with three decimals throughout.
    /// Nothing at all to go by means a decimal point, with which whole numbers read the same.
    pub(super) fn guessed(&self) -> DecimalSign {
        let seen = match (self.weak_comma, self.weak_point) {
            (0, 0) => return DecimalSign::Point,
            (comma, point) if comma > point => DecimalSign::Comma,
            _ => DecimalSign::Point,
        };
        if self.small > 0 && self.large == 0 {
            seen.other()
        } else {
            seen
        }
    }

    /// Cells with a fraction for certain: what tells a price from a count.
    pub(super) fn fractions(&self) -> u64 {
        self.comma + self.point
    }
}

#[cfg(test)]
#[path = "tests/number.rs"]
mod tests;
