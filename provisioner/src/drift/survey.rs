//! One pass over a node's schemas. Those with the same mark have the same structure, so that an
//! object-by-object look is taken once for each mark and version, however many tenants have it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use sea_orm::{DatabaseTransaction, DbErr};
use uuid::Uuid;

use super::vitals::{Seen, no_schema, sizes};
use super::{Depth, Drifted, Examined, Keep, Named, Place, read_only};
use crate::fingerprint::{self, Difference, Mark, Shape};
use crate::nodes::Site;
use crate::query::{all, column};
use crate::transaction::finish;
use crate::{Inner, Product, RunError, SchemaName};

/// Schemas of one question: a few thousand rows of catalogues, whatever the fleet's size.
const AT_ONCE: i64 = 100;

/// What is looked at, and what it is held against.
pub(super) struct Survey<'a, P> {
    pub(super) inner: &'a Inner<P>,
    pub(super) site: &'a Site,
    pub(super) references: &'a BTreeMap<String, Shape>,
    pub(super) depth: Depth,
    pub(super) keep: Keep,
}

/// A tenant or spare of the directory.
struct Listed {
    id: Uuid,
    slug: String,
    schema: SchemaName,
    version: String,
}

/// What a look at one schema came to.
#[derive(Clone)]
enum Verdict {
    Fine,
    Differs(Arc<Difference>),
    NoSchema,
    /// Nothing to hold it against.
    NoReference,
}

/// What was found out already.
type Judged = HashMap<(String, Mark), Verdict>;

/// What one question answered.
struct Looked {
    verdicts: Vec<Verdict>,
    sizes: BTreeMap<String, i64>,
}

