//! What somebody may hear of, and wants to.

use crate::auth::{Means, Permission, Principal, ReadEvents};
use crate::events::Topic;
use uuid::Uuid;

use super::told::Told;

/// What somebody wants to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Whatever they may.
    All,
    /// These topics, and to be told when they may not.
    Topics(Vec<Topic>),
}

/// What somebody hears of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    topics: Vec<Topic>,
    /// Whom news for one member are for. A machine gets nobody's.
    person: Option<Uuid>,
}

impl View {
    /// What they get who ask for this.
    ///
    /// # Errors
    ///
    /// The permission that is missing.
    pub fn of(principal: &Principal, ask: &Ask) -> Result<Self, &'static str> {
        let may = |topic: Topic| principal.grants.allow(topic.permission());
        if !principal.grants.allow(ReadEvents::NAME) {
            return Err(ReadEvents::NAME);
        }
        let topics = match ask {
            Ask::All => Topic::ALL.into_iter().filter(|topic| may(*topic)).collect(),
            Ask::Topics(topics) => {
                if let Some(denied) = topics.iter().find(|topic| !may(**topic)) {
                    return Err(denied.permission());
                }
                topics.clone()
            }
        };
        let person = match &principal.means {
            Means::Session(_) => Some(principal.person.id),
            Means::ApiKey(_) => None,
        };
        Ok(Self { topics, person })
    }

    /// The topics.
    pub fn topics(&self) -> &[Topic] {
        &self.topics
    }

    /// Whether an event is for them.
    pub fn shows(&self, event: &Told) -> bool {
        let is_theirs = event.audience.is_none() || event.audience == self.person;
        is_theirs && event.topic.is_some_and(|it| self.topics.contains(&it))
    }

    /// Whether all that the other shows is shown here, too.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let has = |topic| self.topics.contains(topic);
        self.person == other.person && other.topics.iter().all(has)
    }
}
