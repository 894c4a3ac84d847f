//! Queries over the tree of groups.

use sea_orm::sea_query::ArrayType;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::TenantTx;

/// A group with the names that lead to it.
#[derive(Debug, Clone, FromQueryResult)]
pub struct GroupRow {
    /// UUIDv7.
    pub id: Uuid,
    /// The group it lies in.
    pub parent_id: Option<Uuid>,
    /// Unique among its siblings.
    pub name: String,
    /// From the root to the group itself.
    pub path: Vec<String>,
    /// Goes up with every change.
    pub version: i64,
    /// UTC.
    pub created_at: OffsetDateTime,
    /// UTC.
    pub updated_at: OffsetDateTime,
}

const TREE: &str = "WITH RECURSIVE tree AS (
    SELECT id, parent_id, name, ARRAY[name] AS path, version, created_at, updated_at
    FROM item_group WHERE parent_id IS NULL
    UNION ALL
    SELECT g.id, g.parent_id, g.name, t.path || g.name, g.version, g.created_at, g.updated_at
    FROM item_group g JOIN tree t ON g.parent_id = t.id
) SELECT id, parent_id, name, path, version, created_at, updated_at FROM tree";

/// Groups in the order of the tree, parents before their children.
pub(super) async fn list(
    tx: &TenantTx,
    parent: Option<Uuid>,
    after: Option<Vec<String>>,
    limit: u64,
) -> Result<Vec<GroupRow>, DbErr> {
    let sql = format!(
        "{TREE} WHERE ($1::uuid IS NULL OR parent_id = $1) AND ($2::text[] IS NULL OR path > $2) \
         ORDER BY path LIMIT $3"
    );
    let after = Value::Array(
        ArrayType::String,
        after.map(|path| Box::new(path.into_iter().map(Value::from).collect())),
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    select(tx, sql, [parent.into(), after, limit.into()]).await
}

/// One group.
pub(super) async fn find(tx: &TenantTx, id: Uuid) -> Result<Option<GroupRow>, DbErr> {
    Ok(select(tx, format!("{TREE} WHERE id = $1"), [id.into()])
        .await?
        .pop())
}

/// Every group, for work on the whole tree.
///
/// # Errors
///
/// Any [`DbErr`].
pub async fn all_paths(tx: &TenantTx) -> Result<Vec<GroupRow>, DbErr> {
    select(tx, TREE.to_owned(), []).await
}

/// Whether `inner` is `outer` or lies within it.
pub(super) async fn lies_within(tx: &TenantTx, inner: Uuid, outer: Uuid) -> Result<bool, DbErr> {
    let sql = "WITH RECURSIVE up AS (
            SELECT id, parent_id FROM item_group WHERE id = $1
            UNION ALL
            SELECT g.id, g.parent_id FROM item_group g JOIN up ON g.id = up.parent_id
        ) SELECT id FROM up WHERE id = $2";
    let statement =
        Statement::from_sql_and_values(DbBackend::Postgres, sql, [inner.into(), outer.into()]);
    Ok(tx.query_one_raw(statement).await?.is_some())
}

/// Lets one move through at a time: two at once could close a circle that neither sees.
pub(super) async fn one_move_at_a_time(tx: &TenantTx) -> Result<(), DbErr> {
    let lock = "LOCK TABLE item_group IN SHARE ROW EXCLUSIVE MODE";
    tx.execute_raw(Statement::from_string(DbBackend::Postgres, lock))
        .await?;
    Ok(())
}

/// A group to be added.
#[derive(Debug, Clone)]
pub struct GroupToAdd {
    /// Its id, made by the caller.
    pub id: Uuid,
    /// The group it lies in.
    pub parent_id: Option<Uuid>,
    /// Its name.
    pub name: String,
}

/// Adds groups in the given order, parents before their children, in one statement.
///
/// # Errors
///
/// Any [`DbErr`].
pub async fn add_all(
    tx: &TenantTx,
    groups: Vec<GroupToAdd>,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    if groups.is_empty() {
        return Ok(());
    }
    let mut columns: [Vec<Value>; 3] = Default::default();
    for group in groups {
        columns[0].push(group.id.into());
        // An array holds no nulls on its way to the database, so a root says it in words.
        columns[1].push(
            group
                .parent_id
                .map_or_else(String::new, |id| id.to_string())
                .into(),
        );
        columns[2].push(group.name.into());
    }
    let [ids, parents, names] = columns.map(Box::new);
    let sql = "INSERT INTO item_group (id, parent_id, name, created_at, updated_at) \
         SELECT id, nullif(parent, '')::uuid, name, $4, $4 \
         FROM unnest($1::uuid[], $2::text[], $3::text[]) AS new (id, parent, name)";
    let values = [
        Value::Array(ArrayType::Uuid, Some(ids)),
        Value::Array(ArrayType::String, Some(parents)),
        Value::Array(ArrayType::String, Some(names)),
        now.into(),
    ];
    tx.execute_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        values,
    ))
    .await?;
    Ok(())
}

async fn select<const N: usize>(
    tx: &TenantTx,
    sql: String,
    values: [Value; N],
) -> Result<Vec<GroupRow>, DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    GroupRow::find_by_statement(statement).all(tx).await
}
