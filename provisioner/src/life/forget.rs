//! Giving up a tenant that was begun and never finished.

use std::sync::Arc;

use entity::platform::lane;
use entity::platform::tenant::Status;
use sea_orm::{DatabaseTransaction, ModelTrait as _};

use super::dismantle::remove;
use super::{LIMITS, LifeError};
use crate::copy::CopyError;
use crate::create::elsewhere;
use crate::nodes::Site;
use crate::transaction::{act_as_owner, begin, finish, to_the_end};
use crate::{CreateError, Inner, Product, Provisioner, SchemaName, Slug, directory, lanes};

/// A tenant that will not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// The slug that is free again.
    pub slug: String,
    /// The node on which it was being made.
    pub node: String,
}

impl<P: Product> Provisioner<P> {
    /// Gives up a tenant whose making was interrupted: what there is of it on its node goes, and
    /// its entry. Nobody has used it.
    ///
    /// # Errors
    ///
    /// [`LifeError::BeingMade`] while somebody is at it, [`LifeError::Standing`] for every other.
    pub async fn forget(&self, tenant: &str, actor: &str) -> Result<Forgotten, LifeError> {
        let inner = Arc::clone(&self.inner);
        let (tenant, actor) = (tenant.to_owned(), actor.to_owned());
        to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = forget_in(&tx, &inner, &tenant).await;
            let (forgotten, site, lane) = finish(tx, outcome).await?;
            if lane.dedicated {
                lanes::drop_if_empty(&inner, &site, lane.id).await?;
            }
            // Its history went with its entry.
            tracing::info!(
                tenant.slug = forgotten.slug,
                actor,
                "gave up a half-made tenant"
            );
            Ok(forgotten)
        })
        .await
    }
}

async fn forget_in<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    tenant: &str,
) -> Result<(Forgotten, Site, lane::Model), LifeError> {
    const FROM: &[Status] = &[Status::Provisioning];
    act_as_owner(tx).await?;
    let missing = || LifeError::NotFound(tenant.to_owned());
    let found = directory::find(tx, tenant).await?.ok_or_else(missing)?;
    if !FROM.contains(&found.status) {
        return Err(LifeError::Standing {
            slug: found.slug,
            is: found.status,
            from: FROM,
            wanted: "forgotten",
        });
    }
    let slug = Slug::parse(&found.slug).map_err(|_| missing())?;
    let row = match elsewhere::hold(tx, found.id, &slug).await {
        Ok(row) => row,
        Err(CreateError::Db(cause)) => return Err(cause.into()),
        Err(_) => return Err(LifeError::BeingMade(found.slug)),
    };
    let (lane, node) = elsewhere::home(tx, &row).await?;
    let site = inner.reach(node).await?;
    let schema = SchemaName::parse(&row.schema_name).map_err(CopyError::from)?;
    let there = site.begin(tx, LIMITS).await?;
    let cleared = async {
        elsewhere::wait_for_the_dead(&there, &schema).await?;
        remove(&there, &schema).await
    };
    let cleared = cleared.await;
    there.finish(cleared).await?;
    let forgotten = Forgotten {
        slug: row.slug.clone(),
        node: site.node.name.clone(),
    };
    row.delete(tx).await?;
    Ok((forgotten, site, lane))
}
