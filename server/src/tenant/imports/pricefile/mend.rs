//! Mends texts that were encoded twice, or in a code page that was taken for another.
//!
//! Only where characters of the range U+0080 to U+009F show it: nobody writes those, so nothing
//! that was right is touched. `CAFÃ\u{89} CRU` becomes `CAFÉ CRU`, and a lone U+0094 is
//! the quotation mark that Windows has in its place. Article numbers are never mended.

use std::borrow::Cow;

use super::codepage;

/// The text as it was meant, as far as the damage tells.
pub(super) fn mended(text: &str) -> Cow<'_, str> {
    // In UTF-8 all of the range starts with this byte, and little else does.
    if !text.as_bytes().contains(&0xc2) || !text.chars().any(is_misplaced) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (character, taken) = encoded_twice(rest).unwrap_or((first, first.len_utf8()));
        out.push(codepage::as_windows(character));
        rest = &rest[taken..];
    }
    Cow::Owned(out)
}

fn is_misplaced(character: char) -> bool {
    ('\u{80}'..='\u{9f}').contains(&character)
}

/// The character whose UTF-8 bytes stand as characters at the start, and the length they take.
fn encoded_twice(text: &str) -> Option<(char, usize)> {
    let mut bytes = [0; 4];
    let mut is_damaged = false;
    let mut taken = 0;
    for (index, character) in text.chars().take(4).enumerate() {
        bytes[index] = u8::try_from(u32::from(character)).ok()?;
        is_damaged |= is_misplaced(character);
        taken += character.len_utf8();
        let decoded = std::str::from_utf8(&bytes[..=index])
            .ok()
            .and_then(|s| s.chars().next());
        if let Some(decoded) = decoded {
            return (index > 0 && is_damaged).then_some((decoded, taken));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_twice_is_decoded_once_more() {
        assert_eq!(mended("CAFÃ\u{89} CRU"), "CAFÉ CRU");
        assert_eq!(mended("a â\u{80}\u{93} b"), "a – b");
        assert_eq!(mended("3/8\u{94} (9,5)"), "3/8” (9,5)");
        assert_eq!(mended("5 \"Â\u{94};"), "5 \"”;");
        assert_eq!(mended("é\u{94}Ã\u{89}"), "é”É");
    }

    #[test]
    fn what_was_right_stays() {
        for text in ["Größe", "Ã¡", "Â²", "20 °C ²", "x\u{1}", "\u{81}"] {
            assert_eq!(mended(text), text);
        }
    }
}
