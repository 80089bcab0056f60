//! Group 8: `allowed_updates` (2.5).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tandem_sandbox::telegram::Pushed;

use crate::{
    stage::{Side, Stage, http::FORM, http::post, ids, message},
    table::{Case, case},
};

pub(crate) const CASES: &[Case] = &[
    case!(
        by_default_all_but_three_kinds_come,
        "2.5",
        "Never asked, a bot gets every kind but `chat_member`, `message_reaction` and `message_reaction_count`."
    ),
    case!(
        names_are_compared_in_lower_case,
        "2.5, 10.8",
        "`[\"Message\", \"CHAT_MEMBER\"]` lets messages and members through and nothing else."
    ),
    case!(unknown_names_are_ignored, "2.5, 10.8", "`[\"poll\", \"nonsense\"]` is `[\"poll\"]`."),
    case!(
        an_empty_list_and_one_without_a_known_name_are_the_default,
        "2.5, 10.8",
        "`[]` and `[\"nonsense\"]` bring the default back."
    ),
    case!(
        what_is_no_list_of_strings_leaves_the_setting,
        "2.5, 10.8",
        "Absent, `null`, a text, an object, broken JSON and a list with a number leave what was set."
    ),
    case!(
        a_list_may_be_json_or_a_text_of_json,
        "1.2",
        "`[\"poll\"]` and `\"[\\\"poll\\\"]\"` in JSON and `[\"poll\"]` in a form are the same."
    ),
    case!(
        a_list_decides_about_later_updates_only,
        "2.5",
        "What is queued stays though the list has changed, and what was not wanted does not appear when it is."
    ),
    case!(
        polls_and_webhooks_share_one_setting,
        "2.5",
        "What `getUpdates` has set holds for `setWebhook` without a list, what `setWebhook` has set for `getUpdates`."
    ),
    case!(
        each_consumer_has_a_list_of_its_own,
        "2.5, 10.8",
        "One consumer's list changes nothing for another."
    ),
    case!(the_setting_survives_a_restart, "2.5", "After a restart the list is the same.")
        .sandbox_differs("keeps nothing across a restart: the bot itself is unknown"),
    case!(
        info_shows_the_list_only_when_it_is_not_the_default,
        "2.5, 3.2",
        "`getWebhookInfo` has `allowed_updates` after a list, and not after the default, also when the default is spelled out."
    ),
    case!(
        kinds_of_the_future_are_in_the_default_and_in_no_list,
        "2.5",
        "An unknown kind comes by default and does not with an explicit list."
    )
    .sandbox_differs("comes whatever the list, so that programs can be tried with it"),
    case!(
        a_list_comes_with_the_offset_of_the_same_call,
        "2.2, 2.5",
        "One call sets a list, confirms and returns what is left."
    ),
    case!(
        what_is_not_wanted_takes_no_number,
        "2.6",
        "An update that the list rejects takes no `update_id`: the next one follows without a gap."
    )
    .tandem_differs("ids are the bot's, and each app sees those of its own kinds: rising, with gaps"),
];

/// One update of each of these kinds.
async fn push_each(t: &Stage) -> Vec<&'static str> {
    let user = json!({"id": 7, "is_bot": false, "first_name": "Ann"});
    let object = json!({
        "id": "7", "message_id": 1, "date": t.clock.now_secs(), "user": user, "from": user,
        "chat": {"id": 7, "type": "private", "first_name": "Ann"}, "new_chat_member": {"user": user},
    });
    let kinds = [
        "message",
        "edited_message",
        "callback_query",
        "poll",
        "my_chat_member",
        "chat_member",
        "message_reaction",
        "message_reaction_count",
    ];
    for kind in kinds {
        t.offer(kind, &object).await;
    }
    kinds.to_vec()
}

/// Which kinds come, and everything is confirmed.
async fn comes(t: &Stage) -> BTreeSet<String> {
    push_each(t).await;
    let updates = t.updates(json!({})).await;
    let kinds = updates
        .iter()
        .map(|update| update.as_object().unwrap().keys().find(|key| *key != "update_id").unwrap().clone());
    let kinds = kinds.collect();
    if let Some(last) = ids(&updates).last() {
        assert!(t.updates(json!({"offset": last + 1})).await.is_empty());
    }
    kinds
}

