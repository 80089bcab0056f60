//! What of section 5's table of the reference stands in the journal: every method, with every kind of result it can
//! have, in every form; and nothing else.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tandem_gateway::AppDocument;

use crate::{
    documentation::{Documentation, Given},
    forms::{Call, FILE, Form, understood},
    support::{Stage, http::send, server::Reply},
};

const MESSAGE: &str =
    r#"{"message_id" :5, "date":1800000000,"chat":{"id":-100,"type":"supergroup"}, "x":[ 1.0 ]}"#;
const ALBUM: &str = r#"[{"message_id":5,"date":1800000000,"chat":{"id":-100,"type":"supergroup"},"media_group_id":"9"},
    {"message_id":6,"date":1800000000,"chat":{"id":-100,"type":"supergroup"},"media_group_id":"9"}]"#;
const ID: &str = r#"{"message_id" : 9}"#;
const IDS: &str = r#"[ {"message_id":9}, {"message_id":11} ]"#;
const POLL: &str = r#"{"id":"77","question":"?","options":[],"is_closed":true}"#;
const INLINE: &str = r#"{"inline_message_id":"AAA="}"#;
const PREPARED: &str = r#"{"id":"p1","expiration_date":1800000100}"#;
const STORY: &str = r#"{"chat":{"id":7,"type":"private"},"id":3}"#;
const TOPIC: &str = r#"{"message_thread_id":3,"name":"t","icon_color":1}"#;

/// The methods of one row, the results that they can have, and the word for what they did.
type Row = (&'static str, &'static [&'static str], &'static str);

/// reference/telegram.md section 5, without the two rows that say "do not store".
const TABLE: [Row; 24] = [
    (
        "sendMessage sendRichMessage sendPhoto sendLivePhoto sendAudio sendDocument sendVideo sendAnimation sendVoice \
         sendVideoNote sendSticker sendPaidMedia sendLocation sendVenue sendContact sendPoll sendDice sendChecklist \
         sendInvoice sendGame",
        &[MESSAGE],
        "send",
    ),
    ("forwardMessage", &[MESSAGE], "forward"),
    ("sendMediaGroup", &[ALBUM], "send"),
    ("copyMessage", &[ID], "copy"),
    ("copyMessages", &[IDS, "[]"], "copy"),
    ("forwardMessages", &[IDS, "[]"], "forward"),
    (
        "editMessageText editMessageCaption editMessageMedia editMessageReplyMarkup editMessageLiveLocation \
         stopMessageLiveLocation setGameScore",
        &[MESSAGE, "true"],
        "edit",
    ),
    ("editMessageChecklist", &[MESSAGE], "edit"),
    ("stopPoll", &[POLL], "stop_poll"),
    ("deleteMessage deleteMessages deleteBusinessMessages", &["true"], "delete"),
    ("setMessageReaction deleteMessageReaction deleteAllMessageReactions", &["true"], "react"),
    (
        "pinChatMessage unpinChatMessage unpinAllChatMessages unpinAllForumTopicMessages \
         unpinAllGeneralForumTopicMessages",
        &["true"],
        "pin",
    ),
    ("answerGuestQuery", &[INLINE], "guest_reply"),
    ("answerWebAppQuery", &[INLINE], "web_app_reply"),
    ("answerInlineQuery", &["true"], "answer"),
    ("savePreparedInlineMessage", &[PREPARED], "answer"),
    (
        "answerCallbackQuery answerShippingQuery answerPreCheckoutQuery answerChatJoinRequestQuery \
         sendChatJoinRequestWebApp",
        &["true"],
        "answer",
    ),
    ("sendGift giftPremiumSubscription", &["true"], "gift"),
    ("postStory repostStory editStory", &[STORY], "story"),
    ("deleteStory", &["true"], "story"),
    ("approveSuggestedPost declineSuggestedPost", &["true"], "suggested_post"),
    ("readBusinessMessage", &["true"], "read"),
    (
        "editEphemeralMessageText editEphemeralMessageMedia editEphemeralMessageCaption \
         editEphemeralMessageReplyMarkup deleteEphemeralMessage",
        &["true"],
        "ephemeral",
    ),
    ("createForumTopic", &[TOPIC], "topic"),
];

/// The row of the forum topics ends in an ellipsis: these are the others.
const TOPICS: Row = (
    "editForumTopic closeForumTopic reopenForumTopic deleteForumTopic editGeneralForumTopic closeGeneralForumTopic \
     reopenGeneralForumTopic hideGeneralForumTopic unhideGeneralForumTopic",
    &["true"],
    "topic",
);

fn table() -> impl Iterator<Item = Row> {
    TABLE.into_iter().chain([TOPICS])
}

#[tokio::test]
async fn every_method_of_the_table_is_journaled_in_every_form_with_every_result() {
    let t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    let documentation = Documentation::read();
    let mut expected = Vec::new();
    for (methods, results, act) in table() {
        for method in methods.split(' ') {
            let parameters = documentation.given(method);
            for (result, form) in results.iter().flat_map(|result| Form::ALL.map(|form| (result, form))) {
                t.telegram.on(method, Reply::ok(result));
                let call = Call::new(form, &parameters);
                let verb = if form == Form::Query { "GET" } else { "POST" };
                let answer = send(t.address, &call.request(verb, &orders.path(method))).await;
                assert_eq!(answer.text(), format!("{{\"ok\":true,\"result\":{result}}}"), "{method}");
                expected.push((method, *result, act, document(method, act, form, &parameters, result)));
            }
        }
    }
    let sent = t.sent().await;
    assert_eq!(sent.len(), expected.len());
    for ((event, document), (method, result, act, expected)) in sent.iter().zip(expected) {
        assert_eq!(*document, expected, "{method}");
        let bytes = std::str::from_utf8(&event.body).unwrap();
        assert!(bytes.contains(&format!("\"result\":{result}")), "{method}: in Telegram's own bytes");
        assert_eq!(event.cause, Some(t.app_of("orders").lane()), "{method}");
        let topic = tandem_telegram::methods::Act::from_topic(event.topic).unwrap();
        assert_eq!(topic.as_str(), act, "{method}");
    }
}

/// What the journal is to hold of a call.
fn document(method: &str, act: &str, form: Form, parameters: &[(&str, Given)], result: &str) -> Value {
    let (texts, files) = understood(form, parameters);
    let mut said = json!({ "texts": texts, "whole": true });
    if !files.is_empty() {
        let file = |name| json!({ "name": name, "file_name": "cat.png", "size_bytes": FILE.len() });
        said["files"] = files.into_iter().map(file).collect();
    }
    let result: Value = serde_json::from_str(result).unwrap();
    json!({ "method": method, "act": act, "by": { "app": "orders" }, "parameters": said, "result": result })
}

#[tokio::test]
async fn whatever_is_not_in_the_table_is_not_journaled() {
    let t = Stage::start().await;
    let listed: BTreeSet<&str> = table().flat_map(|(methods, ..)| methods.split(' ')).collect();
    let documentation = Documentation::read();
    assert!(listed.iter().all(|listed| documentation.methods().any(|method| method == *listed)));
    let others = documentation.methods().filter(|method| !listed.contains(method) && *method != "getUpdates");
    let mut count = 0;
    for method in others {
        // The virtual ones get an address that may be taken down at once, and nothing else of the others matters.
        t.telegram.on(method, Reply::ok("true"));
        t.main().result(method, json!({"chat_id": 7})).await;
        count += 1;
    }
    assert_eq!(count + listed.len() + 1, 185);
    assert!(t.sent().await.is_empty());
}

#[tokio::test]
async fn where_it_was_said_is_taken_from_the_result_and_else_from_the_request() {
    use tandem_model::Conversation;
    let t = Stage::start().await;
    let shown = |conversation: Option<&str>, result: &'static str| {
        let mut message: Value = serde_json::from_str(result).unwrap();
        if let Some(connection) = conversation {
            message["business_connection_id"] = connection.into();
        }
        message.to_string()
    };
    for (method, parameters, result, conversation) in [
        ("sendMessage", json!({"chat_id": "@shop"}), shown(None, MESSAGE), Conversation::chat(-100)),
        ("sendMessage", json!({"chat_id": 7}), shown(Some("b"), MESSAGE), Conversation::business("b", -100)),
        ("sendMediaGroup", json!({"chat_id": "@shop"}), ALBUM.to_owned(), Conversation::chat(-100)),
        ("copyMessage", json!({"chat_id": "-100"}), ID.to_owned(), Conversation::chat(-100)),
        ("copyMessages", json!({"chat_id": -100}), IDS.to_owned(), Conversation::chat(-100)),
        ("copyMessage", json!({"chat_id": "@shop"}), ID.to_owned(), Conversation::bot()),
        ("deleteMessage", json!({"chat_id": 7, "message_id": 1}), "true".to_owned(), Conversation::chat(7)),
        (
            "deleteBusinessMessages",
            json!({"business_connection_id": "b", "message_ids": [1]}),
            "true".to_owned(),
            Conversation::bot(),
        ),
        (
            "readBusinessMessage",
            json!({"business_connection_id": "b", "chat_id": 7, "message_id": 1}),
            "true".to_owned(),
            Conversation::business("b", 7),
        ),
        ("editMessageText", json!({"inline_message_id": "AAA="}), "true".to_owned(), Conversation::bot()),
        ("answerWebAppQuery", json!({"web_app_query_id": "q"}), INLINE.to_owned(), Conversation::bot()),
    ] {
        t.telegram.on(method, Reply::ok(&result));
        t.main().result(method, parameters.clone()).await;
        let (event, _) = t.sent().await.pop().unwrap();
        assert_eq!(event.conversation, conversation, "{method} {parameters}");
    }
}

