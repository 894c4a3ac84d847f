//! Plans: what a tenant may use, by a name that operators choose.

use std::sync::Arc;
use std::time::Duration;

use entity::platform::{plan, tenant};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait,
    DatabaseTransaction, DbErr, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use serde_json::json;
use uuid::Uuid;

use crate::history::{now, record};
use crate::query::one;
use crate::transaction::{Limits, act_as_owner, begin, finish, to_the_end};
use crate::{Label, Product, Provisioner, TenantEntry, directory};

/// A tenant's row is held by whoever migrates it, for as long as that takes.
const LIMITS: Limits = Limits {
    lock_timeout: Duration::from_secs(30),
    statement_timeout: Duration::from_secs(30),
    silence: None,
};

/// A plan. Where a limit is empty, the server's configuration decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What operators call it.
    pub name: String,
    /// Transactions of one tenant at once, in one server process.
    pub concurrency: Option<i32>,
    /// Longest time one statement may run, milliseconds.
    pub statement_timeout_ms: Option<i32>,
    /// Longest time a transaction may lie idle between two statements, milliseconds.
    pub idle_in_transaction_timeout_ms: Option<i32>,
    /// Requests of one tenant's people and machines a minute, all together.
    pub requests_per_minute: Option<i32>,
    /// A new tenant of this plan gets a lane of its own.
    pub dedicated_lane: bool,
}

/// What becomes of a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change {
    /// It stays; in a new plan the server decides.
    #[default]
    Keep,
    /// The server decides.
    Default,
    /// This.
    To(u32),
}

/// A plan to be made or changed.
#[derive(Clone, Debug)]
pub struct SetPlan {
    /// What operators call it.
    pub name: Label,
    /// 1 to 1,000.
    pub concurrency: Change,
    /// 10 to 600,000 milliseconds.
    pub statement_timeout_ms: Change,
    /// 10 to 600,000 milliseconds.
    pub idle_in_transaction_timeout_ms: Change,
    /// 1 to 10,000,000 requests a minute.
    pub requests_per_minute: Change,
    /// Nothing keeps what it is; a new plan's tenants share lanes.
    pub dedicated_lane: Option<bool>,
}

/// Why a plan stayed as it was.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// No plan is called that.
    #[error("there is no plan {0:?}")]
    NotFound(String),
    /// No tenant is called that.
    #[error("there is no tenant {0:?}")]
    NoTenant(String),
    /// A limit that would starve a tenant or bind nobody.
    #[error("{limit} is from {least} to {most}, not {value}")]
    OutOfRange {
        /// Which limit.
        limit: &'static str,
        /// The smallest value.
        least: u32,
        /// The largest value.
        most: u32,
        /// What was asked for.
        value: u32,
    },
    /// A statement failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}

impl Change {
    /// The new value, or nothing to keep the old one.
    fn read(
        self,
        limit: &'static str,
        least: u32,
        most: u32,
    ) -> Result<Option<Option<i32>>, PlanError> {
        match self {
            Self::Keep => Ok(None),
            Self::Default => Ok(Some(None)),
            Self::To(value) if (least..=most).contains(&value) => Ok(Some(Some(
                i32::try_from(value).expect("the largest limit fits an i32"),
            ))),
            Self::To(value) => Err(PlanError::OutOfRange {
                limit,
                least,
                most,
                value,
            }),
        }
    }
}

impl<P: Product> Provisioner<P> {
    /// All plans, by name.
    ///
    /// # Errors
    ///
    /// [`PlanError::Db`].
    pub async fn plans(&self) -> Result<Vec<Plan>, PlanError> {
        let rows = plan::Entity::find()
            .order_by_asc(plan::Column::Name)
            .all(&self.inner.db)
            .await?;
        Ok(rows.into_iter().map(Plan::from).collect())
    }

