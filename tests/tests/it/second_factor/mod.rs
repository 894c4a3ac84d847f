//! Second factors: getting one, being asked for it, proving anew with it, losing it.

mod enrolment;
mod policy;
mod sign_in;
mod step_up;

use serde_json::{Value, json};
use tests::{Actor, Dealer, Reply, TestApp};
use time::Duration;
use totp_rs::{Builder, Secret, Totp};

/// Somebody's authenticator app.
pub(crate) struct Phone {
    app: Totp,
    /// Handed out when it was set up.
    pub(crate) recovery_codes: Vec<String>,
}

impl Phone {
    /// Sets one up for somebody who has proven lately who they are.
    pub(crate) async fn of(app: &TestApp, who: &Actor) -> Self {
        let told = who.post("/me/second-factor/totp", json!({})).await;
        let mut phone = Self::told(&told.expect(200).json);
        let code = json!({ "code": phone.code(app) });
        let confirmed = who.post("/me/second-factor/totp/confirm", code).await;
        phone.recovery_codes = codes(&confirmed.expect(200));
        phone
    }

    pub(crate) fn told(enrolment: &Value) -> Self {
        let secret = Secret::try_from_base32(enrolment["secret"].as_str().unwrap()).unwrap();
        Self {
            app: Builder::new().with_secret(secret).build().unwrap(),
            recovery_codes: Vec::new(),
        }
    }

    /// What it shows at the server's time.
    pub(crate) fn code(&self, app: &TestApp) -> String {
        let now = app.state.clock.now().unix_timestamp();
        self.app.generate(now.try_into().unwrap()).to_string()
    }

    /// A code that was not used before: time passes.
    pub(crate) fn next_code(&self, app: &TestApp) -> String {
        app.advance(Duration::seconds(30));
        self.code(app)
    }

    /// Six digits that are no code of about now.
    fn wrong_code(&self, app: &TestApp) -> String {
        let now = app.state.clock.now().unix_timestamp();
        let good: Vec<_> = [-60, -30, 0, 30, 60]
            .map(|late| {
                self.app
                    .generate((now + late).try_into().unwrap())
                    .to_string()
            })
            .into();
        let all = (0..10).map(|digit| digit.to_string().repeat(6));
        all.into_iter()
            .find(|code| !good.contains(code))
            .expect("five codes are not ten")
    }
}

/// The recovery codes of an answer.
fn codes(reply: &Reply) -> Vec<String> {
    let codes = reply.json["recovery_codes"].as_array().unwrap().iter();
    codes
        .map(|code| code.as_str().unwrap().to_owned())
        .collect()
}

/// Gives the password, and gets a challenge.
pub(crate) async fn challenge(dealer: &Dealer, email: &str) -> String {
    let anybody = dealer.signed_out();
    let asked = anybody.sign_in(email, &dealer.password).await.expect(202);
    asked.json["challenge"].as_str().unwrap().to_owned()
}

/// Answers a challenge with `{"code": …}` or `{"recovery_code": …}`.
pub(crate) async fn answer(dealer: &Dealer, challenge: &str, given: Value) -> Reply {
    let mut body = given;
    body["challenge"] = challenge.into();
    let anybody = dealer.signed_out();
    anybody.post("/auth/second-factor", body).await
}

#[track_caller]
fn assert_problem(reply: &Reply, status: u16, code: &str) {
    let seen = (reply.status.as_u16(), reply.problem());
    assert_eq!(seen, (status, code), "{}", reply.text());
}
