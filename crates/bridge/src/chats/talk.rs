//! Telling one event in one chat: what is asked of the vendor, and what follows from what it says.
//!
//! **New things** are told once. What the vendor refuses may be there already, because an answer was lost or a crash
//! took our note of it: so it is looked for, twice with some seconds between, before anybody calls it refused.
//!
//! **Edits and reactions** are of messages that were told, as far as anybody can know: a message that the CRM never had
//! (skipped by a rule, older than the chat there) is known by the vendor's not knowing it. Such an edit is told as a new
//! message if its message is not older than a day, and not at all otherwise; such a reaction is not told.

use std::time::Duration;

use tandem_journal::Fact;
use tandem_model::{
    Event, Timestamp, Verdict,
    message::{Act, ChatKey, Client, MessageKey, Speaker, Told},
};
use tandem_vendor::{Account, ChatIds, Failure, FailureKind, Found, History, Recognition, Telling};

use super::{
    destination::ChatRoute,
    earlier::DAY,
    known::{Chat, Standing},
    reading::written_at,
    times::part,
    verdict::{unread, verdict},
};

/// How long after a message was looked for in vain it is looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A chat in hand, and an event to be told in it.
pub(super) struct Talk<'a> {
    pub(super) route: &'a ChatRoute,
    pub(super) account: &'a dyn Account,
    pub(super) chat: &'a mut Chat,
    pub(super) event: &'a Event,
    /// What became known.
    pub(super) facts: &'a mut Vec<Fact>,
}

