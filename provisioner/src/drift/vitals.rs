//! What is kept of what was seen, for `status` and lists.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbErr};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::query::{all, run};
use crate::{Inner, SchemaName};

/// What was seen of some tenants.
#[derive(Default)]
pub(super) struct Seen {
    ids: Vec<Uuid>,
    differences: Vec<String>,
    /// Bytes; less than nothing where nobody measured.
    sizes: Vec<i64>,
}

impl Seen {
    pub(super) fn add(&mut self, id: Uuid, difference: Option<&Value>, size: Option<i64>) {
        self.ids.push(id);
        self.differences
            .push(difference.map_or_else(String::new, Value::to_string));
        self.sizes.push(size.unwrap_or(-1));
    }

    /// Writes it down.
    pub(super) async fn keep<P>(self, inner: &Inner<P>) -> Result<(), DbErr> {
        run(
            &inner.db,
            "INSERT INTO platform.tenant_vitals AS v (tenant_id, drift, size_bytes, examined_at)
             SELECT s.id, nullif(s.difference, '')::jsonb, nullif(s.size, -1), now()
             FROM unnest($1::uuid[], $2::text[], $3::bigint[]) s (id, difference, size)
             WHERE EXISTS (SELECT FROM platform.tenant t WHERE t.id = s.id)
             ON CONFLICT (tenant_id) DO UPDATE SET drift = excluded.drift,
                 examined_at = excluded.examined_at,
                 size_bytes = coalesce(excluded.size_bytes, v.size_bytes)",
            [self.ids.into(), self.differences.into(), self.sizes.into()],
        )
        .await?;
        Ok(())
    }
}

/// The difference of a tenant that has no schema at all.
pub(super) fn no_schema() -> Value {
    let none = json!({"count": 0, "objects": [], "definitions": {}});
    json!({
        "missing": {"count": 1, "objects": ["schema"], "definitions": {}},
        "extra": none,
        "changed": none,
        "words": ["schema: it is missing"],
    })
}

/// Tables with their indexes and what was moved out of line, in bytes.
pub(super) async fn sizes(
    there: &impl ConnectionTrait,
    schemas: &[SchemaName],
) -> Result<BTreeMap<String, i64>, DbErr> {
    let names: Vec<String> = schemas.iter().map(ToString::to_string).collect();
    let rows = all(
        there,
        "SELECT n.nspname::text AS schema, sum(pg_total_relation_size(c.oid))::bigint AS size
         FROM pg_catalog.pg_namespace n
         JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass
             AND d.refobjid = n.oid AND d.refobjsubid = 0
             AND d.classid = 'pg_catalog.pg_class'::regclass
         JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'm')
         WHERE n.nspname = ANY ($1::text[]) GROUP BY 1",
        [names.into()],
    )
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "schema")?, row.try_get("", "size")?)))
        .collect()
}
