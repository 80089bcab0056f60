//! What happens when a webhook fails.

use crate::stage::{Receiver, START, Stage, soon};

async fn with_webhook() -> (Stage, Receiver) {
    let stage = Stage::start().await;
    let receiver = Receiver::start().await;
    stage.call("setWebhook", &format!("url={}", receiver.url)).await;
    (stage, receiver)
}

async fn last_error(stage: &Stage) -> String {
    stage.webhook_info().await["last_error_message"].as_str().unwrap_or_default().to_owned()
}

/// Moves the clock to the next moment somebody waits for, which must be this many milliseconds from now.
async fn move_on(stage: &Stage, by: std::ops::RangeInclusive<i64>) {
    let now = stage.clock.now_ms();
    let due = |times: &[i64]| times.iter().copied().find(|time| by.contains(&(time - now)));
    soon("a retry to be due", stage.clock.until_sleeping(|times| due(times).is_some())).await;
    stage.clock.set(due(&stage.clock.sleeping_until()).unwrap());
}

#[tokio::test]
async fn the_ladder_goes_at_once_2_4_8_16_32_about_60_and_then_up_to_120_seconds() {
    let (stage, mut receiver) = with_webhook().await;
    let id = stage.message(1, "hello");
    receiver.next().await.status("500 Oh no");
    let steps = [2_000, 4_000, 8_000, 16_000, 32_000];
    for step in steps {
        let delivery = receiver.next().await;
        assert_eq!(delivery.update_id(), id);
        delivery.status("500 Oh no");
        move_on(&stage, step..=step).await;
    }
    receiver.next().await.status("500 Oh no");
    move_on(&stage, 60_001..=64_000).await;
    for _ in 0..3 {
        receiver.next().await.status("500 Oh no");
        move_on(&stage, 60_001..=120_000).await;
    }
    assert_eq!(last_error(&stage).await, "Wrong response from the webhook: 500 Oh no");
    receiver.next().await.ok();
}

#[tokio::test]
async fn a_failing_chat_does_not_stop_the_others_and_keeps_its_order() {
    let (stage, mut receiver) = with_webhook().await;
    stage.message(1, "fails");
    receiver.next().await.status("500 x");
    receiver.next().await.status("500 x");
    stage.message(1, "waits behind it");
    stage.message(2, "goes on");
    let other = receiver.next().await;
    assert_eq!(other.text(), "goes on");
    other.ok();
    move_on(&stage, 2_000..=2_000).await;
    let again = receiver.next().await;
    assert_eq!(again.text(), "fails");
    again.ok();
    assert_eq!(receiver.next().await.text(), "waits behind it");
}

#[tokio::test]
async fn retry_after_overrides_the_ladder() {
    let (stage, mut receiver) = with_webhook().await;
    stage.message(1, "hello");
    receiver
        .next()
        .await
        .raw("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n");
    move_on(&stage, 17_000..=17_000).await;
    receiver.next().await.raw("HTTP/1.1 503 x\r\nRetry-After: 99999\r\nContent-Length: 0\r\n\r\n");
    move_on(&stage, 3_600_000..=3_600_000).await;
    receiver.next().await.ok();
}

#[tokio::test]
async fn only_2xx_is_success_and_redirects_are_not_followed() {
    for (status, success) in
        [("200 OK", true), ("299 x", true), ("301 Moved", false), ("404 Not Found", false)]
    {
        let (stage, mut receiver) = with_webhook().await;
        stage.message(1, "hello");
        receiver
            .next()
            .await
            .raw(format!("HTTP/1.1 {status}\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"));
        if success {
            soon("success", async {
                while stage.bot.pending() > 0 {
                    tokio::task::yield_now().await;
                }
            })
            .await;
            assert_eq!(last_error(&stage).await, "");
        } else {
            let again = receiver.next().await;
            assert!(again.head.starts_with("POST /hook "), "{status}");
            assert_eq!(last_error(&stage).await, format!("Wrong response from the webhook: {status}"));
        }
    }
}

