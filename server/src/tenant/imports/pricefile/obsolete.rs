//! Articles that a supplier is giving up: the marks in names, and the words in a status column.

use super::fold;

/// Phrases that mean "given up" wherever a marker can stand.
const CLEAR: [&str; 51] = [
    "obsolete",
    "discontinued",
    "being discontinued",
    "phased out",
    "phasing out",
    "phase out",
    "no longer available",
    "end of life",
    "auslaufartikel",
    "auslaufmodell",
    "auslaufware",
    "auslaufend",
    "lauft aus",
    "laeuft aus",
    "ausgelaufen",
    "abgekundigt",
    "abgekuendigt",
    "nicht mehr lieferbar",
    "nicht mehr erhaltlich",
    "obsolet",
    "desativacao",
    "descontinuacao",
    "descatalogacion",
    "withdrawn",
    "inativo",
    "lopetatud",
    "desativado",
    "desativada",
    "descontinuado",
    "descontinuada",
    "fora de linha",
    "fora de catalogo",
    "obsoleto",
    "obsoleta",
    "descatalogado",
    "fuera de catalogo",
    "fuera de produccion",
    "dado de baja",
    "a extinguir",
    "discontinuado",
    "fin de serie",
    "fin de vie",
    "plus disponible",
    "en cours de suppression",
    "article supprime",
    "produit arrete",
    "tootmisest maas",
    "tootmine lopetatud",
    "lopumuuk",
    "aegunud",
    "mitteaktiivne",
];

/// Words that mean it only when they stand alone, between brackets or in a status column: a
/// drain is an `Auslauf`, too, and a painted board is `gestrichen`.
const ALONE: [&str; 10] = [
    "auslauf",
    "eol",
    "eingestellt",
    "entfallt",
    "entfaellt",
    "gestrichen",
    "supprime",
    "arrete",
    "arretee",
    "abandonne",
];

/// Words that mean it in a status column only.
const STATUS_ONLY: [&str; 8] = [
    "inactive",
    "inaktiv",
    "inativa",
    "inactivo",
    "inactiva",
    "inactif",
    "nicht aktiv",
    "baja",
];

/// A marker is a short remark: a longer text between brackets is part of the name.
const MAX_MARKER_WORDS: usize = 6;
/// How far into a name a marker reaches, in bytes.
const MAX_MARKER_BYTES: usize = 80;

/// Characters that marker brackets and lines are made of.
const MARKS: [char; 16] = [
    '!', '*', '#', '=', '~', '-', '–', '—', '+', '|', '_', ':', '.', ',', ';', '/',
];

/// Which words count, besides those of our languages.
#[derive(Debug, Clone, Default)]
pub(super) struct Markers {
    /// The caller's markers, folded into words.
    extra: Vec<Vec<String>>,
}

impl Markers {
    pub(super) fn new(extra: &[String]) -> Self {
        let split = |marker: &String| {
            fold::words(marker)
                .split(' ')
                .filter(|w| !w.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let extra = extra
            .iter()
            .map(split)
            .filter(|words: &Vec<_>| !words.is_empty())
            .collect();
        Self { extra }
    }

    /// The name without its obsolete marker, or none when it has no marker.
    ///
    /// A marker stands at the start or the end: between brackets, between two equal marks
    /// (`!…!`, `*…*`), or set off by a colon or a dash between blanks. The caller's markers
    /// need no punctuation.
    pub(super) fn strip(&self, name: &str) -> Option<String> {
        let rest = self
            .extra_at_an_end(name)
            .or_else(|| marked_start(name))
            .or_else(|| marked_end(name))?;
        // Some lists mark twice, at both ends.
        let rest = marked_start(rest)
            .or_else(|| marked_end(rest))
            .unwrap_or(rest);
        Some(fold::one_line(rest))
    }

    /// Whether a status column says that the article is given up.
    pub(super) fn is_obsolete_status(&self, cell: &str) -> bool {
        let words = fold::words(cell);
        if words.is_empty() {
            return false;
        }
        let has = |phrase: &&str| fold::contains_words(&words, phrase);
        CLEAR.iter().any(has)
            || ALONE.contains(&words.as_str())
            || STATUS_ONLY.iter().any(has)
            || self.extra.iter().any(|marker| marker.join(" ") == words)
    }

    fn extra_at_an_end<'a>(&self, name: &'a str) -> Option<&'a str> {
        if self.extra.is_empty() {
            return None;
        }
        let words = fold::located_words(name);
        let is_mark = |c: char| MARKS.contains(&c) || "[](){}<>«»".contains(c) || fold::is_blank(c);
        self.extra.iter().find_map(|marker| {
            let count = marker.len();
            let matches = |part: &[(String, usize, usize)]| {
                part.len() == count && part.iter().zip(marker).all(|(word, own)| word.0 == *own)
            };
            if matches(words.get(..count)?) {
                return Some(name[words[count - 1].2..].trim_start_matches(is_mark));
            }
            let tail = &words[words.len() - count..];
            matches(tail).then(|| name[..tail[0].1].trim_end_matches(is_mark))
        })
    }
}

