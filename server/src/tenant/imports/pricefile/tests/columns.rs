//! Which column is taken for which field.

use super::*;

#[test]
fn headers_of_every_language_are_understood() {
    for (header, fields) in [
        (
            "Article no;Name;Category;Unit;Price;Per;Currency;Barcode;Status",
            "English",
        ),
        (
            "Artikelnummer;Bezeichnung;Warengruppe;Einheit;Preis;Preis pro;Währung;EAN;Status",
            "German",
        ),
        (
            "Código;Nome;Grupo;Unidade;Preço;Preço por;Moeda;Código de barras;Situação",
            "Portuguese",
        ),
        (
            "Referencia;Nombre;Familia;Unidad;Precio;Base de precio;Moneda;Código de barras;Estado",
            "Spanish",
        ),
        (
            "Référence;Désignation;Famille;Unité;Prix;Base de prix;Devise;Code-barres;Statut",
            "French",
        ),
        (
            "Tootekood;Nimetus;Tootegrupp;Ühik;Hind;Hinna kogus;Valuuta;Triipkood;Staatus",
            "Estonian",
        ),
    ] {
        let row = "A-1;Rohr;Rohre;Stk;1,50;100;CHF;4006381333931;obsolete";

        let rows = rows(&format!("{header}\n{row}\n"));

        let row = &rows[0];
        assert_eq!((&*row.sku, &*row.name), ("A-1", "Rohr"), "{fields}");
        assert_eq!(row.group_path, ["Rohre"], "{fields}");
        assert_eq!(row.unit, UnitText::Known("pcs"), "{fields}");
        assert_eq!(price(row), "1.5/100 CHF", "{fields}");
        assert_eq!(row.barcodes, ["4006381333931"], "{fields}");
        assert_eq!(row.status, RowStatus::Obsolete, "{fields}");
    }
}

#[test]
fn a_running_number_is_not_the_article_number() {
    for name in ["", "#", "Nr", "Pos", "No."] {
        let text = format!("{name};Codigo ;Descrição;Un;Preço\n0;77;a;m;1,5\n1;55;b;m;2,5\n");

        assert_eq!(rows(&text)[1].sku, "55", "{name}");
    }
}

#[test]
fn a_number_column_that_does_not_run_is_the_article_number() {
    assert_eq!(
        rows("Nr;Name;ME;Preis\n4711;a;m;1,5\n815;b;m;2,5\n")[0].sku,
        "4711"
    );
}

#[test]
fn the_best_of_several_prices_is_taken() {
    for (header, best) in [
        ("min_price;avg_price;price", "price"),
        ("price_min;price_avg;price_median", "price_avg"),
        (
            "Mindestpreis;Aktionspreis;Nettopreis;Medianpreis",
            "Medianpreis",
        ),
        ("Bruttopreis;Nettopreis", "Nettopreis"),
        ("max price;min price", "max price"),
        ("cost;net price", "net price"),
    ] {
        let columns = header.split(';').count();
        let text = format!("sku;name;unit;{header}\na;b;m{}\n", ";1".repeat(columns));

        assert_eq!(resolved(&text)["price"], best, "{header}");
    }
}

#[test]
fn a_price_column_without_numbers_is_not_the_price() {
    let text = "code;name;un;tipo de preco;preco\n1x;a;m;ZZ;1,50\n2x;b;m;YY;2,50\n";

    assert_eq!(resolved(text)["price"], "preco");
    let swapped = "code;name;un;price;list price\n1x;a;m;see list;1,50\n2x;b;m;see list;2,50\n";
    assert_eq!(resolved(swapped)["price"], "list price");
}

#[test]
fn group_columns_form_a_path_in_file_order() {
    for (header, path) in [
        ("Hauptgruppe;Warengruppe;Untergruppe", vec!["x", "y", "z"]),
        ("Level 1;Level 2;Level 3", vec!["x", "y", "z"]),
        ("category;parent_category;parent_class", vec!["y", "z"]),
        ("Warengruppe Nr;Warengruppe;Rabattgruppe", vec!["y"]),
        ("Farbe;Kategorie;Gewicht", vec!["y"]),
    ] {
        let rows = rows(&format!(
            "sku;name;unit;price;{header}\na;b;m;1;x;y;z\nc;d;m;1;x;y;z\n"
        ));

        assert_eq!(rows[0].group_path, path, "{header}");
    }
}

#[test]
fn blank_levels_are_left_out_of_the_path() {
    let rows = rows("sku;name;unit;price;level1;level2;level3\na;b;m;1;x;;z\n");

    assert_eq!(rows[0].group_path, ["x", "z"]);
}

#[test]
fn a_description_is_the_name_where_no_column_is() {
    let row = &rows("code;description;unit;price;long description\na;short;m;1;very long\n")[0];
    assert_eq!(
        (&*row.name, row.description.as_deref()),
        ("short", Some("very long"))
    );

    let row = &rows("code;description;name;unit;price\na;long;short;m;1\n")[0];
    assert_eq!(
        (&*row.name, row.description.as_deref()),
        ("short", Some("long"))
    );
}

#[test]
fn columns_without_telling_names_are_found_by_their_contents() {
    let text = "Artikelnummer;Bezeichnung;Spalte A;Spalte B;Spalte C;Spalte D\n\
                A1;Rohr;Stk;1,50;EUR;4006381333931\nA2;Bogen;m;2,75;EUR;96385074\n";

    let row = &rows(text)[0];

    assert_eq!(price(row), "1.5/1 EUR");
    assert_eq!(row.unit, UnitText::Known("pcs"));
    assert_eq!(row.barcodes, ["4006381333931"]);
    let mapping = resolved(text);
    assert_eq!(mapping["currency_column"], "Spalte C");
}

#[test]
fn nameless_and_repeated_columns_are_referred_to_by_number() {
    let mapping = resolved("Name;Text;;Text;Preis\nx1 y;Stk;A1;b;1,5\nz1 y;m;A2;b;2,5\n");

    assert_eq!(mapping["sku"], 3);
    assert_eq!(mapping["unit"], "Text");
    let options = mapped(r#"{"description":4}"#);
    let text = "Name;Text;;Text;Preis\nx1 y;Stk;A1;b;1,5\nz1 y;m;A2;b;2,5\n";
    assert_eq!(
        rows_with(text.as_bytes(), &options)[0]
            .description
            .as_deref(),
        Some("b")
    );
}

#[test]
fn the_callers_mapping_wins_over_names_and_contents() {
    let text = "SKU;Name;Unit;Price;Foo;Bar;G\n1;a;m;1,5;x9;9,50;g\n2;b;m;2,5;x8;8,50;g\n";
    let options =
        mapped(r#"{"sku":" FÓO","price":"bar","currency":"CHF","group":[7,"sku"],"decimal":","}"#);

    let row = &rows_with(text.as_bytes(), &options)[0];

    assert_eq!((&*row.sku, price(row).as_str()), ("x9", "9.5/1 CHF"));
    assert_eq!(row.group_path, ["g", "1"]);
}

#[test]
fn an_empty_group_list_means_no_group() {
    let text = "sku;name;unit;price;category\na;b;m;1;c\n";

    assert!(
        rows_with(text.as_bytes(), &mapped(r#"{"group":[]}"#))[0]
            .group_path
            .is_empty()
    );
}
