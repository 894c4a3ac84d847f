//! Currencies, by their ISO 4217 codes.

use std::fmt;

/// Three upper-case letters, such as `EUR`. Whether such a currency exists isn't checked: the
/// list changes more often than this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Currency(String);

/// The text is no currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three letters of ISO 4217, such as EUR")]
pub struct CurrencyError;

impl Currency {
    /// Reads a code in either case.
    ///
    /// # Errors
    ///
    /// [`CurrencyError`] unless the text is three ASCII letters.
    ///
    /// ```
    /// # use server::kernel::Currency;
    /// assert_eq!(Currency::parse("eur").unwrap().to_string(), "EUR");
    /// assert!(Currency::parse("euro").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, CurrencyError> {
        if text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Ok(Self(text.to_ascii_uppercase()));
        }
        Err(CurrencyError)
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
