//! What rules ask of an event, read off its bytes.

use std::borrow::Cow;

use tandem_gateway::{Author, SentDocument};
use tandem_model::{Event, EventKind, Flags};
use tandem_telegram::{
    methods::Act,
    update::{Content, Kind, MessageView, UpdateView, split_array},
};

use super::words::{ChatWord, KindWord, StateWord};

/// What is known of an event.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub(super) update: Option<Kind>,
    pub(super) act: Option<Act>,
    pub(super) content: Option<Content>,
    pub(super) speaker: Speaker,
    pub(super) chat: Option<ChatWord>,
    pub(super) business: bool,
    pub(super) flags: Flags,
    /// Whether it is a message of somebody's, new or edited.
    pub(super) message: bool,
    command: Option<(String, String)>,
    text: Cow<'a, str>,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaker {
    /// The client, or whoever else writes in the chat.
    Client,
    /// The bot, by an app of this name; `None` where nobody knows which.
    Bot(Option<String>),
    /// A manager.
    Manager,
}

impl<'a> Facts<'a> {
    /// Of an event; `None` of what rules do not concern: replies, what became of them, marks.
    pub fn of(event: &'a Event) -> Option<Self> {
        match event.kind {
            EventKind::Update => Some(Self::of_update(event)),
            EventKind::Sent => Some(Self::of_sent(event)),
            EventKind::Reply | EventKind::Outcome | EventKind::Mark => None,
        }
    }

    fn of_update(event: &'a Event) -> Self {
        let mut facts = Self::nothing(event, Speaker::Client);
        // What was stored as an update is one.
        let Ok(update) = UpdateView::of(&event.new.body) else { return facts };
        let (kind, message) = (update.kind(), update.message());
        facts.update = Some(kind);
        facts.message = matches!(
            kind,
            Kind::Message
                | Kind::EditedMessage
                | Kind::ChannelPost
                | Kind::EditedChannelPost
                | Kind::BusinessMessage
                | Kind::EditedBusinessMessage
                | Kind::GuestMessage
        );
        if let Some(chat) = message.chat_type() {
            facts.chat = chat_of(&chat);
        }
        if facts.message {
            facts.content = message.content();
            let command = message.command();
            facts.command =
                command.map(|command| (command.name().to_owned(), command.arguments().to_owned()));
            facts.text = message.text().or_else(|| message.caption()).unwrap_or_default();
        } else if let Some(data) = update.callback_data() {
            facts.text = data;
        }
        facts
    }

    fn of_sent(event: &'a Event) -> Self {
        let mut facts = Self::nothing(event, Speaker::Bot(None));
        facts.act = Act::from_topic(event.topic);
        let Ok(sent) = serde_json::from_slice::<SentDocument<'a>>(&event.new.body) else { return facts };
        facts.speaker = match sent.by {
            Author::App(name) => Speaker::Bot(Some(name.into_owned())),
            Author::Manager { .. } | Author::ManagerPastUs { .. } => Speaker::Manager,
        };
        let result = sent.result.get().as_bytes();
        let first = MessageView::of(result);
        facts.content = first.as_ref().and_then(MessageView::content);
        if let Some(chat) = first.as_ref().and_then(MessageView::chat_type) {
            facts.chat = chat_of(&chat);
        }
        let said = first.and_then(|message| message.text().or_else(|| message.caption()));
        let asked = || {
            let text = sent.parameters.text("text").or_else(|| sent.parameters.text("caption"));
            text.map(|text| Cow::Owned(text.to_owned()))
        };
        facts.text = said.or_else(asked).unwrap_or_default();
        if facts.content.is_none() {
            facts.content = album_content(result);
        }
        facts
    }

    fn nothing(event: &Event, speaker: Speaker) -> Self {
        let conversation = event.conversation.as_str();
        let business = conversation.starts_with("b:");
        let chat = if business { conversation.rsplit(':').next() } else { Some(conversation) };
        // Telegram's own numbering: people's chats are positive.
        let chat = chat.and_then(|chat| chat.parse::<i64>().ok()).map(|chat| match chat {
            0.. => ChatWord::Private,
            ..=-1_000_000_000_001 => ChatWord::Supergroup,
            _ => ChatWord::Group,
        });
        Self {
            update: None,
            act: None,
            content: None,
            speaker,
            chat,
            business,
            flags: event.flags,
            message: false,
            command: None,
            text: Cow::Borrowed(""),
        }
    }

    /// Its text, its caption, or the data of the button that was pressed; may be empty.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The command it is, without the slash.
    pub fn command(&self) -> Option<&str> {
        self.command.as_ref().map(|(name, _)| name.as_str())
    }

    /// What stands behind the command.
    pub fn arguments(&self) -> &str {
        self.command.as_ref().map_or("", |(_, arguments)| arguments.as_str())
    }

    /// Who did it.
    pub const fn speaker(&self) -> &Speaker {
        &self.speaker
    }

    /// The app that did it, if one did.
    pub fn app(&self) -> Option<&str> {
        match &self.speaker {
            Speaker::Bot(app) => app.as_deref(),
            Speaker::Client | Speaker::Manager => None,
        }
    }

    /// What it is in one word: what the message is, else the kind of update, else what the company's side did.
    pub fn kind(&self) -> &'static str {
        self.kinds().next().unwrap_or(KindWord::OTHER)
    }

    /// Every word that says what it is, the most telling first.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> + use<> {
        let content = self.content.map(Content::as_str);
        let unknown = (self.message && self.content.is_none()).then_some(KindWord::OTHER);
        let update = self.update.and_then(Kind::name);
        let act = self.act.map(Act::as_str);
        let sent = self.update.is_none().then_some(KindWord::SENT);
        [content, unknown, update, act, sent].into_iter().flatten()
    }

    /// Whether it is a press of a button under a message.
    pub(super) fn is_inline_press(&self) -> bool {
        self.update == Some(Kind::CallbackQuery)
    }

    /// What was going on in the conversation.
    pub(super) const fn state(&self) -> StateWord {
        if self.flags.intersects(Flags::WITH_MANAGER) {
            StateWord::Manager
        } else if self.flags.intersects(Flags::IN_DIALOGUE) {
            StateWord::Dialogue
        } else {
            StateWord::Free
        }
    }
}

fn chat_of(type_: &str) -> Option<ChatWord> {
    match type_ {
        "private" => Some(ChatWord::Private),
        "group" => Some(ChatWord::Group),
        "supergroup" => Some(ChatWord::Supergroup),
        "channel" => Some(ChatWord::Channel),
        _ => None,
    }
}

/// What the first message of an album is.
fn album_content(result: &[u8]) -> Option<Content> {
    let messages = split_array(&bytes::Bytes::copy_from_slice(result)).ok()?;
    MessageView::of(messages.first()?)?.content()
}
