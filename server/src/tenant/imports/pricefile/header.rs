//! Finds the row of column names, and what each name means.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::currency;
use super::fold;
use super::mapping::{Field, Mapping};
use super::synonyms::{self, Weight};

/// A cell of more words or characters is a sentence, not a column's name.
const MAX_WORDS: usize = 8;
const MAX_CHARS: usize = 80;
/// Names below this are too vague to tell a header from a row.
const RECOGNISED: Weight = 40;

/// Fields by the names' letters and digits, without blanks: `Art.-Nr.` and `ArtNr` are one.
static BY_NAME: LazyLock<HashMap<String, Vec<(Field, Weight)>>> = LazyLock::new(|| {
    let mut map: HashMap<String, Vec<(Field, Weight)>> = HashMap::new();
    for (field, weight, names) in synonyms::NAMES {
        for name in names {
            let meanings = map.entry(name.replace(' ', "")).or_default();
            if !meanings.iter().any(|(known, _)| *known == field) {
                meanings.push((field, weight));
            }
        }
    }
    map
});

/// What a column's name can mean, the clearest first, without what is far less likely.
pub(super) fn meanings(header: &str) -> Vec<(Field, Weight)> {
    if header.chars().count() > MAX_CHARS {
        return Vec::new();
    }
    let folded = fold::words(header);
    let words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    if words.is_empty() || words.len() > MAX_WORDS {
        return Vec::new();
    }
    let mut found: Vec<(Field, Weight)> = Vec::new();
    let mut add = |field, weight| match found.iter_mut().find(|(known, _)| *known == field) {
        Some((_, best)) => *best = (*best).max(weight),
        None => found.push((field, weight)),
    };
    for start in 0..words.len() {
        for end in start + 1..=words.len().min(start + 5) {
            let Some(meanings) = BY_NAME.get(&words[start..end].concat()) else {
                continue;
            };
            let others = (words.len() - (end - start)) as Weight;
            for (field, weight) in meanings {
                // A name inside a longer one is a hint only, and less so among many words.
                let part = (weight * 6 / 10).saturating_sub(3 * others);
                add(*field, if others == 0 { *weight } else { part });
            }
        }
    }
    for (ending, field) in [
        ("bezeichnung", Field::Name),
        ("einheit", Field::Unit),
        ("gruppe", Field::Group),
    ] {
        if words.iter().any(|word| word.ends_with(ending)) {
            add(field, 45);
        }
    }
    if is_level(&words) {
        add(Field::Group, 95);
    }
    if let Some(weight) = price_rank(&words) {
        add(Field::Price, weight);
    }
    if words
        .iter()
        .any(|word| synonyms::NOT_A_GROUP.contains(word))
    {
        found.retain(|(field, _)| *field != Field::Group);
    }
    let best = found.iter().map(|(_, weight)| *weight).max().unwrap_or(0);
    found.retain(|(_, weight)| weight * 10 >= best * 6);
    found.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    found
}

/// Whether a column is a level of a path of groups: `parent_category`, `Ebene 2`.
pub(super) fn is_level_name(header: &str) -> bool {
    is_level(&fold::words(header).split(' ').collect::<Vec<_>>())
}

fn is_level(words: &[&str]) -> bool {
    let first = words
        .first()
        .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()));
    let is_number = words
        .iter()
        .skip(1)
        .any(|word| matches!(*word, "id" | "code" | "sku" | "nr"));
    first.is_some_and(|first| synonyms::LEVELS.contains(&first)) && !is_number
}

/// Whether a group's column holds its number and not its name.
pub(super) fn is_group_number(header: &str) -> bool {
    fold::words(header)
        .split(' ')
        .any(|word| synonyms::GROUP_NUMBERS.contains(&word))
}

/// How good a price a column is by its name: a plain one is 100, an average 90, net 84, …
fn price_rank(words: &[&str]) -> Option<Weight> {
    let is_price = |word: &&&str| synonyms::PRICES.contains(*word);
    let is_cost = |word: &&&str| synonyms::COSTS.contains(*word);
    let is_compound = |word: &&&str| word.ends_with("preis");
    let mut rank: Weight = if words
        .iter()
        .any(|word| is_price(&word) || is_compound(&word))
    {
        100
    } else if words.iter().any(|word| is_cost(&word)) {
        70
    } else {
        return None;
    };
    for word in words {
        // German puts the qualifier in front: `Medianpreis`, `Aktionspreis`.
        let stem = word.strip_suffix("preis").unwrap_or(word);
        let is_named = |names: &[&str]| {
            [*word, stem, stem.trim_end_matches('s')]
                .iter()
                .any(|form| names.contains(form))
        };
        let ranked = synonyms::RANKED_QUALIFIERS
            .iter()
            .find(|(_, names)| is_named(names));
        let is_currency = matches!(*word, "r" | "euro") || currency::of_code(word).is_some();
        rank = rank.saturating_sub(match ranked {
            Some((loss, _)) => *loss,
            None if is_price(&word) || is_cost(&word) => 0,
            None if synonyms::PLAIN_QUALIFIERS.contains(word) || is_currency => 0,
            None => 8,
        });
    }
    Some(rank.max(1))
}

