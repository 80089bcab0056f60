//! Whose message carries a button: noted in the commit of the send, looked up when the button is pressed.
//!
//! Only messages with a button whose press is a callback query are noted. A note goes when retention has passed it. It
//! is a link of the bot's: from where the message stands to the lane of the app that put the keyboard there, or of the
//! route whose manager did.

use bytes::Bytes;
use tandem_journal::{Fact, Link, LinkScope, ReadError};
use tandem_model::{BotId, Conversation, Timestamp};
use tandem_telegram::{
    keyboard::has_callbacks,
    methods::{Act, Capture, Shape},
    params::Params,
    update::{MessageView, UpdateView, split_array},
};

use crate::{Gateway, known::ShownBy};

/// Where a message stands, as the note of its keyboard has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place(String);

impl Place {
    fn in_conversation(conversation: &Conversation, message: i64) -> Self {
        Self(format!("keyboard:{conversation}:{message}"))
    }

    /// In a public chat of which only the name is known.
    fn in_public(username: &str, message: i64) -> Self {
        Self(format!("keyboard:@{}:{message}", username.trim_start_matches('@').to_ascii_lowercase()))
    }

    fn inline(id: &str) -> Self {
        Self(format!("keyboard:inline:{id}"))
    }

    fn note(self, by: ShownBy, at: Timestamp) -> Fact {
        Fact::Link(Link { scope: LinkScope::Bot, ours: self.0, theirs: by.stored(), at })
    }
}

/// Notes of the keyboards that a call put under messages, in the name of who called. To be committed with it.
pub(crate) fn notes(
    by: ShownBy,
    capture: Capture,
    parameters: &Params,
    result: &Bytes,
    now: Timestamp,
) -> Vec<Fact> {
    let asked = parameters.text("reply_markup").is_some_and(|markup| has_callbacks(markup.as_bytes()));
    // An edit that says nothing of a keyboard puts none there: what its result shows is what was there before.
    let silent_edit = matches!(capture.act, Act::Edit | Act::StopPoll) && !asked;
    if silent_edit {
        return Vec::new();
    }
    let messages = split_array(result).unwrap_or_else(|_one| vec![result.clone()]);
    let mut places = Vec::new();
    for message in messages.iter().filter_map(|message| MessageView::of(message)) {
        if let Some(id) = message.inline_message_id() {
            // A guest's or a web app's message: what keyboard it has stands deep in the parameters.
            places.push(Place::inline(&id));
            continue;
        }
        if !asked && !message.reply_markup().is_some_and(has_callbacks) {
            continue;
        }
        let Some(id) = message.message_id().filter(|id| *id > 0) else { continue };
        match (message.conversation(), parameters.text("chat_id")) {
            (Some(conversation), _) => places.push(Place::in_conversation(&conversation, id)),
            // The result is an id and nothing else.
            (None, Some(chat)) => places.push(match chat.trim().parse() {
                Ok(chat) => Place::in_conversation(&Conversation::chat(chat), id),
                Err(_) => Place::in_public(chat.trim(), id),
            }),
            (None, None) => {}
        }
    }
    if asked
        && capture.shape == Shape::MessageOrTrue
        && let Some(id) = parameters.text("inline_message_id")
    {
        places.push(Place::inline(id));
    }
    places.into_iter().map(|place| place.note(by, now)).collect()
}

/// The note of an inline message that somebody chose, in the name of the app that offered it.
pub(crate) fn note_chosen(by: ShownBy, update: &UpdateView<'_>, now: Timestamp) -> Option<Fact> {
    update.inline_message_id().map(|id| Place::inline(&id).note(by, now))
}

