//! Which events a lane wants. Evaluated with the filter that was in force when the event was appended
//! (invariant 7), so a filter never changes: a lane gets a new one from some `seq` on.

use serde::{Deserialize, Serialize};

use crate::{EventKind, Flags, LaneId, NewEvent, Topic};

/// A set of [`EventKind`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventKinds(u8);

impl EventKinds {
    /// Every kind.
    pub const ALL: Self = Self(0b1_1111);
    /// No kind.
    pub const NONE: Self = Self(0);

    /// Exactly these.
    pub const fn of(kinds: &[EventKind]) -> Self {
        let (mut set, mut at) = (0, 0);
        while at < kinds.len() {
            set |= 1 << kinds[at].code();
            at += 1;
        }
        Self(set)
    }

    /// Whether the kind is in the set.
    pub const fn contains(self, kind: EventKind) -> bool {
        self.0 & 1 << kind.code() != 0
    }

    /// One bit per [`EventKind::code`].
    pub const fn bits(self) -> u8 {
        self.0
    }
}

/// A set of [`Topic`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Topics(u64);

impl Topics {
    /// Every topic, known or not.
    pub const ALL: Self = Self(u64::MAX);
    /// No topic.
    pub const NONE: Self = Self(0);

    /// Exactly these.
    pub fn of(topics: &[Topic]) -> Self {
        Self(topics.iter().fold(0, |set, topic| set | 1 << topic.get()))
    }

    /// This set and one more.
    #[must_use]
    pub const fn with(self, topic: Topic) -> Self {
        Self(self.0 | 1 << topic.get())
    }

    /// This set without one.
    #[must_use]
    pub const fn without(self, topic: Topic) -> Self {
        Self(self.0 & !(1 << topic.get()))
    }

    /// Whether the topic is in the set.
    pub const fn contains(self, topic: Topic) -> bool {
        self.0 & 1 << topic.get() != 0
    }

    /// One bit per [`Topic::get`].
    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// What a lane does with events that have an author or an owner among the lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authorship {
    /// A route: not what it caused itself; owners do not concern it.
    OthersOnly,
    /// An app: not what it caused itself, and nothing that another app owns.
    OthersOnlyAndNotOwned,
    /// Everything, its own included.
    Everybody,
}

/// Which events a lane wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Of these kinds.
    pub kinds: EventKinds,
    /// Updates only of these topics; other kinds are not asked for their topic.
    pub topics: Topics,
    /// With none of these flags.
    pub without: Flags,
    /// By these authors.
    pub authorship: Authorship,
}

impl Filter {
    /// Every update and nothing else, as a relay wants them.
    pub const UPDATES: Self = Self {
        kinds: EventKinds(1),
        topics: Topics::ALL,
        without: Flags::NONE,
        authorship: Authorship::OthersOnly,
    };

    /// Whether `lane`, with this filter, wants the event.
    pub fn admits(&self, lane: LaneId, event: &NewEvent) -> bool {
        self.kinds.contains(event.kind)
            && (event.kind != EventKind::Update || self.topics.contains(event.topic))
            && !self.without.intersects(event.flags)
            && match self.authorship {
                Authorship::Everybody => true,
                Authorship::OthersOnly => event.cause != Some(lane),
                Authorship::OthersOnlyAndNotOwned => {
                    event.cause != Some(lane) && event.owner.is_none_or(|owner| owner == lane)
                }
            }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{Conversation, Family, Lifetime, Timestamp};

    fn event(kind: EventKind, topic: u8) -> NewEvent {
        NewEvent {
            kind,
            topic: Topic::new(topic).unwrap(),
            conversation: Conversation::chat(7),
            family: Family(0),
            at: Timestamp::EPOCH,
            lifetime: Lifetime::Backlog,
            flags: Flags::NONE,
            upstream: None,
            cause: None,
            owner: None,
            body: Bytes::new(),
        }
    }

    fn lane(id: i64) -> LaneId {
        LaneId::new(id).unwrap()
    }

    #[test]
    fn topics_are_asked_of_updates_only() {
        let filter = Filter {
            kinds: EventKinds::of(&[EventKind::Update, EventKind::Sent]),
            topics: Topics::NONE.with(Topic::new(3).unwrap()),
            ..Filter::UPDATES
        };
        assert!(filter.admits(lane(1), &event(EventKind::Update, 3)));
        assert!(!filter.admits(lane(1), &event(EventKind::Update, 63)));
        assert!(filter.admits(lane(1), &event(EventKind::Sent, 9)));
        assert!(!filter.admits(lane(1), &event(EventKind::Reply, 3)));
    }

    #[test]
    fn nobody_is_told_his_own_words_and_an_owned_event_reaches_one_app_and_every_route() {
        let app = Filter {
            kinds: EventKinds::ALL,
            authorship: Authorship::OthersOnlyAndNotOwned,
            ..Filter::UPDATES
        };
        let route = Filter { kinds: EventKinds::ALL, ..Filter::UPDATES };
        let said = NewEvent { cause: Some(lane(1)), ..event(EventKind::Sent, 0) };
        assert!(!app.admits(lane(1), &said) && app.admits(lane(2), &said));
        assert!(!route.admits(lane(1), &said) && route.admits(lane(2), &said));
        let press = NewEvent { owner: Some(lane(1)), ..event(EventKind::Update, 0) };
        assert!(app.admits(lane(1), &press) && !app.admits(lane(2), &press));
        assert!(route.admits(lane(3), &press));
    }

    #[test]
    fn a_flag_that_was_true_then_keeps_an_event_away() {
        let skipping = Filter { without: Flags::MANAGER_TALKS, ..Filter::UPDATES };
        let talking =
            NewEvent { flags: Flags::MANAGER_TALKS | Flags::KNOWN_BUTTON, ..event(EventKind::Update, 0) };
        assert!(!skipping.admits(lane(1), &talking));
        assert!(Filter::UPDATES.admits(lane(1), &talking));
    }
}
