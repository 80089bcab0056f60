//! Something that was heard, as it is committed.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tandem_gateway::{Author, SaidPastUs};
use tandem_journal::{Append, Fact, HandOff, InboxId, Link, LinkScope, Urgency};
use tandem_model::{
    BotId, ConnectionId, Conversation, EventKind, Flags, LaneId, Lifetime, NewEvent, Seq, Timestamp, Topic,
    UserId,
    message::{
        ChatKey, Manager, OutcomeDocument, ReplyAct, ReplyDocument, ReplyFailure, ReplyOrigin, ReplyResult,
    },
};
use tandem_telegram::update::Family;
use tandem_vendor::{ChatIds, Heard, HeardAct, HeardChat, Notice, Noticed};

use super::address::Place;
use crate::{
    Language,
    companion::native_facts,
    connections::{RouteOf, remember_chat},
};

/// Something that was heard, with everything that its commit needs: it can wait in the inbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Arrival {
    pub(super) bot: BotId,
    connection: ConnectionId,
    pub(super) lane: LaneId,
    /// The vendor's id, by which a repeat is recognised.
    pub(super) id: Option<String>,
    at: Timestamp,
    what: What,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    /// To be carried out.
    Reply { document: Box<ReplyDocument>, chat: Chat },
    /// The client has it already: with what the journal is to have of it.
    Said {
        chat: Chat,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<Box<Words>>,
    },
    /// It became known whose a chat of the built-in integration is.
    Met {
        user: UserId,
        chat: String,
        contact: Option<String>,
        /// Whether a repeat is recognised by the id, or may be noted anew.
        once: bool,
    },
    /// The managers are done in a conversation.
    TalkClosed { conversation: String, talk_minutes: u32 },
    /// There is nobody to carry it out to.
    Nobody { document: Box<OutcomeDocument> },
}

/// What a manager said past us.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Words {
    route: String,
    by: Manager,
    text: String,
    /// Whether any app is shown it.
    shown: bool,
}

/// A chat, and what its use makes true.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Chat {
    business: Option<String>,
    number: i64,
    /// Our name of it at the vendor, where that is not the plain key.
    further: Option<String>,
    theirs: String,
    person: Option<String>,
    talk_minutes: u32,
    /// It is one of the built-in integration's.
    #[serde(default)]
    native: bool,
}

impl Arrival {
    /// Of something for a chat.
    /// `shown`: whether any app is shown what managers say past us.
    pub(super) fn in_chat(place: &Place, heard: Heard, shown: bool) -> Self {
        let Heard { id, chat: at_vendor, by, at, act } = heard;
        let origin = origin(&place.route, id.as_deref(), &at_vendor);
        let chat = Chat {
            business: place.business.clone(),
            number: place.chat,
            further: place.name.further(),
            theirs: at_vendor.theirs,
            person: at_vendor.person,
            talk_minutes: place.route.channel.talk_minutes,
            native: place.route.companion.is_some(),
        };
        let what = match act {
            HeardAct::Reply(act) => {
                let (business, number) = (place.business.clone(), place.chat);
                let document = Box::new(ReplyDocument { origin, by, business, chat: number, at, act });
                What::Reply { document, chat }
            }
            HeardAct::Said(text) => {
                let words = Words { route: place.route.name.clone(), by, text, shown };
                What::Said { chat, said: Some(Box::new(words)) }
            }
        };
        Self::of(&place.route, id, at, what)
    }

    /// Of something for nobody; `None` where there is nothing to report.
    pub(super) fn for_nobody(route: &RouteOf, heard: &Heard, words: String) -> Option<Self> {
        let is_said = matches!(&heard.act, HeardAct::Reply(ReplyAct::Say { .. }));
        let id = heard.id.clone().filter(|_| is_said)?;
        let document = Box::new(OutcomeDocument {
            // There is no reply in any journal.
            reply: Seq::ZERO,
            origin: origin(route, Some(&id), &heard.chat),
            result: ReplyResult::Failed { why: ReplyFailure::NoChat, words, messages: Vec::new() },
        });
        Some(Self::of(route, Some(id), heard.at, What::Nobody { document }))
    }

    /// Of whose a chat is.
    pub(super) fn met(route: &RouteOf, user: UserId, noticed: &Noticed) -> Self {
        let what = What::Met {
            user,
            chat: noticed.chat.theirs.clone(),
            contact: noticed.contact.clone(),
            once: matches!(noticed.notice, Notice::Met { .. }),
        };
        Self::of(route, Some(noticed.id.clone()), noticed.at, what)
    }

    /// Of the end of a talk.
    pub(super) fn talk_closed(route: &RouteOf, noticed: &Noticed, conversation: &Conversation) -> Self {
        let talk_minutes = route.channel.talk_minutes;
        let what = What::TalkClosed { conversation: conversation.as_str().to_owned(), talk_minutes };
        Self::of(route, Some(noticed.id.clone()), noticed.at, what)
    }

    /// The conversation whose managers are done, since when, and how long one's words last there.
    pub(super) fn ends(&self) -> Option<(Conversation, Timestamp, Duration)> {
        let What::TalkClosed { conversation, talk_minutes } = &self.what else { return None };
        let lasts = Duration::from_secs(u64::from(*talk_minutes) * 60);
        Some((Conversation::from_stored(conversation), self.at, lasts))
    }

