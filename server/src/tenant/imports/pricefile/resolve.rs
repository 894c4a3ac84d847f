//! Decides which column holds which field: the mapping first, then names, then contents.

use super::column::Column;
use super::error::FileError;
use super::header;
use super::mapping::{ColumnRef, Field, Mapping};

/// The place of each field, counted from zero.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    pub(super) sku: usize,
    pub(super) name: usize,
    pub(super) unit: usize,
    pub(super) price: usize,
    pub(super) description: Option<usize>,
    pub(super) group: Vec<usize>,
    pub(super) price_per: Option<usize>,
    pub(super) currency: Option<usize>,
    pub(super) barcode: Option<usize>,
    pub(super) status: Option<usize>,
}

/// Fields in the order in which equals are served; groups are gathered on their own.
const SERVED: [Field; 9] = [
    Field::Barcode,
    Field::Currency,
    Field::PricePer,
    Field::Unit,
    Field::Price,
    Field::Sku,
    Field::Name,
    Field::Description,
    Field::Status,
];

/// A name of this weight can't mean anything else.
const UNMISTAKABLE: u32 = 100;

/// Finds a column for each field.
///
/// # Errors
///
/// [`FileError::ColumnNotFound`] for a mapping's column that is not there, and
/// [`FileError::MissingColumn`] when article number, name, unit or price is nowhere.
pub(super) fn resolve(
    headers: &[String],
    columns: &[Column],
    mapping: &Mapping,
) -> Result<Columns, FileError> {
    let mut search = Search {
        headers,
        columns,
        meanings: headers
            .iter()
            .map(|header| header::meanings(header))
            .collect(),
        chosen: Vec::new(),
        closed: Vec::new(),
    };
    for (field, given) in mapping.fixed() {
        if let Some(column) = given {
            let place = place_of(headers, field, column)?;
            search.chosen.push((field, place));
        }
    }
    if mapping.currency.is_some() {
        search.closed.push(Field::Currency); // a fixed currency needs no column
    }
    let group = match &mapping.group {
        Some(given) => {
            let places = given
                .iter()
                .map(|column| place_of(headers, Field::Group, column));
            places.collect::<Result<Vec<_>, _>>()?
        }
        None => search.group(),
    };
    search.by_name(&group);
    if mapping.description.is_none() {
        search.promote_description(&group);
    }
    if search.chosen.len() + usize::from(!group.is_empty()) >= 2 {
        search.by_contents(&group);
    }
    search.by_name_alone(&group);
    let needed = |field| {
        let missing = || FileError::MissingColumn {
            field,
            columns: names(headers),
        };
        search.place(field).ok_or_else(missing)
    };
    Ok(Columns {
        sku: needed(Field::Sku)?,
        name: needed(Field::Name)?,
        unit: needed(Field::Unit)?,
        price: needed(Field::Price)?,
        description: search.place(Field::Description),
        group,
        price_per: search.place(Field::PricePer),
        currency: search.place(Field::Currency),
        barcode: search.place(Field::Barcode),
        status: search.place(Field::Status),
    })
}

impl Columns {
    /// The mapping's columns in words that find the same places again.
    pub(super) fn describe(&self, headers: &[String], mapping: &mut Mapping) {
        let refer = |place: usize| {
            let name = &headers[place];
            let first = headers
                .iter()
                .position(|other| header::is_same_name(other, name));
            if name.is_empty() || first != Some(place) {
                ColumnRef::Number(u32::try_from(place + 1).unwrap_or(u32::MAX))
            } else {
                ColumnRef::Name(name.clone())
            }
        };
        mapping.sku = Some(refer(self.sku));
        mapping.name = Some(refer(self.name));
        mapping.unit = Some(refer(self.unit));
        mapping.price = Some(refer(self.price));
        mapping.description = self.description.map(refer);
        mapping.group = Some(self.group.iter().copied().map(refer).collect());
        mapping.price_per = self.price_per.map(refer);
        mapping.currency_column = self.currency.map(refer);
        mapping.barcode = self.barcode.map(refer);
        mapping.status = self.status.map(refer);
    }
}

/// Column names for people: nameless ones by their place.
fn names(headers: &[String]) -> Vec<String> {
    let name = |(index, header): (usize, &String)| match header.as_str() {
        "" => format!("number {} (nameless)", index + 1),
        name => format!("\"{name}\""),
    };
    headers.iter().enumerate().map(name).collect()
}

fn place_of(headers: &[String], field: Field, column: &ColumnRef) -> Result<usize, FileError> {
    let found = match column {
        ColumnRef::Number(number) => {
            let place = usize::try_from(*number)
                .ok()
                .and_then(|number| number.checked_sub(1));
            place.filter(|place| *place < headers.len())
        }
        ColumnRef::Name(name) => headers
            .iter()
            .position(|header| header::is_same_name(header, name)),
    };
    let column = column.to_string();
    found.ok_or_else(|| FileError::ColumnNotFound {
        field,
        column,
        columns: names(headers),
    })
}

struct Search<'a> {
    headers: &'a [String],
    columns: &'a [Column],
    meanings: Vec<Vec<(Field, u32)>>,
    chosen: Vec<(Field, usize)>,
    /// Fields not to look for.
    closed: Vec<Field>,
}

