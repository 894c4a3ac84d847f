//! Ways to fill a column that are worth trying, from its type and from what its rules say.

use super::catalogue::{Column, Type};
use super::literals::{Literals, UNIT, written};
use super::maker::{Form, Maker, array, whole};

/// Texts of these lengths are made where rules speak of none.
const USUAL_WIDTHS: [usize; 2] = [8, 32];

/// All ways to fill a column that need no other column.
pub(super) fn candidates(column: &Column, literals: &Literals) -> Vec<Maker> {
    let mut makers = vec![];
    if column.is_serial() {
        return vec![Maker::Default];
    }
    if !column.not_null {
        makers.push(Maker::Null);
    }
    if column.default().is_some() {
        makers.push(Maker::Default);
    }
    makers.extend(of_type(&column.kind, literals));
    let mut unique: Vec<Maker> = vec![];
    for maker in makers {
        if !unique.contains(&maker) {
            unique.push(maker);
        }
    }
    unique
}

fn of_type(kind: &Type, literals: &Literals) -> Vec<Maker> {
    match (kind.kind, &kind.inner) {
        ('e', _) => kind.labels.iter().cloned().map(Maker::Fixed).collect(),
        ('m', Some(inner)) => spans(inner, Form::Multirange),
        ('r', Some(inner)) => spans(inner, Form::Range),
        ('b', Some(inner)) => arrays(inner, literals),
        ('b', None) => of_base(kind, literals),
        _ => unknown(literals),
    }
}

fn of_base(kind: &Type, literals: &Literals) -> Vec<Maker> {
    match kind.name.as_str() {
        "int2" => numbers(literals, 0, whole(30_000)),
        "int4" | "oid" => numbers(literals, 0, whole(2_000_000_000)),
        "int8" => numbers(literals, 0, whole(9_000_000_000_000_000)),
        "float4" | "float8" | "money" => numbers(literals, 2, whole(1_000_000)),
        "numeric" => numeric(kind.modifier, literals),
        "text" | "varchar" | "bpchar" | "name" | "citext" => texts(kind, literals),
        "char" => fixed(&["a", "b", "c"], literals),
        "bool" => fixed(&["true", "false"], &Literals::default()),
        "uuid" => {
            let is_uuid = |text: &&String| uuid::Uuid::parse_str(text).is_ok();
            let known = literals.texts.iter().filter(is_uuid);
            let known = known.cloned().map(Maker::Fixed);
            known.chain([Maker::Counted(Form::Uuid)]).collect()
        }
        "date" => dated(literals, Form::Day),
        "timestamp" | "timestamptz" => dated(literals, Form::Moment),
        "time" | "timetz" => vec![Maker::Counted(Form::Time)],
        "interval" => {
            let plain = ["1 day", "0", "2 hours"];
            let fixed = plain.map(|one| Maker::Fixed(one.to_owned()));
            [Maker::Counted(Form::Span)]
                .into_iter()
                .chain(fixed)
                .collect()
        }
        "bytea" => {
            let widths = literals.widths.iter().chain(&USUAL_WIDTHS);
            let some = widths.filter(|width| (1..=1_024).contains(*width));
            some.map(|width| Maker::Counted(Form::Bytes(*width)))
                .collect()
        }
        "inet" => vec![Maker::Counted(Form::Address(""))],
        "cidr" => vec![Maker::Counted(Form::Address("/32"))],
        "bit" => vec![Maker::Counted(Form::Bits(length(kind.modifier, 1)))],
        "varbit" => vec![Maker::Counted(Form::Bits(length(kind.modifier, 16)))],
        "json" | "jsonb" => documents(literals),
        _ => unknown(literals),
    }
}

fn length(modifier: i32, otherwise: usize) -> usize {
    let length = usize::try_from(modifier).ok();
    length.filter(|one| *one > 0).unwrap_or(otherwise)
}

