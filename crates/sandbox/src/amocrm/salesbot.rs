//! The Salesbot's one flow: a question with inline buttons, and an answer to each press.
//!
//! Pure: what starts it, what it sends, what a press means. Its buttons' data begin with a prefix of its own, so
//! that presses of the owner's buttons, which amoCRM gets as well, are told apart.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Telegram's limit for the data of a button.
const CALLBACK_DATA_BYTES: usize = 64;

/// A flow of one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Flow {
    pub(crate) on: Trigger,
    pub(crate) question: String,
    pub(crate) buttons: Vec<Button>,
    pub(crate) prefix: String,
}

/// What starts a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trigger {
    FirstContact,
    /// Exactly this text.
    Text(String),
}

/// An inline button and what is said when it is pressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Button {
    pub(crate) text: String,
    pub(crate) answer: String,
}

/// A flow that Telegram would refuse.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum FlowError {
    #[error("at least one button")]
    NoButtons,
    #[error("a prefix that leaves the buttons' data within {CALLBACK_DATA_BYTES} bytes and is not empty")]
    Prefix,
}

impl Default for Flow {
    fn default() -> Self {
        let button = |text: &str, answer: &str| Button { text: text.to_owned(), answer: answer.to_owned() };
        Self {
            on: Trigger::Text("Выбрать услугу".to_owned()),
            question: "Что вас интересует?".to_owned(),
            buttons: vec![
                button("Цены", "Прайс-лист пришлёт менеджер."),
                button("Адрес", "Ленина, 1. Открыты с 8 до 22."),
            ],
            prefix: "amo:".to_owned(),
        }
    }
}

impl Flow {
    pub(crate) fn check(&self) -> Result<(), FlowError> {
        let Some(last) = self.buttons.len().checked_sub(1) else { return Err(FlowError::NoButtons) };
        if self.prefix.is_empty() || self.data(last).len() > CALLBACK_DATA_BYTES {
            return Err(FlowError::Prefix);
        }
        Ok(())
    }

    pub(crate) fn starts(&self, text: Option<&str>, first_contact: bool) -> bool {
        match &self.on {
            Trigger::FirstContact => first_contact,
            Trigger::Text(expected) => text == Some(expected),
        }
    }

    /// The keyboard under the question, a button a row.
    pub(crate) fn keyboard(&self) -> Value {
        let rows: Vec<Value> = self
            .buttons
            .iter()
            .enumerate()
            .map(|(index, button)| json!([{"text": button.text, "callback_data": self.data(index)}]))
            .collect();
        json!({"inline_keyboard": rows})
    }

    /// What is said to a press; `None` for buttons of somebody else.
    pub(crate) fn answer(&self, data: &str) -> Option<&str> {
        let index: usize = data.strip_prefix(&self.prefix)?.parse().ok()?;
        self.buttons.get(index).map(|button| button.answer.as_str())
    }

    fn data(&self, index: usize) -> String {
        format!("{}{index}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_is_answered_only_if_the_button_is_its_own() {
        let flow = Flow::default();
        assert_eq!(flow.keyboard()["inline_keyboard"][1][0]["callback_data"], "amo:1");
        assert_eq!(flow.answer("amo:1"), Some("Ленина, 1. Открыты с 8 до 22."));
        assert_eq!(flow.answer("amo:2"), None);
        assert_eq!(flow.answer("order:1"), None);
    }

    #[test]
    fn a_flow_that_telegram_would_refuse_is_refused() {
        let flow = |prefix: &str, buttons| Flow { prefix: prefix.to_owned(), buttons, ..Flow::default() };
        let buttons = Flow::default().buttons;
        assert_eq!(flow("a", Vec::new()).check(), Err(FlowError::NoButtons));
        assert_eq!(flow("", buttons.clone()).check(), Err(FlowError::Prefix));
        assert_eq!(flow(&"x".repeat(64), buttons.clone()).check(), Err(FlowError::Prefix));
        assert_eq!(flow(&"x".repeat(63), buttons).check(), Ok(()));
    }
}
