//! Inline mode: a query, its results, the chosen one, and edits of the message it became.

use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn a_chosen_result_becomes_a_message_via_the_bot() {
    let stage = Stage::start().await;
    stage.acts("inline", json!({"query": "pizza", "wait_ms": 0})).await;
    let query = stage.update("inline_query").await;
    assert_eq!((&query["query"], &query["offset"]), (&json!("pizza"), &json!("")));
    let keyboard = json!({"inline_keyboard": [[{"text": "More", "callback_data": "more"}]]});
    let results = json!([{
        "type": "article", "id": "1", "title": "Pizza", "reply_markup": keyboard,
        "input_message_content": {"message_text": "*Pizza*", "parse_mode": "Markdown"},
    }]);
    let answer = json!({"inline_query_id": query["id"], "results": results});
    stage.ok("answerInlineQuery", answer.clone()).await;
    let words = stage.refused("answerInlineQuery", answer).await;
    assert_eq!(words, "Bad Request: query is too old and response timeout expired or query ID is invalid");

    let refused = stage.impossible("choose", json!({"result_id": "2"})).await;
    assert_eq!(refused["expected"], "one of the results [\"1\"]");
    stage.acts("choose", json!({"result_id": "1"})).await;
    let updates = stage.updates().await;
    assert_eq!(updates[0]["message"]["text"], "Pizza");
    assert_eq!(updates[0]["message"]["via_bot"]["id"], stage.bot);
    let chosen = &updates[1]["chosen_inline_result"];
    assert_eq!((&chosen["result_id"], &chosen["query"]), (&json!("1"), &json!("pizza")));
    stage.acts("press", json!({"data": "more", "wait_ms": 0})).await;
    let press = stage.update("callback_query").await;
    assert_eq!(press["inline_message_id"], chosen["inline_message_id"]);
    assert!(press.get("message").is_none(), "a bot does not see where its inline message went");
    let edit = json!({"inline_message_id": chosen["inline_message_id"], "text": "Sold out"});
    assert_eq!(stage.ok("editMessageText", edit).await, true);
    assert_eq!(stage.last().await["text"], "Sold out");
}

#[tokio::test]
async fn an_inline_query_waits_half_a_minute() {
    let stage = Stage::start().await;
    let asked = stage.acts("inline", json!({"query": "x", "wait_ms": 0})).await;
    stage.clock.advance(std::time::Duration::from_secs(31));
    let answer = json!({"inline_query_id": asked["inline_query_id"], "results": []});
    let words = stage.refused("answerInlineQuery", answer).await;
    assert_eq!(words, "Bad Request: query is too old and response timeout expired or query ID is invalid");
}
