//! Polls, quizzes and votes.

use serde_json::{Value, json};

use crate::stage::{Stage, message_id};

fn poll(stage: &Stage, more: &Value) -> Value {
    let mut poll = json!({"chat_id": stage.ann, "question": "Which?", "options": ["One", {"text": "<b>Two</b>", "text_parse_mode": "HTML"}]});
    poll.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    poll
}

#[tokio::test]
async fn an_open_vote_names_the_voter_and_can_be_taken_back() {
    let stage = Stage::start().await;
    let sent = stage.ok("sendPoll", poll(&stage, &json!({"is_anonymous": false}))).await;
    assert_eq!(sent["poll"]["options"][1]["text"], "Two");
    assert_eq!(sent["poll"]["total_voter_count"], 0);
    let id = message_id(&sent);
    stage.acts("vote", json!({"message_id": id, "option": 1})).await;
    let updates = stage.updates().await;
    assert_eq!(updates[0]["poll"]["options"][1]["voter_count"], 1);
    let answer = &updates[1]["poll_answer"];
    assert_eq!(answer["poll_id"], sent["poll"]["id"]);
    assert_eq!((&answer["user"]["id"], &answer["option_ids"]), (&json!(stage.ann), &json!([1])));
    stage.acts("vote", json!({"message_id": id})).await;
    assert_eq!(stage.updates().await[1]["poll_answer"]["option_ids"], json!([]));

    let stopped = stage.ok("stopPoll", json!({"chat_id": stage.ann, "message_id": id})).await;
    assert_eq!(stopped["is_closed"], true);
    let words = stage.refused("stopPoll", json!({"chat_id": stage.ann, "message_id": id})).await;
    assert_eq!(words, "Bad Request: poll has already been closed");
    let refused = stage.impossible("vote", json!({"message_id": id, "option": 0})).await;
    assert_eq!(refused["error"], "the poll is closed");
}

#[tokio::test]
async fn an_anonymous_vote_shows_in_the_counts_only() {
    let stage = Stage::start().await;
    let id = message_id(&stage.ok("sendPoll", poll(&stage, &json!({}))).await);
    stage.acts("vote", json!({"message_id": id, "option": 0})).await;
    let updates = stage.updates().await;
    assert_eq!(updates.len(), 1);
    assert_eq!(updates[0]["poll"]["total_voter_count"], 1);
    let refused = stage.impossible("vote", json!({"message_id": id, "options": [0, 1]})).await;
    assert_eq!(refused["error"], "the poll takes one answer");
    let refused = stage.impossible("vote", json!({"message_id": id, "option": 2})).await;
    assert_eq!(refused["expected"], "options 0 to 1");
}

#[tokio::test]
async fn a_quiz_has_a_right_answer_and_takes_one_vote() {
    let stage = Stage::start().await;
    let words = stage.refused("sendPoll", poll(&stage, &json!({"type": "quiz"}))).await;
    assert_eq!(words, "Bad Request: wrong correct option ID specified");
    let quiz = stage
        .ok("sendPoll", poll(&stage, &json!({"type": "quiz", "correct_option_id": 1, "open_period": 60})))
        .await;
    assert_eq!(quiz["poll"]["correct_option_ids"], json!([1]));
    let id = message_id(&quiz);
    stage.acts("vote", json!({"message_id": id, "option": 0})).await;
    assert_eq!(
        stage.impossible("vote", json!({"message_id": id, "option": 1})).await["error"],
        "a vote in a quiz is final"
    );
    stage.clock.advance(std::time::Duration::from_mins(1));
    assert_eq!(stage.last().await["content"]["is_closed"], true, "it closes by itself");
}

#[tokio::test]
async fn bad_polls_are_refused() {
    let stage = Stage::start().await;
    for (more, words) in [
        (json!({"question": ""}), "poll question must be non-empty"),
        (json!({"options": []}), "poll must have at least 1 option"),
        (json!({"options": ["x".repeat(101)]}), "poll options length must not exceed 100"),
        (json!({"options": vec!["x"; 13]}), "poll can't have more than 12 options"),
    ] {
        assert_eq!(stage.refused("sendPoll", poll(&stage, &more)).await, format!("Bad Request: {words}"));
    }
}