#[tokio::test]
async fn an_answer_that_takes_60_seconds_is_a_read_timeout() {
    let (stage, mut receiver) = with_webhook().await;
    let id = stage.message(1, "hello");
    let silent = receiver.next().await;
    stage.until_waiting(&[60]).await;
    stage.advance(60);
    // Nothing has succeeded for a minute, so this one waits for no other permit than its own.
    let again = receiver.next().await;
    assert_eq!(again.update_id(), id);
    assert_eq!(last_error(&stage).await, "Read timeout expired");
    assert_eq!(stage.webhook_info().await["last_error_date"], START + 60);
    again.ok();
    drop(silent);
}

#[tokio::test]
async fn a_closed_connection_and_a_refused_one_are_named() {
    let (stage, mut receiver) = with_webhook().await;
    stage.message(1, "hello");
    receiver.next().await.hang_up();
    receiver.next().await.ok();
    assert_eq!(last_error(&stage).await, "Connection closed");

    let stage = Stage::start().await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    stage.call("setWebhook", &format!("url=http://{nobody}/")).await;
    stage.message(1, "hello");
    move_on(&stage, 2_000..=2_000).await;
    assert_eq!(last_error(&stage).await, "Connection refused");
}

#[tokio::test]
async fn the_last_error_stays_after_a_success_and_goes_with_a_new_webhook() {
    let (stage, mut receiver) = with_webhook().await;
    stage.message(1, "hello");
    receiver.next().await.status("500 x");
    receiver.next().await.ok();
    stage.message(1, "again");
    receiver.next().await.ok();
    assert_eq!(last_error(&stage).await, "Wrong response from the webhook: 500 x");
    stage.advance(1);
    stage.call("setWebhook", &format!("url={}/2", receiver.url)).await;
    assert_eq!(last_error(&stage).await, "");
}

#[tokio::test]
async fn a_webhook_that_is_gone_for_more_than_23_hours_is_removed() {
    let (stage, mut receiver) = with_webhook().await;
    let hour = 3_600;
    for (after_hours, chat) in [(0, 1), (22, 2), (23, 3)] {
        stage.clock.set((START + after_hours * hour) * 1000);
        let id = stage.push("poll", &serde_json::json!({"id": chat.to_string()}));
        let refused = "HTTP/1.1 410 Gone\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n";
        // Older updates come again too; all are answered the same.
        loop {
            let delivery = receiver.next().await;
            let new = delivery.update_id() == id;
            delivery.raw(refused);
            if new {
                break;
            }
        }
        // The answer has been taken note of once the next attempt is planned.
        stage.until_waiting_at_ms((after_hours + 1) * hour * 1000).await;
    }
    assert_eq!(last_error(&stage).await, "Wrong response from the webhook: 410 Gone");
    stage.clock.set((START + 23 * hour + 1) * 1000);
    let last = stage.push("poll", &serde_json::json!({"id": "4"}));
    soon("the removal", async {
        while stage.webhook_info().await["url"] != "" {
            while let Some(delivery) = receiver.arrived() {
                delivery.status("410 Gone");
            }
        }
    })
    .await;
    assert!(stage.updates("offset=1").await.contains(&last), "what was not taken is there for polling");
}

#[tokio::test]
async fn an_update_whose_next_attempt_would_be_too_late_is_dropped() {
    let (stage, mut receiver) = with_webhook().await;
    stage.push("inline_query", &serde_json::json!({"id": "1", "from": {"id": 1}}));
    receiver.next().await.raw("HTTP/1.1 500 x\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n");
    soon("the end of it", async {
        while stage.bot.pending() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(stage.bot.updates_after(0)[0].expired);
    let id = stage.message(1, "next");
    assert_eq!(receiver.next().await.update_id(), id);
}