impl<P: Product> Survey<'_, P> {
    /// Adds all that is to be said of this node's schemas.
    pub(super) async fn look(&self, examined: &mut Examined) -> Result<(), RunError> {
        examined.nodes.push(self.place().await?);
        let known: HashSet<String> = {
            use sea_orm_migration::MigratorTraitSelf as _;
            let migrations = self.inner.product.migrator().migrations();
            migrations.iter().map(|one| one.name().to_owned()).collect()
        };
        let (mut judged, mut after) = (Judged::new(), String::new());
        loop {
            let listed = self.listed(&after).await?;
            let Some(last) = listed.last() else {
                return Ok(());
            };
            after = last.schema.to_string();
            let tx = read_only(self.site.database(&self.inner.db)).await?;
            let looked = self.judge(&tx, &listed, &mut judged).await;
            let looked = finish(tx, looked).await?;
            let still = self.still_there(&listed, &looked.verdicts).await?;
            self.note(listed, looked, &still, &known, examined).await?;
        }
    }

    async fn judge(
        &self,
        tx: &DatabaseTransaction,
        listed: &[Listed],
        judged: &mut Judged,
    ) -> Result<Looked, DbErr> {
        let schemas: Vec<_> = listed.iter().map(|one| one.schema.clone()).collect();
        let marks = fingerprint::marks_in(tx, &schemas).await?;
        let mut verdicts = vec![];
        for one in listed {
            let Some(mark) = marks.get(one.schema.as_str()).copied() else {
                verdicts.push(Verdict::NoSchema);
                continue;
            };
            let key = (one.version.clone(), mark);
            let verdict = match (judged.get(&key), self.references.get(&one.version)) {
                (Some(known), _) => known.clone(),
                (None, None) => Verdict::NoReference,
                (None, Some(should)) => {
                    let is = fingerprint::shape(tx, &one.schema).await?;
                    match is.difference(should) {
                        None => Verdict::Fine,
                        Some(difference) => Verdict::Differs(Arc::new(difference)),
                    }
                }
            };
            judged.insert(key, verdict.clone());
            verdicts.push(verdict);
        }
        let sizes = match self.depth {
            Depth::Structure => BTreeMap::new(),
            Depth::Sizes => sizes(tx, &schemas).await?,
        };
        Ok(Looked { verdicts, sizes })
    }

    /// Those of whom something bad would be said and who still stand where they stood: the
    /// directory was read before the schemas were.
    async fn still_there(
        &self,
        listed: &[Listed],
        verdicts: &[Verdict],
    ) -> Result<HashSet<Uuid>, DbErr> {
        let bad = listed
            .iter()
            .zip(verdicts)
            .filter(|(_, verdict)| matches!(verdict, Verdict::Differs(_) | Verdict::NoSchema));
        let (ids, versions): (Vec<Uuid>, Vec<String>) =
            bad.map(|(one, _)| (one.id, one.version.clone())).unzip();
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        let still: Vec<Uuid> = column(
            &self.inner.db,
            "SELECT t.id FROM unnest($1::uuid[], $2::text[]) s (id, version)
             JOIN platform.tenant t ON t.id = s.id AND t.schema_version = s.version
                 AND t.status NOT IN ('provisioning', 'archived', 'gone')",
            [ids.into(), versions.into()],
        )
        .await?;
        Ok(still.into_iter().collect())
    }

    async fn note(
        &self,
        listed: Vec<Listed>,
        looked: Looked,
        still: &HashSet<Uuid>,
        known: &HashSet<String>,
        examined: &mut Examined,
    ) -> Result<(), DbErr> {
        let mut seen = Seen::default();
        for (one, verdict) in listed.into_iter().zip(looked.verdicts) {
            examined.looked_at += 1;
            let size = looked.sizes.get(one.schema.as_str()).copied();
            let named = Named {
                slug: one.slug.clone(),
                version: one.version.clone(),
                node: self.site.node.name.clone(),
            };
            match verdict {
                Verdict::Fine => seen.add(one.id, None, size),
                Verdict::NoReference => {
                    seen.add(one.id, None, size);
                    match known.contains(&one.version) {
                        true => examined.not_compared.push(named),
                        false => examined.ahead.push(named),
                    }
                }
                _ if !still.contains(&one.id) => examined.moved.push(named),
                Verdict::NoSchema => {
                    seen.add(one.id, Some(&no_schema()), size);
                    examined.schema_missing.push(named);
                }
                Verdict::Differs(difference) => {
                    seen.add(one.id, Some(&difference.to_json()), size);
                    examined.drifted.push(Drifted {
                        tenant_id: one.id,
                        slug: one.slug,
                        schema: one.schema,
                        version: one.version,
                        node: named.node,
                        difference,
                    });
                }
            }
        }
        match self.keep {
            Keep::Vitals => seen.keep(self.inner).await,
            Keep::Nothing => Ok(()),
        }
    }

    /// The next tenants of the node, in the order of their schemas.
    async fn listed(&self, after: &str) -> Result<Vec<Listed>, RunError> {
        let rows = all(
            &self.inner.db,
            "SELECT t.id, t.slug, t.schema_name, t.schema_version
             FROM platform.tenant t JOIN platform.lane l ON l.id = t.lane_id
             WHERE l.node_id = $1 AND t.schema_name > $2
                 AND t.status NOT IN ('provisioning', 'archived', 'gone')
             ORDER BY t.schema_name LIMIT $3",
            [self.site.id().into(), after.into(), AT_ONCE.into()],
        )
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Listed {
                    id: row.try_get("", "id")?,
                    slug: row.try_get("", "slug")?,
                    schema: SchemaName::parse(&row.try_get::<String>("", "schema_name")?)?,
                    version: row.try_get("", "schema_version")?,
                })
            })
            .collect()
    }

    async fn place(&self) -> Result<Place, DbErr> {
        let tx = read_only(self.site.database(&self.inner.db)).await?;
        let owner: Result<Vec<String>, DbErr> = column(
            &tx,
            "SELECT quote_ident(pg_get_userbyid(nspowner)) FROM pg_catalog.pg_namespace
             WHERE nspname IN ('platform', 'shared') ORDER BY nspname LIMIT 1",
            [],
        )
        .await;
        let node = &self.site.node;
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
        let parts = [
            node.host
                .as_deref()
                .map(|host| format!("host='{}'", quoted(host))),
            node.port.map(|port| format!("port={port}")),
            node.database
                .as_deref()
                .map(|name| format!("dbname='{}'", quoted(name))),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        Ok(Place {
            name: node.name.clone(),
            owner: finish(tx, owner).await?.pop(),
            address: (!self.site.is_own()).then(|| parts.join(" ")),
        })
    }
}
