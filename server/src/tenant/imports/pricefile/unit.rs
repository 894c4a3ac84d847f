//! Units of sale: our codes, the suppliers' words for them, and the quantity in `100 Stück`.

use rust_decimal::Decimal;

use super::fold;
use super::mapping::DecimalSign;
use super::number;
use super::outcome::UnitText;

/// The longest unknown unit that is kept, in characters.
const MAX_UNKNOWN_CHARS: usize = 32;

/// A unit cell, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct UnitCell {
    /// How many units a price beside it is for.
    pub(super) per: Decimal,
    pub(super) unit: UnitText,
}

/// Reads a unit cell; it must not be blank.
///
/// A leading number before a known unit is a quantity: `100 Stück`, `1000 m2`, `10 sets`.
/// Glued to the unit it must be a power of ten (`100M`), because `280ML` and `25KG` name the
/// content of a cartridge or a bag, and the unit of sale is not said.
pub(super) fn read(text: &str, sign: DecimalSign) -> UnitCell {
    let text = fold::trimmed(text);
    let plain = |per, unit| UnitCell {
        per,
        unit: UnitText::Known(unit),
    };
    if let Some((unit, factor)) = known(text) {
        return plain(Decimal::from(factor), unit);
    }
    let counted = without_per(text);
    let end = counted
        .find(|c: char| !(c.is_ascii_digit() || ".,'’".contains(c) || fold::is_blank(c)))
        .unwrap_or(counted.len());
    let (count, word) = counted.split_at(end);
    if let Some((unit, factor)) = known(word) {
        let per = if count.is_empty() {
            Some(Decimal::ONE)
        } else {
            quantity(count, sign)
        };
        let is_apart = count.is_empty() || count.ends_with(fold::is_blank);
        if let Some(per) = per.filter(|per| is_apart || is_power_of_ten(*per)) {
            return plain(per * Decimal::from(factor), unit);
        }
    }
    let kept: String = fold::one_line(text)
        .chars()
        .take(MAX_UNKNOWN_CHARS)
        .collect();
    UnitCell {
        per: Decimal::ONE,
        unit: UnitText::Unknown(kept),
    }
}

/// Reads a unit cell before the column's decimal sign is known.
pub(super) fn read_simply(text: &str) -> UnitCell {
    read(text, DecimalSign::Point)
}

/// A quantity above zero and of a size that occurs, in either notation, the column's first.
pub(super) fn quantity(text: &str, sign: DecimalSign) -> Option<Decimal> {
    let number = number::parse(text, sign, None)
        .or_else(|_| number::parse(text, sign.other(), None))
        .ok()
        .filter(|number| number.currency.is_none())?;
    let fits = number.value > Decimal::ZERO
        && number.value <= Decimal::from(1_000_000)
        && number.value.scale() <= 6;
    fits.then_some(number.value)
}

/// Our code for a unit's word, and how many of the unit the word means.
pub(super) fn known(word: &str) -> Option<(&'static str, u32)> {
    let word = fold::compact(word);
    if word.is_empty() || word.len() > 24 {
        return None;
    }
    let factor = match word.as_str() {
        "mil" | "milheiro" | "millar" | "mille" | "millier" | "tausend" | "tsd" | "thousand"
        | "tuhat" => 1000,
        "cento" | "centena" | "ciento" | "centaine" | "hundert" | "hundred" | "sada" => 100,
        "dutzend" | "dtz" | "dz" | "dzn" | "dozen" | "duzia" | "docena" | "douzaine" | "tosin" => {
            12
        }
        _ => {
            return WORDS
                .iter()
                .find(|(_, words)| words.contains(&word.as_str()))
                .map(|w| (w.0, 1));
        }
    };
    Some(("pcs", factor))
}

/// Without the word that says "for": `je 100 Stück`, `per m2`, `/Stk`.
fn without_per(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix('/') {
        return fold::trimmed(rest);
    }
    let Some((first, rest)) = text.split_once(fold::is_blank) else {
        return text;
    };
    match fold::compact(first).as_str() {
        "per" | "je" | "pro" | "por" | "par" | "a" => fold::trimmed(rest),
        _ => text,
    }
}

fn is_power_of_ten(number: Decimal) -> bool {
    [1, 10, 100, 1_000, 10_000]
        .into_iter()
        .any(|power| number == Decimal::from(power))
}

