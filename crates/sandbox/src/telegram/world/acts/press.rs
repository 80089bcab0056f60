//! Pressing buttons: of inline keyboards and of the reply keyboard.

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::super::State;
use super::super::chat::{Chat, ChatKey};
use super::super::keyboard::{buttons, label};
use super::super::message::INLINE_ID;
use super::super::queries::Question;
use super::{ActError, Actor};

/// Which button is meant. Without a message the newest keyboard that has the button; without data and text its
/// first button.
#[derive(Clone, Debug, Default)]
pub(crate) struct Press {
    pub(crate) message_id: Option<i64>,
    pub(crate) data: Option<String>,
    pub(crate) text: Option<String>,
}

/// What a press did.
#[derive(Debug)]
pub(crate) enum Pressed {
    /// A callback query is on its way; the bot's answer will come here.
    Callback { query_id: String, message_id: i64, answer: oneshot::Receiver<Value> },
    /// A message was sent: the text of a reply button, a contact, a place.
    Sent { message_id: i64 },
    /// The app opened or copied something, and the bot knows nothing of it.
    Opened(Value),
}

impl State {
    /// Presses a button.
    pub(crate) fn act_press(&mut self, actor: Actor, press: &Press) -> Result<Pressed, ActError> {
        let Some(chat) = self.chats.get(&actor.chat) else {
            return Err(ActError::NotFound("there is no such chat".to_owned()));
        };
        if let Some((message_id, button)) = inline_button(chat, press) {
            return self.press_inline(actor, message_id, &button);
        }
        let reply =
            chat.reply_keyboard.as_ref().filter(|_| press.message_id.is_none() && press.data.is_none());
        let button = reply.and_then(|keyboard| {
            let wanted = |button: &&Value| press.text.as_deref().is_none_or(|text| label(button) == text);
            buttons(keyboard).find(wanted).cloned()
        });
        match button {
            Some(button) => self.press_reply(actor, &button),
            None => Err(self.no_button(actor.chat)),
        }
    }

    fn press_inline(&mut self, actor: Actor, message_id: i64, button: &Value) -> Result<Pressed, ActError> {
        if button.get("pay").is_some() {
            return Err(ActError::impossible("this is the pay button of an invoice", "the act pay"));
        }
        for name in ["url", "web_app", "login_url", "copy_text"] {
            if let Some(value) = button.get(name) {
                return Ok(Pressed::Opened(json!({name: value})));
            }
        }
        let data = button.get("callback_data").and_then(Value::as_str);
        let game = button.get("callback_game").is_some();
        if data.is_none() && !game {
            return Err(ActError::impossible("this button begins an inline query", "the act inline"));
        }
        let Some(message) = self.chats.get(&actor.chat).and_then(|chat| chat.find_message(message_id)) else {
            return Err(ActError::no_message(message_id));
        };
        let via = message.context.get("via_bot").and_then(|via| via.get("id")).and_then(Value::as_i64);
        let bot = via.unwrap_or(message.sender);
        let inline_id = message.hidden.get(INLINE_ID).cloned();
        let query_id = self.new_id();
        let instance = self.chats.get(&actor.chat).map(|chat| chat.instance.clone()).unwrap_or_default();
        let mut query = json!({
            "id": query_id,
            "from": self.user_json(actor.user),
            "chat_instance": instance,
        });
        match (inline_id, via) {
            (Some(id), Some(_)) => query["inline_message_id"] = id,
            _ => query["message"] = self.maybe_inaccessible(actor.chat, message_id, bot),
        }
        if let Some(data) = data {
            query["data"] = json!(data);
        } else {
            let name = message.content.fields.get("game").and_then(|game| game.get("title")).cloned();
            query["game_short_name"] = name.unwrap_or_else(|| json!("game"));
        }
        let question = Question::Callback {
            chat: Some(actor.chat),
            message_id: Some(message_id),
            data: data.map(str::to_owned),
        };
        let now = self.clock.now_ms();
        let answer = self.queries.ask(bot, query_id.clone(), actor.user, question, now);
        self.push(bot, "callback_query", &query);
        Ok(Pressed::Callback { query_id, message_id, answer })
    }

    fn press_reply(&mut self, actor: Actor, button: &Value) -> Result<Pressed, ActError> {
        let flag = |name: &str| matches!(button.get(name), Some(Value::Bool(true)));
        let message_id = if flag("request_contact") {
            self.act_contact(actor, None, None)?
        } else if flag("request_location") {
            self.act_location(actor, 55.7558, 37.6173, None)?
        } else if let Some(app) = button.get("web_app") {
            return Ok(Pressed::Opened(json!({"web_app": app})));
        } else {
            self.act_text(actor, label(button), None)?
        };
        if let Some(chat) = self.chats.get_mut(&actor.chat) {
            // A one-time keyboard hides after the first press.
            let once =
                |keyboard: &Value| matches!(keyboard.get("one_time_keyboard"), Some(Value::Bool(true)));
            chat.reply_keyboard.take_if(|keyboard| once(keyboard));
        }
        Ok(Pressed::Sent { message_id })
    }

    fn no_button(&self, key: ChatKey) -> ActError {
        let Some(chat) = self.chats.get(&key) else {
            return ActError::NotFound("there is no such chat".to_owned());
        };
        let mut newest = chat.messages.values().rev().filter(|message| !message.deleted);
        let inline = newest.find_map(|message| message.inline_keyboard.as_ref());
        let shown = inline.into_iter().chain(chat.reply_keyboard.as_ref());
        let labels: Vec<_> = shown.flat_map(buttons).map(|button| format!("{:?}", label(button))).collect();
        let expected = if labels.is_empty() {
            "a keyboard in the chat; it shows none".to_owned()
        } else {
            format!("one of the buttons shown: {}", labels.join(", "))
        };
        ActError::impossible("there is no such button", expected)
    }
}

/// The newest inline button that fits.
fn inline_button(chat: &Chat, press: &Press) -> Option<(i64, Value)> {
    chat.messages
        .values()
        .rev()
        .filter(|message| !message.deleted && press.message_id.is_none_or(|id| id == message.id))
        .find_map(|message| {
            let fits = |button: &&Value| {
                let data = button.get("callback_data").and_then(Value::as_str);
                press.data.as_deref().is_none_or(|wanted| data == Some(wanted))
                    && press.text.as_deref().is_none_or(|wanted| label(button) == wanted)
            };
            let button = buttons(message.inline_keyboard.as_ref()?).find(fits)?;
            Some((message.id, button.clone()))
        })
}
