//! The page on which developers see the messages that their server has sent: `/dev/mail`, where
//! messages are files and `mail.page` is set, and nowhere else.

use std::path::Path;

use actix_web::http::header::{CACHE_CONTROL, HOST};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, get, web};
use askama::Template;
use uuid::Uuid;

use crate::http::{Code, Problem};
use crate::mail::Letter;
use crate::state::AppState;

/// Messages that the list shows.
const MOST: usize = 200;

const STYLE: &str = include_str!("web/assets/pages.css");

/// A message, and the name of its file.
struct Entry {
    id: Uuid,
    letter: Letter,
}

#[derive(Template)]
#[template(path = "dev_mail/list.html")]
struct List {
    entries: Vec<Entry>,
}

#[derive(Template)]
#[template(path = "dev_mail/message.html")]
struct Message {
    id: Uuid,
    letter: Letter,
}

impl Message {
    /// The text, word by word, so that addresses can be followed.
    fn lines(&self) -> impl Iterator<Item = Vec<&str>> {
        self.letter
            .text
            .lines()
            .map(|line| line.split(' ').collect())
    }

    /// Whether a word is an address to be followed.
    fn leads(&self, word: &str) -> bool {
        word.starts_with("http://") || word.starts_with("https://")
    }
}

/// The page's routes.
pub(crate) fn routes(cfg: &mut ServiceConfig) {
    cfg.service(list).service(style).service(html).service(read);
}

#[get("/dev/mail")]
async fn list(req: HttpRequest) -> Result<HttpResponse, Problem> {
    let folder = folder(&req)?;
    let entries = entries(folder).map_err(Problem::internal)?;
    page(&List { entries })
}

#[get("/dev/mail/pages.css")]
async fn style(req: HttpRequest) -> Result<HttpResponse, Problem> {
    folder(&req)?;
    Ok(HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .body(STYLE))
}

#[get("/dev/mail/{id}")]
async fn read(req: HttpRequest, id: web::Path<Uuid>) -> Result<HttpResponse, Problem> {
    let letter = letter(folder(&req)?, *id)?;
    page(&Message { id: *id, letter })
}

/// The message's own page, for the frame that it is shown in.
#[get("/dev/mail/{id}/html")]
async fn html(req: HttpRequest, id: web::Path<Uuid>) -> Result<HttpResponse, Problem> {
    let letter = letter(folder(&req)?, *id)?;
    Ok(shown(letter.html))
}

/// Where the messages are, if they are shown at all: at the platform's own names, so that no page of
/// anybody else reads them through a name that leads here.
fn folder(req: &HttpRequest) -> Result<&Path, Problem> {
    let config = &AppState::of(req).config;
    let host = req.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = host.map(|host| host.split(':').next().unwrap_or_default());
    let base = config.http.base_domain.as_str();
    let is_ours = host.is_some_and(|host| {
        let label = host.strip_suffix(base);
        label.is_some_and(|label| label.is_empty() || label.ends_with('.'))
    });
    match config.mail.page && is_ours {
        true => Ok(&config.mail.directory),
        false => Err(Problem::new(Code::NotFound)),
    }
}

/// The latest first: ids begin with the time.
fn entries(folder: &Path) -> std::io::Result<Vec<Entry>> {
    let mut ids = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let is_parts = path.extension().is_some_and(|ending| ending == "json");
        ids.extend(
            stem.filter(|_| is_parts)
                .and_then(|stem| Uuid::parse_str(stem).ok()),
        );
    }
    ids.sort_unstable_by(|one, other| other.cmp(one));
    let entries = ids.into_iter().take(MOST).filter_map(|id| {
        let letter = letter(folder, id).ok()?;
        Some(Entry { id, letter })
    });
    Ok(entries.collect())
}

fn letter(folder: &Path, id: Uuid) -> Result<Letter, Problem> {
    let found = std::fs::read(folder.join(format!("{id}.json"))).ok();
    let letter = found.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    letter.ok_or_else(|| Problem::new(Code::NotFound))
}

fn page(template: &impl Template) -> Result<HttpResponse, Problem> {
    let text = template.render().map_err(Problem::internal)?;
    Ok(shown(text))
}

fn shown(text: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(text)
}
