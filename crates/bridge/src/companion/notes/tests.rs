//! What notes say.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tandem_gateway::{Author, Said};
use tandem_model::{BotId, Event, LaneId, Seq, Timestamp, message::Language};
use tandem_telegram::{
    methods::{Capture, Class},
    params::Params,
};

use super::text::Reader;
use crate::rules::{Audience, RouteRules, RuleDocument, RuleHistory};

const ANN: i64 = 1001;

fn app() -> Author<'static> {
    Author::App("main".into())
}

/// A call that Telegram carried out.
fn called(seq: i64, by: Author<'_>, method: &str, more: &[(&str, String)], result: &Value) -> Arc<Event> {
    let Class::Captured(capture) = Class::of(method) else { panic!("{method} is not captured") };
    let capture: Capture = capture;
    let chat = [("chat_id", ANN.to_string())];
    let said = Said {
        by,
        lane: LaneId::new(1).unwrap(),
        method,
        capture,
        parameters: Params::of(
            chat.into_iter().chain(more.iter().map(|(name, value)| (*name, value.clone()))),
        ),
        result: &Bytes::from(result.to_string()),
        now: Timestamp::from_secs(1),
        shown: false,
    };
    let (bot, seq) = (BotId::new(777).unwrap(), Seq::new(seq).unwrap());
    let new = said.event().unwrap();
    Arc::new(Event { bot, seq, virtual_id: None, appended_at: Timestamp::from_secs(1), new })
}

fn message(number: i64, text: &str) -> Value {
    json!({
        "message_id": number, "date": 1, "text": text, "chat": {"id": ANN, "type": "private", "first_name": "Ann"},
        "from": {"id": 777, "is_bot": true, "first_name": "Shop"},
    })
}

fn says(seq: i64, number: i64, text: &str) -> Arc<Event> {
    called(seq, app(), "sendMessage", &[], &message(number, text))
}

fn shows(seq: i64, number: i64, text: &str) -> Arc<Event> {
    let keyboard = json!({"keyboard": [[{"text": "Balance"}, {"text": "Order"}]]}).to_string();
    called(seq, app(), "sendMessage", &[("reply_markup", keyboard)], &message(number, text))
}

fn reader(rules: Vec<RuleDocument>) -> Reader {
    let mut history = RuleHistory::default();
    if !rules.is_empty() {
        history.put(Seq::new(1).unwrap(), rules, Seq::ZERO);
    }
    Reader {
        route: "amocrm".to_owned(),
        language: Language::English,
        rules: RouteRules::of(&history, Audience::Everything),
    }
}

fn note(events: &[Arc<Event>]) -> Option<String> {
    reader(Vec::new()).note(events)
}

#[test]
fn what_was_said_in_a_row_is_one_note_and_menus_are_none() {
    let said = note(&[
        shows(1, 1, "Choose:"),
        says(2, 2, "Your order is ready"),
        shows(3, 3, "You have 100 points"),
        shows(4, 4, "Main menu 👇"),
    ]);
    assert_eq!(said.as_deref(), Some("The bot:\n— Your order is ready\n— You have 100 points"));
    assert_eq!(note(&[shows(1, 1, "Choose:")]), None);
}

#[test]
fn an_edit_is_shown_as_it_ended_and_what_was_deleted_not_at_all() {
    let edited = |seq, number, text| called(seq, app(), "editMessageText", &[], &message(number, text));
    let deleted = called(5, app(), "deleteMessage", &[("message_id", "2".to_owned())], &json!(true));
    let said = note(&[
        says(1, 1, "Wait…"),
        says(2, 2, "Oops"),
        edited(3, 1, "Your order is 7"),
        edited(4, 9, "It was sent yesterday"),
        deleted,
    ]);
    assert_eq!(said.as_deref(), Some("The bot:\n— Your order is 7\n— edited: It was sent yesterday"));
}

#[test]
fn managers_of_other_routes_are_named_and_its_own_are_there_already() {
    let manager = |route: &'static str| Author::Manager {
        route: route.into(),
        id: "8".into(),
        name: Some("Olga".into()),
    };
    let said = note(&[
        called(1, manager("amocrm"), "sendMessage", &[], &message(1, "mine")),
        called(2, manager("wahelp"), "sendMessage", &[], &message(2, "theirs")),
        says(3, 3, "and the bot's"),
    ]);
    assert_eq!(said.as_deref(), Some("Olga:\n— theirs\n\nThe bot:\n— and the bot's"));
}

#[test]
fn what_the_owners_rules_skip_is_left_out_and_nothing_is_without_bounds() {
    let rules: Vec<RuleDocument> =
        serde_json::from_value(json!([{"when": {"text": "Main*"}, "do": "skip"}])).unwrap();
    let reader = reader(rules);
    assert_eq!(reader.note(&[says(1, 1, "Main menu with a long text that is not short at all")]), None);
    let long = "x".repeat(5000);
    let said = note(&(1..=32).map(|number| says(number, number, &long)).collect::<Vec<_>>()).unwrap();
    assert!(said.chars().count() < 9100 && said.ends_with("…"), "{}", said.len());
}
