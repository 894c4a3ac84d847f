//! Rows on their way back to whoever sent them: written so that they are read as they were.

use super::mapping::Delimiter;

/// The column that says what is wrong with a row; readers of ours pass over it.
pub const ERROR_COLUMN: &str = "import_error";

/// Cells as one line, without its end.
pub fn line<'a>(cells: impl Iterator<Item = &'a str>, delimiter: Delimiter) -> String {
    let sign = char::from(delimiter.byte());
    let mut line = String::new();
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            line.push(sign);
        }
        let special = |found: char| found == sign || matches!(found, '"' | '\n' | '\r');
        if cell.contains(special) || cell.starts_with(' ') || cell.ends_with(' ') {
            line.push('"');
            line.push_str(&cell.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(cell);
        }
    }
    line
}

/// The columns of the file itself, if it was one of ours.
pub(super) fn without_errors(headers: &[String]) -> &[String] {
    match headers.split_last() {
        Some((last, own)) if last == ERROR_COLUMN => own,
        _ => headers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_holds_a_sign_is_put_in_quotation_marks() {
        let cells = ["a", "3\" pipe", "x;y", " b", ""];

        let line = line(cells.into_iter(), Delimiter::Semicolon);

        assert_eq!(line, "a;\"3\"\" pipe\";\"x;y\";\" b\";");
    }
}
