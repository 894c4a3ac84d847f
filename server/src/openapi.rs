//! The frame of the API's document, and what all of its operations have in common.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{AllOf, ArrayItems, Object, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, PathItem, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use crate::declared::{Declared, Name};
use crate::http::ProblemOut;

/// The header that names a request.
const KEY: &str = "Idempotency-Key";

/// Whose document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Dealers' staff and machines, at their dealer's host.
    Dealers,
    /// Operators, at the host `admin`.
    Operators,
}

/// The document of this build as text with lines, always in the same order.
///
/// # Panics
///
/// Never: it is made of plain values.
pub fn document(audience: Audience) -> String {
    let documents = crate::routes::documents();
    let document = match audience {
        Audience::Dealers => documents.dealers,
        Audience::Operators => documents.platforms,
    };
    let text = document.to_pretty_json();
    text.expect("a document made of plain values serialises") + "\n"
}

/// The document without its operations.
pub(crate) fn frame() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// The platform's document without its operations.
pub(crate) fn platform_frame() -> utoipa::openapi::OpenApi {
    PlatformDocument::openapi()
}

/// Adds to every operation what it need not say itself: problems, those of signing in where a
/// token is needed, and a word for each answer. Rows of pages get their names, and what is made of
/// parts is one object.
pub(crate) fn finish(document: &mut utoipa::openapi::OpenApi) {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        finish_operation(operation);
    }
    if let Some(components) = &mut document.components {
        let parts = components.schemas.clone();
        for (name, schema) in &mut components.schemas {
            name_rows(name, schema);
            if let RefOr::T(Schema::AllOf(all)) = schema
                && let Some(whole) = joined(all, &parts)
            {
                *schema = whole.into();
            }
        }
    }
}

/// Says of every operation what it asks for, as `x-permission`.
pub(crate) fn declare(document: &mut utoipa::openapi::OpenApi, declared: &Declared) {
    for (path, item) in &mut document.paths.paths {
        let methods = METHODS.into_iter().zip(slots(item));
        for (method, operation) in methods {
            let Some(operation) = operation else { continue };
            if let Some(asked) = declared.of(&(method, path.clone())) {
                let says = Extensions::builder().add("x-permission", asked).build();
                operation.extensions.get_or_insert_default().merge(says);
            }
        }
    }
}

/// Says of every POST of somebody who has signed in that it may be named: then it is done once,
/// however often it is sent.
pub(crate) fn offer_keys(document: &mut utoipa::openapi::OpenApi) {
    let items = document.paths.paths.values_mut();
    let posts = items.filter_map(|item| item.post.as_mut());
    for post in posts.filter(|post| post.security.is_some()) {
        let key = ParameterBuilder::new()
            .name(KEY)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "Names the request, 1 to 255 visible ASCII characters, such as a UUID. Sent again \
                 within a day it is not done again, and answered the same with \
                 `Idempotency-Replayed: true`.",
            ))
            .schema(Some(Object::with_type(Type::String)))
            .build();
        post.parameters.get_or_insert_default().push(key.into());
        for status in ["400", "409", "422"] {
            let responses = &mut post.responses.responses;
            let problem = || RefOr::T(problem());
            responses.entry(status.to_owned()).or_insert_with(problem);
        }
    }
}

/// The operations of a document.
pub(crate) fn names(document: &utoipa::openapi::OpenApi) -> Vec<Name> {
    let mut names = Vec::new();
    for (path, item) in &document.paths.paths {
        let there = [&item.get, &item.post, &item.put, &item.patch, &item.delete];
        let named = METHODS.into_iter().zip(there);
        let named = named.filter(|(_, operation)| operation.is_some());
        names.extend(named.map(|(method, _)| (method, path.clone())));
    }
    names
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn slots(item: &mut PathItem) -> [&mut Option<Operation>; 5] {
    [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ]
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    slots(item).into_iter().flatten()
}

fn finish_operation(operation: &mut Operation) {
    let mut expected = vec!["default"];
    // Said aloud where none is needed: silence would leave readers to guess.
    if !operation.security.get_or_insert_default().is_empty() {
        expected.extend(["401", "403"]);
    }
    if operation.request_body.is_some() {
        expected.extend(["400", "413", "422"]);
    }
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else {
            continue;
        };
        parameter
            .description
            .get_or_insert_with(|| words_for(&parameter.parameter_in, &parameter.name));
        match parameter.parameter_in {
            ParameterIn::Path => expected.push("404"),
            ParameterIn::Query | ParameterIn::QueryString => expected.push("400"),
            ParameterIn::Header if parameter.name == KEY => {}
            // The other header that operations ask for is If-Match.
            ParameterIn::Header if parameter.required == Required::True => {
                expected.extend(["412", "428"]);
            }
            ParameterIn::Header => expected.push("412"),
            ParameterIn::Cookie => {}
        }
    }
    let responses = &mut operation.responses.responses;
    for status in expected {
        let problem = || RefOr::T(problem());
        responses.entry(status.to_owned()).or_insert_with(problem);
    }
    for (status, response) in responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description = word_for(status).to_owned();
        }
    }
}

