//! How far it may be gone: which addresses on the web may be named, and which on the network reached.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;
use url::{Host, Url};

use super::address::is_public;
use crate::config::Webhooks;

/// The port of plain HTTP.
const HTTP: u16 = 80;

/// How far it may be gone.
#[derive(Debug, Clone)]
pub struct Reach {
    allows_http: bool,
    /// Reached although they are not the internet's.
    networks: Vec<IpNet>,
    /// Any where there are none.
    ports: Vec<RangeInclusive<u16>>,
}

/// Why an address is not gone to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// It is none of the web's, or not a safe one.
    #[error("it must begin with https://")]
    Scheme,
    /// It holds a name or a password.
    #[error("it must hold no user name and no password")]
    User,
    /// Its port is none of those that are reached.
    #[error("this port is not gone to")]
    Port,
    /// It is not one of the internet's.
    #[error("it does not lead to the internet")]
    Host,
}

impl Reach {
    /// The internet.
    pub fn internet() -> Self {
        Self {
            allows_http: false,
            networks: Vec::new(),
            ports: Vec::new(),
        }
    }

    /// As far as webhooks go.
    pub fn of(config: &Webhooks) -> Self {
        let mut ports = config.ports.clone();
        if config.allow_http {
            ports.push(HTTP..=HTTP);
        }
        Self {
            allows_http: config.allow_http,
            networks: config.allow_networks.clone(),
            ports,
        }
    }

    /// Whether an address on the network may be reached.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let is_named = || self.networks.iter().any(|it| it.contains(&address));
        is_public(address) || is_named()
    }

    /// Judges an address on the web, as far as that can be done without looking its name up. An
    /// address in digits is looked up nowhere, so it is judged here.
    ///
    /// # Errors
    ///
    /// [`Forbidden`].
    pub fn judge(&self, url: &Url) -> Result<(), Forbidden> {
        let is_fine = url.scheme() == "https" || (self.allows_http && url.scheme() == "http");
        if !is_fine {
            return Err(Forbidden::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Forbidden::User);
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if !self.ports.is_empty() && !self.ports.iter().any(|it| it.contains(&port)) {
            return Err(Forbidden::Port);
        }
        self.judge_digits(url)
    }

    /// Judges an address in digits, whatever else is in the address on the web.
    ///
    /// # Errors
    ///
    /// [`Forbidden::Host`].
    pub fn judge_digits(&self, url: &Url) -> Result<(), Forbidden> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err(Forbidden::Host),
        };
        if self.allows(address) {
            return Ok(());
        }
        Err(Forbidden::Host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(allows_http: bool, networks: &[&str]) -> Reach {
        Reach {
            allows_http,
            networks: networks.iter().map(|it| it.parse().unwrap()).collect(),
            ports: vec![443..=443, 8443..=8443],
        }
    }

    fn judged(reach: &Reach, url: &str) -> Result<(), Forbidden> {
        reach.judge(&url.parse().unwrap())
    }

    #[test]
    fn only_the_internet_is_gone_to_however_its_digits_are_written() {
        let reach = reach(false, &[]);

        for fine in [
            "https://there.example/x",
            "https://1.1.1.1:8443/",
            "https://[2a00::1]/",
        ] {
            assert_eq!(judged(&reach, fine), Ok(()), "{fine}");
        }
        for inside in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://100.100.100.200/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:a00:1::]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
        ] {
            assert_eq!(judged(&reach, inside), Err(Forbidden::Host), "{inside}");
        }
    }

    #[test]
    fn other_schemes_users_and_ports_are_refused() {
        let reach = reach(false, &[]);

        assert_eq!(
            judged(&reach, "http://there.example/"),
            Err(Forbidden::Scheme)
        );
        assert_eq!(
            judged(&reach, "ftp://there.example/"),
            Err(Forbidden::Scheme)
        );
        assert_eq!(
            judged(&reach, "https://me@there.example/"),
            Err(Forbidden::User)
        );
        assert_eq!(
            judged(&reach, "https://:pw@there.example/"),
            Err(Forbidden::User)
        );
        assert_eq!(
            judged(&reach, "https://there.example:22/"),
            Err(Forbidden::Port)
        );
    }

    #[test]
    fn a_network_that_is_named_is_reached_and_its_neighbours_are_not() {
        let reach = reach(true, &["10.1.0.0/16"]);

        assert_eq!(judged(&reach, "http://10.1.2.3:443/"), Ok(()));
        assert_eq!(judged(&reach, "https://[::ffff:10.1.2.3]/"), Ok(()));
        assert_eq!(judged(&reach, "https://10.2.0.1/"), Err(Forbidden::Host));
    }
}
