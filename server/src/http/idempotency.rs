//! `Idempotency-Key`: a POST that is sent again is done once, and answered the same.
//!
//! The answer is kept in the transaction of the effect, so there is never one without the other.
//! Shape and behaviour follow draft-ietf-httpapi-idempotency-key-header.
//!
//! Whoever has not signed in names no requests: what such a request carries is good for one time
//! by itself, or a second time does no harm, and strangers would share one drawer of keys.

use ::entity::tenant::idempotency_key::{ActiveModel, Column, Entity, Model};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpRequest};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter,
    Statement,
};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use super::answer::Answer;
use super::code::Code;
use super::problem::Problem;
use crate::auth::Sealer;
use crate::db::TenantTx;
use crate::kernel::TenantKey;
use crate::state::AppState;

const NAME: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LONGEST: usize = 255;

/// The digest of a body that an extractor has read to its end.
#[derive(Debug, Clone, Copy)]
pub struct BodyDigest(pub [u8; 32]);

/// A request that is to be done once.
#[derive(Debug, Clone)]
pub(super) struct Once {
    actor: String,
    key: String,
    fingerprint: Vec<u8>,
    place: String,
    sealer: Sealer,
    now: OffsetDateTime,
    kept_for: Duration,
}

/// Whether a request was done before.
#[derive(Debug)]
pub(super) enum Before {
    /// It was not.
    Never,
    /// It was, and this was the answer.
    Answered(Answer),
    /// It is being done right now, or another request had its key.
    Refused(Code),
}

impl Once {
    /// What a POST says, if it says anything.
    ///
    /// # Errors
    ///
    /// `idempotency-key-invalid` for a key that can't be one.
    pub(super) fn wanted(
        req: &HttpRequest,
        tenant: TenantKey,
        actor: String,
    ) -> Result<Option<Self>, Problem> {
        if req.method() != Method::POST {
            return Ok(None);
        }
        let Some(key) = key_of(req.headers())? else {
            return Ok(None);
        };
        let state = AppState::of(req);
        let mut request = Vec::new();
        for part in [req.method().as_str(), req.path(), req.query_string()] {
            request.extend(part.as_bytes());
            request.push(0);
        }
        if let Some(body) = req.extensions().get::<BodyDigest>() {
            request.extend(body.0);
        }
        Ok(Some(Self {
            // Keyed, because a body may hold a password, and whoever reads the table could try
            // them all.
            fingerprint: state.sealer.digest("request", &request),
            place: tenant.scoped(format_args!("answer:{actor}:{key}")),
            actor,
            key,
            sealer: state.sealer.clone(),
            now: state.clock.now(),
            kept_for: Duration::hours(state.config.http.idempotency_hours.into()),
        }))
    }

    /// Takes the key for this transaction, and looks whether the request was done before.
    pub(super) async fn begin(&self, tx: &TenantTx) -> Result<Before, DbErr> {
        if !self.take(tx).await? {
            return Ok(Before::Refused(Code::IdempotencyKeyBusy));
        }
        let id = (self.actor.clone(), self.key.clone());
        let Some(kept) = Entity::find_by_id(id).one(tx).await? else {
            return Ok(Before::Never);
        };
        if kept.expires_at <= self.now {
            return Ok(Before::Never);
        }
        if kept.fingerprint != self.fingerprint {
            return Ok(Before::Refused(Code::IdempotencyKeyReused));
        }
        self.answer_of(kept).map(Before::Answered)
    }

