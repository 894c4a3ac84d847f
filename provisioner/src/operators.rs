//! Operators: the people who run the platform, and what they may do. Once there is an active admin
//! there always is one, whatever two of them do to each other at the same moment.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use entity::platform::{operator, operator_session, security_event};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveEnum as _, ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, Condition,
    ConnectionTrait as _, DatabaseTransaction, DbErr, EntityTrait as _, IntoActiveModel as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

pub use entity::platform::operator::{Role, Status};

use crate::history::now;
use crate::transaction::{Limits, act_as_owner, begin, finish, to_the_end};
use crate::{Email, Product, Provisioner, TenantName, db_error};

/// A handful of rows, changed by hand.
const LIMITS: Limits = Limits {
    lock_timeout: Duration::from_secs(10),
    statement_timeout: Duration::from_secs(10),
    silence: None,
};

/// Whoever changes one waits for whoever is just changing another: the last two admins must not
/// disable each other. Readers and sign-ins don't wait.
const ONE_AT_A_TIME: &str = "LOCK TABLE platform.operator IN SHARE ROW EXCLUSIVE MODE";

/// An operator, without what they sign in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorEntry {
    /// Never changes; what stands in histories.
    pub id: Uuid,
    /// Folded to lower case.
    pub email: String,
    /// How to address them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in.
    pub status: Status,
    /// When they were added.
    pub created_at: OffsetDateTime,
    /// When anything of this last changed.
    pub updated_at: OffsetDateTime,
}

/// An operator to be added.
#[derive(Clone)]
pub struct NewOperator {
    /// They sign in with it.
    pub email: Email,
    /// How to address them; on one line, as names of tenants.
    pub name: TenantName,
    /// What they may do.
    pub role: Role,
    /// PHC string, see [`crate::password::hash`].
    pub password_hash: String,
}

/// Shows what they may do, and neither who nor with what password.
impl fmt::Debug for NewOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewOperator")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// What becomes of an operator; what is nothing stays.
#[derive(Clone, Default)]
pub struct ChangeOperator {
    /// What they may do.
    pub role: Option<Role>,
    /// Whether they may sign in.
    pub status: Option<Status>,
    /// PHC string, see [`crate::password::hash`].
    pub password_hash: Option<String>,
}

impl fmt::Debug for ChangeOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeOperator")
            .field("role", &self.role)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Why an operator stayed as they were.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// Somebody has this address.
    #[error("there is an operator {0} already")]
    EmailTaken(Email),
    /// Nobody has this address or id.
    #[error("there is no operator {0:?}")]
    NotFound(String),
    /// Nobody would be left who may do everything.
    #[error("{0} is the last active admin")]
    LastAdmin(String),
    /// A statement failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}

impl<P: Product> Provisioner<P> {
    /// All operators, by address.
    ///
    /// # Errors
    ///
    /// [`OperatorError::Db`].
    pub async fn operators(&self) -> Result<Vec<OperatorEntry>, OperatorError> {
        let rows = operator::Entity::find()
            .order_by_asc(operator::Column::Email)
            .all(&self.inner.db)
            .await?;
        Ok(rows.into_iter().map(OperatorEntry::from).collect())
    }

    /// Adds one, who may sign in at once.
    ///
    /// # Errors
    ///
    /// [`OperatorError::EmailTaken`], [`OperatorError::Db`].
    pub async fn add_operator(
        &self,
        new: NewOperator,
        actor: &str,
    ) -> Result<OperatorEntry, OperatorError> {
        let (inner, actor) = (Arc::clone(&self.inner), actor.to_owned());
        to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = add_in(&tx, new, &actor).await;
            finish(tx, outcome).await
        })
        .await
    }

    /// Changes one, by address or id. Whatever changes, all that was ever issued to them stops
    /// working, within seconds.
    ///
    /// # Errors
    ///
    /// [`OperatorError::LastAdmin`] when nobody would be left who may do everything;
    /// [`OperatorError::NotFound`], [`OperatorError::Db`].
    pub async fn change_operator(
        &self,
        email_or_id: &str,
        change: ChangeOperator,
        actor: &str,
    ) -> Result<OperatorEntry, OperatorError> {
        let inner = Arc::clone(&self.inner);
        let (who, actor) = (email_or_id.to_owned(), actor.to_owned());
        to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = change_in(&tx, &who, change, &actor).await;
            finish(tx, outcome).await
        })
        .await
    }
}

