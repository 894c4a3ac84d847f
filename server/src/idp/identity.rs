//! Sending somebody to a provider, and learning who comes back.

use std::sync::Arc;

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdTokenClaims,
    CoreJwsSigningAlgorithm, CoreTokenResponse,
};
use openidconnect::{
    AccessTokenHash, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    SignatureVerificationError, TokenResponse,
};
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;

use super::error::IdpError;
use super::known::{IdentityProviders, Known, Metadata, chain};
use crate::kernel::TenantKey;

/// What an ID token may be signed with. Neither nothing nor a secret that is shared: whoever knows
/// that could sign, too.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 8] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
];

/// How a provider knows a dealer.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Whose it is.
    pub tenant: TenantKey,
    /// The provider, to the letter.
    pub issuer: String,
    /// The dealer's name there.
    pub client_id: String,
    /// And what proves it.
    pub client_secret: SecretString,
    /// Where people are sent back to.
    pub redirect_uri: String,
}

/// Somebody on their way to a provider: where they go, and what must fit when they return.
pub struct Departure {
    /// Where they go.
    pub url: String,
    /// Comes back with them.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// Belongs to the code that comes back (RFC 7636).
    pub verifier: String,
}

/// Somebody who came back.
pub struct Return<'a> {
    /// What the provider gave them.
    pub code: &'a str,
    /// Who sent them, if it says so (RFC 9207).
    pub issuer: Option<&'a str>,
    /// What they left with.
    pub nonce: &'a str,
    /// What they left with.
    pub verifier: &'a str,
}

/// Who somebody is, in the provider's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Theirs for good at this provider.
    pub subject: String,
    /// Their address, if the provider has seen that it is theirs.
    pub verified_email: Option<String>,
    /// For people.
    pub name: Option<String>,
}

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl IdentityProviders {
    /// Sends somebody to a provider.
    ///
    /// # Errors
    ///
    /// [`IdpError::Unavailable`].
    pub async fn depart(
        &self,
        registration: &Registration,
        now: OffsetDateTime,
    ) -> Result<Departure, IdpError> {
        let (tenant, issuer) = (registration.tenant, &registration.issuer);
        let known = self.find(tenant, issuer, now).await?;
        let goes_to = known.metadata.authorization_endpoint().url();
        // A browser is sent there: neither into a script nor in the clear.
        if goes_to.scheme() != "https" && !(self.may_be_insecure && goes_to.scheme() == "http") {
            return Err(unavailable("it wants people to sign in without HTTPS"));
        }
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = client(&known.metadata, registration)?;
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Departure {
            url: url.to_string(),
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
        })
    }

    /// Learns who somebody is who came back.
    ///
    /// # Errors
    ///
    /// [`IdpError`].
    pub async fn identify(
        &self,
        registration: &Registration,
        back: Return<'_>,
        now: OffsetDateTime,
    ) -> Result<Identity, IdpError> {
        let (tenant, issuer) = (registration.tenant, &registration.issuer);
        let known = self.find(tenant, issuer, now).await?;
        must_come_from(&known.metadata, back.issuer)?;
        let tokens = self.redeem(&known, registration, &back).await?;
        let nonce = Nonce::new(back.nonce.to_owned());
        match claims(&known.metadata, registration, &tokens, &nonce) {
            Ok(identity) => Ok(identity),
            Err(Disbelief::UnknownKey) => {
                let known = self.find_anew(tenant, issuer, &known, now).await?;
                let claims = claims(&known.metadata, registration, &tokens, &nonce);
                claims.map_err(Disbelief::into_error)
            }
            Err(disbelief) => Err(disbelief.into_error()),
        }
    }

    /// Turns a code into tokens.
    async fn redeem(
        &self,
        known: &Arc<Known>,
        registration: &Registration,
        back: &Return<'_>,
    ) -> Result<CoreTokenResponse, IdpError> {
        let client = client(&known.metadata, registration)?;
        let code = AuthorizationCode::new(back.code.to_owned());
        let request = client
            .exchange_code(code)
            .map_err(|error| unavailable(&error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(back.verifier.to_owned()));
        let answered = request.request_async(&self.egress).await;
        answered.map_err(|error| match error {
            // It answered, and it said no: to the code, or to us.
            RequestTokenError::ServerResponse(no) => refused(&no.to_string()),
            error => unavailable(&chain(&error)),
        })
    }
}

