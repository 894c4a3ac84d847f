//! What people read, and what is never said.

use tests::{TestApp, tubex};

use super::assert_no_secrets;

#[actix_web::test]
async fn people_get_words_and_machines_get_json() {
    let app = TestApp::start().await;
    let url = app.database.owner_url();
    let said = |arguments: &[&str]| {
        let output = tubex(&url, arguments, &[]);
        assert_no_secrets(&output);
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };

    let (list_code, list) = said(&["tenant", "list"]);
    let (show_code, show) = said(&["tenant", "show", "acme"]);
    let (gone_code, gone) = said(&["tenant", "show", "nobody"]);
    let (help_code, help) = said(&["--help"]);
    let (version_code, _) = said(&["--version"]);
    let (bare_code, bare) = said(&[]);

    assert_eq!(
        (list_code, show_code, gone_code),
        (Some(0), Some(0), Some(1))
    );
    assert!(
        list.starts_with("SLUG") && list.contains("Acme Baustoffe"),
        "{list}"
    );
    assert!(show.contains("slug") && show.contains("acme"), "{show}");
    assert!(
        gone.starts_with("error: ") && gone.contains("hint: "),
        "{gone}"
    );
    assert_eq!(
        (help_code, version_code, bare_code),
        (Some(0), Some(0), Some(2))
    );
    assert!(
        help.contains("Exit codes") && bare.contains("Usage"),
        "{help}"
    );
}

#[actix_web::test]
async fn a_database_out_of_reach_is_said_without_its_password() {
    let base = "postgres://owner:hunter2hunter2@127.0.0.1";

    for (url, word) in [
        (format!("{base}:1/tubex"), "127.0.0.1:1"),
        (
            "postgres://owner:hunter2hunter2@127.0.0.1:notaport/x".to_owned(),
            "postgres://",
        ),
        ("hunter2hunter2".to_owned(), "postgres://"),
    ] {
        for command in [
            &["tenant", "list", "--json"][..],
            &["migrate", "--json"],
            &["platform", "migrate", "--json"],
        ] {
            let output = tubex(&url, command, &[]);
            let text = String::from_utf8_lossy(&output.stderr).into_owned();

            assert_eq!(output.status.code(), Some(2), "{text}");
            assert!(text.contains(word), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
            assert!(output.stdout.is_empty());
        }
    }
}