/// Whether a column's name may stand over a running number that means nothing.
pub(super) fn is_index_name(header: &str) -> bool {
    let words = fold::words(header);
    words.is_empty() || synonyms::INDEX_NAMES.contains(&words.as_str())
}

/// Whether two column names are the same but for case, diacritics, padding and punctuation.
pub(super) fn is_same_name(left: &str, right: &str) -> bool {
    let (folded_left, folded_right) = (fold::words(left), fold::words(right));
    if folded_left.is_empty() && folded_right.is_empty() {
        return fold::trimmed(left) == fold::trimmed(right); // `#` and `%` fold to nothing
    }
    folded_left == folded_right
}

/// How much a row looks like a header; none when it does not.
///
/// It must name an article number, a name or a price, and a second field besides; a column that
/// the mapping names counts like a field.
pub(super) fn likeness<'a>(
    cells: impl Iterator<Item = &'a str>,
    mapping: &Mapping,
) -> Option<usize> {
    let mut fields: Vec<Field> = Vec::new();
    let mut named = 0;
    for cell in cells {
        named += usize::from(mapping.named_columns().any(|name| is_same_name(name, cell)));
        let best = meanings(cell).into_iter().next();
        if let Some((field, _)) = best.filter(|(_, weight)| *weight >= RECOGNISED)
            && !fields.contains(&field)
        {
            fields.push(field);
        }
    }
    let is_core = |field: &Field| {
        matches!(
            field,
            Field::Sku | Field::Name | Field::Description | Field::Price
        )
    };
    let is_header = (fields.len() >= 2 && fields.iter().any(is_core)) || named >= 2;
    is_header.then_some(fields.len() + named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(header: &str) -> Option<Field> {
        meanings(header).first().map(|(field, _)| *field)
    }

    #[test]
    fn names_of_every_language_are_known() {
        for (header, field) in [
            ("Art.-Nr.", Field::Sku),
            ("ArtikelNr", Field::Sku),
            ("  CÓDIGO ", Field::Sku),
            ("Référence article", Field::Sku),
            ("Tootekood", Field::Sku),
            ("supplier_item_code", Field::Sku),
            ("Artikelbezeichnung", Field::Name),
            ("Nimetus", Field::Name),
            ("Descripción", Field::Description),
            ("Unidad de medida", Field::Unit),
            ("Ühik", Field::Unit),
            ("ME", Field::Unit),
            ("Verpackungseinheit", Field::Unit),
            ("unit price", Field::Price),
            ("Price per unit", Field::Price),
            ("Preis je Einheit", Field::Price),
            ("Prix unitaire HT", Field::Price),
            ("Hind", Field::Price),
            ("Aktionspreis", Field::Price),
            ("Preis pro", Field::PricePer),
            ("Preiseinheit", Field::PricePer),
            ("Währung", Field::Currency),
            ("Código de barras", Field::Barcode),
            ("EAN-Code", Field::Barcode),
            ("Situação", Field::Status),
            ("Warengruppe", Field::Group),
            ("Sous-famille", Field::Group),
            ("parent_class", Field::Group),
            ("Ebene2", Field::Group),
        ] {
            assert_eq!(best(header), Some(field), "{header}");
        }
    }

    #[test]
    fn other_names_mean_nothing() {
        for header in [
            "",
            "#",
            "Gewicht",
            "seen in projects",
            "Farbe",
            "Rabattgruppe",
        ] {
            assert_ne!(best(header), Some(Field::Group), "{header}");
            assert!(
                meanings(header).iter().all(|(_, weight)| *weight < 60),
                "{header}"
            );
        }
    }

    #[test]
    fn prices_are_ranked() {
        let rank = |header| {
            let found = meanings(header)
                .into_iter()
                .find(|(field, _)| *field == Field::Price);
            found.map(|(_, weight)| weight)
        };
        let ranked = [
            "Preis EUR",
            "price_avg",
            "Valor mediano R$",
            "Nettopreis",
            "Bruttopreis",
            "price_min",
            "Data do preço",
            "mean_cost_per_day",
        ];
        assert!(ranked.is_sorted_by(|left, right| rank(left) > rank(right)));
        assert_eq!(rank("Preis"), rank("list price"));
    }

    #[test]
    fn a_header_is_told_from_rows_and_titles() {
        let none = Mapping::default();
        let likeness = |cells: &[&str]| likeness(cells.iter().copied(), &none);

        assert_eq!(likeness(&["Code", "Name", "Unit", "Price", ""]), Some(4));
        assert_eq!(likeness(&["Price list 2024"]), None);
        assert_eq!(likeness(&["4711", "Pipe", "Stk", "12,50"]), None);
        assert_eq!(likeness(&["Unit", "Currency"]), None);
    }

    #[test]
    fn the_mappings_columns_count_as_a_header() {
        let mapping: Mapping = serde_json::from_str(r#"{"sku":"xä","price":"yy"}"#).unwrap();

        assert_eq!(likeness([" XA", "YY "].into_iter(), &mapping), Some(2));
    }
}
