//! Files that are refused as a whole, encodings, and what a survey promises.

use super::*;

const GOOD: &str = "SKU;Name;Unit;Price\n1;Tür für Größe ½;m²;1,50\n2;Gerät;Stück;2,50\n";

#[test]
fn every_encoding_reads_the_same() {
    let expected = rows(GOOD);
    let cp850: Vec<u8> = GOOD
        .chars()
        .map(|c| (0..=255).find(|byte| codepage::cp850(*byte) == c).unwrap())
        .collect();
    let windows = encoding_rs::WINDOWS_1252.encode(GOOD).0.into_owned();
    let utf16 = |to_bytes: fn(u16) -> [u8; 2], mark: &str| -> Vec<u8> {
        mark.encode_utf16()
            .chain(GOOD.encode_utf16())
            .flat_map(to_bytes)
            .collect()
    };
    for (name, bytes) in [
        ("utf-8", format!("\u{feff}{GOOD}").into_bytes()),
        ("cp850", cp850),
        ("windows-1252", windows),
        ("utf-16le", utf16(u16::to_le_bytes, "\u{feff}")),
        ("utf-16be", utf16(u16::to_be_bytes, "\u{feff}")),
        ("utf-16le", utf16(u16::to_le_bytes, "")),
        ("utf-16be", utf16(u16::to_be_bytes, "")),
    ] {
        let survey = surveyed(&bytes, &options()).unwrap();

        let encoding = serde_json::to_value(survey.mapping()).unwrap()["encoding"].clone();
        assert_eq!(encoding, name);
        assert_eq!(rows_with(&bytes, &options()), expected, "{name}");
    }
}

#[test]
fn every_line_end_reads_the_same() {
    let expected = rows(GOOD);
    for end in ["\r\n", "\r"] {
        assert_eq!(rows(&GOOD.replace('\n', end)), expected, "{end:?}");
    }
}

