//! The words a new dealer can be made with.

/// Sets of rows that a new dealer can be born with.
pub const SEEDS: [&str; 1] = ["demo"];

/// The setting that carries a new dealer's currency.
pub const CURRENCY: &str = "currency";

/// The currency of a dealer that names none.
pub const DEFAULT_CURRENCY: &str = "EUR";

/// Reads an ISO 4217 code by its form; which ones exist is not ours to know.
///
/// # Errors
///
/// What a currency looks like.
pub fn currency(text: &str) -> Result<String, String> {
    let is_code = text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase());
    if is_code {
        Ok(text.to_owned())
    } else {
        Err("a currency is three capital letters, as in EUR".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_three_capitals() {
        assert_eq!(currency("EUR").as_deref(), Ok("EUR"));
        for text in ["eur", "EURO", "€", ""] {
            assert!(currency(text).is_err(), "{text}");
        }
    }
}
