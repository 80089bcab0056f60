//! Inline keyboards: whether pressing their buttons comes back as a callback query.

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
}
