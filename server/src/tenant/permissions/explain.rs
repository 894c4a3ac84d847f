//! Why somebody may do something, or may not.

use ::entity::tenant::{member, role};
use sea_orm::{ActiveEnum, DbErr, EntityTrait};
use serde::Serialize;
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::{AuthError, Entry, Principal, Scope, person_of, scope};
use crate::db::TenantTx;
use crate::http::{Code, Problem};

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    pub permission: &'static Entry,
    /// Who would do it.
    pub member: Uuid,
    /// To whose things.
    pub target: Option<Uuid>,
}

/// What can't be explained.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExplainError {
    /// One of the two isn't there.
    #[error("member does not exist")]
    MemberNotFound,
    /// Who they are could not be found out.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}

/// Whether somebody may do something, and what decides it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExplanationOut {
    permission: &'static str,
    member_id: Uuid,
    /// Whether all conditions that can be told are met.
    allowed: bool,
    role: RoleRefOut,
    /// How far it reaches by the role; null when the role doesn't allow it.
    #[schema(required)]
    scope: Option<Scope>,
    /// What has to be so, in the order it is looked at.
    conditions: Vec<ConditionOut>,
}

/// The role that somebody has.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct RoleRefOut {
    /// Null for a built-in role.
    #[schema(required)]
    id: Option<Uuid>,
    name: String,
}

/// Something that has to be so.
#[derive(Debug, Serialize, ToSchema)]
struct ConditionOut {
    condition: Condition,
    /// Null when it can only be told to the person themselves.
    #[schema(required)]
    met: Option<bool>,
}

/// What has to be so.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Condition {
    /// The member may sign in.
    MemberIsActive,
    /// Their role allows it.
    RoleAllows,
    /// It reaches over whose things it would be done to.
    ScopeReaches,
    /// The API key that they ask with was given it.
    KeyAllows,
    /// They have the second factor that their role asks for.
    SecondFactorIsSetUp,
    /// They proved a moment ago who they are.
    ProofIsRecent,
}

/// Explains it; `asker` is whoever wants to know.
pub(super) async fn explain(
    tx: &TenantTx,
    asker: &Principal,
    question: Question,
    proof_counts_for: Duration,
    now: OffsetDateTime,
) -> Result<ExplanationOut, ExplainError> {
    let member = find(tx, question.member).await?;
    let is_active = member.status == member::Status::Active;
    let role = role_of(tx, &member).await?;
    let (person, grants) = person_of(tx, member).await?;
    let held = grants.scope_of(question.permission.name);
    let mut conditions = vec![
        told(Condition::MemberIsActive, is_active),
        told(Condition::RoleAllows, held.is_some()),
    ];
    if let Some(target) = question.target {
        let target = scope::reached(tx, &find(tx, target).await?).await?;
        let reaches = held.is_some_and(|held| scope::reaches(held, &person, &target));
        conditions.push(told(Condition::ScopeReaches, reaches));
    }
    let is_own = asker.person.id == question.member;
    match asker.session().filter(|_| is_own) {
        Some(session) => {
            let has_enrolled = !session.must_enrol;
            conditions.push(told(Condition::SecondFactorIsSetUp, has_enrolled));
            if question.permission.needs_proof {
                let is_recent = now - session.proven_at <= proof_counts_for;
                conditions.push(told(Condition::ProofIsRecent, is_recent));
            }
        }
        None if is_own => {
            let key_has_it = asker.grants.allow(question.permission.name);
            conditions.push(told(Condition::KeyAllows, key_has_it));
        }
        None if question.permission.needs_proof => conditions.push(ConditionOut {
            condition: Condition::ProofIsRecent,
            met: None,
        }),
        None => {}
    }
    Ok(ExplanationOut {
        permission: question.permission.name,
        member_id: question.member,
        allowed: conditions.iter().all(|one| one.met != Some(false)),
        role,
        scope: held,
        conditions,
    })
}

impl RoleRefOut {
    pub(super) fn built_in(role: member::Role) -> Self {
        Self {
            id: None,
            name: role.to_value(),
        }
    }

    pub(super) fn own(id: Uuid, name: String) -> Self {
        Self { id: Some(id), name }
    }
}

fn told(condition: Condition, is_met: bool) -> ConditionOut {
    ConditionOut {
        condition,
        met: Some(is_met),
    }
}

async fn find(tx: &TenantTx, id: Uuid) -> Result<member::Model, ExplainError> {
    let member = member::Entity::find_by_id(id).one(tx).await?;
    member.ok_or(ExplainError::MemberNotFound)
}

async fn role_of(tx: &TenantTx, member: &member::Model) -> Result<RoleRefOut, DbErr> {
    let own = match member.role_id {
        Some(id) => role::Entity::find_by_id(id).one(tx).await?,
        None => None,
    };
    Ok(match own {
        Some(role) => RoleRefOut::own(role.id, role.name),
        None => RoleRefOut::built_in(member.role),
    })
}

impl From<ExplainError> for Problem {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::MemberNotFound => Self::new(Code::MemberNotFound).detail(error),
            ExplainError::Auth(error) => error.into(),
            ExplainError::Db(error) => Self::database(&error),
        }
    }
}