    /// By which of the vendor's ids a repeat is recognised.
    pub(super) fn mark_id(&self) -> Option<&str> {
        match &self.what {
            What::Met { once: false, .. } => None,
            What::Met { .. }
            | What::Reply { .. }
            | What::Said { .. }
            | What::Nobody { .. }
            | What::TalkClosed { .. } => self.id.as_deref(),
        }
    }

    fn of(route: &RouteOf, id: Option<String>, at: Timestamp, what: What) -> Self {
        Self { bot: route.bot, connection: route.connection, lane: route.lane, id, at, what }
    }

    /// What is committed.
    pub(super) fn append(&self, inbox: Vec<InboxId>, now: Timestamp) -> Append {
        let (mut events, mut facts) = (Vec::new(), Vec::new());
        if let Some(id) = self.mark_id() {
            let (scope, ours) = mark(self.lane, id);
            facts.push(Fact::Link(Link { scope, ours, theirs: "heard".to_owned(), at: now }));
        }
        match &self.what {
            What::Reply { document, chat } => {
                events.push(self.event(EventKind::Reply, Some(self.lane), chat.place(self.bot).0, document));
                facts.extend(chat.facts(self.bot, self.connection, speaks(&document.act), now));
            }
            What::Said { chat, said } => {
                events.extend(said.as_ref().and_then(|said| self.past_us(chat.number, said)));
                facts.extend(chat.facts(self.bot, self.connection, true, now));
            }
            What::Met { user, chat, contact, .. } => {
                let (bot, connection) = (self.bot, self.connection);
                facts.extend(native_facts(bot, connection, *user, chat, contact.as_deref(), now));
            }
            // What ends is looked up by whoever commits it.
            What::TalkClosed { .. } => {}
            What::Nobody { document } => {
                let nowhere = Conversation::bot();
                events.push(self.event(EventKind::Outcome, None, nowhere, document));
            }
        }
        Append { events, urgency: Urgency::MustKeep, inbox, facts }
    }

    fn past_us(&self, chat: i64, said: &Words) -> Option<NewEvent> {
        let message = self.id.as_deref().unwrap_or_default();
        let by = Author::ManagerPastUs {
            route: said.route.as_str().into(),
            id: said.by.id.as_str().into(),
            name: said.by.name.as_deref().map(Into::into),
            message: message.into(),
        };
        let (text, at) = (said.text.as_str(), self.at);
        SaidPastUs { by, lane: self.lane, chat, text, at, shown: said.shown }.event()
    }

    fn event(
        &self,
        kind: EventKind,
        cause: Option<LaneId>,
        conversation: Conversation,
        document: &impl Serialize,
    ) -> NewEvent {
        NewEvent {
            kind,
            topic: Topic::new(0).expect("a topic is at most 63"),
            conversation,
            family: Family::Chat.number(),
            at: self.at,
            lifetime: Lifetime::Backlog,
            flags: Flags::NONE,
            upstream: None,
            cause,
            owner: None,
            body: Bytes::from(serde_json::to_vec(document).expect("texts and numbers always serialise")),
        }
    }
}

impl Chat {
    fn place(&self, bot: BotId) -> (Conversation, ChatKey) {
        let key = ChatKey::of(bot, self.business.as_deref(), self.number);
        let conversation = match &self.business {
            Some(business) => Conversation::business(business, self.number),
            None => Conversation::chat(self.number),
        };
        (conversation, key)
    }

    /// Which of the vendor's chats was used last, and whose the conversation is now.
    fn facts(&self, bot: BotId, connection: ConnectionId, speaks: bool, now: Timestamp) -> Vec<Fact> {
        let (conversation, key) = self.place(bot);
        let ids = ChatIds {
            ours: self.further.clone(),
            chat: Some(self.theirs.clone()).filter(|theirs| !theirs.is_empty()),
            person: self.person.clone(),
        };
        let mut facts = if self.native { Vec::new() } else { remember_chat(connection, &key, &ids, now) };
        if speaks && self.talk_minutes > 0 {
            let until = now.plus(Duration::from_secs(u64::from(self.talk_minutes) * 60));
            facts.push(Fact::HandOff(HandOff { conversation, until }));
        }
        facts
    }
}

/// The link by which a repeat is recognised.
pub(super) fn mark(lane: LaneId, id: &str) -> (LinkScope, String) {
    (LinkScope::Lane(lane), format!("heard:{id}"))
}

fn origin(route: &RouteOf, id: Option<&str>, chat: &HeardChat) -> ReplyOrigin {
    ReplyOrigin {
        route: route.name.clone(),
        message: id.unwrap_or_default().to_owned(),
        chat: chat.theirs.clone(),
        person: chat.person.clone(),
    }
}

fn speaks(act: &ReplyAct) -> bool {
    match act {
        ReplyAct::Say { .. } => true,
        ReplyAct::Type { .. } | ReplyAct::React { .. } => false,
    }
}

/// What a manager is told who writes to somebody that the bot cannot write to.
pub(super) fn nobody_words(language: Language, username: Option<&str>) -> String {
    let link = username.map(|username| format!(" (t.me/{username})")).unwrap_or_default();
    match language {
        Language::Russian => format!(
            "В Telegram нельзя написать по номеру: бот знает только тех, кто сам писал ему и поделился номером. \
             Попросите клиента написать боту{link}."
        ),
        Language::English => format!(
            "Telegram has no writing to a number: the bot knows only people who wrote to it and shared theirs. \
             Ask the client to write to the bot{link}."
        ),
    }
}
