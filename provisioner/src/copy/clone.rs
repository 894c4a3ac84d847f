//! A tenant beside another one, with its rows as they were at one moment.

use std::sync::Arc;
use std::time::Instant;

use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::export::Source;
use super::import::{Birthmark, Imported, plan_of, unborn};
use super::raise::{Neighbour, Rows};
use super::{CopyError, LIMITS, elsewhere};
use crate::create::elsewhere::Announced;
use crate::create::{self, NewTenant, Placement, head};
use crate::transaction::{act_as_owner, begin, finish, to_the_end};
use crate::{CreateError, Inner, Label, Product, Provisioner, SchemaName, Slug, TenantName};

/// A tenant to be made as another one is.
#[derive(Clone, Debug)]
pub struct NewClone {
    /// Whose rows, by slug or id.
    pub from: String,
    /// What people will type.
    pub slug: Slug,
    /// What people will read; the other's name if nothing is given.
    pub name: Option<TenantName>,
    /// What becomes of the people in it.
    pub people: People,
    /// The plan and the lane. The node is the other's, whatever is asked for.
    pub at: Placement,
    /// Who asks.
    pub actor: String,
}

/// What becomes of the people in a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum People {
    /// They stay, with everything that is known of them: the copy is as secret as the original.
    Kept,
    /// The product takes out what tells who they are.
    Anonymised,
}

impl<P: Product> Provisioner<P> {
    /// Makes a tenant with the rows of another one on the same node, as they were at one moment,
    /// and brings it to head. The other one is served and written all the while.
    ///
    /// A kill leaves an entry that says that it is being made; the same call takes it over.
    ///
    /// # Errors
    ///
    /// [`CopyError`]; nothing is left behind, except by [`CreateError::Unfinished`].
    pub async fn clone_tenant(&self, clone: NewClone) -> Result<Imported, CopyError> {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move {
            let begun = Instant::now();
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = announce(&tx, &inner, &clone).await;
            let (announced, new, rows, birth) = finish(tx, outcome).await?;
            let added = announced.added.clone();
            let (tenant, rows) =
                elsewhere::complete(&inner, &announced, &new, &rows, &birth).await?;
            Ok(Imported {
                tenant,
                added,
                rows,
                took: begun.elapsed(),
            })
        })
        .await
    }
}

async fn announce<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    clone: &NewClone,
) -> Result<(Announced, NewTenant, Rows, Birthmark), CopyError> {
    let head = head(inner.product.migrator()).ok_or(CreateError::NoMigrations)?;
    let half_made = create::reserve(tx, &clone.slug).await?;
    act_as_owner(tx).await?;
    let source = Source::find(tx, inner, &clone.from).await?;
    let node = Label::parse(&source.site.node.name).ok();
    let at = Placement {
        node,
        ..clone.at.clone()
    };
    let name = clone.name.clone();
    let name = name.or_else(|| TenantName::parse(&source.row.name).ok());
    let new = unborn(
        clone.slug.clone(),
        name.ok_or_else(create::vanished)?,
        clone.actor.clone(),
    );
    let plan = plan_of(tx, &at).await?;
    let announced = match half_made {
        Some(row) => create::elsewhere::take_over(tx, &row, &at, plan, &clone.slug).await?,
        None => {
            let (site, wish) = create::destination(tx, inner, &at, plan.as_ref()).await?;
            create::elsewhere::announce(inner.ground(tx, &site), wish, &new, plan, &head).await?
        }
    };
    let rows = Rows::Neighbour(Neighbour {
        id: source.row.id,
        schema: SchemaName::parse(&source.row.schema_name)?,
        people: clone.people,
    });
    let birth = Birthmark {
        tags: vec![],
        detail: json!({
            "clone_of": source.row.id,
            "anonymised": clone.people == People::Anonymised,
        }),
    };
    Ok((announced, new, rows, birth))
}
