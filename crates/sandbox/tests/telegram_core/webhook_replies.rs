//! Calls that come as the answer of a webhook.

use serde_json::{Value, json};

use crate::stage::{Receiver, Stage, soon};

async fn with_webhook() -> (Stage, Receiver) {
    let stage = Stage::start().await;
    let receiver = Receiver::start().await;
    stage.call("setWebhook", &format!("url={}", receiver.url)).await;
    (stage, receiver)
}

/// Answers one update and gives the calls that followed from it.
async fn replies(stage: &Stage, receiver: &mut Receiver, content_type: &str, body: &str) -> Vec<Value> {
    let before = stage.bot.calls_after(0).last().map_or(0, |call| call.n);
    stage.message(1, "hello");
    receiver.next().await.reply(content_type, body);
    soon("the update to be confirmed", async {
        while stage.bot.pending() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let calls = stage.bot.calls_after(before);
    assert!(calls.iter().all(|call| call.webhook_reply));
    calls.iter().map(|call| json!([call.method, call.params])).collect()
}

#[tokio::test]
async fn a_reply_may_come_as_json_as_a_form_and_as_multipart() {
    let (stage, mut receiver) = with_webhook().await;
    let expected =
        [json!(["sendChatAction", {"method": "sendChatAction", "chat_id": "1", "action": "typing"}])];
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"method\"\r\n\r\nsendChatAction\r\n\
                     --b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n1\r\n\
                     --b\r\nContent-Disposition: form-data; name=\"action\"\r\n\r\ntyping\r\n--b--\r\n";
    let forms = [
        ("application/json", r#"{"method":"sendChatAction","chat_id":1,"action":"typing"}"#),
        ("application/x-www-form-urlencoded", "method=sendChatAction&chat_id=1&action=typing"),
        ("multipart/form-data; boundary=b", multipart),
    ];
    for (content_type, body) in forms {
        assert_eq!(replies(&stage, &mut receiver, content_type, body).await, expected, "{content_type}");
    }
}

#[tokio::test]
async fn some_methods_cannot_be_called_by_a_reply() {
    let (stage, mut receiver) = with_webhook().await;
    for method in ["setWebhook", "deleteWebhook", "close", "logOut", "getMe", "GETUPDATES", "getFile"] {
        let body = json!({"method": method, "url": ""}).to_string();
        assert!(replies(&stage, &mut receiver, "application/json", &body).await.is_empty(), "{method}");
    }
    assert_eq!(stage.webhook_info().await["url"], receiver.url);
}

#[tokio::test]
async fn an_answer_that_carries_no_call_is_just_a_success() {
    let (stage, mut receiver) = with_webhook().await;
    let answers = [
        ("application/json", r#"{"ok":true}"#),
        ("application/json", "{broken"),
        ("text/plain", "method=sendChatAction"),
        ("multipart/form-data; boundary=b", "broken"),
        ("application/json", ""),
    ];
    for (content_type, body) in answers {
        assert!(replies(&stage, &mut receiver, content_type, body).await.is_empty(), "{body}");
    }
}
