//! The calls that carry out what a manager wants.

use serde_json::{Value, json};
use tandem_model::message::{Keyboard, MessagePlace};

use super::{
    Medium, keyboard,
    text::{CAPTION_UNITS, TEXT_UNITS, split},
};
use crate::params::Params;

/// Longest name of a file that is passed on, in characters.
const NAME_CHARS: usize = 120;

/// A chat to write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// The business connection of the chat, where it has one.
    pub business: Option<&'a str>,
    /// The chat.
    pub chat: i64,
}

/// What is to be said.
#[derive(Debug, Clone, Copy)]
pub struct Saying<'a> {
    /// The text, or what stands under the file; may be empty.
    pub text: &'a str,
    /// Whether a file goes with it, and which.
    pub file: WithFile,
    /// Buttons.
    pub keyboard: Option<&'a Keyboard>,
    /// The id of the message that it answers.
    pub quote: Option<i64>,
}

/// Whether a file goes with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithFile {
    /// None does.
    None,
    /// One that can have a caption.
    Captioned,
    /// A sticker, which has none.
    Bare,
}

/// A call of a method.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The method.
    pub method: &'static str,
    /// Its parameters.
    pub params: Params,
    /// The parts of the body that carry its files: their names and the names of the files.
    pub files: Vec<PartName>,
}

/// A part of a body that carries a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartName {
    /// Its name.
    pub name: String,
    /// The name of the file.
    pub file_name: String,
}

/// One message of several that a reply becomes.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A text.
    Text(Call),
    /// A file. As what it is sent is known once it has been looked at.
    File(FileMessage),
}

/// A file before it was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct FileMessage(Vec<(&'static str, String)>);

/// A file of an album.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// As what it is sent.
    pub medium: Medium,
    /// Its name; may be empty.
    pub name: &'a str,
    /// What stands under it; may be empty.
    pub caption: &'a str,
}

/// How many files one album has at most.
pub const ALBUM_FILES: usize = 10;

/// The messages that a saying becomes: the quote is at the first, the buttons are at the last. None when there is nothing
/// to say.
///
/// The same saying always becomes the same number of messages.
pub fn plan(target: Target<'_>, saying: Saying<'_>) -> Vec<Part> {
    let first = match saying.file {
        WithFile::None | WithFile::Bare => TEXT_UNITS,
        WithFile::Captioned => CAPTION_UNITS,
    };
    // Telegram refuses messages of nothing but white space.
    let mut texts = split(saying.text, first, TEXT_UNITS);
    texts.retain(|text| !text.trim().is_empty());
    let mut texts = texts.into_iter();
    let mut parts: Vec<(Option<&str>, bool)> = match saying.file {
        WithFile::None => Vec::new(),
        WithFile::Captioned => vec![(texts.next(), true)],
        WithFile::Bare => vec![(None, true)],
    };
    parts.extend(texts.map(|text| (Some(text), false)));
    let last = parts.len().saturating_sub(1);
    let markup = saying.keyboard.and_then(|buttons| keyboard::markup(buttons, target.business.is_some()));
    parts
        .into_iter()
        .enumerate()
        .map(|(number, (text, is_file))| {
            let mut texts = address(target);
            texts.extend(saying.quote.filter(|_| number == 0).map(quoting));
            texts.extend(
                markup.as_ref().filter(|_| number == last).map(|markup| ("reply_markup", markup.to_string())),
            );
            let name = if is_file { "caption" } else { "text" };
            texts.extend(text.map(|text| (name, text.to_owned())));
            if is_file {
                Part::File(FileMessage(texts))
            } else {
                Part::Text(Call { method: "sendMessage", params: Params::of(texts), files: Vec::new() })
            }
        })
        .collect()
}

impl FileMessage {
    /// What stands under it; may be empty.
    pub fn caption(&self) -> &str {
        self.0.iter().find(|(name, _)| *name == "caption").map_or("", |(_, caption)| caption)
    }

    /// The call that sends it.
    pub fn call(&self, medium: Medium, name: &str) -> Call {
        let files = vec![PartName { name: medium.word().to_owned(), file_name: file_name(medium, name) }];
        Call { method: medium.method(), params: Params::of(self.0.iter().cloned()), files }
    }
}

/// The call that sends an album of two to ten files which [join](Medium::joins) each other.
pub fn album(target: Target<'_>, quote: Option<i64>, items: &[Item<'_>]) -> Call {
    let files: Vec<PartName> = items
        .iter()
        .enumerate()
        .map(|(number, item)| PartName {
            name: format!("file{number}"),
            file_name: file_name(item.medium, item.name),
        })
        .collect();
    let media = items.iter().zip(&files).map(|(item, part)| {
        let mut media = json!({"type": item.medium.word(), "media": format!("attach://{}", part.name)});
        if !item.caption.trim().is_empty() {
            media["caption"] = item.caption.into();
        }
        media
    });
    let mut texts = address(target);
    texts.push(("media", media.collect::<Value>().to_string()));
    texts.extend(quote.map(quoting));
    Call { method: "sendMediaGroup", params: Params::of(texts), files }
}

/// The call that shows that somebody types.
pub fn typing(target: Target<'_>) -> Call {
    let mut texts = address(target);
    texts.push(("action", "typing".to_owned()));
    Call { method: "sendChatAction", params: Params::of(texts), files: Vec::new() }
}

/// The call that reacts to a message, or takes the reaction back. Which emoji there are is for Telegram to say.
pub fn reaction(of: &MessagePlace, emoji: Option<&str>) -> Call {
    let reaction: Value = emoji.map(|emoji| json!({"type": "emoji", "emoji": emoji})).into_iter().collect();
    let texts = [
        ("chat_id", of.chat.to_string()),
        ("message_id", of.message.to_string()),
        ("reaction", reaction.to_string()),
    ];
    Call { method: "setMessageReaction", params: Params::of(texts), files: Vec::new() }
}

/// The call that ends the waiting of a pressed button.
pub fn answer_press(query: &str) -> Call {
    let params = Params::of([("callback_query_id", query.to_owned())]);
    Call { method: "answerCallbackQuery", params, files: Vec::new() }
}

fn address(target: Target<'_>) -> Vec<(&'static str, String)> {
    let business = target.business.map(|business| ("business_connection_id", business.to_owned()));
    std::iter::once(("chat_id", target.chat.to_string())).chain(business).collect()
}

fn quoting(message: i64) -> (&'static str, String) {
    // A message that is gone is no reason not to say it.
    ("reply_parameters", json!({"message_id": message, "allow_sending_without_reply": true}).to_string())
}

/// The name as the client sees it: without folders and what no screen shows.
fn file_name(medium: Medium, name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown: String = name.chars().filter(|character| !character.is_control()).collect();
    let shown = shown.trim();
    let long = shown.chars().count().saturating_sub(NAME_CHARS);
    // The end says what it is.
    let shown: String = shown.chars().skip(long).collect();
    if shown.is_empty() { medium.file_name().to_owned() } else { shown }
}

#[cfg(test)]
mod tests;
