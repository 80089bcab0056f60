//! Texts both ways: entities, replies, limits, keyboards that come with them.

use insta::assert_json_snapshot;
use serde_json::json;

use crate::stage::{START, Stage, message_id};

#[tokio::test]
async fn a_clients_text_reaches_the_bot_as_telegram_writes_it() {
    let stage = Stage::start().await;
    stage.acts("text", json!({"text": "/help me@x.org #tag"})).await;
    let message = stage.update("message").await;
    assert!(message["date"].as_i64().unwrap() >= START);
    assert_json_snapshot!(message, {".date" => "date"}, @r##"
    {
      "chat": {
        "first_name": "Ann",
        "id": 5000000001,
        "type": "private",
        "username": "ann"
      },
      "date": "date",
      "entities": [
        {
          "length": 5,
          "offset": 0,
          "type": "bot_command"
        },
        {
          "length": 8,
          "offset": 6,
          "type": "email"
        },
        {
          "length": 4,
          "offset": 15,
          "type": "hashtag"
        }
      ],
      "from": {
        "first_name": "Ann",
        "id": 5000000001,
        "is_bot": false,
        "username": "ann"
      },
      "message_id": 2,
      "text": "/help me@x.org #tag"
    }
    "##);
}

#[tokio::test]
async fn a_start_link_carries_its_payload() {
    let stage = Stage::start().await;
    stage.acts("start", json!({"payload": "from_site-7"})).await;
    assert_eq!(stage.update("message").await["text"], "/start from_site-7");
    let refused = stage.impossible("start", json!({"payload": "with space"})).await;
    assert_eq!(refused["expected"], "up to 64 characters of A-Z a-z 0-9 _ -");
}

#[tokio::test]
async fn a_formatted_text_shows_its_entities_and_not_its_marks() {
    let stage = Stage::start().await;
    for (mode, text) in [
        ("HTML", "<b>Total</b>: <code>5 &lt; 6</code> <a href=\"https://t.me/x\">link</a>"),
        ("MarkdownV2", "*Total*: `5 < 6` [link](https://t.me/x)"),
        ("Markdown", "*Total*: `5 < 6` [link](https://t.me/x)"),
        ("markdown", "*Total*: `5 < 6` [link](https://t.me/x)"),
    ] {
        let sent = json!({"chat_id": stage.ann, "text": text, "parse_mode": mode});
        let message = stage.ok("sendMessage", sent).await;
        assert_eq!(message["text"], "Total: 5 < 6 link", "{mode}");
        let entities = json!([
            {"type": "bold", "offset": 0, "length": 5},
            {"type": "code", "offset": 7, "length": 5},
            {"type": "text_link", "offset": 13, "length": 4, "url": "https://t.me/x"},
        ]);
        assert_eq!(message["entities"], entities, "{mode}");
    }
    let mention = json!({"chat_id": stage.ann, "parse_mode": "HTML", "text": format!("<a href='tg://user?id={}'>you</a>", stage.ann)});
    let message = stage.ok("sendMessage", mention).await;
    assert_eq!(message["entities"][0]["user"]["first_name"], "Ann");
}

#[tokio::test]
async fn broken_marks_are_refused_with_the_place() {
    let stage = Stage::start().await;
    for (mode, text, words) in [
        ("HTML", "<b>a", "can't parse entities: Can't find end tag corresponding to start tag \"b\""),
        ("HTML", "a <what>", "can't parse entities: Unsupported start tag \"what\" at byte offset 2"),
        (
            "MarkdownV2",
            "a.b",
            "can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
        ),
        ("Markdown", "a_b", "can't parse entities: Can't find end of the entity starting at byte offset 1"),
        ("troff", "a", "unsupported parse_mode"),
    ] {
        let sent = json!({"chat_id": stage.ann, "text": text, "parse_mode": mode});
        assert_eq!(stage.refused("sendMessage", sent).await, format!("Bad Request: {words}"));
    }
}

#[tokio::test]
async fn the_limits_of_texts_count_after_parsing() {
    let stage = Stage::start().await;
    let sent = |text: String, mode: &str| json!({"chat_id": stage.ann, "text": text, "parse_mode": mode});
    let long = "x".repeat(4096);
    stage.ok("sendMessage", sent(format!("<b>{long}</b>"), "HTML")).await;
    let words = stage.refused("sendMessage", sent(format!("{long}x"), "")).await;
    assert_eq!(words, "Bad Request: message is too long");
    for empty in ["", "  \n ", "<b></b>"] {
        let words = stage.refused("sendMessage", sent(empty.to_owned(), "HTML")).await;
        assert_eq!(words, "Bad Request: message text is empty", "{empty:?}");
    }
}

#[tokio::test]
async fn an_answer_shows_the_message_it_answers_but_not_the_one_before() {
    let stage = Stage::start().await;
    let first = message_id(&stage.says("one").await);
    let second = stage.acts("text", json!({"text": "two", "reply_to": first})).await;
    let update = stage.update("message").await;
    assert_eq!(update["reply_to_message"]["text"], "one");
    let reply = json!({"chat_id": stage.ann, "text": "three", "reply_parameters": {"message_id": message_id(&second)}});
    let third = stage.ok("sendMessage", reply).await;
    assert_eq!(third["reply_to_message"]["text"], "two");
    assert!(third["reply_to_message"].get("reply_to_message").is_none());
    let old_way = json!({"chat_id": stage.ann, "text": "four", "reply_to_message_id": first});
    assert_eq!(stage.ok("sendMessage", old_way).await["reply_to_message"]["message_id"], first);

    let missing = json!({"chat_id": stage.ann, "text": "x", "reply_parameters": {"message_id": 999}});
    let words = stage.refused("sendMessage", missing).await;
    assert_eq!(words, "Bad Request: message to be replied not found");
    let lenient = json!({"message_id": 999, "allow_sending_without_reply": true});
    let sent = json!({"chat_id": stage.ann, "text": "x", "reply_parameters": lenient});
    assert!(stage.ok("sendMessage", sent).await.get("reply_to_message").is_none());
    let quote =
        json!({"chat_id": stage.ann, "text": "x", "reply_parameters": {"message_id": first, "quote": "ne"}});
    assert_eq!(stage.ok("sendMessage", quote).await["quote"]["position"], 1);
}

#[tokio::test]
async fn message_ids_grow_over_all_private_chats_of_a_bot() {
    let stage = Stage::start().await;
    let bob = stage.new_user("Bob").await;
    let first = message_id(&stage.says("to Ann").await);
    let started = stage.control(&format!("/users/{bob}/bots/{}/start", stage.bot), json!({})).await;
    assert_eq!(message_id(&started), first + 1);
    assert_eq!(message_id(&stage.says("to Ann again").await), first + 2);
}

#[tokio::test]
async fn places_contacts_dice_and_actions_show() {
    let stage = Stage::start().await;
    let chat = stage.ann;
    let place = json!({"chat_id": chat, "latitude": 55.75, "longitude": 37.5});
    assert_eq!(
        stage.ok("sendLocation", place).await["location"],
        json!({"latitude": 55.75, "longitude": 37.5})
    );
    let venue =
        json!({"chat_id": chat, "latitude": "1.5", "longitude": "2.5", "title": "Shop", "address": "Main 1"});
    let venue = stage.ok("sendVenue", venue).await;
    assert_eq!(venue["venue"]["title"], "Shop");
    assert_eq!(venue["location"]["latitude"], 1.5);
    let contact = json!({"chat_id": chat, "phone_number": "+79990001122", "first_name": "Ann"});
    assert_eq!(stage.ok("sendContact", contact).await["contact"]["user_id"], chat);
    let dice = stage.ok("sendDice", json!({"chat_id": chat, "emoji": "🎰"})).await;
    assert!((1..=64).contains(&dice["dice"]["value"].as_i64().unwrap()));
    assert_eq!(
        stage.refused("sendDice", json!({"chat_id": chat, "emoji": "x"})).await,
        "Bad Request: wrong emoji specified"
    );

    stage.ok("sendChatAction", json!({"chat_id": chat, "action": "upload_photo"})).await;
    assert_eq!(stage.chat().await["typing"], "upload_photo");
    stage.clock.advance(std::time::Duration::from_secs(5));
    assert!(stage.chat().await.get("typing").is_none(), "an action shows for five seconds");
    let words = stage.refused("sendChatAction", json!({"chat_id": chat, "action": "dance"})).await;
    assert_eq!(words, "Bad Request: wrong parameter action in request");
}
