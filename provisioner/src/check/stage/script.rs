//! The statements of a script. A migration may say many in one text; each is watched by itself.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// The statements of a text, without their semicolons; the text as it is where it can't be read.
pub(super) fn statements(text: &str) -> Vec<&str> {
    let Some(tokens) = tokens(text) else {
        return vec![text];
    };
    let mut found = vec![];
    let (mut begin, mut depth) = (0, 0_usize);
    let mut is_empty = true;
    let offsets = Offsets::of(text);
    for (place, token) in tokens.iter().enumerate() {
        match &token.token {
            Token::Whitespace(_) => continue,
            Token::SemiColon if depth == 0 => {
                let end = offsets.at(token.span.start);
                if !is_empty {
                    found.push(text[begin..end].trim());
                }
                begin = end + 1;
                is_empty = true;
                continue;
            }
            // Bodies of functions in SQL's own form have semicolons inside.
            Token::Word(_) if is_word(token, "begin") && is_atomic(&tokens[place + 1..]) => {
                depth += 1;
            }
            Token::Word(_) if depth > 0 && is_word(token, "case") => depth += 1,
            Token::Word(_) if depth > 0 && is_word(token, "end") => depth -= 1,
            _ => {}
        }
        is_empty = false;
    }
    if !is_empty {
        found.push(text[begin..].trim());
    }
    found
}

/// The words and signs of a statement, words in lower case and unquoted, without blanks, comments
/// and what stands in quotes.
pub(in crate::check) fn words(statement: &str) -> Vec<String> {
    let tokens = tokens(statement).unwrap_or_default();
    let word = |token: &TokenWithSpan| match &token.token {
        Token::Whitespace(_) => None,
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_ascii_lowercase()),
        Token::Word(word) => Some(format!("\"{}\"", word.value)),
        Token::Mul => Some("*".to_owned()),
        Token::LParen => Some("(".to_owned()),
        Token::RParen => Some(")".to_owned()),
        Token::Comma => Some(",".to_owned()),
        Token::Period => Some(".".to_owned()),
        Token::Eq => Some("=".to_owned()),
        _ => Some("?".to_owned()),
    };
    tokens.iter().filter_map(word).collect()
}

fn tokens(text: &str) -> Option<Vec<TokenWithSpan>> {
    let dialect = PostgreSqlDialect {};
    Tokenizer::new(&dialect, text)
        .with_unescape(false)
        .tokenize_with_location()
        .ok()
}

fn is_word(token: &TokenWithSpan, word: &str) -> bool {
    matches!(&token.token, Token::Word(found) if found.value.eq_ignore_ascii_case(word))
}

fn is_atomic(rest: &[TokenWithSpan]) -> bool {
    rest.iter()
        .find(|token| !matches!(token.token, Token::Whitespace(_)))
        .is_some_and(|token| is_word(token, "atomic"))
}

/// Where lines begin, and so where in the text a line and column are.
struct Offsets<'a> {
    text: &'a str,
    lines: Vec<usize>,
}

impl<'a> Offsets<'a> {
    fn of(text: &'a str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            lines: std::iter::once(0).chain(breaks).collect(),
        }
    }

    /// Columns count characters, from 1.
    fn at(&self, location: Location) -> usize {
        let line = (location.line as usize).saturating_sub(1);
        let begin = self.lines.get(line).copied().unwrap_or(self.text.len());
        let column = (location.column as usize).saturating_sub(1);
        self.text[begin..]
            .char_indices()
            .nth(column)
            .map_or(self.text.len(), |(at, _)| begin + at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_ends_a_statement_only_where_it_is_one() {
        let text = "CREATE TABLE \"a;b\" (x text DEFAULT 'ü;', y text); -- no; end\n\
                    DO $b$ BEGIN PERFORM 1; END $b$;\n\
                    CREATE FUNCTION f() RETURNS int BEGIN ATOMIC\n\
                    SELECT CASE WHEN true THEN 1 ELSE 2 END; SELECT 2; END;\n/* ; */ ;";

        let found = statements(text);

        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].ends_with("y text)"));
        assert!(found[1].starts_with("-- no; end\nDO") && found[1].ends_with("$b$"));
        assert!(found[2].ends_with("END"));
    }

    #[test]
    fn one_statement_needs_no_end() {
        assert_eq!(statements("\nSELECT 1\n"), ["SELECT 1"]);
        assert!(statements(" ;; -- nothing\n").is_empty());
    }

    #[test]
    fn words_leave_out_what_is_quoted_text() {
        assert_eq!(
            words("Create VIEW \"v\" AS -- all\nSELECT t.* , 'x *' FROM t"),
            [
                "create", "view", "\"v\"", "as", "select", "t", ".", "*", ",", "?", "from", "t"
            ]
        );
    }
}
