//! Rejected rows as a file, which is mended and sent again.

use tests::{Dealer, TestApp};

use super::{findings, item, load, send};

async fn rejected(dealer: &Dealer, id: &str) -> Vec<u8> {
    let reply = dealer.get(&format!("/imports/{id}/rejected.csv")).await;
    let reply = reply.expect(200);
    assert!(reply.header("content-type").starts_with("text/csv"));
    reply.body
}

#[actix_web::test]
async fn the_file_of_rejected_rows_is_read_as_they_were_and_says_what_is_wrong() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let file = "Price list 2026\n\nArt;Bezeichnung;Einheit;Preis;Farbe\n\
        A;Ziegel;Stk;1,50;rot\nB;\"Rohr 3\"\" ; lang\";Stk;-2,50;blau\nC;Sand;;3,50;\n\
        D;zu;viele;1,5;Zellen;hier\nE;zu wenige\n";

    let first = load(&dealer, file).await;
    let again = rejected(&dealer, first["id"].as_str().unwrap()).await;
    let text = String::from_utf8(again.clone()).unwrap();
    let second = dealer.import("", again).await.expect(200).json;
    let id = second["id"].as_str().unwrap();
    let third = rejected(&dealer, id).await;

    assert!(text.starts_with('\u{feff}'), "{text}");
    assert!(text.contains("Art;Bezeichnung;Einheit;Preis;Farbe;import_error"));
    assert!(
        text.contains("\"Rohr 3\"\" ; lang\";Stk;-2,50;blau;"),
        "{text}"
    );
    assert!(text.contains(";price_negative: ") || text.contains(";\"price_negative: "));
    let told = |report| -> Vec<_> {
        let rows = findings(report, "rejected_rows").into_iter();
        rows.map(|(_, _, _, code)| code).collect()
    };
    assert_eq!(told(&first), told(&second));
    let third = String::from_utf8(third).unwrap();
    for own in ["B;", "C;", "E;"] {
        let line = |text: &str| {
            text.lines()
                .find(|line| line.starts_with(own))
                .map(str::to_owned)
        };
        assert_eq!(line(&text), line(&third), "it stays the same");
    }
    assert_eq!(third.matches("wrong_field_count").count(), 1);

    let mended = text
        .replace(";-2,50;", ";2,50;")
        .replace("C;Sand;;", "C;Sand;Stk;");
    let report = dealer.import("", mended).await.expect(200).json;
    assert_eq!(report["created"], 2);
    assert_eq!(item(&dealer, "B").await["name"], "Rohr 3\" ; lang");
}

/// What a client says of its file holds for what comes back, too.
#[actix_web::test]
async fn it_is_read_with_the_mapping_of_the_file_it_came_from() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let mapping = r#"{"encoding":"windows-1252","header_line":4,"delimiter":";","name":"Größe"}"#;
    let file = "a\nb\nc\nArt;Größe;Einheit;Preis\nA;Dübel;Stk;1,50\nB;Türe;Stk;x\n";
    let file: Vec<u8> = file
        .chars()
        .map(|sign| u8::try_from(u32::from(sign)).unwrap())
        .collect();
    let first = send(&dealer, &[("mapping", mapping)], file).await;
    let first = first.expect(200).json;

    let text = rejected(&dealer, first["id"].as_str().unwrap()).await;
    let text = String::from_utf8(text).unwrap().replace(";x;", ";2,50;");
    let second = send(&dealer, &[("mapping", mapping)], text).await;

    assert_eq!(second.expect(200).json["created"], 1);
    assert_eq!(item(&dealer, "B").await["name"], "Türe");
}

/// Good rows show which column is which; what is rejected may not show it any more.
#[actix_web::test]
async fn rejected_rows_import_again_as_they_are_however_little_they_say_of_their_columns() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let good: String = (0..40)
        .map(|n| format!("{n};{};0{n}5;St;Ziegel Nr. {n};A-{n:03}\n", n * 2 + 1))
        .collect();
    for (what, head, bad) in [
        (
            "prices without a telling name",
            "Pos;Netto 2026;Alt;ME;Text;Nr",
            "50;auf Anfrage;050;St;Kalk;B-1\n51;auf Anfrage;051;St;Sand;B-2\n",
        ),
        (
            "no units at all",
            "Pos;Preis netto;Alt;Verkauf;Bezeichnung;Art",
            "50;1,50;050;;Kalk;B-1\n51;2,50;051;;Sand;B-2\n",
        ),
        (
            "another column looks like the price",
            "Pos;Listenpreis;EK Preis;Einheit;Bezeichnung;Artikel",
            "50;auf Anfrage;1,50;St;Kalk;B-1\n51;auf Anfrage;2,50;St;Sand;B-2\n",
        ),
    ] {
        let good = good.replace(";0", ",50;0");
        let first = dealer.import("", format!("{head}\n{good}{bad}")).await;
        let first = first.expect(200).json;
        assert_eq!(first["rejected"], 2, "{what}: {first}");

        let again = rejected(&dealer, first["id"].as_str().unwrap()).await;
        let second = dealer.import("", again.clone()).await.expect(200).json;
        let third = rejected(&dealer, second["id"].as_str().unwrap()).await;

        for field in ["sku", "name", "unit", "price", "decimal"] {
            assert_eq!(
                second["mapping"][field], first["mapping"][field],
                "{what}: {field}"
            );
        }
        assert_eq!(
            (&second["rejected"], &second["created"]),
            (&2.into(), &0.into()),
            "{what}: {second}"
        );
        let codes = |report| -> Vec<_> {
            let rows = findings(report, "rejected_rows").into_iter();
            rows.map(|(_, column, _, code)| (column, code)).collect()
        };
        assert_eq!(codes(&first), codes(&second), "{what}");
        assert_eq!(again, third, "{what}");

        let mended = String::from_utf8(again).unwrap();
        let mended = mended.replace("auf Anfrage", "7,50").replace(";;", ";St;");
        let report = dealer.import("", mended).await.expect(200).json;
        assert_eq!(report["rejected"], 0, "{what}: {report}");
    }
}

#[actix_web::test]
async fn an_import_that_is_not_read_yet_has_no_such_file() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let sent = dealer
        .send_file("", "sku;name;unit;price\n")
        .await
        .expect(202);
    let id = sent.json["id"].as_str().unwrap();

    let reply = dealer.get(&format!("/imports/{id}/rejected.csv")).await;

    assert_eq!(
        (reply.status.as_u16(), reply.problem()),
        (409, "import_status_wrong")
    );
}
