//! What Telegram refuses.

use serde_json::json;
use tandem_bridge::{IntakeState, ReplyMark};
use tandem_journal::{LaneState, Presence};
use tandem_model::{
    EventKind, HeldState, PauseReason, UserId,
    message::{AttachmentKind, ReplyFailure, ReplyResult},
};
use tandem_testkit::Log;

use crate::{
    desk::{Desk, file, messages, text},
    file_server::FileServer,
    support::{assert_no_secret, id, until},
};

#[tokio::test]
async fn a_client_who_has_blocked_the_bot_is_reported_in_telegrams_words_and_noted() {
    let desk = Desk::open().await;
    let (bot, client) = (id(&desk.bot), desk.client);
    desk.stage.act(&format!("/users/{client}/bots/{bot}/block"), json!({})).await;
    // Telegram tells of it itself, and the intake keeps it of the person, before any reply finds it.
    until("the update", async || {
        let events = desk.service.journal(&desk.bot).await;
        events.iter().any(|event| event.new.body.windows(8).any(|word| word == b"\"kicked\"")).then_some(())
    })
    .await;
    for message in ["m1", "m2"] {
        desk.does(message, text("hello")).await;
        let ReplyResult::Failed { why, words, messages } = desk.outcome(message).await else { panic!() };
        assert_eq!((why, messages.len()), (ReplyFailure::Blocked, 0));
        assert_eq!(words, "403 Forbidden: bot was blocked by the user");
    }
    let user = UserId::new(client).unwrap();
    let person = desk.service.store.find_person(bot, user).await.unwrap().unwrap();
    assert!(matches!(person.presence, Presence::Blocked { .. }));
    let events = desk.service.journal(&desk.bot).await;
    let marks: Vec<_> = events.iter().filter(|event| event.kind == EventKind::Mark).collect();
    assert_eq!((marks.len(), marks[0].topic), (1, ReplyMark::BLOCKED), "once");
    let mark: ReplyMark = serde_json::from_slice(&marks[0].body).unwrap();
    let ReplyMark::Blocked { user: noted, .. } = mark;
    assert_eq!(noted, user);
    until("two dead", async || {
        let dead = desk.held().await.iter().filter(|row| row.state == HeldState::Dead).count();
        (dead == 2).then_some(())
    })
    .await;
    desk.service.stop().await;
}

#[tokio::test]
async fn a_chat_that_is_not_there_and_what_telegram_does_not_take_are_told_apart() {
    let desk = Desk::open().await;
    desk.does_in(987_654_321, "m1", text("hello")).await;
    let ReplyResult::Failed { why, words, .. } = desk.outcome("m1").await else { panic!() };
    assert_eq!((why, words.as_str()), (ReplyFailure::NoChat, "400 Bad Request: chat not found"));
    let server = FileServer::start().await;
    let empty = server.file("/empty.pdf", b"");
    desk.does("m2", file(AttachmentKind::File, &empty, "empty.pdf", "")).await;
    let ReplyResult::Failed { why, words, .. } = desk.outcome("m2").await else { panic!() };
    assert_eq!(why, ReplyFailure::Refused);
    assert!(words.starts_with("400 Bad Request: "), "{words}");
    desk.does("m3", text("hello")).await;
    assert_eq!(messages(&desk.outcome("m3").await), 1, "nobody else is held up");
    desk.service.stop().await;
}

#[tokio::test]
async fn a_revoked_token_stops_the_lane_and_a_new_one_sets_it_going() {
    let (log, _guard) = Log::begin();
    let mut desk = Desk::open().await;
    let bot = id(&desk.bot);
    let old = desk.bot.token();
    desk.stage.sandbox.telegram().rotate_token(&desk.bot, None).unwrap();
    desk.does("m1", text("hello")).await;
    until("the stop", async || {
        let lane = desk.lane("telegram").await;
        matches!(lane.state, LaneState::Paused { reason: PauseReason::Refused, .. }).then_some(())
    })
    .await;
    desk.service
        .intake_is(&desk.bot, "a revocation", |state| matches!(state, IntakeState::Revoked { .. }))
        .await;
    assert!(desk.outcomes("m1").await.is_empty());
    // A start with the old token finds out the same.
    desk = desk.reopen().await;
    let vault = desk.service.bridge.vault();
    let owner = tandem_journal::SecretOwner::Bot(bot);
    let put = vault.put(owner, tandem_bridge::secrets::TOKEN, &desk.bot.token().into());
    desk.service.store.change_settings(None, vec![put]).await.unwrap();
    let active = |document: &mut tandem_bridge::BotDocument| document.phase = tandem_bridge::BotPhase::Active;
    desk.service.bridge.change_bot(bot, &[], active).await.unwrap();
    desk.service.bridge.sync(bot).await.unwrap();
    assert_eq!(messages(&desk.outcome("m1").await), 1);
    let new = desk.bot.token();
    desk.service.stop().await;
    let secrets = [old, new].map(|token| token.split_once(':').unwrap().1.to_owned());
    assert_no_secret(&log.text(), &secrets);
}
