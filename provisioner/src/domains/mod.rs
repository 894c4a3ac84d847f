//! A tenant's own domains: claimed, proven by a TXT record in DNS, served from then on.
//!
//! A claim keeps nobody out, so that a stranger's idle claim can't hold a domain from its owner.
//! Whoever shows the record has the domain; if somebody else had it, it passes on only when their
//! record is gone from DNS.

mod dns;
mod name;

use std::pin::Pin;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use entity::platform::{tenant, tenant_domain};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, DatabaseTransaction, DbErr,
    EntityTrait as _, IntoActiveModel as _, ModelTrait as _, QueryFilter as _, QueryOrder as _,
};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

pub use self::dns::{Dns, DnsFailure, TxtResolver};
pub use self::name::{DomainName, DomainNameError};
use crate::history::{self, now};
use crate::transaction::{Limits, begin, finish, to_the_end};
use crate::{DirectoryError, Product, Provisioner};

/// Changes of the directory are short; who holds a row longer than this is stuck.
const LIMITS: Limits = Limits {
    lock_timeout: std::time::Duration::from_secs(10),
    statement_timeout: std::time::Duration::from_secs(30),
    silence: None,
};

/// A tenant's claim on a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainEntry {
    /// Whose claim it is.
    pub tenant: String,
    /// The domain.
    pub domain: String,
    /// Where in DNS the proof is to stand.
    pub record_name: String,
    /// What is to stand there, as a TXT record.
    pub record_value: String,
    /// Since when it is proven, and so served.
    pub verified_at: Option<OffsetDateTime>,
    /// Since when it is claimed.
    pub created_at: OffsetDateTime,
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum DomainError {
    /// The tenant could not be found.
    #[error(transparent)]
    Tenant(#[from] DirectoryError),
    /// The tenant has no claim on this domain.
    #[error("{tenant} has no claim on {domain}")]
    NotClaimed {
        /// Whose claim it would be.
        tenant: String,
        /// The domain.
        domain: DomainName,
    },
    /// The record isn't in DNS.
    #[error("DNS shows no TXT record {value:?} at {name}")]
    NotProven {
        /// Where it was looked for.
        name: String,
        /// What was looked for.
        value: String,
        /// What stands there instead.
        found: Vec<String>,
    },
    /// Another tenant has proven the same, and still does.
    #[error("{0} belongs to another tenant, whose record still stands in DNS")]
    Taken(DomainName),
    /// DNS could not be asked.
    #[error(transparent)]
    Dns(#[from] DnsFailure),
    /// The operating system has no randomness to give.
    #[error("the operating system gave no randomness")]
    Random(#[from] getrandom::Error),
    /// A statement failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}

impl<P: Product> Provisioner<P> {
    /// Claims a domain for a tenant; the entry says what to put into DNS. Claiming again says the
    /// same again.
    ///
    /// # Errors
    ///
    /// [`DomainError`].
    pub async fn claim_domain(
        &self,
        slug_or_id: &str,
        domain: &DomainName,
        actor: &str,
    ) -> Result<DomainEntry, DomainError> {
        let tenant = self.show(slug_or_id).await?;
        let new = tenant_domain::Model {
            id: Uuid::now_v7(),
            tenant_id: tenant.id,
            domain: domain.as_str().to_owned(),
            challenge: challenge()?,
            verified_at: None,
            created_at: now(),
        };
        let claim = self
            .in_directory(|tx, it| Box::pin(claim_in(tx, it)), (new, actor.to_owned()))
            .await?;
        Ok(entry(claim, tenant.slug))
    }

    /// Looks for the proof in DNS, and has servers answer at the domain if it is there. A domain
    /// that is proven already is looked at again, and stays as it is.
    ///
    /// # Errors
    ///
    /// [`DomainError`]; nothing is changed then.
    pub async fn verify_domain(
        &self,
        slug_or_id: &str,
        domain: &DomainName,
        resolver: &dyn TxtResolver,
        actor: &str,
    ) -> Result<DomainEntry, DomainError> {
        let tenant = self.show(slug_or_id).await?;
        let not_claimed = || DomainError::NotClaimed {
            tenant: tenant.slug.clone(),
            domain: domain.clone(),
        };
        let claims = tenant_domain::Entity::find()
            .filter(tenant_domain::Column::Domain.eq(domain.as_str()))
            .all(&self.inner.db)
            .await?;
        let (ours, others): (Vec<_>, Vec<_>) =
            claims.into_iter().partition(|it| it.tenant_id == tenant.id);
        let ours = ours.into_iter().next().ok_or_else(not_claimed)?;
        // No transaction is open while DNS is asked.
        let found = resolver.texts(&record_name(domain.as_str())).await?;
        let is_shown = |claim: &tenant_domain::Model| found.contains(&record_value(claim));
        if !is_shown(&ours) {
            return Err(DomainError::NotProven {
                name: record_name(domain.as_str()),
                value: record_value(&ours),
                found,
            });
        }
        let holder = others.into_iter().find(|it| it.verified_at.is_some());
        if holder.as_ref().is_some_and(is_shown) {
            return Err(DomainError::Taken(domain.clone()));
        }
        if ours.verified_at.is_some() {
            return Ok(entry(ours, tenant.slug));
        }
        let proven = Proven {
            ours,
            holder,
            actor: actor.to_owned(),
        };
        let verified = self
            .in_directory(|tx, it| Box::pin(verify_in(tx, it)), proven)
            .await?;
        Ok(entry(verified, tenant.slug))
    }

    /// Forgets a claim; servers stop answering at the domain.
    ///
    /// # Errors
    ///
    /// [`DomainError`].
    pub async fn remove_domain(
        &self,
        slug_or_id: &str,
        domain: &DomainName,
        actor: &str,
    ) -> Result<(), DomainError> {
        let tenant = self.show(slug_or_id).await?;
        let wanted = (tenant.id, domain.clone(), actor.to_owned());
        let was_there = self
            .in_directory(|tx, it| Box::pin(remove_in(tx, it)), wanted)
            .await?;
        if was_there {
            Ok(())
        } else {
            Err(DomainError::NotClaimed {
                tenant: tenant.slug,
                domain: domain.clone(),
            })
        }
    }

    /// All claims of one tenant, or of everybody, by domain.
    ///
    /// # Errors
    ///
    /// [`DomainError`].
    pub async fn list_domains(
        &self,
        slug_or_id: Option<&str>,
    ) -> Result<Vec<DomainEntry>, DomainError> {
        let mut query = tenant_domain::Entity::find()
            .find_also_related(tenant::Entity)
            .order_by_asc(tenant_domain::Column::Domain)
            .order_by_asc(tenant_domain::Column::CreatedAt);
        if let Some(slug_or_id) = slug_or_id {
            let tenant = self.show(slug_or_id).await?;
            query = query.filter(tenant_domain::Column::TenantId.eq(tenant.id));
        }
        let rows = query.all(&self.inner.db).await?;
        let entries = rows.into_iter().map(|(claim, tenant)| {
            // A foreign key holds, so there is a tenant.
            entry(claim, tenant.map(|it| it.slug).unwrap_or_default())
        });
        Ok(entries.collect())
    }

    /// One short transaction on the directory, which is not abandoned half-way.
    async fn in_directory<I, T>(
        &self,
        work: for<'t> fn(&'t DatabaseTransaction, I) -> Work<'t, T>,
        input: I,
    ) -> Result<T, DbErr>
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        let db = self.inner.db.clone();
        to_the_end(async move {
            let tx = begin(&db, LIMITS).await?;
            let outcome = work(&tx, input).await;
            finish(tx, outcome).await
        })
        .await
    }
}

/// What is done in a transaction.
type Work<'t, T> = Pin<Box<dyn Future<Output = Result<T, DbErr>> + Send + 't>>;

/// A claim whose record stands in DNS, and who had the domain until now.
struct Proven {
    ours: tenant_domain::Model,
    holder: Option<tenant_domain::Model>,
    actor: String,
}

async fn claim_in(
    tx: &DatabaseTransaction,
    (new, actor): (tenant_domain::Model, String),
) -> Result<tenant_domain::Model, DbErr> {
    if let Some(there) = claim_of(tx, new.tenant_id, &new.domain).await? {
        return Ok(there);
    }
    tell(tx, new.tenant_id, "domain_claimed", &actor, &new.domain).await?;
    let row = new.into_active_model().reset_all();
    tenant_domain::Entity::insert(row)
        .exec_with_returning(tx)
        .await
}

async fn verify_in(
    tx: &DatabaseTransaction,
    Proven {
        ours,
        holder,
        actor,
    }: Proven,
) -> Result<tenant_domain::Model, DbErr> {
    if let Some(holder) = holder {
        tell(tx, holder.tenant_id, "domain_lost", &actor, &holder.domain).await?;
        let mut lost = holder.into_active_model();
        lost.verified_at = Set(None);
        lost.update(tx).await?;
    }
    tell(tx, ours.tenant_id, "domain_verified", &actor, &ours.domain).await?;
    let mut row = ours.into_active_model();
    row.verified_at = Set(Some(now()));
    row.update(tx).await
}

/// Whether there was a claim.
async fn remove_in(
    tx: &DatabaseTransaction,
    (tenant_id, domain, actor): (Uuid, DomainName, String),
) -> Result<bool, DbErr> {
    let Some(claim) = claim_of(tx, tenant_id, domain.as_str()).await? else {
        return Ok(false);
    };
    claim.delete(tx).await?;
    tell(tx, tenant_id, "domain_removed", &actor, domain.as_str()).await?;
    Ok(true)
}

async fn claim_of(
    tx: &DatabaseTransaction,
    tenant_id: Uuid,
    domain: &str,
) -> Result<Option<tenant_domain::Model>, DbErr> {
    tenant_domain::Entity::find()
        .filter(tenant_domain::Column::TenantId.eq(tenant_id))
        .filter(tenant_domain::Column::Domain.eq(domain))
        .one(tx)
        .await
}

/// A line in the tenant's history.
async fn tell(
    tx: &DatabaseTransaction,
    tenant_id: Uuid,
    kind: &str,
    actor: &str,
    domain: &str,
) -> Result<(), DbErr> {
    let detail = json!({ "domain": domain });
    history::record(tx, tenant_id, kind, actor, detail, now()).await
}

fn entry(claim: tenant_domain::Model, tenant: String) -> DomainEntry {
    DomainEntry {
        tenant,
        record_name: record_name(&claim.domain),
        record_value: record_value(&claim),
        domain: claim.domain,
        verified_at: claim.verified_at,
        created_at: claim.created_at,
    }
}

/// Under a label of our own: the domain itself may be a CNAME, which has no other records.
fn record_name(domain: &str) -> String {
    format!("_tubex-challenge.{domain}")
}

fn record_value(claim: &tenant_domain::Model) -> String {
    format!("tubex-verify={}", claim.challenge)
}

/// 256 bits that nobody can guess.
fn challenge() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
