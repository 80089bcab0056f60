//! Group 14: tokens, exact error texts and the envelope (1.1, 1.4, 1.5).

use serde_json::{Value, json};
use tandem_sandbox::telegram::{Fault, FaultBody};

use crate::{
    stage::{
        Stage,
        http::{JSON, get, post},
    },
    table::{Case, Habit, Settings, case},
};

pub(crate) const TOKENS: &[Case] = &[
    case!(malformed_tokens_are_not_found, "1.1, 10.14", "No number before a colon, a leading 0, an id of 2^54, over 80 characters: 404 `Not Found`, as the cloud says it."),
    case!(wrong_tokens_are_unauthorized, "1.1, 1.5, 10.14", "A well-formed token that is nobody's, and one whose secret no server gives out, get 401 `Unauthorized`, for files too."),
    case!(the_bare_server_words_it_otherwise, "1.1, 1.5", "Without the cloud a malformed token is 401 `Unauthorized: invalid token specified`.")
        .with(Settings::BareServer)
        .tandem_differs("the gateway is worded as the cloud, whatever is upstream"),
    case!(a_library_that_validates_tokens_by_pattern, "1.1, 8", "The token is digits, one colon and 35 letters, digits, dashes and underscores; the digits are the bot's id.").habit(Habit::ChecksTokensByPattern),
    case!(a_revoked_token_is_unauthorized, "1.5", "After BotFather gave out another token, calls get 401 `Unauthorized`."),
];

pub(crate) const ENVELOPE: &[Case] = &[
    case!(
        success_in_the_envelope,
        "1.4",
        "200, `application/json`, an explicit length, the connection stays, anybody's scripts may call, `ok` and `result` and nothing else."
    ),
    case!(
        failure_in_the_envelope,
        "1.4",
        "The status is the `error_code`, with `ok: false` and `description`."
    ),
    case!(
        a_429_passes_with_its_time,
        "1.4, 1.5",
        "`retry_after` in the body and in the header, the description with the number."
    ),
    case!(
        an_upgraded_group_names_its_successor,
        "1.4, 1.5",
        "`migrate_to_chat_id` comes with the exact text."
    ),
    case!(
        updates_keep_telegrams_bytes,
        "1.4",
        "Spaces, escapes, order and unknown fields of an update come as Telegram wrote them, after the newline behind `update_id`."
    ),
    case!(deliveries_keep_telegrams_bytes, "1.4", "The same in what is posted to a webhook."),
    case!(
        large_ids_keep_their_digits,
        "1.4",
        "Ids of 52 bits and negative ones of supergroups come through exactly."
    ),
];

pub(crate) const TEXTS: &[Case] = &[
    case!(unknown_methods_are_not_found, "1.5", "404 `Not Found`, as the cloud says it."),
    case!(the_bare_server_names_unknown_methods, "1.5", "404 `Not Found: method not found`.").with(Settings::BareServer),
    case!(texts_that_clients_match_on, "1.5", "Chats not found, empty and too long texts, edits and deletions of nothing, blocked bots: each in its exact words."),
    case!(a_missing_parameter_is_named, "1.5", "`Bad Request: parameter \"X\" is required`."),
    case!(files_that_are_wrong_or_too_big, "1.5", "`getFile` refuses a wrong id and a file over 20 MB in these words."),
    case!(late_answers_are_too_late, "1.5", "`query is too old and response timeout expired or query ID is invalid`."),
    case!(an_html_page_of_telegrams_does_not_pass, "1.3, 10.14", "The cloud's nginx shows a page with 502 while it is out.")
        .tandem_differs("no page reaches an app (the rule of 1.3): a 502 in the envelope"),
    case!(a_broken_connection_of_telegrams_is_a_502, "1.3, 1.5", "A call whose connection Telegram resets has no answer.")
        .tandem_differs("the app is told: 502 in the envelope, never 401 or 404 (the rule of 1.5)"),
    case!(close_ends_the_instance, "1.5, 7", "`close` gets a 429 for ten minutes after the start, then `true`, then `the bot has already been closed`.")
        .tandem_differs("`close` is virtual (invariant 5): always `true`, and nobody's stream ends"),
    case!(log_out_ends_everything, "1.5, 7", "After `logOut` calls get 400 `Logged out`.")
        .tandem_differs("`logOut` is virtual (invariant 5): `true`, and nobody's stream ends"),
    case!(a_poll_at_shutdown, "1.5", "A server that shuts down answers waiting polls with 500 `Internal Server Error: restart`.")
        .tandem_differs("with an empty array, as a poll that found nothing: no library sleeps or gives up"),
];

