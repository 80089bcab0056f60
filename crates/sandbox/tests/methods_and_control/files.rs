//! Media: by upload, by URL, by `file_id`; albums; what comes back.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::stage::{Stage, id, picture};

#[tokio::test]
async fn a_clients_photo_has_sizes_and_its_very_bytes() {
    let stage = Stage::start().await;
    stage.acts("photo", json!({"caption": "my /cat"})).await;
    let message = stage.update("message").await;
    let sizes = message["photo"].as_array().unwrap();
    let widths: Vec<i64> = sizes.iter().map(|size| size["width"].as_i64().unwrap()).collect();
    assert_eq!(widths, [90, 320, 800, 1280]);
    assert_eq!(message["caption_entities"][0]["type"], "bot_command");
    let seen = stage.last().await["media"].clone();
    let largest = sizes.last().unwrap();
    let content = stage.download(largest["file_id"].as_str().unwrap()).await;
    assert_eq!(content.len() as u64, seen["size"].as_u64().unwrap());
    assert_eq!(largest["file_size"], seen["size"]);

    let small = stage.download(sizes[0]["file_id"].as_str().unwrap()).await;
    assert!(small.starts_with(&[0xff, 0xd8]), "a thumbnail is a JPEG of its own");
}

#[tokio::test]
async fn every_kind_of_file_can_be_sent_and_sent_again_by_its_id() {
    let stage = Stage::start().await;
    for (method, part) in [
        ("sendDocument", "document"),
        ("sendVideo", "video"),
        ("sendAnimation", "animation"),
        ("sendAudio", "audio"),
        ("sendVoice", "voice"),
        ("sendVideoNote", "video_note"),
        ("sendSticker", "sticker"),
        ("sendPhoto", "photo"),
        ("sendLivePhoto", "live_photo"),
    ] {
        let content = if part == "photo" { picture(9) } else { format!("the {part}").into_bytes() };
        let params = json!({"chat_id": stage.ann, "duration": 7, "title": "T", "performer": "P"});
        let sent = stage.upload(method, params, &[(part, "a.bin", &content)]).await["result"].clone();
        let file = |message: &Value| {
            message[part].as_array().map_or(message[part].clone(), |sizes| sizes.last().unwrap().clone())
        };
        let first = file(&sent);
        assert_eq!(first["file_size"], content.len(), "{method}: {sent}");
        assert_eq!(stage.download(first["file_id"].as_str().unwrap()).await, content, "{method}");
        let again = stage.ok(method, json!({"chat_id": stage.ann, part: first["file_id"]})).await;
        assert_eq!(file(&again)["file_unique_id"], first["file_unique_id"], "{method}");
        assert_eq!(stage.last().await["kind"], part);
        if part == "animation" {
            assert_eq!(sent["document"], sent["animation"], "old clients look for a document");
        }
        if ["video", "animation", "sticker", "video_note"].contains(&part) {
            assert_eq!(sent[part]["thumb"], sent[part]["thumbnail"]);
            assert!(sent[part]["thumbnail"]["file_id"].is_string(), "{sent}");
        }
    }
}

#[tokio::test]
async fn a_file_id_of_another_kind_or_bot_is_refused() {
    let stage = Stage::start().await;
    stage.acts("photo", json!({})).await;
    let photo = stage.update("message").await["photo"][0]["file_id"].clone();
    let words = stage.refused("sendDocument", json!({"chat_id": stage.ann, "document": photo})).await;
    assert_eq!(words, "Bad Request: can't use file of type Photo as Document");
    let words = stage.refused("sendPhoto", json!({"chat_id": stage.ann, "photo": "AgACAgIAAxkBAAI"})).await;
    assert_eq!(words, "Bad Request: wrong file identifier/HTTP URL specified");

    let (other, token) = stage.new_bot("other_bot").await;
    stage.control(&format!("/users/{}/bots/{other}/start", stage.ann), json!({})).await;
    let foreign = stage.call_as(&token, "sendPhoto", json!({"chat_id": stage.ann, "photo": photo})).await;
    assert_eq!(foreign["description"], "Bad Request: wrong file identifier/HTTP URL specified");
}

