//! Group 1, first half: addresses, verbs, connections, files (1.1, 1.2).

use serde_json::json;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::{
    stage::{
        Stage,
        http::{FORM, JSON, MULTIPART, escape, file, get, multipart, post, read_answer, request, text},
    },
    table::{Case, Habit, case},
};

pub(crate) const CASES: &[Case] = &[
    case!(
        method_names_in_any_case,
        "1.1, 10.1",
        "`getMe`, `GETME`, `GetMe`, also of methods that concern updates, by GET and POST."
    ),
    case!(
        an_encoded_token_and_path,
        "1.1, 10.1",
        "The path is decoded before it is split: `%3A` in the token, `%2F` before the method, encoded letters."
    ),
    case!(the_test_environment, "1.1", "`/bot<token>/test/<method>` is answered."),
    case!(
        a_method_parameter_where_the_path_names_none,
        "1.1",
        "`/bot<token>/` takes the method from the parameter `method`, of query and body."
    ),
    case!(
        a_method_parameter_beside_a_method_is_ignored,
        "1.2",
        "telegraf's `method` field in a body changes nothing."
    ),
    case!(
        other_addresses_are_not_found,
        "1.1",
        "What does not begin with `/bot`, and a token without a slash after it: 404 `Not Found`."
    ),
    case!(
        an_absolute_uri_is_not_found,
        "1.1",
        "404 `Not Found: absolute URI is specified in the Request-Line`."
    ),
    case!(a_trailing_slash_is_part_of_the_name, "1.1", "`getMe/` is a method that nobody knows."),
    case!(
        old_names_are_still_accepted,
        "1.1",
        "`kickChatMember`, `getChatMembersCount`, `setStickerSetThumb`, `sendCustomRequest`, `answerCustomQuery` are known methods."
    ),
    case!(only_get_and_post, "1.2, 1.3", "Other verbs get a bare 501.")
        .tandem_differs("501 in the envelope (the rule of 1.3)"),
    case!(http_1_0_is_good_enough, "1.2", "HTTP/1.0 is answered."),
    case!(other_versions_are_refused, "1.2", "HTTP/3.0 in the request line gets 505.")
        .both_differ("400, before anything of ours sees the request (hyper)"),
    case!(
        connections_are_kept,
        "1.2, 1.4",
        "One connection serves several requests, with and without bodies."
    ),
    case!(
        files_by_path_as_one_segment,
        "1.1, 1.2",
        "`photos%2Ffile_1.jpg` and `photos/file_1.jpg` are the same file."
    )
    .habit(Habit::DownloadsWithAnEncodedPath),
    case!(files_are_downloaded_as_they_are, "1.1", "Also in the test environment; an unknown path is 404."),
    case!(the_bare_server_has_no_files, "1.1", "The open-source server answers downloads with 404.")
        .with(crate::table::Settings::BareServer),
    case!(
        a_file_parameter_has_four_forms,
        "1.2",
        "Bytes in a part of its own name, `attach://` a part, a `file_id`, and an address that Telegram fetches."
    ),
];

async fn method_names_in_any_case(t: &mut Stage) {
    let id = t.bot.id();
    for name in ["getMe", "GETME", "GetMe", "getme"] {
        for verb in ["GET", "POST"] {
            let answer = t.app.send(request(verb, &t.app.path(name), &["Content-Length: 0"], b"")).await;
            assert_eq!(answer.result()["id"], id, "{verb} {name}");
        }
    }
    t.says(7, "hello").await;
    for name in ["getUpdates", "GETUPDATES", "GetUpdates"] {
        t.later(4).await;
        let answer = t.app.send(get(&t.app.path(name))).await;
        assert_eq!(answer.result().as_array().unwrap().len(), 1, "{name}");
    }
    for (name, said) in
        [("SETWEBHOOK", "Webhook is already deleted"), ("Deletewebhook", "Webhook is already deleted")]
    {
        assert_eq!(t.app.send(get(&t.app.path(name))).await.description(), said);
    }
    assert_eq!(t.app.send(get(&t.app.path("GETWEBHOOKINFO"))).await.result()["url"], "");
    let person = t.person().await;
    let params = json!({"chat_id": person.id, "text": "Hi"}).to_string();
    t.app.send(post(&t.app.path("SendMessage"), JSON, params)).await.result();
    assert_eq!(person.last().await["text"], "Hi");
}

