//! What a host name says about whom a request is for.

use provisioner::Slug;

/// Whom a host name names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostName {
    /// `<slug>.<base domain>`.
    Dealer(String),
    /// `api.<base domain>`, where machines name the dealer in a header.
    Api,
    /// `admin.<base domain>`, where operators run the platform.
    Admin,
    /// Some other domain; it may be a dealer's own.
    Custom(String),
    /// Nobody: an address, the apex, a reserved or a malformed name.
    Nobody,
}

/// Reads a host header. Case and international names are folded the way browsers fold them; a
/// port and one trailing dot are taken off; everything else that isn't a plain name is nobody's.
pub fn parse(host: &str, base_domain: &str) -> HostName {
    let Some(name) = folded(host) else {
        return HostName::Nobody;
    };
    if name == base_domain {
        return HostName::Nobody;
    }
    let Some(label) = name
        .strip_suffix(base_domain)
        .and_then(|rest| rest.strip_suffix('.'))
    else {
        return if name.contains('.') {
            HostName::Custom(name)
        } else {
            HostName::Nobody
        };
    };
    match (label, Slug::parse(label)) {
        ("api", _) => HostName::Api,
        ("admin", _) => HostName::Admin,
        (_, Ok(slug)) => HostName::Dealer(slug.to_string()),
        (_, Err(_)) => HostName::Nobody,
    }
}

fn folded(host: &str) -> Option<String> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) => {
            port.parse::<u16>()
                .ok()
                .filter(|_| port.bytes().all(|b| b.is_ascii_digit()))?;
            name
        }
        None => host,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() || name.len() > 253 || name.contains(['[', ']', ':']) {
        return None;
    }
    let name = idna::domain_to_ascii_strict(name).ok()?;
    let is_address = name.rsplit('.').next()?.bytes().all(|b| b.is_ascii_digit());
    (!is_address).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(host: &str) -> HostName {
        parse(host, "tubex.example")
    }

    #[test]
    fn a_slug_under_the_base_domain_is_a_dealer() {
        for host in [
            "acme.tubex.example",
            "acme.tubex.example:8080",
            "ACME.Tubex.Example.",
        ] {
            assert_eq!(parsed(host), HostName::Dealer("acme".into()), "{host}");
        }
    }

    #[test]
    fn full_width_letters_fold_as_in_a_browser() {
        assert_eq!(
            parsed("ａｃｍｅ.tubex.example"),
            HostName::Dealer("acme".into())
        );
    }

    #[test]
    fn an_address_the_apex_and_reserved_words_are_nobody() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:80",
            "::1",
            "0x7f.1",
            "2130706433",
            "tubex.example",
            "www.tubex.example",
            "a.admin.tubex.example",
            "localhost",
            "",
            ".tubex.example",
            "acme..tubex.example",
            "a.b.tubex.example",
            "acme.tubex.example:x",
            "acme.tubex.example:99999",
            "ac me.tubex.example",
            "acme.tubex.example:80:80",
            "-acme.tubex.example",
            "acme_.tubex.example",
            "acme.tubex.example/x",
            "ac\0me.tubex.example",
        ] {
            assert_eq!(parsed(host), HostName::Nobody, "{host}");
        }
    }

    #[test]
    fn a_look_alike_in_another_script_is_not_the_dealer() {
        assert_eq!(parsed("аcme.tubex.example"), HostName::Nobody); // Cyrillic а
    }

    #[test]
    fn the_api_host_the_admin_host_and_other_domains_are_told_apart() {
        assert_eq!(parsed("Admin.tubex.example:8080"), HostName::Admin);
        assert_eq!(parsed("api.tubex.example"), HostName::Api);
        assert_eq!(
            parsed("Shop.Acme.Example"),
            HostName::Custom("shop.acme.example".into())
        );
        assert_eq!(
            parsed("acmetubex.example"),
            HostName::Custom("acmetubex.example".into())
        );
        assert_eq!(
            parsed("bücher.example"),
            HostName::Custom("xn--bcher-kva.example".into())
        );
    }
}