/// Our codes with the folded words for them in English, German, Portuguese, Spanish, French and
/// Estonian. `ml` is millilitres, though some Spanish and French lists mean running metres.
/// `mt` (metres or metric tons), `rm` and `btl` are left out: a wrong unit is worse than none.
#[rustfmt::skip]
const WORDS: [(&str, &[&str]); 27] = [
    ("pcs", &["pcs", "pc", "pce", "piece", "pieces", "each", "ea", "item", "items", "no", "nos",
        "nr", "stuck", "stueck", "stk", "stck", "st", "un", "und", "uni", "unid", "unidade",
        "unidades", "unidad", "ud", "uds", "u", "unit", "units", "unite", "unites",
        "pz", "pza", "pieza", "piezas", "peca", "pecas", "pca", "tk", "tukk", "szt", "ks", "count"]),
    ("m2", &["m2", "qm", "sqm", "quadratmeter", "squaremeter", "squaremetre", "squaremeters",
        "squaremetres", "metroquadrado", "metrosquadrados", "metrocuadrado", "metroscuadrados",
        "metrecarre", "metrescarres", "ruutmeeter", "mq"]),
    ("m3", &["m3", "cbm", "kubikmeter", "cubicmeter", "cubicmetre", "cubicmeters", "cubicmetres",
        "metrocubico", "metroscubicos", "metrecube", "metrescubes", "kuupmeeter", "tihumeeter"]),
    ("m", &["m", "mtr", "mts", "meter", "meters", "metre", "metres", "metro", "metros", "lfm",
        "lfdm", "lfdmeter", "laufmeter", "laufendermeter", "lm", "linearmeter", "linearmetre",
        "metrolinear", "metrolineal", "metrelineaire", "meeter", "meetrit", "jm", "jooksevmeeter"]),
    ("cm", &["cm", "zentimeter", "centimeter", "centimetre", "centimetro", "sentimeeter"]),
    ("mm", &["mm", "millimeter", "millimetre", "milimetro", "millimeeter"]),
    ("kg", &["kg", "kgs", "kilo", "kilos", "kilogramm", "kilogram", "kilograms", "quilo", "quilos",
        "quilograma", "kilogramo", "kilogramme"]),
    ("g", &["g", "gr", "gramm", "gram", "grams", "grama", "gramo", "gramme"]),
    ("t", &["t", "to", "ton", "tons", "tonne", "tonnen", "tonnes", "tonelada", "toneladas", "tn",
        "tonn"]),
    ("l", &["l", "lt", "ltr", "lit", "liter", "litre", "litres", "liters", "litro", "litros",
        "liiter"]),
    ("ml", &["ml", "milliliter", "millilitre", "mililitro", "milliliiter"]),
    ("set", &["set", "sets", "satz", "satze", "garnitur", "komplett", "complete", "completo", "jg",
        "jogo", "jogos", "cj", "conj", "conjunto", "juego", "jgo", "jeu", "ensemble", "ens", "kit",
        "kits", "kpl", "kmpl", "komplekt"]),
    ("pair", &["pair", "pairs", "pr", "paar", "pares", "par", "paire", "paires", "paari"]),
    ("pack", &["pack", "packs", "package", "packages", "packet", "pk", "pkt", "pck", "pckg", "pak",
        "packung", "pkg", "vpe", "paket", "pakete", "pacote", "pacotes", "pct", "paquete", "paquet",
        "pakk"]),
    ("roll", &["roll", "rolls", "rl", "rll", "ro", "rol", "rolle", "rollen", "rolo", "rolos",
        "rollo", "rollos", "rouleau", "rouleaux", "rlx", "rull", "rulli"]),
    ("bag", &["bag", "bags", "sack", "sacke", "saecke", "sac", "sacs", "saco", "sacos", "sc", "beutel",
        "bolsa", "kott", "kotti"]),
    ("box", &["box", "boxes", "bx", "karton", "kartons", "ktn", "krt", "schachtel", "caixa",
        "caixas", "cx", "caja", "cajas", "carton", "cartons", "ctn", "boite", "boites", "kast",
        "karp"]),
    ("pallet", &["pallet", "pallets", "palette", "paletten", "palettes", "pal", "plt", "palete",
        "paletes", "palet", "palets", "kaubaalus", "alus"]),
    ("sheet", &["sheet", "sheets", "tafel", "tafeln", "tfl", "platte", "platten", "bogen", "chapa",
        "chapas", "folha", "hoja", "feuille", "plaque", "plaques", "leht", "plaat"]),
    ("h", &["h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden", "hora", "horas", "heure",
        "heures", "tund", "tundi", "personhour", "personhours", "manhour", "manhours",
        "personenstunde", "arbeitsstunde", "mannstunde", "inimtund"]),
    ("day", &["day", "days", "d", "tag", "tage", "dia", "dias", "diaria", "jour", "jours", "paev",
        "paeva"]),
    ("month", &["month", "months", "monat", "monate", "mon", "mes", "meses", "mois", "kuu", "kuud"]),
    ("person", &["person", "persons", "personen", "people", "pers", "pessoa", "pessoas", "persona",
        "personas", "personne", "personnes", "inimene"]),
    ("machine_h", &["machineh", "machinehour", "machinehours", "machinehrs", "maschstd", "maschh",
        "maschstunde", "maschstunden", "maschinenstunde", "maschinenstunden", "maschinenstd",
        "horamaquina", "horasmaquina", "heuremachine", "masinatund"]),
    ("kw", &["kw", "kilowatt", "kilowatts", "quilowatt", "kilovatio", "kilovatt"]),
    // `KW/H` is how price lists misspell kWh; nobody sells kilowatts per hour.
    ("kwh", &["kwh", "kw/h", "kilowattstunde", "kilowattstunden", "kilowatthour", "kilowatthours",
        "quilowatthora", "kilovatiohora", "kilowattheure", "kilovatttund"]),
    ("lump", &["lump", "lumpsum", "ls", "pauschal", "pauschale", "psch", "pausch", "global", "gl",
        "verba", "vb", "forfait", "ff", "tantoalzado", "uldsumma"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn per(text: &str) -> (String, String) {
        let cell = read(text, DecimalSign::Point);
        let unit = match cell.unit {
            UnitText::Known(code) => code.to_owned(),
            UnitText::Unknown(word) => format!("?{word}"),
        };
        (cell.per.normalize().to_string(), unit)
    }

    #[test]
    fn words_of_every_language_have_our_code() {
        for (text, code) in [
            ("Stück", "pcs"),
            ("STK.", "pcs"),
            ("un.", "pcs"),
            ("tk", "pcs"),
            ("Masch.-Std.", "machine_h"),
            ("Machine hours", "machine_h"),
            ("machine_h", "machine_h"),
            ("Std.", "h"),
            ("hrs", "h"),
            ("Komplett", "set"),
            ("CJ", "set"),
            ("lfm", "m"),
            ("MES   ", "month"),
            ("PAR", "pair"),
            ("m²", "m2"),
            ("m^2", "m2"),
            ("m³", "m3"),
            ("Säcke", "bag"),
            ("Saecke", "bag"),
            ("SC", "bag"),
            ("Palette", "pallet"),
            ("kWh", "kwh"),
            ("KW/H", "kwh"),
            ("kW", "kw"),
            ("m²/", "?m²/"),
            ("pauschal", "lump"),
            ("Dia", "day"),
        ] {
            assert_eq!(per(text), ("1".to_owned(), code.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_quantity_in_the_unit_is_taken_apart() {
        for (text, number, code) in [
            ("100 Stück", "100", "pcs"),
            ("1000 m2", "1000", "m2"),
            ("10 m", "10", "m"),
            ("100M", "100", "m"),
            ("CENTO", "100", "pcs"),
            ("MIL", "1000", "pcs"),
            ("10 sets", "10", "set"),
            ("1'000 Stk", "1000", "pcs"),
            ("1.000 Stk", "1", "pcs"),
            ("je 100 St.", "100", "pcs"),
            ("/m", "1", "m"),
            ("per 50 m", "50", "m"),
            ("0,5 l", "0.5", "l"),
        ] {
            assert_eq!(per(text), (number.to_owned(), code.to_owned()), "{text}");
        }
        assert_eq!(
            read("1.000 Stk", DecimalSign::Comma).per,
            Decimal::from(1000)
        );
    }

    #[test]
    fn what_we_do_not_know_is_kept_as_it_is() {
        for text in [
            "M2XDIA",
            "SC20KG",
            "280ML",
            "25KG",
            "0 Stk",
            "m/2",
            "100",
            "Gebinde  zu",
        ] {
            let kept = fold::one_line(text);
            assert_eq!(per(text), ("1".to_owned(), format!("?{kept}")), "{text}");
        }
        assert_eq!(per(&"ü".repeat(50)).1.chars().count(), 33);
    }

    #[test]
    fn no_word_has_two_codes() {
        let mut all: Vec<_> = WORDS
            .iter()
            .flat_map(|(code, words)| words.iter().map(move |w| (w, code)))
            .collect();
        all.sort();
        all.dedup();
        let count = all.len();
        all.dedup_by_key(|(word, _)| *word);
        assert_eq!(all.len(), count);
    }
}
