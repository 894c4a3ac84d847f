//! Files that nobody should send: refused with line and reason or read but for what is wrong, and the
//! server goes on as if nothing had been.

use std::io::{Cursor, Write};

use tests::TestApp;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{counts, findings, sizes};

const KINDS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const HEADER: &str = "sku;name;unit;price\n";

/// A workbook of one worksheet with these rows.
pub(crate) fn workbook(rows: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    let relation = |kind: &str, target: &str| {
        format!(
            "<Relationships><Relationship Id=\"a\" Type=\"{KINDS}/{kind}\" Target=\"{target}\"/>\
             </Relationships>"
        )
    };
    for (name, part) in [
        ("_rels/.rels", relation("officeDocument", "xl/workbook.xml")),
        ("xl/sheet.xml", sheet),
        (
            "xl/workbook.xml",
            "<workbook><sheets><sheet name=\"List\" r:id=\"a\"/></sheets></workbook>".to_owned(),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            relation("worksheet", "sheet.xml"),
        ),
    ] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(part.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A row of a worksheet.
pub(crate) fn cells(texts: &[&str]) -> String {
    let cell = |text: &&str| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let cells: String = texts.iter().map(cell).collect();
    format!("<row>{cells}</row>")
}

#[actix_web::test]
async fn files_that_nobody_should_send_are_refused_with_line_and_reason_and_write_nothing() {
    let whole = format!("{HEADER}A;\"Tür; groß\";m;2,50\nB;\"Öl\";m;13,50\n").into_bytes();
    let at = |text: &str| {
        let text = text.as_bytes();
        whole.windows(text.len()).position(|it| it == text).unwrap()
    };
    let head = cells(&["sku", "name", "unit", "price"]);
    let blanks = " ".repeat(8 * 1024 * 1024);
    let bomb = workbook(&format!("{head}{blanks}"));
    assert!(bomb.len() < 200_000, "{}", bomb.len());

    let files = [
        (
            "40,000 columns in the header",
            format!("sku;name;unit;price{}\nA;a;m;2\n", ";more".repeat(40_000)).into_bytes(),
            "too_many_columns",
            Some(1),
        ),
        (
            "40,000 columns in a row",
            format!("{HEADER}A;a;m;2{}\nB;b;m;3\n", ";x".repeat(40_000)).into_bytes(),
            "too_many_columns",
            Some(2),
        ),
        (
            "40,000 columns in a worksheet",
            workbook(&(head.clone() + &cells(&["x"; 40_000]))),
            "too_many_columns",
            Some(2),
        ),
        (
            "NUL bytes",
            format!("{HEADER}A;a;m;2\nB;b\0;m;3\n").into_bytes(),
            "not_text",
            Some(3),
        ),
        (
            "cut off within a character",
            whole[..=at("Öl")].to_vec(),
            "",
            Some(3),
        ),
        (
            "cut off within quotation marks",
            whole[..at("Öl")].to_vec(),
            "truncated",
            Some(3),
        ),
        (
            "cut off within a row",
            whole[..at(";m;13")].to_vec(),
            "truncated",
            Some(3),
        ),
        (
            "a worksheet that unpacks to a hundred times as much",
            bomb,
            "workbook_unreadable",
            None,
        ),
    ];
    // Packing takes a while, which no connection waits for.
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let before = sizes(&app, &dealer).await;

    for (what, file, kind, line) in files {
        let reply = dealer.import("", file).await;

        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (422, "file_unreadable"),
            "{what}: {}",
            reply.text()
        );
        let error = &reply.json["errors"][0];
        if !kind.is_empty() {
            assert_eq!(error["code"], kind, "{what}: {}", reply.text());
        }
        if line.is_some() {
            assert_eq!(error["line"].as_u64(), line, "{what}: {}", reply.text());
        }
    }
    assert_eq!(sizes(&app, &dealer).await, before);
    let fine = dealer.import("", whole).await.expect(200).json;
    assert_eq!(counts(&fine), [2, 0, 0, 0, 0]);
}

#[actix_web::test]
async fn a_row_with_three_columns_too_many_is_rejected_and_its_neighbours_are_taken() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;

    let text = format!("{HEADER}A;a;m;2,50\nB;b;m;3,50;x;y;z\nC;c;m;4,50\n");
    let report = dealer.import("", text).await.expect(200).json;
    let rows = [
        &["sku", "name", "unit", "price"][..],
        &["D", "d", "m", "2.50"],
        &["E", "e", "m", "3.50", "x", "y", "z"],
        &["F", "f", "m", "4.50"],
    ];
    let rows: String = rows.iter().map(|row| cells(row)).collect();
    let of_workbook = dealer.import("", workbook(&rows)).await.expect(200).json;

    for report in [report, of_workbook] {
        assert_eq!(counts(&report), [2, 0, 0, 1, 0], "{report}");
        let told = findings(&report, "rejected_rows");
        assert_eq!(
            (told[0].0, told[0].3.as_str()),
            (3, "wrong_field_count"),
            "{report}"
        );
    }
}
