//! The floor of the lists: a bare Actix handler that runs the same statement on a plain pool,
//! prepared, and answers with the same JSON. No tenancy, no sign-in, no log.
//!
//! It is this program again, in a process of its own like the server.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use actix_web::{App, Error, HttpServer, error::ErrorInternalServerError, web};
use anyhow::{Context, Result};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{PgPool, Row};
use time::OffsetDateTime;
use uuid::Uuid;

/// The first argument that makes this program the floor; address and schema follow.
pub const MODE: &str = "serve-floor";
/// As many as a dealer's lane has.
const CONNECTIONS: u32 = 8;

/// What the server runs for a page without a search; the bench compares both answers.
const SQL: &str = "SELECT i.id, i.sku, i.name, i.description, i.group_id, i.base_unit, \
     i.price_amount, i.price_per, i.price_unit, i.currency, i.cost_amount, i.status, i.custom, i.version, \
     i.created_at, i.updated_at, i.retired_at, \
     ARRAY(SELECT b.barcode FROM item_barcode b WHERE b.item_id = i.id ORDER BY b.position) \
     AS barcodes, 0 AS rank FROM item i WHERE i.retired_at IS NULL ORDER BY i.sku LIMIT $1";

/// The floor as a running process; it ends when this is dropped.
#[derive(Debug)]
pub struct Floor {
    child: Child,
    /// Where it listens, as `http://127.0.0.1:port`.
    pub base: String,
}

impl Floor {
    /// Starts it on one dealer's schema.
    ///
    /// # Errors
    ///
    /// When it doesn't start.
    pub fn start(database_url: &str, schema: &str) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([MODE, database_url, schema])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("its output is piped")?;
        let mut base = String::new();
        BufReader::new(output).read_line(&mut base)?;
        Ok(Self {
            child,
            base: base.trim().to_owned(),
        })
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until it is killed. As many workers as the server has: one per core.
///
/// # Errors
///
/// When it can't listen.
pub fn serve(words: &[String]) -> Result<()> {
    let [url, schema] = words else {
        anyhow::bail!("{MODE} needs an address and a schema");
    };
    let options: PgConnectOptions = url.parse()?;
    let options = options.options([("search_path", format!("{schema},shared"))]);
    actix_web::rt::System::new().block_on(async move {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        let pool = web::Data::new(pool);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(pool.clone())
                .route("/api/v1/items", web::get().to(list))
        })
        .bind("127.0.0.1:0")?;
        println!("http://{}", server.addrs()[0]);
        Ok(server.run().await?)
    })
}

#[derive(Deserialize)]
struct Wanted {
    limit: i64,
}

#[derive(Serialize)]
struct Page {
    data: Vec<Item>,
    next: Option<String>,
}

#[derive(Serialize)]
struct Item {
    id: Uuid,
    sku: String,
    name: String,
    description: String,
    group_id: Option<Uuid>,
    base_unit: String,
    price: Option<Price>,
    cost: Option<Decimal>,
    barcodes: Vec<String>,
    status: String,
    custom: Value,
    version: i64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    retired_at: Option<OffsetDateTime>,
}

#[derive(Serialize)]
struct Price {
    amount: Decimal,
    currency: String,
    per: Decimal,
    unit: String,
}

async fn list(
    pool: web::Data<PgPool>,
    wanted: web::Query<Wanted>,
) -> Result<web::Json<Page>, Error> {
    // One more than asked for tells whether there is a next page, as in the server.
    let rows = sqlx::query(SQL)
        .bind(wanted.limit + 1)
        .fetch_all(&**pool)
        .await
        .map_err(ErrorInternalServerError)?;
    let shown = rows.into_iter().take(wanted.limit.unsigned_abs() as usize);
    let data = shown.map(|row| item(&row)).collect::<Result<_, _>>();
    Ok(web::Json(Page {
        data: data.map_err(ErrorInternalServerError)?,
        next: None,
    }))
}

fn item(row: &PgRow) -> Result<Item, sqlx::Error> {
    let amount: Option<Decimal> = row.try_get("price_amount")?;
    let price = match amount {
        Some(amount) => Some(Price {
            amount: amount.normalize(),
            currency: row.try_get("currency")?,
            per: row.try_get::<Decimal, _>("price_per")?.normalize(),
            unit: row.try_get("price_unit")?,
        }),
        None => None,
    };
    Ok(Item {
        id: row.try_get("id")?,
        sku: row.try_get("sku")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        group_id: row.try_get("group_id")?,
        base_unit: row.try_get("base_unit")?,
        price,
        cost: row.try_get("cost_amount")?,
        barcodes: row.try_get("barcodes")?,
        status: row.try_get("status")?,
        custom: row.try_get("custom")?,
        version: row.try_get("version")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
        retired_at: row.try_get("retired_at")?,
    })
}
