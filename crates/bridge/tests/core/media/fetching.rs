//! What is served: the right bytes, described rightly, whole and in parts, for as long as the address is good.

use std::{fs, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use tandem_bridge::UpstreamMode;
use tandem_model::message::{Act, Attachment, Content, Language};
use tandem_sandbox::telegram::Bot;
use tandem_telegram::told::of_update;

use super::{
    Answer, ask, attachment,
    file_server::{Behaviour, FileServer, SIZE, byte},
    get, link, media,
};
use crate::support::{Service, Stage, id};

const MEBIBYTE: usize = 1 << 20;
/// What the buffers of three connections and a test may take.
const FLAT_BYTES: usize = 12 * MEBIBYTE;

/// A client's file on its way to a vendor: what he sent, and what is told of it.
async fn sent(stage: &Stage, service: &Service, bot: &Arc<Bot>, act: &str, body: Value) -> Attachment {
    let user = stage.act("/users", json!({"first_name": "Ann"})).await["id"].clone();
    let path = format!("/users/{user}/bots/{}", bot.id());
    let before = service.journal(bot).await.len();
    stage.act(&format!("{path}/start"), json!({})).await;
    stage.act(&format!("{path}/{act}"), body).await;
    service.bodies(bot, before + 2).await;
    let event = service.journal(bot).await.pop().unwrap();
    match of_update(Language::English, &event).unwrap().act {
        Act::Said(body) => match body.content {
            Content::File(attachment) => attachment,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

async fn a_price_list(stage: &Stage, service: &Service, bot: &Arc<Bot>, content: &[u8]) -> Attachment {
    let document = json!({
        "file_base64": BASE64_STANDARD.encode(content), "file_name": "прайс \"1\".pdf", "mime_type": "application/pdf",
    });
    sent(stage, service, bot, "document", document).await
}

#[tokio::test]
async fn a_clients_file_is_fetched_as_he_sent_it() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    let content: Vec<u8> = (0..1000).map(byte).collect();
    let price = a_price_list(&stage, &service, &bot, &content).await;
    let link = link(&service, &bot, &price);
    assert!(link.starts_with(&format!("{}/media/", service.public)));
    assert!(link.ends_with("/%D0%BF%D1%80%D0%B0%D0%B9%D1%81%20%221%22.pdf"), "{link}");

    let described = |answer: &Answer, length: &str| {
        assert_eq!(answer.header("content-length"), length);
        assert_eq!(answer.header("content-type"), "application/pdf");
        let name = "%D0%BF%D1%80%D0%B0%D0%B9%D1%81%20%221%22.pdf";
        let disposition = format!("attachment; filename=\"_______1_.pdf\"; filename*=UTF-8''{name}");
        assert_eq!(answer.header("content-disposition"), disposition);
        assert_eq!(answer.header("etag"), format!("\"{}\"", price.file.unique_id));
        assert_eq!(answer.header("accept-ranges"), "bytes");
        assert_eq!(answer.header("cache-control"), "private, max-age=86400, immutable");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(answer.header("content-security-policy").contains("sandbox"));
    };
    let answer = get(&stage, &link, &[]).await;
    assert_eq!((answer.status, &answer.body), (200, &content));
    described(&answer, "1000");
    let head = ask(&stage, Method::HEAD, &link, &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    described(&head, "1000");

    let part = get(&stage, &link, &[("range", "bytes=100-199")]).await;
    assert_eq!((part.status, part.body.as_slice()), (206, &content[100..200]));
    assert_eq!(part.header("content-range"), "bytes 100-199/1000");
    described(&part, "100");
    for (range, expected) in
        [("bytes=900-", 900..1000), ("bytes=-7", 993..1000), ("bytes=999-5000", 999..1000)]
    {
        let part = get(&stage, &link, &[("range", range)]).await;
        assert_eq!((part.status, part.body.as_slice()), (206, &content[expected]), "{range}");
    }
    let head = ask(&stage, Method::HEAD, &link, &[("range", "bytes=100-199")]).await;
    assert_eq!((head.status, head.header("content-length")), (206, "100"));
    let none = get(&stage, &link, &[("range", "bytes=1000-")]).await;
    assert_eq!((none.status, none.header("content-range")), (416, "bytes */1000"));
    let several = get(&stage, &link, &[("range", "bytes=0-1,5-6")]).await;
    assert_eq!((several.status, several.body.len()), (200, 1000));

    let etag = answer.header("etag");
    let known = get(&stage, &link, &[("if-none-match", &format!("\"x\", W/{etag}"))]).await;
    assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, etag));
    let same = get(&stage, &link, &[("range", "bytes=1-1"), ("if-range", etag)]).await;
    assert_eq!(same.status, 206);
    let other = get(&stage, &link, &[("range", "bytes=1-1"), ("if-range", "\"other\"")]).await;
    assert_eq!((other.status, other.body.len()), (200, 1000));
    assert_eq!(ask(&stage, Method::POST, &link, &[]).await.status, 405);
    service.stop().await;
}

#[tokio::test]
async fn a_photo_is_shown_and_named() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    let photo = sent(&stage, &service, &bot, "photo", json!({"caption": "my cat"})).await;
    let answer = get(&stage, &link(&service, &bot, &photo), &[]).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "image/jpeg"));
    assert!(answer.header("content-disposition").starts_with("inline; filename=\"photo.jpg\""));
    assert_eq!(Some(answer.body.len() as u64), photo.size_bytes);
    service.stop().await;
}

