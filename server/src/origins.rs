//! Web pages from which a dealer's API may be asked: what is an origin, and where the list is kept.

use url::{Origin, Url};

/// The setting that holds the list.
pub const CORS_ORIGINS: &str = "cors_origins";

/// Whether a text is an origin exactly as browsers send it: scheme, host, a port that isn't the
/// scheme's own, and nothing else. A wildcard and `null` are none.
pub fn is_exact(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let is_web = matches!(url.scheme(), "http" | "https");
    let origin = url.origin();
    // A parser of addresses lets a star pass, which no browser sends.
    is_web
        && !text.contains('*')
        && matches!(origin, Origin::Tuple(..))
        && origin.ascii_serialization() == text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_browser_would_send_is_an_origin() {
        for good in [
            "https://shop.example",
            "http://localhost:5173",
            "https://[::1]:8443",
        ] {
            assert!(is_exact(good), "{good}");
        }
        for bad in [
            "*",
            "null",
            "https://*.shop.example",
            "https://shop.example/",
            "https://shop.example:443",
            "https://Shop.example",
            "https://user@shop.example",
            "https://shop.example/path",
            "shop.example",
            "file:///etc/passwd",
            "ftp://shop.example",
            "",
        ] {
            assert!(!is_exact(bad), "{bad}");
        }
    }
}
