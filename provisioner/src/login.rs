//! Passwords of login roles: derived from one secret, stored nowhere.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// The shortest secret that passwords may be derived from, in characters.
pub const SECRET_MIN_LEN: usize = 32;

/// A secret that is too short to derive passwords from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret has {0} characters and needs at least {SECRET_MIN_LEN}")]
pub struct WeakSecret(usize);

/// The password of the login role `role`: the same in every process that knows the secret, so a
/// server opens any lane without a stored password, and one lane's password says nothing about
/// another's. 43 characters of the URL-safe alphabet.
///
/// ```
/// use provisioner::login_password;
/// use secrecy::ExposeSecret;
/// let secret = "0123456789abcdef0123456789abcdef".into();
/// let password = login_password(&secret, "lane_0123456789abcdef");
/// assert_eq!(password.expose_secret().len(), 43);
/// ```
pub fn login_password(secret: &SecretString, role: &str) -> SecretString {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(b"tubex login\0");
    mac.update(role.as_bytes());
    BASE64_URL_SAFE_NO_PAD
        .encode(mac.finalize().into_bytes())
        .into()
}

/// Refuses a secret that could be guessed.
///
/// # Errors
///
/// [`WeakSecret`] when it is shorter than [`SECRET_MIN_LEN`].
pub fn check_secret(secret: &SecretString) -> Result<(), WeakSecret> {
    let length = secret.expose_secret().chars().count();
    if length < SECRET_MIN_LEN {
        Err(WeakSecret(length))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_pinned_because_servers_and_roles_must_agree_across_builds() {
        let secret = SecretString::from("0123456789abcdef0123456789abcdef");

        let password = login_password(&secret, "tubex_server");

        assert_eq!(
            password.expose_secret(),
            "FIp0SJ_oCCJq0lFo8FL0YyBGn1HwJX_brPAgzAPxyT8"
        );
    }

    #[test]
    fn every_role_has_its_own_password() {
        let secret = SecretString::from("0123456789abcdef0123456789abcdef");

        let one = login_password(&secret, "lane_0000000000000001");
        let two = login_password(&secret, "lane_0000000000000002");

        assert_ne!(one.expose_secret(), two.expose_secret());
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert_eq!(check_secret(&"short".into()), Err(WeakSecret(5)));
    }
}