fn numeric(modifier: i32, literals: &Literals) -> Vec<Maker> {
    let Ok(packed) = u32::try_from(modifier - 4) else {
        return numbers(literals, 2, whole(1_000_000_000));
    };
    let (precision, scale) = (packed >> 16, packed & 0x7ff);
    let digits = precision.saturating_sub(scale).min(18);
    let decimals = usize::try_from(scale.min(6)).unwrap_or(0);
    // At most so much fits, less its last decimal.
    let most = 10_i128.pow(digits) * UNIT - step_of(decimals);
    numbers(literals, decimals, most)
}

fn step_of(decimals: usize) -> i128 {
    let mut step = UNIT;
    for _ in 0..decimals {
        step /= 10;
    }
    step.max(1)
}

/// Numbers of no more than `most` either way, with so many decimals.
fn numbers(literals: &Literals, decimals: usize, most: i128) -> Vec<Maker> {
    let step = step_of(decimals);
    let mut edges = literals.edges(step);
    edges.extend([0, UNIT, 2 * UNIT, -UNIT]);
    edges.sort_unstable();
    edges.dedup();
    edges.retain(|edge| edge.abs() <= most);
    // Counting goes upwards from each edge, and downwards where rules allow no more.
    let upwards = edges.iter().map(|edge| {
        let by = if decimals > 0 && *edge + whole(100) > most {
            step
        } else {
            UNIT
        };
        let count = ((most - edge) / by).max(1);
        Maker::Counted(Form::Number(*edge, by, count, decimals))
    });
    let downwards = edges
        .iter()
        .map(|edge| Maker::Counted(Form::Number(*edge, -step, whole(1_000), decimals)));
    let close = edges.iter().map(|edge| {
        let count = ((most - edge) / step).max(1);
        Maker::Counted(Form::Number(*edge, step, count, decimals))
    });
    let fixed = edges
        .iter()
        .map(|edge| Maker::Fixed(written(*edge, decimals)));
    upwards.chain(close).chain(downwards).chain(fixed).collect()
}

fn texts(kind: &Type, literals: &Literals) -> Vec<Maker> {
    let most = usize::try_from(kind.modifier - 4).ok();
    let fits = |text: &str| most.is_none_or(|most| text.chars().count() <= most);
    let mut makers: Vec<Maker> = vec![];
    let patterns = literals.patterns.iter().cloned().map(Form::Pattern);
    makers.extend(patterns.map(Maker::Counted));
    for text in literals.texts.iter().filter(|text| fits(text)) {
        makers.push(Maker::Fixed(text.clone()));
        if most.is_none_or(|most| text.chars().count() + 8 <= most) {
            makers.extend([counted(text, ""), counted("v", text)]);
        }
    }
    // Where there is not even room for a word and its number, letters must do.
    if most.is_none_or(|most| most >= 12) {
        makers.extend([counted("value ", ""), counted("v", ""), counted("", "")]);
    }
    if most.is_none_or(|most| most >= 24) {
        makers.extend([
            counted("Größe ", " ½"),
            counted("v", "@v.example"),
            counted("https://v.example/", ""),
        ]);
    }
    let widths = literals.widths.iter().chain(&USUAL_WIDTHS).chain(&most);
    for width in widths {
        let width = most.map_or(*width, |most| most.min(*width)).min(1_000);
        makers.push(Maker::Counted(Form::Wide(width)));
    }
    makers.push(Maker::Fixed(String::new()));
    makers
}

fn counted(before: &str, after: &str) -> Maker {
    Maker::Counted(Form::Text(before.to_owned(), after.to_owned()))
}

fn fixed(usual: &[&str], literals: &Literals) -> Vec<Maker> {
    let short = literals.texts.iter().filter(|text| text.len() == 1);
    let usual = usual.iter().map(|one| (*one).to_owned());
    usual.chain(short.cloned()).map(Maker::Fixed).collect()
}

