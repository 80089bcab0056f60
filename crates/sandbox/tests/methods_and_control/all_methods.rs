//! Every documented method answers in its documented shape.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::documentation::Documentation;
use crate::stage::{Stage, id, message_id, picture};

/// Parameters that must mean something; the others are made up from their type.
async fn scene(stage: &Stage) -> (BTreeMap<&'static str, Value>, i64) {
    let bob = stage.new_user("Bob").await;
    let group = id(&stage
        .control("/groups", json!({"title": "G", "users": [stage.ann, bob], "bots": [stage.bot]}))
        .await);
    let business = json!({"business_connection": {
        "id": "business", "user": {"id": stage.ann, "is_bot": false, "first_name": "Ann"}, "user_chat_id": stage.ann,
        "date": 1_800_000_000, "is_enabled": true,
    }});
    stage.control(&format!("/bots/{}/updates", stage.bot), business).await;
    stage.acts("document", json!({})).await;
    stage.acts("photo", json!({})).await;
    stage.acts("sticker", json!({})).await;
    let files: Vec<Value> =
        stage.updates().await.into_iter().filter_map(|update| update.get("message").cloned()).collect();
    let file = |kind: &str| files.iter().find_map(|message| message.get(kind)).unwrap();
    let photo = file("photo").as_array().unwrap().last().unwrap()["file_id"].clone();
    let document = file("document")["file_id"].clone();
    let mut params: BTreeMap<&'static str, Value> = BTreeMap::new();
    let entries = [
        ("chat_id", json!(group)),
        ("from_chat_id", json!(stage.ann)),
        ("user_id", json!(bob)),
        ("business_connection_id", json!("business")),
        ("file_id", photo.clone()),
        ("photo", photo.clone()),
        ("document", document.clone()),
        ("sticker", file("sticker")["file_id"].clone()),
        ("text", json!("text")),
        ("latitude", json!(1.0)),
        ("longitude", json!(1.0)),
        ("action", json!("typing")),
        ("currency", json!("XTR")),
        ("prices", json!([{"label": "x", "amount": 1}])),
        ("emoji", json!("🎲")),
        ("draft_id", json!(1)),
        ("star_count", json!(1)),
        ("custom_title", json!("boss")),
        ("score", json!(5)),
        ("commands", json!([{"command": "a", "description": "b"}])),
        ("options", json!(["a", "b"])),
        ("checklist", json!({"title": "t", "tasks": [{"id": 1, "text": "x"}]})),
        ("rich_message", json!({"html": "<b>x</b>"})),
        ("media", json!({"type": "photo", "media": photo})),
        ("permissions", json!({})),
        ("reaction", json!([])),
        ("results", json!([])),
    ];
    params.extend(entries);
    (params, group)
}

