//! Which kinds a bot gets.

use serde_json::json;
use tandem_sandbox::telegram::Pushed;

use crate::stage::{Receiver, Stage};

fn reaction() -> serde_json::Value {
    json!({"chat": {"id": 1}, "message_id": 1, "date": crate::stage::START, "old_reaction": [], "new_reaction": []})
}

#[tokio::test]
async fn reactions_and_members_come_only_when_asked_for() {
    let stage = Stage::start().await;
    assert_eq!(stage.bot.push("message_reaction", &reaction()), Pushed::Unwanted);
    stage.call("getUpdates", r#"allowed_updates=["Message_Reaction","message"]"#).await;
    let first = stage.push("message_reaction", &reaction());
    assert_eq!(stage.bot.push("poll", &json!({"id": "1"})), Pushed::Unwanted);
    assert_eq!(stage.message(1, "x"), first + 1, "what is rejected takes no number");
}

#[tokio::test]
async fn absent_and_null_leave_the_list_and_an_empty_one_resets_it() {
    let stage = Stage::start().await;
    // Another offset each time, so that nobody is asked to be polite.
    let offset = std::cell::Cell::new(0);
    let set = |value: &'static str| {
        offset.set(offset.get() + 1);
        let form = format!("offset={}&{value}", offset.get());
        let stage = &stage;
        async move { stage.call("getUpdates", &form).await }
    };
    set(r#"allowed_updates=["poll"]"#).await;
    for unchanged in ["", "allowed_updates=null", "allowed_updates=", "allowed_updates=[1]"] {
        set(unchanged).await;
        assert_eq!(stage.webhook_info().await["allowed_updates"], json!(["poll"]), "{unchanged}");
    }
    for reset in ["allowed_updates=[]", r#"allowed_updates=["nonsense"]"#] {
        set(r#"allowed_updates=["poll"]"#).await;
        set(reset).await;
        assert!(stage.webhook_info().await.get("allowed_updates").is_none(), "{reset}");
    }
}

#[tokio::test]
async fn a_changed_list_does_not_touch_what_is_queued() {
    let stage = Stage::start().await;
    let id = stage.message(1, "queued");
    assert_eq!(stage.updates(r#"allowed_updates=["poll"]"#).await, [id]);
    let object = crate::stage::message(1, "late", crate::stage::START);
    assert_eq!(stage.bot.push("message", &object), Pushed::Unwanted);
}

#[tokio::test]
async fn polling_and_webhook_share_one_list_that_survives_their_change() {
    let stage = Stage::start().await;
    let receiver = Receiver::start().await;
    stage.call("getUpdates", r#"allowed_updates=["message"]"#).await;
    stage.call("setWebhook", &format!("url={}", receiver.url)).await;
    assert_eq!(stage.webhook_info().await["allowed_updates"], json!(["message"]));
    stage.advance(1);
    let form = format!(r#"url={}&allowed_updates=["poll"]"#, receiver.url);
    let again = stage.call("setWebhook", &form).await.json();
    assert_eq!(again["description"], "Webhook is already set", "but the list is applied");
    stage.call("deleteWebhook", "").await;
    assert_eq!(stage.webhook_info().await["allowed_updates"], json!(["poll"]));
}
