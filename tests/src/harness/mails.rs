//! The messages that an app has sent.

use std::sync::OnceLock;

use serde_json::Value;
use server::AppState;
use server::jobs::Worker;
use server::mail::Letter;
use server::tenant::notifications::{Audience, Kind, Notice, notify};

use super::actor::Dealer;
use super::app::TestApp;
use super::eventually::eventually;

/// Who sends an app's messages; begins with the first look at them, because most tests never look.
#[derive(Debug, Default)]
pub(super) struct Postman(OnceLock<Worker<AppState>>);

impl Drop for Postman {
    fn drop(&mut self) {
        if let Some(worker) = self.0.get() {
            worker.stop();
        }
    }
}

impl TestApp {
    /// Has background work done in this process from now on. An app that does it anyway has one more
    /// hand then, which changes nothing.
    pub fn work(&self) {
        self.postman.0.get_or_init(|| {
            let (state, directory) = (self.state.clone(), self.state.directory.clone());
            let registry = server::worker::registry(&self.state.config, None);
            let (config, work) = (&self.state.config.jobs, self.state.work.clone());
            let worker = Worker::new(state, directory, registry, config, work);
            let working = worker.clone();
            tokio::spawn(async move { working.run().await });
            worker
        });
    }

    /// The messages to an address that have left, oldest first. More may be on their way: see
    /// [`TestApp::all_mail_has_left`].
    pub fn mails_to(&self, email: &str) -> Vec<Letter> {
        self.work();
        let all = self.state.mailer.sent().into_iter();
        all.filter(|letter| letter.to == email).collect()
    }

    /// Waits until no message of any dealer is still to be sent.
    ///
    /// # Panics
    ///
    /// When one is for ever.
    pub async fn all_mail_has_left(&self) {
        self.work();
        eventually("all messages have left", async || {
            let mut waiting = 0;
            for tenant in self.state.directory.all() {
                let Ok(db) = self.state.directory.enter(&tenant) else {
                    continue;
                };
                waiting += db.read(waiting_in).await.expect("messages can be counted");
            }
            waiting == 0
        })
        .await;
    }

    /// Tells a member of something, as a domain does.
    ///
    /// # Panics
    ///
    /// When they can't be told.
    pub async fn tell(&self, dealer: &Dealer, member: &str, kind: Kind, data: Value) {
        let member = member.parse().expect("an id");
        let notice = Notice {
            audience: Audience::Members(vec![member]),
            kind,
            data,
        };
        self.tell_all(dealer, notice).await;
    }

    /// Tells whomever of something.
    ///
    /// # Panics
    ///
    /// When they can't be told.
    pub async fn tell_all(&self, dealer: &Dealer, notice: Notice) {
        let db = self.door(dealer).await;
        let outbox = self.state.mailer.of(db.tenant().key());
        let now = self.state.clock.now();
        let told = db.write(async |tx| notify(tx, &outbox, &notice, now).await);
        told.await.expect("members can be told");
    }

    /// The newest message to an address, once there are so many.
    ///
    /// # Panics
    ///
    /// When they don't come.
    pub async fn mail_to(&self, email: &str, how_many: usize) -> Letter {
        eventually("the message is sent", async || {
            self.mails_to(email).len() == how_many
        })
        .await;
        let mut letters = self.mails_to(email);
        letters.pop().expect("there is one at least")
    }

    /// The token of the newest message to an address that holds one, once there are so many
    /// messages: those of one moment leave in any order.
    ///
    /// # Panics
    ///
    /// When they don't come, or none holds one.
    pub async fn token_for(&self, email: &str, how_many: usize) -> String {
        self.mail_to(email, how_many).await;
        let letters = self.mails_to(email);
        let newest = letters.iter().rfind(|letter| letter.text.contains(LINK));
        token_in(&newest.expect("one holds a link").text)
    }
}

async fn waiting_in(tx: &server::db::TenantTx) -> Result<u64, sea_orm::DbErr> {
    use entity::tenant::mail;
    use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
    let waiting = mail::Entity::find().filter(mail::Column::Status.eq(mail::Status::Queued));
    waiting.count(tx).await
}

/// What comes before the token of a link.
const LINK: &str = "#token=";

/// The token in a text with a link.
///
/// # Panics
///
/// When there is none.
pub fn token_in(text: &str) -> String {
    let (_, rest) = text.split_once(LINK).expect("it holds a link");
    let token = rest.split_whitespace().next().expect("a token");
    token.to_owned()
}