async fn an_encoded_token_and_path(t: &mut Stage) {
    let token = &t.app.token;
    for path in [
        format!("/bot{}/getMe", token.replace(':', "%3A")),
        format!("/bot{token}%2FgetMe"),
        format!("/%62ot{token}/%67etMe"),
        format!("/bot{}/getMe", escape(token)),
    ] {
        assert_eq!(t.app.send(get(&path)).await.result()["id"], t.bot.id());
    }
    t.app.send(get(&format!("/bot{token}/get%55pdates"))).await.result();
}

async fn the_test_environment(t: &mut Stage) {
    assert_eq!(t.app.send(get(&t.app.path("test/getMe"))).await.result()["id"], t.bot.id());
    let refused = t.app.send(get(&t.app.path("test/noSuchMethod"))).await;
    refused.is_refusal(404, "Not Found");
}

async fn a_method_parameter_where_the_path_names_none(t: &mut Stage) {
    let path = t.app.path("");
    let id = t.bot.id();
    for request in [
        get(&format!("{path}?method=getMe")),
        post(&path, FORM, "method=GETME"),
        post(&path, JSON, r#"{"method":"getMe"}"#),
        post(&path, MULTIPART, multipart(&[text("method", "getMe")])),
    ] {
        assert_eq!(t.app.send(request).await.result()["id"], id);
    }
    t.says(7, "hello").await;
    let updates = t.app.send(post(&path, JSON, r#"{"method":"getUpdates","limit":1}"#)).await.result();
    assert_eq!(updates.as_array().unwrap().len(), 1);
    let person = t.person().await;
    let params = json!({"method": "sendMessage", "chat_id": person.id, "text": "Hi"}).to_string();
    t.app.send(post(&path, JSON, params)).await.result();
    assert_eq!(person.last().await["text"], "Hi");
    t.app.send(get(&path)).await.is_refusal(404, "Not Found");
}

async fn a_method_parameter_beside_a_method_is_ignored(t: &mut Stage) {
    let body = multipart(&[text("method", "sendMessage"), text("limit", "1")]);
    let answer = t.app.send(post(&t.app.path("getMe"), MULTIPART, &body)).await;
    assert_eq!(answer.result()["id"], t.bot.id());
    let answer = t.app.send(post(&t.app.path("getUpdates"), MULTIPART, &body)).await;
    assert_eq!(answer.result(), json!([]));
}

async fn other_addresses_are_not_found(t: &mut Stage) {
    let token = &t.app.token;
    for path in [
        "/".to_owned(),
        "/getMe".to_owned(),
        format!("/bot{token}"),
        format!("/Bot{token}/getMe"),
        format!("/x/bot{token}/getMe"),
        format!("//bot{token}/getMe"),
        format!("/file/{token}/x"),
        format!("/file/bot{token}"),
    ] {
        t.app.send(get(&path)).await.is_refusal(404, "Not Found");
    }
}

async fn an_absolute_uri_is_not_found(t: &mut Stage) {
    let words = "Not Found: absolute URI is specified in the Request-Line";
    let path = format!("http://telegram{}", t.app.path("getMe"));
    t.app.send(get(&path)).await.is_refusal(404, words);
}

async fn a_trailing_slash_is_part_of_the_name(t: &mut Stage) {
    for method in ["getMe/", "getUpdates/", "setWebhook/", "sendMessage/"] {
        t.app.send(get(&t.app.path(method))).await.is_refusal(404, "Not Found");
    }
}

async fn old_names_are_still_accepted(t: &mut Stage) {
    for method in [
        "kickChatMember",
        "getChatMembersCount",
        "setStickerSetThumb",
        "sendCustomRequest",
        "answerCustomQuery",
    ] {
        assert_ne!(t.app.call(method, json!({})).await.status, 404, "{method}");
    }
    let person = t.person().await;
    let count = t.app.call("getChatMembersCount", json!({"chat_id": person.id})).await.result();
    assert_eq!(count, 2);
}

async fn only_get_and_post(t: &mut Stage) {
    for verb in ["PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
        let answer = t.app.send(request(verb, &t.app.path("getMe"), &["Content-Length: 0"], b"")).await;
        if t.differs() {
            answer.is_refusal(501, "Not Implemented");
        } else {
            answer.is_bare(501);
        }
    }
}

async fn http_1_0_is_good_enough(t: &mut Stage) {
    for method in ["getMe", "getWebhookInfo"] {
        let request = format!("GET {} HTTP/1.0\r\n\r\n", t.app.path(method));
        t.app.send(request).await.result();
    }
}

async fn other_versions_are_refused(t: &mut Stage) {
    let answer = t.app.send(format!("GET {} HTTP/3.0\r\nHost: t\r\n\r\n", t.app.path("getMe"))).await;
    answer.is_bare(if t.differs() { 400 } else { 505 });
}

async fn connections_are_kept(t: &mut Stage) {
    let mut stream = TcpStream::connect(t.app.address).await.unwrap();
    for request in [
        get(&t.app.path("getMe")),
        post(&t.app.path("getUpdates"), JSON, "{}"),
        post(&t.app.path("sendMessage"), FORM, "chat_id=1&text=x"),
        post(&t.app.path("noSuchMethod"), FORM, "a=b"),
        get(&t.app.path("getMe")),
    ] {
        stream.write_all(&request).await.unwrap();
        let answer = crate::stage::soon("an answer", read_answer(&mut stream)).await.unwrap();
        assert!(answer.json()["ok"].is_boolean());
    }
}

/// A file that a person has sent: its id and its path.
async fn received(t: &Stage, content: &str) -> (String, String) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let person = t.person().await;
    let document = json!({"file_base64": STANDARD.encode(content), "file_name": "price.txt"});
    t.act(&person.path("document"), &document).await;
    let updates = t.updates(json!({"offset": -1})).await;
    let id = updates[0]["message"]["document"]["file_id"].as_str().unwrap().to_owned();
    let file = t.app.call("getFile", json!({"file_id": id})).await.result();
    (id, file["file_path"].as_str().unwrap().to_owned())
}

async fn files_by_path_as_one_segment(t: &mut Stage) {
    let (_, path) = received(t, "a price list").await;
    assert!(path.contains('/'));
    let token = &t.app.token;
    for path in [
        format!("/file/bot{token}/{}", path.replace('/', "%2F")),
        format!("/file/bot{token}/{}", escape(&path)),
        format!("/file/bot{token}/{path}"),
    ] {
        let answer = t.app.send(get(&path)).await;
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"a price list".as_slice()));
    }
}

