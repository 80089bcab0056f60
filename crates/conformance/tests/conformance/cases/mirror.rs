//! Group 15: what is said to a client does what it does, and Tandem's journal has it (10.15).

use serde_json::{Value, json};

use crate::{
    stage::{
        Stage,
        http::{MULTIPART, file, multipart, post, text},
    },
    table::{Case, case},
};

pub(crate) const CASES: &[Case] = &[
    case!(
        a_message_is_mirrored,
        "10.15, 5",
        "`sendMessage` in any form and case shows; the journal has parameters and result."
    ),
    case!(
        a_copy_is_mirrored,
        "10.15, 5",
        "`copyMessage` gives a `MessageId`; the journal has the source from the parameters."
    ),
    case!(
        an_album_is_mirrored,
        "10.15, 5",
        "`sendMediaGroup` gives one message an item with a common `media_group_id`; the journal has all of them."
    ),
    case!(
        an_edit_with_true_is_mirrored,
        "10.15, 5",
        "An edit of an inline message gives `true`; the journal has the request."
    ),
    case!(
        an_upload_is_mirrored,
        "10.15, 5",
        "A multipart send shows with its bytes; the journal has the parameters, and of the file its name and size."
    ),
    case!(a_refused_call_is_not_mirrored, "5", "What Telegram refused is in nobody's history."),
    case!(a_consumer_does_not_see_anothers_words, "5", "What one consumer says is not in another's updates."),
];

/// The one call that the journal has, if there is a journal.
async fn mirrored(t: &Stage, method: &str) -> Option<Value> {
    let mut sent = t.mirrored().await?;
    let last = sent.pop().expect("the journal has it");
    assert_eq!(last["method"], method);
    Some(last)
}

async fn a_message_is_mirrored(t: &mut Stage) {
    let person = t.person().await;
    for (method, words) in [("sendMessage", "one"), ("SENDMESSAGE", "two")] {
        let params = json!({"chat_id": person.id, "text": words});
        let result = t.app.call(method, params).await.result();
        assert_eq!((&result["text"], &result["from"]["is_bot"]), (&json!(words), &json!(true)));
        assert_eq!(person.last().await["text"], words);
        if let Some(sent) = mirrored(t, method).await {
            assert_eq!(sent["result"], result);
            assert_eq!(sent["parameters"]["texts"]["text"], words);
        }
    }
}

async fn a_copy_is_mirrored(t: &mut Stage) {
    let person = t.person().await;
    let original = t.act(&person.path("text"), &json!({"text": "a question"})).await["message_id"].clone();
    let params = json!({"chat_id": person.id, "from_chat_id": person.id, "message_id": original});
    let result = t.app.call("copyMessage", params).await.result();
    let keys: Vec<_> = result.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["message_id"], "an id and nothing else");
    assert_eq!(person.last().await["text"], "a question");
    if let Some(sent) = mirrored(t, "copyMessage").await {
        assert_eq!(sent["parameters"]["texts"]["message_id"], original.to_string());
        assert_eq!(sent["result"], result);
    }
}

/// A small valid picture.
fn picture(mark: u8) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x04\0\0\0\x03\0".to_vec();
    png.extend([8, 2, 0, 0, 0, mark]);
    png
}

async fn an_album_is_mirrored(t: &mut Stage) {
    let person = t.person().await;
    let id = person.id.to_string();
    let media = json!([{"type": "photo", "media": "attach://a"}, {"type": "photo", "media": "attach://b"}]);
    let media = media.to_string();
    let (a, b) = (picture(1), picture(2));
    let parts = [text("chat_id", &id), text("media", &media), file("a", "a.png", &a), file("b", "b.png", &b)];
    let answer = t.app.send(post(&t.app.path("sendMediaGroup"), MULTIPART, multipart(&parts))).await;
    let messages = answer.result();
    assert_eq!(messages.as_array().unwrap().len(), 2);
    assert!(messages[0]["media_group_id"].is_string());
    assert_eq!(messages[0]["media_group_id"], messages[1]["media_group_id"]);
    if let Some(sent) = mirrored(t, "sendMediaGroup").await {
        assert_eq!(sent["result"], messages);
        assert_eq!(sent["parameters"]["files"].as_array().unwrap().len(), 2);
    }
}

async fn an_edit_with_true_is_mirrored(t: &mut Stage) {
    let person = t.person().await;
    let asked = t.act(&person.path("inline"), &json!({"query": "pizza", "wait_ms": 0})).await;
    let keyboard = json!({"inline_keyboard": [[{"text": "More", "callback_data": "more"}]]});
    let results = json!([{
        "type": "article", "id": "1", "title": "Pizza", "reply_markup": keyboard,
        "input_message_content": {"message_text": "Pizza"},
    }]);
    let answer = json!({"inline_query_id": asked["inline_query_id"], "results": results});
    assert_eq!(t.app.call("answerInlineQuery", answer).await.result(), true);
    t.act(&person.path("choose"), &json!({"result_id": "1"})).await;
    let updates = t.updates(json!({})).await;
    let chosen = updates.iter().find_map(|update| update.get("chosen_inline_result")).unwrap();
    let message = &chosen["inline_message_id"];
    let edit = json!({"inline_message_id": message, "text": "Sold out"});
    assert_eq!(t.app.call("editMessageText", edit).await.result(), true);
    assert_eq!(person.last().await["text"], "Sold out");
    if let Some(sent) = mirrored(t, "editMessageText").await {
        assert_eq!(sent["result"], true);
        assert_eq!(sent["parameters"]["texts"]["inline_message_id"], *message);
        assert_eq!(sent["parameters"]["texts"]["text"], "Sold out");
    }
}

async fn an_upload_is_mirrored(t: &mut Stage) {
    let person = t.person().await;
    let id = person.id.to_string();
    let parts = [text("chat_id", &id), text("caption", "bill"), file("document", "bill.txt", b"100 roubles")];
    let answer = t.app.send(post(&t.app.path("sendDocument"), MULTIPART, multipart(&parts))).await;
    let result = answer.result();
    assert_eq!(result["document"]["file_name"], "bill.txt");
    assert_eq!(person.last().await["media"]["size"], 11);
    if let Some(sent) = mirrored(t, "sendDocument").await {
        assert_eq!(sent["parameters"]["texts"]["caption"], "bill");
        let kept = &sent["parameters"]["files"][0];
        assert_eq!((&kept["file_name"], &kept["size_bytes"]), (&json!("bill.txt"), &json!(11)));
        assert!(!sent.to_string().contains("roubles"));
    }
}

async fn a_refused_call_is_not_mirrored(t: &mut Stage) {
    let answer = t.app.call("sendMessage", json!({"chat_id": 1, "text": "x"})).await;
    assert_eq!(answer.status, 400);
    assert!(t.mirrored().await.is_none_or(|sent| sent.is_empty()));
}

async fn a_consumer_does_not_see_anothers_words(t: &mut Stage) {
    let person = t.person().await;
    let (other, _) = t.another().await;
    t.app.call("sendMessage", json!({"chat_id": person.id, "text": "ours"})).await.result();
    assert!(t.updates_of(&other, json!({})).await.is_empty());
    assert_eq!(t.updates(json!({})).await.len(), 1, "nor in its own: only what the person did");
}
