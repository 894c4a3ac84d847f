//! One row after the other, each decided by the seed and its number alone.

use std::collections::BTreeMap;

use super::maker::{Form, Maker, mixed, whole};
use super::plan::{Part, Plan};
use super::trial::Cell;

/// How much of a row is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Now this, now that; every other row gives these columns a value.
    Usual { favoured: Vec<usize> },
    /// As little as there must be.
    Least,
    /// As much as there can be.
    Most,
}

/// What a number is mixed with, so that its uses have nothing to do with each other.
#[derive(Clone, Copy)]
enum Use {
    Null = 1,
    Way,
    Recipe,
    Parent,
    Default,
}

impl Plan<'_> {
    /// The row of a number; nothing, where its parents don't go with each other.
    pub(super) fn row(&self, number: u64, manner: &Manner) -> Option<Vec<Cell>> {
        let choices: Vec<usize> = self.choices(number, manner);
        self.cells(&choices, number)
    }

    /// One combination of the ways of some columns, and the row it makes; some are all empty or
    /// all alike, since rules often ask for that.
    pub(super) fn combination(
        &self,
        places: &[usize],
        number: u64,
        attempt: u64,
    ) -> Option<(Vec<usize>, Vec<Cell>)> {
        let choices = self.pools.iter().enumerate().map(|(place, pool)| {
            if !places.contains(&place) || pool.is_empty() {
                return 0;
            }
            let any = self.mix(attempt, place, Use::Way);
            match attempt % 8 {
                0 => 0,
                1 => pool.len() - 1,
                2 | 3 => {
                    let values = pool
                        .iter()
                        .filter(|maker| !matches!(maker, Maker::Null | Maker::Default));
                    let skipped = pool.len() - values.count();
                    let alike = (attempt / 8) as usize;
                    (skipped + alike % (pool.len() - skipped).max(1)).min(pool.len() - 1)
                }
                4 => Self::one_of_values(pool, any),
                _ => remainder(any, pool.len()),
            }
        });
        let choices: Vec<usize> = choices.collect();
        let cells = self.cells(&choices, number)?;
        Some((choices, cells))
    }

    fn mix(&self, number: u64, place: usize, purpose: Use) -> u64 {
        // The table's name, since its object number differs from one schema to the next.
        let name = self.table.name.bytes().map(u64::from);
        let name = name.fold(0_u64, |sum, byte| mixed(&[sum, byte]));
        mixed(&[self.seed, name, number, place as u64, purpose as u64])
    }

    fn one_of_values(pool: &[Maker], any: u64) -> usize {
        let is_value = |at: &usize| !matches!(pool[*at], Maker::Null | Maker::Default);
        let values: Vec<usize> = (0..pool.len()).filter(is_value).collect();
        match values.len() {
            0 => remainder(any, pool.len()),
            some => values[remainder(any, some)],
        }
    }

    fn choices(&self, number: u64, manner: &Manner) -> Vec<usize> {
        let places = 0..self.pools.len();
        let mut choices: Vec<usize> = places
            .map(|place| self.choice(place, number, manner))
            .collect();
        if let Manner::Usual { favoured } = manner {
            self.follow_recipes(&mut choices, number, favoured);
            self.turn_wheels(&mut choices, number);
        }
        choices
    }

    fn choice(&self, place: usize, number: u64, manner: &Manner) -> usize {
        let pool = &self.pools[place];
        if pool.is_empty() {
            return 0;
        }
        let at = |wanted: &Maker| pool.iter().position(|maker| maker == wanted);
        let (null, default) = (at(&Maker::Null), at(&Maker::Default));
        let any = self.mix(number, place, Use::Way);
        let value = Self::one_of_values(pool, any);
        match manner {
            Manner::Least => null.or(default).unwrap_or(value),
            Manner::Most => value,
            Manner::Usual { favoured } => {
                let is_favoured = number.is_multiple_of(2) && favoured.contains(&place);
                let is_empty = self.mix(number, place, Use::Null).is_multiple_of(3);
                let is_default = self.mix(number, place, Use::Default).is_multiple_of(4);
                match (null, default) {
                    (Some(null), _) if is_empty && !is_favoured => null,
                    (_, Some(default)) if is_default => default,
                    _ => value,
                }
            }
        }
    }

    /// Columns that rules bind together take ways that go with each other.
    fn follow_recipes(&self, choices: &mut [usize], number: u64, favoured: &[usize]) {
        for part in &self.parts {
            let gives = |recipe: &&Vec<usize>| {
                let mut chosen = part.places.iter().zip(recipe.iter());
                !number.is_multiple_of(2)
                    || chosen.all(|(place, way)| {
                        !favoured.contains(place)
                            || self.pools[*place].get(*way) != Some(&Maker::Null)
                    })
            };
            let mut recipes: Vec<&Vec<usize>> = part.recipes.iter().filter(gives).collect();
            if recipes.is_empty() {
                recipes = part.recipes.iter().collect();
            }
            if recipes.is_empty() {
                continue;
            }
            let recipe = self.one_recipe(part, &recipes, number);
            for (place, way) in part.places.iter().zip(recipe) {
                choices[*place] = *way;
            }
        }
    }

    /// First which columns are empty, then one of the ways to do that: ways with values are so
    /// many that the empty ones would hardly ever come.
    fn one_recipe<'r>(
        &self,
        part: &Part,
        recipes: &[&'r Vec<usize>],
        number: u64,
    ) -> &'r Vec<usize> {
        let mut by_empty: BTreeMap<Vec<bool>, Vec<&'r Vec<usize>>> = BTreeMap::new();
        for recipe in recipes {
            let ways = part.places.iter().zip(recipe.iter());
            let is_null = ways.map(|(place, way)| self.pools[*place][*way] == Maker::Null);
            by_empty.entry(is_null.collect()).or_default().push(recipe);
        }
        let groups: Vec<&Vec<&Vec<usize>>> = by_empty.values().collect();
        let any = self.mix(number, part.places[0], Use::Null);
        let group = groups[remainder(any, groups.len())];
        let any = self.mix(number, part.places[0], Use::Recipe);
        group[remainder(any, group.len())]
    }

    /// Columns of a key that nothing else keeps apart go through their ways in turn.
    fn turn_wheels(&self, choices: &mut [usize], number: u64) {
        for place in self.wheels.iter().flatten() {
            let pool = &self.pools[*place];
            if pool.contains(&Maker::Parent) {
                continue;
            }
            let is_value = |at: &usize| !matches!(pool[*at], Maker::Null | Maker::Default);
            let values: Vec<usize> = (0..pool.len()).filter(is_value).collect();
            if !values.is_empty() {
                let turned = self.turned(*place, number).unwrap_or(0);
                choices[*place] = values[remainder(turned, values.len())];
            }
        }
    }

    /// Where the wheel of a column stands: the first turns with each row, the second when the
    /// first is round and beside it, so that rows differ in all of them.
    fn turned(&self, place: usize, number: u64) -> Option<u64> {
        let wheel = self.wheels.iter().find(|wheel| wheel.contains(&place))?;
        let (mut left, mut sum) = (number, 0);
        for one in wheel {
            let size = self.size(*one).max(1);
            let digit = (left % size + sum) % size;
            if *one == place {
                return Some(digit);
            }
            sum += digit;
            left /= size;
        }
        None
    }

    fn size(&self, place: usize) -> u64 {
        let number = self.table.columns[place].number;
        let of = self
            .table
            .references
            .iter()
            .position(|one| one.columns.contains(&number));
        let is_value = |maker: &&Maker| !matches!(maker, Maker::Null | Maker::Default);
        match of {
            Some(at) => self.parents[at].len() as u64,
            None => self.pools[place].iter().filter(is_value).count() as u64,
        }
    }

    fn cells(&self, choices: &[usize], number: u64) -> Option<Vec<Cell>> {
        let ways = self.pools.iter().zip(choices);
        let mut cells: Vec<Cell> = ways
            .map(|(pool, choice)| match pool.get(*choice) {
                Some(Maker::Default) => Cell::Default,
                Some(Maker::Fixed(text)) => Cell::Text(text.clone()),
                Some(Maker::Counted(form)) => Cell::Text(form.value(number)),
                Some(Maker::Null | Maker::Parent) | None => Cell::Null,
            })
            .collect();
        let is_open = |place: usize| self.pools[place].get(choices[place]) == Some(&Maker::Parent);
        let mut open: Vec<bool> = (0..choices.len()).map(is_open).collect();
        for at in 0..self.table.references.len() {
            self.refer(at, number, &mut cells, &mut open)?;
        }
        Some(cells)
    }

    /// Gives a reference's columns the key of a row there is.
    fn refer(&self, at: usize, number: u64, cells: &mut [Cell], open: &mut [bool]) -> Option<()> {
        let reference = &self.table.references[at];
        let places: Vec<usize> = reference
            .columns
            .iter()
            .filter_map(|number| self.table.place(*number))
            .collect();
        if !places.iter().any(|place| open[*place]) {
            return Some(());
        }
        let goes = |key: &&Vec<String>| {
            let mut parts = places.iter().zip(key.iter());
            parts.all(|(place, part)| match &cells[*place] {
                Cell::Text(text) => open[*place] || text == part,
                _ => true,
            })
        };
        let keys: Vec<&Vec<String>> = self.parents[at].iter().filter(goes).collect();
        if keys.is_empty() {
            return self.refer_without(at, number, &places, cells, open);
        }
        let turned = places.iter().find_map(|place| self.turned(*place, number));
        let any = turned.unwrap_or_else(|| self.mix(number, places[0], Use::Parent));
        let key = keys[remainder(any, keys.len())];
        for (place, part) in places.iter().zip(key) {
            if open[*place] {
                cells[*place] = Cell::Text(part.clone());
                open[*place] = false;
            }
        }
        Some(())
    }

    /// No row that is there will do: then none, or the row itself.
    fn refer_without(
        &self,
        at: usize,
        number: u64,
        places: &[usize],
        cells: &mut [Cell],
        open: &mut [bool],
    ) -> Option<()> {
        let reference = &self.table.references[at];
        if let Some(place) = places
            .iter()
            .find(|place| !self.table.columns[**place].not_null)
        {
            cells[*place] = Cell::Null;
            open[*place] = false;
            return Some(());
        }
        if reference.target != self.table.id || !self.parents[at].is_empty() {
            return None;
        }
        for (place, target) in places.iter().zip(&reference.target_columns) {
            let target = self.table.place(*target)?;
            if cells[target] == Cell::Default {
                cells[target] = Cell::Text(self.instead_of_default(target, number)?);
            }
            cells[*place] = cells[target].clone();
            open[*place] = false;
        }
        Some(())
    }

    fn instead_of_default(&self, place: usize, number: u64) -> Option<String> {
        if self.table.columns[place].is_serial() {
            return Some(Form::Number(0, whole(1), whole(30_000), 0).value(number));
        }
        self.pools[place].iter().find_map(|maker| match maker {
            Maker::Counted(form) => Some(form.value(number)),
            Maker::Fixed(text) => Some(text.clone()),
            _ => None,
        })
    }
}

fn remainder(any: u64, of: usize) -> usize {
    usize::try_from(any % of as u64).unwrap_or(0)
}
