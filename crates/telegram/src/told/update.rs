//! Updates: which are told, and as what.

use std::borrow::Cow;

use tandem_model::{
    Conversation, Event, UserId,
    message::{Act, Body, ChatKey, Language, MessageKey, Speaker, Told},
};

use super::{
    Reader,
    body::{label_of, line_body, place},
    object::Object,
    person::chat_name,
    text::excerpt,
};
use crate::update::{Kind, UpdateView};

/// What a CRM is told of an update; `None` for what is not told ([the table](super)). The event's body is Telegram's
/// bytes.
pub fn of_update(language: Language, event: &Event) -> Option<Told> {
    let view = UpdateView::of(&event.new.body).ok()?;
    let object = Object::of(view.object())?;
    let reader = Reader { bot: event.bot, language };
    let telling = Telling { reader, event, view: &view, object: &object };
    match view.kind() {
        Kind::Message | Kind::ChannelPost | Kind::BusinessMessage => telling.message(Act::Said),
        Kind::EditedMessage | Kind::EditedChannelPost | Kind::EditedBusinessMessage => telling.edit(),
        Kind::MessageReaction => telling.reaction(),
        Kind::CallbackQuery => telling.press(),
        Kind::MyChatMember => telling.own_membership(),
        Kind::ChatJoinRequest => {
            let chat = object.object("chat").as_ref().and_then(chat_name).unwrap_or_default();
            telling.line(reader.with("Просится в чат", "Asks to join", &chat))
        }
        Kind::PollAnswer => telling.poll_answer(),
        Kind::PurchasedPaidMedia => {
            telling.line(language.pick("Куплены платные файлы", "Bought paid media").to_owned())
        }
        Kind::Subscription => {
            let state = object.words("state").unwrap_or_default();
            let state = match state.as_str() {
                "active" => language.pick("активна", "active"),
                "canceled" => language.pick("отменена", "cancelled"),
                "failed" => language.pick("оплата не прошла", "the payment failed"),
                other => other,
            };
            telling.line(reader.with("Подписка", "Subscription", state))
        }
        Kind::Unknown => {
            let kind = excerpt(&view.kind_name(), 64);
            view.chat_id()?;
            telling.line(reader.with("Событие неизвестного вида", "Something of an unknown kind", &kind))
        }
        Kind::BusinessConnection
        | Kind::DeletedBusinessMessages
        | Kind::GuestMessage
        | Kind::MessageReactionCount
        | Kind::InlineQuery
        | Kind::ChosenInlineResult
        | Kind::ShippingQuery
        | Kind::PreCheckoutQuery
        | Kind::Poll
        | Kind::ChatMember
        | Kind::ChatBoost
        | Kind::RemovedChatBoost
        | Kind::ManagedBot
        | Kind::StoppedMessageGeneration
        | Kind::CustomEvent
        | Kind::CustomQuery => None,
    }
}

struct Telling<'a> {
    reader: Reader,
    event: &'a Event,
    view: &'a UpdateView<'a>,
    object: &'a Object<'a>,
}