#[tokio::test]
async fn a_method_of_the_future_is_recognised_by_its_answer_in_every_form() {
    let t = Stage::start().await;
    let parameters =
        [("chat_id", Given::Json("-100")), ("hologram", Given::File), ("text", Given::Text("ё & +"))];
    let mut expected = Vec::new();
    for (method, result, act) in [
        ("sendHologram", MESSAGE, Some("send")),
        ("sendHolograms", ALBUM, Some("send")),
        ("copyHologram", ID, Some("copy")),
        ("copyHolograms", IDS, Some("copy")),
        ("forwardHologram", MESSAGE, Some("forward")),
        ("editMessageHologram", MESSAGE, Some("edit")),
        ("replaceHologram", MESSAGE, Some("send")),
        // What answers with nothing that was shown, and what only reads.
        ("sendHologramDraft", "true", None),
        ("createHologram", r#"{"id":5}"#, None),
        ("getHolograms", ALBUM, None),
    ] {
        t.telegram.on(method, Reply::ok(result));
        for form in Form::ALL {
            let request = Call::new(form, &parameters).request("POST", &t.main().path(method));
            let answer = send(t.address, &request).await;
            assert_eq!(answer.text(), format!("{{\"ok\":true,\"result\":{result}}}"), "{method}");
            if let Some(act) = act {
                let mut document = document(method, act, form, &parameters, result);
                document["by"] = json!({ "app": "main" });
                expected.push(document);
            }
        }
    }
    let sent: Vec<_> = t.sent().await.into_iter().map(|(_, document)| document).collect();
    assert_eq!(sent, expected);
}