    /// Keeps the answer.
    pub(super) async fn keep(&self, tx: &TenantTx, answer: &Answer) -> Result<(), DbErr> {
        let headers = answer.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), value)
        });
        let headers: Vec<(String, String)> = headers.collect();
        // Cookies are told once, too: the headers of such an answer are sealed with its body.
        let (headers, body) = if answer.is_secret {
            let whole = serde_json::to_vec(&(headers, &answer.body));
            let whole = whole.map_err(|error| DbErr::Custom(error.to_string()))?;
            (Vec::new(), self.sealer.seal(&self.place, &whole))
        } else {
            (headers, answer.body.clone())
        };
        let kept = ActiveModel {
            actor: Set(self.actor.clone()),
            key: Set(self.key.clone()),
            fingerprint: Set(self.fingerprint.clone()),
            status: Set(i16::try_from(answer.status.as_u16()).unwrap_or_default()),
            headers: Set(headers.into_iter().map(pair).collect()),
            body: Set(body),
            is_sealed: Set(answer.is_secret),
            created_at: Set(self.now),
            expires_at: Set(self.now + self.kept_for),
        };
        // What is there has expired, or `begin` would have found it.
        let anew = OnConflict::columns([Column::Actor, Column::Key])
            .update_columns([
                Column::Fingerprint,
                Column::Status,
                Column::Headers,
                Column::Body,
                Column::IsSealed,
                Column::CreatedAt,
                Column::ExpiresAt,
            ])
            .to_owned();
        Entity::insert(kept)
            .on_conflict(anew)
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }

    /// Whoever else has the key right now is in the middle of the same request. The lock is one
    /// number for the whole database, so the dealer is part of it.
    async fn take(&self, tx: &TenantTx) -> Result<bool, DbErr> {
        let digest = Sha256::digest(self.place.as_bytes());
        let mut number = [0; 8];
        number.copy_from_slice(&digest[..8]);
        let sql = "SELECT pg_try_advisory_xact_lock($1) AS taken";
        let values = [i64::from_be_bytes(number).into()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        match tx.query_one_raw(statement).await? {
            Some(row) => row.try_get("", "taken"),
            None => Ok(false),
        }
    }

    fn answer_of(&self, kept: Model) -> Result<Answer, DbErr> {
        let broken = |what: &str| DbErr::Custom(format!("a kept answer {what}"));
        let (pairs, body): (Vec<(String, String)>, Vec<u8>) = if kept.is_sealed {
            let opened = self.sealer.open(&self.place, &kept.body);
            let whole = opened.map_err(|_| broken("can't be opened"))?;
            serde_json::from_slice(&whole).map_err(|_| broken("is in pieces"))?
        } else {
            let pairs = serde_json::from_value(kept.headers);
            (pairs.map_err(|_| broken("has no headers"))?, kept.body)
        };
        let status = u16::try_from(kept.status).ok();
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        let mut headers: Vec<_> = pairs
            .into_iter()
            .filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)))
            .collect();
        headers.push((REPLAYED, HeaderValue::from_static("true")));
        Ok(Answer {
            status: status.ok_or_else(|| broken("has no status"))?,
            headers,
            body,
            is_secret: kept.is_sealed,
        })
    }
}

/// Forgets answers whose time is over. May run any number of times.
///
/// # Errors
///
/// When the database refuses.
pub async fn forget_expired(tx: &TenantTx, now: OffsetDateTime) -> Result<u64, DbErr> {
    let gone = Entity::delete_many().filter(Column::ExpiresAt.lte(now));
    Ok(gone.exec(tx).await?.rows_affected)
}

fn pair((name, value): (String, String)) -> serde_json::Value {
    serde_json::json!([name, value])
}

/// The key, bare or as the quoted string that the draft asks for.
fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let refused = || {
        Problem::new(Code::IdempotencyKeyInvalid).detail(format!(
            "send one Idempotency-Key of 1 to {LONGEST} visible ASCII characters, such as a UUID"
        ))
    };
    let mut keys = headers.get_all(NAME);
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let text = key.to_str().map_err(|_| refused())?.trim();
    let bare = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    let is_plain = bare
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if keys.next().is_some() || bare.is_empty() || bare.len() > LONGEST || !is_plain {
        return Err(refused());
    }
    Ok(Some(bare.to_owned()))
}
