//! What each operation is sent in walks over all routes, area by area.

mod access;
mod catalogue;
mod exports;
mod imports;
mod jobs;
mod people;
mod second_factor;
mod sessions;
mod settings;
mod sso;
mod webhooks;

use serde_json::Value;

/// The body of an operation.
///
/// # Panics
///
/// When no area knows it: a walk that leaves a route out proves nothing about it.
pub fn body_of(operation_id: &str) -> Value {
    let areas = [
        access::body_of,
        catalogue::body_of,
        jobs::body_of,
        imports::body_of,
        exports::body_of,
        people::body_of,
        second_factor::body_of,
        sessions::body_of,
        settings::body_of,
        sso::body_of,
        webhooks::body_of,
    ];
    let known = areas.iter().find_map(|area| area(operation_id));
    known.unwrap_or_else(|| panic!("say what {operation_id} is sent, so that walks cover it"))
}
