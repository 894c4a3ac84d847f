//! Portuguese.

use super::{Frame, Words};
use crate::mail::occasion::Occasion;

pub(super) const FRAME: Frame = Frame {
    hello: "Olá",
    or_open: "Ou abra este endereço",
};

const NOT_YOU: &str = "Se não pediu isto, não precisa de fazer nada.";
const TELL_SOMEBODY: &str = "Se não foi você, defina uma nova palavra-passe e avise quem gere as \
     contas da sua equipa.";
const YOUR_CHOICE: &str = "Nas suas preferências escolhe o que lhe dizemos por correio eletrónico.";

pub(super) fn words(dealer: &str, occasion: &Occasion) -> Words {
    match occasion {
        Occasion::Invitation { by, days, .. } => Words::new(
            format!("O seu convite para {dealer}"),
            "Aceitar o convite",
            "Se não sabe do que se trata, não precisa de fazer nada.",
        )
        .say(match by {
            Some(by) => format!("{by} convida-o a juntar-se à equipa de {dealer}."),
            None => format!("está convidado a gerir {dealer} como proprietário."),
        })
        .say(format!("O convite é válido por {days} dias.")),
        Occasion::Reset { minutes, .. } => Words::new(
            format!("Defina a sua palavra-passe em {dealer}"),
            "Definir uma nova palavra-passe",
            NOT_YOU,
        )
        .say(format!(
            "alguém pediu para redefinir a palavra-passe da sua conta em {dealer}."
        ))
        .say(format!(
            "A ligação funciona uma vez, durante {minutes} minutos."
        )),
        Occasion::Verification { .. } => Words::new(
            format!("Confirme o seu endereço em {dealer}"),
            "Confirmar o endereço",
            NOT_YOU,
        )
        .say(format!(
            "confirme, por favor, que este é o seu endereço em {dealer}."
        )),
        Occasion::EmailChange { .. } => Words::new(
            format!("Confirme o seu novo endereço em {dealer}"),
            "Usar este endereço",
            NOT_YOU,
        )
        .say(format!(
            "confirme, por favor, que este passa a ser o seu endereço em {dealer}."
        )),
        Occasion::EmailLeaving => Words::new(
            format!("O seu endereço em {dealer} vai mudar"),
            "",
            TELL_SOMEBODY,
        )
        .say(format!(
            "alguém que conhece a sua palavra-passe pediu para usar outro endereço na sua conta em \
             {dealer}. Assim que esse for confirmado, este deixa de funcionar."
        )),
        Occasion::PasswordChanged => Words::new(
            format!("A sua palavra-passe em {dealer} foi alterada"),
            "",
            TELL_SOMEBODY,
        )
        .say(format!(
            "a palavra-passe da sua conta em {dealer} foi alterada e todas as outras sessões \
             terminaram."
        )),
        Occasion::SecondFactorRemoved => Words::new(
            format!("O seu segundo fator em {dealer} foi removido"),
            "",
            TELL_SOMEBODY,
        )
        .say(format!(
            "o segundo fator da sua conta em {dealer} foi removido: para iniciar sessão basta agora \
             a palavra-passe."
        )),
        Occasion::Notice { title } => {
            Words::new(format!("{title} – {dealer}"), "Abrir", YOUR_CHOICE).say(title)
        }
        Occasion::Digest { titles, more } => {
            let words = Words::new(
                format!("O que aconteceu em {dealer}"),
                "Abrir",
                YOUR_CHOICE,
            )
            .say("desde a última mensagem deste tipo:")
            .list(titles);
            match more {
                0 => words,
                more => words.say(format!("E mais {more}.")),
            }
        }
    }
}
