//! One way to make a value from a number: always the same one, or another one for each number.

use super::literals::{UNIT, written};
use super::pattern::Pattern;

/// A way to fill a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Maker {
    /// Left empty.
    Null,
    /// Left out, so that the column's default stands there.
    Default,
    /// Taken from the row that is referred to.
    Parent,
    /// Always the same.
    Fixed(String),
    /// Another one for each number.
    Counted(Form),
}

/// What a counted value looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The number between two texts.
    Text(String, String),
    /// So many characters.
    Wide(usize),
    /// What matches a pattern.
    Pattern(Pattern),
    /// From here on in steps, round and round: first, step, how many; all in millionths.
    Number(i128, i128, i128, usize),
    Uuid,
    /// Days after the first of January of a year.
    Day(i64),
    /// Hours after the first of January of a year.
    Moment(i64),
    Time,
    Span,
    /// So many bytes.
    Bytes(usize),
    Address(&'static str),
    Bits(usize),
    /// From one value of the form to the one after it.
    Range(Box<Form>),
    Multirange(Box<Form>),
    Array(Box<Form>),
}

impl Maker {
    /// Whether every number makes another value.
    pub(super) fn is_counted(&self) -> bool {
        matches!(self, Self::Counted(_))
    }
}

impl Form {
    /// The value for a number.
    pub(super) fn value(&self, number: u64) -> String {
        match self {
            Self::Text(before, after) => format!("{before}{number}{after}"),
            Self::Wide(width) => wide(number, *width),
            Self::Pattern(pattern) => pattern.text(number),
            Self::Number(first, step, count, decimals) => {
                let place = i128::from(number) % (*count).max(1);
                written(first + step * place, *decimals)
            }
            Self::Uuid => {
                let (one, two) = (mixed(&[number, 1]), mixed(&[number, 2]));
                format!(
                    "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
                    one >> 32,
                    (one >> 16) & 0xffff,
                    one & 0xfff,
                    two >> 52,
                    number & 0xffff_ffff_ffff
                )
            }
            Self::Day(year) => day(*year, number),
            Self::Moment(year) => {
                format!("{} {:02}:00:00+00", day(*year, number / 24), number % 24)
            }
            Self::Time => format!("{:02}:{:02}:00", number / 60 % 24, number % 60),
            Self::Span => format!("{number} minutes"),
            Self::Bytes(length) => {
                let digits = format!("{number:0width$x}", width = length * 2);
                format!("\\x{}", &digits[digits.len() - length * 2..])
            }
            Self::Address(mask) => {
                let [.., a, b, c] = number.to_be_bytes();
                format!("10.{a}.{b}.{c}{mask}")
            }
            Self::Bits(length) => {
                let digits = format!("{number:0length$b}");
                digits[digits.len() - length..].to_owned()
            }
            Self::Range(form) => {
                let (from, to) = (form.value(number * 2), form.value(number * 2 + 1));
                format!("[\"{from}\",\"{to}\")")
            }
            Self::Multirange(form) => format!("{{{}}}", Self::Range(form.clone()).value(number)),
            Self::Array(form) => array(&[form.value(number), form.value(number + 1)]),
        }
    }
}

/// An array of these.
pub(super) fn array(elements: &[String]) -> String {
    let quoted = elements.iter().map(|one| {
        let escaped = one.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    });
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

/// A whole number of millionths.
pub(super) fn whole(number: i64) -> i128 {
    i128::from(number) * UNIT
}

/// A number that depends on all of these and shows no pattern; the same on every machine.
pub(super) fn mixed(parts: &[u64]) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for part in parts {
        state = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 31;
    }
    state
}

/// So many characters, the number's digits at the end.
fn wide(number: u64, width: usize) -> String {
    let mut left = number;
    let mut digits = vec![b'a'; width];
    for digit in digits.iter_mut().rev() {
        let at = usize::try_from(left % 36).unwrap_or(0);
        *digit = b"abcdefghijklmnopqrstuvwxyz0123456789"[at];
        left /= 36;
        if left == 0 {
            break;
        }
    }
    String::from_utf8(digits).expect("letters and digits")
}

/// A day so many days after New Year; months are told by the database, which takes any day of the
/// year as a sum, so it is counted here.
fn day(year: i64, after: u64) -> String {
    const MONTHS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years = i64::try_from(after / 365 % 1_000).unwrap_or(0);
    let mut left = after % 365;
    for (month, length) in MONTHS.iter().enumerate() {
        if left < *length {
            return format!("{:04}-{:02}-{:02}", year + years, month + 1, left + 1);
        }
        left -= length;
    }
    format!("{:04}-12-31", year + years)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_they_say() {
        assert_eq!(Form::Wide(4).value(37), "aabb");
        assert_eq!(Form::Bytes(2).value(258), "\\x0102");
        assert_eq!(Form::Day(2026).value(59), "2026-03-01");
        assert_eq!(Form::Moment(2026).value(25), "2026-01-02 01:00:00+00");
        assert_eq!(Form::Address("/32").value(257), "10.0.1.1/32");
        assert_eq!(Form::Uuid.value(7).len(), 36);
        let numbers = Form::Number(whole(1), UNIT, 3, 0);
        assert_eq!(numbers.value(4), "2");
        let days = Form::Range(Box::new(Form::Day(2026)));
        assert_eq!(days.value(1), "[\"2026-01-03\",\"2026-01-04\")");
    }
}
