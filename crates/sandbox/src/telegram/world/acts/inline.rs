//! Inline mode: a person types the bot's name and a query, and sends one of the results.

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::super::State;
use super::super::entities;
use super::super::keyboard::Markup;
use super::super::message::{Content, Draft, INLINE_ID};
use super::super::queries::Question;
use super::{ActError, Actor};

impl State {
    /// Asks a bot for results; they come to the receiver.
    pub(crate) fn act_inline(
        &mut self,
        actor: Actor,
        bot: i64,
        query: &str,
        offset: &str,
    ) -> (String, oneshot::Receiver<Value>) {
        let id = self.new_id();
        let kind = self.chats.get(&actor.chat).map_or("sender", |chat| match actor.chat {
            super::super::chat::ChatKey::Private { .. } => "sender",
            super::super::chat::ChatKey::Group(_) => chat.kind.name(),
        });
        let update = json!({
            "id": id,
            "from": self.user_json(actor.user),
            "query": query,
            "offset": offset,
            "chat_type": kind,
        });
        let now = self.clock.now_ms();
        let answer = self.queries.ask(bot, id.clone(), actor.user, Question::Inline, now);
        self.inline_answers.insert((bot, actor.user), (query.to_owned(), json!([])));
        self.push(bot, "inline_query", &update);
        (id, answer)
    }

    /// Sends a result of the bot's last answer into the chat; the bot gets `chosen_inline_result`.
    pub(crate) fn act_choose(&mut self, actor: Actor, bot: i64, result_id: &str) -> Result<i64, ActError> {
        self.check_can_write(actor)?;
        let (query, results) = self.inline_answers.get(&(bot, actor.user)).cloned().ok_or_else(|| {
            ActError::impossible("the user has asked this bot for nothing", "the act inline first")
        })?;
        let results = results.as_array().cloned().unwrap_or_default();
        let id_of = |result: &Value| result.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let Some(result) = results.iter().find(|result| id_of(result) == result_id) else {
            let known: Vec<_> = results.iter().map(id_of).collect();
            let expected = format!("one of the results {known:?}");
            return Err(ActError::impossible(format!("there is no result {result_id:?}"), expected));
        };
        let content = self.inline_content(bot, result)?;
        let markup = result.get("reply_markup").map(Value::to_string);
        let keyboard = Markup::read(markup.as_deref()).and_then(Markup::inline_only).ok().flatten();
        let mut draft = Draft::new(actor.user, self.author_in(actor.chat, actor.user), content);
        draft.context.insert("via_bot".into(), self.user_json(bot));
        // Bots can change the messages of inline mode that have buttons.
        let inline_id = keyboard.is_some().then(|| self.random.word(27));
        if let Some(id) = &inline_id {
            draft.hidden.insert(INLINE_ID.into(), json!(id));
        }
        draft.inline_keyboard = keyboard;
        let message_id = self.post(actor.chat, draft);
        let mut chosen = json!({"result_id": result_id, "from": self.user_json(actor.user), "query": query});
        if let Some(id) = inline_id {
            self.inline_messages.insert(id.clone(), (actor.chat, message_id));
            chosen["inline_message_id"] = json!(id);
        }
        self.push(bot, "chosen_inline_result", &chosen);
        Ok(message_id)
    }

    /// What a result puts into the chat.
    fn inline_content(&self, bot: i64, result: &Value) -> Result<Content, ActError> {
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let refused = |error: entities::ParseError| ActError::impossible(error.0, "a result Telegram takes");
        if let Some(input) = result.get("input_message_content") {
            if let Some(message) = text(input, "message_text") {
                let mode = text(input, "parse_mode");
                let formatted =
                    entities::parse(&message, mode.as_deref(), input.get("entities")).map_err(refused)?;
                return Ok(self.text_content(&formatted));
            }
            let kind = if input.get("phone_number").is_some() {
                "contact"
            } else if input.get("address").is_some() {
                "venue"
            } else if input.get("latitude").is_some() {
                "location"
            } else {
                "invoice"
            };
            return Ok(Content::of(kind, input.clone()));
        }
        let kinds = ["photo", "gif", "mpeg4", "sticker", "document", "video", "voice", "audio"];
        for kind in kinds {
            let Some(file_id) = text(result, &format!("{kind}_file_id")) else { continue };
            let Some((media, value)) = self.shelf.by_file_id(bot, &file_id) else {
                return Err(ActError::impossible("the result's file is unknown", "a file_id of this bot"));
            };
            let mut content = Content::media(media.field(), value);
            if let Some(caption) = text(result, "caption") {
                let mode = text(result, "parse_mode");
                let formatted = entities::parse(&caption, mode.as_deref(), None).map_err(refused)?;
                content.fields.insert("caption".into(), json!(formatted.text));
                self.put_entities(&mut content.fields, "caption_entities", &formatted);
            }
            return Ok(content);
        }
        let title = text(result, "title").or_else(|| text(result, "first_name")).unwrap_or_default();
        let kind = text(result, "type").unwrap_or_default();
        Ok(match kind.as_str() {
            "location" | "venue" | "contact" => Content::of(&kind, result.clone()),
            _ => self.text_content(&entities::plain(&title)),
        })
    }
}
