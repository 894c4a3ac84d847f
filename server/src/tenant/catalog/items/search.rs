//! The list of items as one statement: filters, search, order, page.
//!
//! `item.search` holds a blank and then SKU, name and description, folded (lower case, no
//! accents). A word of three letters or more is found anywhere in it, a shorter one only where a
//! word begins: fewer letters than a trigram has would otherwise fit nearly everything.

use sea_orm::{DbBackend, Statement, Value};
use uuid::Uuid;

use super::model::{Filter, Shown, Sort};

/// Words of a search that count; more of them are a mistake or an attack.
const WORDS: usize = 12;

/// Everything of an item, and its barcodes in order.
pub(super) const COLUMNS: &str = "i.id, i.sku, i.name, i.description, i.group_id, i.base_unit, \
     i.price_amount, i.price_per, i.price_unit, i.currency, i.status, i.custom, i.version, \
     i.created_at, i.updated_at, i.retired_at, \
     ARRAY(SELECT b.barcode FROM item_barcode b WHERE b.item_id = i.id ORDER BY b.position) \
     AS barcodes";

/// How well an item fits a search; smaller is better.
pub(super) const EXACT: i32 = 0;

/// Where the page begins: after the item with this rank (0 without a search), name and SKU.
pub(super) type After = (i32, String, String);

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
    sort: Sort,
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
    let searched = filter
        .q
        .as_deref()
        .map(|q| search(&mut parts, q, with_barcode));
    let (rank, order) = match (searched, sort) {
        (Some(rank), _) => (rank, Order::Rank),
        (None, Sort::Sku) => (EXACT.to_string(), Order::Sku),
        (None, Sort::Name) => (EXACT.to_string(), Order::Name),
    };
    let limit = parts.bind(i64::try_from(limit).unwrap_or(i64::MAX));
    if let Some(after) = after {
        let condition = beyond(&mut parts, order, &rank, after);
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
        let pattern = parts.bind(escaped(word));
        let beginning = if is_short { "'% '" } else { "'%'" };
        words.push(format!(
            "i.search LIKE (SELECT {beginning} || shared.fold({pattern}) || '%')"
        ));
    }
    let words = words.join(" AND ");
    let whole = parts.bind(escaped(q));
    let rank = format!(
        "CASE WHEN i.search LIKE (SELECT ' ' || shared.fold({whole}) || ' %') THEN 0 \
         WHEN i.search LIKE (SELECT ' ' || shared.fold({whole}) || '%') THEN 1 \
         WHEN i.search LIKE (SELECT '% ' || shared.fold({whole}) || '%') THEN 2 ELSE 3 END"
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

/// What the page is sorted by; no two items share a place.
#[derive(Clone, Copy)]
enum Order {
    Rank,
    Name,
    Sku,
}

impl Order {
    fn columns(self) -> &'static str {
        match self {
            Self::Rank => "rank, i.sku",
            Self::Name => "i.name, i.sku",
            Self::Sku => "i.sku",
        }
    }
}

/// The items after the last one shown.
fn beyond(parts: &mut Parts, order: Order, rank: &str, after: After) -> String {
    let (last_rank, last_name, last_sku) = after;
    let sku = parts.bind(last_sku);
    match order {
        Order::Rank => {
            let last = parts.bind(last_rank);
            format!("(({rank}), i.sku) > ({last}, {sku})")
        }
        Order::Name => {
            let last = parts.bind(last_name);
            format!("(i.name, i.sku) > ({last}, {sku})")
        }
        Order::Sku => format!("i.sku > {sku}"),
    }
}

/// Takes their meaning from the characters that mean something in `LIKE`.
fn escaped(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for c in word.chars() {
        if matches!(c, '%' | '_' | '\\') {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

/// Whether a search may name an item by its barcode: GTIN-8 to GTIN-14.
pub(super) fn may_be_barcode(q: &str) -> bool {
    (8..=14).contains(&q.len()) && q.bytes().all(|b| b.is_ascii_digit())
}
