//! The moves of a tenant's life: suspended and back, closing and back, archived, gone. Those in this
//! file change its entry only.
//!
//! `spare → provisioning → active ⇄ suspended → closing → archived → gone`: each move names where
//! it starts from, and every other start is refused.

mod archive;
mod change;
mod dismantle;
mod forget;
mod purge;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use entity::platform::tenant::{self, Status};
use sea_orm::{
    ActiveEnum as _, ActiveModelTrait as _, ActiveValue::Set, DatabaseTransaction, DbErr,
    IntoActiveModel as _,
};
use serde_json::json;
use time::OffsetDateTime;

pub(crate) use self::archive::unfinished;
pub use self::archive::{Archive, Archived, ExportEntry};
pub use self::change::Tags;
pub use self::forget::Forgotten;
use crate::copy::CopyError;
use crate::history::{now, record};
use crate::lanes::LaneError;
use crate::nodes::ReachError;
use crate::transaction::{Limits, act_as_owner, begin, finish, to_the_end};
use crate::{Product, Provisioner, Slug, TenantEntry, directory};

/// A tenant's row is held by whoever migrates it, for as long as that takes.
const LIMITS: Limits = Limits {
    lock_timeout: Duration::from_secs(30),
    statement_timeout: Duration::from_secs(30),
    silence: None,
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
    #[error("tenant {slug} is {}, and only one that is {} can be {wanted}", is.to_value(), names(from))]
    Standing {
        /// What people type.
        slug: String,
        /// Where it stands.
        is: Status,
        /// Where the move starts from.
        from: &'static [Status],
        /// What was asked for.
        wanted: &'static str,
    },
    /// No reason, or a novel.
    #[error("a reason has 1 to {REASON_MAX_LEN} characters, and this has {0}")]
    Reason(usize),
    /// Somebody is called that already.
    #[error("the slug {0} is taken")]
    SlugTaken(Slug),
    /// More words than a tenant can carry.
    #[error("a tenant has at most {max} tags, and this would make {0}", max = Tags::MOST)]
    TooManyTags(usize),
    /// Nothing of it may be destroyed.
    #[error("tenant {slug} is under legal hold: {reason}")]
    Held {
        /// What people type.
        slug: String,
        /// Why it is held.
        reason: String,
    },
    /// Its tables are being dropped already.
    #[error(
        "tenant {0} is being archived: its tables may be gone, so it can't come back by itself"
    )]
    BeingArchived(String),
    /// Its export has to be kept for longer.
    #[error("the export of tenant {slug} has to be kept until {until}")]
    KeepUntil {
        /// What people type.
        slug: String,
        /// When it can be destroyed.
        until: OffsetDateTime,
    },
    /// An export that is recorded is not where it was left.
    #[error("the export of tenant {slug} is not at {}", location.display())]
    ExportMissing {
        /// What people type.
        slug: String,
        /// Where it should lie.
        location: PathBuf,
    },
    /// The folder holds something that we did not put there, so it is left alone.
    #[error("{} holds what is no part of the export, so it was not removed", .0.display())]
    Stranger(PathBuf),
    /// Somebody is making it right now.
    #[error("tenant {0} is being made by somebody else right now")]
    BeingMade(String),
    /// The export that an archive needs was not made, or is damaged.
    #[error("the tenant's export failed")]
    Export(#[source] Box<CopyError>),
    /// A file could not be read or removed.
    #[error("{} cannot be worked on", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// The tenant's node could not be worked on.
    #[error("the tenant's node is out of reach")]
    Reach(#[from] ReachError),
    /// The directory holds what we would not have written.
    #[error("the tenant's lane could not be worked on")]
    Lane(#[source] LaneError),
    /// A statement failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}

impl From<LaneError> for LifeError {
    fn from(error: LaneError) -> Self {
        match error {
            LaneError::Db(cause) => Self::Db(cause),
            LaneError::Reach(cause) => Self::Reach(cause),
            other => Self::Lane(other),
        }
    }
}

impl From<CopyError> for LifeError {
    fn from(error: CopyError) -> Self {
        Self::Export(Box::new(error))
    }
}

fn names(statuses: &[Status]) -> String {
    let names: Vec<_> = statuses.iter().map(|status| status.to_value()).collect();
    names.join(" or ")
}

/// A move: what it is called in the history, where it starts and where it ends.
#[derive(Clone, Copy)]
struct Move {
    kind: &'static str,
    from: &'static [Status],
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
        let step = Move {
            kind: "suspended",
            from: &[Status::Active],
            to: Status::Suspended,
        };
        let detail = json!({ "reason": reason_of(reason)? });
        self.pass(tenant, step, detail, actor).await
    }

    /// Switches a suspended tenant on again.
    ///
    /// # Errors
    ///
    /// [`LifeError`]; only a suspended tenant can be resumed.
    pub async fn resume(&self, tenant: &str, actor: &str) -> Result<TenantEntry, LifeError> {
        let step = Move {
            kind: "resumed",
            from: &[Status::Suspended],
            to: Status::Active,
        };
        self.pass(tenant, step, json!({}), actor).await
    }

    /// Begins a tenant's end: servers let it be read and written no more.
    ///
    /// # Errors
    ///
    /// [`LifeError`]; it has to be active, suspended or past its grace.
    pub async fn close(
        &self,
        tenant: &str,
        reason: &str,
        actor: &str,
    ) -> Result<TenantEntry, LifeError> {
        let step = Move {
            kind: "closing",
            from: &[Status::Active, Status::Suspended, Status::PastGrace],
            to: Status::Closing,
        };
        let detail = json!({ "reason": reason_of(reason)? });
        self.pass(tenant, step, detail, actor).await
    }

    /// Takes a closing tenant back: it is active again.
    ///
    /// # Errors
    ///
    /// [`LifeError`]; not once its archive was begun.
    pub async fn reopen(&self, tenant: &str, actor: &str) -> Result<TenantEntry, LifeError> {
        let step = Move {
            kind: "reopened",
            from: &[Status::Closing],
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
    let row = held(tx, tenant, step.from, step.kind).await?;
    if row.status == Status::Closing && unfinished(tx, row.id).await?.is_some() {
        return Err(LifeError::BeingArchived(row.slug));
    }
    let (id, now) = (row.id, now());
    let mut passed = row.into_active_model();
    passed.status = Set(step.to);
    passed.updated_at = Set(now);
    passed.update(tx).await?;
    record(tx, id, step.kind, actor, detail, now).await?;
    seen(tx, id).await
}

/// A tenant's row, held, if it stands where the move starts.
async fn held(
    tx: &DatabaseTransaction,
    tenant: &str,
    from: &'static [Status],
    wanted: &'static str,
) -> Result<tenant::Model, LifeError> {
    let row = directory::hold(tx, tenant)
        .await?
        .ok_or_else(|| LifeError::NotFound(tenant.to_owned()))?;
    if from.contains(&row.status) {
        return Ok(row);
    }
    Err(LifeError::Standing {
        slug: row.slug,
        is: row.status,
        from,
        wanted,
    })
}

/// What a change has made of a tenant.
async fn seen(tx: &DatabaseTransaction, id: uuid::Uuid) -> Result<TenantEntry, LifeError> {
    directory::entry(tx, id)
        .await?
        .ok_or_else(|| LifeError::NotFound(id.to_string()))
}

/// A reason without the blanks around it.
fn reason_of(text: &str) -> Result<&str, LifeError> {
    let text = text.trim();
    let length = text.chars().count();
    if (1..=REASON_MAX_LEN).contains(&length) {
        Ok(text)
    } else {
        Err(LifeError::Reason(length))
    }
}
