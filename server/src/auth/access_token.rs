//! Access tokens: short-lived, signed, made for one audience: the API of one dealer, or the platform's.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header, Validation, decode, encode};
use moka::sync::Cache;
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use super::claims::{Audience, Claims, Holder, OfTenant};
use super::error::AuthError;
use super::signing::{Ring, SigningKeys};
use crate::kernel::TenantKey;

const ISSUER: &str = "tubex";
/// RFC 9068: an access token can't be mistaken for a token of another kind.
const KIND: &str = "at+jwt";
const ALGORITHM: &str = "EdDSA";
/// Ours have a third of that.
const LONGEST: usize = 2048;
/// Clocks of our machines are apart by no more, seconds.
const SKEW: i64 = 60;
/// Tokens whose signature was found good are remembered, so that it is looked at once.
const REMEMBERED: u64 = 50_000;

/// A token that was just signed.
#[derive(Clone)]
pub struct AccessToken {
    /// As it goes on the wire.
    pub text: String,
    /// Its life, seconds.
    pub life_seconds: i64,
}

/// The header of every token of ours. One that says more, such as where to find its key, is none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    alg: String,
    typ: String,
    kid: String,
}

/// A token whose signature is good.
struct Signed<A> {
    kid: String,
    claims: Claims<A>,
}

/// Signs and verifies access tokens.
pub struct AccessTokens<A> {
    keys: SigningKeys,
    validation: Validation,
    life: Duration,
    /// By the hash of the token's text.
    signed: Cache<[u8; 32], Arc<Signed<A>>>,
}

impl<A: Audience> AccessTokens<A> {
    /// Tokens signed with `keys` that live for `minutes`.
    pub fn new(keys: SigningKeys, minutes: u32) -> Self {
        let life = Duration::minutes(minutes.into());
        let signed = Cache::builder()
            .max_capacity(REMEMBERED)
            .time_to_live(life.unsigned_abs());
        Self {
            keys,
            validation: validation::<A>(),
            life,
            signed: signed.build(),
        }
    }

    /// Signs a token for a person's session with an audience. It lives no longer than the session.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] before the keys were read.
    pub fn issue(
        &self,
        of: A,
        holder: &Holder,
        now: OffsetDateTime,
    ) -> Result<AccessToken, AuthError> {
        let until = holder.until.min(now + self.life);
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: A::NAME.to_owned(),
            sub: holder.person,
            sid: holder.session,
            tv: holder.token_version,
            iat: now.unix_timestamp(),
            exp: until.unix_timestamp(),
            of,
        };
        let text = sign(&self.keys.ring(), &claims, now)?;
        Ok(AccessToken {
            text,
            life_seconds: claims.exp - claims.iat,
        })
    }

    /// Reads a token that is ours, of this kind and audience, and still good.
    ///
    /// # Errors
    ///
    /// [`AuthError::InvalidToken`]; [`AuthError::Unavailable`] before the keys were read.
    pub async fn read(&self, token: &str, now: OffsetDateTime) -> Result<Claims<A>, AuthError> {
        if token.len() > LONGEST {
            return Err(AuthError::InvalidToken);
        }
        let ring = self.keys.ring();
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        if let Some(known) = self.signed.get(&hash) {
            // The key may have been given up since.
            let is_trusted = ring.verifier(&known.kid, now).is_some();
            return good(&known.claims, now)
                .filter(|_| is_trusted)
                .ok_or(AuthError::InvalidToken);
        }
        let kid = kid_of(token).ok_or(AuthError::InvalidToken)?;
        let ring = if ring.verifier(&kid, now).is_none() {
            self.keys.look_for_unknown().await;
            self.keys.ring()
        } else {
            ring
        };
        if !self.keys.are_known() {
            return Err(AuthError::Unavailable);
        }
        let claims = verified(&ring, &kid, token, &self.validation, now);
        let signed = Signed {
            claims: claims.ok_or(AuthError::InvalidToken)?,
            kid,
        };
        let claims = good(&signed.claims, now).ok_or(AuthError::InvalidToken)?;
        self.signed.insert(hash, Arc::new(signed));
        Ok(claims)
    }
}

