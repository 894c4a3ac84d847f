//! The form that a file arrives in.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use tests::{Actor, Reply, TestApp};

use super::{send, sizes};

const FILE: &str = "sku,name,unit,price\nA,a,pcs,1.50\n";

async fn post(who: &Actor, form: Form) -> Reply {
    who.report(who.send_form("", form).await).await
}

fn file() -> Part {
    Part::bytes(FILE.as_bytes()).file_name("prices.csv")
}

#[actix_web::test]
async fn a_form_without_a_file_or_with_two_is_refused() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;

    let none = post(&dealer, Form::new().text("apply", "true")).await;
    let two = post(
        &dealer,
        Form::new().part("file", file()).part("file", file()),
    )
    .await;
    let misnamed = post(&dealer, Form::new().part("upload", file())).await;
    let nameless = post(&dealer, Form::new().part("", file())).await;

    for (reply, word) in [
        (none, "file"),
        (two, "more than one"),
        (misnamed, "upload"),
        (nameless, "known are"),
    ] {
        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (400, "upload_invalid"),
            "{word}"
        );
        let detail = reply.json["detail"].as_str().unwrap();
        assert!(detail.contains(word), "{detail}");
    }
    assert_eq!(sizes(&app, &dealer).await[0], 0);
}

#[actix_web::test]
async fn fields_that_are_unknown_or_mean_nothing_are_refused() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;

    for field in [
        ("colour", "red"),
        ("Apply", "true"),
        ("apply", "maybe"),
        ("apply", "TRUE"),
        ("duplicates", "first_wins"),
        ("duplicates", ""),
    ] {
        let reply = send(&dealer, &[field], FILE).await;

        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (400, "upload_invalid"),
            "{field:?}"
        );
    }
    for query in [
        "apply=maybe",
        "apply=",
        "duplicates=none",
        "colour=red",
        "apply=false&apply=true",
    ] {
        let reply = dealer.import(query, FILE).await;

        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (400, "query_invalid"),
            "{query}"
        );
    }
    let long = "x".repeat(70_000);
    assert_eq!(
        send(&dealer, &[("mapping", &long)], FILE).await.problem(),
        "upload_invalid"
    );
    assert_eq!(sizes(&app, &dealer).await[0], 0);
}

#[actix_web::test]
async fn what_is_no_form_is_refused() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let request = || dealer.request(Method::POST, "/imports");
    let typed =
        |kind: &'static str, body: &'static str| request().header("content-type", kind).body(body);
    let cut = "--x\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\nsku,name,unit,price\nA,a,pcs,1";

    for broken in [
        request(),
        typed("text/csv", FILE),
        typed("application/json", "{}"),
        typed("multipart/form-data", FILE),
        typed("multipart/form-data; boundary=x", ""),
        typed("multipart/form-data; boundary=x", FILE),
        typed("multipart/form-data; boundary=x", cut),
        typed("multipart/form-data; boundary=x", "--x--\r\n"),
    ] {
        let reply = dealer.send(broken).await;

        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (400, "upload_invalid"),
            "{}",
            reply.text()
        );
    }
    assert_eq!(sizes(&app, &dealer).await[0], 0);
}

#[actix_web::test]
async fn a_file_beyond_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let app = TestApp::start_with(&[
        ("TUBEX_JOBS__INSIDE", "true"),
        ("TUBEX_IMPORTS__MAX_MIB", "1"),
    ])
    .await;
    let dealer = app.dealer().await;
    let padded = |size: usize| format!("{FILE}{}", "\n".repeat(size - FILE.len()));

    let beyond = dealer.import("", padded((1 << 20) + 1)).await.expect(413);
    let far_beyond = dealer.import("", padded(8 << 20)).await.expect(413);
    let nothing = sizes(&app, &dealer).await[0];
    let at = dealer.import("", padded(1 << 20)).await.expect(200);

    assert_eq!(
        (beyond.problem(), far_beyond.problem()),
        ("body_too_large", "body_too_large")
    );
    assert!(beyond.json["detail"].as_str().unwrap().contains("1048576"));
    assert_eq!((nothing, &at.json["created"]), (0, &1.into()));
}

#[actix_web::test]
async fn the_order_of_the_fields_does_not_matter() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let form = Form::new()
        .text("apply", "false")
        .part("file", file())
        .text("duplicates", "last_wins");

    let reply = post(&dealer, form).await.expect(200);

    assert_eq!(
        (&reply.json["status"], &reply.json["created"]),
        (&"ready".into(), &1.into())
    );
}
