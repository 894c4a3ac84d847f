//! Barcodes: GTINs of 8, 12, 13 or 14 digits with a correct check digit.

/// Words and fillers that mean "none".
const NONE: [&str; 7] = ["-", "--", "n/a", "na", "none", "keine", "0"];

/// The barcodes of a cell, each once, in the order of the cell.
///
/// Several may be separated by blanks or one of `,;|/`. Zeros alone and dashes mean none.
///
/// # Errors
///
/// What is wrong with the first that is not a GTIN, and how to mend it.
pub(super) fn parse(cell: &str) -> Result<Vec<String>, String> {
    let mut found: Vec<String> = Vec::new();
    if NONE
        .iter()
        .any(|none| none.eq_ignore_ascii_case(cell.trim()))
    {
        return Ok(found);
    }
    // Printed barcodes are grouped with blanks: one number, when all digits together are one.
    let digits: String = cell
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .collect();
    if is_gtin(&digits) {
        return Ok(vec![digits]);
    }
    if cell.contains(['E', 'e']) && cell.contains('+') {
        return check(&digits).map(|()| found); // rounded, with a comma that separates nothing
    }
    let separator = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '/');
    for code in cell.split(separator).filter(|code| !code.is_empty()) {
        if code.bytes().all(|byte| byte == b'0') {
            continue;
        }
        check(code)?;
        if !found.iter().any(|known| known == code) {
            found.push(code.to_owned());
        }
    }
    Ok(found)
}

/// Whether a text is a GTIN.
pub(super) fn is_gtin(code: &str) -> bool {
    check(code).is_ok() && code.bytes().any(|byte| byte != b'0')
}

fn check(code: &str) -> Result<(), String> {
    if !code.bytes().all(|byte| byte.is_ascii_digit()) {
        let excel = code.contains(['E', 'e']) && code.starts_with(|c: char| c.is_ascii_digit());
        return Err(if excel {
            "a spreadsheet has rounded this barcode; format the column as text and fill it again"
                .to_owned()
        } else {
            "a barcode has digits only; correct it or leave the cell empty".to_owned()
        });
    }
    if !matches!(code.len(), 8 | 12 | 13 | 14) {
        return Err(format!(
            "a barcode has 8, 12, 13 or 14 digits, this one has {}; leading zeros may be lost",
            code.len()
        ));
    }
    let (body, last) = code.split_at(code.len() - 1);
    let sum: u32 = body
        .bytes()
        .rev()
        .zip([3, 1].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    let expected = (10 - sum % 10) % 10;
    if last == expected.to_string() {
        return Ok(());
    }
    Err(format!(
        "the check digit is wrong: it is {last} and should be {expected}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn barcodes_of_every_length_are_taken() {
        for code in [
            "96385074",
            "036000291452",
            "4006381333931",
            "10012345678902",
        ] {
            assert_eq!(parse(code).unwrap(), [code]);
        }
        assert_eq!(parse("4 006381 333931").unwrap(), ["4006381333931"]);
    }

    #[test]
    fn several_barcodes_are_separated_and_each_kept_once() {
        let codes = parse("4006381333931; 96385074, 4006381333931").unwrap();

        assert_eq!(codes, ["4006381333931", "96385074"]);
    }

    #[test]
    fn fillers_mean_none() {
        for cell in ["-", "0", "0000000000000", "n/a", ""] {
            assert!(parse(cell).unwrap().is_empty(), "{cell}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(parse("4006381333932").unwrap_err().contains("should be 1"));
        assert!(
            parse("40063813339")
                .unwrap_err()
                .contains("this one has 11")
        );
        assert!(parse("4.00638E+12").unwrap_err().contains("spreadsheet"));
        assert!(parse("4,00638E+12").unwrap_err().contains("spreadsheet"));
        assert!(parse("ABC").unwrap_err().contains("digits only"));
    }
}