impl Telling<'_> {
    fn message(&self, act: fn(Body) -> Act) -> Option<Told> {
        let place = place(self.object)?;
        let by_us = |bot: Object<'_>| bot.integer("id") == Some(self.reader.bot.get());
        if self.object.object("sender_business_bot").is_some_and(by_us) {
            // The bot's own words, come back: they were told when they were sent.
            return None;
        }
        Some(Told {
            key: MessageKey::of(self.reader.bot, &place),
            chat: ChatKey::of(self.reader.bot, place.business.as_deref(), place.chat),
            at: self.event.at,
            by: self.speaker(),
            act: act(self.reader.body(self.object, self.object.raw("reply_markup"))),
        })
    }

    /// Who sent it. A contact that is the sender's own tells his number.
    fn speaker(&self) -> Speaker {
        let mut speaker = self.reader.speaker(self.object);
        if let Speaker::Client(client) = &mut speaker
            && let Some(contact) = self.view.message().contact().filter(|contact| contact.own)
        {
            client.phone = Some(contact.phone.into_owned());
        }
        speaker
    }

    fn edit(&self) -> Option<Told> {
        // Somebody on the move shares where he is every few seconds: what is told is where he began and where he stopped.
        if self.object.object("location").is_some_and(|location| location.has("live_period")) {
            return None;
        }
        self.message(Act::Edited)
    }

    fn reaction(&self) -> Option<Told> {
        let place = place(self.object)?;
        let (now, before) =
            (emoji(&self.object.objects("new_reaction")), emoji(&self.object.objects("old_reaction")));
        let by = match (self.object.object("user"), self.object.object("actor_chat")) {
            (Some(user), _) => self.reader.user(&user),
            (None, chat) => Speaker::Client(self.reader.chat_as_client(&chat?, None)),
        };
        (now != before).then(|| Told {
            key: MessageKey::of(self.reader.bot, &place),
            chat: ChatKey::of(self.reader.bot, place.business.as_deref(), place.chat),
            at: self.event.at,
            by,
            act: Act::Reacted { now, before },
        })
    }

    fn press(&self) -> Option<Told> {
        let message = self.object.object("message")?;
        let data = self.object.text("data");
        let label = data.as_ref().and_then(|data| label_of(&message, data));
        let line = match (label, data.or_else(|| self.object.text("game_short_name"))) {
            (Some(label), _) => self.quoted("Нажата кнопка", "Pressed", &label),
            // The keyboard has changed since, or the message is too old to be shown.
            (None, Some(data)) => self.quoted("Нажата кнопка", "Pressed a button:", &data),
            (None, None) => self.reader.language.pick("Нажата кнопка", "Pressed a button").to_owned(),
        };
        self.line(line)
    }

    fn quoted(&self, russian: &str, english: &str, what: &str) -> String {
        let what = excerpt(what, 200);
        self.reader.language.pick(format!("{russian} «{what}»"), format!("{english} “{what}”"))
    }

    /// What became of the bot in a chat: in a private one it was blocked, or no longer is.
    fn own_membership(&self) -> Option<Told> {
        let status = self.view.new_status()?;
        let inside = !matches!(&*status, "kicked" | "left");
        let private = self.view.chat_type().is_none_or(|kind| kind == "private");
        let (russian, english) = match (private, inside) {
            (true, false) => ("Бот заблокирован", "Blocked the bot"),
            (true, true) => ("Бот разблокирован", "Unblocked the bot"),
            (false, false) => ("Бот удалён из чата", "Removed the bot from the chat"),
            (false, true) => ("Бот в чате", "The bot is in the chat"),
        };
        self.line(self.reader.language.pick(russian, english).to_owned())
    }

    /// A vote is told in the chat with whoever gave it: of any other the poll's chat is not known here.
    fn poll_answer(&self) -> Option<Told> {
        let user = self.view.user_id()?;
        if self.event.conversation != Conversation::chat(user.get()) {
            return None;
        }
        // Options are counted from 0, and by people from 1.
        let number = |id: &&[u8]| crate::json::integer(id).and_then(|id| id.checked_add(1));
        let ids = self.object.elements("option_ids");
        let numbers: Vec<_> = ids.iter().take(100).filter_map(number).map(|id| id.to_string()).collect();
        let line = if numbers.is_empty() {
            self.reader.language.pick("Голос в опросе отозван", "Took the vote back").to_owned()
        } else {
            self.reader.with("Голос в опросе, вариант", "Voted for option", &numbers.join(", "))
        };
        self.line(line)
    }

    /// A line with a key of its own, in the chat of the update, or in the one with whoever caused it.
    fn line(&self, text: String) -> Option<Told> {
        let message = self.view.message();
        let business = message.business_connection();
        let chat = message.chat_id().or_else(|| self.view.user_id().map(UserId::get))?;
        let user = self.object.object("from").or_else(|| self.object.object("user"));
        let by = match user {
            Some(user) => self.reader.user(&user),
            None => self.reader.speaker(self.object),
        };
        Some(Told {
            key: MessageKey::of_update(self.reader.bot, self.view.id()),
            chat: ChatKey::of(self.reader.bot, business.as_ref().map(Cow::as_ref), chat),
            at: self.event.at,
            by,
            act: Act::Said(line_body(text)),
        })
    }
}

/// The emoji of a list of reactions; custom and paid ones cannot be said in words.
pub(super) fn emoji(reactions: &[Object<'_>]) -> Vec<String> {
    reactions.iter().filter_map(|reaction| reaction.words("emoji")).take(100).collect()
}
