//! One operation, before and after: its name, its door, what it takes and what it answers.

use serde_json::Value;

use super::schema::{Comparison, Direction};
use super::{Pair, fields, resolve};

/// Where, and what is lost there.
pub type Loss = (String, String);

pub fn compare(documents: Pair<'_>, old: &Value, new: &Value) -> Vec<Loss> {
    let mut losses = Vec::new();
    let mut lose = |place: &str, what: String| losses.push((place.to_owned(), what));
    if old["operationId"] != new["operationId"] {
        let what = format!("was {}, is {}", old["operationId"], new["operationId"]);
        lose("operationId", what);
    }
    let ways_in = requirements(documents.new, new);
    for way in requirements(documents.old, old) {
        // A client without a token doesn't mind if those with one may come, too.
        let is_open = ways_in.is_empty();
        if !is_open && !ways_in.contains(&way) {
            lose("security", format!("{way} opens it no more"));
        }
    }
    if requirements(documents.old, old).is_empty()
        && !ways_in.is_empty()
        && !ways_in.contains(&Value::Object(serde_json::Map::new()))
    {
        lose("security", "was open, and asks for something".to_owned());
    }
    losses.extend(parameters(documents, old, new));
    losses.extend(request(documents, old, new));
    losses.extend(responses(documents, old, new));
    losses
}

/// Each of them alone opens the operation; none, and it is open.
fn requirements(document: &Value, operation: &Value) -> Vec<Value> {
    let own = operation
        .get("security")
        .or_else(|| document.get("security"));
    own.and_then(Value::as_array).cloned().unwrap_or_default()
}

fn parameters(documents: Pair<'_>, old: &Value, new: &Value) -> Vec<Loss> {
    let before = listed(documents.old, old);
    let after = listed(documents.new, new);
    let mut losses = Vec::new();
    for parameter in &before {
        let place = name_of(parameter);
        match after.iter().find(|other| name_of(other) == place) {
            Some(other) => losses.extend(Comparison::of(documents, Direction::Request).run(
                &place,
                &parameter["schema"],
                &other["schema"],
            )),
            None => losses.push((place, "is gone".to_owned())),
        }
    }
    for parameter in after.iter().filter(|it| it["required"] == true) {
        let place = name_of(parameter);
        let known = before.iter().find(|other| name_of(other) == place);
        if known.is_none_or(|known| known["required"] != true) {
            losses.push((place, "is required now".to_owned()));
        }
    }
    losses
}

/// All parameters but those in the path, whose names nobody sends, and whose absence would be
/// another path.
fn listed<'a>(document: &'a Value, operation: &'a Value) -> Vec<&'a Value> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    all.map(|parameter| resolve(document, parameter))
        .filter(|parameter| parameter["in"] != "path")
        .collect()
}

fn name_of(parameter: &Value) -> String {
    let word = |key: &str| parameter[key].as_str().unwrap_or_default().to_owned();
    // Names of headers are the same in any case.
    let name = match word("in").as_str() {
        "header" => word("name").to_lowercase(),
        _ => word("name"),
    };
    format!("{} {name}", word("in"))
}

fn request(documents: Pair<'_>, old: &Value, new: &Value) -> Vec<Loss> {
    let before = resolve(documents.old, &old["requestBody"]);
    let after = resolve(documents.new, &new["requestBody"]);
    let mut losses = Vec::new();
    if after["required"] == true && before["required"] != true {
        losses.push(("request".to_owned(), "a body is required now".to_owned()));
    }
    losses.extend(contents(
        documents,
        Direction::Request,
        "request",
        [before, after],
    ));
    losses
}

fn responses(documents: Pair<'_>, old: &Value, new: &Value) -> Vec<Loss> {
    let mut losses = Vec::new();
    for (status, before) in fields(&old["responses"]) {
        let place = format!("response {status}");
        let Some(after) = new["responses"].get(status) else {
            losses.push((place, "is gone".to_owned()));
            continue;
        };
        let before = resolve(documents.old, before);
        let after = resolve(documents.new, after);
        for (name, _) in fields(&before["headers"]) {
            if after["headers"].get(name).is_none() {
                losses.push((place.clone(), format!("header {name} is gone")));
            }
        }
        losses.extend(contents(
            documents,
            Direction::Response,
            &place,
            [before, after],
        ));
    }
    losses
}

fn contents(
    documents: Pair<'_>,
    direction: Direction,
    place: &str,
    [before, after]: [&Value; 2],
) -> Vec<Loss> {
    let mut losses = Vec::new();
    for (kind, content) in fields(&before["content"]) {
        match after["content"].get(kind) {
            Some(other) => losses.extend(Comparison::of(documents, direction).run(
                place,
                &content["schema"],
                &other["schema"],
            )),
            None => losses.push((place.to_owned(), format!("{kind} is gone"))),
        }
    }
    losses
}
