//! What messages say.

use askama::Template;

use super::links::{Links, Page};
use crate::kernel::Email;

/// A message, ready to be sent.
#[derive(Clone)]
pub struct Letter {
    /// To whom.
    pub to: Email,
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
}

/// Why somebody is written to, with the token that belongs to it.
#[derive(Clone, Copy)]
pub enum Occasion<'a> {
    /// They may become a member.
    Invitation {
        /// To accept it with.
        token: &'a str,
        /// Who asks them; nobody for a first owner.
        by: Option<&'a str>,
        /// For how long it stands, days.
        days: u32,
    },
    /// Somebody who says to be them has forgotten the password.
    Reset {
        /// To set it anew with.
        token: &'a str,
        /// For how long it works, minutes.
        minutes: u32,
    },
    /// Their address is to be proven.
    Verification {
        /// To prove it with.
        token: &'a str,
    },
    /// The address is to be theirs from now on.
    EmailChange {
        /// To take it with.
        token: &'a str,
    },
    /// Somebody asked to replace the address.
    EmailLeaving,
    /// The password was changed.
    PasswordChanged,
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
    subject: String,
    name: &'a str,
    paragraphs: Vec<String>,
    action: &'static str,
    link: Option<String>,
    closing: &'static str,
    dealer: &'a str,
}

const NOT_YOU: &str = "If you did not ask for this, you need not do anything.";
const TELL_SOMEBODY: &str =
    "If this was not you, set your password anew and tell whoever runs your team's accounts.";

impl Letter {
    /// Writes a message. `name` may be empty.
    ///
    /// # Errors
    ///
    /// Never in practice: the templates are checked when this is compiled.
    pub fn write(
        links: &Links,
        head: Letterhead<'_>,
        (to, name): (&Email, &str),
        occasion: Occasion<'_>,
    ) -> Result<Self, askama::Error> {
        let content = content(links, head, name, occasion);
        Ok(Self {
            to: to.clone(),
            text: Text { it: &content }.render()?,
            html: Html { it: &content }.render()?,
            subject: content.subject,
        })
    }
}

fn content<'a>(
    links: &Links,
    head: Letterhead<'a>,
    name: &'a str,
    occasion: Occasion<'_>,
) -> Content<'a> {
    let dealer = head.dealer;
    let page = |page, token: &str| Some(links.page(head.slug, page, token));
    let (subject, paragraphs, action, link, closing) = match occasion {
        Occasion::Invitation { token, by, days } => {
            let asks = match by {
                Some(by) => format!("{by} invites you to join the team of {dealer}."),
                None => format!("you are invited to run {dealer} as its owner."),
            };
            (
                format!("Your invitation to {dealer}"),
                vec![asks, format!("The invitation stands for {days} days.")],
                "Accept the invitation",
                page(Page::AcceptInvitation, token),
                "If you don't know what this is about, you need not do anything.",
            )
        }
        Occasion::Reset { token, minutes } => (
            format!("Set your password at {dealer}"),
            vec![
                format!("somebody asked to set the password of your account at {dealer} anew."),
                format!("The link works once, for {minutes} minutes."),
            ],
            "Set a new password",
            page(Page::ResetPassword, token),
            NOT_YOU,
        ),
        Occasion::Verification { token } => (
            format!("Confirm your address at {dealer}"),
            vec![format!(
                "please confirm that this is your address at {dealer}."
            )],
            "Confirm the address",
            page(Page::VerifyEmail, token),
            NOT_YOU,
        ),
        Occasion::EmailChange { token } => (
            format!("Confirm your new address at {dealer}"),
            vec![format!(
                "please confirm that this is to be your address at {dealer} from now on."
            )],
            "Use this address",
            page(Page::ConfirmEmail, token),
            NOT_YOU,
        ),
        Occasion::EmailLeaving => (
            format!("Your address at {dealer} is about to change"),
            vec![format!(
                "somebody who knows your password asked to use another address for your account \
                 at {dealer}. Once that one is confirmed, this one will not work any more."
            )],
            "",
            None,
            TELL_SOMEBODY,
        ),
        Occasion::PasswordChanged => (
            format!("Your password at {dealer} was changed"),
            vec![format!(
                "the password of your account at {dealer} was changed, and all other sessions \
                 have ended."
            )],
            "",
            None,
            TELL_SOMEBODY,
        ),
    };
    Content {
        subject,
        name,
        paragraphs,
        action,
        link,
        closing,
        dealer,
    }
}

/// What a message says is between us and whoever gets it.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Letter(…)")
    }
}

impl std::fmt::Debug for Occasion<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Occasion(…)")
    }
}
