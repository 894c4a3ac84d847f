//! Finds every row's unit and group, and what of them is missing.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::error::ImportError;
use super::items::Placed;
use super::model::Finding;
use super::pricefile::{ColumnRef, Mapping, PriceRow, UnitText};
use crate::db::TenantTx;
use crate::tenant::catalog::groups::{self, GroupToAdd};
use crate::tenant::catalog::units::{self, NewUnit};

/// Longest description of an item, characters.
const MAX_DESCRIPTION_CHARS: usize = 10_000;

/// The dealer's groups and units, those that the rows so far have added included.
#[derive(Debug)]
pub(super) struct Catalogue {
    /// Ids of groups by their path.
    groups: HashMap<Vec<String>, Uuid>,
    units: HashSet<String>,
    /// The column of descriptions, if the file has one.
    description: Option<String>,
}

/// Rows that can be written, and what must be there before them.
#[derive(Debug, Default)]
pub(super) struct PlacedBatch {
    pub rows: Vec<Placed>,
    pub units: Vec<NewUnit>,
    pub groups: Vec<GroupToAdd>,
    /// Descriptions that are too long.
    pub cut: Vec<Finding>,
}

impl Catalogue {
    /// As it is now.
    pub(super) async fn of(tx: &TenantTx, mapping: &Mapping) -> Result<Self, ImportError> {
        let groups = groups::all_paths(tx).await?;
        let units = units::all_codes(tx).await?;
        let description = mapping.description.as_ref().map(|column| match column {
            ColumnRef::Name(name) => name.clone(),
            ColumnRef::Number(number) => format!("column {number}"),
        });
        Ok(Self {
            groups: groups
                .into_iter()
                .map(|group| (group.path, group.id))
                .collect(),
            units: units.into_iter().collect(),
            description,
        })
    }

    pub(super) fn has_description(&self) -> bool {
        self.description.is_some()
    }

    /// Finds every row's unit and group. What is missing counts as there from now on.
    pub(super) fn place(&mut self, rows: Vec<PriceRow>) -> PlacedBatch {
        let mut batch = PlacedBatch {
            rows: Vec::with_capacity(rows.len()),
            ..PlacedBatch::default()
        };
        for mut row in rows {
            let Some(price) = row.price.take() else {
                continue;
            };
            batch.cut.extend(self.cut_description(&mut row));
            let unit = self.unit_of(&row.unit, &mut batch.units);
            let group_id = self.group_of(&row.group_path, &mut batch.groups);
            batch.rows.push(Placed {
                row,
                price,
                unit,
                group_id,
            });
        }
        batch
    }

    fn unit_of(&mut self, unit: &UnitText, new: &mut Vec<NewUnit>) -> String {
        let (code, name) = match unit {
            UnitText::Known(code) => ((*code).to_owned(), *code),
            UnitText::Unknown(text) => (units::code_of(text), text.as_str()),
        };
        if self.units.insert(code.clone()) {
            new.push(NewUnit {
                code: code.clone(),
                name: name.to_owned(),
                symbol: name.chars().take(20).collect(),
                un_ece: None,
                decimals: 3,
            });
        }
        code
    }

    fn group_of(&mut self, path: &[String], new: &mut Vec<GroupToAdd>) -> Option<Uuid> {
        if let Some(id) = self.groups.get(path) {
            return Some(*id);
        }
        let (name, parents) = path.split_last()?;
        let parent_id = self.group_of(parents, new);
        let id = Uuid::now_v7();
        new.push(GroupToAdd {
            id,
            parent_id,
            name: name.clone(),
        });
        self.groups.insert(path.to_vec(), id);
        Some(id)
    }

    /// Cuts a description to the length that people may write.
    fn cut_description(&self, row: &mut PriceRow) -> Option<Finding> {
        let text = row.description.as_mut()?;
        let (end, _) = text.char_indices().nth(MAX_DESCRIPTION_CHARS)?;
        text.truncate(end);
        Some(Finding {
            line: i64::try_from(row.line).unwrap_or(i64::MAX),
            column: self.description.clone(),
            value: text.chars().take(200).collect(),
            code: "description_cut".to_owned(),
            hint: format!("it was cut to {MAX_DESCRIPTION_CHARS} characters"),
        })
    }
}
