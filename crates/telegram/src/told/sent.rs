//! Calls that Telegram carried out: what the company's side said by them.

use tandem_model::{
    BotId, Timestamp,
    message::{Act, Body, ChatKey, Content, Language, MessageKey, MessagePlace, Speaker, Told},
};

use super::{
    Reader,
    body::{labels, line_body, place},
    object::{Object, elements},
    update::emoji,
};
use crate::{
    methods::{self, Capture, Class, Method},
    params::Params,
};

/// A call that was carried out, as a `Sent` event has it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The method, as it was called.
    pub method: &'a str,
    /// With which parameters.
    pub parameters: &'a Params,
    /// Telegram's result.
    pub result: &'a [u8],
}

/// Something that was said by a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// What a CRM is told of it.
    pub told: Told,
    /// Telegram has copied or forwarded this message and shows only the copy's id: what it says stands there, if the
    /// journal has it, and a caption that was given instead is the [text](Body::text) here.
    pub copy_of: Option<MessagePlace>,
}

impl Spoken {
    /// The same with what the original says.
    #[must_use]
    pub fn with_original(mut self, original: Body) -> Self {
        if let Act::Said(body) = &mut self.told.act {
            let caption = std::mem::take(&mut body.text);
            let overridden = body.content != Content::Line;
            *body = Body {
                text: if overridden { caption } else { original.text },
                content: original.content,
                quote: None,
                forwarded_from: original.forwarded_from,
                album: original.album,
                buttons: std::mem::take(&mut body.buttons),
            };
        }
        self.copy_of = None;
        self
    }
}

/// What a CRM is told of a call: several things of an album, nothing of what shows a client nothing new
/// ([the table](super)).
pub fn of_call(language: Language, bot: BotId, at: Timestamp, by: &Speaker, call: &Call<'_>) -> Vec<Spoken> {
    let capture = match Class::of(call.method) {
        Class::Captured(capture) => capture,
        Class::Unknown => match Capture::of_answer(call.method, call.result) {
            Some(capture) => capture,
            None => return Vec::new(),
        },
        Class::Virtual(_) | Class::Pass => return Vec::new(),
    };
    let saying = Saying { reader: Reader { bot, language }, at, by, call };
    match capture.act {
        methods::Act::Send | methods::Act::Forward | methods::Act::Copy => saying.messages(),
        methods::Act::Edit => saying.edit().into_iter().collect(),
        methods::Act::StopPoll => saying.stopped_poll().into_iter().collect(),
        methods::Act::React => saying.reaction().into_iter().collect(),
        methods::Act::Delete
        | methods::Act::Pin
        | methods::Act::Answer
        | methods::Act::GuestReply
        | methods::Act::WebAppReply
        | methods::Act::Gift
        | methods::Act::Story
        | methods::Act::SuggestedPost
        | methods::Act::Read
        | methods::Act::Ephemeral
        | methods::Act::Topic => Vec::new(),
    }
}

struct Saying<'a> {
    reader: Reader,
    at: Timestamp,
    by: &'a Speaker,
    call: &'a Call<'a>,
}

