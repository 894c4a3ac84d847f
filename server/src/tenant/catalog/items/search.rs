//! The list of items as one statement: filters, search, order, page.
//!
//! `item.search` holds a blank and then SKU, name and description, folded (lower case, no
//! accents). A word of three letters or more is found anywhere in it, a shorter one only where a
//! word begins: fewer letters than a trigram has would otherwise fit nearly everything.

use ::entity::tenant::item;
use sea_orm::{DbBackend, Statement, Value};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::model::{Direction, Filter, MAX_BARCODE_CHARS, Shown, Sort, SortKey};

/// Words of a search that count; more of them are a mistake or an attack.
const WORDS: usize = 12;

/// Everything of an item, and its barcodes in order.
pub(super) const COLUMNS: &str = "i.id, i.sku, i.name, i.description, i.group_id, i.base_unit, \
     i.price_amount, i.price_per, i.price_unit, i.currency, i.cost_amount, i.status, i.custom, i.version, \
     i.created_at, i.updated_at, i.retired_at, \
     ARRAY(SELECT b.barcode FROM item_barcode b WHERE b.item_id = i.id ORDER BY b.position) \
     AS barcodes";

/// What the page is sorted by; no two items share a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// How well an item fits the search, then the SKU.
    Rank,
    By(Sort),
}

/// Where the page begins: after the item with these sort keys. Each order has its own, so that
/// a cursor of one is no cursor of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum After {
    Rank(i32, String),
    Name(String, String),
    /// Microseconds since 1970, which is what the database keeps.
    UpdatedAt(i64, String),
    Sku(String),
}

/// Puts a statement together, numbering its values as they come.
#[derive(Default)]
struct Parts {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Parts {
    /// The placeholder of one more value.
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }
}

/// The statement of one page. `with_barcode` are items that the search names by barcode.
pub(super) fn statement(
    filter: &Filter,
    with_barcode: &[Uuid],
    order: Order,
    after: Option<After>,
    limit: u64,
) -> Statement {
    let mut parts = Parts::default();
    parts.conditions.push(shown(filter.shown).to_owned());
    if let Some(sku) = &filter.sku {
        let sku = parts.bind(sku.as_str());
        parts.conditions.push(format!("i.sku = {sku}"));
    }
    if let Some(barcode) = &filter.barcode {
        let barcode = parts.bind(barcode.as_str());
        let by_barcode = "SELECT b.item_id FROM item_barcode b WHERE b.barcode =";
        parts
            .conditions
            .push(format!("i.id IN ({by_barcode} {barcode})"));
    }
    if let Some(group) = filter.group_id {
        let group = parts.bind(group);
        parts.conditions.push(format!(
            "i.group_id IN (WITH RECURSIVE inner_group AS (SELECT {group}::uuid AS id UNION ALL \
             SELECT g.id FROM item_group g JOIN inner_group p ON g.parent_id = p.id) \
             SELECT id FROM inner_group)"
        ));
    }
    if let Some(since) = filter.updated_since {
        let since = parts.bind(since);
        parts.conditions.push(format!("i.updated_at >= {since}"));
    }
    let rank = match &filter.q {
        Some(q) => search(&mut parts, q, with_barcode),
        None => "0".to_owned(),
    };
    let limit = parts.bind(i64::try_from(limit).unwrap_or(i64::MAX));
    if let Some(after) = after {
        let condition = beyond(&mut parts, &rank, order, after);
        parts.conditions.push(condition);
    }
    let sql = format!(
        "SELECT {COLUMNS}, {rank} AS rank FROM item i WHERE {} ORDER BY {} LIMIT {limit}",
        parts.conditions.join(" AND "),
        order.columns(),
    );
    Statement::from_sql_and_values(DbBackend::Postgres, sql, parts.values)
}

fn shown(shown: Shown) -> &'static str {
    match shown {
        Shown::Kept => "i.retired_at IS NULL",
        Shown::Active => "i.status = 'active' AND i.retired_at IS NULL",
        Shown::Obsolete => "i.status = 'obsolete' AND i.retired_at IS NULL",
        Shown::Retired => "i.retired_at IS NOT NULL",
    }
}

