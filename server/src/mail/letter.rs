//! A message as it reaches people: plain text, and the same with the dealer's colour.

use askama::Template;
use serde::{Deserialize, Serialize};

use super::language::Language;
use super::links::{Links, Page};
use super::occasion::Occasion;
use super::words::{Frame, Words};
use crate::kernel::{Color, Email};

/// A message, ready to be sent.
#[derive(Clone, Serialize, Deserialize)]
pub struct Letter {
    /// To whom.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// For those who read plain text.
    pub text: String,
    /// For all others.
    pub html: String,
}

/// Whose message it is.
#[derive(Debug, Clone, Copy)]
pub struct Letterhead<'a> {
    /// The dealer's name.
    pub dealer: &'a str,
    /// First label of its host.
    pub slug: &'a str,
    /// What buttons are drawn in.
    pub color: Color,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Html<'a> {
    it: &'a Content<'a>,
}

#[derive(Template)]
#[template(path = "mail/letter.txt")]
struct Text<'a> {
    it: &'a Content<'a>,
}

struct Content<'a> {
    words: Words,
    frame: Frame,
    language: Language,
    name: &'a str,
    link: Option<String>,
    dealer: &'a str,
    color: Color,
    ink: Color,
}

impl Letter {
    /// Writes a message. `name` may be empty.
    ///
    /// # Errors
    ///
    /// Never in practice: the templates are checked when this is compiled.
    pub fn write(
        links: &Links,
        head: Letterhead<'_>,
        language: Language,
        (to, name): (&Email, &str),
        occasion: &Occasion,
    ) -> Result<Self, askama::Error> {
        let content = Content {
            words: Words::of(language, head.dealer, occasion),
            frame: Frame::of(language),
            language,
            name,
            link: link(links, head.slug, occasion),
            dealer: head.dealer,
            color: head.color,
            ink: head.color.ink(),
        };
        Ok(Self {
            to: to.to_string(),
            text: Text { it: &content }.render()?,
            html: Html { it: &content }.render()?,
            // A header is one line, whatever a file was called.
            subject: content.words.subject.replace(char::is_control, " "),
        })
    }
}

fn link(links: &Links, slug: &str, occasion: &Occasion) -> Option<String> {
    let page = |page, token: &str| Some(links.page(slug, page, token));
    match occasion {
        Occasion::Invitation { token, .. } => page(Page::AcceptInvitation, token),
        Occasion::Reset { token, .. } => page(Page::ResetPassword, token),
        Occasion::Verification { token } => page(Page::VerifyEmail, token),
        Occasion::EmailChange { token } => page(Page::ConfirmEmail, token),
        Occasion::EmailLeaving | Occasion::PasswordChanged | Occasion::SecondFactorRemoved => None,
        Occasion::Notice { .. } | Occasion::Digest { .. } => Some(links.home(slug)),
    }
}

/// What a message says is between us and whoever gets it.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Letter(…)")
    }
}
