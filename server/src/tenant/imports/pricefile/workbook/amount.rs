//! Numbers as a worksheet shows them.
//!
//! A file has what the program's binary fraction looks like with 17 digits: `17.899999999999999`
//! for 17.9. The program shows 15 of them, and so do we, in decimal arithmetic all the way.

use rust_decimal::{Decimal, RoundingStrategy};

/// Digits of a number that a spreadsheet keeps for people.
const DIGITS: u32 = 15;

/// A number's text without an exponent. What is none, or too large to be written out, stays as it is.
///
/// A fraction of exactly three digits gets a zero: with `1.234` alone nobody could tell a fraction
/// from thousands, and here it is known.
pub(super) fn shown(raw: &str) -> String {
    let raw = raw.trim();
    let parsed = raw
        .parse::<Decimal>()
        .or_else(|_| Decimal::from_scientific(raw));
    let rounded = parsed.ok().and_then(|number| {
        number.round_sf_with_strategy(DIGITS, RoundingStrategy::MidpointAwayFromZero)
    });
    let Some(number) = rounded else {
        return raw.to_owned();
    };
    let mut text = number.normalize().to_string();
    if number.normalize().scale() == 3 {
        text.push('0');
    }
    text
}

/// A number in a format such as `00000`: with the zeros before it that the worksheet shows.
pub(super) fn with_zeros(raw: &str, digits: usize) -> String {
    let text = shown(raw);
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => format!("{text:0>digits$}"),
        false => text,
    }
}

/// The day, and the time unless it is midnight, of a serial number of days.
pub(super) fn date(raw: &str, is_1904: bool) -> Option<String> {
    let days = raw.trim().parse::<Decimal>().ok()?;
    let seconds = (days.fract() * Decimal::from(86_400)).round();
    let whole: i64 = days.trunc().try_into().ok()?;
    let seconds: i64 = seconds.try_into().ok()?;
    // Day 60 is 29 February 1900, which never was; before it all days are one off.
    let epoch = match (is_1904, whole) {
        (true, _) => time::macros::date!(1904 - 01 - 01),
        (false, ..60) => time::macros::date!(1899 - 12 - 31),
        (false, _) => time::macros::date!(1899 - 12 - 30),
    };
    let moment = epoch
        .midnight()
        .checked_add(time::Duration::days(whole))?
        .checked_add(time::Duration::seconds(seconds))?;
    let (day, time) = (moment.date(), moment.time());
    Some(match seconds {
        0 => day.to_string(),
        _ => format!(
            "{day} {:02}:{:02}:{:02}",
            time.hour(),
            time.minute(),
            time.second()
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_what_the_worksheet_shows() {
        for (raw, text) in [
            ("17.899999999999999", "17.9"),
            ("0.10000000000000001", "0.1"),
            ("1.0000000000000001E-3", "0.0010"),
            ("4.0063813339310001E12", "4006381333931"),
            ("4006381333931", "4006381333931"),
            ("1.234", "1.2340"),
            ("1234.5", "1234.5"),
            ("-2.50", "-2.5"),
            ("0", "0"),
            ("1E300", "1E300"),
            ("word", "word"),
        ] {
            assert_eq!(shown(raw), text, "{raw}");
        }
    }

    #[test]
    fn zeros_that_are_only_shown_are_kept() {
        assert_eq!(with_zeros("42", 5), "00042");
        assert_eq!(with_zeros("1.5", 5), "1.5");
    }

    #[test]
    fn a_serial_number_is_the_day_that_the_worksheet_shows() {
        assert_eq!(date("46347", false).unwrap(), "2026-11-21");
        assert_eq!(date("46347.75", false).unwrap(), "2026-11-21 18:00:00");
        assert_eq!(date("1", false).unwrap(), "1900-01-01");
        assert_eq!(date("0", true).unwrap(), "1904-01-01");
        assert_eq!(date("1E9", false), None);
    }
}