/// What a method needs beyond the common scene.
#[expect(clippy::too_many_lines, reason = "a table, one line of thought for each method")]
async fn special(stage: &Stage, name: &str, group: i64, params: &mut Map<String, Value>) {
    let text = |chat: i64| stage.ok("sendMessage", json!({"chat_id": chat, "text": "target"}));
    match name {
        "sendMediaGroup" | "sendPaidMedia" => {
            let media = json!([{"type": "photo", "media": params["media"]["media"].clone()}]);
            params.insert("media".into(), media);
        }
        "copyMessages" | "forwardMessages" | "copyMessage" | "forwardMessage" => {
            let source = message_id(&text(stage.ann).await);
            params.insert("message_id".into(), json!(source));
            params.insert("message_ids".into(), json!([source]));
        }
        "stopPoll" => {
            let poll =
                stage.ok("sendPoll", json!({"chat_id": group, "question": "q", "options": ["a", "b"]})).await;
            params.insert("message_id".into(), poll["message_id"].clone());
        }
        "setGameScore" | "getGameHighScores" => {
            let game = stage.ok("sendGame", json!({"chat_id": group, "game_short_name": "g"})).await;
            params.insert("chat_id".into(), json!(group));
            params.insert("message_id".into(), game["message_id"].clone());
        }
        "editMessageLiveLocation" | "stopMessageLiveLocation" => {
            let place = json!({"chat_id": group, "latitude": 1, "longitude": 2, "live_period": 900});
            let place = stage.ok("sendLocation", place).await;
            params.insert("chat_id".into(), json!(group));
            params.insert("message_id".into(), place["message_id"].clone());
        }
        "editMessageCaption" | "editMessageMedia" => {
            let photo = stage
                .upload("sendPhoto", json!({"chat_id": group}), &[("photo", "a.png", &picture(77))])
                .await;
            params.insert("chat_id".into(), json!(group));
            params.insert("message_id".into(), photo["result"]["message_id"].clone());
            params.insert("caption".into(), json!("new"));
        }
        "editMessageReplyMarkup" => {
            params.insert("chat_id".into(), json!(group));
            params.insert("message_id".into(), text(group).await["message_id"].clone());
            params.insert(
                "reply_markup".into(),
                json!({"inline_keyboard": [[{"text": "a", "callback_data": "a"}]]}),
            );
        }
        "editMessageText" => {
            params.insert("chat_id".into(), json!(group));
            params.insert("message_id".into(), text(group).await["message_id"].clone());
            params.insert("text".into(), json!("new"));
        }
        "editMessageChecklist" => {
            let sent = json!({"business_connection_id": "business", "chat_id": group, "checklist": {"title": "old", "tasks": [{"id": 1, "text": "x"}]}});
            let sent = stage.ok("sendChecklist", sent).await;
            params.insert("message_id".into(), sent["message_id"].clone());
        }
        "answerCallbackQuery" | "answerInlineQuery" | "answerShippingQuery" | "answerPreCheckoutQuery" => {
            let (kind, id) = match name {
                "answerCallbackQuery" => ("callback_query", "callback_query_id"),
                "answerInlineQuery" => ("inline_query", "inline_query_id"),
                "answerShippingQuery" => ("shipping_query", "shipping_query_id"),
                _ => ("pre_checkout_query", "pre_checkout_query_id"),
            };
            let from = json!({"id": stage.ann, "is_bot": false, "first_name": "Ann"});
            let address = json!({"country_code": "RU", "state": "", "city": "", "street_line1": "", "street_line2": "", "post_code": ""});
            let query = json!({
                "id": "77", "from": from, "chat_instance": "1", "query": "", "offset": "", "invoice_payload": "p",
                "shipping_address": address, "currency": "XTR", "total_amount": 1,
            });
            stage.control(&format!("/bots/{}/updates", stage.bot), json!({kind: query})).await;
            params.insert(id.into(), json!("77"));
            params.insert("ok".into(), json!(true));
            params.insert("shipping_options".into(), json!([{"id": "x", "title": "x", "prices": []}]));
        }
        "editChatInviteLink" | "revokeChatInviteLink" | "editChatSubscriptionInviteLink" => {
            let link = stage.ok("createChatInviteLink", json!({"chat_id": group})).await;
            params.insert("invite_link".into(), link["invite_link"].clone());
        }
        "editForumTopic" | "closeForumTopic" | "reopenForumTopic" | "deleteForumTopic" => {
            let topic = stage.ok("createForumTopic", json!({"chat_id": group, "name": "t"})).await;
            params.insert("message_thread_id".into(), topic["message_thread_id"].clone());
            params.insert("name".into(), json!("new"));
        }
        "setChatAdministratorCustomTitle" => {
            stage
                .ok(
                    "promoteChatMember",
                    json!({"chat_id": group, "user_id": params["user_id"], "can_pin_messages": true}),
                )
                .await;
        }
        "setChatDescription" => {
            params.insert("description".into(), json!("new"));
        }
        "approveChatJoinRequest" | "declineChatJoinRequest" => {
            let user = stage.new_user("Stranger").await;
            params.insert("user_id".into(), json!(user));
        }
        "promoteChatMember" | "banChatMember" | "unbanChatMember" | "restrictChatMember" => {
            let user = stage.new_user("Member").await;
            stage.control(&format!("/groups/{group}/users/{user}/join"), json!({})).await;
            params.insert("user_id".into(), json!(user));
        }
        "refundStarPayment" => {
            let invoice = json!({"chat_id": stage.ann, "title": "t", "description": "d", "payload": "p", "currency": "XTR", "prices": [{"label": "x", "amount": 1}]});
            let invoice = stage.ok("sendInvoice", invoice).await;
            let pay = stage.acts("pay", json!({"message_id": invoice["message_id"], "wait_ms": 0})).await;
            stage
                .ok("answerPreCheckoutQuery", json!({"pre_checkout_query_id": pay["query_id"], "ok": true}))
                .await;
            let paid = stage.last().await["content"]["telegram_payment_charge_id"].clone();
            params.insert("user_id".into(), json!(stage.ann));
            params.insert("telegram_payment_charge_id".into(), paid);
        }
        "addStickerToSet" | "getStickerSet" | "deleteStickerSet" => {
            let name = format!("{name}_by_bonus_bot");
            let stickers = json!([{"sticker": "attach://s", "format": "static", "emoji_list": ["😀"]}]);
            let set = json!({"user_id": stage.ann, "name": name, "title": "t", "stickers": stickers});
            stage.upload("createNewStickerSet", set, &[("s", "s.webp", b"RIFF....WEBP")]).await;
            let sticker = json!({"sticker": params.get("sticker"), "format": "static", "emoji_list": ["😀"]});
            params.insert("sticker".into(), sticker);
            params.insert("name".into(), json!(name));
        }
        "createNewStickerSet" => {
            let stickers = json!([{"sticker": "attach://video", "format": "static", "emoji_list": ["😀"]}]);
            params.insert("stickers".into(), stickers);
            params.insert("name".into(), json!("new_by_bonus_bot"));
        }
        "setWebhook" => {
            params.insert("url".into(), json!(""));
        }
        "sendMessageDraft" | "sendRichMessageDraft" => {
            params.insert("chat_id".into(), json!(stage.ann));
        }
        "pinChatMessage"
        | "setMessageReaction"
        | "deleteMessage"
        | "deleteMessages"
        | "deleteMessageReaction" => {
            let id = text(group).await["message_id"].clone();
            params.insert("message_ids".into(), json!([id]));
            params.insert("message_id".into(), id);
        }
        _ => {}
    }
}

