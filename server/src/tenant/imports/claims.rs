//! Barcodes that the rows of a dry run would take: the database can't tell, nothing is written.

use std::collections::HashMap;

use super::items::{Placed, TakenBarcode};

/// The line of the row that would take each barcode. A GTIN is kept as a number behind a 1, for
/// leading zeros count: sixteen bytes a barcode.
#[derive(Debug, Default)]
pub(super) struct Claims(HashMap<u64, u32>);

impl Claims {
    /// Takes what is free for the rows of a batch. Returns the SKUs that get a barcode by it, and
    /// the barcodes that were taken before. `owners` are the SKUs that have a barcode by now.
    pub(super) fn take(
        &mut self,
        owners: &HashMap<String, String>,
        rows: &[Placed],
    ) -> (Vec<String>, Vec<TakenBarcode>) {
        let (mut gaining, mut taken) = (Vec::new(), Vec::new());
        for placed in rows {
            let row = &placed.row;
            let mut gains = false;
            for barcode in &row.barcodes {
                let holder = match owners.get(barcode) {
                    Some(owner) if *owner == row.sku => continue,
                    Some(owner) => Some(format!("the item {owner}")),
                    None => self.claim(barcode, row.line),
                };
                match holder {
                    None => gains = true,
                    Some(holder) => taken.push(TakenBarcode {
                        line: i64::try_from(row.line).unwrap_or(i64::MAX),
                        barcode: barcode.clone(),
                        holder,
                    }),
                }
            }
            if gains {
                gaining.push(row.sku.clone());
            }
        }
        (gaining, taken)
    }

    /// Nothing, or who has it already.
    fn claim(&mut self, barcode: &str, line: u64) -> Option<String> {
        let number = format!("1{barcode}").parse().ok()?;
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        let holder = *self.0.entry(number).or_insert(line);
        (holder != line).then(|| format!("the row in line {holder}"))
    }
}
