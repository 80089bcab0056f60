//! Copies and forwards.

use serde_json::{Value, json};

use crate::stage::{Stage, id, message_id, picture};

#[tokio::test]
async fn a_forward_names_its_origin_and_a_copy_does_not() {
    let stage = Stage::start().await;
    let source = message_id(&stage.acts("text", json!({"text": "a question"})).await);
    let params = json!({"chat_id": stage.ann, "from_chat_id": stage.ann, "message_id": source});
    let forward = stage.ok("forwardMessage", params.clone()).await;
    assert_eq!(forward["text"], "a question");
    assert_eq!(forward["from"]["id"], stage.bot);
    assert_eq!(forward["forward_origin"]["type"], "user");
    assert_eq!(forward["forward_origin"]["sender_user"]["id"], stage.ann);
    let again = json!({"chat_id": stage.ann, "from_chat_id": stage.ann, "message_id": forward["message_id"]});
    let again = stage.ok("forwardMessage", again).await;
    assert_eq!(again["forward_origin"], forward["forward_origin"], "the first origin stays");

    let copy = stage.ok("copyMessage", params).await;
    assert_eq!(copy, json!({"message_id": message_id(&again) + 1}));
    let seen = stage.last().await;
    assert_eq!(seen["text"], "a question");
    assert!(seen.get("forwarded_from").is_none());
    stage.updates().await;
    stage.acts("forward", json!({"message_id": source})).await;
    assert_eq!(stage.update("message").await["forward_origin"]["sender_user"]["id"], stage.ann);
}

#[tokio::test]
async fn a_copy_of_a_photo_is_the_same_file_with_another_caption() {
    let stage = Stage::start().await;
    let sent = json!({"chat_id": stage.ann, "caption": "one"});
    let photo = stage.upload("sendPhoto", sent, &[("photo", "a.png", &picture(3))]).await["result"].clone();
    let params = json!({"chat_id": stage.ann, "from_chat_id": stage.ann, "message_id": photo["message_id"], "caption": "<b>two</b>", "parse_mode": "HTML"});
    stage.ok("copyMessage", params).await;
    let chat = stage.chat().await;
    let messages = chat["messages"].as_array().unwrap();
    let (first, second) = (&messages[messages.len() - 2], &messages[messages.len() - 1]);
    assert_eq!(first["media"]["sha256"], second["media"]["sha256"]);
    assert_eq!(second["caption"], "two");
    assert_eq!(second["entities"][0]["type"], "bold");
}

#[tokio::test]
async fn the_plural_forms_skip_what_is_missing_and_keep_albums_together() {
    let stage = Stage::start().await;
    let album = stage.acts("album", json!({"count": 2})).await["message_ids"].clone();
    let (first, second) = (album[0].as_i64().unwrap(), album[1].as_i64().unwrap());
    for method in ["copyMessages", "forwardMessages"] {
        let params = json!({"chat_id": stage.ann, "from_chat_id": stage.ann, "message_ids": [first, second, 998, 999]});
        let sent = stage.ok(method, params).await;
        assert_eq!(sent.as_array().unwrap().len(), 2, "{method}");
        let chat = stage.chat().await;
        let albums: Vec<&Value> =
            chat["messages"].as_array().unwrap().iter().rev().take(2).map(|m| &m["album"]).collect();
        assert!(albums[0].is_string() && albums[0] == albums[1], "{albums:?}");
    }
    let params = |ids: Value| json!({"chat_id": stage.ann, "from_chat_id": stage.ann, "message_ids": ids});
    assert_eq!(
        stage.refused("copyMessages", params(json!([998]))).await,
        "Bad Request: there are no messages to copy"
    );
    let words = "Bad Request: message identifiers must be in a strictly increasing order";
    assert_eq!(stage.refused("forwardMessages", params(json!([2, 1]))).await, words);
}

#[tokio::test]
async fn what_cannot_be_taken_along_says_so() {
    let stage = Stage::start().await;
    let params = |id: i64| json!({"chat_id": stage.ann, "from_chat_id": stage.ann, "message_id": id});
    assert_eq!(stage.refused("copyMessage", params(999)).await, "Bad Request: message to copy not found");
    assert_eq!(
        stage.refused("forwardMessage", params(999)).await,
        "Bad Request: message to forward not found"
    );
    let protected =
        stage.ok("sendMessage", json!({"chat_id": stage.ann, "text": "x", "protect_content": true})).await;
    assert_eq!(protected["has_protected_content"], true);
    let protected = message_id(&protected);
    assert_eq!(
        stage.refused("forwardMessage", params(protected)).await,
        "Bad Request: message can't be forwarded"
    );
    let group =
        id(&stage.control("/groups", json!({"title": "G", "users": [stage.ann], "bots": [stage.bot]})).await);
    let service = json!({"chat_id": stage.ann, "from_chat_id": group, "message_id": 1});
    assert_eq!(stage.refused("copyMessage", service).await, "Bad Request: message can't be copied");
}
