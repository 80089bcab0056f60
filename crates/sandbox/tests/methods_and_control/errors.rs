//! Where a bot may not write, in Telegram's words.

use serde_json::{Value, json};

use crate::stage::{Stage, id};

async fn says(stage: &Stage, chat: impl Into<Value>) -> String {
    let answer = stage.call("sendMessage", json!({"chat_id": chat.into(), "text": "x"})).await;
    let code = answer["error_code"].as_i64().unwrap_or(200);
    format!("{code} {}", answer["description"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn unknown_chats_are_not_found() {
    let stage = Stage::start().await;
    for chat in [json!(42), json!(-42), json!("@nobody_here"), json!("nonsense")] {
        assert_eq!(says(&stage, chat.clone()).await, "400 Bad Request: chat not found", "{chat}");
    }
    assert_eq!(stage.refused("sendMessage", json!({"text": "x"})).await, "Bad Request: chat_id is empty");
}

#[tokio::test]
async fn a_bot_writes_to_people_who_started_it_only() {
    let stage = Stage::start().await;
    let bob = stage.new_user("Bob").await;
    assert_eq!(says(&stage, bob).await, "400 Bad Request: chat not found");
    stage.control("/groups", json!({"title": "G", "users": [bob], "bots": [stage.bot]})).await;
    assert_eq!(says(&stage, bob).await, "403 Forbidden: bot can't initiate conversation with a user");
    let (other, _) = stage.new_bot("other_bot").await;
    assert_eq!(says(&stage, other).await, "403 Forbidden: bot can't send messages to bots");
    assert_eq!(says(&stage, "@other_bot").await, "403 Forbidden: bot can't send messages to bots");
}

#[tokio::test]
async fn a_block_is_told_and_refuses_sends_until_it_is_taken_back() {
    let stage = Stage::start().await;
    stage.acts("block", json!({})).await;
    let update = stage.update("my_chat_member").await;
    assert_eq!(update["old_chat_member"]["status"], "member");
    assert_eq!(update["new_chat_member"]["status"], "kicked");
    assert_eq!(update["new_chat_member"]["user"]["id"], stage.bot);
    assert_eq!(update["from"]["id"], stage.ann);
    assert_eq!(says(&stage, stage.ann).await, "403 Forbidden: bot was blocked by the user");
    let refused = stage.impossible("text", json!({"text": "x"})).await;
    assert_eq!(refused["expected"], "an unblock or a start first");
    stage.acts("start", json!({})).await;
    let updates = stage.updates().await;
    assert_eq!(updates[0]["my_chat_member"]["new_chat_member"]["status"], "member");
    assert_eq!(updates[1]["message"]["text"], "/start");
    assert_eq!(says(&stage, stage.ann).await, "200 ");

    stage.control(&format!("/users/{}", stage.ann), json!({"deactivated": true})).await;
    assert_eq!(says(&stage, stage.ann).await, "403 Forbidden: user is deactivated");
}

#[tokio::test]
async fn a_bot_that_is_out_of_a_group_is_told_how() {
    let stage = Stage::start().await;
    for (kind, word) in [("supergroup", "supergroup"), ("group", "group"), ("channel", "channel")] {
        let group = json!({"title": "G", "type": kind, "users": [stage.ann], "bots": [stage.bot]});
        let group = id(&stage.control("/groups", group).await);
        assert_eq!(says(&stage, group).await, "200 ");
        stage
            .control(&format!("/groups/{group}/users/{}/kick", stage.ann), json!({"member": stage.bot}))
            .await;
        assert_eq!(says(&stage, group).await, format!("403 Forbidden: bot was kicked from the {word} chat"));

        let group = json!({"title": "G", "type": kind, "users": [stage.ann], "bots": [stage.bot]});
        let group = id(&stage.control("/groups", group).await);
        stage.ok("leaveChat", json!({"chat_id": group})).await;
        assert_eq!(
            says(&stage, group).await,
            format!("403 Forbidden: bot is not a member of the {word} chat")
        );
    }
    let group =
        id(&stage.control("/groups", json!({"title": "G", "users": [stage.ann], "bots": [stage.bot]})).await);
    let (status, _) = stage.control_raw("DELETE", &format!("/groups/{group}"), String::new()).await;
    assert_eq!(status, 200);
    assert_eq!(says(&stage, group).await, "403 Forbidden: the group chat was deleted");
}

#[tokio::test]
async fn an_upgraded_group_gives_its_new_id() {
    let stage = Stage::start().await;
    let group = json!({"title": "G", "type": "group", "users": [stage.ann], "bots": [stage.bot]});
    let group = id(&stage.control("/groups", group).await);
    stage.updates().await;
    let new = id(&stage.control(&format!("/groups/{group}/upgrade"), json!({})).await);
    let answer = stage.call("sendMessage", json!({"chat_id": group, "text": "x"})).await;
    assert_eq!(answer["description"], "Bad Request: group chat was upgraded to a supergroup chat");
    assert_eq!(answer["parameters"]["migrate_to_chat_id"], new);
    let updates = stage.updates().await;
    assert_eq!(updates[0]["message"]["migrate_to_chat_id"], new);
    assert_eq!(updates[1]["message"]["migrate_from_chat_id"], group);
    assert_eq!(says(&stage, new).await, "200 ");
}

#[tokio::test]
async fn a_missing_parameter_is_named() {
    let stage = Stage::start().await;
    let chat = stage.ann;
    for (method, params, words) in [
        ("sendPhoto", json!({"chat_id": chat}), "there is no photo in the request"),
        ("sendVideoNote", json!({"chat_id": chat}), "there is no video note in the request"),
        ("sendMediaGroup", json!({"chat_id": chat}), "parameter \"media\" is required"),
        ("sendContact", json!({"chat_id": chat}), "phone_number is empty"),
        (
            "sendVenue",
            json!({"chat_id": chat, "latitude": 1, "longitude": 1}),
            "parameter \"title\" is required",
        ),
        ("setStickerSetTitle", json!({"name": "x"}), "parameter \"title\" is required"),
        ("getChatMember", json!({"chat_id": chat}), "invalid user_id specified"),
    ] {
        assert_eq!(stage.refused(method, params).await, format!("Bad Request: {words}"), "{method}");
    }
}