#[test]
fn a_given_encoding_wins() {
    let bytes = "SKU;Name;Unit;Price\n1;õ und ã;m;1\n"
        .chars()
        .map(|c| c as u8)
        .collect::<Vec<_>>();

    let rows = rows_with(&bytes, &mapped(r#"{"encoding":"cp850"}"#));

    assert_eq!(rows[0].name, "§ und Ò");
}

#[test]
fn what_is_no_price_list_is_refused_with_its_reason() {
    for (text, code, line) in [
        ("", "empty", None),
        (" \n\n", "empty", None),
        ("SKU;Name;Unit;Price\n", "no_rows", Some(1)),
        ("SKU;Name;Unit;Price", "no_rows", Some(1)),
        ("\nSKU;Name;Unit;Price\n;;;\n\n", "no_rows", Some(2)),
        ("PK\u{3}\u{4}xl/workbook.xml", "not_text", Some(1)),
        (
            "SKU;Name;Unit;Price\n1;a;m;2\n2;b\0;m;2\n",
            "not_text",
            Some(3),
        ),
        ("1;a;m;2\n2;b;m;2\n", "no_header", Some(1)),
        ("SKU;Name;Unit;Price\n1;a;m;2\n2;b;m", "truncated", Some(3)),
        (
            "SKU;Name;Unit;Price\n1;a;m;2\n2;\"b;m;2\n3;c;m;1\n",
            "truncated",
            Some(3),
        ),
        ("SKU;Name;Price\n1;a;2\n", "missing_column", None),
        (
            "Name;Unit;Price\na b;m;2\na b;m;2\n",
            "missing_column",
            None,
        ),
    ] {
        let error = refusal(text);

        assert_eq!(
            (error.code(), error.line()),
            (code, line),
            "{text:?}: {error}"
        );
        assert!(!error.to_string().ends_with('.'), "{error}");
    }
}

#[test]
fn a_missing_column_names_those_that_are_there() {
    let error = refusal("SKU;Name;;Price\n1;a;;2\n");

    let text = error.to_string();
    assert!(text.contains("no column for the unit"), "{text}");
    assert!(
        text.contains("\"SKU\", \"Name\", number 3 (nameless), \"Price\""),
        "{text}"
    );
}

#[test]
fn broken_utf8_is_refused_with_its_line() {
    let mut bytes = GOOD.as_bytes().to_vec();
    let at = bytes.iter().rposition(|byte| *byte == 0xc3).unwrap();
    bytes[at] = b'x';

    let error = surveyed(&bytes, &options()).unwrap_err();

    assert!(
        matches!(error, FileError::BrokenCharacter { line: 3 }),
        "{error}"
    );
}

#[test]
fn too_many_rows_are_refused_at_the_first_too_many() {
    let options = Options {
        max_rows: 1,
        ..options()
    };

    let error = surveyed(GOOD.as_bytes(), &options).unwrap_err();

    assert!(
        matches!(error, FileError::TooManyRows { line: 3, limit: 1 }),
        "{error}"
    );
}

#[test]
fn an_endless_row_is_refused() {
    let text = format!("{GOOD}3;\"{}", "x;y\n".repeat(400_000));

    assert!(matches!(
        refusal(&text),
        FileError::RowTooLong { line: 4, .. }
    ));
}

#[test]
fn prices_without_any_currency_are_refused() {
    let options = Options {
        default_currency: None,
        ..options()
    };

    let error = surveyed(GOOD.as_bytes(), &options).unwrap_err();

    assert!(matches!(error, FileError::NoCurrency), "{error}");
}

#[test]
fn a_mapping_that_cannot_be_meant_is_refused() {
    let currency = surveyed(GOOD.as_bytes(), &mapped(r#"{"currency":"EURO"}"#)).unwrap_err();
    let column = surveyed(GOOD.as_bytes(), &mapped(r#"{"price":"Preis"}"#)).unwrap_err();
    let number = surveyed(GOOD.as_bytes(), &mapped(r#"{"sku":9}"#)).unwrap_err();
    let line = surveyed(GOOD.as_bytes(), &mapped(r#"{"header_line":7}"#)).unwrap_err();

    assert!(
        matches!(currency, FileError::InvalidMapping { .. }),
        "{currency}"
    );
    assert!(matches!(
        column,
        FileError::ColumnNotFound {
            field: Field::Price,
            ..
        }
    ));
    assert!(column.to_string().contains("\"Preis\""), "{column}");
    assert!(
        column
            .to_string()
            .contains("\"SKU\", \"Name\", \"Unit\", \"Price\""),
        "{column}"
    );
    assert!(number.to_string().contains("column number 9"), "{number}");
    assert!(
        matches!(line, FileError::NoHeader { line: 7, .. }),
        "{line}"
    );
}

#[test]
fn a_note_without_line_end_is_no_cut_off_row() {
    let rows = outcomes(&format!("{GOOD}All prices without VAT"));

    assert!(matches!(
        rows[2],
        Outcome::Skipped {
            line: 4,
            reason: SkipReason::Footer
        }
    ));
}

#[test]
fn a_price_that_breaks_off_at_the_end_is_noticed() {
    let text = "SKU;Name;Unit;Price\n1;a;m;10,50\n2;b;m;144,50";

    for cut in 1..=6 {
        let error = refusal(&text[..text.len() - cut]);

        assert!(
            matches!(error, FileError::Truncated { line: 3, .. }),
            "{error}"
        );
    }
    assert_eq!(rows(text).len(), 2);
    assert_eq!(
        rows("SKU;Name;Unit;Price\n1;a;m;10,50\n2;b;m;9\n3;c;m;1").len(),
        3
    );
}

#[test]
fn a_failing_reader_is_not_the_files_fault() {
    struct Failing;
    impl std::io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk gone"))
        }
    }
    impl std::io::Seek for Failing {
        fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
            Ok(0)
        }
    }

    let error = survey(Failing, &options()).unwrap_err();

    assert!(matches!(error, FileError::Io(_)));
    assert_eq!(error.to_string(), "the file could not be read");
}

#[test]
fn rows_read_from_a_real_file_and_end_after_an_error() {
    use std::io::Write;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(GOOD.as_bytes()).unwrap();
    let survey = survey(&mut file, &options()).unwrap();

    assert_eq!(survey.rows(&mut file).unwrap().count(), 2);
    assert_eq!(survey.row_count(), 2);

    // The file is another one by now: an error, then nothing.
    file.write_all(b"3;\"").unwrap();
    let mut rows = survey.rows(&mut file).unwrap();
    assert!(rows.by_ref().take(2).all(|row| row.is_ok()));
    assert!(matches!(
        rows.next(),
        Some(Err(FileError::Truncated { line: 4, .. }))
    ));
    assert!(rows.next().is_none());
}

#[test]
fn a_resolved_mapping_reads_the_file_the_same_way_again() {
    for text in [
        GOOD.to_owned(),
        "\n\nPos|Code|Nome|UN|Preço R$|Preço mínimo|Situação|Grupo|Subgrupo|EAN\n1|x1|A|un|1.238,56|\
         1|fora de linha|g|s|4006381333931\n2|x2|B|m|3,00|1||g||\n"
            .to_owned(),
        "Art\tText\tME\tPreis\tPE\tWhg\tText\nA\tx\tm\t1,5\t100\tCHF\ty\nB\tx\tm\t$ 2,5\t1\t\ty\n"
            .to_owned(),
        ",,Name,Price\nA1,m,aaa bbb,£1.50\nA2,m,ccc ddd,2.50\n".to_owned(),
    ] {
        let survey = surveyed(text.as_bytes(), &options()).unwrap();
        let again = Options { mapping: Some(survey.mapping().clone()), ..options() };
        let survey_again = surveyed(text.as_bytes(), &again).unwrap();

        assert_eq!(survey.mapping(), survey_again.mapping(), "{text}");
        let outcomes = outcomes(&text);
        assert_eq!(outcomes, outcomes_with(text.as_bytes(), &again), "{text}");
        assert!(outcomes.iter().any(|outcome| matches!(outcome, Outcome::Row(_))), "{outcomes:?}");
    }
}
