//! How cells show their numbers: as days, with leading zeros, or as they are.

use std::collections::HashMap;

use super::package::Package;
use super::xml::Token;
use crate::tenant::imports::pricefile::error::FileError;

/// Most bytes of styles.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Most formats of cells that a workbook can have.
const MAX_STYLES: usize = 65_536;
/// Longest format with leading zeros.
const MAX_ZEROS: usize = 40;

/// What a number in a cell is shown as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Number,
    Date,
    /// With zeros before it, to so many digits.
    Zeros(usize),
}

/// The formats of a workbook's cells, by number.
pub(super) fn read(package: &mut Package, name: &str) -> Result<Vec<Shown>, FileError> {
    if !package.has(name) {
        return Ok(Vec::new());
    }
    let mut xml = package.part(name, MAX_BYTES)?;
    let (mut codes, mut styles) = (HashMap::new(), Vec::new());
    let mut is_cells = false;
    loop {
        match xml.next()? {
            Token::Open(tag) if tag.is("numFmt") && codes.len() < MAX_STYLES => {
                let found = (tag.number::<u32>("numFmtId"), tag.attribute("formatCode"));
                if let (Some(id), Some(code)) = found {
                    codes.insert(id, of_code(&code));
                }
            }
            Token::Open(tag) if tag.is("cellXfs") => is_cells = true,
            Token::Close(name) if name == b"cellXfs" => is_cells = false,
            Token::Open(tag) if is_cells && tag.is("xf") && styles.len() < MAX_STYLES => {
                let id = tag.number::<u32>("numFmtId").unwrap_or(0);
                styles.push(codes.get(&id).copied().unwrap_or_else(|| built_in(id)));
            }
            Token::End => return Ok(styles),
            Token::Open(_) | Token::Close(_) | Token::Text(_) | Token::Other => {}
        }
    }
}

/// Formats that every program knows by number.
fn built_in(id: u32) -> Shown {
    match id {
        14..=17 | 22 | 27..=31 | 36 | 50..=54 | 57 | 58 => Shown::Date,
        _ => Shown::Number,
    }
}

/// A format by its code, such as `yyyy-mm-dd` or `00000`. Only what has a day is a date: hours alone
/// are of no use in a price list.
fn of_code(code: &str) -> Shown {
    let first = code.split(';').next().unwrap_or("");
    if !first.is_empty() && first.len() <= MAX_ZEROS && first.bytes().all(|byte| byte == b'0') {
        return Shown::Zeros(first.len());
    }
    let (mut is_quoted, mut in_brackets, mut is_literal) = (false, false, false);
    for character in first.chars() {
        if std::mem::take(&mut is_literal) {
            continue;
        }
        match character {
            '"' => is_quoted = !is_quoted,
            '\\' | '_' | '*' if !is_quoted => is_literal = true,
            '[' if !is_quoted => in_brackets = true,
            ']' if !is_quoted => in_brackets = false,
            'y' | 'Y' | 'd' | 'D' if !is_quoted && !in_brackets => return Shown::Date,
            _ => {}
        }
    }
    Shown::Number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_what_they_show() {
        for (code, shown) in [
            ("yyyy-mm-dd", Shown::Date),
            ("[$-407]d. mmmm yyyy", Shown::Date),
            ("00000", Shown::Zeros(5)),
            ("0.00", Shown::Number),
            ("#,##0.00 \"day\"", Shown::Number),
            ("[Red]0.00", Shown::Number),
            ("\\d0", Shown::Number),
            ("General", Shown::Number),
        ] {
            assert_eq!(of_code(code), shown, "{code}");
        }
    }
}
