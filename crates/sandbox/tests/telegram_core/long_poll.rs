//! `getUpdates` that waits: who ends whom, and the politeness delays.

use serde_json::json;
use tandem_sandbox::telegram::NewBot;

use crate::stage::{Answer, Receiver, START, Stage, ids};

const OTHER: &str = "Conflict: terminated by other getUpdates request; \
                     make sure that only one bot instance is running";

fn description(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["description"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_waiting_poll_is_answered_when_an_update_arrives() {
    let stage = Stage::start().await;
    let poll = stage.start_call("getUpdates", "timeout=50").await;
    stage.until_waiting(&[50]).await;
    let id = stage.message(1, "hello");
    assert_eq!(ids(&poll.await.unwrap()), [id]);
}

#[tokio::test]
async fn neighbours_of_the_first_update_come_in_the_same_answer() {
    let stage = Stage::start().await;
    let poll = stage.start_call("getUpdates", "timeout=50").await;
    stage.until_waiting(&[50]).await;
    let pushed: Vec<i64> = (0..20).map(|_| stage.message(1, "hello")).collect();
    assert_eq!(ids(&poll.await.unwrap()), pushed);
}

#[tokio::test]
async fn a_poll_that_times_out_answers_an_empty_array_in_time() {
    let stage = Stage::start().await;
    let poll = stage.start_call("getUpdates", "timeout=10").await;
    stage.until_waiting(&[10]).await;
    stage.advance(9);
    assert!(!poll.is_finished());
    stage.advance(1);
    let answer = poll.await.unwrap();
    assert_eq!((answer.status, answer.json()), (200, json!({"ok": true, "result": []})));
}

#[tokio::test]
async fn the_older_of_two_waiting_polls_is_ended() {
    let stage = Stage::start().await;
    let first = stage.start_call("getUpdates", "timeout=50").await;
    stage.until_waiting(&[50]).await;
    let second = stage.start_call("getUpdates", "timeout=40").await;
    assert_eq!(description(&first.await.unwrap()), (409, OTHER.to_owned()));
    stage.until_waiting(&[40]).await;
    let id = stage.message(1, "for the second");
    assert_eq!(ids(&second.await.unwrap()), [id]);
}

#[tokio::test]
async fn a_second_conflict_within_three_seconds_is_held_back_three_seconds() {
    let stage = Stage::start().await;
    let first = stage.start_call("getUpdates", "timeout=50").await;
    stage.until_waiting(&[50]).await;
    let second = stage.start_call("getUpdates", "timeout=40").await;
    assert_eq!(first.await.unwrap().status, 409);
    stage.until_waiting(&[40]).await;
    stage.advance(1);
    let third = stage.start_call("getUpdates", "timeout=30").await;
    stage.until_waiting(&[4, 31]).await;
    assert!(!second.is_finished(), "the 409 of the second waits");
    stage.advance(3);
    assert_eq!(description(&second.await.unwrap()), (409, OTHER.to_owned()));
    // Three seconds after the last one that was not held, the next goes out at once.
    let fourth = stage.start_call("getUpdates", "timeout=20").await;
    assert_eq!(third.await.unwrap().status, 409);
    drop(fourth);
}

#[tokio::test]
async fn different_bots_do_not_disturb_each_other() {
    let stage = Stage::start().await;
    let other = stage.sandbox.telegram().create_bot(NewBot::default()).unwrap();
    let mine = stage.start_call("getUpdates", "timeout=50").await;
    stage.until_waiting(&[50]).await;
    let path = format!("/bot{}/getUpdates?timeout=40", other.token());
    let theirs = tokio::spawn({
        let request = format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n");
        let mut stream = stage.connect().await;
        async move {
            tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
            crate::stage::read_answer(&mut stream).await
        }
    });
    stage.until_waiting(&[40, 50]).await;
    assert!(!mine.is_finished());
    stage.advance(50);
    assert_eq!((mine.await.unwrap().status, theirs.await.unwrap().status), (200, 200));
}

#[tokio::test]
async fn a_second_call_that_finds_updates_does_not_end_the_first() {
    let stage = Stage::start().await;
    let id = stage.message(1, "waits");
    let first = stage.start_call("getUpdates", &format!("offset={}&timeout=50", id + 1)).await;
    stage.until_waiting(&[50]).await;
    let lower = stage
        .bot
        .push_raw(&format!(r#"{{"update_id":{id},"message":{}}}"#, crate::stage::message(1, "again", START)));
    lower.unwrap();
    // The push woke the first, which found nothing at its own offset and was answered empty.
    assert_eq!(ids(&first.await.unwrap()), [0; 0]);
    let first = stage.start_call("getUpdates", &format!("offset={}&timeout=50", id + 5)).await;
    stage.until_waiting(&[50]).await;
    assert!(!first.is_finished());
    assert_eq!(stage.updates("limit=1").await, [0; 0]);
    drop(first);
}

#[tokio::test]
async fn an_unchanged_question_within_three_seconds_waits_three_seconds() {
    let stage = Stage::start().await;
    assert_eq!(stage.updates("offset=5").await, [0; 0], "the first one is answered at once");
    stage.advance(1);
    let again = stage.start_call("getUpdates", "offset=5").await;
    stage.until_waiting(&[4]).await;
    stage.advance(3);
    assert_eq!(ids(&again.await.unwrap()), [0; 0]);
    assert_eq!(stage.updates("offset=6").await, [0; 0], "another offset is not slowed down");
    stage.advance(3);
    assert_eq!(stage.updates("offset=6").await, [0; 0], "nor is a patient repetition");
}

#[tokio::test]
async fn a_client_that_went_away_stays_registered_until_the_next_waiting_call() {
    let stage = Stage::start().await;
    let gone = stage.start_call("getUpdates", "timeout=50").await;
    stage.until_waiting(&[50]).await;
    gone.abort();
    stage.until_waiting(&[]).await;
    // Its 409 goes nowhere, but counts: the next one is held back.
    let second = stage.start_call("getUpdates", "timeout=40").await;
    stage.until_waiting(&[40]).await;
    let third = stage.start_call("getUpdates", "timeout=30").await;
    stage.until_waiting(&[3, 30]).await;
    assert!(!second.is_finished());
    stage.advance(3);
    assert_eq!(second.await.unwrap().status, 409);
    drop(third);
}

#[tokio::test]
async fn a_poll_that_its_client_gave_up_is_in_the_record_of_calls() {
    let stage = Stage::start().await;
    let gone = stage.start_call("getUpdates", "timeout=50").await;
    stage.until_waiting(&[50]).await;
    stage.advance(7);
    gone.abort();
    let recorded = async {
        while stage.bot.calls_after(0).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    crate::stage::soon("the record of the call", recorded).await;
    let [call] = &stage.bot.calls_after(0)[..] else { panic!("one call") };
    assert_eq!((call.method.as_str(), call.ok, call.abandoned), ("getUpdates", false, true));
    assert_eq!((&call.params["timeout"], call.at_ms), (&"50".into(), (START + 7) * 1000));
}

#[tokio::test]
async fn polling_with_a_webhook_is_refused_in_telegrams_words() {
    let stage = Stage::start().await;
    let receiver = Receiver::start().await;
    stage.call("setWebhook", &format!("url={}", receiver.url)).await;
    let text = "Conflict: can't use getUpdates method while webhook is active; \
                use deleteWebhook to delete the webhook first";
    assert_eq!(description(&stage.call("getUpdates", "").await), (409, text.to_owned()));
    let held = stage.start_call("getUpdates", "").await;
    stage.until_waiting(&[3]).await;
    stage.advance(3);
    assert_eq!(description(&held.await.unwrap()), (409, text.to_owned()));
    stage.call("deleteWebhook", "").await;
    assert_eq!(stage.call("getUpdates", "").await.status, 200);
}

#[tokio::test]
async fn setting_a_webhook_ends_a_waiting_poll() {
    let stage = Stage::start().await;
    let receiver = Receiver::start().await;
    let poll = stage.start_call("getUpdates", "timeout=50").await;
    stage.until_waiting(&[50]).await;
    assert_eq!(stage.call("setWebhook", &format!("url={}", receiver.url)).await.status, 200);
    let text = "Conflict: terminated by setWebhook request".to_owned();
    assert_eq!(description(&poll.await.unwrap()), (409, text));
}

#[tokio::test]
async fn stopping_the_sandbox_ends_a_waiting_poll_with_restart() {
    let stage = Stage::start().await;
    let poll = stage.start_call("getUpdates", "timeout=50").await;
    stage.until_waiting(&[50]).await;
    crate::stage::soon("the end of the sandbox", stage.sandbox.stop()).await;
    let text = "Internal Server Error: restart".to_owned();
    assert_eq!(description(&poll.await.unwrap()), (500, text));
}
