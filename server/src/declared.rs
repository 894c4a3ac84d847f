//! What every operation asks of its caller, as the routes themselves say it: each is called once
//! where it opens to nobody and only tells what it wants. A route that wants nobody isn't served.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;

use actix_web::dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error};
use futures_util::FutureExt;

use crate::http::Probe;

/// An operation: its method in lower case, and its path.
pub(crate) type Name = (&'static str, String);

/// What operations ask for: a permission, `own` or `anybody`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Declared(BTreeMap<Name, &'static str>);

/// Operations that ask for nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undeclared(Vec<Name>);

impl Declared {
    /// Asks the routes of an app that `probe` was put into.
    ///
    /// A route without an extractor of ours is really called. Nothing is behind it here: the app
    /// has no state, so it can only fail or say something, and either way it isn't declared.
    pub(crate) fn ask<T>(app: App<T>, probe: &Probe, operations: &[Name]) -> Self
    where
        T: ServiceFactory<
                ServiceRequest,
                Response = ServiceResponse,
                Config = (),
                Error = Error,
                InitError = (),
            > + 'static,
    {
        let service = init_service(app)
            .now_or_never()
            .expect("routes are put up without waiting");
        let ask = |(method, path): &Name| {
            let request = TestRequest::with_uri(&filled(path))
                .method(method.to_uppercase().parse().ok()?)
                .to_request();
            probe.take();
            let answered = AssertUnwindSafe(service.call(request)).catch_unwind();
            // What it answers doesn't matter, nor whether it does.
            let _ = answered.now_or_never();
            probe.take()
        };
        let asked = operations
            .iter()
            .filter_map(|name| Some((name.clone(), ask(name)?)));
        Self(asked.collect())
    }

    /// What an operation asks for.
    pub(crate) fn of(&self, name: &Name) -> Option<&'static str> {
        self.0.get(name).copied()
    }

    /// Insists that each asks for something.
    pub(crate) fn hold_all(&self, operations: Vec<Name>) -> Result<(), Undeclared> {
        let missing: Vec<_> = operations
            .into_iter()
            .filter(|name| self.of(name).is_none())
            .collect();
        match missing.is_empty() {
            true => Ok(()),
            false => Err(Undeclared(missing)),
        }
    }
}

impl fmt::Display for Undeclared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self
            .0
            .iter()
            .map(|(m, path)| format!("{m} {path}"))
            .collect();
        write!(
            f,
            "these routes ask for no permission, so they can't be served: {}",
            names.join(", ")
        )
    }
}

impl std::error::Error for Undeclared {}

/// A path with something in each of its places.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part.contains('{') {
        true => "01890000-0000-7000-8000-000000000000",
        false => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use actix_web::{HttpRequest, web};

    use super::*;
    use crate::auth::ReadItems;
    use crate::http::{Anybody, Caller, Member};
    use crate::state::AppState;

    fn asked() -> Result<(), Undeclared> {
        let probe = Probe::default();
        let app = App::new()
            .app_data(probe.clone())
            .route(
                "/item/{id}",
                web::get().to(async |_: Member<ReadItems>, _: web::Path<u8>| "item"),
            )
            .route("/own", web::post().to(async |_: Caller| "own"))
            .route("/open", web::get().to(async |_: Anybody| "open"))
            .route("/loose", web::get().to(async || "loose"))
            .route(
                "/worse",
                web::get().to(async |req: HttpRequest| {
                    AppState::of(&req).config.http.base_domain.clone()
                }),
            );
        let names = [
            ("get", "/item/{id}"),
            ("post", "/own"),
            ("get", "/open"),
            ("get", "/loose"),
            ("get", "/worse"),
        ];
        let names = names.map(|(method, path)| (method, path.to_owned()));
        let declared = Declared::ask(app, &probe, &names);
        declared.hold_all(names.to_vec())
    }

    #[actix_web::test]
    async fn a_route_that_asks_for_nobody_is_named_and_not_served() {
        let refused = asked().map_err(|error| error.to_string());

        let expected = "these routes ask for no permission, so they can't be served: \
                        get /loose, get /worse";
        assert_eq!(refused, Err(expected.to_owned()));
    }

    #[actix_web::test]
    async fn routes_say_what_they_ask_for() {
        let probe = Probe::default();
        let app = App::new()
            .app_data(probe.clone())
            .route("/a", web::get().to(async |_: Member<ReadItems>| "a"))
            .route("/b", web::get().to(async |_: Caller| "b"))
            .route("/c", web::get().to(async |_: Anybody| "c"));
        let names = ["/a", "/b", "/c"].map(|path| ("get", path.to_owned()));

        let declared = Declared::ask(app, &probe, &names);

        let found = names.each_ref().map(|name| declared.of(name));
        assert_eq!(found, [Some("item.read"), Some("own"), Some("anybody")]);
    }
}
