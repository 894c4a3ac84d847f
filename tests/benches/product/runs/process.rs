//! The program `tubex` as a whole: its time and its memory.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tests::{Scratch, tubex_command};

use crate::sample::Sample;
use crate::table::{Table, Target};
use crate::{Scale, say};

/// Adds the rows of the program.
///
/// # Errors
///
/// When it fails.
pub fn measure(table: &mut Table, database: &Scratch, scale: Scale) -> Result<()> {
    let (whole, mut peak) = run(database, &["migrate"])?;
    say(format!(
        "tubex took {} dealers over four migrations (a back-fill, an index, a contract) in {} ms",
        scale.dealers,
        whole.as_millis()
    ));
    let mut nothing = Sample::default();
    for _ in 0..scale.rounds {
        let (took, memory) = run(database, &["migrate"])?;
        nothing.add_ms(took);
        peak = peak.max(memory);
    }
    for verb in [
        &["drift"][..],
        &["status"],
        &["tenant", "list", "--limit", "1000"],
    ] {
        peak = peak.max(run(database, verb)?.1);
    }
    table.add(
        "a run with nothing to do, whole process",
        "ms",
        nothing.median(),
        None,
        Target::Below(1000.0),
    );
    let megabytes = peak as f64 / 1024.0;
    table.add(
        "peak memory of tubex",
        "MB",
        megabytes,
        None,
        Target::Below(60.0),
    );
    Ok(())
}

/// Its time, and its largest memory in KiB.
fn run(database: &Scratch, words: &[&str]) -> Result<(Duration, u64)> {
    let begun = Instant::now();
    let mut child = tubex_command(&database.owner_url(), words)
        .stdout(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        // The file goes with the process.
        if let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let number = line.and_then(|line| line.split_whitespace().next());
            peak = number
                .and_then(|number| number.parse().ok())
                .unwrap_or(peak);
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    ensure!(ended.success(), "tubex {words:?}: {ended}");
    Ok((begun.elapsed(), peak))
}

/// How long `pg_dump -n` takes for one schema.
///
/// # Errors
///
/// When there is none, or it fails.
pub fn dump(database: &Scratch, schema: &str, to: &Path) -> Result<Duration> {
    let begun = Instant::now();
    let ended = Command::new("pg_dump")
        .arg(database.owner_url())
        .args(["-n", schema, "-f"])
        .arg(to)
        .status()
        .context("pg_dump is not in the path")?;
    ensure!(ended.success(), "pg_dump: {ended}");
    Ok(begun.elapsed())
}
