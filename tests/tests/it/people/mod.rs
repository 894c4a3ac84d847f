//! People: how they join, what becomes of them, and how they get back in.

mod account;
mod addresses;
mod branches;
mod first_owner;
mod invitations;
mod links;
mod members;
mod neutrality;
mod owners;
mod passwords;
mod switch;

use serde_json::{Value, json};
use tests::{Actor, Dealer, Reply, TestApp};

/// A password that nobody guesses.
const STRONG: &str = "seldom gravel heron 4";
/// Another one.
const STRONGER: &str = "tundra wicker oboe 19";

/// Invites somebody to a built-in role.
async fn invite(who: &Actor, email: &str, role: &str) -> Reply {
    let body = json!({ "email": email, "role": role });
    who.post("/invitations", body).await
}

/// Accepts an invitation.
async fn accept(who: &Actor, token: &str, password: &str) -> Reply {
    let body = json!({ "token": token, "name": "Olga Brandt", "password": password });
    let anybody = who.signed_out();
    anybody.post("/auth/accept-invitation", body).await
}

/// A member who was invited and has accepted, signed in.
async fn join(app: &TestApp, dealer: &Dealer, email: &str, role: &str) -> Actor {
    let written = app.mails_to(email).len();
    invite(dealer, email, role).await.expect(201);
    let token = app.token_for(email, written + 1).await;
    let accepted = accept(dealer, &token, STRONG).await.expect(200);
    signed_in(dealer, &accepted)
}

/// Whoever an answer has handed tokens to.
fn signed_in(dealer: &Actor, reply: &Reply) -> Actor {
    dealer.with_token(reply.json["access_token"].as_str().unwrap())
}

async fn me(who: &Actor) -> Value {
    who.get("/me").await.expect(200).json
}

async fn id_of(who: &Actor) -> String {
    me(who).await["id"].as_str().unwrap().to_owned()
}

/// Runs a statement on a dealer's own rows, beside the server; `{schema}` is its schema.
async fn beside(app: &TestApp, dealer: &Dealer, statement: &str) {
    let schema = app.database.schema_of(&dealer.slug).await;
    app.sql(&statement.replace("{schema}", &schema)).await;
}

/// Reads one text of a dealer's own rows.
async fn text_of(app: &TestApp, dealer: &Dealer, query: &str) -> String {
    let schema = app.database.schema_of(&dealer.slug).await;
    let query = query.replace("{schema}", &schema);
    sqlx::query_scalar(sqlx::AssertSqlSafe(query))
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap()
}

#[track_caller]
fn refused(reply: &Reply, status: u16, problem: &str) {
    let seen = (reply.status.as_u16(), reply.problem());
    assert_eq!(seen, (status, problem), "{}", reply.text());
}