/// RFC 9207: somebody whom another provider sent is not let in with this one's name.
fn must_come_from(metadata: &Metadata, issuer: Option<&str>) -> Result<(), IdpError> {
    let says_so = metadata
        .additional_metadata()
        .authorization_response_iss_parameter_supported;
    match issuer {
        Some(issuer) if issuer == metadata.issuer().as_str() => Ok(()),
        Some(_) => Err(refused("somebody else sent them back")),
        None if says_so => Err(refused("it does not say who sent them back")),
        None => Ok(()),
    }
}

fn client(metadata: &Metadata, registration: &Registration) -> Result<Client, IdpError> {
    let redirect_uri = RedirectUrl::new(registration.redirect_uri.clone());
    let redirect_uri = redirect_uri.map_err(|error| unavailable(&error.to_string()))?;
    let secret = registration.client_secret.expose_secret().to_owned();
    let methods = metadata.token_endpoint_auth_methods_supported();
    let takes =
        |method: CoreClientAuthMethod| methods.is_some_and(|methods| methods.contains(&method));
    // Without a word about it, it is the header (OpenID Connect Discovery 1.0, section 3).
    let in_body = takes(CoreClientAuthMethod::ClientSecretPost)
        && !takes(CoreClientAuthMethod::ClientSecretBasic);
    let client_id = ClientId::new(registration.client_id.clone());
    let client = CoreClient::from_provider_metadata(
        metadata.clone(),
        client_id,
        Some(ClientSecret::new(secret)),
    );
    let client = client.set_redirect_uri(redirect_uri);
    Ok(match in_body {
        true => client.set_auth_type(AuthType::RequestBody),
        false => client,
    })
}

/// Why a token is not believed.
enum Disbelief {
    /// It may be signed with a key that is newer than those we know.
    UnknownKey,
    /// It is wrong.
    Wrong(String),
}

impl Disbelief {
    fn into_error(self) -> IdpError {
        match self {
            Self::UnknownKey => refused("signed with an unknown key"),
            Self::Wrong(why) => refused(&why),
        }
    }
}

/// Checks the ID token: signature, issuer, audience, authorised party, expiry, nonce, and that it
/// belongs to the access token it came with.
fn claims(
    metadata: &Metadata,
    registration: &Registration,
    tokens: &CoreTokenResponse,
    nonce: &Nonce,
) -> Result<Identity, Disbelief> {
    let wrong = |error: &dyn std::error::Error| Disbelief::Wrong(chain(error));
    let client = client(metadata, registration);
    let client = client.map_err(|error| wrong(&error))?;
    let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
    let missing = || Disbelief::Wrong("no ID token came".to_owned());
    let token = tokens.id_token().ok_or_else(missing)?;
    let claims = token
        .claims(&verifier, nonce)
        .map_err(|error| match error {
            ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            ) => Disbelief::UnknownKey,
            error => wrong(&error),
        })?;
    // The library leaves this to us: a token that was made for another client, even one that names
    // us among its audience, is not ours to take.
    let party = claims.authorized_party();
    if party.is_some_and(|party| party.as_str() != registration.client_id) {
        return Err(Disbelief::Wrong("azp is another client".to_owned()));
    }
    if let Some(expected) = claims.access_token_hash() {
        let algorithm = token.signing_alg().map_err(|error| wrong(&error))?;
        let key = token
            .signing_key(&verifier)
            .map_err(|error| wrong(&error))?;
        let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
        if actual.map_err(|error| wrong(&error))? != *expected {
            return Err(Disbelief::Wrong("at_hash is another token's".to_owned()));
        }
    }
    Ok(identity(claims))
}

fn identity(claims: &CoreIdTokenClaims) -> Identity {
    let is_verified = claims.email_verified() == Some(true);
    let email = claims.email().filter(|_| is_verified);
    let name = claims.name().and_then(|name| name.get(None));
    Identity {
        subject: claims.subject().as_str().to_owned(),
        verified_email: email.map(|email| email.trim().to_lowercase()),
        name: name.map(|name| name.trim().to_owned()),
    }
}

fn unavailable(why: &str) -> IdpError {
    IdpError::Unavailable(why.to_owned())
}

fn refused(why: &str) -> IdpError {
    IdpError::Refused(why.to_owned())
}

impl std::fmt::Debug for Departure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Departure")
    }
}

impl std::fmt::Debug for Return<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Return")
    }
}
