//! Medians and percentiles.

use std::time::Duration;

/// Measurements of one thing.
#[derive(Debug, Default, Clone)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// Adds one.
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// Adds a time, in milliseconds.
    pub fn add_ms(&mut self, took: Duration) {
        self.add(took.as_secs_f64() * 1000.0);
    }

    /// The one in the middle.
    pub fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// The smallest one that `percent` per cent don't exceed; 100 is the largest.
    ///
    /// # Panics
    ///
    /// Without a measurement.
    pub fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted[rank - 1]
    }
}
