//! Queries of the trail, each served by an index.

use ::entity::tenant::audit_head;
use ::entity::tenant::audit_record::{Column, Entity};
use ::entity::tenant::{api_key, member};
use sea_orm::sea_query::{Expr, ExprTrait, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
};
use uuid::Uuid;

use super::model::{Filter, Viewer, first_id_at};
use crate::auth::Scope;
use crate::auth::scope::{member_ids_within, members_within};
use crate::db::TenantTx;

/// A record; `content` is the very text that was hashed.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Row {
    pub seq: i64,
    pub content: String,
    pub hash: Vec<u8>,
}

/// The newest first.
pub(super) async fn newest(
    tx: &TenantTx,
    viewer: Viewer<'_>,
    filter: &Filter,
    before: Option<i64>,
    limit: u64,
) -> Result<Vec<Row>, DbErr> {
    rows(
        wanted(filter)
            .add(seen_by(viewer))
            .add_option(before.map(|seq| Column::Seq.lt(seq))),
    )
    .order_by_desc(Column::Seq)
    .limit(limit)
    .into_model()
    .all(tx)
    .await
}

/// In the order of the chain, after one record and up to another.
pub(super) async fn in_order(
    tx: &TenantTx,
    filter: &Filter,
    (after, last): (i64, i64),
    limit: u64,
) -> Result<Vec<Row>, DbErr> {
    let between = Condition::all()
        .add(Column::Seq.gt(after))
        .add(Column::Seq.lte(last));
    rows(wanted(filter).add(between))
        .order_by_asc(Column::Seq)
        .limit(limit)
        .into_model()
        .all(tx)
        .await
}

pub(super) async fn find(
    tx: &TenantTx,
    viewer: Viewer<'_>,
    id: Uuid,
) -> Result<Option<Row>, DbErr> {
    rows(Condition::all().add(Column::Id.eq(id)).add(seen_by(viewer)))
        .into_model()
        .one(tx)
        .await
}

/// How far the trail has come.
pub(super) async fn last_seq(tx: &TenantTx) -> Result<i64, DbErr> {
    let head = audit_head::Entity::find().one(tx).await?;
    Ok(head.map_or(0, |head| head.seq))
}

fn rows(which: Condition) -> Select<Entity> {
    let content = Expr::col(Column::Content).cast_as("text");
    Entity::find()
        .select_only()
        .column(Column::Seq)
        .expr_as(content, "content")
        .column(Column::Hash)
        .filter(which)
}

fn wanted(filter: &Filter) -> Condition {
    let text = |column: Column, value: &Option<String>| value.clone().map(|text| column.eq(text));
    Condition::all()
        .add_option(filter.actor_id.map(|id| Column::ActorId.eq(id.to_string())))
        .add_option(text(Column::ActorKind, &filter.actor_kind))
        .add_option(text(Column::Action, &filter.action))
        .add_option(text(Column::TargetKind, &filter.target_kind))
        .add_option(text(Column::TargetId, &filter.target_id))
        // The times are exact, and the ids have the index.
        .add_option(filter.since.map(|at| Column::Id.gte(first_id_at(at))))
        .add_option(filter.since.map(|at| Column::At.gte(at)))
        .add_option(filter.until.map(|at| Column::At.lt(at)))
        .add_option(
            filter
                .until
                .map(|at| Column::Id.lt(first_id_at(at + MILLISECOND))),
        )
}

const MILLISECOND: time::Duration = time::Duration::milliseconds(1);

/// What was done by those whom the viewer reaches over, and by the keys that they made.
fn seen_by(viewer: Viewer<'_>) -> Condition {
    let Some(ids) = member_ids_within(viewer.scope, viewer.person) else {
        return Condition::all();
    };
    let keys = api_key::Entity::find()
        .select_only()
        .expr(Expr::col(api_key::Column::Id).cast_as("text"))
        .filter(api_key::Column::MemberId.in_subquery(ids));
    Condition::any()
        .add(Column::ActorId.in_subquery(people(viewer)))
        .add(Column::ActorId.in_subquery(keys.into_query()))
}

fn people(viewer: Viewer<'_>) -> SelectStatement {
    debug_assert!(viewer.scope < Scope::All, "whoever sees all needs no list");
    member::Entity::find()
        .select_only()
        .expr(Expr::col(member::Column::Id).cast_as("text"))
        .filter(members_within(viewer.scope, viewer.person))
        .into_query()
}