fn set(kinds: &[&str]) -> BTreeSet<String> {
    kinds.iter().map(|&kind| kind.to_owned()).collect()
}

fn default() -> BTreeSet<String> {
    set(&["message", "edited_message", "callback_query", "poll", "my_chat_member"])
}

async fn by_default_all_but_three_kinds_come(t: &mut Stage) {
    assert_eq!(comes(t).await, default());
}

async fn names_are_compared_in_lower_case(t: &mut Stage) {
    t.updates(json!({"allowed_updates": ["Message", "CHAT_MEMBER"]})).await;
    assert_eq!(comes(t).await, set(&["message", "chat_member"]));
}

async fn unknown_names_are_ignored(t: &mut Stage) {
    t.updates(json!({"allowed_updates": ["poll", "nonsense"]})).await;
    assert_eq!(comes(t).await, set(&["poll"]));
}

async fn an_empty_list_and_one_without_a_known_name_are_the_default(t: &mut Stage) {
    for list in [json!([]), json!(["nonsense"]), json!("[]"), json!(" [ ] ")] {
        t.updates(json!({"allowed_updates": ["poll"]})).await;
        assert_eq!(comes(t).await, set(&["poll"]));
        t.updates(json!({"allowed_updates": list})).await;
        assert_eq!(comes(t).await, default(), "{list}");
    }
}

async fn what_is_no_list_of_strings_leaves_the_setting(t: &mut Stage) {
    t.updates(json!({"allowed_updates": ["poll"]})).await;
    for params in [
        json!({}),
        json!({"allowed_updates": null}),
        json!({"allowed_updates": "null"}),
        json!({"allowed_updates": "message"}),
        json!({"allowed_updates": {"0": "message"}}),
        json!({"allowed_updates": "[\"message\""}),
        json!({"allowed_updates": ["message", 5]}),
        json!({"allowed_updates": ["message", null]}),
        json!({"allowed_updates": 7}),
        json!({"allowed_updates": ""}),
    ] {
        t.updates(params.clone()).await;
        assert_eq!(comes(t).await, set(&["poll"]), "{params}");
    }
}

async fn a_list_may_be_json_or_a_text_of_json(t: &mut Stage) {
    for list in [json!(["poll"]), json!("[\"poll\"]")] {
        t.updates(json!({"allowed_updates": []})).await;
        t.updates(json!({"allowed_updates": list})).await;
        assert_eq!(comes(t).await, set(&["poll"]), "{list}");
    }
    t.updates(json!({"allowed_updates": []})).await;
    t.later(4).await;
    let form = post(&t.app.path("getUpdates"), FORM, "allowed_updates=%5B%22poll%22%5D");
    t.app.send(form).await.result();
    assert_eq!(comes(t).await, set(&["poll"]));
}

async fn a_list_decides_about_later_updates_only(t: &mut Stage) {
    t.updates(json!({"allowed_updates": ["message"]})).await;
    push_each(t).await;
    assert_eq!(t.updates(json!({"allowed_updates": ["poll"]})).await.len(), 1, "the message was queued");
    push_each(t).await;
    let updates = t.updates(json!({})).await;
    let kinds: Vec<_> = updates
        .iter()
        .map(|update| (update.get("message").is_some(), update.get("poll").is_some()))
        .collect();
    assert_eq!(kinds, [(true, false), (false, true)], "no poll of before, no message of after");
}

async fn polls_and_webhooks_share_one_setting(t: &mut Stage) {
    t.updates(json!({"allowed_updates": ["poll"]})).await;
    let mut receiver = t.receiver().await;
    push_each(t).await;
    let delivery = receiver.next().await;
    assert_eq!(delivery.text(), "poll");
    delivery.ok();
    let list = json!(["callback_query"]);
    let said = t.set_webhook(json!({"url": receiver.url, "allowed_updates": list})).await;
    assert_eq!(said, "Webhook is already set", "the list counts all the same");
    assert_eq!(t.webhook_info().await["allowed_updates"], list);
    t.app.call("deleteWebhook", json!({})).await.result();
    assert_eq!(comes(t).await, set(&["callback_query"]));
}

