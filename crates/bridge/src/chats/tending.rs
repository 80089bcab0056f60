//! When the client of an open chat and his card are looked after: before he is told of, if something about him is new or
//! the last look is old.
//!
//! What a look costs the vendor's API is bounded. There is one at most in each chat within the route's
//! `lead_check_minutes`, besides those that something new asks for: a name, a number, another `/start`, a hand-off that is
//! over (a manager may have closed what he was at). One that fails is not tried again for [`PAUSE`], and nobody's words
//! wait for one for longer than [`LIMIT`]. While the vendor's API may not be asked, its account refuses without asking;
//! when that is over, one of these is what finds it out.

use std::time::Duration;

use tandem_gateway::MarkDocument;
use tandem_model::{Event, EventKind};
use tandem_telegram::update::UpdateView;
use tandem_vendor::{ChatIds, Occasion, Tended, Tending};

use super::{known::Standing, names::person_of, opening::Known, talk::Talk};
use crate::intake::known_by;

/// How long after a look that failed the next one is not begun.
const PAUSE: Duration = Duration::from_mins(5);
/// How long anybody's words wait for a look.
const LIMIT: Duration = Duration::from_secs(10);

/// What an event tells of its client beside what he says in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// He shared his number.
    Phone(String),
    /// He pressed start.
    Started,
}

/// What an event tells of its client; nothing, mostly.
pub(super) fn news_of(event: &Event) -> Option<News> {
    if event.kind != EventKind::Update {
        return None;
    }
    let known = known_by(&UpdateView::of(&event.new.body).ok()?, event.at)?;
    let tandem_journal::Fact::Person(change) = known else { return None };
    match (change.phone, change.start) {
        (Some(phone), _) => Some(News::Phone(phone)),
        (None, Some(_)) => Some(News::Started),
        (None, None) => None,
    }
}

/// Whether a manager talks there no more.
pub(super) fn ends_hand_off(event: &Event) -> bool {
    event.kind == EventKind::Mark
        && matches!(serde_json::from_slice(&event.new.body), Ok(MarkDocument::HandOffEnded { .. }))
}

impl Talk<'_> {
    /// Learns what an event tells of its client.
    pub(super) async fn learn(&mut self, news: Option<News>) {
        let Standing::Open { ids } = &self.chat.standing else { return };
        let ids = ids.clone();
        match news {
            None => {}
            Some(News::Started) => self.tend(&ids, Some(Occasion::Started)).await,
            Some(News::Phone(phone)) => {
                if self.chat.client.is_none() {
                    self.chat.client = self.route.reading.client_of_chat(self.event);
                }
                if let Some(client) = &mut self.chat.client {
                    client.phone = Some(phone);
                }
                self.tend(&ids, Some(Occasion::Changed)).await;
            }
        }
    }

    /// Why the client should be looked after before he is told of; mostly there is no reason.
    pub(super) fn due(&self) -> Option<Occasion> {
        let (care, now) = (&self.chat.care, self.route.now());
        // A clock that was put back makes everything old.
        if care.tried_at.is_some_and(|at| at <= now && now.since(at) < PAUSE) {
            return None;
        }
        let Some((at, called)) = care.last.as_ref().filter(|_| care.contact.is_some()) else {
            return Some(if care.contact.is_some() { Occasion::Silence } else { Occasion::Unmatched });
        };
        if *at > now || now.since(*at) >= self.route.look_after {
            return Some(Occasion::Silence);
        }
        let client = self.chat.client.as_ref();
        client.is_some_and(|client| client.name != *called).then_some(Occasion::Changed)
    }

    /// Looks after him. What fails is tried another time: nothing that is told depends on it.
    pub(super) async fn tend(&mut self, ids: &ChatIds, occasion: Option<Occasion>) {
        let Some(occasion) = occasion else { return };
        // A group is nobody.
        if person_of(&self.chat.key).is_none() {
            return;
        }
        let now = self.route.now();
        self.chat.care.tried_at = Some(now);
        let Ok(opening) = self.opening(Known::Believed).await else { return };
        let called = opening.client.name.clone();
        // What is told next carries his picture, so that it does not grow old at the vendor.
        if let Some(client) = &mut self.chat.client {
            client.avatar.clone_from(&opening.client.avatar);
        }
        let before = self.chat.care.last.as_ref().map(|(_, called)| called.clone());
        let tending = Tending { opening, ids: ids.clone(), called: before, occasion };
        let clock = &self.route.shared.clock;
        let tended = tokio::select! {
            tended = self.account.tend(&tending) => tended,
            () = clock.sleep_until(now.plus(LIMIT)) => return,
        };
        match tended {
            Ok(Tended { contact }) => self.is_contact(contact.as_deref(), &called),
            Err(failure) => tracing::debug!(
                event.id = %self.event.seq,
                "a client could not be looked after, which is tried again: {failure}"
            ),
        }
    }

    /// Who the client is at the vendor, if that is known now.
    pub(super) fn is_contact(&mut self, contact: Option<&str>, called: &str) {
        let Some(contact) = contact else { return };
        let (names, now) = (self.route.names, self.route.now());
        if self.chat.care.contact.as_deref() != Some(contact) {
            self.facts.extend(names.contact(&self.chat.key, contact.to_owned()));
            self.chat.care.contact = Some(contact.to_owned());
        }
        self.facts.push(names.tend(&self.chat.key, called, now));
        self.chat.care.last = Some((now, called.to_owned()));
        self.chat.care.tried_at = None;
    }
}
