//! Access tokens: short-lived, signed, made for one audience: the API of one dealer, or the platform's.

use std::marker::PhantomData;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::error::AuthError;
use crate::kernel::TenantKey;

const ISSUER: &str = "tubex";
/// RFC 9068: an access token can't be mistaken for a token of another kind.
const KIND: &str = "at+jwt";

/// Whose API a token opens, and what the token says for that. A token of one audience is none of
/// another's.
pub trait Audience: Serialize + DeserializeOwned {
    /// The token's `aud`.
    const NAME: &'static str;
}

/// The API of one dealer.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct OfTenant {
    /// The dealer.
    pub tid: Uuid,
}

/// The platform's API.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct OfPlatform {}

impl Audience for OfTenant {
    const NAME: &'static str = "tubex:tenant-api";
}

impl Audience for OfPlatform {
    const NAME: &'static str = "tubex:platform-api";
}

impl From<TenantKey> for OfTenant {
    fn from(tenant: TenantKey) -> Self {
        Self { tid: tenant.id() }
    }
}

/// What an access token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims<A> {
    iss: String,
    aud: String,
    /// The person.
    pub sub: Uuid,
    /// The session.
    pub sid: Uuid,
    /// The person's token version at the time.
    pub tv: i32,
    iat: i64,
    exp: i64,
    /// What only tokens of this audience say.
    #[serde(flatten)]
    pub of: A,
}

/// Signs and verifies access tokens.
pub struct AccessTokens<A> {
    encoding: EncodingKey,
    decoding: DecodingKey,
    header: Header,
    validation: Validation,
    life: Duration,
    audience: PhantomData<fn() -> A>,
}

impl<A: Audience> AccessTokens<A> {
    /// Tokens signed with `secret` that live for `minutes`.
    pub fn new(secret: &SecretString, minutes: u32) -> Self {
        let key = secret.expose_secret().as_bytes();
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(KIND.to_owned());
        header.kid = Some(key_id(key));
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[A::NAME]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The clock is ours, so that a test can move it; see `verify`.
        validation.validate_exp = false;
        Self {
            encoding: EncodingKey::from_secret(key),
            decoding: DecodingKey::from_secret(key),
            header,
            validation,
            life: Duration::minutes(minutes.into()),
            audience: PhantomData,
        }
    }

    /// Life of a token, seconds.
    pub fn life_seconds(&self) -> i64 {
        self.life.whole_seconds()
    }

    /// Signs a token for a person's session with an audience.
    ///
    /// # Errors
    ///
    /// Never in practice: the key was accepted at start-up.
    pub fn issue(
        &self,
        of: impl Into<A>,
        person: Uuid,
        session: Uuid,
        token_version: i32,
        now: OffsetDateTime,
    ) -> Result<String, AuthError> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: A::NAME.to_owned(),
            sub: person,
            sid: session,
            tv: token_version,
            iat: now.unix_timestamp(),
            exp: (now + self.life).unix_timestamp(),
            of: of.into(),
        };
        encode(&self.header, &claims, &self.encoding)
            .map_err(|error| AuthError::Broken(error.to_string()))
    }

    /// Reads a token that is ours, of this kind and audience, and still good.
    ///
    /// # Errors
    ///
    /// [`AuthError::InvalidToken`].
    pub fn read(&self, token: &str, now: OffsetDateTime) -> Result<Claims<A>, AuthError> {
        let data = decode::<Claims<A>>(token, &self.decoding, &self.validation)
            .map_err(|_| AuthError::InvalidToken)?;
        let is_ours = data.header.typ == self.header.typ && data.header.kid == self.header.kid;
        let now = now.unix_timestamp();
        // An issue time ahead of us by more than a minute is no clock skew.
        let is_good = now < data.claims.exp && data.claims.iat <= now + 60;
        if !is_ours || !is_good {
            return Err(AuthError::InvalidToken);
        }
        Ok(data.claims)
    }
}