impl Talk<'_> {
    /// Tells what an event comes to, at this time.
    pub(super) async fn tell_all(&mut self, told: Vec<Told>, time: Timestamp) -> Result<(), Verdict> {
        for (number, mut told) in told.into_iter().enumerate() {
            if told.chat != self.chat.key {
                tracing::debug!(event.id = %self.event.seq, "something is told of another chat than its conversation's");
                continue;
            }
            told.at = part(time, number);
            self.meet(&told);
            let keeps_history = self.account.abilities().history == History::Kept;
            match told.act {
                // To whom it would be sent anew.
                Act::Edited(_) | Act::Reacted { .. } if !keeps_history => {}
                Act::Said(_) => self.say(told).await?,
                Act::Edited(_) => self.edit(told).await?,
                Act::Reacted { .. } => self.react(told).await?,
            }
        }
        Ok(())
    }

    /// Tells something new. What the company says where no conversation exists is kept back.
    async fn say(&mut self, told: Told) -> Result<(), Verdict> {
        // Part of what was told before something else of the event failed.
        if self.chat.told.has(&told.key) {
            return Ok(());
        }
        if !matches!(told.by, Speaker::Client(_)) && !self.is_conversation().await? {
            return Ok(());
        }
        let was_open = matches!(self.chat.standing, Standing::Open { .. });
        let ids = self.open().await?;
        if was_open && matches!(told.by, Speaker::Client(_)) {
            self.tend(&ids, self.due()).await;
        }
        let mut telling = self.telling(told, ids);
        if self.account.abilities().repeats == Recognition::None {
            let key = telling.told.key.clone();
            self.say_once(telling).await?;
            self.chat.told.add(&key);
            return Ok(());
        }
        telling.quoted = self.quoted(&mut telling).await?;
        let mut reopened = false;
        while let Err(failure) = self.account.tell(&telling).await {
            match failure.kind {
                FailureKind::Gone if !reopened => {
                    reopened = true;
                    telling.ids = self.reopen().await?;
                }
                FailureKind::Refused => {
                    let found = self.find(&telling).await?;
                    if let Found::Yes(_) = found {
                        break;
                    }
                    // It may be what it answers that the vendor does not know (yet).
                    if !self.without_quote(&mut telling)? {
                        if found == Found::No {
                            self.look_again(&telling.told.key)?;
                        }
                        return Err(verdict(failure));
                    }
                }
                _ => return Err(verdict(failure)),
            }
        }
        self.chat.told.add(&telling.told.key);
        self.note_use(&telling.ids);
        Ok(())
    }

    /// What a vendor has taken it may show only a little later: what is not there is looked for a second time.
    fn look_again(&mut self, key: &MessageKey) -> Result<(), Verdict> {
        if self.chat.doubted.replace(key.clone()).as_ref() == Some(key) {
            return Ok(());
        }
        Err(Verdict::Wait { until: self.route.now().plus(LOOK_AGAIN) })
    }

    async fn edit(&mut self, told: Told) -> Result<(), Verdict> {
        let Standing::Open { ids } = &self.chat.standing else {
            // A client's words that became something to be shown only now.
            return match told.by {
                Speaker::Client(_) => self.say_edited(told).await,
                Speaker::Bot { .. } | Speaker::Manager(_) => Ok(()),
            };
        };
        let known = self.chat.told.has(&told.key);
        let ids = ids.clone();
        let mut telling = self.telling(told, ids);
        telling.message = self.born_there(known, &telling).await?;
        let Err(failure) = self.account.tell(&telling).await else { return Ok(()) };
        if !matches!(failure.kind, FailureKind::Refused | FailureKind::Gone) {
            return Err(verdict(failure));
        }
        match self.find(&telling).await? {
            Found::Yes(_) => Err(verdict(failure)),
            Found::Unknowable if known || telling.message.is_some() => Err(verdict(failure)),
            Found::Unknowable => Ok(()),
            Found::No => self.say_edited(telling.told).await,
        }
    }

    /// Tells an edit as something new, if what was edited is not too old for that.
    async fn say_edited(&mut self, mut told: Told) -> Result<(), Verdict> {
        let recent = written_at(self.event).is_some_and(|written| written >= self.event.at.minus(DAY));
        match told.act {
            Act::Edited(body) if recent => {
                told.act = Act::Said(body);
                self.say(told).await
            }
            Act::Said(_) | Act::Edited(_) | Act::Reacted { .. } => Ok(()),
        }
    }

    async fn react(&mut self, told: Told) -> Result<(), Verdict> {
        let Standing::Open { ids } = &self.chat.standing else { return Ok(()) };
        let (known, ids) = (self.chat.told.has(&told.key), ids.clone());
        let mut telling = self.telling(told, ids);
        telling.message = self.born_there(known, &telling).await?;
        match self.account.tell(&telling).await {
            Err(failure) if !matches!(failure.kind, FailureKind::Refused | FailureKind::Gone) => {
                Err(verdict(failure))
            }
            // The vendor does not have the message.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The vendor's id of the message that something is about, if it was born there.
    async fn born_there(&self, known: bool, telling: &Telling) -> Result<Option<String>, Verdict> {
        if known {
            return Ok(None);
        }
        let found = self.route.names.find_message(self.route.store(), &telling.told.key).await;
        found.map_err(|error| unread(&error))
    }

    /// Whether the vendor has this message.
    pub(super) async fn find(&self, telling: &Telling) -> Result<Found, Verdict> {
        self.find_key(&telling.ids, &telling.told.key).await
    }

    /// Whether the vendor has a message. A vendor that refuses to say cannot be asked.
    pub(super) async fn find_key(&self, ids: &ChatIds, key: &MessageKey) -> Result<Found, Verdict> {
        match self.account.find(ids, key).await {
            Ok(found) => Ok(found),
            Err(Failure { kind: FailureKind::Gone, .. }) => Ok(Found::No),
            Err(Failure { kind: FailureKind::Refused, .. }) => Ok(Found::Unknowable),
            Err(failure) => Err(verdict(failure)),
        }
    }

    /// A telling of something, with everything that the vendor may ask of it.
    pub(super) fn telling(&self, mut told: Told, ids: ChatIds) -> Telling {
        let clients = matches!(told.by, Speaker::Client(_));
        if let (Speaker::Client(by), Some(client)) = (&mut told.by, &self.chat.client)
            && by.person == client.person
        {
            by.clone_from(client);
        }
        self.route.sign_links(&mut told);
        let client = match (&told.by, &self.chat.client) {
            (Speaker::Client(client), _) | (_, Some(client)) => client.clone(),
            (_, None) => self.nobody(),
        };
        Telling {
            told,
            client,
            ids,
            message: None,
            quoted: None,
            // Whatever the company says is there for the history: it needs nobody's answer (amocrm.md 1.7).
            silent: !clients || self.route.is_silent(self.event),
            route: self.route.document.clone(),
        }
    }

    /// Learns who the client is.
    fn meet(&mut self, told: &Told) {
        match &told.by {
            Speaker::Client(client) => {
                let before = self.chat.client.take().filter(|before| before.person == client.person);
                let mut client = client.clone();
                client.phone = client.phone.or(before.and_then(|before| before.phone));
                self.chat.client = Some(client);
            }
            Speaker::Bot { .. } | Speaker::Manager(_) => {
                if self.chat.client.is_none() {
                    self.chat.client = self.route.reading.client_of_chat(self.event);
                }
            }
        }
    }

    /// A client of whom nothing is known.
    pub(super) fn nobody(&self) -> Client {
        let chat = ChatKey::read(self.chat.key.as_str()).map_or(0, |(_, _, chat)| chat);
        self.route.nobody(chat)
    }

    /// Keeps the chat's names at the vendor for as long again, once a day.
    pub(super) fn note_use(&mut self, ids: &ChatIds) {
        let now = self.route.now();
        if self.chat.noted_at.is_some_and(|noted| now.since(noted) < DAY) {
            return;
        }
        self.chat.noted_at = Some(now);
        self.facts.extend(self.route.names.used(&self.chat.key, ids, now));
    }
}
