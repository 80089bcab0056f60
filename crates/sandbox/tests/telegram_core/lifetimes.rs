//! How long updates live.

use serde_json::json;
use tandem_sandbox::telegram::Pushed;

use crate::stage::{START, Stage, message};

#[tokio::test]
async fn each_kind_lives_as_long_as_at_telegram() {
    let from = json!({"id": "1", "from": {"id": 1}});
    let cases = [
        ("inline_query", 30, from.clone()),
        ("callback_query", 150, from.clone()),
        ("shipping_query", 150, from.clone()),
        ("pre_checkout_query", 150, from.clone()),
        ("chosen_inline_result", 600, from),
        ("poll", 86_400, json!({"id": "1"})),
        ("message", 86_400, message(1, "x", START)),
    ];
    for (kind, seconds, object) in cases {
        let stage = Stage::start().await;
        let id = stage.push(kind, &object);
        stage.advance(seconds - 1);
        assert_eq!(stage.updates("").await, [id], "{kind} before its end");
        stage.advance(1);
        assert_eq!(stage.updates("offset=1").await, [0; 0], "{kind} after its end");
        let record = &stage.bot.updates_after(0)[0];
        assert!(record.expired && !record.confirmed, "{kind}");
    }
}

#[tokio::test]
async fn a_message_lives_from_its_date_and_an_edit_from_its_edit() {
    let stage = Stage::start().await;
    let id = stage.push("message", &message(1, "old", START - 86_000));
    let mut edited = message(1, "edited", START - 200_000);
    edited["edit_date"] = START.into();
    let edit = stage.push("edited_message", &edited);
    assert_eq!(stage.updates("").await, [id, edit]);
    stage.advance(400);
    assert_eq!(stage.updates("offset=1").await, [edit]);
    assert_eq!(stage.bot.push("message", &message(1, "older", START - 86_400)), Pushed::Expired);
}
