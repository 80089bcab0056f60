//! Groups and channels: who sees what, members, pins, titles, links, topics.

use serde_json::{Value, json};

use crate::stage::{Stage, id, message_id, picture};

async fn group(stage: &Stage, more: Value) -> i64 {
    let mut group = json!({"title": "Shop", "users": [stage.ann], "bots": [stage.bot]});
    group.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    id(&stage.control("/groups", group).await)
}

async fn says(stage: &Stage, group: i64, user: i64, text: &str) -> i64 {
    message_id(&stage.control(&format!("/groups/{group}/users/{user}/text"), json!({"text": text})).await)
}

#[tokio::test]
async fn a_bot_that_is_added_is_told_and_reads_along() {
    let stage = Stage::start().await;
    let group = group(&stage, json!({})).await;
    let updates = stage.updates().await;
    let joined = &updates[0]["my_chat_member"];
    assert_eq!(joined["chat"], json!({"id": group, "type": "supergroup", "title": "Shop"}));
    assert_eq!(joined["old_chat_member"]["status"], "left");
    assert_eq!(joined["new_chat_member"]["status"], "administrator");
    assert_eq!(updates[1]["message"]["new_chat_members"][0]["id"], stage.bot);
    says(&stage, group, stage.ann, "hello all").await;
    let message = stage.update("message").await;
    assert_eq!(message["text"], "hello all");
    assert_eq!(message["chat"]["id"], group);
}