/// Files that come as parts, whoever wants them.
const PARTS: [(&str, &str); 6] = [
    ("video", "a.mp4"),
    ("animation", "a.mp4"),
    ("audio", "a.mp3"),
    ("voice", "a.ogg"),
    ("video_note", "a.mp4"),
    ("live_photo", "a.mp4"),
];

#[tokio::test]
async fn all_185_methods_answer_in_their_documented_shape() {
    let stage = Stage::start().await;
    let documentation = Documentation::read();
    assert_eq!(documentation.methods.len(), 185);
    let (common, group) = scene(&stage).await;
    // These end the bot's life or the group's, so they come last.
    let last = ["leaveChat", "close", "logOut"];
    let (end, begin): (Vec<_>, Vec<_>) =
        documentation.methods.iter().partition(|(name, _)| last.contains(&name.as_str()));
    let mut refused = Vec::new();
    for (name, method) in begin.into_iter().chain(end) {
        let mut params = Map::new();
        for field in method["fields"].as_array().into_iter().flatten() {
            let field_name = field["name"].as_str().unwrap();
            if let Some(value) = common.get(field_name).filter(|_| field["required"] == true) {
                params.insert(field_name.into(), value.clone());
            } else if field["required"] == true {
                let made_up = match field["types"][0].as_str().unwrap() {
                    "Integer" => json!(1),
                    "Float" => json!(1.0),
                    "Boolean" => json!(true),
                    kind if kind.starts_with("Array") => json!([]),
                    "String" => json!("made up"),
                    _ => json!({}),
                };
                params.insert(field_name.into(), made_up);
            }
        }
        special(&stage, name, group, &mut params).await;
        let image = picture(1);
        let mut files: Vec<(&str, &str, &[u8])> = Vec::new();
        for (part, file_name) in PARTS {
            if params.remove(part).is_some() || name == "createNewStickerSet" {
                files.push((part, file_name, b"some content"));
            }
        }
        if ["setChatPhoto", "uploadStickerFile"].contains(&name.as_str()) {
            let part = if name == "setChatPhoto" { "photo" } else { "sticker" };
            params.remove(part);
            files.push((part, "a.png", &image));
        }
        if name == "close" {
            stage.clock.advance(std::time::Duration::from_mins(11));
        }
        let sent = Value::Object(params);
        let answer = stage.upload(name, sent.clone(), &files).await;
        if answer["ok"] != true {
            refused.push(format!("{name} {sent}: {answer}"));
            continue;
        }
        let returns = method["returns"].as_array().unwrap();
        let of = returns.iter().find_map(Value::as_str).unwrap();
        documentation.check(&answer["result"], of, name);
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[tokio::test]
async fn a_method_nobody_documented_is_not_found() {
    let stage = Stage::start().await;
    let answer = stage.call("makeCoffee", json!({})).await;
    assert_eq!(answer, json!({"ok": false, "error_code": 404, "description": "Not Found"}));
}
