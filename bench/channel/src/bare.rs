//! The least that anybody does: signed posts to the chat service, so many at a time, and nothing kept.

use std::{sync::Arc, time::Instant};

use anyhow::{Context as _, ensure};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use serde_json::json;
use sha1::Sha1;
use tokio::task::JoinSet;

use crate::shop::Channel;

/// Posts so many messages, and says how many a second it were.
pub(crate) async fn run(
    channel: &Channel,
    messages: usize,
    chats: usize,
    at_a_time: usize,
) -> anyhow::Result<f64> {
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(at_a_time).build()?;
    let channel = Arc::new(channel.clone());
    let began = Instant::now();
    let mut posting = JoinSet::new();
    for first in 0..at_a_time {
        let (client, channel) = (client.clone(), Arc::clone(&channel));
        posting.spawn(async move {
            for number in (first..messages).step_by(at_a_time) {
                post(&client, &channel, number, number % chats).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(posted) = posting.join_next().await {
        posted??;
    }
    Ok(rate(messages, began))
}

async fn post(client: &reqwest::Client, channel: &Channel, number: usize, chat: usize) -> anyhow::Result<()> {
    let path = format!("/v2/origin/custom/{}_{}", channel.id, channel.account);
    let now = Timestamp::from_millisecond(channel.clock.now_ms())?;
    let body = json!({"event_type": "new_message", "payload": {
        "timestamp": now.as_second(), "msec_timestamp": now.as_millisecond(), "msgid": format!("bare:{}:{number}", channel.round),
        "conversation_id": format!("bare:{chat}"), "silent": false,
        "sender": {"id": format!("bare:{chat}"), "name": "Client"},
        "message": {"type": "text", "text": format!("message {number}")}}})
    .to_string();
    let (date, md5) =
        (now.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string(), hex::encode(Md5::digest(&body)));
    let mut mac = Hmac::<Sha1>::new_from_slice(channel.secret.as_bytes())?;
    mac.update(format!("POST\n{md5}\napplication/json\n{date}\n{path}").as_bytes());
    let request = client
        .post(format!("{}{path}", channel.base))
        .header("Date", date)
        .header("Content-Type", "application/json")
        .header("Content-MD5", md5)
        .header("X-Signature", hex::encode(mac.finalize().into_bytes()))
        .body(body)
        .build()?;
    let answer = client.execute(request).await.context("a bare post")?;
    ensure!(answer.status().is_success(), "a bare post was answered {}", answer.status());
    answer.bytes().await?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below what loses precision")]
pub(crate) fn rate(messages: usize, began: Instant) -> f64 {
    messages as f64 / began.elapsed().as_secs_f64()
}
