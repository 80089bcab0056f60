//! Files of clients at addresses of ours: amoCRM fetches them, strangers get nothing, and the bot's token shows nowhere.

use anyhow::Context as _;
use reqwest::{Client, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{channel::Desk, until};

/// The client's last message once amoCRM has fetched its file.
async fn fetched(desk: &Desk) -> anyhow::Result<Value> {
    let last = async || Ok(desk.lines().await?.pop().unwrap_or_default());
    let done = |line: &Value| line["media"]["fetched"]["state"] == "fetched";
    until("a file that amoCRM has fetched", last, done).await
}

fn address(line: &Value) -> anyhow::Result<String> {
    Ok(line["media"]["fetched"]["url"].as_str().context("a file has an address")?.to_owned())
}

#[tokio::test]
async fn amocrm_fetches_a_clients_files_in_whole_or_in_parts_without_complaint() -> anyhow::Result<()> {
    let desk = Desk::open_with_a_chat().await?;
    for (act, with, kind) in [
        ("photo", json!({ "caption": "вот такой" }), "picture"),
        ("document", json!({ "file_name": "счёт.pdf" }), "file"),
        ("voice", json!({}), "voice"),
    ] {
        desk.shop.client_acts(act, with).await?;
        let arrived = |lines: &Vec<Value>| lines.iter().any(|line| line["type"] == kind);
        until(kind, async || desk.lines().await, arrived).await?;
        fetched(&desk).await?;
    }
    assert_eq!(desk.complaints().await?, Vec::<Value>::new());

    let line = fetched(&desk).await?;
    let (http, url) = (Client::new(), address(&line)?);
    let whole = http.get(&url).send().await?;
    assert_eq!(whole.status(), StatusCode::OK);
    let length = whole.content_length().context("its length is said")?;
    let bytes = whole.bytes().await?;
    assert_eq!(bytes.len() as u64, length);
    let part = http.get(&url).header(header::RANGE, "bytes=1-2").send().await?;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()[header::CONTENT_RANGE], format!("bytes 1-2/{length}"));
    assert_eq!(part.bytes().await?, bytes.slice(1..3));
    let beyond = http.get(&url).header(header::RANGE, format!("bytes={length}-")).send().await?;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    Ok(())
}

#[tokio::test]
async fn an_address_that_is_not_as_it_was_given_leads_nowhere_and_no_address_shows_the_token()
-> anyhow::Result<()> {
    let desk = Desk::open_with_a_chat().await?;
    desk.shop.client_acts("photo", json!({})).await?;
    let line = fetched(&desk).await?;
    let url = address(&line)?;
    let media = format!("{}/media/", desk.shop.tandem.public_url());
    let sealed = url.strip_prefix(&media).context("it is ours")?;
    let http = Client::new();
    let (head, name) = sealed.split_once('/').unwrap_or((sealed, ""));
    let flipped: String = head.chars().rev().collect();
    for wrong in [flipped, head[1..].to_owned(), "x".to_owned(), String::new()] {
        let status = http.get(format!("{media}{wrong}/{name}")).send().await?.status();
        assert_eq!(status, StatusCode::NOT_FOUND, "{wrong}");
    }
    // The secret half of the token, in what amoCRM has and in what is answered.
    let (_, secret) = desk.shop.token.split_once(':').context("a token has two parts")?;
    let chats = desk.get("chats").await?.to_string();
    let calls = desk.shop.control.get("/amocrm/calls?on=amojo").await?.to_string();
    let headers = format!("{:?}", http.get(&url).send().await?.headers());
    for shown in [&chats, &calls, &headers] {
        assert!(!shown.contains(secret), "the token is shown");
    }
    Ok(())
}

#[tokio::test]
async fn a_file_that_telegram_does_not_hand_out_is_a_line_with_its_name_and_size() -> anyhow::Result<()> {
    let desk = Desk::open_with_a_chat().await?;
    let large = json!({ "file_name": "проект.zip", "size": 21 << 20 });
    desk.shop.client_acts("document", large).await?;
    let more = |lines: &Vec<Value>| lines.len() > 1;
    let lines = until("a line about it", async || desk.lines().await, more).await?;
    let text = lines[1]["text"].as_str().unwrap();
    assert_eq!(lines[1]["type"], "text", "{:#}", lines[1]);
    assert!(text.contains("проект.zip") && text.contains("21"), "{text}");
    Ok(())
}
