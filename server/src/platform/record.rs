//! What operators do to a tenant stands in the tenant's own trail, where its people see it.

use std::time::Duration;

use actix_web::HttpRequest;
use provisioner::Provisioner;
use sea_orm::DbErr;
use serde_json::{Value, json};

use super::Dealers;
use super::operator::Operator;
use crate::audit::{Actor, Change, Stamp};
use crate::db::{Address, DirectoryError, Found, TenantDb, TenantTx};
use crate::events;
use crate::http::{Code, Problem, RequestId, client_address, put_on_record};
use crate::kernel::TenantKey;
use crate::state::AppState;

/// Between two looks for a new tenant.
const PAUSE: Duration = Duration::from_millis(25);
/// How many.
const PATIENCE: u32 = 60;

/// Something that is done to a tenant: what, and what belongs to it.
#[derive(Debug)]
pub(super) struct Deed {
    action: &'static str,
    told: Value,
}

impl Deed {
    pub(super) fn new(action: &'static str, told: Value) -> Self {
        Self { action, told }
    }
}

impl<P> Operator<P> {
    /// Lets the provisioner do something to a tenant. It is put on the tenant's record before it is
    /// done: what can't be recorded is not done. What then fails is recorded as failed.
    ///
    /// # Errors
    ///
    /// What the library says, or why nothing could be recorded.
    pub(super) async fn act_on<T, E, F>(
        &self,
        req: &HttpRequest,
        tenant: &str,
        deed: Deed,
        work: impl FnOnce(Provisioner<Dealers>, String) -> F,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Send + 'static,
        Problem: From<E>,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let trail = trail_of(req, tenant).await?;
        if let Some(trail) = &trail {
            self.record(req, trail, deed.action, &deed.told).await?;
        }
        let done = self.ask(work).await.map_err(Problem::from);
        if let (Err(_), Some(trail)) = (&done, &trail) {
            let told = json!({ "action": deed.action });
            self.record(req, trail, "tenant.fail", &told).await?;
        }
        done
    }

    /// Puts on the record of a tenant that is new what it came from, and in the same transaction
    /// does what else is to be done first. It is there already, so what fails is said in the log;
    /// answers whether all of it was done.
    pub(super) async fn begin_trail(
        &self,
        req: &HttpRequest,
        tenant: &str,
        deed: Deed,
        first: impl AsyncFn(TenantKey, &TenantTx) -> Result<(), DbErr>,
    ) -> bool {
        let recorded = match new_trail_of(req, tenant).await {
            Ok(Some(trail)) => {
                let key = trail.tenant().key();
                let change = Change::new(deed.action, "tenant", key.id()).after(&deed.told);
                let stamp = Stamp {
                    actor: Actor::Operator { id: self.id() },
                    request_id: RequestId::of(req).map(|id| id.to_string()),
                    address: client_address(req).map(|address| address.to_string()),
                    at: AppState::of(req).clock.now(),
                };
                let begun = trail.write(async |tx| {
                    first(key, tx).await?;
                    events::record(tx, &stamp, &change).await
                });
                begun.await.map_err(|error| Problem::database(&error))
            }
            Ok(None) => Err(Problem::internal(
                "the directory did not hear of it in time",
            )),
            Err(problem) => Err(problem),
        };
        let is_begun = recorded.is_ok();
        if let Err(problem) = recorded {
            tracing::error!(
                tenant = tenant,
                cause = problem.cause(),
                "a new tenant's trail lacks its beginning"
            );
        }
        is_begun
    }

    /// Puts something on a tenant's record.
    ///
    /// # Errors
    ///
    /// Why it could not be recorded.
    pub(super) async fn note(
        &self,
        req: &HttpRequest,
        tenant: &str,
        deed: Deed,
    ) -> Result<(), Problem> {
        match trail_of(req, tenant).await? {
            Some(trail) => self.record(req, &trail, deed.action, &deed.told).await,
            None => Ok(()),
        }
    }

    async fn record(
        &self,
        req: &HttpRequest,
        trail: &TenantDb,
        action: &'static str,
        told: &Value,
    ) -> Result<(), Problem> {
        let id = trail.tenant().key().id();
        let change = Change::new(action, "tenant", id).after(told);
        put_on_record(req, trail, Actor::Operator { id: self.id() }, &change).await
    }
}

/// The trail of a tenant that was made a moment ago: the directory hears of it within milliseconds,
/// and within half a second where a notification was lost.
async fn new_trail_of(req: &HttpRequest, tenant: &str) -> Result<Option<TenantDb>, Problem> {
    for _ in 0..PATIENCE {
        if let Some(trail) = trail_of(req, tenant).await? {
            return Ok(Some(trail));
        }
        tokio::time::sleep(PAUSE).await;
    }
    trail_of(req, tenant).await
}

/// The trail of a tenant. Nobody has none, nor has a tenant without tables, or with tables that are
/// older than trails.
async fn trail_of(req: &HttpRequest, tenant: &str) -> Result<Option<TenantDb>, Problem> {
    let directory = &AppState::of(req).directory;
    let address = match tenant.parse() {
        Ok(id) => Address::Id(id),
        Err(_) => Address::Slug(tenant.to_owned()),
    };
    let tenant = match directory.find(&address).await {
        Found::Tenant(tenant) => tenant,
        Found::Nobody => return Ok(None),
        Found::NotReady => return Err(Problem::new(Code::Unavailable)),
    };
    match directory.enter_to_record(&tenant) {
        Ok(trail) => Ok(Some(trail)),
        Err(
            DirectoryError::Provisioning | DirectoryError::Closed | DirectoryError::SchemaTooOld,
        ) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
