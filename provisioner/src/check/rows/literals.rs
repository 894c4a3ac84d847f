//! What the text of a rule says about values it would accept: its texts and numbers, the lengths
//! it speaks of, the patterns it matches.

use super::pattern::Pattern;

/// Numbers are counted in millionths, which keeps them exact.
pub(super) const UNIT: i128 = 1_000_000;

/// Longer texts than this are never made.
const MOST_WIDTH: i128 = 4_000;

/// What was found in rules.
#[derive(Clone, Debug, Default)]
pub(super) struct Literals {
    pub(super) texts: Vec<String>,
    /// In millionths.
    pub(super) numbers: Vec<i128>,
    pub(super) widths: Vec<usize>,
    pub(super) patterns: Vec<Pattern>,
}

impl Literals {
    /// Adds what a rule says.
    pub(super) fn read(&mut self, rule: &str) {
        let (texts, outside) = split(rule);
        let numbers: Vec<i128> = numbers(&outside);
        if outside.contains("length") || outside.contains("cardinality") {
            let widths = numbers.iter().map(|number| number / UNIT);
            let sensible = widths.filter(|width| (0..=MOST_WIDTH).contains(width));
            for width in sensible {
                let near = [width - 1, width, width + 1].into_iter();
                self.widths
                    .extend(near.filter_map(|width| usize::try_from(width).ok()));
            }
        }
        if outside.contains('~') {
            let patterns = texts.iter().filter_map(|text| Pattern::parse(text));
            self.patterns.extend(patterns);
            let like = texts.iter().filter(|text| text.contains('%'));
            let shown: Vec<String> = like.map(|text| text.replace('%', "x")).collect();
            self.texts
                .extend(shown.iter().map(|one| one.replace('_', "a")));
        }
        self.numbers.extend(numbers);
        let in_texts = texts.iter().filter_map(|text| number(text));
        self.numbers.extend(in_texts);
        self.texts.extend(texts);
        self.numbers.sort_unstable();
        self.numbers.dedup();
        self.widths.sort_unstable();
        self.widths.dedup();
    }

    /// Numbers that rules may tell apart: each of theirs, its neighbours, and what lies between.
    pub(super) fn edges(&self, step: i128) -> Vec<i128> {
        let mut edges = vec![];
        for number in &self.numbers {
            edges.extend([number - step, *number, number + step]);
        }
        let between = self.numbers.windows(2);
        edges.extend(between.map(|pair| (pair[0] + pair[1]) / 2 / step * step));
        edges
    }
}

/// The texts in quotes, and all that stands outside of them.
fn split(rule: &str) -> (Vec<String>, String) {
    let mut texts = vec![];
    let mut outside = String::new();
    let mut rest = rule.chars().peekable();
    while let Some(next) = rest.next() {
        if next != '\'' {
            outside.push(next);
            continue;
        }
        let mut text = String::new();
        while let Some(next) = rest.next() {
            if next == '\'' && rest.next_if_eq(&'\'').is_none() {
                break;
            }
            text.push(next);
        }
        outside.push(' ');
        texts.push(text);
    }
    (texts, outside)
}

fn numbers(outside: &str) -> Vec<i128> {
    let is_apart = |one: char| !(one.is_alphanumeric() || matches!(one, '_' | '.' | '"'));
    outside.split(is_apart).filter_map(number).collect()
}

/// A number as rules write it, in millionths; finer ones are cut.
fn number(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 30 || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    let part: String = part.chars().chain("000000".chars()).take(6).collect();
    let whole: i128 = whole.parse().ok()?;
    Some(sign * (whole * UNIT + part.parse::<i128>().ok()?))
}

/// A number of millionths, written with so many decimals.
pub(super) fn written(number: i128, decimals: usize) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let (whole, part) = (number.abs() / UNIT, number.abs() % UNIT);
    let part = format!("{part:06}");
    match decimals.min(6) {
        0 => format!("{sign}{whole}"),
        some => format!("{sign}{whole}.{}", &part[..some]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rule: &str) -> Literals {
        let mut literals = Literals::default();
        literals.read(rule);
        literals
    }

    #[test]
    fn a_rule_gives_away_its_texts_and_numbers() {
        let states = read("(status = ANY (ARRAY['a'::text, 'it''s'::text]))");
        assert_eq!(states.texts, ["a", "it's"]);

        let bounds = read("((decimals >= 0) AND (decimals <= 6) AND (low > '-1.5'::numeric))");
        assert_eq!(bounds.numbers, [-1_500_000, 0, 6_000_000]);
        assert!(bounds.edges(UNIT).contains(&3_000_000));
    }

    #[test]
    fn lengths_and_patterns_are_told_from_values() {
        let rule = read("(length(name) <= 3) AND (name ~ '^[a-z]+$'::text)");

        assert_eq!(rule.widths, [2, 3, 4]);
        assert_eq!(rule.patterns.len(), 1);
    }

    #[test]
    fn numbers_are_written_exactly() {
        assert_eq!(written(-1_500_000, 2), "-1.50");
        assert_eq!(written(7_000_000, 0), "7");
        assert_eq!(written(10, 6), "0.000010");
    }
}
