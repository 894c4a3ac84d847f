//! One request of the mixed traffic: what is asked, and how it may be answered.

use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use uuid::Uuid;

use super::dice::Dice;
use super::flock::{Canary, Flock, GROUP_ID, SHARED_ITEMS, UNIT, nobodys_id, shared_item};
use super::target::Target;
use crate::harness::PASSWORD;

/// A request and its expected answers.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) name: &'static str,
    pub(super) request: RequestBuilder,
    pub(super) expected: &'static [u16],
    /// Whether a good answer must show the dealer's own marker: else nothing would be shown.
    pub(super) shows_marker: bool,
}

impl Errand {
    /// What a canary's owner, a neighbour or a stranger does next.
    pub(super) fn next(dice: &mut Dice, flock: &Flock, ours: &Canary, server: &Target) -> Self {
        let owner = ours.owner_at(server);
        let item = format!("/items/{}", shared_item(dice.below(SHARED_ITEMS)));
        let get = |name, path: &str| Self::read(name, owner.request(Method::GET, path));
        let marker = &ours.marker;
        match dice.below(100) {
            0..15 => get("list", "/items?limit=5"),
            15..23 => get("search", "/items?q=brick"),
            23..38 => get("item", &item),
            38..43 => get("group", &format!("/item-groups/{GROUP_ID}")),
            43..47 => get("unit", &format!("/units/{UNIT}")),
            47..52 => get("me", "/me"),
            52..54 => get("groups", "/item-groups"),
            54..56 => {
                // Events name units by their codes, so these are heard of by whoever follows.
                let code = format!("{marker}_{}", dice.below(50));
                let unit = json!({"code": code, "name": code, "symbol": "u", "decimals": 0});
                let create = owner.request(Method::POST, "/units");
                Self::new("create a unit", create.json(&unit), &[201, 409])
            }
            56..60 => {
                let neighbour = neighbour(dice, flock, ours);
                get(
                    "search for a neighbour",
                    &format!("/items?q={}", neighbour.marker),
                )
                .without_marker()
            }
            60..61 => {
                let export = owner.request(Method::POST, "/exports");
                let body = json!({"kind": "items", "format": "csv"});
                Self::new("export", export.json(&body), &[202])
            }
            61..72 => {
                let name = format!("Brick {marker} {}", dice.below(1000));
                let change = owner.request(Method::PATCH, &item).header("if-match", "*");
                Self::read("change", change.json(&json!({"name": name}))).expecting(&[200, 409])
            }
            72..76 => {
                let item = json!({"sku": "SKU-1", "name": marker, "base_unit": "pcs"});
                let create = owner.request(Method::POST, "/items");
                Self::new("create a second", create.json(&item), &[409])
            }
            76..80 => {
                // A few SKUs only, so that a long run doesn't make the tables grow.
                let sku = format!("NEW-{}", dice.below(50));
                let item = json!({"sku": sku, "name": format!("New {marker}"), "base_unit": UNIT});
                let create = owner.request(Method::POST, "/items");
                Self::new("create", create.json(&item), &[201, 409])
            }
            80..83 => Self::import(
                &owner.request(Method::POST, "/imports?apply=true"),
                dice,
                marker,
            ),
            83..85 => Self::import(&owner.request(Method::POST, "/imports"), dice, marker),
            85..86 => {
                let body = json!({"email": ours.email(), "password": PASSWORD});
                let sign_in = owner.signed_out().request(Method::POST, "/auth/sign-in");
                Self::new("sign-in", sign_in.json(&body), &[200])
            }
            86..87 => {
                // Each time another address: ten failures of one are answered differently.
                let email = format!("{}@{}.example", Uuid::new_v4().simple(), ours.slug);
                let body = json!({"email": email, "password": "none of the good ones"});
                let sign_in = owner.signed_out().request(Method::POST, "/auth/sign-in");
                Self::new("sign-in of nobody", sign_in.json(&body), &[401])
            }
            87..91 => {
                let theirs = neighbour(dice, flock, ours).token.clone();
                let request = owner.with_token(&theirs).request(Method::GET, &item);
                Self::new("a neighbour's token", request, &[403])
            }
            91..94 => {
                let theirs = &neighbour(dice, flock, ours).own_item;
                let request = owner.request(Method::GET, &format!("/items/{theirs}"));
                Self::new("a neighbour's id", request, &[404])
            }
            94..96 => {
                let theirs = &neighbour(dice, flock, ours).slug;
                let request = owner
                    .request(Method::GET, "/me")
                    .header("x-tenant-id", theirs);
                Self::new("a neighbour's name", request, &[403])
            }
            96..98 => {
                let machine = owner.at("api.localhost").request(Method::GET, &item);
                Self::read("a machine", machine.header("x-tenant-id", &ours.slug))
            }
            98..99 => {
                let path = format!("/items/{}", nobodys_id());
                Self::new("nobody's id", owner.request(Method::GET, &path), &[404])
            }
            _ => {
                let stranger = owner.signed_out().request(Method::GET, &item);
                Self::new("a stranger", stranger, &[401])
            }
        }
    }

    fn new(name: &'static str, request: RequestBuilder, expected: &'static [u16]) -> Self {
        Self {
            name,
            request,
            expected,
            shows_marker: false,
        }
    }

    fn read(name: &'static str, request: RequestBuilder) -> Self {
        Self {
            shows_marker: true,
            ..Self::new(name, request, &[200])
        }
    }

    fn without_marker(self) -> Self {
        Self {
            shows_marker: false,
            ..self
        }
    }

    fn expecting(self, expected: &'static [u16]) -> Self {
        Self { expected, ..self }
    }

    /// It is taken in, and done in the background.
    fn import(to: &RequestBuilder, dice: &mut Dice, marker: &str) -> Self {
        let price = dice.below(1000);
        let mut file = "SKU;Name;Unit;Price;Currency\n".to_owned();
        for number in 0..20 {
            file.push_str(&format!("IMP-{number};Slab {marker};pcs;{price}.50;EUR\n"));
        }
        let part = Part::bytes(file.into_bytes()).file_name(format!("{marker}.csv"));
        let to = to.try_clone().expect("no body yet");
        let request = to.multipart(Form::new().part("file", part));
        Self::new("import", request, &[202])
    }
}

/// Another canary; itself only if it is alone.
fn neighbour<'a>(dice: &mut Dice, flock: &'a Flock, ours: &'a Canary) -> &'a Canary {
    let mut others = flock.canaries.iter().filter(|it| it.slug != ours.slug);
    let count = flock.canaries.len().saturating_sub(1).max(1);
    others.nth(dice.index(count)).unwrap_or(ours)
}
