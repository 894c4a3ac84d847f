//! A tenant that could not be moved: tried again later where that may help, failed where not.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::DbErr;
use serde_json::{Value, json};
use uuid::Uuid;

use super::apply::{Shift, find_statement};
use super::claim::Claimed;
use super::crew::Crew;
use super::errors::{is_lock, is_lost_connection, is_passing};
use super::finish::{Verdict, explain, put_off, settle};
use super::path::Segment;
use super::{PlaceState, RunError};
use crate::Product;
use crate::nodes::{ReachError, Site};

impl<P: Product> Crew<P> {
    /// A tenant could not be moved: later, if that may help.
    pub(super) async fn stumbled(
        &self,
        shift: &Shift,
        segment: &Segment,
        tenant: Claimed,
        error: &DbErr,
    ) -> Result<(), RunError> {
        let was_lock = is_lock(error);
        let may_help = was_lock || is_lost_connection(error) || is_passing(error);
        let statement = match may_help {
            true => None,
            false => find_statement(&self.inner, shift, segment, &tenant.schema).await,
        };
        let explained = explain(error, statement);
        let from = tenant.version.clone();
        if may_help && (tenant.attempts as u32) < self.options.attempts {
            put_off(&self.inner, shift, &tenant, &explained, was_lock).await?;
            let verdict = Verdict {
                tenant,
                state: PlaceState::Pending,
                error: Some(explained),
            };
            self.tell(verdict, &from, Duration::ZERO);
            return Ok(());
        }
        self.fail(shift, tenant, explained).await
    }

    async fn fail(&self, shift: &Shift, tenant: Claimed, error: Value) -> Result<(), RunError> {
        tracing::error!(
            tenant.id = %tenant.id,
            run.id = %self.run,
            error = error["message"].as_str(),
            "a tenant could not be migrated"
        );
        let from = tenant.version.clone();
        let verdict = Verdict {
            tenant,
            state: PlaceState::Failed,
            error: Some(error),
        };
        settle(&self.inner, shift, std::slice::from_ref(&verdict)).await?;
        self.tell(verdict, &from, Duration::ZERO);
        Ok(())
    }

    pub(super) async fn out_of_reach(
        &self,
        lease: Uuid,
        error: &ReachError,
        tenants: Vec<Claimed>,
    ) -> Result<(), RunError> {
        let own = crate::nodes::find_own(&self.inner.db).await?;
        let own = own.ok_or_else(|| RunError::NotFound("the platform's own node".to_owned()))?;
        let shift = Shift {
            run: self.run,
            lease,
            options: Arc::clone(&self.options),
            actor: Arc::clone(&self.actor),
            site: Site::own(own),
        };
        let explained = json!({
            "message": error.to_string(),
            "hint": "its node must be reachable with the platform's login: see tubex node list",
        });
        for tenant in tenants {
            if (tenant.attempts as u32) < self.options.attempts {
                put_off(&self.inner, &shift, &tenant, &explained, false).await?;
            } else {
                self.fail(&shift, tenant, explained.clone()).await?;
            }
        }
        // Another look the next time.
        self.sites.lock().await.retain(|_, site| site.is_ok());
        Ok(())
    }
}
