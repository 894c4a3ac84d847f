//! German.

use super::{Frame, Words};
use crate::mail::occasion::Occasion;

pub(super) const FRAME: Frame = Frame {
    hello: "Guten Tag",
    or_open: "Oder öffnen Sie diese Adresse",
};

const NOT_YOU: &str = "Wenn Sie das nicht angefordert haben, brauchen Sie nichts zu tun.";
const TELL_SOMEBODY: &str = "Wenn Sie das nicht waren, setzen Sie Ihr Passwort neu und sagen Sie \
     denen Bescheid, die die Konten Ihres Teams verwalten.";
const YOUR_CHOICE: &str =
    "In Ihren Einstellungen wählen Sie, worüber wir Sie per E-Mail unterrichten.";

pub(super) fn words(dealer: &str, occasion: &Occasion) -> Words {
    match occasion {
        Occasion::Invitation { by, days, .. } => Words::new(
            format!("Ihre Einladung zu {dealer}"),
            "Einladung annehmen",
            "Wenn Sie nicht wissen, worum es geht, brauchen Sie nichts zu tun.",
        )
        .say(match by {
            Some(by) => format!("{by} lädt Sie in das Team von {dealer} ein."),
            None => format!("Sie sind eingeladen, {dealer} als Inhaber zu führen."),
        })
        .say(format!("Die Einladung gilt {days} Tage.")),
        Occasion::Reset { minutes, .. } => Words::new(
            format!("Setzen Sie Ihr Passwort bei {dealer}"),
            "Neues Passwort setzen",
            NOT_YOU,
        )
        .say(format!(
            "jemand möchte das Passwort Ihres Kontos bei {dealer} neu setzen."
        ))
        .say(format!("Der Link gilt einmal, {minutes} Minuten lang.")),
        Occasion::Verification { .. } => Words::new(
            format!("Bestätigen Sie Ihre Adresse bei {dealer}"),
            "Adresse bestätigen",
            NOT_YOU,
        )
        .say(format!(
            "bitte bestätigen Sie, dass dies Ihre Adresse bei {dealer} ist."
        )),
        Occasion::EmailChange { .. } => Words::new(
            format!("Bestätigen Sie Ihre neue Adresse bei {dealer}"),
            "Diese Adresse verwenden",
            NOT_YOU,
        )
        .say(format!(
            "bitte bestätigen Sie, dass dies von nun an Ihre Adresse bei {dealer} sein soll."
        )),
        Occasion::EmailLeaving => Words::new(
            format!("Ihre Adresse bei {dealer} soll sich ändern"),
            "",
            TELL_SOMEBODY,
        )
        .say(format!(
            "jemand, der Ihr Passwort kennt, möchte für Ihr Konto bei {dealer} eine andere Adresse \
             verwenden. Sobald jene bestätigt ist, gilt diese hier nicht mehr."
        )),
        Occasion::PasswordChanged => Words::new(
            format!("Ihr Passwort bei {dealer} wurde geändert"),
            "",
            TELL_SOMEBODY,
        )
        .say(format!(
            "das Passwort Ihres Kontos bei {dealer} wurde geändert, und alle anderen Sitzungen \
             sind beendet."
        )),
        Occasion::SecondFactorRemoved => Words::new(
            format!("Ihr zweiter Faktor bei {dealer} wurde entfernt"),
            "",
            TELL_SOMEBODY,
        )
        .say(format!(
            "der zweite Faktor Ihres Kontos bei {dealer} wurde entfernt: Beim Anmelden genügt nun \
             das Passwort."
        )),
        Occasion::Notice { title } => {
            Words::new(format!("{title} – {dealer}"), "Öffnen", YOUR_CHOICE).say(title)
        }
        Occasion::Digest { titles, more } => {
            let words = Words::new(
                format!("Was bei {dealer} geschehen ist"),
                "Öffnen",
                YOUR_CHOICE,
            )
            .say("seit der letzten Nachricht dieser Art:")
            .list(titles);
            match more {
                0 => words,
                more => words.say(format!("Und {more} weitere.")),
            }
        }
    }
}
