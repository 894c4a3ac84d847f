//! The URL table on one page.

use actix_web::dev::{ServiceFactory, ServiceRequest};
use actix_web::middleware::from_fn;
use actix_web::{App, Error, HttpRequest, HttpResponse, get, web};
use utoipa_actix_web::{AppExt, scope};
use utoipa_swagger_ui::SwaggerUi;

use crate::declared::{Declared, Name, Undeclared};
use crate::dev_mail;
use crate::http::{self, Addresses, Operations, Probe, Problem};
use crate::openapi;
use crate::platform;
use crate::tenant::{
    api_keys, audit, catalog, events, exports, imports, jobs, notifications, organisation,
    permissions, roles, second_factor, settings, sso, team, webhooks,
};

/// Puts every route into `app`, and the documents that describe them.
pub(crate) fn mount<T>(app: App<T>) -> App<T>
where
    T: ServiceFactory<ServiceRequest, Config = (), Error = Error, InitError = ()>,
{
    let (app, _) = described(app);
    let documents = documents();
    let addresses = web::Data::new(Addresses::of([&documents.dealers, &documents.platforms]));
    let json = web::Data::new(Rendered {
        dealers: rendered(&documents.dealers),
        platforms: rendered(&documents.platforms),
    });
    let operations = web::Data::new(Operations::of([&documents.dealers, &documents.platforms]));
    app.app_data(addresses)
        .app_data(operations)
        .configure(http::extractors)
        .configure(http::health::routes)
        .app_data(json)
        .service(http::landing)
        .service(http::problems)
        .service(http::style)
        .service(http::docs)
        .service(http::key_set)
        .service(http::accept_invitation)
        .service(http::reset_password)
        .service(http::verify_email)
        .service(http::confirm_email)
        .service(http::account_script)
        .configure(dev_mail::routes)
        .service(openapi_json)
        .service(
            web::scope("/api/docs")
                .wrap(from_fn(http::known_host))
                .service(SwaggerUi::new("/{_:.*}").config(ui())),
        )
        .default_service(web::to(nothing_here))
}

/// The documents that describe the routes of this build, with what each operation asks for.
pub(crate) fn documents() -> Documents {
    let probe = Probe::default();
    let (app, mut documents) = described(App::new().app_data(probe.clone()));
    let declared = Declared::ask(app, &probe, &documents.names());
    for document in [&mut documents.dealers, &mut documents.platforms] {
        openapi::declare(document, &declared);
    }
    documents.declared = declared;
    documents
}

/// Insists that every route asks for somebody.
pub(crate) fn examine() -> Result<(), Undeclared> {
    let documents = documents();
    documents.declared.hold_all(documents.names())
}

/// The routes that the documents speak of, and the documents.
fn described<T>(app: App<T>) -> (App<T>, Documents)
where
    T: ServiceFactory<ServiceRequest, Config = (), Error = Error, InitError = ()>,
{
    let (app, mut platforms) = app
        .into_utoipa_app()
        .openapi(openapi::platform_frame())
        .service(
            scope::scope("/platform/v1")
                .wrap(from_fn(http::opened_only))
                .wrap(from_fn(platform::admin_host))
                .configure(platform::routes)
                .default_service(web::to(platform::nothing_here)),
        )
        .split_for_parts();
    let (app, mut dealers) = app
        .into_utoipa_app()
        .openapi(openapi::frame())
        .service(
            // Before any extractor: those run side by side, and the first to fail answers.
            scope::scope("/api/v1")
                .wrap(from_fn(http::opened_only))
                .wrap(from_fn(http::known_host))
                .configure(team::http::routes)
                .configure(team::sessions::http::routes)
                .configure(second_factor::http::routes)
                .configure(sso::http::routes)
                .configure(catalog::http::routes)
                .configure(imports::http::routes)
                .configure(exports::http::routes)
                .configure(settings::http::routes)
                .configure(notifications::http::routes)
                .configure(api_keys::http::routes)
                .configure(organisation::http::routes)
                .configure(permissions::http::routes)
                .configure(roles::http::routes)
                .configure(jobs::http::routes)
                .configure(webhooks::http::routes)
                .configure(audit::http::routes)
                .configure(events::http::routes),
        )
        .split_for_parts();
    openapi::offer_keys(&mut dealers);
    openapi::finish(&mut platforms);
    openapi::finish(&mut dealers);
    let documents = Documents {
        dealers,
        platforms,
        declared: Declared::default(),
    };
    (app, documents)
}

/// What describes the API.
pub(crate) struct Documents {
    pub(crate) dealers: utoipa::openapi::OpenApi,
    pub(crate) platforms: utoipa::openapi::OpenApi,
    declared: Declared,
}

impl Documents {
    fn names(&self) -> Vec<Name> {
        let both = [&self.dealers, &self.platforms];
        both.into_iter().flat_map(openapi::names).collect()
    }
}

/// The same as text. The dealers' is the same for every dealer, and tells nothing of what
/// operators can do elsewhere.
struct Rendered {
    dealers: String,
    platforms: String,
}

fn rendered(document: &utoipa::openapi::OpenApi) -> String {
    document
        .to_json()
        .expect("a document made of plain values serialises")
}

#[get("/api/openapi.json")]
async fn openapi_json(
    req: HttpRequest,
    documents: web::Data<Rendered>,
) -> Result<HttpResponse, Problem> {
    let document = if http::is_admin_host(&req) {
        &documents.platforms
    } else {
        http::resolve(&req).await?;
        &documents.dealers
    };
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .body(document.clone()))
}

fn ui() -> utoipa_swagger_ui::Config<'static> {
    utoipa_swagger_ui::Config::from("/api/openapi.json").validator_url("none")
}

/// Answers what no route took: an unknown host, a method that an address doesn't take, nothing.
async fn nothing_here(
    req: HttpRequest,
    addresses: web::Data<Addresses>,
) -> Result<HttpResponse, Problem> {
    http::resolve(&req).await?;
    Err(addresses.refusal(&req))
}
