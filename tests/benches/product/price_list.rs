//! Price lists as suppliers send them: padded cells, decimal comma, names of some eighty
//! characters out of many words. The same numbers give the same list.

use std::fmt::Write as _;

const NOUNS: [&str; 32] = [
    "Bodenfliese",
    "Wandfliese",
    "Dachziegel",
    "Porenbetonstein",
    "Klinkerriemchen",
    "Gipskartonplatte",
    "Dämmplatte",
    "Trittschalldämmung",
    "Estrichbeton",
    "Fugenmörtel",
    "Spachtelmasse",
    "Tiefengrund",
    "Fassadenfarbe",
    "Holzschutzlasur",
    "Terrassendiele",
    "Konstruktionsvollholz",
    "Rauspundbrett",
    "Fensterbank",
    "Innentür",
    "Türzarge",
    "Abflussrohr",
    "Kupferrohr",
    "Kugelhahn",
    "Spültischarmatur",
    "Heizkörper",
    "Fußbodenheizungsrohr",
    "Mantelleitung",
    "Schutzschalter",
    "Steckdose",
    "Senkkopfschraube",
    "Balkenschuh",
    "Gewindestange",
];
const MATERIALS: [&str; 16] = [
    "Feinsteinzeug",
    "Ton",
    "Beton",
    "Kalksandstein",
    "Mineralwolle",
    "Polystyrol",
    "Edelstahl A2",
    "Messing",
    "Kupfer",
    "Kunststoff",
    "Lärche",
    "Douglasie",
    "Fichte",
    "Stahl verzinkt",
    "Aluminium",
    "Glas",
];
const QUALITIES: [&str; 16] = [
    "frostbeständig",
    "rutschhemmend R10",
    "glasiert",
    "schnellbindend",
    "hochfest",
    "kälteflexibel",
    "gehobelt",
    "gefast",
    "feuerhemmend F30",
    "diffusionsoffen",
    "schlagfest",
    "wetterfest",
    "säurebeständig",
    "vorgebohrt",
    "selbstklebend",
    "imprägniert",
];
const COLOURS: [&str; 12] = [
    "anthrazit",
    "naturrot",
    "weiß",
    "lichtgrau",
    "beige",
    "crème",
    "schwarz matt",
    "braun",
    "sandfarben",
    "kieselgrau",
    "moosgrün",
    "façade blanche",
];
const BRAND_BEGINNINGS: [&str; 20] = [
    "Kava", "Toro", "Beli", "Nord", "Sano", "Vero", "Luma", "Rapi", "Esto", "Gran", "Hydro",
    "Isol", "Jura", "Melo", "Opti", "Pako", "Quar", "Riva", "Solu", "Tekt",
];
const BRAND_ENDINGS: [&str; 15] = [
    "ro", "lit", "plan", "fix", "dur", "mont", "tex", "flor", "pur", "stone", "line", "via", "san",
    "form", "bau",
];
const UNITS: [&str; 5] = ["STK", "M2", "KG", "M", "SACK"];

/// Which of two months; in the second, three thousand of 5,200 prices have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Month {
    /// The first.
    First,
    /// The second.
    Second,
}

/// One row of a price list.
#[derive(Debug, Clone)]
pub struct Row {
    /// Unique.
    pub sku: String,
    /// Some eighty characters.
    pub name: String,
    /// As the supplier spells it.
    pub unit: &'static str,
    /// GTIN-13.
    pub barcode: String,
    /// In cents.
    pub price_minor: u64,
}

/// The rows of a list.
pub fn rows(count: usize, month: Month) -> impl Iterator<Item = Row> {
    let mut random = Random::new(42);
    (0..count).map(move |number| {
        let name = name(&mut random);
        let unit = random.one_of(&UNITS);
        let first_price = 15 + random.below(400) * random.below(400);
        let has_changed = month == Month::Second && number % 26 < 15;
        Row {
            sku: format!(
                "{}-{:06}",
                ["AX", "BT", "CQ", "DL"][number % 4],
                number * 7 + 11
            ),
            name,
            unit,
            barcode: gtin_13(number),
            price_minor: if has_changed {
                first_price + first_price / 40 + 1
            } else {
                first_price
            },
        }
    })
}

/// Whether the list names barcodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barcodes {
    /// It does.
    Listed,
    /// It doesn't.
    Left,
}

/// The list as a file.
pub fn file(count: usize, month: Month, barcodes: Barcodes) -> String {
    let has_barcodes = barcodes == Barcodes::Listed;
    let mut text = String::from("Artikelnummer  ;Bezeichnung;Mengeneinheit;");
    text.push_str(if has_barcodes {
        "EAN;Preis\r\n"
    } else {
        "Preis\r\n"
    });
    for row in rows(count, month) {
        let (sku, name, unit) = (&row.sku, &row.name, row.unit);
        let _ = write!(text, "{sku:<15};\"{name:<120}\";{unit:<6};");
        if has_barcodes {
            let _ = write!(text, "{};", row.barcode);
        }
        let _ = write!(text, "{:>12}\r\n", decimal_comma(row.price_minor));
    }
    text
}

fn name(random: &mut Random) -> String {
    let (length, width, height) = (random.below(240), random.below(60), random.below(30));
    format!(
        "{} aus {}, {}, {}x{}x{} mm, {}{} {}-{}, {}",
        random.one_of(&NOUNS),
        random.one_of(&MATERIALS),
        random.one_of(&QUALITIES),
        50 + length * 10,
        20 + width * 5,
        4 + height,
        random.one_of(&BRAND_BEGINNINGS),
        random.one_of(&BRAND_ENDINGS),
        (b'A' + random.below(26) as u8) as char,
        100 + random.below(900),
        random.one_of(&COLOURS),
    )
}

/// `123456` as `1.234,56`.
fn decimal_comma(minor: u64) -> String {
    let (whole, cents) = (minor / 100, minor % 100);
    if whole < 1000 {
        return format!("{whole},{cents:02}");
    }
    format!("{}.{:03},{cents:02}", whole / 1000, whole % 1000)
}

/// A German number range, our own running number, and the check digit.
fn gtin_13(number: usize) -> String {
    let body = format!("40123{number:07}");
    let sum: u32 = body
        .bytes()
        .zip([1, 3].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// Numbers that look random and are the same every time (SplitMix64).
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// A sequence.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number less than `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A number from 0 to less than 1.
    pub fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn one_of(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len() as u64) as usize]
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
