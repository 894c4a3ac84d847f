//! The URL table on one page.

use actix_web::dev::{ResourceDef, ServiceFactory, ServiceRequest};
use actix_web::middleware::from_fn;
use actix_web::{App, Error, HttpRequest, HttpResponse, get, web};
use utoipa::openapi::PathItem;
use utoipa_actix_web::{AppExt, scope};
use utoipa_swagger_ui::SwaggerUi;

use crate::http::{self, Code, Problem};
use crate::openapi;
use crate::tenant::{catalog, imports, team};

/// Puts every route into `app`, and the document that describes them.
pub(crate) fn mount<T>(app: App<T>) -> App<T>
where
    T: ServiceFactory<ServiceRequest, Config = (), Error = Error, InitError = ()>,
{
    let (app, mut document) = app
        .into_utoipa_app()
        .openapi(openapi::frame())
        .service(
            // Before any extractor: those run side by side, and the first to fail answers.
            scope::scope("/api/v1")
                .wrap(from_fn(http::known_host))
                .configure(team::http::routes)
                .configure(catalog::http::routes)
                .configure(imports::http::routes),
        )
        .split_for_parts();
    openapi::finish(&mut document);
    let json = web::Data::new(OpenApiJson(
        document
            .to_json()
            .expect("a document made of plain values serialises"),
    ));
    let addresses = web::Data::new(Addresses::of(&document));
    app.app_data(addresses)
        .configure(http::extractors)
        .configure(http::health::routes)
        .app_data(json)
        .service(http::landing)
        .service(http::problems)
        .service(http::docs)
        .service(openapi_json)
        .service(
            web::scope("/api/docs")
                .wrap(from_fn(http::known_host))
                .service(SwaggerUi::new("/{_:.*}").config(ui())),
        )
        .default_service(web::to(nothing_here))
}

/// The rendered document; it is the same for every dealer.
struct OpenApiJson(String);

#[get("/api/openapi.json")]
async fn openapi_json(
    req: HttpRequest,
    document: web::Data<OpenApiJson>,
) -> Result<HttpResponse, Problem> {
    http::resolve(&req).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .body(document.0.clone()))
}

fn ui() -> utoipa_swagger_ui::Config<'static> {
    utoipa_swagger_ui::Config::from("/api/openapi.json").validator_url("none")
}

/// The API's addresses, each with the methods it takes.
struct Addresses(Vec<(ResourceDef, String)>);

impl Addresses {
    fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let address = |(path, item): (&String, &PathItem)| {
            let methods = [
                ("GET", item.get.is_some()),
                ("POST", item.post.is_some()),
                ("PUT", item.put.is_some()),
                ("PATCH", item.patch.is_some()),
                ("DELETE", item.delete.is_some()),
            ];
            let taken: Vec<_> = methods.iter().filter(|(_, is_taken)| *is_taken).collect();
            let allow = taken
                .iter()
                .map(|(name, _)| *name)
                .collect::<Vec<_>>()
                .join(", ");
            (ResourceDef::new(path.as_str()), allow)
        };
        Self(document.paths.paths.iter().map(address).collect())
    }
}

/// Answers what no route took: an unknown host, a method that an address doesn't take, nothing.
async fn nothing_here(
    req: HttpRequest,
    addresses: web::Data<Addresses>,
) -> Result<HttpResponse, Problem> {
    http::resolve(&req).await?;
    match addresses
        .0
        .iter()
        .find(|(address, _)| address.is_match(req.path()))
    {
        Some((_, allow)) => Err(Problem::new(Code::MethodNotAllowed).allow(allow)),
        None => Err(Problem::new(Code::NotFound)),
    }
}
