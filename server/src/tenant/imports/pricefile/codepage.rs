//! The two legacy code pages: the table of CP850, and which of the two a file is written in.

use super::mapping::Encoding;

/// Characters of the bytes 0x80 to 0xFF in CP850; encoding_rs follows the web, which has none.
const CP850: [char; 128] = [
    'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å', //
    'É', 'æ', 'Æ', 'ô', 'ö', 'ò', 'û', 'ù', 'ÿ', 'Ö', 'Ü', 'ø', '£', 'Ø', '×', 'ƒ', //
    'á', 'í', 'ó', 'ú', 'ñ', 'Ñ', 'ª', 'º', '¿', '®', '¬', '½', '¼', '¡', '«', '»', //
    '░', '▒', '▓', '│', '┤', 'Á', 'Â', 'À', '©', '╣', '║', '╗', '╝', '¢', '¥', '┐', //
    '└', '┴', '┬', '├', '─', '┼', 'ã', 'Ã', '╚', '╔', '╩', '╦', '╠', '═', '╬', '¤', //
    'ð', 'Ð', 'Ê', 'Ë', 'È', 'ı', 'Í', 'Î', 'Ï', '┘', '┌', '█', '▄', '¦', 'Ì', '▀', //
    'Ó', 'ß', 'Ô', 'Ò', 'õ', 'Õ', 'µ', 'þ', 'Þ', 'Ú', 'Û', 'Ù', 'ý', 'Ý', '¯', '´', //
    '\u{ad}', '±', '‗', '¾', '¶', '§', '÷', '¸', '°', '¨', '·', '¹', '³', '²', '■', '\u{a0}',
];

/// Characters of the bytes 0x80 to 0x9F in CP1252, to judge and to mend; a NUL is an unused place.
const CP1252_LOW: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', //
    '\0', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

/// The character of a byte in CP850.
pub(super) fn cp850(byte: u8) -> char {
    match byte.checked_sub(0x80) {
        Some(index) => CP850[usize::from(index)],
        None => char::from(byte),
    }
}

/// What Windows has in the place of a control character from U+0080 to U+009F, if anything.
pub(super) fn as_windows(character: char) -> char {
    match u8::try_from(u32::from(character)).map(cp1252) {
        Ok('\0') | Err(_) => character,
        Ok(windows) => windows,
    }
}

/// The character of a byte in CP1252; a NUL where the code page has none.
fn cp1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => CP1252_LOW[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// How often each high byte occurs next to an ASCII letter, and how often elsewhere.
pub(super) struct HighBytes {
    in_words: [u32; 128],
    elsewhere: [u32; 128],
}

impl HighBytes {
    pub(super) fn new() -> Self {
        Self {
            in_words: [0; 128],
            elsewhere: [0; 128],
        }
    }

    /// Counts the high bytes of a piece of the file; a piece's edges count as blanks.
    pub(super) fn see(&mut self, bytes: &[u8]) {
        let is_letter = |at: Option<&u8>| at.is_some_and(u8::is_ascii_alphabetic);
        for (index, byte) in bytes.iter().enumerate() {
            let Some(high) = byte.checked_sub(0x80) else {
                continue;
            };
            let before = index.checked_sub(1).and_then(|at| bytes.get(at));
            let counts = if is_letter(before) || is_letter(bytes.get(index + 1)) {
                &mut self.in_words
            } else {
                &mut self.elsewhere
            };
            let count = &mut counts[usize::from(high)];
            *count = count.saturating_add(1);
        }
    }

    /// The code page under which the bytes look more like European text; CP1252 when equal.
    pub(super) fn likely(&self) -> Encoding {
        let score = |decode: fn(u8) -> char| -> i64 {
            (0x80..=0xff_u8)
                .map(|byte| {
                    let index = usize::from(byte - 0x80);
                    let character = decode(byte);
                    i64::from(self.in_words[index]) * plausible_in_word(character)
                        + i64::from(self.elsewhere[index]) * plausible_alone(character)
                })
                .sum()
        };
        if score(cp850) > score(cp1252) {
            Encoding::Cp850
        } else {
            Encoding::Windows1252
        }
    }
}

/// Letters that European price lists are full of.
const FREQUENT: &str = "äöüßÄÖÜéèêàáâãçñíóôõúûÉÇÃÕÁÍÓÚÂÊÑÀîëïåøæšžŠŽ";
/// Signs that price lists are full of.
const SIGNS: &str = "²³°€£µ±×½¼¾§“”„–—«»®™’‘·…´ºª•\u{a0}Ø";

/// How well a character fits beside an ASCII letter.
fn plausible_in_word(character: char) -> i64 {
    match character {
        '\0' => -6,
        _ if FREQUENT.contains(character) => 4,
        '²' | '³' | '’' | '´' | '°' | 'º' | 'ª' | '€' | '£' | '®' | '™' => 1,
        _ if character.is_alphabetic() => 0,
        _ if SIGNS.contains(character) => -1,
        _ => -4,
    }
}

/// How well a character fits between blanks, digits and punctuation.
fn plausible_alone(character: char) -> i64 {
    match character {
        '\0' => -6,
        _ if SIGNS.contains(character) => 3,
        _ if FREQUENT.contains(character) => 1,
        _ if character.is_alphabetic() => 0,
        _ => -3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likely(bytes: &[u8]) -> Encoding {
        let mut seen = HighBytes::new();
        seen.see(bytes);
        seen.likely()
    }

    fn in_cp850(text: &str) -> Vec<u8> {
        let find = |c| (0x80..=0xff_u8).find(|byte| cp850(*byte) == c);
        text.chars().map(|c| find(c).unwrap_or(c as u8)).collect()
    }

    #[test]
    fn each_language_of_ours_is_told_apart() {
        for text in [
            "Dübel;Stück;Größe;für Türen",
            "TIJOLO CERÂMICO;peça;maçã;pão;ação",
            "baño;cañón;año;público;unión",
            "béton;étanche;côté;à gauche;crème",
            "põrandaplaat;mõõt;tükk;võti;sõel",
            "Rohr 20 m² 5 m³ 90° ± 2 mm ½",
        ] {
            let (windows, _, unmappable) = encoding_rs::WINDOWS_1252.encode(text);
            assert!(!unmappable);
            assert_eq!(
                likely(&windows),
                Encoding::Windows1252,
                "{text} in windows-1252"
            );
            assert_eq!(likely(&in_cp850(text)), Encoding::Cp850, "{text} in cp850");
        }
    }

    #[test]
    fn a_euro_sign_alone_is_windows() {
        assert_eq!(likely(b"price \x80"), Encoding::Windows1252);
    }

    #[test]
    fn the_table_has_each_character_once() {
        let mut all = CP850.to_vec();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 128);
    }
}
