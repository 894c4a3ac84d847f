//! The canaries themselves: furnished alike, but for their markers.

use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::marker::marker;
use super::quiet::Quiet;
use super::target::Target;
use crate::harness::{Actor, PASSWORD, Scratch};

/// Items that all of them have, with the same ids.
pub(super) const SHARED_ITEMS: u64 = 8;
/// The one owner's id, the same at all of them.
const OWNER_ID: &str = "00000000-0000-7000-8000-0000000000ff";
/// The one group's id, the same at all of them.
pub(super) const GROUP_ID: &str = "00000000-0000-7000-8000-0000000000fe";
/// The unit that all of them have.
pub(super) const UNIT: &str = "crate_of_ours";

/// A dealer with a marker in everything it holds.
#[derive(Debug, Clone)]
pub struct Canary {
    /// First label of its host.
    pub slug: String,
    /// The word that nobody else may see.
    pub marker: String,
    /// An item of its own, with an id that only it has.
    pub own_item: String,
    /// Its owner's access token.
    pub token: String,
    /// Disturbed while it is shut, when its owner may be refused.
    pub quiet: Arc<Quiet>,
}

/// All canaries.
#[derive(Debug, Clone)]
pub struct Flock {
    /// In the order of their slugs as given.
    pub canaries: Vec<Canary>,
}

/// The id of a shared item.
pub(super) fn shared_item(number: u64) -> String {
    format!("00000000-0000-7000-8000-00000000000{number}")
}

impl Flock {
    /// Makes canaries of existing dealers, whose owners have the usual password.
    ///
    /// # Panics
    ///
    /// When a dealer can't be furnished.
    pub async fn furnish(database: &Scratch, server: &Target, slugs: &[&str]) -> Self {
        let mut canaries = Vec::new();
        for (number, slug) in slugs.iter().enumerate() {
            canaries.push(furnish(database, server, slug, &marker(number)).await);
        }
        Self { canaries }
    }
}

impl Canary {
    /// Its host.
    pub fn host(&self) -> String {
        format!("{}.localhost", self.slug)
    }

    /// Its owner, signed in, at this server.
    pub fn owner_at(&self, server: &Target) -> Actor {
        server.stranger(&self.host()).with_token(&self.token)
    }

    /// The address that its owner signs in with.
    pub fn email(&self) -> String {
        format!("owner@{}.example", self.slug)
    }
}

async fn furnish(database: &Scratch, server: &Target, slug: &str, marker: &str) -> Canary {
    let mut canary = Canary {
        slug: slug.to_owned(),
        marker: marker.to_owned(),
        own_item: String::new(),
        token: sign_in(server, slug).await,
        quiet: Arc::default(),
    };
    let owner = canary.owner_at(server);
    let unit = json!({"code": UNIT, "name": format!("Crate {marker}"), "symbol": marker,
        "decimals": 0});
    owner.post("/units", unit).await.expect(201);
    let group = json!({"name": format!("Group {marker}")});
    owner.post("/item-groups", group).await.expect(201);
    for number in 0..SHARED_ITEMS {
        owner.item(&format!("SKU-{number}"), fields(marker)).await;
    }
    let own = owner.item("OWN", fields(marker)).await;
    canary.own_item = own["id"].as_str().expect("an id").to_owned();

    let schema = database.schema_of(slug).await;
    make_alike(
        &mut database.connect_to_home_of(slug).await,
        &schema,
        marker,
    )
    .await;
    sqlx::query("UPDATE platform.tenant SET name = $1 WHERE slug = $2")
        .bind(format!("Dealer {marker}"))
        .bind(slug)
        .execute(&mut database.connect().await)
        .await
        .expect("the dealer can be named");
    // The first session belonged to the owner's former id.
    canary.token = sign_in(server, slug).await;
    canary
}

fn fields(marker: &str) -> Value {
    json!({
        "name": format!("Brick {marker}"),
        "description": format!("Baked by {marker}"),
        "custom": {"maker": marker},
    })
}

async fn sign_in(server: &Target, slug: &str) -> String {
    let stranger = server.stranger(&format!("{slug}.localhost"));
    let email = format!("owner@{slug}.example");
    let reply = stranger.sign_in(&email, PASSWORD).await.expect(200);
    reply.json["access_token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

/// Gives the shared rows the ids that all dealers share.
async fn make_alike(home: &mut PgConnection, schema: &str, marker: &str) {
    for change in [
        format!(
            "UPDATE {schema}.item SET id = ('00000000-0000-7000-8000-00000000000'
             || substr(sku, 5))::uuid WHERE sku LIKE 'SKU-%'"
        ),
        format!("UPDATE {schema}.item_group SET id = '{GROUP_ID}'"),
        format!("UPDATE {schema}.item SET group_id = '{GROUP_ID}'"),
        format!("DELETE FROM {schema}.session"),
        format!("UPDATE {schema}.member SET id = '{OWNER_ID}', name = 'Owner {marker}'"),
    ] {
        sqlx::query(AssertSqlSafe(change))
            .execute(&mut *home)
            .await
            .expect("the rows are as they were made");
    }
}

/// An id that nobody has.
pub(super) fn nobodys_id() -> String {
    Uuid::new_v4().to_string()
}