async fn malformed_tokens_are_not_found(t: &mut Stage) {
    let secret = "A".repeat(35);
    for token in [
        String::new(),
        "x".to_owned(),
        "123456".to_owned(),
        format!(":{secret}"),
        format!("0123456:{secret}"),
        format!("-5:{secret}"),
        format!("12a:{secret}"),
        format!("{}:{secret}", 1_i64 << 54),
        format!("123456:{}", "A".repeat(80)),
    ] {
        for path in [format!("/bot{token}/getMe"), format!("/bot{token}/getUpdates")] {
            t.app.send(get(&path)).await.is_refusal(404, "Not Found");
        }
    }
}

async fn wrong_tokens_are_unauthorized(t: &mut Stage) {
    let id = t.bot.id();
    for token in [
        format!("{id}:{}", "A".repeat(35)),
        format!("77:{}", "A".repeat(35)),
        format!("{id}:short"),
        format!("{id}:{}", "!".repeat(35)),
        format!("{id}:{}", "A".repeat(33)),
    ] {
        for method in ["getMe", "sendMessage", "getUpdates", "setWebhook", "nonsense"] {
            t.app.send(get(&format!("/bot{token}/{method}"))).await.is_refusal(401, "Unauthorized");
        }
        t.app.send(get(&format!("/file/bot{token}/photos/a.jpg"))).await.is_refusal(401, "Unauthorized");
    }
}

async fn the_bare_server_words_it_otherwise(t: &mut Stage) {
    let answer = t.app.send(get("/botnonsense/getMe")).await;
    if t.differs() {
        answer.is_refusal(404, "Not Found");
    } else {
        answer.is_refusal(401, "Unauthorized: invalid token specified");
    }
    t.app.send(get("/bot123:short/getMe")).await.is_refusal(401, "Unauthorized");
}

async fn a_library_that_validates_tokens_by_pattern(t: &mut Stage) {
    let (other, _) = t.another().await;
    for token in [&t.app.token, &other.token] {
        let (id, secret) = token.split_once(':').unwrap();
        assert!(id.bytes().all(|byte| byte.is_ascii_digit()));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        assert!(secret.len() == 35 && secret.bytes().all(allowed));
        assert!(!token.contains(char::is_whitespace));
    }
    let me = t.app.call("getMe", json!({})).await.result();
    assert_eq!(t.app.token.split_once(':').unwrap().0, me["id"].to_string());
}

async fn a_revoked_token_is_unauthorized(t: &mut Stage) {
    t.app.call("getMe", json!({})).await.result();
    t.revokes_the_token();
    t.app.call("getMe", json!({})).await.is_refusal(401, "Unauthorized");
    t.app.call("sendMessage", json!({"chat_id": 7, "text": "x"})).await.is_refusal(401, "Unauthorized");
}

async fn success_in_the_envelope(t: &mut Stage) {
    for method in ["getMe", "getUpdates", "getWebhookInfo"] {
        let answer = t.app.call(method, json!({})).await;
        assert!(answer.head.starts_with("HTTP/1.1 200 OK\r\n"), "{}", answer.head);
        assert_eq!(answer.header("content-type"), Some("application/json"), "{method}");
        assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()), "{method}");
        assert_ne!(answer.header("connection"), Some("close"), "{method}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{method}");
        let keys: Vec<_> = answer.json().as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["ok", "result"], "{method}");
    }
}