#[tokio::test]
async fn privacy_mode_hides_what_is_not_for_the_bot() {
    let stage = Stage::start().await;
    let group = group(&stage, json!({"bots_are_admins": false})).await;
    stage.updates().await;
    let mine = message_id(&stage.ok("sendMessage", json!({"chat_id": group, "text": "ask me"})).await);
    says(&stage, group, stage.ann, "chatter").await;
    says(&stage, group, stage.ann, "/help").await;
    says(&stage, group, stage.ann, "/help@other_bot").await;
    says(&stage, group, stage.ann, "/help@Bonus_Bot now").await;
    let path = format!("/groups/{group}/users/{}/text", stage.ann);
    stage.control(&path, json!({"text": "an answer", "reply_to": mine})).await;
    let seen: Vec<String> = stage
        .updates()
        .await
        .iter()
        .map(|update| update["message"]["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(seen, ["/help", "/help@Bonus_Bot now", "an answer"]);
}

#[tokio::test]
async fn bots_of_a_group_do_not_see_each_other() {
    let stage = Stage::start().await;
    let (other, token) = stage.new_bot("other_bot").await;
    let group = group(&stage, json!({"bots": [stage.bot, other]})).await;
    stage.updates().await;
    let sent = stage.call_as(&token, "sendMessage", json!({"chat_id": group, "text": "from a bot"})).await;
    assert_eq!(sent["ok"], true);
    assert!(stage.updates().await.is_empty());
    let shown = stage.look(&format!("/groups/{group}/chat")).await;
    assert_eq!(shown["messages"].as_array().unwrap().last().unwrap()["from_id"], other);
}

#[tokio::test]
async fn a_channel_posts_in_its_own_name() {
    let stage = Stage::start().await;
    let channel = group(&stage, json!({"type": "channel", "username": "shop_news"})).await;
    stage.updates().await;
    says(&stage, channel, stage.ann, "news").await;
    let post = stage.update("channel_post").await;
    assert_eq!(post["sender_chat"]["username"], "shop_news");
    assert!(post.get("from").is_none());
    let sent = stage.ok("sendMessage", json!({"chat_id": "@shop_news", "text": "mine"})).await;
    assert_eq!(sent["chat"]["id"], channel);
    assert_eq!(sent["sender_chat"]["id"], channel);
    assert!(stage.updates().await.is_empty(), "a bot's own post does not come back");
    let edit = json!({"chat_id": channel, "message_id": post["message_id"], "text": "better news"});
    assert_eq!(
        stage.ok("editMessageText", edit).await["text"],
        "better news",
        "an administrator edits posts"
    );
}

#[tokio::test]
async fn a_bots_own_service_messages_come_as_updates() {
    let stage = Stage::start().await;
    let group = group(&stage, json!({})).await;
    let text = says(&stage, group, stage.ann, "important").await;
    stage.updates().await;
    stage.ok("pinChatMessage", json!({"chat_id": group, "message_id": text})).await;
    let pin = stage.update("message").await;
    assert_eq!(pin["from"]["id"], stage.bot);
    assert_eq!(pin["pinned_message"]["text"], "important");
    assert_eq!(stage.ok("getChat", json!({"chat_id": group})).await["pinned_message"]["text"], "important");
    stage.ok("unpinChatMessage", json!({"chat_id": group, "message_id": text})).await;
    let words = stage.refused("unpinChatMessage", json!({"chat_id": group, "message_id": text})).await;
    assert_eq!(words, "Bad Request: message to unpin not found");

    stage.ok("setChatTitle", json!({"chat_id": group, "title": "Big shop"})).await;
    assert_eq!(stage.update("message").await["new_chat_title"], "Big shop");
    stage.upload("setChatPhoto", json!({"chat_id": group}), &[("photo", "a.png", &picture(1))]).await;
    assert!(stage.update("message").await["new_chat_photo"][0]["file_id"].is_string());
    assert!(stage.ok("getChat", json!({"chat_id": group})).await["photo"]["big_file_id"].is_string());
    stage.ok("deleteChatPhoto", json!({"chat_id": group})).await;
    assert_eq!(stage.update("message").await["delete_chat_photo"], true);

    let mine = message_id(&stage.says("in private").await);
    stage.ok("pinChatMessage", json!({"chat_id": stage.ann, "message_id": mine})).await;
    assert_eq!(stage.update("message").await["pinned_message"]["message_id"], mine);
    assert_eq!(stage.chat().await["pinned"], json!([mine]));
}

#[tokio::test]
async fn members_are_counted_named_banned_and_promoted() {
    let stage = Stage::start().await;
    let bob = stage.new_user("Bob").await;
    let group = group(&stage, json!({})).await;
    stage.control(&format!("/groups/{group}/users/{bob}/join"), json!({})).await;
    let updates = stage.updates().await;
    let change = updates.iter().find_map(|update| update.get("chat_member")).unwrap();
    assert_eq!(change["new_chat_member"]["user"]["id"], bob);
    assert_eq!(stage.ok("getChatMemberCount", json!({"chat_id": group})).await, 3);
    let member = json!({"chat_id": group, "user_id": bob});
    assert_eq!(stage.ok("getChatMember", member.clone()).await["status"], "member");
    assert_eq!(
        stage.ok("getChatMember", json!({"chat_id": group, "user_id": stage.ann})).await["status"],
        "creator"
    );
    let admins = stage.ok("getChatAdministrators", json!({"chat_id": group})).await;
    assert_eq!(admins.as_array().unwrap().len(), 2);

    let promote = json!({"chat_id": group, "user_id": bob, "can_pin_messages": true});
    stage.ok("promoteChatMember", promote).await;
    let shown = stage.ok("getChatMember", member.clone()).await;
    assert_eq!(
        (&shown["status"], &shown["can_pin_messages"], &shown["can_delete_messages"]),
        (&json!("administrator"), &json!(true), &json!(false))
    );
    let restrict = json!({"chat_id": group, "user_id": bob, "permissions": {}});
    assert_eq!(
        stage.refused("restrictChatMember", restrict.clone()).await,
        "Bad Request: user is an administrator of the chat"
    );
    stage.ok("promoteChatMember", member.clone()).await;
    stage.ok("restrictChatMember", restrict).await;
    assert_eq!(stage.ok("getChatMember", member.clone()).await["can_send_messages"], false);
    stage.updates().await;
    stage.ok("banChatMember", member.clone()).await;
    let updates = stage.updates().await;
    assert_eq!(updates[0]["message"]["left_chat_member"]["id"], bob);
    assert_eq!(stage.ok("getChatMember", member.clone()).await["status"], "kicked");
    stage.ok("unbanChatMember", member.clone()).await;
    assert_eq!(stage.ok("getChatMember", member).await["status"], "left");
    let owner = json!({"chat_id": group, "user_id": stage.ann});
    assert_eq!(stage.refused("banChatMember", owner).await, "Bad Request: can't remove chat owner");
}

#[tokio::test]
async fn a_plain_member_has_no_rights() {
    let stage = Stage::start().await;
    let group = group(&stage, json!({"bots_are_admins": false})).await;
    let text = says(&stage, group, stage.ann, "x").await;
    for (method, params, words) in [
        (
            "pinChatMessage",
            json!({"chat_id": group, "message_id": text}),
            "not enough rights to manage pinned messages in the chat",
        ),
        ("deleteMessage", json!({"chat_id": group, "message_id": text}), "message can't be deleted"),
        (
            "banChatMember",
            json!({"chat_id": group, "user_id": stage.ann}),
            "not enough rights to restrict/unrestrict chat member",
        ),
    ] {
        assert_eq!(stage.refused(method, params).await, format!("Bad Request: {words}"), "{method}");
    }
    let private = json!({"chat_id": stage.ann, "title": "x"});
    let words = stage.refused("setChatTitle", private).await;
    assert_eq!(words, "Bad Request: method is available for supergroup and channel chats only");
}

#[tokio::test]
async fn invite_links_and_topics_are_remembered() {
    let stage = Stage::start().await;
    let group = group(&stage, json!({})).await;
    let primary = stage.ok("exportChatInviteLink", json!({"chat_id": group})).await;
    assert_eq!(stage.ok("getChat", json!({"chat_id": group})).await["invite_link"], primary);
    let link =
        stage.ok("createChatInviteLink", json!({"chat_id": group, "name": "ads", "member_limit": 5})).await;
    let edit = json!({"chat_id": group, "invite_link": link["invite_link"], "name": "more ads"});
    assert_eq!(stage.ok("editChatInviteLink", edit.clone()).await["member_limit"], 5);
    assert_eq!(stage.ok("revokeChatInviteLink", edit).await["is_revoked"], true);

    stage.updates().await;
    let topic = stage.ok("createForumTopic", json!({"chat_id": group, "name": "Orders"})).await;
    let thread = topic["message_thread_id"].as_i64().unwrap();
    assert_eq!(stage.update("message").await["forum_topic_created"]["name"], "Orders");
    let sent = json!({"chat_id": group, "message_thread_id": thread, "text": "x"});
    assert_eq!(stage.ok("sendMessage", sent).await["message_thread_id"], thread);
    stage.ok("closeForumTopic", json!({"chat_id": group, "message_thread_id": thread})).await;
    let words = stage.refused("closeForumTopic", json!({"chat_id": group, "message_thread_id": 9999})).await;
    assert_eq!(words, "Bad Request: message thread not found");
}