impl Search<'_> {
    fn place(&self, field: Field) -> Option<usize> {
        self.chosen
            .iter()
            .find(|(known, _)| *known == field)
            .map(|(_, place)| *place)
    }

    fn is_open(&self, field: Field) -> bool {
        !self.closed.contains(&field) && self.place(field).is_none()
    }

    fn is_free(&self, place: usize, group: &[usize]) -> bool {
        !group.contains(&place) && !self.chosen.iter().any(|(_, taken)| *taken == place)
    }

    /// Columns whose name means a group first of all: levels of a path, else groups by name.
    fn group(&self) -> Vec<usize> {
        let is_group = |place: &usize| {
            let best = self.meanings[*place].first();
            best.is_some_and(|(field, _)| *field == Field::Group) && self.is_free(*place, &[])
        };
        let all: Vec<usize> = (0..self.headers.len()).filter(is_group).collect();
        let pick = |keep: &dyn Fn(&str) -> bool| -> Vec<usize> {
            all.iter()
                .copied()
                .filter(|place| keep(&self.headers[*place]))
                .collect()
        };
        let levels = pick(&header::is_level_name);
        if levels.len() >= 2 {
            return levels;
        }
        let named = pick(&|header| !header::is_group_number(header));
        if named.is_empty() { all } else { named }
    }

    /// Gives each open field the free column with the clearest name and fitting contents.
    fn by_name(&mut self, group: &[usize]) {
        let mut offers: Vec<(u32, usize, usize, Field)> = Vec::new();
        for (place, meanings) in self.meanings.iter().enumerate() {
            for (field, weight) in meanings {
                let Some(rank) = SERVED.iter().position(|served| served == field) else {
                    continue;
                };
                if let Some(weight) = self.fitness(*field, place, *weight) {
                    offers.push((weight, rank, place, *field));
                }
            }
        }
        offers.sort_by_key(|(weight, rank, place, _)| (std::cmp::Reverse(*weight), *rank, *place));
        for (_, _, place, field) in offers {
            if self.is_open(field) && self.is_free(place, group) {
                self.chosen.push((field, place));
            }
        }
    }

    /// Gives what is needed and still open a column of exactly that name, whatever it holds: a
    /// list with most prices on request has bad rows, not a missing column.
    fn by_name_alone(&mut self, group: &[usize]) {
        for field in [Field::Sku, Field::Name, Field::Unit, Field::Price] {
            let is_named = |place: &usize| {
                let best = self.meanings[*place].first();
                best.is_some_and(|(best, weight)| *best == field && *weight >= UNMISTAKABLE)
            };
            let mut named = (0..self.headers.len()).filter(is_named);
            let free = named.find(|place| self.is_free(*place, group));
            if let Some(place) = free.filter(|_| self.is_open(field)) {
                self.chosen.push((field, place));
            }
        }
    }

    /// A file without a name column calls its names descriptions; a longer one may follow.
    fn promote_description(&mut self, group: &[usize]) {
        if self.place(Field::Name).is_some() {
            return;
        }
        if let Some(chosen) = self
            .chosen
            .iter_mut()
            .find(|(field, _)| *field == Field::Description)
        {
            chosen.0 = Field::Name;
            self.by_name(group);
        }
    }

    /// How well a name fits its column's contents; none when it cannot be meant.
    fn fitness(&self, field: Field, place: usize, weight: u32) -> Option<u32> {
        let column = &self.columns[place];
        if column.filled == 0 {
            return Some(weight / 4); // anything that holds something is better
        }
        let fits = match field {
            Field::Sku => {
                let is_index = column.is_running() && header::is_index_name(&self.headers[place]);
                let repeats = column.filled >= 20 && column.distinct_percent() < 50;
                !is_index && !repeats && column.mean_characters() <= 40
            }
            Field::Name => column.letters_percent() >= 20 || !column.is_numeric(),
            Field::Unit => !column.is_numeric() && column.mean_characters() <= 20,
            Field::Price => column.is_numeric() && column.barcodes_percent() < 50,
            Field::PricePer => {
                (column.is_numeric() || column.units_percent() >= 50)
                    && column.fractions_percent() <= 20
            }
            Field::Currency => column.currencies_percent() >= 50,
            Field::Barcode => column.is_numeric() || column.barcodes_percent() > 0,
            Field::Description | Field::Status | Field::Group => true,
        };
        fits.then_some(weight)
    }

    /// Finds fields without a telling name by what their columns hold.
    fn by_contents(&mut self, group: &[usize]) {
        let choose = |search: &mut Self, field: Field, rate: &dyn Fn(&Column) -> Option<u64>| {
            if !search.is_open(field) {
                return;
            }
            let free = (0..search.columns.len()).filter(|place| search.is_free(*place, group));
            let filled = free.filter(|place| search.columns[*place].filled > 0);
            let rated = filled.filter_map(|at| rate(&search.columns[at]).map(|rate| (rate, at)));
            // The first among equals, as people put what matters to the left.
            if let Some((_, place)) = rated.max_by_key(|(rate, at)| (*rate, std::cmp::Reverse(*at)))
            {
                search.chosen.push((field, place));
            }
        };
        choose(self, Field::Currency, &|column| {
            (column.currencies_percent() >= 95).then_some(1)
        });
        choose(self, Field::Barcode, &|column| {
            (column.barcodes_percent() >= 90).then_some(1)
        });
        choose(self, Field::Unit, &|column| {
            (column.units_percent() >= 80 && !column.is_numeric()).then_some(column.units_percent())
        });
        choose(self, Field::Price, &|column| {
            let rated = column.fractions_percent() + column.money * 100 / column.filled;
            (column.numbers * 10 >= column.filled * 9 && rated >= 50).then_some(rated)
        });
        choose(self, Field::Sku, &|column| {
            let is_code = column.distinct_percent() >= 95
                && column.mean_characters() <= 24
                && column.blanks_percent() <= 10
                && column.fractions_percent() == 0
                && !column.is_running();
            is_code.then_some(1)
        });
        choose(self, Field::Name, &|column| {
            let is_text = column.letters_percent() >= 80 && column.mean_characters() >= 4;
            (is_text && column.distinct_percent() >= 50).then_some(column.mean_characters())
        });
    }
}