async fn add_in(
    tx: &DatabaseTransaction,
    new: NewOperator,
    actor: &str,
) -> Result<OperatorEntry, OperatorError> {
    act_as_owner(tx).await?;
    let at = now();
    let row = operator::ActiveModel {
        id: Set(Uuid::now_v7()),
        email: Set(new.email.to_string()),
        name: Set(new.name.to_string()),
        role: Set(new.role),
        status: Set(Status::Active),
        password_hash: Set(new.password_hash),
        token_version: Set(0),
        created_at: Set(at),
        updated_at: Set(at),
    };
    let added = row.insert(tx).await.map_err(|error| {
        if db_error::constraint(&error) == Some("operator_email_key") {
            OperatorError::EmailTaken(new.email)
        } else {
            error.into()
        }
    })?;
    put_on_record(tx, "operator_added", &added, actor, at).await?;
    Ok(added.into())
}

async fn change_in(
    tx: &DatabaseTransaction,
    who: &str,
    change: ChangeOperator,
    actor: &str,
) -> Result<OperatorEntry, OperatorError> {
    act_as_owner(tx).await?;
    tx.execute_unprepared(ONE_AT_A_TIME).await?;
    let row = operator::Entity::find().filter(named(who)).one(tx).await?;
    let row = row.ok_or_else(|| OperatorError::NotFound(who.to_owned()))?;
    let role = change.role.unwrap_or(row.role);
    let status = change.status.unwrap_or(row.status);
    if role == row.role && status == row.status && change.password_hash.is_none() {
        return Ok(row.into());
    }
    let rules = |role, status| role == Role::Admin && status == Status::Active;
    if rules(row.role, row.status) && !rules(role, status) && admins(tx).await? == 1 {
        return Err(OperatorError::LastAdmin(row.email));
    }
    let (id, at, version) = (row.id, now(), row.token_version);
    let mut changed = row.into_active_model();
    changed.role = Set(role);
    changed.status = Set(status);
    if let Some(hash) = change.password_hash {
        changed.password_hash = Set(hash);
    }
    changed.token_version = Set(version + 1);
    changed.updated_at = Set(at);
    let changed = changed.update(tx).await?;
    operator_session::Entity::update_many()
        .col_expr(operator_session::Column::RevokedAt, Expr::value(at))
        .filter(operator_session::Column::OperatorId.eq(id))
        .filter(operator_session::Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    put_on_record(tx, "operator_changed", &changed, actor, at).await?;
    Ok(changed.into())
}

/// How many may do everything.
async fn admins(tx: &DatabaseTransaction) -> Result<u64, DbErr> {
    operator::Entity::find()
        .filter(operator::Column::Role.eq(Role::Admin))
        .filter(operator::Column::Status.eq(Status::Active))
        .count(tx)
        .await
}

/// By id in the usual form, else by address.
fn named(who: &str) -> Condition {
    match Uuid::try_parse(who) {
        Ok(id) => Condition::all().add(operator::Column::Id.eq(id)),
        Err(_) => Condition::all().add(operator::Column::Email.eq(who.trim().to_lowercase())),
    }
}

/// Who may do what is worth knowing afterwards; ids, no addresses.
async fn put_on_record(
    tx: &DatabaseTransaction,
    kind: &str,
    operator: &operator::Model,
    actor: &str,
    at: OffsetDateTime,
) -> Result<(), DbErr> {
    let detail = json!({
        "operator": operator.id,
        "role": operator.role.to_value(),
        "status": operator.status.to_value(),
        "actor": actor,
    });
    let event = security_event::ActiveModel {
        id: Set(Uuid::now_v7()),
        tenant_id: Set(None),
        kind: Set(kind.to_owned()),
        detail: Set(detail),
        request_id: Set(None),
        at: Set(at),
    };
    security_event::Entity::insert(event)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

impl From<operator::Model> for OperatorEntry {
    fn from(row: operator::Model) -> Self {
        Self {
            id: row.id,
            email: row.email,
            name: row.name,
            role: row.role,
            status: row.status,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