#[tokio::test]
async fn bots_of_one_group_have_file_ids_of_their_own() {
    let stage = Stage::start().await;
    let (other, token) = stage.new_bot("other_bot").await;
    let group = json!({"title": "G", "users": [stage.ann], "bots": [stage.bot, other]});
    let group = id(&stage.control("/groups", group).await);
    stage.updates().await;
    stage
        .control(&format!("/groups/{group}/users/{}/document", stage.ann), json!({"file_name": "a.txt"}))
        .await;
    let mine = stage.update("message").await["document"].clone();
    let theirs = stage.call_as(&token, "getUpdates", json!({})).await["result"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()["message"]["document"]
        .clone();
    assert_eq!(mine["file_unique_id"], theirs["file_unique_id"]);
    assert_ne!(mine["file_id"], theirs["file_id"]);
    let file = stage.call_as(&token, "getFile", json!({"file_id": theirs["file_id"]})).await;
    assert_eq!(file["result"]["file_unique_id"], mine["file_unique_id"]);
}

#[tokio::test]
async fn what_is_no_picture_is_no_photo() {
    let stage = Stage::start().await;
    let answer =
        stage.upload("sendPhoto", json!({"chat_id": stage.ann}), &[("photo", "a.jpg", b"hello")]).await;
    assert_eq!(answer["description"], "Bad Request: IMAGE_PROCESS_FAILED");
    let answer =
        stage.upload("sendDocument", json!({"chat_id": stage.ann}), &[("document", "a.txt", b"")]).await;
    assert_eq!(answer["description"], "Bad Request: file must be non-empty");
    let long = json!({"chat_id": stage.ann, "caption": "x".repeat(1025)});
    let answer = stage.upload("sendPhoto", long, &[("photo", "a.png", &picture(1))]).await;
    assert_eq!(answer["description"], "Bad Request: message caption is too long");
}

#[tokio::test]
async fn an_album_is_one_group_of_messages() {
    let stage = Stage::start().await;
    let media = json!([
        {"type": "photo", "media": "attach://a", "caption": "first"},
        {"type": "video", "media": "attach://b", "duration": 3},
    ]);
    let files: [(&str, &str, &[u8]); 2] = [("a", "a.png", &picture(1)), ("b", "b.mp4", b"video")];
    let sent = stage.upload("sendMediaGroup", json!({"chat_id": stage.ann, "media": media}), &files).await;
    let sent = sent["result"].as_array().unwrap().clone();
    assert_eq!(sent.len(), 2);
    assert!(sent[0]["media_group_id"].is_string());
    assert_eq!(sent[0]["media_group_id"], sent[1]["media_group_id"]);
    assert_eq!(sent[0]["caption"], "first");
    assert_eq!(sent[1]["video"]["duration"], 3);

    stage
        .acts("album", json!({"items": [{"kind": "document"}, {"kind": "document", "file_name": "x.pdf"}]}))
        .await;
    let updates = stage.updates().await;
    assert_eq!(updates.len(), 2, "one update an item");
    assert_eq!(updates[0]["message"]["media_group_id"], updates[1]["message"]["media_group_id"]);

    for (media, words) in [
        (json!([]), "there are no messages to send"),
        (
            json!([{"type": "photo", "media": sent[0]["photo"][0]["file_id"]}, {"type": "document", "media": "x"}]),
            "Document can't be mixed with other media types",
        ),
        (json!([{"media": "x"}]), "can't parse InputMedia: Can't find field \"type\""),
    ] {
        let words = format!("Bad Request: {words}");
        assert_eq!(
            stage.refused("sendMediaGroup", json!({"chat_id": stage.ann, "media": media})).await,
            words
        );
    }
}

#[tokio::test]
async fn files_by_url_are_fetched_from_this_machine_only() {
    let stage = Stage::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 1024];
            let read = stream.read(&mut head).await.unwrap();
            let (kind, body) = match std::str::from_utf8(&head[..read]).unwrap().split(' ').nth(1).unwrap() {
                "/cat.png" => ("image/png", picture(5)),
                _ => ("text/html", b"<html>".to_vec()),
            };
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
        }
    });
    let photo = |url: String| json!({"chat_id": stage.ann, "photo": url});
    let sent = stage.ok("sendPhoto", photo(format!("http://{address}/cat.png"))).await;
    assert_eq!(sent["photo"].as_array().unwrap().last().unwrap()["width"], 1024);
    for (url, words) in [
        (format!("http://{address}/page"), "wrong type of the web page content"),
        ("http://127.0.0.1:1/x.png".to_owned(), "failed to get HTTP URL content"),
        ("https://example.com/x.png".to_owned(), "failed to get HTTP URL content"),
        ("ftp://127.0.0.1/x.png".to_owned(), "wrong file identifier/HTTP URL specified"),
    ] {
        assert_eq!(stage.refused("sendPhoto", photo(url)).await, format!("Bad Request: {words}"));
    }
}

#[tokio::test]
async fn a_file_too_big_to_download_is_known_but_not_given() {
    let stage = Stage::start().await;
    stage.acts("document", json!({"size": (20 << 20) + 1, "file_name": "big.zip"})).await;
    let file = stage.update("message").await["document"].clone();
    assert_eq!(file["mime_type"], "application/zip");
    let words = stage.refused("getFile", json!({"file_id": file["file_id"]})).await;
    assert_eq!(words, "Bad Request: file is too big");
}

#[tokio::test]
async fn files_of_a_given_size_are_made_up_and_differ() {
    let stage = Stage::start().await;
    for act in ["photo", "photo", "voice", "voice"] {
        stage.acts(act, json!({"size": 4_000_000})).await;
    }
    let chat = stage.chat().await;
    let media: Vec<_> =
        chat["messages"].as_array().unwrap().iter().map(|message| &message["media"]).collect();
    let [.., one, other, voice, second] = &media[..] else { panic!("{chat}") };
    assert_eq!((&one["size"], &voice["size"]), (&json!(4_000_000), &json!(4_000_000)));
    assert_ne!(one["sha256"], other["sha256"]);
    assert_ne!(voice["sha256"], second["sha256"]);
    let small = stage.impossible("photo", json!({"size": 5})).await;
    assert_eq!(small["error"], "no picture is made up in 5 bytes");
    assert!(small["expected"].as_str().unwrap().starts_with("a size of at least "), "{small}");
    stage.acts("voice", json!({"size": 1})).await;
}
