//! When a chat is made known to its CRM, and what of its past goes with it.
//!
//! A conversation exists for a CRM once its client wrote something that is shown, a manager opened it, or a contact is
//! linked. Then the chat is opened, what the company had said is told silently, and only when all of it is there the
//! chat counts as open: broken off in between, it begins again, and the vendor recognises what it has.

use std::time::Duration;

use tandem_model::{
    Timestamp, Verdict,
    message::{Act, PersonKey, Told},
};
use tandem_vendor::{ChatIds, FailureKind, History, OpenedChat, Opening, Recognition};

use super::{
    earlier::company_lines,
    known::Standing,
    names::person_of,
    quotes::write_out,
    talk::Talk,
    verdict::{unread, verdict},
};
use crate::WithoutRest;

/// How long a chat that no CRM knows is taken for such. A contact may be linked at any time.
const LOOKED: Duration = Duration::from_mins(1);
/// How long a new client waits before it is asked again whether he can be looked up.
const ASK_AGAIN: Duration = Duration::from_mins(1);

/// Whether what is known of a client is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Believed,
    Doubted,
}

impl Talk<'_> {
    /// Whether there is a conversation for the CRM.
    pub(super) async fn is_conversation(&mut self) -> Result<bool, Verdict> {
        if let Standing::Unknown { looked_at } = self.chat.standing
            && is_old(self.route.now(), looked_at)
        {
            self.chat.standing = self.route.look_up(&self.chat.key).await?;
        }
        Ok(!matches!(self.chat.standing, Standing::Unknown { .. }))
    }

    /// The names of the chat at the vendor, which is opened if it was not.
    pub(super) async fn open(&mut self) -> Result<ChatIds, Verdict> {
        if let Standing::Open { ids } = &self.chat.standing {
            return Ok(ids.clone());
        }
        if let Standing::Unknown { looked_at } = self.chat.standing
            && looked_at != self.route.now()
        {
            self.chat.standing = self.route.look_up(&self.chat.key).await?;
        }
        let (ids, lines) = match &self.chat.standing {
            Standing::Open { ids } => return Ok(ids.clone()),
            Standing::Importing { ids, lines } => (ids.clone(), *lines),
            Standing::Linked { ids: Some(ids) } => (ids.clone(), 0),
            Standing::Unknown { .. } | Standing::Linked { ids: None } => {
                self.let_in()?;
                let route = self.route;
                let _admission = route.entrance.enter().await.map_err(|until| Verdict::Wait { until })?;
                (self.ask_to_open(Known::Believed).await?.ids, 0)
            }
        };
        self.import(ids, lines).await
    }

    /// Opens the chat anew: the vendor does not know it any more.
    pub(super) async fn reopen(&mut self) -> Result<ChatIds, Verdict> {
        let opened = self.ask_to_open(Known::Doubted).await?;
        Ok(self.finish(opened.ids))
    }

    /// New clients may have to wait while nobody can be looked up.
    fn let_in(&self) -> Result<(), Verdict> {
        if self.route.without_rest == WithoutRest::Wait && !self.account.knows_people() {
            return Err(Verdict::Wait { until: self.route.now().plus(ASK_AGAIN) });
        }
        Ok(())
    }

    async fn ask_to_open(&mut self, known: Known) -> Result<OpenedChat, Verdict> {
        let opening = self.opening(known).await?;
        let called = opening.client.name.clone();
        let opened = self.account.open_chat(&opening).await.map_err(|failure| self.unopened(failure))?;
        self.is_contact(opened.contact.as_deref(), &called);
        Ok(opened)
    }

    /// What a chat is opened with.
    pub(super) async fn opening(&mut self, known: Known) -> Result<Opening, Verdict> {
        let (store, bot) = (self.route.store(), self.route.names.lane.bot);
        let mut client = self.chat.client.clone().unwrap_or_else(|| self.nobody());
        let (mut starts, mut contact) = (Vec::new(), None);
        if let Some(user) = person_of(&self.chat.key) {
            let person = store.find_person(bot, user).await.map_err(|error| unread(&error))?;
            if let Some(person) = person {
                client.phone = client.phone.or(person.phone);
                let payloads = [person.first_start, person.latest_start].into_iter().flatten();
                starts = payloads.map(|start| start.payload).filter(|payload| !payload.is_empty()).collect();
                starts.dedup();
            }
            contact.clone_from(&self.chat.care.contact);
            if contact.is_none() {
                let connection = self.route.names.connection;
                contact = store.find_contact(bot, user, connection).await.map_err(|error| unread(&error))?;
            }
            // Where chats go by their clients' names, it is the name that leads nowhere any more.
            let goes_by_it = self.account.abilities().repeats == Recognition::None;
            contact = contact.filter(|_| !goes_by_it || known == Known::Believed);
        }
        self.chat.client = Some(client.clone());
        if let Some(user) = PersonKey::read(client.person.as_str()) {
            client.avatar = self.route.shared.media.avatar(bot, user).await;
        }
        Ok(Opening {
            chat: self.chat.key.clone(),
            client,
            route: self.route.document.clone(),
            starts,
            contact,
        })
    }

    /// Tells what the company had said before, without the first `done` lines.
    pub(super) async fn import(&mut self, ids: ChatIds, done: usize) -> Result<ChatIds, Verdict> {
        let importing = |lines| Standing::Importing { ids: ids.clone(), lines };
        if self.account.abilities().history == History::None {
            return Ok(self.finish(ids));
        }
        self.chat.standing = importing(done);
        let route = self.route;
        let earlier =
            company_lines(route.store(), route.names.lane, &route.reading, &route.moments, self.event);
        let earlier = earlier.await.map_err(|error| unread(&error))?;
        for (number, told) in earlier.into_iter().enumerate().skip(done) {
            self.import_line(told, &ids).await?;
            self.chat.standing = importing(number + 1);
        }
        Ok(self.finish(ids))
    }

    /// A line that the vendor does not take (it may have it already) stays away: nobody waits for it.
    async fn import_line(&mut self, mut told: Told, ids: &ChatIds) -> Result<(), Verdict> {
        // What it answered is not there, unless it was told just now.
        if let Act::Said(body) = &mut told.act
            && body
                .quote
                .as_ref()
                .and_then(|quote| quote.key.as_ref())
                .is_some_and(|key| !self.chat.told.has(key))
        {
            write_out(body);
        }
        let mut telling = self.telling(told, ids.clone());
        telling.silent = true;
        match self.account.tell(&telling).await {
            Err(failure) if !matches!(failure.kind, FailureKind::Refused | FailureKind::Gone) => {
                Err(verdict(failure))
            }
            Ok(_) | Err(_) => {
                self.chat.told.add(&telling.told.key);
                Ok(())
            }
        }
    }

    /// The chat is open.
    fn finish(&mut self, ids: ChatIds) -> ChatIds {
        self.chat.noted_at = None;
        self.note_use(&ids);
        self.chat.standing = Standing::Open { ids: ids.clone() };
        ids
    }
}

fn is_old(now: Timestamp, looked_at: Timestamp) -> bool {
    // A clock that was put back makes it old too.
    now < looked_at || now.since(looked_at) >= LOOKED
}
