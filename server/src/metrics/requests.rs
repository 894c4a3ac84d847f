//! Requests: how many, how long, for whom.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::fleet::FleetCollector;
use super::jobs::JobCollector;
use super::live::StreamCollector;
use super::process::ProcessCollector;
use super::tenants::{TenantCollector, Tenants, Told};
use super::webhooks::Webhooks;
use super::window::{Failed, Traffic};
use crate::cache::{CacheCollector, Caches};
use crate::config;
use crate::db::Directory;
use crate::deprecations::Deprecations;
use crate::jobs;
use crate::kernel::TenantKey;
use crate::live::Tally;
use crate::redis::{Redis, RedisCollector};

/// Upper bounds of the classes that durations fall in, seconds.
const SECONDS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: Arc<str>,
    method: &'static str,
    status_class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: Arc<str>,
}

type Durations = Family<Route, Histogram, fn() -> Histogram>;

/// Everything that is measured in this process.
pub struct Metrics {
    /// Counts that nobody can ask for aren't kept.
    are_told: bool,
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Durations,
    tenants: Arc<Tenants>,
    webhooks: Webhooks,
}

impl Metrics {
    /// Nothing measured yet.
    pub fn new(
        config: &config::Metrics,
        directory: &Arc<Directory>,
        (redis, caches): (&Redis, &Caches),
        (work, streams): (&Arc<jobs::Stats>, &Arc<Tally>),
        deprecations: &Deprecations,
    ) -> Arc<Self> {
        let requests = Family::default();
        let durations = Durations::new_with_constructor(|| Histogram::new(SECONDS));
        let tenants = Arc::new(Tenants::new(config.top_tenants, Instant::now()));
        let mut registry = Registry::with_prefix("tubex");
        let help = "Requests by route, method and class of answer";
        registry.register("http_requests", help, requests.clone());
        let help = "Time until the answer began";
        let name = "http_request_duration";
        registry.register_with_unit(name, help, Unit::Seconds, durations.clone());
        registry.register_collector(Box::new(TenantCollector {
            tenants: tenants.clone(),
            directory: directory.clone(),
        }));
        registry.register_collector(Box::new(FleetCollector(directory.clone())));
        deprecations.register(&mut registry);
        registry.register_collector(Box::new(RedisCollector(redis.clone())));
        registry.register_collector(Box::new(CacheCollector(caches.clone())));
        registry.register_collector(Box::new(JobCollector(work.clone())));
        registry.register_collector(Box::new(StreamCollector(streams.clone())));
        registry.register_collector(Box::new(ProcessCollector));
        let webhooks = Webhooks::default();
        webhooks.register(&mut registry);
        Arc::new(Self {
            are_told: config.listen.is_some(),
            registry,
            requests,
            durations,
            tenants,
            webhooks,
        })
    }

    /// What is sent to endpoints of dealers.
    pub fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    /// All of it as OpenMetrics text.
    ///
    /// # Errors
    ///
    /// When a collector fails, which none of ours does.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// Begins to measure a request. `route` is the pattern it matches, if any: its own path could
    /// be anything, and each would be a series.
    pub fn serving(self: &Arc<Self>, method: &Method, route: Option<&str>) -> Serving {
        Serving {
            metrics: self.clone(),
            method: method_word(method),
            route: route.unwrap_or("-").into(),
            started: Instant::now(),
            tenant: ServedTenant::default(),
            status: None,
        }
    }

    /// What each tenant asked for since this was last asked.
    pub fn window(&self) -> Vec<(TenantKey, Traffic)> {
        self.tenants.window().told()
    }

    fn served(&self, serving: &Serving, took: Duration) {
        if let Some(tenant) = serving.tenant.0.get() {
            let is_ours = serving
                .status
                .is_some_and(|status| status.is_server_error());
            let failed = if is_ours { Failed::ByUs } else { Failed::No };
            let told = if self.are_told { Told::Yes } else { Told::No };
            self.tenants.served(tenant, took, failed, told);
        }
        if !self.are_told {
            return;
        }
        let route = serving.route.clone();
        let request = Request {
            route: route.clone(),
            method: serving.method,
            status_class: serving.status.map_or("aborted", class_word),
        };
        self.requests.get_or_create(&request).inc();
        let durations = self.durations.get_or_create(&Route { route });
        durations.observe(took.as_secs_f64());
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// A request that is being served. It is counted when it is dropped, so one whose client went
/// away counts too, as aborted.
#[derive(Debug)]
pub struct Serving {
    metrics: Arc<Metrics>,
    method: &'static str,
    route: Arc<str>,
    started: Instant,
    tenant: ServedTenant,
    status: Option<StatusCode>,
}

impl Serving {
    /// Where to put the tenant once it is known; it outlives a request that is cut short.
    pub fn tenant(&self) -> ServedTenant {
        self.tenant.clone()
    }

    /// The pattern that the request matched, or `-`.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// How long it has taken so far.
    pub fn took(&self) -> Duration {
        self.started.elapsed()
    }

    /// Ends with an answer.
    pub fn answered(mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.metrics.served(self, self.started.elapsed());
    }
}

/// Whose request it is, as soon as that is known.
#[derive(Debug, Clone, Default)]
pub struct ServedTenant(Rc<Cell<Option<TenantKey>>>);

impl ServedTenant {
    /// Says whose request it is.
    pub fn is(&self, tenant: TenantKey) {
        self.0.set(Some(tenant));
    }
}

fn method_word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn class_word(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}