impl Saying<'_> {
    fn messages(&self) -> Vec<Spoken> {
        let one = [self.call.result];
        let results = elements(self.call.result);
        let results = if results.is_empty() { one.as_slice() } else { &results };
        let originals = self.originals(results.len());
        let message = |(number, result): (usize, &&[u8])| {
            let message = Object::of(result)?;
            if message.has("chat") {
                let spoken = self.spoken(&place(&message)?, Act::Said(self.body(&message)));
                return Some(spoken);
            }
            self.copy(message.integer("message_id")?, originals.get(number).copied())
        };
        results.iter().enumerate().filter_map(message).collect()
    }

    /// Which messages the copies are of: nothing if some could not be copied, because nobody says which.
    fn originals(&self, copies: usize) -> Vec<i64> {
        let text = |name| self.call.parameters.text(name);
        let ids: Vec<i64> = match (text("message_ids"), text("message_id")) {
            (Some(ids), _) => elements(ids.as_bytes()).into_iter().filter_map(crate::json::integer).collect(),
            (None, Some(id)) => id.trim().parse().into_iter().collect(),
            (None, None) => Vec::new(),
        };
        if ids.len() == copies { ids } else { Vec::new() }
    }

    fn copy(&self, id: i64, original: Option<i64>) -> Option<Spoken> {
        let place = self.named_place(id)?;
        let parameters = self.call.parameters;
        let caption = parameters.text("caption").filter(|caption| !caption.trim().is_empty());
        let mut body = match caption {
            Some(caption) => {
                let html =
                    parameters.text("parse_mode").is_some_and(|mode| mode.eq_ignore_ascii_case("html"));
                let text = if html { without_tags(caption) } else { caption.to_owned() };
                Body { content: Content::Text, ..line_body(text) }
            }
            None => line_body(
                self.reader.language.pick("Скопировано сообщение", "A message was copied").to_owned(),
            ),
        };
        body.buttons = self.asked_buttons();
        let source = parameters.text("from_chat_id").and_then(|chat| chat.trim().parse().ok());
        let copy_of =
            source.zip(original).map(|(chat, message)| MessagePlace { business: None, chat, message });
        Some(Spoken { copy_of, ..self.spoken(&place, Act::Said(body)) })
    }

    fn edit(&self) -> Option<Spoken> {
        let silent = ["editMessageReplyMarkup", "editMessageLiveLocation", "setGameScore"];
        if Method::find(self.call.method).is_some_and(|method| silent.contains(&method.name())) {
            // Nothing that was said has changed.
            return None;
        }
        let message = Object::of(self.call.result)?;
        Some(self.spoken(&place(&message)?, Act::Edited(self.body(&message))))
    }

    fn stopped_poll(&self) -> Option<Spoken> {
        let place = self.named_place(self.call.parameters.text("message_id")?.trim().parse().ok()?)?;
        let poll = Object::of(self.call.result)?;
        Some(self.spoken(&place, Act::Edited(line_body(self.reader.poll(&poll)))))
    }

    /// The bot's own reaction. Which it had before nobody says, so that nothing can be told of taking it back.
    fn reaction(&self) -> Option<Spoken> {
        let parameters = self.call.parameters;
        let place = self.named_place(parameters.text("message_id")?.trim().parse().ok()?)?;
        let reactions = elements(parameters.text("reaction")?.as_bytes());
        let now = emoji(&reactions.into_iter().filter_map(Object::of).collect::<Vec<_>>());
        (!now.is_empty()).then(|| self.spoken(&place, Act::Reacted { now, before: Vec::new() }))
    }

    /// A message of the chat that the parameters name, where they name it by number.
    fn named_place(&self, message: i64) -> Option<MessagePlace> {
        let parameters = self.call.parameters;
        let business = parameters.text("business_connection_id").filter(|id| !id.is_empty());
        Some(MessagePlace {
            business: business.map(str::to_owned),
            chat: parameters.text("chat_id")?.trim().parse().ok()?,
            message: Some(message).filter(|message| *message > 0)?,
        })
    }

    fn body(&self, message: &Object<'_>) -> Body {
        let mut body = self.reader.body(message, message.raw("reply_markup"));
        if body.buttons.is_empty() {
            body.buttons = self.asked_buttons();
        }
        body
    }

    /// The keyboard that was asked for: a reply keyboard never comes back.
    fn asked_buttons(&self) -> Vec<Vec<String>> {
        self.call.parameters.text("reply_markup").map(|markup| labels(markup.as_bytes())).unwrap_or_default()
    }

    fn spoken(&self, place: &MessagePlace, act: Act) -> Spoken {
        let bot = self.reader.bot;
        let told = Told {
            key: MessageKey::of(bot, place),
            chat: ChatKey::of(bot, place.business.as_deref(), place.chat),
            at: self.at,
            by: self.by.clone(),
            act,
        };
        Spoken { told, copy_of: None }
    }
}

/// The words of an HTML text.
fn without_tags(html: &str) -> String {
    let mut words = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        words.push_str(&rest[..start]);
        let Some(end) = rest[start..].find('>') else {
            rest = &rest[start..];
            break;
        };
        rest = &rest[start + end + 1..];
    }
    words.push_str(rest);
    words.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
