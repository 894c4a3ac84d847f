//! Asking for the second factor between a proof of who somebody is and their session.

use ::entity::tenant::{member, one_time_token};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::code::{self, Given};
use super::error::SecondFactorError;
use super::service::{self, Keeper};
use crate::auth::{
    Beginning, Client, Issued, Method, Sessions, Visitor, has_second_factor, security_policy,
};
use crate::db::TenantTx;

/// What it is among tokens that are good once.
const KIND: &str = "second_factor";
/// Life of a challenge.
pub(super) const LIFE: Duration = Duration::minutes(5);
/// Wrong codes that end it.
const WRONG_CODES: u8 = 5;

/// What comes of a proof of who somebody is.
#[derive(Debug)]
pub enum Entry {
    /// A session.
    Begun(Box<Issued>),
    /// A question: a session comes of its answer.
    Asked(Challenge),
}

/// What belongs to an answer, to be told once.
pub struct Challenge(String);

/// What becomes of an answer.
pub(super) enum Outcome {
    /// It was right.
    Right(Box<Issued>, Method),
    /// It was not; that is counted, and must be committed before the caller refuses.
    Wrong,
}

/// How the session is to begin.
#[derive(Serialize, Deserialize)]
struct Intent {
    method: String,
    client: String,
    user_agent: Option<String>,
    address: Option<String>,
    #[serde(default)]
    wrong: u8,
}

/// Begins a session for somebody who has proven who they are, or asks for their second factor
/// first. Every way in ends here, so that none leads around it.
///
/// # Errors
///
/// [`SecondFactorError::Db`], or what beginning a session says.
pub async fn ask_or_begin(
    tx: &TenantTx,
    (sessions, keeper): (&Sessions, Keeper<'_>),
    member: member::Model,
    beginning: Beginning<'_>,
    now: OffsetDateTime,
) -> Result<Entry, SecondFactorError> {
    let is_asked = !beginning.second_factor
        && has_second_factor(tx, member.id).await?
        && security_policy(tx)
            .await?
            .0
            .asks_after(beginning.method.name());
    if is_asked {
        let challenge = ask(tx, keeper, member.id, beginning, now).await?;
        return Ok(Entry::Asked(challenge));
    }
    let issued = sessions.begin(tx, member, beginning, now).await?;
    Ok(Entry::Begun(Box::new(issued)))
}

async fn ask(
    tx: &TenantTx,
    keeper: Keeper<'_>,
    member: Uuid,
    beginning: Beginning<'_>,
    now: OffsetDateTime,
) -> Result<Challenge, SecondFactorError> {
    let text = format!("tbxc_{}", URL_SAFE_NO_PAD.encode(code::random::<32>()?));
    let visitor = beginning.visitor;
    let intent = Intent {
        method: beginning.method.name().to_owned(),
        client: visitor.client.name().to_owned(),
        user_agent: visitor.user_agent.clone(),
        address: visitor.address.clone(),
        wrong: 0,
    };
    let asked = one_time_token::ActiveModel {
        hash: Set(keeper.challenge_hash(&text)),
        kind: Set(KIND.to_owned()),
        member_id: Set(Some(member)),
        payload: Set(serde_json::to_value(&intent).map_err(broken)?),
        created_at: Set(now),
        expires_at: Set(now + LIFE),
        used_at: Set(None),
    };
    one_time_token::Entity::insert(asked)
        .exec_without_returning(tx)
        .await?;
    Ok(Challenge(text))
}

/// Whom a challenge asks, while it lives.
///
/// # Errors
///
/// [`SecondFactorError::ChallengeOver`].
pub(super) async fn asked_of(
    tx: &TenantTx,
    keeper: Keeper<'_>,
    challenge: &str,
    now: OffsetDateTime,
) -> Result<Uuid, SecondFactorError> {
    let found = one_time_token::Entity::find_by_id(keeper.challenge_hash(challenge))
        .filter(one_time_token::Column::Kind.eq(KIND))
        .filter(one_time_token::Column::UsedAt.is_null())
        .filter(one_time_token::Column::ExpiresAt.gt(now))
        .one(tx)
        .await?;
    found
        .and_then(|asked| asked.member_id)
        .ok_or(SecondFactorError::ChallengeOver)
}

/// Answers a challenge.
///
/// # Errors
///
/// [`SecondFactorError::ChallengeOver`] when it is, or its member may sign in no more.
pub(super) async fn answer(
    tx: &TenantTx,
    (sessions, keeper): (&Sessions, Keeper<'_>),
    challenge: &str,
    given: &Given,
    now: OffsetDateTime,
) -> Result<Outcome, SecondFactorError> {
    // Held until the end, so that many answers at once are counted one by one.
    let asked = one_time_token::Entity::find_by_id(keeper.challenge_hash(challenge))
        .filter(one_time_token::Column::Kind.eq(KIND))
        .lock_exclusive()
        .one(tx)
        .await?
        .filter(|asked| asked.used_at.is_none() && now < asked.expires_at)
        .ok_or(SecondFactorError::ChallengeOver)?;
    let member = asked.member_id.ok_or(SecondFactorError::ChallengeOver)?;
    let member = member::Entity::find_by_id(member)
        .one(tx)
        .await?
        .filter(|member| member.status == member::Status::Active)
        .ok_or(SecondFactorError::ChallengeOver)?;
    let mut intent: Intent = serde_json::from_value(asked.payload.clone()).map_err(broken)?;
    let mut row = asked.into_active_model();
    if !service::takes(tx, keeper, member.id, given, now).await? {
        intent.wrong = intent.wrong.saturating_add(1);
        row.used_at = Set((intent.wrong >= WRONG_CODES).then_some(now));
        row.payload = Set(serde_json::to_value(&intent).map_err(broken)?);
        row.update(tx).await?;
        return Ok(Outcome::Wrong);
    }
    row.used_at = Set(Some(now));
    row.update(tx).await?;
    let method = method_of(&intent.method)?;
    let visitor = intent.visitor();
    let beginning = Beginning {
        method,
        second_factor: true,
        visitor: &visitor,
    };
    let issued = sessions.begin(tx, member, beginning, now).await?;
    Ok(Outcome::Right(Box::new(issued), method))
}

impl Challenge {
    /// As it goes to the client, once.
    pub(super) fn into_wire(self) -> String {
        self.0
    }
}

impl std::fmt::Debug for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Challenge(…)")
    }
}

impl Intent {
    fn visitor(&self) -> Visitor {
        let is_browser = self.client == Client::Browser.name();
        Visitor {
            user_agent: self.user_agent.clone(),
            address: self.address.clone(),
            client: if is_browser {
                Client::Browser
            } else {
                Client::Bearer
            },
        }
    }
}

fn method_of(name: &str) -> Result<Method, SecondFactorError> {
    let all = [
        Method::Password,
        Method::Sso,
        Method::Message,
        Method::Switch,
    ];
    let found = all.into_iter().find(|method| method.name() == name);
    found.ok_or_else(|| SecondFactorError::Broken(format!("no session begins by {name}")))
}

fn broken(error: serde_json::Error) -> SecondFactorError {
    SecondFactorError::Broken(error.to_string())
}
