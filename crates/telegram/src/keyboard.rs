//! Keyboards: whether pressing an inline one's buttons comes back as a callback query, and what a reply keyboard's say.

use serde::{Deserialize, de::IgnoredAny};

/// What matters of a `reply_markup`.
#[derive(Deserialize)]
struct Markup {
    inline_keyboard: Vec<Vec<Button>>,
}

#[derive(Deserialize)]
struct Button {
    callback_data: Option<IgnoredAny>,
    callback_game: Option<IgnoredAny>,
}

/// Whether a `reply_markup` has a button whose press is a callback query. Reply keyboards, links and what cannot be read
/// have none.
pub fn has_callbacks(markup: &[u8]) -> bool {
    let presses = |button: &Button| button.callback_data.is_some() || button.callback_game.is_some();
    serde_json::from_slice(markup)
        .is_ok_and(|Markup { inline_keyboard }| inline_keyboard.iter().flatten().any(presses))
}

/// What a `reply_markup` does to the keyboard in place of the client's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyKeyboard {
    /// It is shown from now on, with these texts on its buttons. A press of one comes back as a message with exactly its
    /// text. One that is for one time is hidden after a press and stays within reach, so that it counts like any other.
    Shown(Vec<String>),
    /// There is none from now on.
    Removed,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ReplyMarkup {
    Keyboard { keyboard: Vec<Vec<ReplyButton>> },
    Remove { remove_keyboard: bool },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ReplyButton {
    Text(String),
    Button { text: String },
}

impl ReplyKeyboard {
    /// Of a `reply_markup`; `None` when it leaves the keyboard as it is: inline keyboards, replies that are asked for.
    pub fn of(markup: &[u8]) -> Option<Self> {
        match serde_json::from_slice(markup).ok()? {
            ReplyMarkup::Keyboard { keyboard } => {
                let text = |button| match button {
                    ReplyButton::Text(text) | ReplyButton::Button { text } => text,
                };
                Some(Self::Shown(keyboard.into_iter().flatten().map(text).collect()))
            }
            ReplyMarkup::Remove { remove_keyboard } => remove_keyboard.then_some(Self::Removed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_buttons_that_come_back_as_a_query_count() {
        for (markup, expected) in [
            (r#"{"inline_keyboard":[[{"text":"Yes","callback_data":"yes"}]]}"#, true),
            (
                r#"{"inline_keyboard":[[{"text":"a","url":"https://a.example"}],[{"text":"Play","callback_game":{}}]]}"#,
                true,
            ),
            (
                r#"{"inline_keyboard":[[{"text":"a","url":"https://a.example"},{"text":"Pay","pay":true}]]}"#,
                false,
            ),
            (r#"{"inline_keyboard":[[{"text":"a","callback_data":null}]]}"#, false),
            (r#"{"inline_keyboard":[]}"#, false),
            (r#"{"keyboard":[[{"text":"Yes"}]]}"#, false),
            (r#"{"inline_keyboard":7}"#, false),
            ("", false),
        ] {
            assert_eq!(has_callbacks(markup.as_bytes()), expected, "{markup}");
        }
    }

    #[test]
    fn a_reply_keyboard_is_shown_or_taken_away_and_anything_else_leaves_it() {
        let shown =
            |texts: &[&str]| Some(ReplyKeyboard::Shown(texts.iter().map(|&text| text.to_owned()).collect()));
        for (markup, expected) in [
            (
                r#"{"keyboard":[["A",{"text":"B","request_contact":true}],[{"text":"C"}]],"is_persistent":true}"#,
                shown(&["A", "B", "C"]),
            ),
            (r#"{"keyboard":[[{"text":"A"}]],"one_time_keyboard":true}"#, shown(&["A"])),
            (r#"{"keyboard":[]}"#, shown(&[])),
            (r#"{"remove_keyboard":true}"#, Some(ReplyKeyboard::Removed)),
            (r#"{"remove_keyboard":false}"#, None),
            (r#"{"inline_keyboard":[[{"text":"A","callback_data":"a"}]]}"#, None),
            (r#"{"force_reply":true}"#, None),
            ("keyboard", None),
            ("", None),
        ] {
            assert_eq!(ReplyKeyboard::of(markup.as_bytes()), expected, "{markup}");
        }
    }
}
