//! Reactions both ways.

use serde_json::json;

use crate::stage::{Stage, message_id};

#[tokio::test]
async fn a_clients_reaction_tells_what_was_there_before() {
    let stage = Stage::start().await;
    let id = message_id(&stage.says("x").await);
    stage.acts("react", json!({"message_id": id, "emoji": "👍"})).await;
    let update = stage.update("message_reaction").await;
    assert_eq!(update["old_reaction"], json!([]));
    assert_eq!(update["new_reaction"], json!([{"type": "emoji", "emoji": "👍"}]));
    assert_eq!(update["user"]["id"], stage.ann);
    stage.acts("react", json!({"message_id": id, "emoji": null})).await;
    let update = stage.update("message_reaction").await;
    assert_eq!(update["old_reaction"][0]["emoji"], "👍");
    assert_eq!(update["new_reaction"], json!([]));
}

#[tokio::test]
async fn a_bots_reaction_shows_and_comes_from_the_allowed_ones() {
    let stage = Stage::start().await;
    let id = message_id(&stage.acts("text", json!({"text": "x"})).await);
    stage.updates().await;
    let react = |emoji: &str| json!({"chat_id": stage.ann, "message_id": id, "reaction": [{"type": "emoji", "emoji": emoji}]});
    for emoji in ["❤", "❤️", "👨‍💻"] {
        stage.ok("setMessageReaction", react(emoji)).await;
        assert_eq!(stage.last().await["reactions"], json!([{"from_id": stage.bot, "emoji": emoji}]));
    }
    assert!(stage.updates().await.is_empty());
    assert_eq!(stage.refused("setMessageReaction", react("x")).await, "Bad Request: REACTION_INVALID");
    stage.ok("setMessageReaction", json!({"chat_id": stage.ann, "message_id": id})).await;
    assert_eq!(stage.last().await["reactions"], json!([]));
    let missing = json!({"chat_id": stage.ann, "message_id": 999, "reaction": []});
    assert_eq!(stage.refused("setMessageReaction", missing).await, "Bad Request: message to react not found");
}
