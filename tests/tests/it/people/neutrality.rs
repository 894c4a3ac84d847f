//! Answers that tell nothing about who exists: the same status, the same bytes, the same time.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Actor, Reply, TestApp};

use super::{STRONG, beside, join};

/// Samples of each kind.
const SAMPLES: usize = 25;
/// A busy machine may spoil a round, and none of them is worse than the law of large numbers.
const ROUNDS: usize = 8;

/// Waits would tell their own story.
const NO_WAITS: [(&str, &str); 4] = [
    ("TUBEX_AUTH__SIGN_IN_ATTEMPTS", "1000"),
    ("TUBEX_AUTH__MAILS_PER_HOUR", "1000"),
    ("TUBEX_LIMITS__AUTH_PER_MINUTE", "0"),
    ("TUBEX_AUTH__PASSWORD_MEMORY_KIB", "4096"),
];

/// A request, and what it is called in a failure.
struct Question {
    name: &'static str,
    path: &'static str,
    body: Value,
}

fn ask(name: &'static str, path: &'static str, body: Value) -> Question {
    Question { name, path, body }
}

/// What of an answer may not differ: all of it but the request's own id.
fn told(reply: &Reply) -> (u16, Vec<(String, String)>, String) {
    let own = reply.json["request_id"].as_str().unwrap_or("-").to_owned();
    let varying = ["date", "x-request-id", "ratelimit", "ratelimit-policy"];
    let headers = reply.headers.iter();
    let mut headers: Vec<_> = headers
        .filter(|(name, _)| !varying.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), format!("{value:?}")))
        .collect();
    // The server keeps no order among them.
    headers.sort();
    (
        reply.status.as_u16(),
        headers,
        reply.text().replace(&own, "-"),
    )
}

/// The median time of each question, asked in turn so that a slow moment meets all alike.
async fn medians(who: &Actor, questions: &[Question]) -> Vec<Duration> {
    let mut times = vec![Vec::new(); questions.len()];
    for round in 0..SAMPLES {
        for index in 0..questions.len() {
            let index = (index + round) % questions.len();
            let question = &questions[index];
            let since = Instant::now();
            who.post(question.path, question.body.clone()).await;
            times[index].push(since.elapsed());
        }
    }
    // Whatever else the machine does makes some questions slower and none faster: the quick ones tell
    // what an answer costs.
    let quick = |mut of: Vec<Duration>| {
        of.sort_unstable();
        of[of.len() / 5]
    };
    times.into_iter().map(quick).collect()
}

/// Within 15 % of each other, or two milliseconds, which no network lets anybody measure.
fn are_alike(medians: &[Duration]) -> bool {
    let (Some(least), Some(most)) = (medians.iter().min(), medians.iter().max()) else {
        return true;
    };
    let band = (*least * 15 / 100).max(Duration::from_millis(2));
    *most <= *least + band
}

async fn must_tell_nothing(who: &Actor, questions: &[Question]) {
    let first = who.post(questions[0].path, questions[0].body.clone()).await;
    for question in &questions[1..] {
        let reply = who.post(question.path, question.body.clone()).await;
        assert_eq!(told(&reply), told(&first), "{}", question.name);
    }
    let mut seen = Vec::new();
    for _ in 0..ROUNDS {
        let round = medians(who, questions).await;
        if are_alike(&round) {
            return;
        }
        seen.push(round);
    }
    let names: Vec<_> = questions.iter().map(|question| question.name).collect();
    panic!("{names:?}: {seen:?}");
}

#[actix_web::test]
async fn a_sign_in_does_not_tell_who_exists() {
    let app = TestApp::start_with(&NO_WAITS).await;
    let dealer = app.new_dealer().await;
    for (email, change) in [
        ("disabled@team.example", "status = 'disabled'"),
        ("without@team.example", "password_hash = NULL"),
        ("olga@team.example", "name = 'Olga'"),
    ] {
        join(&app, &dealer, email, "sales").await;
        let change = format!("UPDATE {{schema}}.member SET {change} WHERE email = '{email}'");
        beside(&app, &dealer, &change).await;
    }
    let guess = |name, email: &str, password: &str| {
        let body = json!({"email": email, "password": password});
        ask(name, "/auth/sign-in", body)
    };

    let questions = [
        guess("wrong", "olga@team.example", "not this one"),
        guess("unknown", "nobody@team.example", "not this one"),
        guess("disabled", "disabled@team.example", STRONG),
        guess("none yet", "without@team.example", STRONG),
        guess("no address", "olga", "not this one"),
    ];

    must_tell_nothing(&dealer.signed_out(), &questions).await;
}

#[actix_web::test]
async fn a_forgotten_password_does_not_tell_who_exists() {
    let app = TestApp::start_with(&NO_WAITS).await;
    let dealer = app.new_dealer().await;
    join(&app, &dealer, "olga@team.example", "sales").await;
    let forgot = |name, email: &str| ask(name, "/auth/forgot-password", json!({"email": email}));

    let questions = [
        forgot("known", "olga@team.example"),
        forgot("unknown", "nobody@team.example"),
        forgot("no address", "olga"),
    ];

    must_tell_nothing(&dealer.signed_out(), &questions).await;
    app.all_mail_has_left().await;
    let written = app.mails_to("nobody@team.example");
    assert!(written.is_empty());
}

#[actix_web::test]
async fn a_bad_token_does_not_tell_what_it_was() {
    let app = TestApp::start_with(&NO_WAITS).await;
    let dealer = app.new_dealer().await;
    join(&app, &dealer, "olga@team.example", "sales").await;
    let used = app.token_for("olga@team.example", 1).await;
    let accept = |name, token: &str| {
        let body = json!({"token": token, "password": STRONG});
        ask(name, "/auth/accept-invitation", body)
    };

    let questions = [
        accept("unknown", "tbxi_nobodys"),
        accept("used", &used),
        accept("no token", "-"),
    ];

    must_tell_nothing(&dealer.signed_out(), &questions).await;
}

/// The measure itself notices what it is for.
#[test]
fn medians_apart_by_more_than_the_band_are_told_apart() {
    let ms = Duration::from_millis;

    assert!(are_alike(&[ms(40), ms(45)]));
    assert!(!are_alike(&[ms(40), ms(47)]));
    assert!(!are_alike(&[ms(2), ms(40)]));
}
