//! `server openapi` prints what the server serves, and that is what lies in the repository.

use std::process::{Command, Output};

use serde_json::Value;
use tests::{TestApp, server_binary};

use super::{DOCUMENTS, breaking, committed, read};
use crate::openapi::operations;

fn printed(words: &[&str]) -> Output {
    let mut server = Command::new(server_binary());
    // Neither a configuration nor a database is needed.
    server.env_clear().arg("openapi").args(words);
    server.output().unwrap()
}

#[test]
fn the_documents_in_the_repository_are_those_of_the_code() {
    for (name, words) in DOCUMENTS.iter().zip([&[][..], &["--platform"]]) {
        let output = printed(words);

        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let path = committed(&format!("{name}.json"));
        assert!(
            std::fs::read_to_string(&path).unwrap() == text,
            "{} differs from the code; `make openapi` writes it anew",
            path.display()
        );
    }
}

#[actix_web::test]
async fn a_dealer_serves_the_document_of_the_repository() {
    let app = TestApp::start().await;
    let visitor = app.dealer().await.signed_out();

    let served: Value = visitor.get("/api/openapi.json").await.expect(200).json;

    assert!(served == read("tenant"));
}

/// A reader of the document who has to make up a text guesses; a machine that does is a nuisance.
#[test]
fn every_text_that_has_to_be_sent_says_what_it_looks_like() {
    for name in DOCUMENTS {
        let document = read(name);
        for operation in operations(&document) {
            let schema = &operation.says["requestBody"]["content"]["application/json"]["schema"];
            for (field, says) in required_texts(&document, schema) {
                let hints = ["example", "examples", "enum", "format", "pattern"];
                assert!(
                    hints.iter().any(|hint| says.get(hint).is_some()),
                    "{}: give `{field}` an example, such as #[schema(example = \"…\")]",
                    operation.name()
                );
            }
        }
    }
}

fn required_texts(document: &Value, schema: &Value) -> Vec<(String, Value)> {
    let schema = breaking::resolve(document, schema);
    let properties = schema["properties"].as_object();
    let required = schema["required"].as_array().into_iter().flatten();
    required
        .filter_map(|name| {
            let (name, property) = properties?.get_key_value(name.as_str()?)?;
            let property = breaking::resolve(document, property);
            let is_text = property["type"] == "string" || property["type"][0] == "string";
            is_text.then(|| (name.clone(), property.clone()))
        })
        .collect()
}
