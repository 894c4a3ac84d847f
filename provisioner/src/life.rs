//! The moves of a tenant's life that change its entry only: suspended, and back.
//!
//! `spare → provisioning → active ⇄ suspended → closing → archived → gone`: each move names where
//! it starts from, and every other start is refused.

use std::sync::Arc;
use std::time::Duration;

use entity::platform::tenant::Status;
use sea_orm::{
    ActiveEnum as _, ActiveModelTrait as _, ActiveValue::Set, DatabaseTransaction, DbErr,
    IntoActiveModel as _,
};
use serde_json::json;

use crate::history::{now, record};
use crate::transaction::{Limits, act_as_owner, begin, finish, to_the_end};
use crate::{Product, Provisioner, TenantEntry, directory};

/// A tenant's row is held by whoever migrates it, for as long as that takes.
const LIMITS: Limits = Limits {
    lock_timeout: Duration::from_secs(30),
    statement_timeout: Duration::from_secs(30),
};

/// The longest reason, in characters.
const REASON_MAX_LEN: usize = 500;

/// Why a tenant stayed where it was.
#[derive(Debug, thiserror::Error)]
pub enum LifeError {
    /// No tenant is called that.
    #[error("there is no tenant {0:?}")]
    NotFound(String),
    /// The move does not start from where it stands.
    #[error("tenant {slug} is {}, and only one that is {} can be {wanted}", is.to_value(), from.to_value())]
    Standing {
        /// What people type.
        slug: String,
        /// Where it stands.
        is: Status,
        /// Where the move starts from.
        from: Status,
        /// What was asked for.
        wanted: &'static str,
    },
    /// No reason, or a novel.
    #[error("a reason has 1 to {REASON_MAX_LEN} characters, and this has {0}")]
    Reason(usize),
    /// A statement failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}

/// A move: what it is called in the history, where it starts and where it ends.
#[derive(Clone, Copy)]
struct Move {
    kind: &'static str,
    from: Status,
    to: Status,
}

impl<P: Product> Provisioner<P> {
    /// Switches a tenant off: servers answer 403 within a second. Nothing of it is touched.
    ///
    /// # Errors
    ///
    /// [`LifeError`]; only an active tenant can be suspended.
    pub async fn suspend(
        &self,
        tenant: &str,
        reason: &str,
        actor: &str,
    ) -> Result<TenantEntry, LifeError> {
        let reason = reason.trim();
        let length = reason.chars().count();
        if !(1..=REASON_MAX_LEN).contains(&length) {
            return Err(LifeError::Reason(length));
        }
        let step = Move {
            kind: "suspended",
            from: Status::Active,
            to: Status::Suspended,
        };
        self.pass(tenant, step, json!({ "reason": reason }), actor)
            .await
    }

    /// Switches a suspended tenant on again.
    ///
    /// # Errors
    ///
    /// [`LifeError`]; only a suspended tenant can be resumed.
    pub async fn resume(&self, tenant: &str, actor: &str) -> Result<TenantEntry, LifeError> {
        let step = Move {
            kind: "resumed",
            from: Status::Suspended,
            to: Status::Active,
        };
        self.pass(tenant, step, json!({}), actor).await
    }

    async fn pass(
        &self,
        tenant: &str,
        step: Move,
        detail: serde_json::Value,
        actor: &str,
    ) -> Result<TenantEntry, LifeError> {
        let inner = Arc::clone(&self.inner);
        let (tenant, actor) = (tenant.to_owned(), actor.to_owned());
        to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = pass_in(&tx, &tenant, step, detail, &actor).await;
            finish(tx, outcome).await
        })
        .await
    }
}

async fn pass_in(
    tx: &DatabaseTransaction,
    tenant: &str,
    step: Move,
    detail: serde_json::Value,
    actor: &str,
) -> Result<TenantEntry, LifeError> {
    act_as_owner(tx).await?;
    let missing = || LifeError::NotFound(tenant.to_owned());
    let row = directory::hold(tx, tenant).await?.ok_or_else(missing)?;
    if row.status != step.from {
        return Err(LifeError::Standing {
            slug: row.slug,
            is: row.status,
            from: step.from,
            wanted: step.kind,
        });
    }
    let (id, now) = (row.id, now());
    let mut passed = row.into_active_model();
    passed.status = Set(step.to);
    passed.updated_at = Set(now);
    passed.update(tx).await?;
    record(tx, id, step.kind, actor, detail, now).await?;
    directory::entry(tx, id).await?.ok_or_else(missing)
}
