//! Folding of texts, so that case, diacritics, padding and punctuation stop mattering.

/// Appends the lower-case letters without diacritics that stand for a letter or digit.
///
/// Says `false` when the character is neither; combining marks vanish without a trace.
fn push_folded(character: char, out: &mut String) -> bool {
    if character.is_ascii() {
        if character.is_ascii_alphanumeric() {
            out.push(character.to_ascii_lowercase());
            return true;
        }
        return false;
    }
    for lower in character.to_lowercase() {
        match base(lower) {
            Some(base) => out.push_str(base),
            None if ('\u{300}'..='\u{36f}').contains(&lower) => {}
            None if lower.is_alphanumeric() => out.push(lower),
            None => return false,
        }
    }
    true
}

/// The plain letters under a Latin letter with marks; signs that stand for digits as well.
fn base(lower: char) -> Option<&'static str> {
    Some(match lower {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ª' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'º' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        '²' => "2",
        '³' => "3",
        _ => return None,
    })
}

/// Folded words with single blanks between them: `" PREÇO  (médio)"` becomes `"preco medio"`.
pub(super) fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(256));
    let mut gap = false;
    for character in text.chars() {
        let before = out.len();
        if gap && !out.is_empty() {
            out.push(' ');
        }
        let blank_end = out.len();
        if push_folded(character, &mut out) {
            if out.len() == blank_end {
                out.truncate(before);
            } else {
                gap = false;
            }
        } else {
            out.truncate(before);
            gap = true;
        }
    }
    out
}

/// Folded letters and digits alone, with `/` kept: it changes the meaning of a unit.
pub(super) fn compact(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(64));
    for character in text.chars() {
        if character == '/' {
            out.push('/');
        } else {
            push_folded(character, &mut out);
        }
    }
    out
}

/// The folded words of a text with the byte range that each came from.
pub(super) fn located_words(text: &str) -> Vec<(String, usize, usize)> {
    let mut found: Vec<(String, usize, usize)> = Vec::new();
    let mut open = false;
    for (start, character) in text.char_indices() {
        let end = start + character.len_utf8();
        let mut folded = String::new();
        if !push_folded(character, &mut folded) {
            open = false;
            continue;
        }
        match found.last_mut() {
            Some(word) if open => {
                word.0.push_str(&folded);
                word.2 = end;
            }
            _ => found.push((folded, start, end)),
        }
        open = true;
    }
    found
}

/// Whether `phrase` stands in `text` as whole words; both are folded already.
pub(super) fn contains_words(text: &str, phrase: &str) -> bool {
    let mut from = 0;
    while let Some(at) = text[from..].find(phrase) {
        let (start, end) = (from + at, from + at + phrase.len());
        let opens = start == 0 || text.as_bytes()[start - 1] == b' ';
        let closes = end == text.len() || text.as_bytes()[end] == b' ';
        if opens && closes {
            return true;
        }
        from = start + text[start..].chars().next().map_or(1, char::len_utf8);
    }
    false
}

/// Invisible characters count as blanks: spreadsheets leave them behind.
pub(super) fn is_blank(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{200b}' | '\u{feff}' | '\u{2060}')
}

/// Without blanks at either end.
pub(super) fn trimmed(text: &str) -> &str {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(b'!'..=b'~'), Some(b'!'..=b'~')) => text, // the common case, at no cost
        _ => text.trim_matches(is_blank),
    }
}

/// Trimmed, and every inner run of blanks and line breaks made one blank.
pub(super) fn one_line(text: &str) -> String {
    let text = trimmed(text);
    let mut out = String::with_capacity(text.len());
    for word in text.split(is_blank).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_diacritics_padding_and_punctuation_fold_away() {
        assert_eq!(words("  PREÇO__(Médio) "), "preco medio");
        assert_eq!(words("Größe"), "grosse");
        assert_eq!(words("cafe\u{301} Nº m²"), "cafe no m2");
        assert_eq!(words("***"), "");
        assert_eq!(compact("Masch.-Std."), "maschstd");
        assert_eq!(compact("kW/h"), "kw/h");
    }

    #[test]
    fn located_words_know_where_they_came_from() {
        let text = "[ÄB] c";

        let found = located_words(text);

        assert_eq!(found[0].0, "ab");
        assert_eq!(&text[found[0].1..found[0].2], "ÄB");
        assert_eq!(&text[found[1].1..found[1].2], "c");
    }

    #[test]
    fn a_phrase_is_found_as_whole_words_only() {
        assert!(contains_words("end of life soon", "end of life"));
        assert!(!contains_words("auslaufrohr", "auslauf"));
        assert!(contains_words("aa a", "a"));
    }

    #[test]
    fn inner_runs_of_blanks_become_one() {
        assert_eq!(one_line("\u{a0} a \t\r\n b\u{200b}"), "a b");
        assert_eq!(trimmed(" \u{feff}x "), "x");
    }
}
