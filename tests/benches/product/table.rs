//! The table of results: on the terminal, and in `target/bench.json`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use super::{is_quick, say};

/// What a row must reach.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// Ours is at least this many times the floor.
    RatioAtLeast(f64),
    /// Ours is less than this many times the floor.
    RatioBelow(f64),
    /// Ours is less than this, in the row's unit.
    Below(f64),
}

#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    unit: &'static str,
    ours: f64,
    floor: Option<f64>,
    /// Ours divided by the floor.
    ratio: Option<f64>,
    target: Option<String>,
    met: Option<bool>,
}

/// All rows so far.
#[derive(Debug, Default)]
pub struct Table(Vec<Row>);

impl Table {
    /// Adds a row.
    pub fn add(
        &mut self,
        name: &'static str,
        unit: &'static str,
        ours: f64,
        floor: Option<f64>,
        target: Target,
    ) {
        let ratio = floor.map(|floor| ours / floor);
        let (text, met) = match (target, ratio) {
            (Target::RatioAtLeast(least), Some(ratio)) => {
                (Some(format!("ratio >= {least}")), Some(ratio >= least))
            }
            (Target::RatioBelow(bound), Some(ratio)) => {
                (Some(format!("ratio < {bound}")), Some(ratio < bound))
            }
            (Target::Below(bound), _) => (Some(format!("< {bound} {unit}")), Some(ours < bound)),
            (_, None) => (None, None),
        };
        let row = Row {
            name,
            unit,
            ours: rounded(ours),
            floor: floor.map(rounded),
            ratio: ratio.map(rounded),
            target: text,
            met,
        };
        say(row.line());
        self.0.push(row);
    }

    /// Prints all rows and says plainly which targets are missed.
    pub fn print(&self, took: Duration) {
        println!();
        println!(
            "{:<44} {:>10} {:>10} {:>7}  {:<14} met",
            "row", "ours", "floor", "ratio", "target"
        );
        for row in &self.0 {
            println!("{}", row.line());
        }
        println!();
        println!(
            "All in one run of {} s on loopback, medians of interleaved rounds. Postgres is a \
             throw-away one with fsync=off, synchronous_commit=off and full_page_writes=off, for \
             ours and for the floor alike.",
            took.as_secs()
        );
        if cfg!(debug_assertions) {
            println!("This is unoptimised code: the figures mean nothing.");
        }
        if is_quick() {
            println!("BENCH_QUICK is set: everything is smaller than the targets ask for.");
        }
        let missed: Vec<_> = self.0.iter().filter(|row| row.met == Some(false)).collect();
        if missed.is_empty() {
            println!("Every target is met.");
        }
        for row in missed {
            println!(
                "MISSED: {} ({})",
                row.name,
                row.target.as_deref().unwrap_or_default()
            );
        }
    }

    /// Writes all rows to `bench.json` in the target directory.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn write(&self) -> Result<()> {
        let path = target_directory().join("bench.json");
        std::fs::write(&path, serde_json::to_vec_pretty(&self.0)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("written to {}", path.display());
        Ok(())
    }
}

impl Row {
    fn line(&self) -> String {
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |it| it.to_string());
        let met = match self.met {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "-",
        };
        format!(
            "{:<44} {:>10} {:>10} {:>7}  {:<14} {met}",
            format!("{}, {}", self.name, self.unit),
            self.ours,
            number(self.floor),
            number(self.ratio),
            self.target.as_deref().unwrap_or("-"),
        )
    }
}

/// Three digits are more than a shared machine can promise.
fn rounded(value: f64) -> f64 {
    if value.abs() >= 100.0 {
        value.round()
    } else if value.abs() >= 10.0 {
        (value * 10.0).round() / 10.0
    } else {
        (value * 100.0).round() / 100.0
    }
}

/// Cargo keeps a folder for benches within its target directory, wherever that is.
fn target_directory() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap_or(scratch).to_owned()
}
