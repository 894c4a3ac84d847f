//! No dealer ever sees another: canaries in mixed traffic, and a walk over every route.

pub mod canaries;
mod nodes;
mod roles;
mod routes;
mod scenarios;

use tests::Reply;

/// The body without the id of the request, and with `id` made the same for all.
fn comparable(reply: &Reply, id: &str) -> String {
    let mut body = reply.json.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("request_id");
    }
    body.to_string().replace(id, "<id>")
}
