//! Does with the generated client what a customer does first, and prints what it saw.

use std::env::var;
use std::error::Error;

use reqwest::header::{HOST, HeaderMap};
use tubex_client::apis::configuration::Configuration;
use tubex_client::apis::{auth_api, imports_api, items_api};
use tubex_client::models::{ItemPatch, SignInIn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, var("TUBEX_HOST")?.parse()?);
    let mut tubex = Configuration {
        base_path: format!("http://{}", var("TUBEX_ADDRESS")?),
        client: reqwest::Client::builder()
            .default_headers(headers)
            .build()?,
        ..Configuration::new()
    };

    let credentials = SignInIn::new(var("TUBEX_EMAIL")?, var("TUBEX_PASSWORD")?);
    let tokens = auth_api::sign_in(&tubex, credentials).await?;
    tubex.bearer_access_token = Some(tokens.access_token);
    let me = auth_api::me(&tubex).await?;

    let file = var("TUBEX_PRICE_FILE")?.into();
    let report =
        imports_api::import_price_file(&tubex, file, Some(false), None, None, None, None).await?;

    let page = items_api::list_items(
        &tubex,
        Some("brick"),
        None,
        None,
        None,
        None,
        None,
        Some(10),
        None,
    );
    let found = page.await?.data.remove(0);
    let before = format!("\"{}\"", found.version);
    let id = found.id.to_string();
    let change = ItemPatch {
        name: Some("Red brick".to_owned()),
        ..ItemPatch::new()
    };
    let changed = items_api::change_item(&tubex, &id, &before, change.clone()).await?;
    let late = items_api::change_item(&tubex, &id, &before, change).await;

    auth_api::sign_out(&tubex).await?;
    let nobody = auth_api::me(&tubex).await;

    let saw = serde_json::json!({
        "email": me.email,
        "created": report.created,
        "sku": found.sku,
        "amount": found.price.map(|price| price.amount),
        "name": changed.name,
        "late": code_of(late.err()),
        "after": code_of(nobody.err()),
    });
    println!("{saw}");
    Ok(())
}

/// The code of the problem that a refusal carries.
fn code_of<T>(refusal: Option<tubex_client::apis::Error<T>>) -> Option<String> {
    let Some(tubex_client::apis::Error::ResponseError(answer)) = refusal else {
        return None;
    };
    let problem: serde_json::Value = serde_json::from_str(&answer.content).ok()?;
    Some(problem["code"].as_str()?.to_owned())
}