/// What follows a marker at the start.
fn marked_start(name: &str) -> Option<&str> {
    let name = fold::trimmed(name);
    let first = name.chars().next()?;
    let near = &name[..floor(name, MAX_MARKER_BYTES)];
    let rest = if let Some(closing) = closing_of(first) {
        let inner = near.trim_start_matches(first);
        let from = near.len() - inner.len();
        let end = from + inner.find(closing)?;
        is_marker(&name[from..end], Setting::Enclosed)
            .then(|| name[end..].trim_start_matches(closing))?
    } else {
        if !may_set_off(near) {
            return None;
        }
        let (at, length) = [": ", ":", " - ", " – ", " — ", " | "]
            .into_iter()
            .filter_map(|sign| near.find(sign).map(|at| (at, sign.len())))
            .min_by_key(|(at, length)| (*at, std::cmp::Reverse(*length)))?;
        is_marker(&name[..at], Setting::SetOff).then(|| &name[at + length..])?
    };
    Some(rest.trim_start_matches(|c: char| fold::is_blank(c) || "-–—:;,|".contains(c)))
}

/// What precedes a marker at the end.
fn marked_end(name: &str) -> Option<&str> {
    let name = fold::trimmed(name);
    let last = name.chars().next_back()?;
    let near = ceil(name, name.len().saturating_sub(MAX_MARKER_BYTES));
    let rest = if let Some(opening) = opening_of(last) {
        let inner = name.trim_end_matches(last);
        let start = near + inner.get(near..)?.rfind(opening)?;
        let text = &inner[start + opening.len_utf8()..];
        is_marker(text, Setting::Enclosed).then(|| name[..start].trim_end_matches(opening))?
    } else {
        let signs = [" - ", " – ", " — ", " | ", ": ", "; "];
        let tail = &name[near..];
        if !may_set_off(tail) {
            return None;
        }
        let found = signs
            .into_iter()
            .filter_map(|sign| tail.rfind(sign).map(|at| (at, sign)));
        let (at, sign) = found.max_by_key(|(at, _)| *at)?;
        is_marker(&tail[at + sign.len()..], Setting::SetOff).then(|| &name[..near + at])?
    };
    Some(rest.trim_end_matches(|c: char| fold::is_blank(c) || "-–—:;,|".contains(c)))
}

/// Whether a sign can be there at all: most names have none, and this is cheaper than a search.
/// A hyphen counts after a blank only: nearly every name has one within a word.
fn may_set_off(part: &str) -> bool {
    let before = std::iter::once(b'\0').chain(part.bytes());
    before.zip(part.bytes()).any(|(before, byte)| match byte {
        b':' | b'|' | b';' | 0xe2 => true,
        b'-' => before == b' ',
        _ => false,
    })
}

#[derive(PartialEq)]
enum Setting {
    /// Between brackets or equal marks: cannot be anything but a remark.
    Enclosed,
    /// Before a colon or a dash: might be the article's kind.
    SetOff,
}

fn is_marker(text: &str, setting: Setting) -> bool {
    let words = fold::words(text);
    if words.is_empty() || words.split(' ').count() > MAX_MARKER_WORDS {
        return false;
    }
    match setting {
        Setting::SetOff => CLEAR.contains(&words.as_str()),
        Setting::Enclosed => {
            let has = |phrase: &&str| fold::contains_words(&words, phrase);
            CLEAR.iter().any(has) || ALONE.contains(&words.as_str())
        }
    }
}

