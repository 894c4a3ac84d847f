//! The kinds of what members are told, and what each is called.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::mail::{Language, Occasion};

/// Whether and when something is told by mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = NotificationMail)]
pub enum ByMail {
    /// Not at all.
    Off,
    /// When it happens.
    Instant,
    /// Once a day, with all else.
    Digest,
}

/// How one kind is told to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Choice {
    pub in_app: bool,
    pub mail: ByMail,
}

/// Declares the kinds: one line each, so that it reads as the table it is.
macro_rules! kinds {
    ($($kind:ident $name:literal $fixed:literal $mail:ident
        $en:literal $de:literal $et:literal $pt:literal;)+) => {
        /// What somebody is told of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $(#[doc = $en] $kind,)+
        }

        impl Kind {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// As it is stored and asked for.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            /// Whether it is about the safety of an account: nobody can switch it off.
            pub const fn is_fixed(self) -> bool {
                match self { $(Self::$kind => $fixed,)+ }
            }

            /// By mail as long as a member says nothing else.
            const fn usual_mail(self) -> ByMail {
                match self { $(Self::$kind => ByMail::$mail,)+ }
            }

            /// What it is called.
            pub const fn title(self, language: Language) -> &'static str {
                match (self, language) { $(
                    (Self::$kind, Language::En) => $en,
                    (Self::$kind, Language::De) => $de,
                    (Self::$kind, Language::Et) => $et,
                    (Self::$kind, Language::Pt) => $pt,
                )+ }
            }
        }
    };
}

// Its name, whether it is fixed, whether by mail; what it is called in English, German, Estonian and
// Portuguese.
kinds! {
    ImportApplied "import.applied" false Off
        "A price file was applied" "Eine Preisdatei wurde übernommen"
        "Hinnafail rakendati" "Um ficheiro de preços foi aplicado";
    ImportFailed "import.failed" false Instant
        "A price file could not be applied" "Eine Preisdatei konnte nicht übernommen werden"
        "Hinnafaili ei saanud rakendada" "Não foi possível aplicar um ficheiro de preços";
    ExportReady "export.ready" false Off
        "An export is ready" "Ein Export liegt bereit"
        "Eksport on valmis" "Uma exportação está pronta";
    ExportFailed "export.failed" false Off
        "An export could not be written" "Ein Export konnte nicht erstellt werden"
        "Eksporti ei saanud koostada" "Não foi possível criar uma exportação";
    WebhookDisabled "webhook_endpoint.disabled" false Instant
        "A webhook was switched off" "Ein Webhook wurde abgeschaltet"
        "Veebihaak lülitati välja" "Um webhook foi desativado";
    JobDead "job.dead" false Digest
        "Background work was given up" "Eine Hintergrundaufgabe wurde aufgegeben"
        "Taustatöö jäi tegemata" "Um trabalho em segundo plano foi abandonado";
    PasswordChanged "security.password_changed" true Instant
        "Your password was changed" "Ihr Passwort wurde geändert"
        "Sinu parool on muudetud" "A sua palavra-passe foi alterada";
    SecondFactorRemoved "security.second_factor_removed" true Instant
        "Your second factor was removed" "Ihr zweiter Faktor wurde entfernt"
        "Sinu teine autentimistegur on eemaldatud" "O seu segundo fator foi removido";
}

/// The field of a notification's data that says what the thing is called, such as a file's name.
const NAME: &str = "name";

impl Kind {
    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// How it is told as long as a member says nothing else.
    pub(super) const fn usual(self) -> Choice {
        Choice {
            in_app: true,
            mail: self.usual_mail(),
        }
    }

    /// What it is called, with the name of the thing, if its data says one.
    pub(super) fn told(self, language: Language, data: &Value) -> String {
        let title = self.title(language);
        match data.get(NAME).and_then(Value::as_str) {
            Some(name) => format!("{title}: {name}"),
            None => title.to_owned(),
        }
    }

    /// The message that tells of it.
    pub(super) fn occasion(self, language: Language, data: &Value) -> Occasion {
        match self {
            Self::PasswordChanged => Occasion::PasswordChanged,
            Self::SecondFactorRemoved => Occasion::SecondFactorRemoved,
            Self::ImportApplied
            | Self::ImportFailed
            | Self::ExportReady
            | Self::ExportFailed
            | Self::WebhookDisabled
            | Self::JobDead => Occasion::Notice {
                title: self.told(language, data),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_has_a_name_and_a_title_of_its_own_in_every_language() {
        for language in Language::ALL {
            let mut titles: Vec<_> = Kind::ALL.iter().map(|kind| kind.title(language)).collect();
            assert!(titles.iter().all(|title| !title.is_empty()));
            titles.sort_unstable();
            titles.dedup();
            assert_eq!(titles.len(), Kind::ALL.len(), "{language}");
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(*kind));
        }
    }

    #[test]
    fn what_is_about_safety_is_told_by_a_message_that_cant_be_done_without() {
        for kind in Kind::ALL {
            let occasion = kind.occasion(Language::En, &json!({}));
            assert_eq!(occasion.is_dispensable(), !kind.is_fixed(), "{kind:?}");
            assert!(!kind.is_fixed() || kind.usual().mail == ByMail::Instant);
        }
    }

    #[test]
    fn a_title_names_the_thing() {
        let told = Kind::ExportReady.told(Language::De, &json!({"name": "Preise.csv"}));

        assert_eq!(told, "Ein Export liegt bereit: Preise.csv");
    }
}
