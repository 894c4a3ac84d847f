//! Does with the generated client what a customer does first, and prints what it saw.

use std::env::var;
use std::error::Error;

use reqwest::header::{HOST, HeaderMap};
use tubex_client::apis::auth_api::{self, SignInParams, SignOutParams};
use tubex_client::apis::configuration::Configuration;
use tubex_client::apis::imports_api::{self, ImportPriceFileParams, ReadImportParams};
use tubex_client::apis::items_api::{self, ChangeItemParams, ListItemsParams};
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
    let credentials = SignInParams {
        sign_in_in: credentials,
    };
    let tokens = auth_api::sign_in(&tubex, credentials).await?;
    tubex.bearer_access_token = Some(tokens.access_token);
    let me = auth_api::me(&tubex).await?;

    let form = ImportPriceFileParams {
        file: var("TUBEX_PRICE_FILE")?.into(),
        idempotency_key: None,
        apply: Some(true),
        profile: None,
        mode: None,
        max_rejected: None,
        duplicates: None,
        missing: None,
        price_change_percent: None,
        mapping: None,
        profile2: None,
        apply2: None,
        mode2: None,
        max_rejected2: None,
        duplicates2: None,
        missing2: None,
        price_change_percent2: None,
    };
    let sent = imports_api::import_price_file(&tubex, form).await?;
    let report = loop {
        let wanted = ReadImportParams {
            id: sent.id.to_string(),
        };
        let import = imports_api::read_import(&tubex, wanted).await?;
        if import.finished_at.is_some() {
            break import.counts;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };

    // The generator wants every parameter named: one that is new has to be added here.
    let wanted = ListItemsParams {
        q: Some("brick".to_owned()),
        group_id: None,
        sku: None,
        barcode: None,
        status: None,
        updated_since: None,
        sort: None,
        limit: Some(10),
        cursor: None,
        fields: None,
        include: None,
    };
    let found = items_api::list_items(&tubex, wanted).await?.data.remove(0);
    let change = ChangeItemParams {
        id: found.id.to_string(),
        if_match: format!("\"{}\"", found.version),
        item_patch: ItemPatch {
            name: Some("Red brick".to_owned()),
            ..ItemPatch::new()
        },
    };
    let changed = items_api::change_item(&tubex, change.clone()).await?;
    let late = items_api::change_item(&tubex, change).await;

    let unnamed = SignOutParams {
        idempotency_key: None,
    };
    auth_api::sign_out(&tubex, unnamed).await?;
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