fn problem() -> Response {
    let schema = Ref::from_schema_name("ProblemOut");
    ResponseBuilder::new()
        .content("application/problem+json", Content::new(Some(schema)))
        .build()
}

fn words_for(place: &ParameterIn, name: &str) -> String {
    match (place, name) {
        (ParameterIn::Header, "If-Match") => {
            "The `ETag` that this is based on; `*` stands for any.".to_owned()
        }
        (ParameterIn::Path, name) => format!("Its `{name}`, as other answers tell it."),
        (_, name) => format!("The `{name}`."),
    }
}

fn word_for(status: &str) -> &'static str {
    let status = status.parse().ok();
    status
        .and_then(|status| StatusCode::from_u16(status).ok())
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Anything else is a problem; its `type` leads to an explanation")
}

/// utoipa spells out the rows of `PageOut<ItemOut>`, which has the name `PageOut_ItemOut`.
fn name_rows(name: &str, schema: &mut RefOr<Schema>) {
    let row = ["PageOut_", "ListOut_"]
        .iter()
        .find_map(|list| name.strip_prefix(list));
    if let Some(row) = row
        && let RefOr::T(Schema::Object(page)) = schema
        && let Some(RefOr::T(Schema::Array(data))) = page.properties.get_mut("data")
    {
        data.items = ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(row).into()));
    }
}

/// One object with the fields of all parts: on the wire it is one, and generators that meet parts
/// within parts lose some. Nothing when a part is something else.
fn joined(all: &AllOf, parts: &BTreeMap<String, RefOr<Schema>>) -> Option<Object> {
    let mut whole = Object::with_type(Type::Object);
    whole.description.clone_from(&all.description);
    for part in &all.items {
        let known = match part {
            RefOr::T(schema) => schema,
            RefOr::Ref(named) => match parts.get(named.ref_location.rsplit('/').next()?)? {
                RefOr::T(schema) => schema,
                RefOr::Ref(_) => return None,
            },
        };
        let part = match known {
            Schema::Object(object) => object.clone(),
            Schema::AllOf(all) => joined(all, parts)?,
            _ => return None,
        };
        whole.properties.extend(part.properties);
        whole.required.extend(part.required);
        whole.description = whole.description.or(part.description);
    }
    Some(whole)
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tubex dealer API",
        description = "What a building-material dealer's staff and machines can do, on the \
            dealer's own host. Errors are `application/problem+json`; `/problems` lists them."
    ),
    servers((url = "/", description = "The dealer's own host")),
    tags(
        (name = "auth", description = "Signing in and staying signed in"),
        (name = "sessions", description = "Where people are signed in"),
        (name = "team", description = "People, and those who are invited"),
        (name = "second-factor", description = "Authenticator apps and recovery codes"),
        (name = "sso", description = "Identity providers that the dealer trusts"),
        (name = "items", description = "The catalogue"),
        (name = "item-groups", description = "The tree the catalogue is sorted into"),
        (name = "units", description = "Units of measure"),
        (name = "imports", description = "Price files"),
        (name = "exports", description = "The catalogue as a file"),
        (name = "events", description = "What happens, live"),
        (name = "jobs", description = "Background work"),
        (name = "notifications", description = "What members are told, and how"),
        (name = "webhooks", description = "Who else hears of what happened"),
        (name = "audit", description = "What was done, and by whom"),
        (name = "settings", description = "What the dealer decides about its door"),
        (name = "organisation", description = "Branches and teams"),
        (name = "roles", description = "Who may what, and why"),
        (name = "api-keys", description = "What machines prove themselves with"),
    ),
    components(schemas(ProblemOut)),
    modifiers(&Bearer)
)]
struct Document;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tubex platform API",
        description = "What operators can do, at the host `admin` of the platform. Errors are \
            `application/problem+json`; `/problems` lists them."
    ),
    servers((url = "/", description = "The host `admin` of the platform")),
    tags((name = "platform", description = "Tenants, and where they live")),
    components(schemas(ProblemOut)),
    modifiers(&Bearer)
)]
struct PlatformDocument;

/// Declares how an access token is sent.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}
