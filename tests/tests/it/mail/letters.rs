//! What messages say, in every language.

use serde_json::json;
use server::config::Config;
use server::kernel::{Color, Email};
use server::mail::{Language, Letter, Letterhead, Links, Occasion};
use tests::TestApp;

use super::{OLGA, invite};

fn occasions() -> Vec<Occasion> {
    let token = || "tbxi_secret".to_owned();
    vec![
        Occasion::Invitation {
            token: token(),
            by: Some("Ada".to_owned()),
            days: 7,
        },
        Occasion::Invitation {
            token: token(),
            by: None,
            days: 7,
        },
        Occasion::Reset {
            token: token(),
            minutes: 60,
        },
        Occasion::Verification { token: token() },
        Occasion::EmailChange { token: token() },
        Occasion::EmailLeaving,
        Occasion::PasswordChanged,
        Occasion::SecondFactorRemoved,
        Occasion::Notice {
            title: "A price file was applied: spring.csv".to_owned(),
        },
        Occasion::Digest {
            titles: vec!["One".to_owned(), "Another".to_owned()],
            more: 3,
        },
    ]
}

fn written(
    dealer: &str,
    name: &str,
    language: Language,
    occasion: &Occasion,
    color: &str,
) -> Letter {
    let secret = (
        "TUBEX_AUTH__TOKEN_SECRET",
        "a token secret, long enough for it",
    );
    let url = ("TUBEX_DATABASE__URL", "postgres://nobody@localhost/none");
    let sealed = (
        "TUBEX_DATABASE__SECRET",
        "a database secret for tests, long enough",
    );
    let keys = [secret, url, sealed].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let config = Config::from_environment(keys).unwrap();
    let head = Letterhead {
        dealer,
        slug: "acme",
        color: color.parse::<Color>().unwrap(),
    };
    let to = Email::parse(OLGA).unwrap();
    let links = Links::new(&config.http);
    Letter::write(&links, head, language, (&to, name), occasion).unwrap()
}

#[test]
fn every_message_says_something_of_its_own_in_every_language_and_in_both_forms() {
    for occasion in occasions() {
        let letters = Language::ALL
            .map(|language| written("Acme Baustoffe", "Olga", language, &occasion, "#0a5c36"));

        for (language, letter) in Language::ALL.iter().zip(&letters) {
            let what = format!("{language} {occasion:?}: {}", letter.text);
            assert!(letter.subject.contains("Acme Baustoffe"), "{what}");
            assert!(letter.text.contains(" Olga,"), "{what}");
            assert!(letter.text.lines().count() >= 6, "{what}");
            assert!(letter.html.contains(&format!("<html lang=\"{language}\">")));
            assert!(letter.html.contains("#0a5c36"), "{}", letter.html);
            assert!(!letter.text.contains(['{', '}', '<']), "{what}");
            // What is said in one form is said in the other.
            for line in letter.text.lines().filter(|line| line.len() > 40) {
                let said = line
                    .trim_start_matches("- ")
                    .split(": http")
                    .next()
                    .unwrap();
                let html = letter.html.replace("&#39;", "'");
                assert!(html.contains(said), "{said:?} is not in {html}");
            }
        }
        for (index, letter) in letters.iter().enumerate() {
            for other in &letters[index + 1..] {
                assert_ne!(letter.text, other.text, "{occasion:?}");
                let told_by_others = matches!(occasion, Occasion::Notice { .. });
                assert!(
                    told_by_others || letter.subject != other.subject,
                    "{occasion:?}"
                );
            }
        }
    }
}

#[test]
fn names_are_text_and_never_markup_and_a_subject_is_one_line() {
    let evil = "<img src=x onerror=alert(1)>\r\nBcc: all@team.example";
    for language in Language::ALL {
        for occasion in occasions() {
            let occasion = match occasion {
                Occasion::Invitation { token, days, .. } => Occasion::Invitation {
                    token,
                    by: Some(evil.to_owned()),
                    days,
                },
                Occasion::Notice { .. } => Occasion::Notice {
                    title: evil.to_owned(),
                },
                Occasion::Digest { more, .. } => Occasion::Digest {
                    titles: vec![evil.to_owned()],
                    more,
                },
                other => other,
            };

            let letter = written(evil, evil, language, &occasion, "#0a5c36");

            assert!(!letter.html.contains("<img"), "{}", letter.html);
            assert!(!letter.subject.contains(['\r', '\n']), "{}", letter.subject);
        }
    }
}

#[test]
fn a_message_reads_like_this() {
    let occasion = Occasion::Reset {
        token: "tbxo_secret".to_owned(),
        minutes: 60,
    };

    let letter = written("Acme Baustoffe", "Olga", Language::De, &occasion, "#ffd500");

    assert_eq!(letter.subject, "Setzen Sie Ihr Passwort bei Acme Baustoffe");
    assert_eq!(
        letter.text,
        "Guten Tag Olga,

jemand möchte das Passwort Ihres Kontos bei Acme Baustoffe neu setzen.

Der Link gilt einmal, 60 Minuten lang.

Neues Passwort setzen: http://acme.localhost/account/reset-password#token=tbxo_secret

Wenn Sie das nicht angefordert haben, brauchen Sie nichts zu tun.

Acme Baustoffe"
    );
    // A bright colour has black words on it.
    assert!(letter.html.contains("background: #ffd500; color: #000000"));
}

#[actix_web::test]
async fn members_are_written_to_in_their_own_language_and_others_in_the_dealers() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let put = async |path: &str, body: serde_json::Value| {
        let request = dealer.request(reqwest::Method::PUT, path);
        let request = request.header("if-match", "\"0\"").json(&body);
        dealer.send(request).await
    };

    let colours = json!({"language": "de", "brand_color": "#0A5C36"});
    let set = put("/settings/correspondence", colours).await.expect(200);
    invite(&dealer, OLGA, "sales").await.expect(201);
    let invitation = app.mail_to(OLGA, 1).await;
    let own = json!({"language": "et", "choices": []});
    put("/me/notification-preferences", own).await.expect(200);
    dealer.post("/me/verify-email", json!({})).await.expect(202);
    let letter = app.mail_to(&dealer.email, 1).await;

    assert_eq!(set.json["brand_color"], "#0a5c36");
    assert!(invitation.subject.starts_with("Ihre Einladung zu"));
    assert!(
        invitation
            .html
            .contains("background: #0a5c36; color: #ffffff")
    );
    assert!(letter.subject.starts_with("Kinnita oma aadress"));
    let refused = put("/settings/correspondence", json!({"brand_color": "green"})).await;
    assert_eq!(
        (refused.status.as_u16(), refused.problem()),
        (422, "fields_invalid")
    );
    let read = dealer.get("/settings/correspondence").await.expect(200);
    assert_eq!(
        read.json,
        json!({"language": "de", "brand_color": "#0a5c36", "version": 1})
    );
}