impl AccessTokens<OfTenant> {
    /// Reads a token that was made for this dealer.
    ///
    /// # Errors
    ///
    /// [`AuthError::OtherTenant`] when it is good but another dealer's, else
    /// [`AuthError::InvalidToken`].
    pub fn verify(
        &self,
        token: &str,
        tenant: TenantKey,
        now: OffsetDateTime,
    ) -> Result<Claims<OfTenant>, AuthError> {
        let claims = self.read(token, now)?;
        if claims.of.tid == tenant.id() {
            Ok(claims)
        } else {
            Err(AuthError::OtherTenant)
        }
    }
}

impl<A> std::fmt::Debug for AccessTokens<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessTokens")
    }
}

/// Names the key without telling it, so that keys can be rotated.
fn key_id(key: &[u8]) -> String {
    Sha256::digest([b"tubex key id\0", key].concat())[..4]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn tokens() -> AccessTokens<OfTenant> {
        AccessTokens::new(&SECRET.to_owned().into(), 15)
    }

    fn key(id: u128) -> TenantKey {
        TenantKey::of(Uuid::from_u128(id))
    }

    fn token() -> String {
        tokens()
            .issue(key(1), Uuid::from_u128(2), Uuid::from_u128(3), 4, NOW)
            .unwrap()
    }

    #[test]
    fn a_token_says_what_it_was_issued_for_until_it_expires() {
        let claims = tokens()
            .verify(&token(), key(1), NOW + Duration::minutes(14))
            .unwrap();

        assert_eq!(
            (claims.sub.as_u128(), claims.sid.as_u128(), claims.tv),
            (2, 3, 4)
        );
        let late = tokens().verify(&token(), key(1), NOW + Duration::minutes(15));
        assert!(matches!(late, Err(AuthError::InvalidToken)));
    }

    #[test]
    fn another_dealers_token_is_told_apart_from_a_bad_one() {
        assert!(matches!(
            tokens().verify(&token(), key(9), NOW),
            Err(AuthError::OtherTenant)
        ));
        let forged = format!("{}x", token());
        assert!(matches!(
            tokens().verify(&forged, key(1), NOW),
            Err(AuthError::InvalidToken)
        ));
    }

    #[test]
    fn a_token_of_another_key_kind_audience_or_algorithm_is_refused() {
        let other = AccessTokens::<OfTenant>::new(
            &"ffffffffffffffffffffffffffffffff".to_owned().into(),
            15,
        );
        assert!(matches!(
            other.verify(&token(), key(1), NOW),
            Err(AuthError::InvalidToken)
        ));

        let ours = tokens();
        let claims = ours.verify(&token(), key(1), NOW).unwrap();
        let signed = |header: &Header, claims: &Claims<OfTenant>| {
            encode(header, claims, &ours.encoding).unwrap()
        };
        let mut plain = ours.header.clone();
        plain.typ = Some("JWT".to_owned());
        let elsewhere = Claims {
            aud: "other".to_owned(),
            ..claims.clone()
        };
        let mut hs512 = ours.header.clone();
        hs512.alg = Algorithm::HS512;
        for token in [
            signed(&plain, &claims),
            signed(&ours.header, &elsewhere),
            signed(&hs512, &claims),
            // alg "none", made by hand
            "eyJhbGciOiJub25lIn0.e30.".to_owned(),
            String::new(),
        ] {
            assert!(
                matches!(
                    ours.verify(&token, key(1), NOW),
                    Err(AuthError::InvalidToken)
                ),
                "{token}"
            );
        }
    }

    #[test]
    fn a_token_of_the_platform_is_no_dealers_and_a_dealers_is_not_the_platforms() {
        let platforms = AccessTokens::<OfPlatform>::new(&SECRET.to_owned().into(), 15);
        let (person, session) = (Uuid::from_u128(2), Uuid::from_u128(3));
        let token = platforms
            .issue(OfPlatform {}, person, session, 4, NOW)
            .unwrap();

        assert!(platforms.read(&token, NOW).is_ok());
        assert!(matches!(
            tokens().verify(&token, key(1), NOW),
            Err(AuthError::InvalidToken)
        ));
        assert!(matches!(
            platforms.read(&self::token(), NOW),
            Err(AuthError::InvalidToken)
        ));
    }
}