impl AccessTokens<OfTenant> {
    /// Reads a token that was made for this dealer.
    ///
    /// # Errors
    ///
    /// [`AuthError::OtherTenant`] when it is good but another dealer's, else as
    /// [`AccessTokens::read`].
    pub async fn verify(
        &self,
        token: &str,
        tenant: TenantKey,
        now: OffsetDateTime,
    ) -> Result<Claims<OfTenant>, AuthError> {
        let claims = self.read(token, now).await?;
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

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

fn validation<A: Audience>() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[A::NAME]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // The clock is ours, so that a test can move it; see `good`.
    validation.validate_exp = false;
    validation
}

fn sign<A: Audience>(
    ring: &Ring,
    claims: &Claims<A>,
    now: OffsetDateTime,
) -> Result<String, AuthError> {
    let (kid, key) = ring.signer(now).ok_or(AuthError::Unavailable)?;
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(KIND.to_owned());
    header.kid = Some(kid.to_owned());
    encode(&header, claims, key).map_err(|error| AuthError::Broken(error.to_string()))
}

/// Which key a token says it was signed with, if its header says that and nothing unusual.
fn kid_of(token: &str) -> Option<String> {
    let (head, rest) = token.split_once('.')?;
    let (_, signature) = rest.split_once('.')?;
    let head = URL_SAFE_NO_PAD.decode(head).ok()?;
    let head: Head = serde_json::from_slice(&head).ok()?;
    let is_ours = head.alg == ALGORITHM && head.typ == KIND && !signature.contains('.');
    is_ours.then_some(head.kid)
}

fn verified<A: Audience>(
    ring: &Ring,
    kid: &str,
    token: &str,
    validation: &Validation,
    now: OffsetDateTime,
) -> Option<Claims<A>> {
    let key = ring.verifier(kid, now)?;
    let data = decode::<Claims<A>>(token, key, validation).ok()?;
    Some(data.claims)
}

/// What a token says while it is good. An issue time ahead of us by more than a minute is no skew.
fn good<A: Audience>(claims: &Claims<A>, now: OffsetDateTime) -> Option<Claims<A>> {
    let now = now.unix_timestamp();
    (now < claims.exp && claims.iat <= now + SKEW).then(|| claims.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use uuid::Uuid;

    use super::super::claims::OfPlatform;
    use super::super::signing::testing::{key, ring};
    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);

    fn claims() -> Claims<OfTenant> {
        Claims {
            iss: ISSUER.to_owned(),
            aud: OfTenant::NAME.to_owned(),
            sub: Uuid::from_u128(2),
            sid: Uuid::from_u128(3),
            tv: 4,
            iat: NOW.unix_timestamp(),
            exp: (NOW + Duration::minutes(15)).unix_timestamp(),
            of: OfTenant {
                tid: Uuid::from_u128(1),
                ttv: 5,
            },
        }
    }

    fn read<A: Audience>(ring: &Ring, token: &str, now: OffsetDateTime) -> Option<Claims<A>> {
        let kid = kid_of(token)?;
        good(&verified(ring, &kid, token, &validation::<A>(), now)?, now)
    }

    #[test]
    fn a_token_says_what_it_was_issued_for_until_it_expires() {
        let ring = ring(vec![key(NOW, None)]);
        let token = sign(&ring, &claims(), NOW).unwrap();

        let said = read::<OfTenant>(&ring, &token, NOW + Duration::minutes(14)).unwrap();

        assert_eq!((said.sub.as_u128(), said.sid.as_u128()), (2, 3));
        assert_eq!((said.tv, said.of.ttv), (4, 5));
        assert!(read::<OfTenant>(&ring, &token, NOW + Duration::minutes(15)).is_none());
        assert!(read::<OfTenant>(&ring, &token, NOW - Duration::minutes(2)).is_none());
    }

    #[test]
    fn a_token_of_another_key_kind_issuer_or_audience_is_refused() {
        let (ours, theirs) = (ring(vec![key(NOW, None)]), ring(vec![key(NOW, None)]));
        let issuer = Claims {
            iss: "other".to_owned(),
            ..claims()
        };
        let audience = Claims {
            aud: "other".to_owned(),
            ..claims()
        };
        let (kid, signer) = ours.signer(NOW).unwrap();
        let mut plain = Header::new(Algorithm::EdDSA);
        plain.kid = Some(kid.to_owned());

        for token in [
            sign(&theirs, &claims(), NOW).unwrap(),
            sign(&ours, &issuer, NOW).unwrap(),
            sign(&ours, &audience, NOW).unwrap(),
            encode(&plain, &claims(), signer).unwrap(),
            String::new(),
            "..".to_owned(),
        ] {
            assert!(read::<OfTenant>(&ours, &token, NOW).is_none(), "{token}");
        }
    }

    #[test]
    fn a_header_that_says_more_than_ours_do_is_refused_though_the_key_is_ours() {
        let ring = ring(vec![key(NOW, None)]);
        let (kid, signer) = ring.signer(NOW).unwrap();
        let mut usual = Header::new(Algorithm::EdDSA);
        usual.typ = Some(KIND.to_owned());
        usual.kid = Some(kid.to_owned());
        assert!(
            read::<OfTenant>(&ring, &encode(&usual, &claims(), signer).unwrap(), NOW).is_some()
        );

        let (mut jku, mut x5u, mut crit, mut cty) =
            (usual.clone(), usual.clone(), usual.clone(), usual.clone());
        jku.jku = Some("https://evil.example/jwks.json".to_owned());
        x5u.x5u = Some("https://evil.example/cert.pem".to_owned());
        crit.crit = Some(vec!["exp".to_owned()]);
        cty.cty = Some("JWT".to_owned());
        for header in [jku, x5u, crit, cty] {
            let token = encode(&header, &claims(), signer).unwrap();
            assert!(read::<OfTenant>(&ring, &token, NOW).is_none(), "{header:?}");
        }
    }

    #[test]
    fn a_token_of_the_platform_is_no_dealers_and_a_dealers_is_not_the_platforms() {
        let ring = ring(vec![key(NOW, None)]);
        let of_platform = Claims {
            iss: ISSUER.to_owned(),
            aud: OfPlatform::NAME.to_owned(),
            sub: Uuid::from_u128(2),
            sid: Uuid::from_u128(3),
            tv: 4,
            iat: NOW.unix_timestamp(),
            exp: NOW.unix_timestamp() + 60,
            of: OfPlatform {},
        };
        let platforms = sign(&ring, &of_platform, NOW).unwrap();
        let dealers = sign(&ring, &claims(), NOW).unwrap();

        assert!(read::<OfPlatform>(&ring, &platforms, NOW).is_some());
        assert!(read::<OfTenant>(&ring, &platforms, NOW).is_none());
        assert!(read::<OfPlatform>(&ring, &dealers, NOW).is_none());
    }

    #[test]
    fn a_token_stays_good_after_its_key_has_stopped_signing_until_the_key_is_given_up() {
        let (old, new) = (key(NOW, Some(NOW + Duration::minutes(16))), key(NOW, None));
        let before = ring(vec![old.clone()]);
        let token = sign(&before, &claims(), NOW).unwrap();

        let after = ring(vec![new.clone(), old]);
        assert!(read::<OfTenant>(&after, &token, NOW + Duration::minutes(14)).is_some());
        assert!(read::<OfTenant>(&ring(vec![new]), &token, NOW).is_none());
    }

    #[test]
    fn kids_of_any_kind_are_looked_for_and_found_to_be_nobodys() {
        let ring = ring(vec![key(NOW, None)]);
        for kid in [
            "",
            "../../etc/passwd",
            "' OR 1=1 --",
            "\u{0}",
            &"k".repeat(1000),
        ] {
            let head = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid}).to_string();
            let token = format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(head));

            assert_eq!(kid_of(&token).as_deref(), Some(kid));
            assert!(read::<OfTenant>(&ring, &token, NOW).is_none(), "{kid}");
        }
    }
}
