//! Edits and deletions, both ways.

use serde_json::json;

use crate::stage::{Stage, message_id, picture};

const NOT_MODIFIED: &str = "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";

#[tokio::test]
async fn an_edit_replaces_text_and_keyboard_and_an_equal_one_is_refused() {
    let stage = Stage::start().await;
    let keyboard = json!({"inline_keyboard": [[{"text": "A", "callback_data": "a"}]]});
    let sent = json!({"chat_id": stage.ann, "text": "one", "reply_markup": keyboard});
    let id = message_id(&stage.ok("sendMessage", sent).await);
    let same = json!({"chat_id": stage.ann, "message_id": id, "text": "one", "reply_markup": keyboard});
    assert_eq!(stage.refused("editMessageText", same).await, NOT_MODIFIED);
    let edit = json!({"chat_id": stage.ann, "message_id": id, "text": "<i>two</i>", "parse_mode": "HTML"});
    let edited = stage.ok("editMessageText", edit).await;
    assert_eq!(edited["text"], "two");
    assert_eq!(edited["entities"][0]["type"], "italic");
    assert!(edited["edit_date"].is_i64());
    assert!(edited.get("reply_markup").is_none(), "an edit without a keyboard takes it away");
    let seen = stage.last().await;
    assert_eq!((&seen["text"], &seen["edited"]), (&json!("two"), &json!(true)));
    assert!(stage.updates().await.is_empty(), "a bot does not hear of its own edits");

    let markup = json!({"chat_id": stage.ann, "message_id": id, "reply_markup": keyboard});
    assert_eq!(stage.ok("editMessageReplyMarkup", markup.clone()).await["reply_markup"], keyboard);
    assert_eq!(stage.refused("editMessageReplyMarkup", markup).await, NOT_MODIFIED);
}

#[tokio::test]
async fn captions_and_media_are_edited_where_there_are_some() {
    let stage = Stage::start().await;
    let photo = stage
        .upload(
            "sendPhoto",
            json!({"chat_id": stage.ann, "caption": "one"}),
            &[("photo", "a.png", &picture(1))],
        )
        .await;
    let id = message_id(&photo["result"]);
    let caption = json!({"chat_id": stage.ann, "message_id": id, "caption": "two"});
    assert_eq!(stage.ok("editMessageCaption", caption).await["caption"], "two");
    let words =
        stage.refused("editMessageText", json!({"chat_id": stage.ann, "message_id": id, "text": "x"})).await;
    assert_eq!(words, "Bad Request: there is no text in the message to edit");

    let media = json!({"type": "document", "media": "attach://new", "caption": "three"});
    let edit = json!({"chat_id": stage.ann, "message_id": id, "media": media});
    let edited =
        stage.upload("editMessageMedia", edit, &[("new", "price.pdf", b"%PDF")]).await["result"].clone();
    assert_eq!(edited["document"]["file_name"], "price.pdf");
    assert_eq!(edited["caption"], "three");
    assert!(edited.get("photo").is_none());

    let text = message_id(&stage.says("x").await);
    let words = stage
        .refused("editMessageCaption", json!({"chat_id": stage.ann, "message_id": text, "caption": "x"}))
        .await;
    assert_eq!(words, "Bad Request: there is no caption in the message to edit");
}

#[tokio::test]
async fn what_cannot_be_edited_says_why() {
    let stage = Stage::start().await;
    let clients = message_id(&stage.acts("text", json!({"text": "mine"})).await);
    let edit = |id: i64| json!({"chat_id": stage.ann, "message_id": id, "text": "x"});
    assert_eq!(stage.refused("editMessageText", edit(clients)).await, "Bad Request: message can't be edited");
    assert_eq!(stage.refused("editMessageText", edit(999)).await, "Bad Request: message to edit not found");
    let without = json!({"chat_id": stage.ann, "text": "x"});
    assert_eq!(
        stage.refused("editMessageText", without).await,
        "Bad Request: message identifier is not specified"
    );
}

#[tokio::test]
async fn a_clients_edit_is_an_update() {
    let stage = Stage::start().await;
    let id = message_id(&stage.acts("text", json!({"text": "helo"})).await);
    stage.updates().await;
    stage.acts("edit", json!({"message_id": id, "text": "hello"})).await;
    let edited = stage.update("edited_message").await;
    assert_eq!(edited["text"], "hello");
    assert!(edited["edit_date"].as_i64() > edited["date"].as_i64());
    let bots = message_id(&stage.says("x").await);
    let refused = stage.impossible("edit", json!({"message_id": bots, "text": "y"})).await;
    assert_eq!(refused["expected"], "a message of his own");
}

#[tokio::test]
async fn deleted_messages_are_gone_and_missing_ones_are_skipped_in_the_plural() {
    let stage = Stage::start().await;
    let id = message_id(&stage.says("x").await);
    let one = json!({"chat_id": stage.ann, "message_id": id});
    assert_eq!(stage.ok("deleteMessage", one.clone()).await, true);
    assert_eq!(stage.refused("deleteMessage", one).await, "Bad Request: message to delete not found");
    assert_eq!(stage.last().await["deleted"], true);
    let clients = message_id(&stage.acts("text", json!({"text": "mine"})).await);
    let many = json!({"chat_id": stage.ann, "message_ids": [id, clients, 999]});
    assert_eq!(stage.ok("deleteMessages", many).await, true);
    assert_eq!(stage.last().await["deleted"], true);

    let old = message_id(&stage.says("old").await);
    stage.clock.advance(std::time::Duration::from_hours(49));
    let words = stage.refused("deleteMessage", json!({"chat_id": stage.ann, "message_id": old})).await;
    assert_eq!(words, "Bad Request: message can't be deleted for everyone");
}

#[tokio::test]
async fn a_live_location_moves_until_it_is_stopped() {
    let stage = Stage::start().await;
    let live = json!({"chat_id": stage.ann, "latitude": 1.0, "longitude": 2.0, "live_period": 600});
    let id = message_id(&stage.ok("sendLocation", live).await);
    let moved = json!({"chat_id": stage.ann, "message_id": id, "latitude": 1.5, "longitude": 2.0});
    assert_eq!(stage.ok("editMessageLiveLocation", moved.clone()).await["location"]["latitude"], 1.5);
    let stop = json!({"chat_id": stage.ann, "message_id": id});
    stage.ok("stopMessageLiveLocation", stop).await;
    assert_eq!(stage.refused("editMessageLiveLocation", moved).await, "Bad Request: message can't be edited");
}