    /// Makes a plan, or changes it. Servers follow within a second.
    ///
    /// # Errors
    ///
    /// [`PlanError::OutOfRange`], [`PlanError::Db`].
    pub async fn set_plan(&self, set: SetPlan) -> Result<Plan, PlanError> {
        let concurrency = set.concurrency.read("concurrency", 1, 1_000)?;
        let timeout = |change: Change, limit| change.read(limit, 10, 600_000);
        let statement = timeout(set.statement_timeout_ms, "statement_timeout_ms")?;
        let idle = timeout(
            set.idle_in_transaction_timeout_ms,
            "idle_in_transaction_timeout_ms",
        )?;
        let requests = set
            .requests_per_minute
            .read("requests_per_minute", 1, 10_000_000)?;
        let inner = Arc::clone(&self.inner);
        to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = async {
                act_as_owner(&tx).await?;
                let mut plan = hold_or_make(&tx, &set.name).await?.into_active_model();
                if let Some(value) = concurrency {
                    plan.concurrency = Set(value);
                }
                if let Some(value) = statement {
                    plan.statement_timeout_ms = Set(value);
                }
                if let Some(value) = idle {
                    plan.idle_in_transaction_timeout_ms = Set(value);
                }
                if let Some(value) = requests {
                    plan.requests_per_minute = Set(value);
                }
                if let Some(value) = set.dedicated_lane {
                    plan.dedicated_lane = Set(value);
                }
                plan.updated_at = Set(now());
                Ok(plan.update(&tx).await?.into())
            };
            let outcome = outcome.await;
            finish(tx, outcome).await
        })
        .await
    }

    /// Gives a tenant a plan, or takes it. Its lane stays: a plan with lanes of their own is for
    /// new tenants, others are moved by hand.
    ///
    /// # Errors
    ///
    /// [`PlanError::NoTenant`], [`PlanError::NotFound`], [`PlanError::Db`].
    pub async fn change_plan(
        &self,
        tenant: &str,
        plan: Option<Label>,
        actor: &str,
    ) -> Result<TenantEntry, PlanError> {
        let inner = Arc::clone(&self.inner);
        let (tenant, actor) = (tenant.to_owned(), actor.to_owned());
        to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = change_in(&tx, &tenant, plan, &actor).await;
            finish(tx, outcome).await
        })
        .await
    }
}

async fn change_in(
    tx: &DatabaseTransaction,
    tenant: &str,
    plan: Option<Label>,
    actor: &str,
) -> Result<TenantEntry, PlanError> {
    act_as_owner(tx).await?;
    let missing = || PlanError::NoTenant(tenant.to_owned());
    let row = directory::hold(tx, tenant).await?.ok_or_else(missing)?;
    let plan = match plan {
        None => None,
        Some(name) => Some(
            find(tx, &name)
                .await?
                .ok_or_else(|| PlanError::NotFound(name.to_string()))?,
        ),
    };
    let id = row.id;
    let before = directory::entry(tx, id).await?.ok_or_else(missing)?;
    if before.plan != plan.as_ref().map(|plan| plan.name.clone()) {
        let now = now();
        let detail = json!({ "from": before.plan, "to": plan.as_ref().map(|plan| &plan.name) });
        let mut changed: tenant::ActiveModel = row.into_active_model();
        changed.plan_id = Set(plan.map(|plan| plan.id));
        changed.updated_at = Set(now);
        changed.update(tx).await?;
        record(tx, id, "plan_changed", actor, detail, now).await?;
    }
    directory::entry(tx, id).await?.ok_or_else(missing)
}

/// A plan by its name.
pub(crate) async fn find(
    db: &impl ConnectionTrait,
    name: &Label,
) -> Result<Option<plan::Model>, DbErr> {
    plan::Entity::find()
        .filter(plan::Column::Name.eq(name.as_str()))
        .one(db)
        .await
}

/// The plan's row, held; made first where there is none.
async fn hold_or_make(tx: &DatabaseTransaction, name: &Label) -> Result<plan::Model, DbErr> {
    // A statement of its own, which waits for whoever is just making the same.
    one(
        tx,
        "INSERT INTO platform.plan (id, name) VALUES ($1, $2)
         ON CONFLICT ON CONSTRAINT plan_name_key DO NOTHING",
        [Uuid::now_v7().into(), name.as_str().into()],
    )
    .await?;
    plan::Entity::find()
        .filter(plan::Column::Name.eq(name.as_str()))
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("a plan that was just made".to_owned()))
}

impl From<plan::Model> for Plan {
    fn from(plan: plan::Model) -> Self {
        Self {
            name: plan.name,
            concurrency: plan.concurrency,
            statement_timeout_ms: plan.statement_timeout_ms,
            idle_in_transaction_timeout_ms: plan.idle_in_transaction_timeout_ms,
            requests_per_minute: plan.requests_per_minute,
            dedicated_lane: plan.dedicated_lane,
        }
    }
}
