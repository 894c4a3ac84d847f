//! Estonian.

use super::{Frame, Words};
use crate::mail::occasion::Occasion;

pub(super) const FRAME: Frame = Frame {
    hello: "Tere",
    or_open: "Või ava see aadress",
};

const NOT_YOU: &str = "Kui sa seda ei palunud, ei pea sa midagi tegema.";
const TELL_SOMEBODY: &str = "Kui see ei olnud sina, määra uus parool ja anna teada sellele, kes \
     sinu meeskonna kontosid haldab.";
const YOUR_CHOICE: &str = "Oma eelistustes valid, millest sulle e-postiga teatatakse.";

pub(super) fn words(dealer: &str, occasion: &Occasion) -> Words {
    match occasion {
        Occasion::Invitation { by, days, .. } => Words::new(
            format!("Sinu kutse: {dealer}"),
            "Võta kutse vastu",
            "Kui sa ei tea, millest on jutt, ei pea sa midagi tegema.",
        )
        .say(match by {
            Some(by) => format!("{by} kutsub sind ettevõtte {dealer} meeskonda."),
            None => format!("sind kutsutakse ettevõtet {dealer} omanikuna juhtima."),
        })
        .say(format!("Kutse kehtib {days} päeva.")),
        Occasion::Reset { minutes, .. } => Words::new(
            format!("Määra oma parool: {dealer}"),
            "Määra uus parool",
            NOT_YOU,
        )
        .say(format!(
            "keegi palus sinu konto ({dealer}) parooli uuesti määrata."
        ))
        .say(format!("Link töötab ühe korra, {minutes} minutit.")),
        Occasion::Verification { .. } => Words::new(
            format!("Kinnita oma aadress: {dealer}"),
            "Kinnita aadress",
            NOT_YOU,
        )
        .say(format!(
            "palun kinnita, et see on sinu aadress ettevõttes {dealer}."
        )),
        Occasion::EmailChange { .. } => Words::new(
            format!("Kinnita oma uus aadress: {dealer}"),
            "Kasuta seda aadressi",
            NOT_YOU,
        )
        .say(format!(
            "palun kinnita, et edaspidi on see sinu aadress ettevõttes {dealer}."
        )),
        Occasion::EmailLeaving => Words::new(
            format!("Sinu aadress on muutumas: {dealer}"),
            "",
            TELL_SOMEBODY,
        )
        .say(format!(
            "keegi, kes teab sinu parooli, palus sinu kontol ({dealer}) kasutada teist aadressi. \
             Kui see on kinnitatud, siis praegune aadress enam ei kehti."
        )),
        Occasion::PasswordChanged => Words::new(
            format!("Sinu parool on muudetud: {dealer}"),
            "",
            TELL_SOMEBODY,
        )
        .say(format!(
            "sinu konto ({dealer}) parool on muudetud ja kõik teised seansid on lõpetatud."
        )),
        Occasion::SecondFactorRemoved => Words::new(
            format!("Sinu teine autentimistegur on eemaldatud: {dealer}"),
            "",
            TELL_SOMEBODY,
        )
        .say(format!(
            "sinu konto ({dealer}) teine autentimistegur on eemaldatud: sisselogimiseks piisab nüüd \
             paroolist."
        )),
        Occasion::Notice { title } => {
            Words::new(format!("{title} – {dealer}"), "Ava", YOUR_CHOICE).say(title)
        }
        Occasion::Digest { titles, more } => {
            let words = Words::new(format!("Mis on juhtunud: {dealer}"), "Ava", YOUR_CHOICE)
                .say("pärast eelmist sellist kirja:")
                .list(titles);
            match more {
                0 => words,
                more => words.say(format!("Ja veel {more}.")),
            }
        }
    }
}