fn closing_of(opening: char) -> Option<char> {
    Some(match opening {
        '[' => ']',
        '(' => ')',
        '{' => '}',
        '<' => '>',
        '«' => '»',
        '!' | '*' | '#' | '=' | '~' | '-' | '+' | '|' | '_' => opening,
        _ => return None,
    })
}

fn opening_of(closing: char) -> Option<char> {
    Some(match closing {
        ']' => '[',
        ')' => '(',
        '}' => '{',
        '>' => '<',
        '»' => '«',
        other => return closing_of(other).filter(|same| *same == other),
    })
}

/// The last place at or before `at` between two characters.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

fn ceil(text: &str, at: usize) -> usize {
    (at..=text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(name: &str) -> Option<String> {
        Markers::default().strip(name)
    }

    #[test]
    fn markers_at_either_end_are_taken_off() {
        for (name, rest) in [
            ("!EM FASE DE DESATIVACAO! JANELA DE ACO", "JANELA DE ACO"),
            ("!EM BREVE DESATIVAÇÃO! JANELA DE ACO", "JANELA DE ACO"),
            ("!EM FASE DE DESATIVAÇÃO!JANELA DE ACO", "JANELA DE ACO"),
            ("[AUSLAUF] Bohrer 8 mm", "Bohrer 8 mm"),
            ("Drill (discontinued)", "Drill"),
            ("Drill (discontinued 2024)", "Drill"),
            ("*OBSOLETE* Pump", "Pump"),
            ("*** OBSOLETE *** Pump", "Pump"),
            ("Pump ***obsolete***", "Pump"),
            ("Auslaufartikel: Rohr", "Rohr"),
            ("Rohr - Auslaufartikel", "Rohr"),
            ("Tuyau – fin de série", "Tuyau"),
            ("Tubo [DESCATALOGADO]", "Tubo"),
            ("{tootmisest maas} Toru", "Toru"),
            ("(obsolete) Pump [EOL]", "Pump"),
        ] {
            assert_eq!(strip(name).as_deref(), Some(rest), "{name}");
        }
    }

    #[test]
    fn ordinary_names_stay_whole() {
        for name in [
            "Auslauf - 200 mm verchromt",
            "Auslauf: DN 50",
            "Auslaufrohr (verzinkt)",
            "Hahn (Auslauf 1/2 Zoll)",
            "Brett (weiß gestrichen)",
            "Schraube (A2)",
            "*7 X 9* CM",
            "Pump - spare part",
            "Ventil !neu!",
            "Dose (nicht mit obsolete parts of any other maker at all)",
            "",
            "!",
            "[",
            "()",
        ] {
            assert_eq!(strip(name), None, "{name}");
        }
    }

    #[test]
    fn a_name_that_is_only_a_marker_becomes_empty() {
        assert_eq!(strip("(discontinued)").as_deref(), Some(""));
    }

    #[test]
    fn the_callers_markers_need_no_punctuation() {
        let markers = Markers::new(&["Ende Gelände".to_owned(), "zz".to_owned(), " ".to_owned()]);

        assert_eq!(markers.strip("ENDE GELANDE Rohr").as_deref(), Some("Rohr"));
        assert_eq!(markers.strip("<<zz>> Rohr").as_deref(), Some("Rohr"));
        assert_eq!(markers.strip("Rohr - ZZ").as_deref(), Some("Rohr"));
        assert_eq!(markers.strip("Rohr ZZTOP"), None);
        assert!(markers.is_obsolete_status("Zz"));
    }

    #[test]
    fn a_status_column_speaks_for_itself() {
        for (cell, obsolete) in [
            ("Auslauf", true),
            ("Inaktiv", true),
            ("Em vias de desativação", true),
            ("discontinued 2024-01-01", true),
            ("EOL", true),
            ("aktiv", false),
            ("", false),
            ("active", false),
        ] {
            assert_eq!(
                Markers::default().is_obsolete_status(cell),
                obsolete,
                "{cell}"
            );
        }
    }
}
