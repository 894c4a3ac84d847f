//! Errors: one shape, one registry, and never a surprise.

mod catalogue;
mod pointers;
mod time_limits;

use tests::Reply;

/// Says that a reply is this problem, in full.
#[track_caller]
fn assert_problem(reply: &Reply, status: u16, code: &str) {
    let text = reply.text();
    assert_eq!(
        (reply.status.as_u16(), reply.problem()),
        (status, code),
        "{text}"
    );
    let body = &reply.json;
    assert_eq!(body["status"], status, "{text}");
    assert_eq!(
        body["type"],
        format!("/problems/{}", code.replace('_', "-")),
        "{text}"
    );
    assert!(
        body["title"].as_str().is_some_and(|title| title.len() > 5),
        "{text}"
    );
    let request_id = reply.header("x-request-id");
    assert_eq!(request_id.len(), 36, "{text}");
    assert_eq!(body["request_id"], request_id, "{text}");
}
