//! Currencies: ISO codes, the signs that stand for them, and finding one in a header.

/// The ISO 4217 codes of money in circulation, sorted.
#[rustfmt::skip]
const CODES: [&str; 152] = [
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN",
    "BHD", "BIF", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF",
    "CHF", "CLP", "CNY", "COP", "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP",
    "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD",
    "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD", "JPY",
    "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD",
    "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK",
    "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK",
    "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG",
    "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SYP", "SZL", "THB", "TJS", "TMT",
    "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VES", "VND",
    "VUV", "WST", "XAF", "XCD", "XOF", "XPF", "YER", "ZAR", "ZMW",
];

/// Codes that are no word in our languages and may stand in a header in any case.
const HEADER_CODES: [&str; 17] = [
    "EUR", "GBP", "USD", "CHF", "BRL", "PLN", "CZK", "SEK", "NOK", "DKK", "HUF", "RON", "BGN",
    "CAD", "AUD", "MXN", "JPY",
];

/// Signs that stand for one currency; longer ones first, as `$` is part of `R$`.
const SIGNS: [(&str, &str); 15] = [
    ("US$", "USD"),
    ("CA$", "CAD"),
    ("C$", "CAD"),
    ("AU$", "AUD"),
    ("A$", "AUD"),
    ("R$", "BRL"),
    ("€", "EUR"),
    ("£", "GBP"),
    ("¥", "JPY"),
    ("zł", "PLN"),
    ("Kč", "CZK"),
    ("₺", "TRY"),
    ("₴", "UAH"),
    ("EURO", "EUR"),
    ("SFR", "CHF"),
];

/// Currencies that call themselves `$` at home.
const DOLLARS: [&str; 18] = [
    "USD", "CAD", "AUD", "NZD", "MXN", "ARS", "CLP", "COP", "HKD", "SGD", "UYU", "TWD", "BBD",
    "BZD", "JMD", "TTD", "XCD", "CUP",
];

/// Currencies whose crown is written `kr`.
const CROWNS: [&str; 4] = ["SEK", "NOK", "DKK", "ISK"];

/// The currency of an ISO code in any case.
pub(super) fn of_code(text: &str) -> Option<&'static str> {
    let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
    let upper = bytes.map(|byte| byte.to_ascii_uppercase());
    let found = CODES
        .binary_search_by(|code| code.as_bytes().cmp(&upper))
        .ok()?;
    Some(CODES[found])
}

/// The currency of a code or sign. `home` decides what `$` and `kr` mean, where it can.
pub(super) fn of_text(text: &str, home: Option<&'static str>) -> Option<&'static str> {
    let text = text.trim();
    if let Some(code) = of_code(text) {
        return Some(code);
    }
    let home_of = |family: &[&str]| home.filter(|home| family.contains(home));
    match text {
        "$" => home_of(&DOLLARS).or(Some("USD")),
        "kr" | "kr." | "Kr" | "Kr." => home_of(&CROWNS),
        "Fr" | "Fr." | "sFr." | "SFr." => Some("CHF"),
        _ => {
            let sign = SIGNS
                .iter()
                .find(|(sign, _)| sign.eq_ignore_ascii_case(text));
            sign.map(|(_, code)| *code)
        }
    }
}

/// The currency that a price column's header names: `Preis (EUR)`, `PREÇO R$`, `price_gbp`.
///
/// Rarer codes count only in capitals, because `all`, `top` and `try` are words.
pub(super) fn in_header(header: &str, home: Option<&'static str>) -> Option<&'static str> {
    let symbol = |(sign, _): &&(&str, &str)| !sign.is_ascii() || sign.ends_with('$');
    if let Some((_, code)) = SIGNS
        .iter()
        .filter(symbol)
        .find(|(sign, _)| header.contains(sign))
    {
        return Some(code);
    }
    if header.contains('$') {
        return of_text("$", home);
    }
    let shouted = !header.chars().any(char::is_lowercase);
    header
        .split(|c: char| !c.is_ascii_alphabetic())
        .find_map(|word| {
            let code =
                of_code(word).or_else(|| word.eq_ignore_ascii_case("euro").then_some("EUR"))?;
            let plain = HEADER_CODES.contains(&code);
            (plain || (word == code && !shouted)).then_some(code)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_sorted() {
        assert!(CODES.is_sorted());
    }

    #[test]
    fn codes_and_signs_name_their_currency() {
        for (text, code) in [
            ("eur", "EUR"),
            (" GBP ", "GBP"),
            ("€", "EUR"),
            ("R$", "BRL"),
            ("Fr.", "CHF"),
            ("Euro", "EUR"),
            ("zł", "PLN"),
        ] {
            assert_eq!(of_text(text, None), Some(code), "{text}");
        }
        assert_eq!(of_text("EURX", None), None);
        assert_eq!(of_text("", None), None);
    }

    #[test]
    fn a_dollar_and_a_crown_are_those_of_the_country() {
        assert_eq!(of_text("$", None), Some("USD"));
        assert_eq!(of_text("$", Some("MXN")), Some("MXN"));
        assert_eq!(of_text("$", Some("EUR")), Some("USD"));
        assert_eq!(of_text("kr", Some("SEK")), Some("SEK"));
        assert_eq!(of_text("kr", None), None);
    }

    #[test]
    fn a_header_names_its_currency() {
        for (header, code) in [
            ("  Preço R$", Some("BRL")),
            ("Preis (EUR)", Some("EUR")),
            ("price_gbp", Some("GBP")),
            ("Prix en euro", Some("EUR")),
            ("Price, TRY", Some("TRY")),
            ("TOP PRICE", None),
            ("all prices", None),
            ("price $", Some("USD")),
            ("Preis", None),
        ] {
            assert_eq!(in_header(header, None), code, "{header}");
        }
    }
}
