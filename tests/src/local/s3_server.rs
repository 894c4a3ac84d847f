//! A private server that speaks S3's protocol, moto's, until dropped.

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::fetched::fetched;
use super::port;
use super::python::Environment;
use super::say::say;

const REQUIREMENTS: &str = include_str!("../../s3/requirements.txt");
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running server; it keeps everything in memory.
#[derive(Debug)]
pub struct S3Server {
    child: Child,
    endpoint: String,
}

/// Finds the server, or fetches it.
///
/// # Errors
///
/// When it is neither here nor can be fetched.
pub fn environment() -> Result<Environment> {
    let home = fetched("s3-server", REQUIREMENTS, |home| {
        let list = home.join("requirements.txt");
        fs::write(&list, REQUIREMENTS)?;
        let list = list.to_str().context("our folder's name is text")?;
        Environment::make(home.join("python"), &["--requirement", list]).map(drop)
    })?;
    Ok(Environment::within(home.join("python")))
}

impl S3Server {
    /// Starts one on a free port.
    ///
    /// # Errors
    ///
    /// When it can't be had, or does not start.
    pub fn start() -> Result<Self> {
        let port = port::free(None)?;
        let mut child = environment()?
            .program("moto_server")
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run the S3 server")?;
        let deadline = Instant::now() + START_LIMIT;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = child.try_wait()? {
                bail!("the S3 server ends at once: {status}");
            }
            if Instant::now() > deadline {
                let _gone_already = child.kill();
                bail!("the S3 server does not start");
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(Self {
            child,
            endpoint: format!("http://127.0.0.1:{port}"),
        })
    }

    /// Where it is.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            say(format!("cannot stop the S3 server: {error}"));
        }
    }
}
