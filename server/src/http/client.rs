//! Whose request it is, as far as an address says it.

use std::net::IpAddr;

use actix_web::HttpRequest;
use ipnet::IpNet;

use crate::state::AppState;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of the client. A proxy of ours is believed when it says for whom it asks, and
/// nobody else: going back from it, the first address that is no proxy of ours is the client.
pub fn client_address(req: &HttpRequest) -> Option<IpAddr> {
    let peer = req.peer_addr()?.ip().to_canonical();
    let lines = req.headers().get_all(FORWARDED_FOR);
    let lines: Vec<_> = lines.map(|line| line.to_str().unwrap_or("?")).collect();
    let trusted = &AppState::of(req).config.limits.trusted_proxies;
    Some(behind(peer, &lines, trusted))
}

/// Lines of the header count as one list, in their order. A word that is no address ends the
/// search: whoever wrote it said nothing, and what stands before it is hearsay.
fn behind(peer: IpAddr, lines: &[&str], trusted: &[IpNet]) -> IpAddr {
    let is_ours = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let said = lines.iter().flat_map(|line| line.split(','));
    let said: Vec<_> = said.collect();
    let mut client = peer;
    for word in said.iter().rev() {
        if !is_ours(&client) {
            break;
        }
        match word.trim().parse::<IpAddr>() {
            Ok(address) => client = address.to_canonical(),
            Err(_) => break,
        }
    }
    client
}

/// What an address is counted under: whoever has one IPv6 address has all of its network's.
pub(super) fn counted_as(address: Option<IpAddr>) -> String {
    match address {
        None => "-".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        behind(peer.parse().unwrap(), lines, &trusted).to_string()
    }

    #[test]
    fn only_a_proxy_of_ours_is_believed() {
        assert_eq!(client("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn the_first_stranger_from_the_right_is_the_client() {
        let forged = ["1.2.3.4, 198.51.100.1, 10.0.0.2"];
        assert_eq!(client("10.0.0.1", &forged), "198.51.100.1");
        let in_lines = ["1.2.3.4", "198.51.100.1", "10.0.0.2"];
        assert_eq!(client("10.0.0.1", &in_lines), "198.51.100.1");
        assert_eq!(client("::1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    }

    #[test]
    fn what_is_no_address_ends_the_search() {
        assert_eq!(client("10.0.0.1", &["1.2.3.4, unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["1.2.3.4, , 10.0.0.2"]), "10.0.0.2");
    }

    #[test]
    fn neighbours_of_one_ipv6_network_count_together() {
        let count = |text: &str| counted_as(text.parse().ok());

        assert_eq!(count("2001:db8:1:2::1"), count("2001:db8:1:2:ffff::9"));
        assert_ne!(count("2001:db8:1:2::1"), count("2001:db8:1:3::1"));
    }
}
