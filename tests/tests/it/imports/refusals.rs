//! Files that can't be read at all: the line and the reason are told, and nothing is written.

use tests::TestApp;

use super::{load, sizes, written};

const GOOD: &str = "sku,name,unit,price\nA,a,pcs,1.50\nB,b,pcs,2.50\n";

#[actix_web::test]
async fn what_is_no_price_file_is_refused_with_line_and_reason() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(&dealer, GOOD).await;
    let before = (written(&app, &dealer).await, sizes(&app, &dealer).await);
    let utf32: Vec<u8> = GOOD
        .chars()
        .flat_map(|c| u32::from(c).to_le_bytes())
        .collect();
    let half_utf16: Vec<u8> = GOOD
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .skip(1)
        .collect();
    let rest = |from: &str| format!("{GOOD}{from}").into_bytes();
    let mut broken = "sku,name,unit,price\nA,Größe für Türen,pcs,1.50\nB,Dübel,pcs,1.50\n"
        .to_owned()
        .into_bytes();
    let at = broken.iter().rposition(|byte| *byte == 0xc3).unwrap();
    broken[at + 1] = b'x';

    for (file, kind, line) in [
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
            "not_text",
            Some(1),
        ),
        (
            b"PK\x03\x04\x14\0\x06\0\x08\0xl/workbook.xml".to_vec(),
            "workbook_unreadable",
            None,
        ),
        (
            b"PK\x03\x04\x0a\0\0\0\0\0prices.csv".to_vec(),
            "workbook_unreadable",
            None,
        ),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3".to_vec(), "not_text", Some(1)),
        (b"\x1f\x8b\x08\0\0\0\0\0".to_vec(), "not_text", Some(1)),
        (b"<!doctype html><table>".to_vec(), "not_text", Some(1)),
        (
            b"<?xml version=\"1.0\"?><Workbook/>".to_vec(),
            "not_text",
            Some(1),
        ),
        (rest("C,\0,pcs,3.50\n"), "not_text", Some(4)),
        (utf32, "not_text", Some(1)),
        (half_utf16, "", None),
        (broken, "broken_character", Some(3)),
        (rest("C,c"), "truncated", Some(4)),
        (rest("C,c,pcs,3."), "truncated", Some(4)),
        (rest("C,\"c,pcs,3.50\nD,d,pcs,4.50\n"), "truncated", Some(4)),
        (b"".to_vec(), "empty", None),
        (b"\n \r\n\t\n".to_vec(), "empty", None),
        (b"\xef\xbb\xbf".to_vec(), "", None),
        (b"sku,name,unit,price\n".to_vec(), "no_rows", Some(1)),
        (
            b"\n\nsku,name,unit,price\n\n,,,\n".to_vec(),
            "no_rows",
            Some(3),
        ),
        (b"1,2,3\n4,5,6\n".to_vec(), "no_header", Some(1)),
        (
            b"Dear customer,\nplease find attached our prices.\n".to_vec(),
            "no_header",
            Some(1),
        ),
        (
            b"sku,name,price\nA,a,1.50\nB,b,2.50\n".to_vec(),
            "missing_column",
            None,
        ),
        (
            rest(&format!("C,\"{}\n", "x".repeat(1 << 20))),
            "row_too_long",
            Some(4),
        ),
    ] {
        let shown = String::from_utf8_lossy(&file[..file.len().min(60)]).into_owned();
        let reply = dealer.import("", file).await;

        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (422, "file_unreadable"),
            "{shown:?}: {}",
            reply.text()
        );
        let error = &reply.json["errors"][0];
        if !kind.is_empty() {
            assert_eq!(
                (error["code"].as_str(), error["line"].as_u64()),
                (Some(kind), line),
                "{shown:?}: {error}"
            );
        }
        assert!(
            reply.json["detail"]
                .as_str()
                .is_some_and(|detail| detail.len() > 10),
            "{shown:?}"
        );
    }
    assert_eq!(
        (written(&app, &dealer).await, sizes(&app, &dealer).await),
        before
    );
}

#[actix_web::test]
async fn a_needed_column_that_is_missing_is_named_with_those_that_are_there() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;

    let reply = dealer
        .import("", "sku,name,price\nA,a,1.50\nB,b,2.50\n")
        .await
        .expect(422);

    let detail = reply.json["detail"].as_str().unwrap();
    for word in ["unit", "sku", "name", "price"] {
        assert!(detail.contains(word), "{detail}");
    }
}

#[actix_web::test]
async fn a_file_that_breaks_off_late_writes_nothing_of_what_came_before() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let mut file = String::from("sku,name,unit,price,group\n");
    for n in 0..3_500 {
        file.push_str(&format!("S{n},row,Gebinde,1.50,g{}\n", n % 7));
    }
    let before = sizes(&app, &dealer).await;
    file.push_str("CUT,row");

    let reply = dealer.import("", file).await.expect(422);

    assert_eq!(reply.json["errors"][0]["line"], 3_502);
    assert_eq!(sizes(&app, &dealer).await, before);
}

#[actix_web::test]
async fn a_file_with_too_many_rows_is_refused_and_one_with_just_enough_is_not() {
    let app = TestApp::start_with(&[
        ("TUBEX_JOBS__INSIDE", "true"),
        ("TUBEX_IMPORTS__MAX_ROWS", "3"),
    ])
    .await;
    let dealer = app.dealer().await;
    let rows = |count: usize| {
        let rows: String = (0..count)
            .map(|n| format!("S{n},row,pcs,1.50\n\n"))
            .collect();
        format!("sku,name,unit,price\n{rows}")
    };

    let many = dealer.import("", rows(4)).await.expect(422);
    let nothing = sizes(&app, &dealer).await[0];
    let enough = dealer.import("", rows(3)).await.expect(200);

    assert_eq!(many.problem(), "file_unreadable");
    let error = &many.json["errors"][0];
    assert_eq!(
        (error["code"].as_str(), error["line"].as_u64()),
        (Some("too_many_rows"), Some(8))
    );
    assert_eq!((nothing, &enough.json["created"]), (0, &3.into()));
}

#[actix_web::test]
async fn a_file_with_hundreds_of_columns_is_refused() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let header: Vec<String> = (0..600).map(|n| format!("col{n}")).collect();
    let file = format!("sku,name,unit,price,{}\nA,a,pcs,1\n", header.join(","));

    let reply = dealer.import("", file).await.expect(422);

    assert_eq!(reply.json["errors"][0]["code"], "too_many_columns");
}
