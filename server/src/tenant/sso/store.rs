//! Rows of single sign-on.

use ::entity::tenant::member::{Role, Status};
use ::entity::tenant::{member, one_time_token, sso_connection, sso_domain, sso_identity};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Statement,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::TenantTx;

/// What it is among tokens that are good once.
const KIND: &str = "sso_state";

pub(super) async fn connections(tx: &TenantTx) -> Result<Vec<sso_connection::Model>, DbErr> {
    sso_connection::Entity::find()
        .order_by_asc(sso_connection::Column::Name)
        .all(tx)
        .await
}

pub(super) async fn connection(
    tx: &TenantTx,
    id: Uuid,
) -> Result<Option<sso_connection::Model>, DbErr> {
    sso_connection::Entity::find_by_id(id).one(tx).await
}

pub(super) async fn locked_connection(
    tx: &TenantTx,
    id: Uuid,
) -> Result<Option<sso_connection::Model>, DbErr> {
    let found = sso_connection::Entity::find_by_id(id).lock_exclusive();
    found.one(tx).await
}

/// All domains, of one connection or of all, by name.
pub(super) async fn domains(
    tx: &TenantTx,
    connection: Option<Uuid>,
) -> Result<Vec<sso_domain::Model>, DbErr> {
    let mut query = sso_domain::Entity::find().order_by_asc(sso_domain::Column::Domain);
    if let Some(connection) = connection {
        query = query.filter(sso_domain::Column::ConnectionId.eq(connection));
    }
    query.all(tx).await
}

/// A domain of a connection.
pub(super) async fn domain(
    tx: &TenantTx,
    connection: Uuid,
    domain: &str,
) -> Result<Option<sso_domain::Model>, DbErr> {
    sso_domain::Entity::find_by_id(domain)
        .filter(sso_domain::Column::ConnectionId.eq(connection))
        .one(tx)
        .await
}

/// The connection in use that has proven a domain.
pub(super) async fn connection_of(
    tx: &TenantTx,
    domain: &str,
) -> Result<Option<sso_connection::Model>, DbErr> {
    let proven = sso_domain::Entity::find_by_id(domain)
        .filter(sso_domain::Column::VerifiedAt.is_not_null())
        .one(tx)
        .await?;
    let Some(proven) = proven else {
        return Ok(None);
    };
    sso_connection::Entity::find_by_id(proven.connection_id)
        .filter(sso_connection::Column::IsEnabled.eq(true))
        .one(tx)
        .await
}

/// Forgets who was who at a connection.
pub(super) async fn forget_identities(tx: &TenantTx, connection: Uuid) -> Result<(), DbErr> {
    sso_identity::Entity::delete_many()
        .filter(sso_identity::Column::ConnectionId.eq(connection))
        .exec(tx)
        .await?;
    Ok(())
}

/// Whether some owner gets in without the provider: by password and second factor.
pub(super) async fn somebody_can_break_the_glass(tx: &TenantTx) -> Result<bool, DbErr> {
    let sql = "SELECT EXISTS (SELECT FROM member m
        JOIN totp_credential t ON t.member_id = m.id AND t.confirmed_at IS NOT NULL
        WHERE m.role = 'owner' AND m.status = 'active' AND m.password_hash IS NOT NULL) AS it";
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    match tx.query_one_raw(statement).await? {
        Some(row) => row.try_get("", "it"),
        None => Ok(false),
    }
}

/// Marks a journey as over. Says whether it was not: it comes to its end once.
pub(super) async fn end_journey(
    tx: &TenantTx,
    hash: Vec<u8>,
    (now, forgotten_at): (OffsetDateTime, OffsetDateTime),
) -> Result<bool, DbErr> {
    let over = one_time_token::ActiveModel {
        hash: Set(hash),
        kind: Set(KIND.to_owned()),
        member_id: Set(None),
        payload: Set(serde_json::json!({})),
        created_at: Set(now),
        expires_at: Set(forgotten_at),
        used_at: Set(Some(now)),
    };
    let once = OnConflict::column(one_time_token::Column::Hash)
        .do_nothing()
        .to_owned();
    let marked = one_time_token::Entity::insert(over)
        .on_conflict(once)
        .exec_without_returning(tx)
        .await?;
    Ok(marked == 1)
}

/// Whom a provider's subject is.
pub(super) async fn member_of(
    tx: &TenantTx,
    connection: Uuid,
    subject: &str,
) -> Result<Option<member::Model>, DbErr> {
    let identity = sso_identity::Entity::find_by_id((connection, subject.to_owned()));
    let Some(identity) = identity.one(tx).await? else {
        return Ok(None);
    };
    member::Entity::find_by_id(identity.member_id).one(tx).await
}

pub(super) async fn member_by_email(
    tx: &TenantTx,
    email: &str,
) -> Result<Option<member::Model>, DbErr> {
    member::Entity::find()
        .filter(member::Column::Email.eq(email))
        .one(tx)
        .await
}

/// Makes a member, unless somebody has the address by now.
pub(super) async fn make_member(
    tx: &TenantTx,
    id: Uuid,
    (email, name): (&str, &str),
    role: Role,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let new = member::ActiveModel {
        id: Set(id),
        email: Set(email.to_owned()),
        name: Set(name.to_owned()),
        role: Set(role),
        status: Set(Status::Active),
        password_hash: Set(None),
        token_version: Set(0),
        email_verified_at: Set(Some(now)),
        password_changed_at: Set(None),
        last_sign_in_at: Set(None),
        mail_bounced_at: Set(None),
        branch_id: Set(None),
        role_id: Set(None),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let unless_there = OnConflict::column(member::Column::Email)
        .do_nothing()
        .to_owned();
    member::Entity::insert(new)
        .on_conflict(unless_there)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Remembers whom a subject is, and that they were here.
pub(super) async fn remember(
    tx: &TenantTx,
    (connection, subject): (Uuid, &str),
    member: Uuid,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let identity = sso_identity::ActiveModel {
        connection_id: Set(connection),
        subject: Set(subject.to_owned()),
        member_id: Set(member),
        created_at: Set(now),
        last_used_at: Set(now),
    };
    let again = OnConflict::columns([
        sso_identity::Column::ConnectionId,
        sso_identity::Column::Subject,
    ])
    .value(sso_identity::Column::LastUsedAt, Expr::value(now))
    .to_owned();
    sso_identity::Entity::insert(identity)
        .on_conflict(again)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
