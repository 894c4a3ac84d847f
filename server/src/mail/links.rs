//! Where links in messages lead: to the dealer's own host.

use crate::config::{Http, Scheme};

/// Makes links to dealers' hosts.
#[derive(Debug, Clone)]
pub struct Links {
    scheme: &'static str,
    base_domain: String,
    port: u16,
}

/// A page that takes a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Where an invitation is accepted.
    AcceptInvitation,
    /// Where a password is set anew.
    ResetPassword,
    /// Where an address is proven.
    VerifyEmail,
    /// Where a new address is taken.
    ConfirmEmail,
}

impl Page {
    /// Its path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::AcceptInvitation => "/account/accept-invitation",
            Self::ResetPassword => "/account/reset-password",
            Self::VerifyEmail => "/account/verify-email",
            Self::ConfirmEmail => "/account/confirm-email",
        }
    }
}

impl Links {
    /// Links as clients reach this server.
    pub fn new(http: &Http) -> Self {
        Self {
            scheme: match http.public_scheme {
                Scheme::Http => "http",
                Scheme::Https => "https",
            },
            base_domain: http.base_domain.clone(),
            port: http.public_port,
        }
    }

    /// A dealer's own address, such as `https://acme.tubex.example`.
    pub fn home(&self, slug: &str) -> String {
        let (scheme, base) = (self.scheme, &self.base_domain);
        match self.port {
            0 => format!("{scheme}://{slug}.{base}"),
            port => format!("{scheme}://{slug}.{base}:{port}"),
        }
    }

    /// A page of a dealer's, with a token that only the browser sees.
    pub fn page(&self, slug: &str, page: Page, token: &str) -> String {
        format!("{}{}#token={token}", self.home(slug), page.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_dealers_own_host_and_keeps_its_token_from_servers() {
        let mut links = Links {
            scheme: "https",
            base_domain: "tubex.example".to_owned(),
            port: 0,
        };

        let link = links.page("acme", Page::ResetPassword, "t");
        links.port = 8443;

        assert_eq!(
            link,
            "https://acme.tubex.example/account/reset-password#token=t"
        );
        assert_eq!(links.home("acme"), "https://acme.tubex.example:8443");
    }
}