async fn each_consumer_has_a_list_of_its_own(t: &mut Stage) {
    let (other, _) = t.another().await;
    t.updates(json!({"allowed_updates": ["poll"]})).await;
    t.updates_of(&other, json!({"allowed_updates": ["message"]})).await;
    assert_eq!(comes(t).await, set(&["poll"]));
    let info = other.call("getWebhookInfo", json!({})).await.result();
    assert_eq!(info["allowed_updates"], json!(["message"]));
    if t.side == Side::Tandem {
        assert_eq!(t.updates_of(&other, json!({})).await.len(), 1);
    }
}

async fn the_setting_survives_a_restart(t: &mut Stage) {
    t.updates(json!({"allowed_updates": ["poll"]})).await;
    t.restart().await;
    if t.differs() {
        t.app.call("getUpdates", json!({})).await.is_refusal(401, "Unauthorized");
    } else {
        assert_eq!(comes(t).await, set(&["poll"]));
    }
}

async fn info_shows_the_list_only_when_it_is_not_the_default(t: &mut Stage) {
    let shown = async |t: &Stage| {
        let info = t.webhook_info().await;
        let list: Option<Vec<Value>> =
            info.get("allowed_updates").map(|list| list.as_array().unwrap().clone());
        list.map(|list| list.iter().map(|name| name.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>())
    };
    assert_eq!(shown(t).await, None);
    t.updates(json!({"allowed_updates": ["Chat_Member", "poll", "nonsense"]})).await;
    assert_eq!(shown(t).await, Some(set(&["chat_member", "poll"])));
    t.updates(json!({"allowed_updates": []})).await;
    assert_eq!(shown(t).await, None);
    let every_default = json!([
        "message",
        "edited_message",
        "channel_post",
        "edited_channel_post",
        "business_connection",
        "business_message",
        "edited_business_message",
        "deleted_business_messages",
        "guest_message",
        "inline_query",
        "chosen_inline_result",
        "callback_query",
        "shipping_query",
        "pre_checkout_query",
        "purchased_paid_media",
        "poll",
        "poll_answer",
        "my_chat_member",
        "chat_join_request",
        "chat_boost",
        "removed_chat_boost",
        "managed_bot",
        "subscription",
        "stopped_message_generation"
    ]);
    t.updates(json!({"allowed_updates": every_default})).await;
    assert_eq!(shown(t).await, None);
}

async fn kinds_of_the_future_are_in_the_default_and_in_no_list(t: &mut Stage) {
    t.push_raw(r#"{"kind_of_2030":{"id":"1"}}"#).await;
    assert_eq!(t.texts(json!({"allowed_updates": ["message"]})).await, ["kind_of_2030"]);
    t.push_raw(r#"{"kind_of_2030":{"id":"2"}}"#).await;
    t.says(7, "hello").await;
    let texts = t.texts(json!({})).await;
    if t.differs() {
        assert_eq!(texts, ["kind_of_2030", "kind_of_2030", "hello"]);
    } else {
        assert_eq!(texts, ["kind_of_2030", "hello"]);
    }
}

async fn a_list_comes_with_the_offset_of_the_same_call(t: &mut Stage) {
    t.says(7, "one").await;
    t.says(7, "two").await;
    let first = ids(&t.updates(json!({})).await)[0];
    let params = json!({"offset": first + 1, "allowed_updates": ["poll"]});
    assert_eq!(t.texts(params).await, ["two"]);
    assert_eq!(comes(t).await, set(&["message", "poll"]));
    assert_eq!(comes(t).await, set(&["poll"]));
}

async fn what_is_not_wanted_takes_no_number(t: &mut Stage) {
    t.updates(json!({"allowed_updates": ["message"]})).await;
    t.says(7, "one").await;
    let pushed = t.offer("poll", &json!({"id": "1"})).await;
    t.push("message", &message(7, "two", t.clock.now_secs())).await;
    let ids = ids(&t.updates(json!({})).await);
    if t.differs() {
        assert!(matches!(pushed, Pushed::Stored { .. }), "Tandem asks for everything");
        assert_eq!(ids[1], ids[0] + 2);
    } else {
        assert_eq!(pushed, Pushed::Unwanted);
        assert_eq!(ids[1], ids[0] + 1);
    }
}
