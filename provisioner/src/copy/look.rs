//! A look at one tenant's rows: read only, all of one moment, on its own node.

use std::sync::Arc;

use sea_orm::DatabaseTransaction;

use super::{CopyError, LIMITS, Source};
use crate::transaction::{begin, begin_to_look, finish, to_the_end};
use crate::{Product, Provisioner, SchemaName};

impl<P: Product> Provisioner<P> {
    /// Opens a tenant's rows for reading, for whoever knows what they mean: the search path is its
    /// schema, nothing can be written, and statements may take as long as they need. It ends by
    /// being dropped.
    ///
    /// # Errors
    ///
    /// [`CopyError`] when there is no such tenant, when it has no tables, or when its node can't be
    /// reached.
    pub async fn look_at(&self, tenant: &str) -> Result<DatabaseTransaction, CopyError> {
        let (inner, tenant) = (Arc::clone(&self.inner), tenant.to_owned());
        to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let found = Source::find(&tx, &inner, &tenant).await;
            let source = finish(tx, found).await?;
            let schema = SchemaName::parse(&source.row.schema_name)?;
            Ok(begin_to_look(source.site.database(&inner.db), &schema).await?)
        })
        .await
    }
}
