//! Texts that match a regular expression, one for each number; for the expressions that rules of
//! columns are made of.

use std::iter::Peekable;
use std::str::Chars;

/// Repetitions without a bound are tried with at most so many more than they need.
const MOST_MORE: u32 = 6;

/// A regular expression that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Vec<Node>>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    One(Vec<char>),
    Choice(Vec<Vec<Node>>),
    Repeat(Box<Node>, u32, u32),
}

impl Pattern {
    /// Reads an expression; nothing, if it says more than we understand.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rest = text.chars().peekable();
        let alternatives = alternatives(&mut rest)?;
        rest.next().is_none().then_some(Self(alternatives))
    }

    /// A text that matches; different numbers make different texts as long as there are any.
    pub(super) fn text(&self, number: u64) -> String {
        let mut text = String::new();
        let mut left = number;
        write_choice(&self.0, &mut left, &mut text);
        text
    }
}

fn alternatives(rest: &mut Peekable<Chars<'_>>) -> Option<Vec<Vec<Node>>> {
    let mut found = vec![vec![]];
    while let Some(next) = rest.peek().copied() {
        if next == ')' {
            break;
        }
        rest.next();
        let node = match next {
            '|' => {
                found.push(vec![]);
                continue;
            }
            '^' | '$' => continue,
            '(' => group(rest)?,
            '[' => Node::One(class(rest)?),
            '.' => Node::One(('a'..='z').collect()),
            '\\' => Node::One(escaped(rest.next()?)?),
            plain => Node::One(vec![plain]),
        };
        let node = repeated(node, rest)?;
        found.last_mut()?.push(node);
    }
    Some(found)
}

fn group(rest: &mut Peekable<Chars<'_>>) -> Option<Node> {
    if rest.peek() == Some(&'?') {
        rest.next();
        // Looking ahead or behind is more than a generator can do.
        (rest.next()? == ':').then_some(())?;
    }
    let choice = alternatives(rest)?;
    (rest.next()? == ')').then_some(Node::Choice(choice))
}

fn repeated(node: Node, rest: &mut Peekable<Chars<'_>>) -> Option<Node> {
    let (least, most) = match rest.peek() {
        Some('*') => (0, MOST_MORE),
        Some('+') => (1, 1 + MOST_MORE),
        Some('?') => (0, 1),
        Some('{') => {
            rest.next();
            let bounds: String = std::iter::from_fn(|| rest.next_if(|next| *next != '}')).collect();
            let (least, most) = match bounds.split_once(',') {
                None => (bounds.parse().ok()?, bounds.parse().ok()?),
                Some((least, "")) => (least.parse().ok()?, u32::MAX),
                Some((least, most)) => (least.parse().ok()?, most.parse().ok()?),
            };
            (least, most.min(least + MOST_MORE))
        }
        _ => return Some(node),
    };
    rest.next();
    rest.next_if_eq(&'?');
    (least <= most).then(|| Node::Repeat(Box::new(node), least, most))
}

fn class(rest: &mut Peekable<Chars<'_>>) -> Option<Vec<char>> {
    let is_negated = rest.next_if_eq(&'^').is_some();
    let mut members = vec![];
    loop {
        let next = rest.next()?;
        let from = match next {
            ']' if !members.is_empty() => break,
            '[' if rest.next_if_eq(&':').is_some() => {
                let name: String =
                    std::iter::from_fn(|| rest.next_if(|next| *next != ':')).collect();
                rest.next();
                (rest.next()? == ']').then_some(())?;
                members.extend(named(&name)?);
                continue;
            }
            '\\' => {
                members.extend(escaped(rest.next()?)?);
                continue;
            }
            plain => plain,
        };
        if rest.next_if_eq(&'-').is_none() {
            members.push(from);
        } else if rest.peek() == Some(&']') {
            members.extend([from, '-']);
        } else {
            members.extend(from..=rest.next()?);
        }
    }
    if is_negated {
        let usual = ('a'..='z').chain('A'..='Z').chain('0'..='9');
        let others: Vec<char> = usual.filter(|one| !members.contains(one)).collect();
        return (!others.is_empty()).then_some(others);
    }
    (!members.is_empty()).then_some(members)
}

fn named(name: &str) -> Option<Vec<char>> {
    Some(match name {
        "alpha" | "lower" => ('a'..='z').collect(),
        "upper" => ('A'..='Z').collect(),
        "digit" => ('0'..='9').collect(),
        "alnum" => ('a'..='z').chain('0'..='9').collect(),
        "xdigit" => ('a'..='f').chain('0'..='9').collect(),
        "space" => vec![' '],
        "punct" => vec!['.', ',', '-'],
        _ => return None,
    })
}

fn escaped(letter: char) -> Option<Vec<char>> {
    match letter {
        'd' => named("digit"),
        'w' => named("alnum"),
        's' => named("space"),
        'S' | 'D' | 'W' => Some(if letter == 'W' { vec!['.'] } else { vec!['x'] }),
        'm' | 'M' | 'y' | 'A' | 'Z' => None,
        other if other.is_alphanumeric() => None,
        other => Some(vec![other]),
    }
}

/// Takes one of so many from the number.
fn take(left: &mut u64, of: usize) -> usize {
    let of = of as u64;
    let taken = *left % of;
    *left /= of;
    usize::try_from(taken).unwrap_or(0)
}

fn write_choice(choice: &[Vec<Node>], left: &mut u64, text: &mut String) {
    let taken = take(left, choice.len());
    for node in &choice[taken] {
        write_node(node, left, text);
    }
}

fn write_node(node: &Node, left: &mut u64, text: &mut String) {
    match node {
        Node::One(members) => text.push(members[take(left, members.len())]),
        Node::Choice(choice) => write_choice(choice, left, text),
        Node::Repeat(node, least, most) => {
            let more = take(left, (most - least) as usize + 1);
            for _ in 0..(*least as usize + more) {
                write_node(node, left, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn texts(pattern: &str, count: u64) -> Vec<String> {
        let pattern = Pattern::parse(pattern).unwrap();
        (0..count).map(|number| pattern.text(number)).collect()
    }

    #[test]
    fn texts_match_and_differ() {
        let codes = texts("^[a-z0-9][a-z0-9_]{0,31}$", 200);
        let fits = |one: &String| {
            one.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
                && one.len() <= 32
        };

        assert!(codes.iter().all(fits));
        assert_eq!(codes.iter().collect::<HashSet<_>>().len(), 200);
        assert!(
            texts("^[A-Z]{3}$", 50)
                .iter()
                .all(|one| one.len() == 3 && one.chars().all(|c| c.is_ascii_uppercase()))
        );
        assert_eq!(texts("^(a|bc)-\\d$", 2), ["a-0", "bc-0"]);
        assert_eq!(texts("^[[:digit:]]{2}\\.x?$", 1), ["00."]);
    }

    #[test]
    fn what_is_not_understood_is_not_guessed() {
        for pattern in ["(?=x)a", "(a", "[a", "\\1", "a)"] {
            assert_eq!(Pattern::parse(pattern), None, "{pattern}");
        }
    }
}
