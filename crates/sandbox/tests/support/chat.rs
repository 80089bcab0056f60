//! A chat as its client sees it, in words: what transcripts are made of.

use std::fmt::Write;

use serde_json::Value;

/// Messages of the bot, oldest first.
pub(crate) fn from_bot(chat: &Value) -> Vec<&Value> {
    messages(chat).iter().filter(|message| message["from"] == "bot").collect()
}

/// All messages, oldest first.
pub(crate) fn messages(chat: &Value) -> &[Value] {
    chat["messages"].as_array().map_or(&[], Vec::as_slice)
}

/// A line for each message, then what stands below the chat: the reply keyboard and the answered callbacks.
pub(crate) fn in_words(chat: &Value) -> String {
    let mut words = String::new();
    for message in messages(chat) {
        writeln!(words, "{}", message_in_words(chat, message)).unwrap();
    }
    if let Some(keyboard) = keyboard_below(chat) {
        writeln!(words, "keyboard below: {keyboard}").unwrap();
    }
    for answer in chat["callback_answers"].as_array().into_iter().flatten() {
        writeln!(words, "callback answered: {}", answer["text"].as_str().unwrap_or("")).unwrap();
    }
    words
}

/// `#4 bot: text "Sure?" [Yes|No] (reply to #3) (edited)`. Messages are numbered by their place in the chat.
pub(crate) fn message_in_words(chat: &Value, message: &Value) -> String {
    let place = |id: &Value| messages(chat).iter().position(|message| message["message_id"] == *id);
    let number = |id: &Value| place(id).map_or("?".to_owned(), |place| format!("#{}", place + 1));
    let text = |name: &str| message[name].as_str().filter(|text| !text.is_empty());
    let id = number(&message["message_id"]);
    let mut words = format!("{id} {}: {}", text("from").unwrap_or("?"), text("kind").unwrap_or("?"));
    if let Some(text) = text("text").or(text("caption")) {
        write!(words, " {text:?}").unwrap();
    }
    if message["keyboard"].is_object() {
        write!(words, " {}", keyboard(&message["keyboard"])).unwrap();
    }
    for entity in message["entities"].as_array().into_iter().flatten() {
        write!(words, " ({} {}+{})", entity["type"].as_str().unwrap(), entity["offset"], entity["length"])
            .unwrap();
    }
    if message["album"].is_string() {
        words += " (album)";
    }
    if message["reply_to"].is_i64() {
        write!(words, " (reply to {})", number(&message["reply_to"])).unwrap();
    }
    if message["forwarded_from"].is_object() {
        let from = &message["forwarded_from"]["sender_user"];
        write!(words, " (forwarded from {})", from["first_name"].as_str().unwrap_or("?")).unwrap();
    }
    for mark in ["edited", "deleted"] {
        if message[mark] == true {
            write!(words, " ({mark})").unwrap();
        }
    }
    words
}

/// The reply keyboard that the client has under the chat now.
pub(crate) fn keyboard_below(chat: &Value) -> Option<String> {
    chat["reply_keyboard"].is_object().then(|| keyboard(&chat["reply_keyboard"]))
}

/// `[Balance|Order] [Share my phone]`
fn keyboard(keyboard: &Value) -> String {
    let rows = ["inline_keyboard", "keyboard"].iter().find_map(|name| keyboard[name].as_array());
    let rows = rows.map_or(&[][..], Vec::as_slice);
    let row = |row: &Value| {
        let buttons = row.as_array().map_or(&[][..], Vec::as_slice);
        let names: Vec<&str> =
            buttons.iter().map(|button| button["text"].as_str().or(button.as_str()).unwrap_or("?")).collect();
        format!("[{}]", names.join("|"))
    };
    rows.iter().map(row).collect::<Vec<_>>().join(" ")
}
