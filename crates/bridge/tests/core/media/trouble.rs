//! Addresses that are none, and a Telegram that does not answer as it should.

use serde_json::json;
use tandem_bridge::UpstreamMode;
use tandem_model::{BotId, message::Attachment};
use tandem_testkit::{Log, contains};

use super::{
    Answer, attachment,
    file_server::{Behaviour, FileServer},
    get, link, media,
};
use crate::support::{Stage, assert_no_secret};

/// All that can be told apart.
fn seen(answer: &Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "date")
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (answer.status, headers, answer.body.clone())
}

#[tokio::test]
async fn whoever_has_no_address_of_ours_learns_and_costs_nothing() {
    let mut stage = Stage::new().await;
    let (server, url) = FileServer::start(Behaviour::default()).await;
    stage.telegram = Some(url);
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Webhook, &[]).await;
    let link = link(&service, &bot, &attachment("F"));
    let nothing = seen(&get(&stage, &format!("{}/media/x/y", service.public), &[]).await);
    assert_eq!(nothing.0, 404);
    let _ = server.take_seen("");

    let path = link.find("/media/").unwrap() + "/media/".len();
    for at in path..link.len() {
        let mut forged = link.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        assert_eq!(seen(&get(&stage, &forged, &[]).await), nothing, "{forged}");
    }
    let long = "A".repeat(8000);
    for strange in ["", "/", "//", "/x", "/%FF/%FF", "/..%2f..%2fetc/passwd", "/a/b/c", &format!("/{long}/x")]
    {
        let answer = get(&stage, &format!("{}/media{strange}", service.public), &[]).await;
        assert_eq!(answer.status, 404, "{strange}");
    }
    let foreign = media(&service).link(BotId::new(999).unwrap(), &attachment("F")).unwrap();
    assert_eq!(seen(&get(&stage, &foreign, &[]).await), nothing, "a bot that is not ours any more");
    assert_eq!(server.take_seen("getFile"), [""; 0]);
    assert_eq!(server.take_seen("file"), [""; 0]);
    service.stop().await;
}

#[tokio::test]
async fn what_telegram_does_not_have_is_not_there() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    let nothing = seen(&get(&stage, &format!("{}/media/x/y", service.public), &[]).await);
    let unknown = link(&service, &bot, &attachment("never-seen"));
    assert_eq!(seen(&get(&stage, &unknown, &[]).await), nothing);
    // Too large, which nobody had said.
    let user = stage.act("/users", json!({"first_name": "Ann"})).await["id"].clone();
    let path = format!("/users/{user}/bots/{}", bot.id());
    stage.act(&format!("{path}/start"), json!({})).await;
    stage.act(&format!("{path}/document"), json!({"size": 21 << 20, "file_name": "a.iso"})).await;
    let bodies = service.bodies(&bot, 2).await;
    let update: serde_json::Value = serde_json::from_slice(&bodies[1]).unwrap();
    let file_id = update["message"]["document"]["file_id"].as_str().unwrap();
    let link = link(&service, &bot, &Attachment { size_bytes: None, ..attachment(file_id) });
    assert_eq!(seen(&get(&stage, &link, &[]).await), nothing);
    service.stop().await;
}

#[tokio::test]
async fn a_path_that_telegram_has_let_go_of_is_asked_for_again() {
    let mut stage = Stage::new().await;
    let (server, url) = FileServer::start(Behaviour { ranges: true, ..Behaviour::default() }).await;
    stage.telegram = Some(url);
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Webhook, &[]).await;
    let link = link(&service, &bot, &attachment("F"));
    let part = [("range", "bytes=0-9")];
    assert_eq!(get(&stage, &link, &part).await.status, 206);
    assert_eq!(get(&stage, &link, &part).await.status, 206);
    assert_eq!(server.take_seen("getFile").len(), 1, "its path is remembered");
    server.change(|server| server.lost = 1);
    assert_eq!(get(&stage, &link, &part).await.status, 206);
    assert_eq!(server.take_seen("getFile").len(), 1);
    server.change(|server| server.lost = 2);
    assert_eq!(get(&stage, &link, &part).await.status, 404, "and once only");
    service.stop().await;
}

#[tokio::test]
async fn telegrams_trouble_is_said_to_be_that_and_no_token_is_ever_shown() {
    let (log, _guard) = Log::begin();
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    let user = stage.act("/users", json!({"first_name": "Ann"})).await["id"].clone();
    let path = format!("/users/{user}/bots/{}", bot.id());
    stage.act(&format!("{path}/start"), json!({})).await;
    stage.act(&format!("{path}/document"), json!({"size": 100})).await;
    let bodies = service.bodies(&bot, 2).await;
    let update: serde_json::Value = serde_json::from_slice(&bodies[1]).unwrap();
    let file = update["message"]["document"]["file_id"].as_str().unwrap();
    let link = link(&service, &bot, &attachment(file));
    let token = bot.token();
    let secret = token.split_once(':').unwrap().1;
    for (method, fault, status, after) in [
        ("getFile", json!({"kind": "status", "code": 429, "retry_after": 7}), 503, "7"),
        ("getFile", json!({"kind": "status", "code": 500}), 502, ""),
        ("getFile", json!({"kind": "status", "code": 502, "body": "html"}), 502, ""),
        ("getFile", json!({"kind": "reset"}), 502, ""),
        ("file", json!({"kind": "status", "code": 429, "retry_after": 7}), 503, "5"),
        ("file", json!({"kind": "status", "code": 503, "body": "html"}), 502, ""),
        ("file", json!({"kind": "reset"}), 502, ""),
    ] {
        let planted = json!({"method": method, "fault": fault, "times": 1});
        stage.act(&format!("/bots/{}/faults", bot.id()), planted).await;
        let answer = get(&stage, &link, &[]).await;
        assert_eq!((answer.status, answer.header("retry-after")), (status, after), "{method} {fault}");
        assert_eq!(answer.body, b"");
        assert_no_secret(&answer.headers, &[secret.to_owned()]);
    }
    let answer = get(&stage, &link, &[]).await;
    assert_eq!((answer.status, answer.body.len()), (200, 100));
    assert!(!contains(link.as_bytes(), secret.as_bytes()));
    service.stop().await;
    let logged = log.text();
    assert!(logged.contains("could not be fetched") && logged.contains("could not be found"), "{logged}");
    assert_no_secret(&logged, &[secret.to_owned()]);
}
