//! Whether the server says it is ready: one plain HTTP request, no client library.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// The answer of `GET /readyz`: status, and body for an error message. None when nobody answers.
pub fn ask(port: u16) -> Option<(u16, String)> {
    let limit = Duration::from_secs(2);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, limit).ok()?;
    stream.set_read_timeout(Some(limit)).ok()?;
    let request =
        format!("GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut bytes = Vec::new();
    // The status line is enough: a connection that is not closed in time has still answered.
    let _slow_close = stream.take(16 * 1024).read_to_end(&mut bytes);
    parse(&String::from_utf8_lossy(&bytes))
}

fn parse(answer: &str) -> Option<(u16, String)> {
    let status = answer
        .strip_prefix("HTTP/1.")?
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Some((status, body.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_are_read() {
        let answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 3\r\n\r\nnot";

        assert_eq!(parse(answer), Some((503, "not".to_owned())));
        assert_eq!(parse("HTTP/1.0 200 OK\r\n\r\n"), Some((200, String::new())));
        assert_eq!(parse("SSH-2.0-OpenSSH"), None);
    }
}