async fn files_are_downloaded_as_they_are(t: &mut Stage) {
    let (_, path) = received(t, "\u{0}\u{1}bytes").await;
    let token = &t.app.token;
    let answer = t.app.send(get(&format!("/file/bot{token}/test/{path}"))).await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"\0\x01bytes".as_slice()));
    t.app.send(get(&format!("/file/bot{token}/photos/none.jpg"))).await.is_refusal(404, "Not Found");
}

async fn the_bare_server_has_no_files(t: &mut Stage) {
    let (_, path) = received(t, "a price list").await;
    let answer = t.app.send(get(&format!("/file/bot{}/{path}", t.app.token))).await;
    answer.is_refusal(404, "Not Found");
}

async fn a_file_parameter_has_four_forms(t: &mut Stage) {
    let person = t.person().await;
    let id = person.id.to_string();
    let path = t.app.path("sendDocument");
    let own = multipart(&[text("chat_id", &id), file("document", "a.txt", b"bytes")]);
    let sent = t.app.send(post(&path, MULTIPART, own)).await.result();
    let attached =
        multipart(&[text("chat_id", &id), text("document", "attach://x"), file("x", "a.txt", b"bytes")]);
    t.app.send(post(&path, MULTIPART, attached)).await.result();
    let file_id = &sent["document"]["file_id"];
    t.app.call("sendDocument", json!({"chat_id": person.id, "document": file_id})).await.result();
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/a.txt", server.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = server.accept().await {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nbytes";
            let _ = stream.write_all(answer).await;
            let mut rest = Vec::new();
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
        }
    });
    t.app.call("sendDocument", json!({"chat_id": person.id, "document": url})).await.result();
    let sizes: Vec<_> = person
        .sees()
        .await
        .iter()
        .filter(|message| message["from"] == "bot")
        .map(|message| message["media"]["size"].clone())
        .collect();
    assert_eq!(sizes, [5, 5, 5, 5]);
}
