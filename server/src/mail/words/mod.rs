//! What messages say, language by language. Each language answers every occasion: one that is left out
//! does not compile.

mod de;
mod en;
mod et;
mod pt;

use super::language::Language;
use super::occasion::Occasion;

/// What one message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) subject: String,
    pub(super) paragraphs: Vec<String>,
    /// What happened, one a line.
    pub(super) list: Vec<String>,
    /// What the link does; empty where there is none.
    pub(super) action: &'static str,
    pub(super) closing: &'static str,
}

/// What all messages say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) hello: &'static str,
    pub(super) or_open: &'static str,
}

impl Words {
    /// What a message of a dealer says on an occasion.
    pub(super) fn of(language: Language, dealer: &str, occasion: &Occasion) -> Self {
        match language {
            Language::De => de::words(dealer, occasion),
            Language::En => en::words(dealer, occasion),
            Language::Et => et::words(dealer, occasion),
            Language::Pt => pt::words(dealer, occasion),
        }
    }

    fn new(subject: String, action: &'static str, closing: &'static str) -> Self {
        Self {
            subject,
            paragraphs: Vec::new(),
            list: Vec::new(),
            action,
            closing,
        }
    }

    fn say(mut self, paragraph: impl Into<String>) -> Self {
        self.paragraphs.push(paragraph.into());
        self
    }

    fn list(mut self, lines: &[String]) -> Self {
        self.list.extend_from_slice(lines);
        self
    }
}

impl Frame {
    /// In one of our languages.
    pub(super) const fn of(language: Language) -> Self {
        match language {
            Language::De => de::FRAME,
            Language::En => en::FRAME,
            Language::Et => et::FRAME,
            Language::Pt => pt::FRAME,
        }
    }
}
