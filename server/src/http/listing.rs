//! One request for a list: where its page begins, and how the answer leads to the next one.
//!
//! A cursor is sealed for the dealer, the list and the question it was given out for: it leads
//! nowhere else, and nobody makes one up.

use actix_web::http::header::{HeaderValue, LINK};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use std::sync::Arc;
use url::form_urlencoded;

use super::code::Code;
use super::fields::Fields;
use super::page::PageOut;
use super::problem::Problem;
use crate::db::Tenant;
use crate::kernel::{Cursor, Page};
use crate::state::AppState;

/// What says how much of a list is shown, and not which list it is.
const PRESENTATION: [&str; 4] = ["cursor", "limit", "fields", "include"];

/// A request for a list.
#[derive(Debug)]
pub struct Listing {
    req: HttpRequest,
    /// Whose list it is.
    whose: String,
    /// The list, as a pattern.
    list: String,
    /// What was asked of it, in one order.
    question: String,
}

impl Listing {
    /// The list that a request asks for.
    pub fn of(req: &HttpRequest) -> Self {
        let tenant = req.extensions().get::<Arc<Tenant>>().map(|one| one.key());
        let whose = tenant.map_or_else(|| "platform".to_owned(), |key| key.to_string());
        let asked = form_urlencoded::parse(req.query_string().as_bytes());
        let mut asked: Vec<_> = asked
            .filter(|(name, _)| !PRESENTATION.contains(&name.as_ref()))
            .collect();
        asked.sort();
        let question = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(asked)
            .finish();
        Self {
            whose,
            list: req.match_pattern().unwrap_or_default(),
            question,
            req: req.clone(),
        }
    }

    /// Reads a cursor that came back.
    ///
    /// # Errors
    ///
    /// `cursor-invalid` unless it was given out for this very list.
    pub fn open(&self, cursor: Option<&str>) -> Result<Option<Cursor>, Problem> {
        let Some(text) = cursor else {
            return Ok(None);
        };
        let seals = &AppState::of(&self.req).cursors;
        let opened = URL_SAFE_NO_PAD.decode(text).ok().and_then(|sealed| {
            let key = seals.open(&self.context(), &sealed)?;
            Some(Cursor::from_key(key.to_vec()))
        });
        let refusal = || Problem::new(Code::CursorInvalid).detail("it belongs to another list");
        opened.map(Some).ok_or_else(refusal)
    }

    /// The answer: the rows, and the way to the next ones in the body and in the `Link` header.
    ///
    /// # Errors
    ///
    /// [`Problem::internal`] when a row can't be written as JSON.
    pub fn answer<T: Serialize>(
        &self,
        page: Page<impl Into<T>>,
        fields: &Fields,
    ) -> Result<HttpResponse, Problem> {
        let next = page.next.as_ref().map(|cursor| self.sealed(cursor));
        let rows = page.data.into_iter().map(Into::into);
        let data: Vec<_> = rows
            .map(|row: T| fields.of(row))
            .collect::<Result<_, _>>()?;
        let mut response = HttpResponse::Ok();
        if let Some(next) = &next
            && let Ok(link) = HeaderValue::from_str(&self.link(next))
        {
            response.insert_header((LINK, link));
        }
        Ok(response.json(PageOut { data, next }))
    }

    fn sealed(&self, cursor: &Cursor) -> String {
        let seals = &AppState::of(&self.req).cursors;
        URL_SAFE_NO_PAD.encode(seals.seal(&self.context(), cursor.as_bytes()))
    }

    fn context(&self) -> [&str; 3] {
        [&self.whose, &self.list, &self.question]
    }

    /// The same question for the next page, relative to where it was asked.
    fn link(&self, next: &str) -> String {
        let asked = form_urlencoded::parse(self.req.query_string().as_bytes());
        let others = asked.filter(|(name, _)| name != "cursor");
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(others)
            .append_pair("cursor", next)
            .finish();
        format!("<{}?{query}>; rel=\"next\"", self.req.path())
    }
}
