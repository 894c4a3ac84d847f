//! The messages that an app has sent.

use server::mail::Letter;

use super::app::TestApp;
use super::eventually::eventually;

impl TestApp {
    /// The messages to an address, oldest first.
    pub fn mails_to(&self, email: &str) -> Vec<Letter> {
        let all = self.state.mailer.sent().into_iter();
        all.filter(|letter| letter.to.as_str() == email).collect()
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

    /// The token of the newest message to an address, once there are so many.
    ///
    /// # Panics
    ///
    /// When they don't come, or the newest holds none.
    pub async fn token_for(&self, email: &str, how_many: usize) -> String {
        token_in(&self.mail_to(email, how_many).await.text)
    }
}

/// The token in a text with a link.
///
/// # Panics
///
/// When there is none.
pub fn token_in(text: &str) -> String {
    let (_, rest) = text.split_once("#token=").expect("it holds a link");
    let token = rest.split_whitespace().next().expect("a token");
    token.to_owned()
}
