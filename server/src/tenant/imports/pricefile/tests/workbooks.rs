//! Workbooks: what is read of them, and what they are refused for.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

const KINDS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A workbook put together by hand.
struct Made {
    sheets: Vec<(&'static str, String)>,
    strings: Option<String>,
    styles: Option<String>,
    method: CompressionMethod,
}

fn made(cells: &str) -> Made {
    Made {
        sheets: vec![("List", cells.to_owned())],
        strings: None,
        styles: None,
        method: CompressionMethod::Deflated,
    }
}

impl Made {
    fn bytes(&self) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(self.method);
        let mut part = |name: &str, text: &str| {
            zip.start_file(name, options).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        };
        part(
            "_rels/.rels",
            &format!(
                "<Relationships><Relationship Id=\"a\" Type=\"{KINDS}/officeDocument\" \
                 Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        );
        let (mut names, mut places) = (String::new(), String::new());
        for (at, (name, cells)) in self.sheets.iter().enumerate() {
            names += &format!("<sheet name=\"{name}\" r:id=\"r{at}\"/>");
            places += &format!(
                "<Relationship Id=\"r{at}\" Type=\"{KINDS}/worksheet\" Target=\"sheet{at}.xml\"/>"
            );
            let xml = format!("<worksheet><sheetData>{cells}</sheetData></worksheet>");
            part(&format!("xl/sheet{at}.xml"), &xml);
        }
        let book = format!("<workbook><sheets>{names}</sheets></workbook>");
        part("xl/workbook.xml", &book);
        let places = format!("<Relationships>{places}</Relationships>");
        part("xl/_rels/workbook.xml.rels", &places);
        if let Some(strings) = &self.strings {
            part("xl/sharedStrings.xml", &format!("<sst>{strings}</sst>"));
        }
        if let Some(styles) = &self.styles {
            let styles = format!("<styleSheet>{styles}</styleSheet>");
            part("xl/styles.xml", &styles);
        }
        zip.finish().unwrap().into_inner()
    }

    fn text(&self) -> Result<String, FileError> {
        text_of(&self.bytes(), None)
    }
}

fn on_disk(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn text_of(bytes: &[u8], mapping: Option<Mapping>) -> Result<String, FileError> {
    let (mut file, _) = readable(on_disk(bytes), mapping)?;
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    Ok(text)
}

fn refused(bytes: &[u8]) -> String {
    let error = readable(on_disk(bytes), None).unwrap_err();
    assert_eq!(error.code(), "workbook_unreadable", "{error}");
    error.to_string()
}

fn row(number: usize, cells: &[&str]) -> String {
    let cells: Vec<_> = cells
        .iter()
        .map(|cell| format!("<c t=\"inlineStr\"><is><t>{cell}</t></is></c>"))
        .collect();
    format!("<row r=\"{number}\">{}</row>", cells.concat())
}

#[test]
fn a_workbook_reads_as_the_same_list_in_text() {
    let body = "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>0</v></c><c r=\"B2\" t=\"s\"><v>1</v></c>\
                <c r=\"C2\" t=\"str\"><v>m²</v></c><c r=\"D2\"><v>17.899999999999999</v></c></row>\
                <row r=\"4\"><c r=\"A4\" s=\"1\"><v>42</v></c><c r=\"B4\" t=\"s\"><v>2</v></c>\
                <c r=\"C4\" t=\"str\"><v>kg</v></c><c r=\"D4\"><v>1.234</v></c></row>";
    let workbook = Made {
        strings: Some(
            "<si><t>A-1</t></si><si><r><t>Tür &amp; </t></r><r><t>Tor\nblau</t></r></si>\
             <si/><si><t>\"3 pipe</t></si>"
                .replace("<si/>", ""),
        ),
        styles: Some(
            "<numFmts><numFmt numFmtId=\"170\" formatCode=\"00000\"/></numFmts>\
             <cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"170\"/></cellXfs>"
                .to_owned(),
        ),
        ..made(&(row(1, &["SKU", "Name", "Unit", "Price"]) + body))
    };
    let (mut file, mapping) = readable(on_disk(&workbook.bytes()), None).unwrap();
    let options = Options {
        mapping,
        ..options()
    };

    let survey = survey(&mut file, &options).unwrap();
    let outcomes: Vec<_> = survey
        .rows(&mut file)
        .unwrap()
        .map(Result::unwrap)
        .collect();

    let rows: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Row(row) => Some((row.line, row.sku.as_str(), row.name.as_str(), price(row))),
            _ => None,
        })
        .collect();
    assert_eq!(
        rows,
        [
            (2, "A-1", "Tür & Tor blau", "17.9/1 EUR".to_owned()),
            (4, "00042", "\"3 pipe", "1.234/1 EUR".to_owned()),
        ]
    );
    assert_eq!(survey.mapping().sheet.as_deref(), Some("List"));
}

#[test]
fn an_empty_text_in_the_list_of_texts_counts() {
    let workbook = Made {
        strings: Some("<si><t/></si><si/><si><t>c</t></si>".to_owned()),
        ..made("<row r=\"1\"><c t=\"s\"><v>2</v></c><c t=\"s\"><v>0</v></c></row>")
    };

    assert_eq!(workbook.text().unwrap(), "c\n");
}

#[test]
fn the_worksheet_is_the_one_that_the_mapping_names() {
    let workbook = Made {
        sheets: vec![
            ("Cover", row(1, &["a"])),
            ("Prices", row(3, &["b", "", "c"])),
        ],
        ..made("")
    };
    let named = |name: &str| Mapping {
        sheet: Some(name.to_owned()),
        ..Mapping::default()
    };

    assert_eq!(workbook.text().unwrap(), "a\n");
    let text = text_of(&workbook.bytes(), Some(named(" prices")));
    assert_eq!(text.unwrap(), "\n\nb\t\tc\n");
    let error = text_of(&workbook.bytes(), Some(named("Preise"))).unwrap_err();
    assert_eq!(error.code(), "sheet_not_found");
    assert!(error.to_string().contains("Cover, Prices"), "{error}");
}

#[test]
fn a_row_without_its_last_cells_has_empty_ones() {
    let workbook = made(&(row(1, &["a", "b", "c"]) + &row(2, &["d"]) + &row(3, &["", "e"])));

    assert_eq!(workbook.text().unwrap(), "a\tb\tc\nd\t\t\n\te\t\n");
}

#[test]
fn a_file_that_is_no_workbook_stays_as_it_is_whatever_it_is_called() {
    let text = "SKU;Name;Unit;Price\n1;a;m;2\n";
    let mapping: Mapping = serde_json::from_str(r#"{"delimiter":";"}"#).unwrap();

    let (file, after) = readable(on_disk(text.as_bytes()), Some(mapping.clone())).unwrap();

    assert_eq!(std::io::read_to_string(file).unwrap(), text);
    assert_eq!(after, Some(mapping));
}

#[test]
fn a_workbook_that_is_cut_off_is_refused_wherever_it_ends() {
    let cells: String = (1..400)
        .map(|at| row(at, &["abc", &at.to_string()]))
        .collect();
    let bytes = made(&cells).bytes();

    for length in [8, 100, bytes.len() / 2, bytes.len() - 30, bytes.len() - 1] {
        let error = refused(&bytes[..length]);
        assert!(error.contains("cut off"), "{length}: {error}");
    }
}

#[test]
fn a_damaged_worksheet_is_refused() {
    let good = row(1, &["a"]);
    for cells in [
        "<row r=\"1\"><c><v>1</v></row>".to_owned(),
        format!("{good}</sheetData></worksheet><!DOCTYPE a [<!ENTITY b \"c\">]>")
            .replace("</sheetData></worksheet>", ""),
        "<row r=\"1\"><c t=\"s\"><v>7</v></c></row>".to_owned(),
        "<row r=\"1\"><c t=\"str\"><v>&unknown;</v></c></row>".to_owned(),
        row(2, &["a"]) + &good,
        "<row r=\"9999999\"/>".to_owned(),
    ] {
        let error = refused(&made(&cells).bytes());
        assert!(error.contains("save it again"), "{cells}: {error}");
    }
}

#[test]
fn a_password_or_another_kind_of_file_is_told() {
    let name = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes);
    let mut encrypted = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    encrypted.resize(1024, 0);
    encrypted.extend(name);
    assert!(refused(&encrypted).contains("password"));

    let mut other = ZipWriter::new(Cursor::new(Vec::new()));
    other
        .start_file("photo.txt", SimpleFileOptions::default())
        .unwrap();
    let other = other.finish().unwrap().into_inner();
    assert!(refused(&other).contains("no workbook"));

    let old = surveyed(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", &options()).unwrap_err();
    assert!(old.to_string().contains("old Excel"), "{old}");
}

#[test]
fn a_worksheet_that_unpacks_to_far_too_much_is_refused_while_it_is_read() {
    let blanks = " ".repeat(64 * 1024 * 1024);
    let bytes = made(&format!("{}{blanks}", row(1, &["a"]))).bytes();
    assert!(bytes.len() < 200_000);

    assert!(refused(&bytes).contains("longer than a mebibyte"));

    // The same in pieces, none of which is long.
    let cells = format!("<c>{}</c>", " ".repeat(1000)).repeat(60_000);
    let bytes = made(&format!("<row r=\"1\">{cells}</row>")).bytes();
    assert!(refused(&bytes).contains("far more"));
}

#[test]
fn what_an_archive_claims_reserves_nothing() {
    let strings = "<si><t>a</t></si>".to_owned();
    let workbook = Made {
        strings: Some(strings),
        ..made("<row r=\"1\"><c t=\"s\"><v>0</v></c></row>")
    };
    let mut bytes = workbook.bytes();
    assert_eq!(text_of(&bytes, None).unwrap(), "a\n");

    let end = bytes
        .windows(4)
        .rposition(|it| it == b"PK\x05\x06")
        .unwrap();
    bytes[end + 10..end + 12].copy_from_slice(&u16::MAX.to_le_bytes());
    assert!(refused(&bytes).contains("more parts"));
}

#[test]
fn a_cell_beyond_any_worksheet_is_refused_with_its_row() {
    let cells = "<row r=\"2\"><c r=\"ZZZZ2\"><v>1</v></c></row>";

    let error = made(cells).text().unwrap_err();

    assert!(
        matches!(error, FileError::TooManyColumns { line: 2, .. }),
        "{error}"
    );
    let wide: String = (0..40_000).map(|_| "<c><v>1</v></c>").collect();
    let error = made(&format!("<row r=\"1\">{wide}</row>"))
        .text()
        .unwrap_err();
    assert!(
        matches!(error, FileError::TooManyColumns { line: 1, .. }),
        "{error}"
    );
}

#[test]
fn a_long_worksheet_is_read_row_by_row() {
    let mut cells = row(1, &["SKU", "Name", "Unit", "Price"]);
    for at in 2..20_002 {
        cells += &format!(
            "<row><c t=\"str\"><v>S{at}</v></c><c t=\"str\"><v>Item {at}</v></c>\
             <c t=\"str\"><v>kg</v></c><c><v>{at}.5</v></c></row>"
        );
    }
    let (mut file, mapping) = readable(on_disk(&made(&cells).bytes()), None).unwrap();
    let options = Options {
        mapping,
        ..options()
    };

    let survey = survey(&mut file, &options).unwrap();

    assert_eq!(survey.row_count(), 20_000);
    file.seek(SeekFrom::Start(0)).unwrap();
    let rows = survey.rows(&mut file).unwrap();
    assert!(
        rows.map(Result::unwrap)
            .all(|it| matches!(it, Outcome::Row(_)))
    );
}
