//! Buttons that a manager shows: as a keyboard of Telegram's, and back from a press.
//!
//! A press of a CRM's button is a message with exactly the button's text (amocrm.md 2.4). A reply keyboard makes one by
//! itself. A press of an inline button comes as callback data of at most 64 bytes: the text where it fits, else the
//! button's place in the keyboard that the press brings along.

use serde_json::{Value, json};
use tandem_model::message::{Keyboard, KeyboardButton, KeyboardKind};

use crate::{told, update::UpdateView};

/// What the data of our buttons begins with when the text follows.
const TEXT: &str = "tandem:";
/// The same when the button's place follows.
const PLACE: &str = "tandem#";
/// Longest callback data, in bytes (reference/telegram.md 6).
const DATA_BYTES: usize = 64;

/// The `reply_markup` of a keyboard; `None` when it has no button with a text.
///
/// A button that leads somewhere needs an inline keyboard, so one of them makes all of them inline; so does a chat of a
/// business account, where Telegram shows no other.
pub(super) fn markup(keyboard: &Keyboard, business: bool) -> Option<Value> {
    let rows: Vec<Vec<&KeyboardButton>> = keyboard
        .rows
        .iter()
        .map(|row| row.iter().filter(|button| !button.text.trim().is_empty()).collect::<Vec<_>>())
        .filter(|row| !row.is_empty())
        .collect();
    if rows.is_empty() {
        return None;
    }
    let leads = rows.iter().flatten().any(|button| button.url.is_some());
    if keyboard.kind == KeyboardKind::Inline || leads || business {
        let inline = rows.iter().enumerate().map(|(row, buttons)| {
            buttons.iter().enumerate().map(|(column, button)| inline(button, row, column)).collect::<Value>()
        });
        Some(json!({ "inline_keyboard": inline.collect::<Value>() }))
    } else {
        let reply =
            rows.iter().map(|row| row.iter().map(|button| json!({"text": button.text})).collect::<Value>());
        Some(json!({ "keyboard": reply.collect::<Value>(), "resize_keyboard": true }))
    }
}

fn inline(button: &KeyboardButton, row: usize, column: usize) -> Value {
    match &button.url {
        Some(url) => json!({"text": button.text, "url": url}),
        None => json!({"text": button.text, "callback_data": data(&button.text, row, column)}),
    }
}

fn data(text: &str, row: usize, column: usize) -> String {
    if TEXT.len() + text.len() <= DATA_BYTES {
        format!("{TEXT}{text}")
    } else {
        format!("{PLACE}{row}.{column}")
    }
}

/// Whether callback data can be that of a button which [`super::plan`] made.
pub fn is_ours(data: &str) -> bool {
    data.starts_with(TEXT) || data.starts_with(PLACE)
}

/// What stands on the pressed button, if the update is a press of one of ours. Anybody could have chosen the same data:
/// ask only about presses of keyboards that are known to be ours.
pub fn pressed(update: &UpdateView<'_>) -> Option<String> {
    let data = update.callback_data()?;
    if let Some(text) = data.strip_prefix(TEXT) {
        return Some(text.to_owned());
    }
    if !is_ours(&data) {
        return None;
    }
    // Telegram leaves the keyboard out of a message that is too old; then nobody knows what stood there.
    told::label_of(update)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn keyboard(kind: KeyboardKind, rows: &[&[(&str, Option<&str>)]]) -> Keyboard {
        let button = |(text, url): &(&str, Option<&str>)| KeyboardButton {
            text: (*text).to_owned(),
            url: url.map(str::to_owned),
        };
        Keyboard { kind, rows: rows.iter().map(|row| row.iter().map(button).collect()).collect() }
    }

    #[test]
    fn a_keyboard_is_of_the_kind_that_was_asked_for_unless_a_button_leads_somewhere() {
        let texts: &[&[(&str, Option<&str>)]] =
            &[&[("Red", None), ("Blue", None)], &[(" ", None)], &[("None", None)]];
        assert_eq!(
            markup(&keyboard(KeyboardKind::Reply, texts), false).unwrap(),
            json!({"keyboard": [[{"text": "Red"}, {"text": "Blue"}], [{"text": "None"}]], "resize_keyboard": true})
        );
        let inline = json!({"inline_keyboard": [
            [{"text": "Red", "callback_data": "tandem:Red"}, {"text": "Blue", "callback_data": "tandem:Blue"}],
            [{"text": "None", "callback_data": "tandem:None"}],
        ]});
        assert_eq!(markup(&keyboard(KeyboardKind::Inline, texts), false).unwrap(), inline);
        assert_eq!(markup(&keyboard(KeyboardKind::Reply, texts), true).unwrap(), inline);
        let mixed: &[&[(&str, Option<&str>)]] = &[&[("Pay", Some("https://pay.example")), ("Later", None)]];
        assert_eq!(
            markup(&keyboard(KeyboardKind::Reply, mixed), false).unwrap(),
            json!({"inline_keyboard": [[
                {"text": "Pay", "url": "https://pay.example"},
                {"text": "Later", "callback_data": "tandem:Later"},
            ]]})
        );
        for none in [&[][..], &[&[][..]], &[&[("", None)]]] {
            assert_eq!(markup(&keyboard(KeyboardKind::Reply, none), false), None);
        }
    }

    #[test]
    fn a_press_is_what_stood_on_the_button_however_long() {
        let long = "Перезвоните мне, пожалуйста, завтра утром после девяти";
        let shown = markup(
            &keyboard(KeyboardKind::Inline, &[&[("Yes", None)], &[("No", None), (long, None)]]),
            false,
        );
        let shown = shown.unwrap();
        let press = |data: &str, markup: Option<&Value>| {
            let mut message = json!({"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"}});
            if let Some(markup) = markup {
                message["reply_markup"] = markup.clone();
            }
            let update = json!({"update_id": 1, "callback_query": {
                "id": "9", "from": {"id": 7, "is_bot": false, "first_name": "Ann"}, "chat_instance": "1",
                "data": data, "message": message,
            }});
            let bytes = Bytes::from(update.to_string());
            pressed(&UpdateView::of(&bytes).unwrap())
        };
        for row in shown["inline_keyboard"].as_array().unwrap() {
            for button in row.as_array().unwrap() {
                let data = button["callback_data"].as_str().unwrap();
                assert!(data.len() <= DATA_BYTES && is_ours(data), "{data}");
                assert_eq!(press(data, Some(&shown)).as_deref(), button["text"].as_str());
            }
        }
        assert_eq!(press("tandem#1.1", None), None, "the message is too old");
        assert_eq!(press("tandem#7.1", Some(&shown)), None);
        assert_eq!(press("order:7", Some(&shown)), None);
        assert!(!is_ours("order:7"));
    }
}
