//! What the record of a write adds to it: the same transaction with and without.

use std::time::Instant;

use ::entity::tenant::unit;
use anyhow::Result;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, QuerySelect};
use serde_json::json;
use server::audit::{Actor, Change, Stamp};
use server::db::{TenantDb, TenantTx};
use tests::TestApp;
use uuid::Uuid;

use super::super::Scale;
use super::super::sample::Sample;
use super::super::table::{Table, Target};

/// Writes of a round; with and without take turns.
const WRITES: usize = 200;

/// Milliseconds a write, with its record and without.
pub struct Writes {
    with: Sample,
    without: Sample,
}

/// Changes a unit as its route does.
pub async fn measure(app: &TestApp, scale: Scale) -> Result<Writes> {
    let dealer = app.dealer().await;
    let db = app.door(&dealer).await;
    let (mut with, mut without) = (Sample::default(), Sample::default());
    for round in 0..=scale.rounds {
        for number in 0..WRITES {
            let name = format!("Piece {round} {number}");
            let plain = Instant::now();
            write(&db, &name, async |_| Ok(())).await?;
            let plain = plain.elapsed();
            let recorded = Instant::now();
            write(&db, &name, async |tx| record(tx, &name).await).await?;
            let recorded = recorded.elapsed();
            // The first round warms up.
            if round > 0 {
                without.add_ms(plain);
                with.add_ms(recorded);
            }
        }
    }
    Ok(Writes { with, without })
}

async fn write(
    db: &TenantDb,
    name: &str,
    then: impl AsyncFn(&TenantTx) -> Result<(), sea_orm::DbErr>,
) -> Result<(), sea_orm::DbErr> {
    db.write(async |tx| {
        let found = unit::Entity::find_by_id("pcs")
            .lock_exclusive()
            .one(tx)
            .await?;
        let found = found.ok_or_else(|| sea_orm::DbErr::Custom("no unit".to_owned()))?;
        let next = found.version + 1;
        let mut changed = found.into_active_model();
        changed.name = Set(name.to_owned());
        changed.version = Set(next);
        changed.update(tx).await?;
        then(tx).await
    })
    .await
}

async fn record(tx: &TenantTx, name: &str) -> Result<(), sea_orm::DbErr> {
    let stamp = Stamp {
        actor: Actor::Member { id: Uuid::nil() },
        request_id: Some(Uuid::nil().to_string()),
        address: Some("127.0.0.1".to_owned()),
        at: time::OffsetDateTime::now_utc(),
    };
    let (before, after) = (
        json!({"name": "before", "version": 1}),
        json!({"name": name}),
    );
    let change = Change::new("unit.change", "unit", "pcs").from_to(&before, &after);
    server::events::record(tx, &stamp, &change).await
}

impl Writes {
    /// Adds the row.
    pub fn add_to(&self, table: &mut Table) {
        let (with, without) = (self.with.median(), Some(self.without.median()));
        let target = Target::RatioBelow(1.15);
        table.add("a write with its record, p50", "ms", with, without, target);
    }
}
