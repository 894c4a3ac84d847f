//! Load by `wrk`, whose requests are written by a script of ours.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::NamedTempFile;
use tests::local::tools;

use super::price_list::Random;
use super::server::SignedIn;

/// Connections of the load: twice as many as a lane has, so that no pool ever idles.
const CONNECTIONS: &str = "16";
/// Lengths of the prepared order of requests; it is gone through again and again.
const DRAWS: usize = 20_000;

/// Reports in one line what `wrk` would tell in prose.
const REPORT: &str = r#"
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
    e.status, e.connect + e.read + e.write, e.timeout))
end
"#;

/// Each thread begins elsewhere in the order, so that they don't march in step.
const DRAW: &str = r#"
local threads = 0
function setup(thread)
  thread:set("offset", threads * 7001)
  threads = threads + 1
end
function init(args)
  requests = {}
  for i, it in ipairs(callers) do
    requests[i] = wrk.format("GET", nil, { Host = it[1], Authorization = it[2] })
  end
  at = offset
end
function request()
  at = at % #order + 1
  return requests[order[at]]
end
"#;

/// Who asks, in which order.
#[derive(Debug)]
pub struct Load(NamedTempFile);

impl Load {
    /// Requests without a header of their own.
    ///
    /// # Errors
    ///
    /// When the script can't be written.
    pub fn anonymous() -> Result<Self> {
        Self::written("")
    }

    /// Requests of these callers in Zipf order: the second is half as busy as the first, the
    /// third a third. One alone makes all of them.
    ///
    /// # Errors
    ///
    /// When the script can't be written.
    pub fn zipf(callers: &[SignedIn]) -> Result<Self> {
        let mut script = String::from("callers = {\n");
        for caller in callers {
            let (host, token) = (&caller.host, &caller.token);
            writeln!(script, "  {{ \"{host}\", \"Bearer {token}\" }},")?;
        }
        script.push_str("}\norder = {");
        for number in zipf_order(callers.len()) {
            write!(script, "{number},")?;
        }
        script.push('}');
        script.push_str(DRAW);
        Self::written(&script)
    }

    fn written(script: &str) -> Result<Self> {
        let mut file = NamedTempFile::with_suffix(".lua")?;
        write!(file, "{script}{REPORT}")?;
        Ok(Self(file))
    }

    /// Lets it loose on an address for some seconds; requests per second that were answered.
    ///
    /// # Errors
    ///
    /// When a request failed: a server that refuses is fast, and measures nothing.
    pub async fn run(&self, address: &str, seconds: u64) -> Result<f64> {
        let mut command = Command::new(tools::wrk()?);
        command
            .args(["--threads", "2", "--connections", CONNECTIONS])
            .args(["--duration", &format!("{seconds}s"), "--script"])
            .arg(self.0.path())
            .arg(address);
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let result = text
            .lines()
            .find_map(|line| line.strip_prefix("RESULT "))
            .with_context(|| format!("wrk said:\n{text}"))?;
        let numbers: Vec<f64> = result
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let [requests, microseconds, refused, broken, late] = numbers[..] else {
            anyhow::bail!("wrk said: {result}");
        };
        ensure!(
            refused + broken + late == 0.0,
            "of {requests} requests {refused} were refused, {broken} broken, {late} late"
        );
        Ok(requests / microseconds * 1e6)
    }
}

/// Numbers from 1 to `size`, each as often as one over itself.
pub fn zipf_order(size: usize) -> Vec<usize> {
    let mut sums = Vec::with_capacity(size);
    let mut sum = 0.0;
    for number in 1..=size {
        sum += 1.0 / number as f64;
        sums.push(sum);
    }
    let mut random = Random::new(7);
    (0..DRAWS)
        .map(|_| {
            let drawn = random.fraction() * sum;
            sums.partition_point(|sum| *sum < drawn).min(size - 1) + 1
        })
        .collect()
}
