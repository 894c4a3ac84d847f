//! Free ports of 127.0.0.1, and who holds one that is not free.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// A port that was free a moment ago: `preferred` when it is, else any.
///
/// Another process may take it before the caller does, so callers try again.
///
/// # Errors
///
/// When the system hands out no port at all.
pub fn free(preferred: Option<u16>) -> Result<u16> {
    if let Some(port) = preferred.filter(|port| is_free(*port)) {
        return Ok(port);
    }
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
    Ok(listener
        .local_addr()
        .context("no free port on 127.0.0.1")?
        .port())
}

/// Whether nobody listens on this port of 127.0.0.1 right now.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The program that listens on a port, as `name (pid 123)`, when the system lets us know.
pub fn holder(port: u16) -> Option<String> {
    holder_in_proc(port).or_else(|| holder_by_lsof(port))
}

fn holder_in_proc(port: u16) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| listening_inode(&table, port))?;
    let socket = format!("socket:[{inode}]");
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        holds(&process.path(), &socket).then(|| {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            format!("{} (pid {pid})", name.trim())
        })
    })
}

fn holds(process: &Path, socket: &str) -> bool {
    fs::read_dir(process.join("fd")).is_ok_and(|mut open| {
        open.any(|fd| {
            fd.and_then(|fd| fs::read_link(fd.path()))
                .is_ok_and(|target| target.as_os_str() == socket)
        })
    })
}

/// The inode of the socket in state LISTEN (`0A`) on `port`, from a table of `/proc/net`.
fn listening_inode(table: &str, port: u16) -> Option<u64> {
    let suffix = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let local = columns.get(1)?;
        let listens = local.ends_with(&suffix) && columns.get(3) == Some(&"0A");
        columns.get(9).filter(|_| listens)?.parse().ok()
    })
}

fn holder_by_lsof(port: u16) -> Option<String> {
    let output = Command::new("lsof")
        .args(["-nP", &format!("-iTCP:{port}"), "-sTCP:LISTEN", "-Fpc"])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let field = |letter: char| text.lines().find_map(|line| line.strip_prefix(letter));
    Some(format!("{} (pid {})", field('c')?, field('p')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listening_port_is_not_free_and_its_holder_is_known() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = listener.local_addr().unwrap().port();

        assert!(!is_free(taken));
        assert_ne!(free(Some(taken)).unwrap(), taken);
        if cfg!(target_os = "linux") {
            let pid = format!("(pid {})", std::process::id());
            assert!(holder(taken).unwrap().ends_with(&pid));
        }
    }

    #[test]
    fn only_listening_sockets_count() {
        let table = "head\n 0: 0100007F:1F90 0100007F:9999 01 0:0 0:0 0 0 0 77 1\n \
                     1: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 1000 0 4242 1\n";

        assert_eq!(listening_inode(table, 8080), Some(4242));
        assert_eq!(listening_inode(table, 80), None);
    }
}