fn dated(literals: &Literals, form: impl Fn(i64) -> Form) -> Vec<Maker> {
    let is_date = |text: &&String| {
        let bytes = text.as_bytes();
        bytes.len() >= 10 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-'
    };
    let said = literals.texts.iter().filter(is_date);
    let counted = [2026, 2018, 2037, 1990].map(|year| Maker::Counted(form(year)));
    let fixed = said.cloned().map(Maker::Fixed);
    counted.into_iter().chain(fixed).collect()
}

fn documents(literals: &Literals) -> Vec<Maker> {
    let members = literals.texts.iter().map(|text| {
        let name = serde_json::Value::from(text.as_str());
        format!("{name}: 1")
    });
    let all = format!("{{{}}}", members.collect::<Vec<_>>().join(", "));
    let plain = ["{}", "[]", "[1, 2]", "\"text\"", "1", "true", &all];
    let fixed = plain.map(|one| Maker::Fixed(one.to_owned()));
    let counted = [
        counted("{\"number\": ", "}"),
        counted("[\"", "\"]"),
        counted("", ""),
    ];
    counted.into_iter().chain(fixed).collect()
}

fn arrays(inner: &Type, literals: &Literals) -> Vec<Maker> {
    let elements = of_type(inner, literals);
    let mut makers = vec![];
    for element in elements {
        match element {
            Maker::Counted(form) => makers.push(Maker::Counted(Form::Array(Box::new(form)))),
            Maker::Fixed(one) => {
                let widths = literals.widths.iter().chain(&[1, 2]);
                let some = widths.filter(|width| **width <= 16);
                let arrays = some.map(|width| array(&vec![one.clone(); *width]));
                makers.extend(arrays.map(Maker::Fixed));
            }
            _ => {}
        }
    }
    makers.push(Maker::Fixed("{}".to_owned()));
    makers
}

fn spans(inner: &Type, form: impl Fn(Box<Form>) -> Form) -> Vec<Maker> {
    let inner = match inner.name.as_str() {
        "date" => Form::Day(2026),
        "timestamp" | "timestamptz" => Form::Moment(2026),
        "numeric" | "int4" | "int8" => Form::Number(0, UNIT, whole(1_000_000), 0),
        _ => return unknown(&Literals::default()),
    };
    let empty = Maker::Fixed("empty".to_owned());
    let counted = Maker::Counted(form(Box::new(inner)));
    match counted {
        Maker::Counted(Form::Multirange(_)) => vec![counted, Maker::Fixed("{}".to_owned())],
        _ => vec![counted, empty],
    }
}

/// For a type that we have never heard of, which will be asked what it takes.
fn unknown(literals: &Literals) -> Vec<Maker> {
    let usual = ["v1", "1", "{}", "(1,1)", "2026-01-01", "00:00:00:00:00:01"];
    let said = literals.texts.iter().cloned();
    let usual = usual.into_iter().map(str::to_owned);
    let fixed = said.chain(usual).map(Maker::Fixed);
    [counted("v", ""), counted("", "")]
        .into_iter()
        .chain(fixed)
        .collect()
}

/// Whether it must be asked which of the candidates its type takes.
pub(super) fn is_doubtful(kind: &Type) -> bool {
    let inner = kind.inner.as_deref().unwrap_or(kind);
    const KNOWN: [&str; 27] = [
        "int2",
        "int4",
        "int8",
        "oid",
        "float4",
        "float8",
        "money",
        "numeric",
        "text",
        "varchar",
        "bpchar",
        "name",
        "bool",
        "uuid",
        "date",
        "timestamp",
        "timestamptz",
        "time",
        "timetz",
        "interval",
        "bytea",
        "inet",
        "cidr",
        "bit",
        "varbit",
        "json",
        "jsonb",
    ];
    let is_known = inner.kind == 'e' || KNOWN.contains(&inner.name.as_str());
    !is_known
}
