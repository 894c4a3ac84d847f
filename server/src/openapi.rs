//! The frame of the API's document, and what all of its operations have in common.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, PathItem, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use crate::http::ProblemOut;

/// The document without its operations.
pub(crate) fn frame() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// Adds to every operation what it need not say itself: that anything else is a problem.
pub(crate) fn finish(document: &mut utoipa::openapi::OpenApi) {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        let problem = RefOr::T(any_problem());
        operation
            .responses
            .responses
            .entry("default".to_owned())
            .or_insert(problem);
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .flatten()
}

fn any_problem() -> Response {
    let schema = Ref::from_schema_name("ProblemOut");
    ResponseBuilder::new()
        .description("Anything else is a problem; its `type` leads to an explanation")
        .content("application/problem+json", Content::new(Some(schema)))
        .build()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tubex dealer API",
        description = "What a building-material dealer's staff and machines can do, on the \
            dealer's own host. Errors are `application/problem+json`; `/problems` lists them."
    ),
    tags(
        (name = "auth", description = "Signing in and staying signed in"),
        (name = "items", description = "The catalogue"),
        (name = "item-groups", description = "The tree the catalogue is sorted into"),
        (name = "units", description = "Units of measure"),
        (name = "imports", description = "Price files"),
    ),
    components(schemas(ProblemOut)),
    modifiers(&Bearer)
)]
struct Document;

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
