//! Database addresses: the server's made from the owner's, and what may be shown of one.

use anyhow::{Result, bail};

/// The address under which the server signs in to the owner's database: role `tubex_server`,
/// no password (the server derives it from the secret), the same host, database and parameters.
///
/// # Errors
///
/// When `owner` is not a `postgres://` address.
pub fn for_server(owner: &str) -> Result<String> {
    let parts = Parts::of(owner)?;
    let kept: Vec<&str> = parts
        .query
        .split('&')
        .filter(|pair| !pair.is_empty() && !names_the_owner(pair))
        .collect();
    let query = if kept.is_empty() {
        String::new()
    } else {
        format!("?{}", kept.join("&"))
    };
    Ok(format!(
        "postgres://tubex_server@{}{}{query}",
        parts.host, parts.path
    ))
}

/// Host, port and database of an address, without anything secret.
pub fn shown(url: &str) -> String {
    match Parts::of(url) {
        Ok(parts) => format!("{}{}", parts.host, parts.path),
        Err(_) => "(not a postgres:// address)".to_owned(),
    }
}

/// Credentials may also be given as parameters, and those would beat the ones in front.
fn names_the_owner(pair: &str) -> bool {
    let key = pair.split('=').next().unwrap_or(pair);
    ["user", "password", "passfile"]
        .iter()
        .any(|name| key.eq_ignore_ascii_case(name))
}

struct Parts<'a> {
    host: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Result<Self> {
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"));
        let Some(rest) = rest else {
            // The address is not repeated: it may hold a password.
            bail!("the database URL must begin with postgres:// or postgresql://");
        };
        let rest = rest.split('#').next().unwrap_or(rest);
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        // A password with a raw `/` or `@` is tolerated: the last `@` ends the credentials.
        let address = address.rsplit_once('@').map_or(address, |(_, host)| host);
        let (host, path) = address.split_at(address.find('/').unwrap_or(address.len()));
        Ok(Self { host, path, query })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_signs_in_as_itself_and_keeps_the_parameters() {
        let cases = [
            (
                "postgres://o:pw@127.0.0.1:5433/tubex",
                "postgres://tubex_server@127.0.0.1:5433/tubex",
            ),
            (
                "postgresql://db/x?sslmode=require",
                "postgres://tubex_server@db/x?sslmode=require",
            ),
            (
                "postgres://o@[::1]:5/x?sslmode=disable&a=b",
                "postgres://tubex_server@[::1]:5/x?sslmode=disable&a=b",
            ),
            (
                "postgres://o:p/w@x@h/db?password=z&User=o&sslmode=prefer",
                "postgres://tubex_server@h/db?sslmode=prefer",
            ),
            ("postgres://h", "postgres://tubex_server@h"),
            ("postgres://h/db?user=o", "postgres://tubex_server@h/db"),
        ];

        for (owner, server) in cases {
            assert_eq!(for_server(owner).unwrap(), server);
        }
    }

    #[test]
    fn another_scheme_is_refused_without_repeating_it() {
        let error = for_server("mysql://root:hunter2@h/db")
            .unwrap_err()
            .to_string();

        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn what_is_shown_holds_no_password() {
        assert_eq!(
            shown("postgres://o:hunter2@h:5432/db?password=x"),
            "h:5432/db"
        );
    }
}