impl Gateway {
    /// Who put the keyboard there that was pressed. It may be an app that is gone.
    pub(crate) async fn find_shown_by(
        &self,
        bot: BotId,
        press: &UpdateView<'_>,
    ) -> Result<Option<ShownBy>, ReadError> {
        let mut places = Vec::new();
        let message = press.message();
        if let Some(id) = press.inline_message_id() {
            places.push(Place::inline(&id));
        } else if let Some(id) = message.message_id() {
            places.extend(message.conversation().map(|chat| Place::in_conversation(&chat, id)));
            places.extend(message.chat_username().map(|name| Place::in_public(&name, id)));
        }
        for Place(ours) in places {
            if let Some(link) = self.inner().store.find_link(bot, LinkScope::Bot, ours).await? {
                return Ok(ShownBy::of_stored(&link.theirs));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use tandem_model::LaneId;

    use super::*;

    const MARKUP: &str = r#"{"inline_keyboard":[[{"text":"Yes","callback_data":"yes"}]]}"#;

    fn places(method: &str, parameters: &[(&'static str, &str)], result: &str) -> Vec<String> {
        let class = tandem_telegram::methods::Class::of(method);
        let tandem_telegram::methods::Class::Captured(capture) = class else { panic!("{class:?}") };
        let parameters = Params::of(parameters.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let by = ShownBy::App(LaneId::new(3).unwrap());
        notes(by, capture, &parameters, &Bytes::copy_from_slice(result.as_bytes()), Timestamp::EPOCH)
            .into_iter()
            .map(|fact| match fact {
                Fact::Link(link) => {
                    assert_eq!((link.scope, &*link.theirs), (LinkScope::Bot, "lane:3"));
                    link.ours
                }
                other => panic!("{other:?}"),
            })
            .collect()
    }

    fn message(id: i64, more: &str) -> String {
        format!(r#"{{"message_id":{id},"chat":{{"id":-7,"type":"group"}}{more}}}"#)
    }

    #[test]
    fn keyboards_are_noted_where_the_answer_or_the_call_says_they_stand() {
        let shown = format!(r#","reply_markup":{MARKUP}"#);
        let asked = ("reply_markup", MARKUP);
        let none: [&str; 0] = [];
        assert_eq!(places("sendMessage", &[asked], &message(5, &shown)), ["keyboard:-7:5"]);
        assert_eq!(places("sendMessage", &[], &message(5, "")), none);
        assert_eq!(places("sendGame", &[], &message(5, &shown)), ["keyboard:-7:5"], "Telegram put it there");
        let business = message(5, &format!(r#","business_connection_id":"bc"{shown}"#));
        assert_eq!(places("sendMessage", &[], &business), ["keyboard:b:bc:-7:5"]);
        assert_eq!(
            places("copyMessage", &[asked, ("chat_id", " 9")], r#"{"message_id":6}"#),
            ["keyboard:9:6"]
        );
        let public = [asked, ("chat_id", "@Shop")];
        assert_eq!(places("copyMessage", &public, r#"{"message_id":6}"#), ["keyboard:@shop:6"]);
        let album = format!("[{},{}]", message(5, ""), message(6, &shown));
        assert_eq!(places("sendMediaGroup", &[], &album), ["keyboard:-7:6"]);
        assert_eq!(places("sendMessage", &[asked], &message(0, &shown)), none, "scheduled: it has no number");
    }

    #[test]
    fn an_edit_notes_the_keyboard_it_puts_there_and_no_other() {
        let shown = format!(r#","reply_markup":{MARKUP}"#);
        let asked = ("reply_markup", MARKUP);
        let none: [&str; 0] = [];
        assert_eq!(places("editMessageText", &[asked], &message(5, &shown)), ["keyboard:-7:5"]);
        assert_eq!(places("setGameScore", &[], &message(5, &shown)), none, "another app's, maybe");
        let inline = ("inline_message_id", "x");
        assert_eq!(places("editMessageReplyMarkup", &[asked, inline], "true"), ["keyboard:inline:x"]);
        assert_eq!(places("editMessageText", &[inline], "true"), none);
        assert_eq!(places("answerWebAppQuery", &[], r#"{"inline_message_id":"y"}"#), ["keyboard:inline:y"]);
        assert_eq!(places("deleteMessage", &[("chat_id", "7")], "true"), none);
    }
}