async fn failure_in_the_envelope(t: &mut Stage) {
    for (method, params) in
        [("sendMessage", json!({"chat_id": 1, "text": "x"})), ("setWebhook", json!({"url": "ftp://x"}))]
    {
        let answer = t.app.call(method, params).await;
        assert_eq!(answer.status, 400);
        let json = answer.json();
        assert_eq!((&json["ok"], &json["error_code"]), (&json!(false), &json!(400)));
        let keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["description", "error_code", "ok"]);
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

async fn a_429_passes_with_its_time(t: &mut Stage) {
    for method in ["sendMessage", "getChat"] {
        t.telegram_fails(method, Fault::Status { code: 429, body: FaultBody::Json, retry_after: Some(17) });
        let answer = t.app.call(method, json!({"chat_id": 7, "text": "x"})).await;
        answer.is_refusal(429, "Too Many Requests: retry after 17");
        assert_eq!(answer.json()["parameters"], json!({"retry_after": 17}));
        assert_eq!(answer.header("retry-after"), Some("17"));
    }
}

async fn an_upgraded_group_names_its_successor(t: &mut Stage) {
    let person = t.person().await;
    let group = json!({"title": "Old", "type": "group", "users": [person.id], "bots": [t.bot.id()]});
    let group = t.act("/groups", &group).await["id"].as_i64().unwrap();
    let upgraded = t.act(&format!("/groups/{group}/upgrade"), &json!({})).await;
    let answer = t.app.call("sendMessage", json!({"chat_id": group, "text": "x"})).await;
    answer.is_refusal(400, "Bad Request: group chat was upgraded to a supergroup chat");
    let successor = answer.json()["parameters"]["migrate_to_chat_id"].as_i64().unwrap();
    assert!(successor < -1_000_000_000_000, "{successor} {upgraded}");
    t.app.call("sendMessage", json!({"chat_id": successor, "text": "x"})).await.result();
}

/// An update such as no serializer would write it.
fn odd(t: &Stage) -> String {
    format!(
        "{{\"message\":{{ \"date\" : {}, \"message_id\":1 ,\"text\":\"\\u041f\\/\",  \"chat\":{{\"type\":\"private\",\"id\":7}},\"zz_new\":[1.50,1e3,null],\"a\":{{}} }}}}",
        t.clock.now_secs()
    )
}

fn kept(t: &Stage, update: &str) -> String {
    let odd = odd(t);
    let object = odd.trim_start_matches('{').trim_end_matches('}');
    let (number, rest) = update.split_once(',').unwrap();
    assert!(number.starts_with("{\"update_id\":"), "{number}");
    assert!(rest.starts_with('\n'), "a newline follows the comma");
    assert!(rest.contains(object.trim_end()), "{rest}\nis not\n{odd}");
    number.to_owned()
}

async fn updates_keep_telegrams_bytes(t: &mut Stage) {
    t.push_raw(&odd(t)).await;
    let answer = t.app.call("getUpdates", json!({})).await;
    let text = String::from_utf8(answer.body).unwrap();
    let update = text.trim_start_matches("{\"ok\":true,\"result\":[").trim_end_matches("]}");
    kept(t, update);
}

async fn deliveries_keep_telegrams_bytes(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.push_raw(&odd(t)).await;
    let delivery = receiver.next().await;
    kept(t, std::str::from_utf8(&delivery.body).unwrap());
    delivery.ok();
}

async fn large_ids_keep_their_digits(t: &mut Stage) {
    let (user, chat) = ((1_i64 << 52) - 1, -1_009_876_543_210_i64);
    let message = json!({
        "message_id": 2_147_483_646, "date": t.clock.now_secs(), "text": "x",
        "chat": {"id": chat, "type": "supergroup", "title": "T"},
        "from": {"id": user, "is_bot": false, "first_name": "Ann"},
    });
    t.push("message", &message).await;
    let update = &t.updates(json!({})).await[0];
    assert_eq!(update["message"], message);
}

async fn unknown_methods_are_not_found(t: &mut Stage) {
    for method in ["noSuchMethod", "getMe/", "getUpdates/", "set%20webhook", "%D0%BF"] {
        t.app.send(get(&t.app.path(method))).await.is_refusal(404, "Not Found");
    }
}

async fn the_bare_server_names_unknown_methods(t: &mut Stage) {
    t.app.send(get(&t.app.path("noSuchMethod"))).await.is_refusal(404, "Not Found: method not found");
}

async fn texts_that_clients_match_on(t: &mut Stage) {
    let person = t.person().await;
    let id = person.id;
    let refused = async |t: &Stage, method: &str, params: Value, code: u16, words: &str| {
        t.app.call(method, params).await.is_refusal(code, words);
    };
    let sent = t.app.call("sendMessage", json!({"chat_id": id, "text": "same"})).await.result();
    let message = sent["message_id"].clone();
    for (method, params, words) in [
        ("sendMessage", json!({"chat_id": 1, "text": "x"}), "chat not found"),
        ("sendMessage", json!({"text": "x"}), "chat_id is empty"),
        ("sendMessage", json!({"chat_id": id, "text": ""}), "message text is empty"),
        ("sendMessage", json!({"chat_id": id, "text": "x".repeat(4097)}), "message is too long"),
        (
            "editMessageText",
            json!({"chat_id": id, "message_id": 999, "text": "x"}),
            "message to edit not found",
        ),
        ("deleteMessage", json!({"chat_id": id, "message_id": 999}), "message to delete not found"),
        (
            "copyMessage",
            json!({"chat_id": id, "from_chat_id": id, "message_id": 999}),
            "message to copy not found",
        ),
        (
            "forwardMessage",
            json!({"chat_id": id, "from_chat_id": id, "message_id": 999}),
            "message to forward not found",
        ),
        (
            "sendDocument",
            json!({"chat_id": id, "document": "nonsense"}),
            "wrong file identifier/HTTP URL specified",
        ),
        (
            "editMessageText",
            json!({"chat_id": id, "message_id": message, "text": "same"}),
            "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
        ),
    ] {
        refused(t, method, params, 400, &format!("Bad Request: {words}")).await;
    }
    let parsed = json!({"chat_id": id, "text": "*open", "parse_mode": "MarkdownV2"});
    let answer = t.app.call("sendMessage", parsed).await;
    assert!(answer.description().starts_with("Bad Request: can't parse entities: "), "{answer:?}");
    t.act(&person.path("block"), &json!({})).await;
    let blocked = "Forbidden: bot was blocked by the user";
    refused(t, "sendMessage", json!({"chat_id": id, "text": "x"}), 403, blocked).await;
}

async fn a_missing_parameter_is_named(t: &mut Stage) {
    let answer = t.app.call("sendInvoice", json!({"chat_id": t.person().await.id})).await;
    let words = answer.description();
    assert!(words == "Bad Request: parameter \"title\" is required" && answer.status == 400, "{answer:?}");
}

async fn files_that_are_wrong_or_too_big(t: &mut Stage) {
    let words = "Bad Request: wrong file_id or the file is temporarily unavailable";
    t.app.call("getFile", json!({"file_id": "nonsense"})).await.is_refusal(400, words);
    let person = t.person().await;
    t.act(&person.path("document"), &json!({"size": (20 << 20) + 1})).await;
    let updates = t.updates(json!({"offset": -1})).await;
    let file = updates[0]["message"]["document"]["file_id"].clone();
    t.app.call("getFile", json!({"file_id": file})).await.is_refusal(400, "Bad Request: file is too big");
}

async fn late_answers_are_too_late(t: &mut Stage) {
    let words = "Bad Request: query is too old and response timeout expired or query ID is invalid";
    for (method, params) in [
        ("answerCallbackQuery", json!({"callback_query_id": "1"})),
        ("answerInlineQuery", json!({"inline_query_id": "1", "results": []})),
    ] {
        t.app.call(method, params).await.is_refusal(400, words);
    }
}

async fn an_html_page_of_telegrams_does_not_pass(t: &mut Stage) {
    for (method, code) in [("sendMessage", 502), ("getMe", 502), ("getChat", 504)] {
        t.telegram_fails(method, Fault::Status { code, body: FaultBody::Html, retry_after: None });
        let answer = t.app.call(method, json!({"chat_id": 7, "text": "x"})).await;
        if t.differs() {
            assert_eq!((answer.status, answer.header("content-type")), (code, Some("application/json")));
            answer.is_refusal(code, if code == 502 { "Bad Gateway" } else { "Gateway Timeout" });
        } else {
            assert_eq!((answer.status, answer.header("content-type")), (code, Some("text/html")));
        }
    }
}

async fn a_broken_connection_of_telegrams_is_a_502(t: &mut Stage) {
    t.telegram_fails("sendMessage", Fault::Reset);
    let request = post(&t.app.path("sendMessage"), JSON, r#"{"chat_id":7,"text":"x"}"#);
    if t.differs() {
        t.app.send(request).await.is_refusal(502, "Bad Gateway");
    } else {
        assert!(t.app.try_send(request).await.is_none());
    }
}

async fn close_ends_the_instance(t: &mut Stage) {
    if t.differs() {
        for _ in 0..2 {
            assert_eq!(t.app.call("close", json!({})).await.result(), true);
        }
        t.says(7, "hello").await;
        assert_eq!(t.texts(json!({})).await, ["hello"]);
        assert_eq!(t.called("close"), 0, "Telegram hears nothing of it");
    } else {
        let early = t.app.call("close", json!({})).await;
        assert_eq!((early.status, early.header("retry-after").is_some()), (429, true));
        t.later(600).await;
        assert_eq!(t.app.call("close", json!({})).await.result(), true);
        let words = "Bad Request: the bot has already been closed";
        t.app.call("close", json!({})).await.is_refusal(400, words);
    }
}

async fn log_out_ends_everything(t: &mut Stage) {
    assert_eq!(t.app.call("logOut", json!({})).await.result(), true);
    if t.differs() {
        t.says(7, "hello").await;
        assert_eq!(t.texts(json!({})).await, ["hello"]);
        assert_eq!(t.called("logOut"), 0, "Telegram hears nothing of it");
    } else {
        t.app.call("getMe", json!({})).await.is_refusal(400, "Logged out");
    }
}

async fn a_poll_at_shutdown(t: &mut Stage) {
    let waiting = t.waits(&t.app, json!({"timeout": 30}), 30).await;
    t.stop().await;
    let answer = waiting.answer().await;
    if t.differs() {
        assert_eq!(answer.result(), json!([]));
    } else {
        answer.is_refusal(500, "Internal Server Error: restart");
    }
}
