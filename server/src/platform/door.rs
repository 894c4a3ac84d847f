//! Where the API of operators is: at its own host, of servers that have it. Anywhere else its
//! addresses are nobody's.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::http::{Addresses, Code, Probe, Problem, is_admin_host, resolve};

/// Lets requests pass only at the host of operators. Others get what an address gets that nobody
/// has: at a dealer's host nothing is there, and an unknown host is unknown.
///
/// # Errors
///
/// None of its own: a refusal is an answer, which passes through the layers further out.
pub async fn admin_host(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let req = request.request();
    if Probe::is_behind(req) || is_admin_host(req) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let problem = match resolve(req).await {
        Ok(_) => Problem::new(Code::NotFound),
        Err(problem) => problem,
    };
    Ok(request.error_response(problem).map_into_right_body())
}

/// Answers what no route of this API took.
///
/// # Errors
///
/// Always: a method that an address doesn't take, or nothing.
pub async fn nothing_here(
    req: HttpRequest,
    addresses: web::Data<Addresses>,
) -> Result<HttpResponse, Problem> {
    Err(addresses.refusal(&req))
}