/// Adds the conditions of a search and returns its rank: SKU or barcode as a whole, beginning of
/// the SKU, beginning of a word, anywhere else.
///
/// Every pattern is a sub-select, which runs once a statement. Written straight into the
/// condition it would be folded anew for every row: 400 ms instead of 30 for a word in 50,000.
fn search(parts: &mut Parts, q: &str, with_barcode: &[Uuid]) -> String {
    let mut words = Vec::new();
    for word in q.split_whitespace().take(WORDS) {
        let is_short = word.chars().count() < 3;
        let word = literal(&parts.bind(word));
        let beginning = if is_short { "'% '" } else { "'%'" };
        words.push(format!(
            "i.search LIKE (SELECT {beginning} || {word} || '%')"
        ));
    }
    let words = words.join(" AND ");
    let whole = literal(&parts.bind(q));
    let rank = format!(
        "CASE WHEN i.search LIKE (SELECT ' ' || {whole} || ' %') THEN 0 \
         WHEN i.search LIKE (SELECT ' ' || {whole} || '%') THEN 1 \
         WHEN i.search LIKE (SELECT '% ' || {whole} || '%') THEN 2 ELSE 3 END"
    );
    if with_barcode.is_empty() {
        parts.conditions.push(words);
        return rank;
    }
    let ids = parts.bind(with_barcode.to_vec());
    parts
        .conditions
        .push(format!("({words} OR i.id = ANY({ids}))"));
    format!("CASE WHEN i.id = ANY({ids}) THEN 0 ELSE {rank} END")
}

impl Order {
    /// A search is sorted by how well it fits, whatever else was asked for.
    pub(super) fn of(filter: &Filter, sort: Sort) -> Self {
        match &filter.q {
            Some(_) => Self::Rank,
            None => Self::By(sort),
        }
    }

    /// An index is read in either direction, but all of its columns in the same.
    fn columns(self) -> &'static str {
        let Self::By(Sort { key, direction }) = self else {
            return "rank, i.sku";
        };
        match (key, direction) {
            (SortKey::Sku, Direction::Up) => "i.sku",
            (SortKey::Sku, Direction::Down) => "i.sku DESC",
            (SortKey::Name, Direction::Up) => "i.name, i.sku",
            (SortKey::Name, Direction::Down) => "i.name DESC, i.sku DESC",
            (SortKey::UpdatedAt, Direction::Up) => "i.updated_at, i.sku",
            (SortKey::UpdatedAt, Direction::Down) => "i.updated_at DESC, i.sku DESC",
        }
    }

    /// How the sort keys of the next page compare to the last ones shown.
    fn comparison(self) -> &'static str {
        match self {
            Self::By(Sort {
                direction: Direction::Down,
                ..
            }) => "<",
            Self::Rank | Self::By(_) => ">",
        }
    }

    /// Where the page after an item begins.
    pub(super) fn after(self, rank: i32, item: &item::Model) -> After {
        let sku = item.sku.clone();
        match self {
            Self::Rank => After::Rank(rank, sku),
            Self::By(Sort { key, .. }) => match key {
                SortKey::Sku => After::Sku(sku),
                SortKey::Name => After::Name(item.name.clone(), sku),
                SortKey::UpdatedAt => After::UpdatedAt(micros(item.updated_at), sku),
            },
        }
    }

    /// Whether a cursor was made by a list in this order. Its seal says so already; a change of
    /// ours between two pages might not.
    pub(super) fn fits(self, after: &After) -> bool {
        match (self, after) {
            (Self::Rank, After::Rank(..)) => true,
            (Self::By(sort), after) => matches!(
                (sort.key, after),
                (SortKey::Sku, After::Sku(_))
                    | (SortKey::Name, After::Name(..))
                    | (SortKey::UpdatedAt, After::UpdatedAt(..))
            ),
            (Self::Rank, _) => false,
        }
    }
}

/// The items after the last one shown.
fn beyond(parts: &mut Parts, rank: &str, order: Order, after: After) -> String {
    let than = order.comparison();
    match after {
        After::Rank(last, sku) => {
            let (last, sku) = (parts.bind(last), parts.bind(sku));
            format!("(({rank}), i.sku) {than} ({last}, {sku})")
        }
        After::Name(name, sku) => {
            let (name, sku) = (parts.bind(name), parts.bind(sku));
            format!("(i.name, i.sku) {than} ({name}, {sku})")
        }
        After::UpdatedAt(at, sku) => {
            let (at, sku) = (parts.bind(moment(at)), parts.bind(sku));
            format!("(i.updated_at, i.sku) {than} ({at}, {sku})")
        }
        After::Sku(sku) => format!("i.sku {than} {}", parts.bind(sku)),
    }
}

fn micros(moment: OffsetDateTime) -> i64 {
    i64::try_from(moment.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}

/// A moment that is none of ours is the first there is: its page is the list from its beginning.
fn moment(micros: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// A folded text without the meaning that some characters have in `LIKE`. It is taken after
/// folding, which turns wide signs such as `％` into those characters.
fn literal(text: &str) -> String {
    format!(r"regexp_replace(shared.fold({text}), '[\\%_]', '\\\&', 'g')")
}

/// Whether a search may name an item by its barcode, which need not be a GTIN.
pub(super) fn may_be_barcode(q: &str) -> bool {
    q.chars().nth(MAX_BARCODE_CHARS).is_none()
}