#[tokio::test]
async fn an_address_is_good_until_its_moment_whatever_telegram_remembers() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    let price = a_price_list(&stage, &service, &bot, b"prices").await;
    let link = link(&service, &bot, &price);
    for _ in 0..23 {
        assert_eq!(get(&stage, &link, &[]).await.body, b"prices");
        // A path that Telegram has given is good for an hour.
        stage.clock.advance(Duration::from_hours(1));
    }
    stage.clock.advance(Duration::from_secs(3599));
    assert_eq!(get(&stage, &link, &[]).await.status, 200);
    stage.clock.advance(Duration::from_secs(1));
    assert_eq!(get(&stage, &link, &[]).await.status, 404);
    service.stop().await;
}

#[tokio::test]
async fn without_an_address_of_ours_and_for_what_telegram_does_not_give_there_is_none() {
    let stage = Stage::new().await;
    let service = stage.serve_with(|config| config.public_url = None, |_| {}).await;
    let bot = stage.bot();
    assert_eq!(media(&service).link(id(&bot), &attachment("F")), None);
    service.stop().await;
    let service = stage.serve().await;
    let of = |size_bytes| media(&service).link(id(&bot), &Attachment { size_bytes, ..attachment("F") });
    assert!(of(Some(20 << 20)).is_some());
    assert_eq!(of(Some((20 << 20) + 1)), None);
    service.stop().await;
}

#[tokio::test]
async fn parts_are_asked_of_a_telegram_that_gives_parts() {
    let mut stage = Stage::new().await;
    let (server, url) = FileServer::start(Behaviour { ranges: true, ..Behaviour::default() }).await;
    stage.telegram = Some(url);
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Webhook, &[]).await;
    let link = link(&service, &bot, &attachment("F"));
    for (range, start, end) in [
        ("bytes=1000000-1000999", 1_000_000, 1_001_000),
        ("bytes=-10", SIZE - 10, SIZE),
        ("bytes=20971519-", SIZE - 1, SIZE),
    ] {
        let part = get(&stage, &link, &[("range", range)]).await;
        assert_eq!(part.status, 206);
        assert_eq!(part.header("content-range"), format!("bytes {start}-{}/{SIZE}", end - 1));
        assert_eq!(part.body, (start..end).map(byte).collect::<Vec<_>>());
        assert_eq!(server.take_seen("file "), [format!("file file_1.mp4 {range}")]);
    }
    assert_eq!(get(&stage, &link, &[("range", "bytes=20971520-")]).await.status, 416);
    assert_eq!(server.take_seen("file "), [""; 0], "its size is known");
    server.change(|server| server.wrong_part = true);
    assert_eq!(get(&stage, &link, &[("range", "bytes=5-9")]).await.status, 502);
    service.stop().await;
}

#[tokio::test]
async fn a_file_of_twenty_megabytes_takes_no_memory_whole_or_in_part() {
    let mut stage = Stage::new().await;
    let (_server, url) = FileServer::start(Behaviour::default()).await;
    stage.telegram = Some(url);
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Webhook, &[]).await;
    let link = link(&service, &bot, &attachment("F"));
    let before = resident();
    for (range, start) in [(None, 0), (Some("bytes=15000000-"), 15_000_000)] {
        let mut request = stage.http.get(&link);
        if let Some(range) = range {
            request = request.header("range", range);
        }
        let mut response = request.send().await.unwrap();
        let mut at = start;
        while let Some(piece) = response.chunk().await.unwrap() {
            assert_eq!((piece[0], piece[piece.len() - 1]), (byte(at), byte(at + piece.len() - 1)));
            at += piece.len();
        }
        assert_eq!(at, SIZE);
    }
    let grown = peak().saturating_sub(before);
    assert!(grown < FLAT_BYTES, "{} KiB", grown >> 10);
    service.stop().await;
}

fn resident() -> usize {
    status("VmRSS:")
}

fn peak() -> usize {
    status("VmHWM:")
}

/// A line of what the system says of this process.
fn status(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}
