//! Names, descriptions, obsolete articles, and how cells are cleaned.

use super::*;

#[test]
fn padding_and_inner_blanks_are_cleaned() {
    let pad = " ".repeat(400);
    let row = &rows(&format!(
        "  SKU ;  Name{pad};Unit;Price;Description\n A1 ;\u{a0}big\t \"\"  pipe\u{200b}{pad};m  ; 1,5 ;\
         \"one  line\n\n  next \"\n"
    ))[0];

    assert_eq!((&*row.sku, &*row.name), ("A1", "big \"\" pipe"));
    assert_eq!(row.description.as_deref(), Some("one line\nnext"));
}

#[test]
fn lines_are_those_of_the_file_whatever_cells_hold() {
    let rows = rows("SKU;Name;Unit;Price\r\n1;\"a\r\nb\r\nc\";m;1\r\n2;d;m;1\r\n");

    assert_eq!(
        (rows[0].line, rows[1].line, &*rows[0].name),
        (2, 5, "a b c")
    );
}

#[test]
fn an_obsolete_mark_leaves_the_name_and_sets_the_status() {
    let rows = rows("SKU;Name;Unit;Price\n1;[AUSLAUF] Bohrer  8;m;1\n2;Bohrer;m;1\n");

    assert_eq!(
        (&*rows[0].name, rows[0].status),
        ("Bohrer 8", RowStatus::Obsolete)
    );
    assert_eq!(rows[1].status, RowStatus::Active);
}

#[test]
fn the_mappings_markers_count_too() {
    let options = mapped(r#"{"obsolete_markers":["XX weg"]}"#);
    let text = "SKU;Name;Unit;Price;Status\n1;xx Weg Rohr;m;1;\n2;Rohr;m;1;XX-weg\n3;Rohr;m;1;ok\n";

    let rows = rows_with(text.as_bytes(), &options);

    let statuses: Vec<_> = rows.iter().map(|row| row.status).collect();
    assert_eq!(
        statuses,
        [RowStatus::Obsolete, RowStatus::Obsolete, RowStatus::Active]
    );
    assert!(rows.iter().all(|row| row.name == "Rohr"));
}

#[test]
fn a_text_that_was_encoded_twice_is_mended() {
    let rows = rows("SKU;Name;Unit;Price\n1;CAFÃ\u{89} CRU 3/8\u{94};m;1\n");

    assert_eq!(rows[0].name, "CAFÉ CRU 3/8”");
}

#[test]
fn unknown_units_are_kept() {
    let rows = rows("SKU;Name;Unit;Price\n1;a;M2XDIA;1\n2;b;SC20KG;1\n3;c;m;1\n");

    assert_eq!(rows[0].unit, UnitText::Unknown("M2XDIA".to_owned()));
    assert_eq!(rows[1].unit, UnitText::Unknown("SC20KG".to_owned()));
}

#[test]
fn random_bytes_never_panic() {
    let mut seed: u64 = 1;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize
    };
    let pieces: Vec<&[u8]> = vec![
        b"SKU;Name;Unit;Price\n",
        b"1;a;m;2,5\n",
        b"\"",
        b";",
        b"\r",
        b"\n",
        b"\t",
        b"\xc3",
        b"\xbc",
        b"\xff\xfe",
        b"|",
        b"- ",
        b"(obsolete)",
        b"\0",
        b"!",
        b"100 ",
        b"1.234,5",
        b"\xe2\x80",
        b"Total",
    ];
    for _ in 0..3_000 {
        let mut bytes = Vec::new();
        for _ in 0..next() % 30 {
            match next() % 4 {
                0 => bytes.push(next() as u8),
                _ => bytes.extend_from_slice(pieces[next() % pieces.len()]),
            }
        }
        if let Ok(survey) = surveyed(&bytes, &options()) {
            survey
                .rows(Cursor::new(&bytes))
                .unwrap()
                .for_each(|row| drop(row.unwrap()));
        }
    }
}
