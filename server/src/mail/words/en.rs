//! English.

use super::{Frame, Words};
use crate::mail::occasion::Occasion;

pub(super) const FRAME: Frame = Frame {
    hello: "Hello",
    or_open: "Or open this address",
};

const NOT_YOU: &str = "If you did not ask for this, you need not do anything.";
const TELL_SOMEBODY: &str =
    "If this was not you, set your password anew and tell whoever runs your team's accounts.";
const YOUR_CHOICE: &str = "You choose in your preferences what you are told by mail.";

pub(super) fn words(dealer: &str, occasion: &Occasion) -> Words {
    match occasion {
        Occasion::Invitation { by, days, .. } => Words::new(
            format!("Your invitation to {dealer}"),
            "Accept the invitation",
            "If you don't know what this is about, you need not do anything.",
        )
        .say(match by {
            Some(by) => format!("{by} invites you to join the team of {dealer}."),
            None => format!("you are invited to run {dealer} as its owner."),
        })
        .say(format!("The invitation stands for {days} days.")),
        Occasion::Reset { minutes, .. } => Words::new(
            format!("Set your password at {dealer}"),
            "Set a new password",
            NOT_YOU,
        )
        .say(format!(
            "somebody asked to set the password of your account at {dealer} anew."
        ))
        .say(format!("The link works once, for {minutes} minutes.")),
        Occasion::Verification { .. } => Words::new(
            format!("Confirm your address at {dealer}"),
            "Confirm the address",
            NOT_YOU,
        )
        .say(format!(
            "please confirm that this is your address at {dealer}."
        )),
        Occasion::EmailChange { .. } => Words::new(
            format!("Confirm your new address at {dealer}"),
            "Use this address",
            NOT_YOU,
        )
        .say(format!(
            "please confirm that this is to be your address at {dealer} from now on."
        )),
        Occasion::EmailLeaving => Words::new(
            format!("Your address at {dealer} is about to change"),
            "",
            TELL_SOMEBODY,
        )
        .say(format!(
            "somebody who knows your password asked to use another address for your account at \
             {dealer}. Once that one is confirmed, this one will not work any more."
        )),
        Occasion::PasswordChanged => Words::new(
            format!("Your password at {dealer} was changed"),
            "",
            TELL_SOMEBODY,
        )
        .say(format!(
            "the password of your account at {dealer} was changed, and all other sessions have \
             ended."
        )),
        Occasion::SecondFactorRemoved => Words::new(
            format!("Your second factor at {dealer} was removed"),
            "",
            TELL_SOMEBODY,
        )
        .say(format!(
            "the second factor of your account at {dealer} was removed: signing in asks for the \
             password alone now."
        )),
        Occasion::Notice { title } => {
            Words::new(format!("{title} – {dealer}"), "Open it", YOUR_CHOICE).say(title)
        }
        Occasion::Digest { titles, more } => {
            let words = Words::new(format!("What happened at {dealer}"), "Open it", YOUR_CHOICE)
                .say("since the last message of this kind:")
                .list(titles);
            match more {
                0 => words,
                more => words.say(format!("And {more} more.")),
            }
        }
    }
}
