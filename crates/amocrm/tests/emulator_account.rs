//! The account's API, tokens and installations against the emulator.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::time::Duration;

use http::{HeaderMap, Method};
use serde_json::{Value, json};
use tandem_model::{Blame, PauseReason};
use tandem_vendor::{FailureKind, FindingState, Hook, News, Standing};

use self::support::{
    CLIENT_ID, FIVE_MINUTES, With,
    emulator::{Emulator, eventually},
    key, opening, said, seconds_later,
};

/// Granted and connected.
async fn granted() -> Emulator {
    let emulator = Emulator::open(With::PairAndChannel).await;
    let failure = emulator.account.connect().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Stop(PauseReason::Refused));
    emulator.account.take_grant(&emulator.grant().await).await.unwrap();
    emulator.account.connect().await.unwrap();
    assert_eq!(emulator.account.standing(), Standing::Connected);
    emulator
}

async fn contact(emulator: &Emulator) -> String {
    // The control API has no contacts of its own: the account's own token makes one.
    let account = emulator.control.asks(Method::GET, "/amocrm", None).await.1;
    let token = account["account"]["access_token"].as_str().unwrap().to_owned();
    let answer = reqwest::Client::new()
        .post(format!("{}/api/v4/contacts", emulator.amocrm_url()))
        .bearer_auth(token)
        .json(&json!([{"name": "Анна"}]))
        .send()
        .await
        .unwrap();
    let made: Value = answer.json().await.unwrap();
    made["_embedded"]["contacts"][0]["id"].to_string()
}

#[tokio::test]
async fn a_chat_that_is_put_into_a_card_makes_no_new_contact_and_takes_notes() {
    let emulator = granted().await;
    let contact = contact(&emulator).await;
    let opened = emulator.account.open_chat(&opening(Some(&contact), json!(null))).await.unwrap();
    assert_eq!(opened.contact.as_deref(), Some(&*contact));
    emulator.tell(&opened.ids, said(42, "Здравствуйте")).await.unwrap();
    emulator.shown(&key(42).to_string()).await;
    assert!(emulator.account.note(&opened.ids, "Неизвестно, дошло ли").await.unwrap());
    let opened = emulator.account.open_chat(&opening(Some("1"), json!(null))).await.unwrap();
    assert_ne!(opened.contact.as_deref(), Some("1"), "there is no such contact, and the chat has one");
    let findings = emulator.account.check().await;
    let state = |step: &str| findings.iter().find(|finding| finding.step == step).unwrap();
    for step in ["token", "rights", "limits", "channel", "connect"] {
        assert_eq!(state(step).state, FindingState::Good, "{:?}", state(step));
    }
}

#[tokio::test]
async fn tokens_are_renewed_after_a_day_and_dead_ones_are_granted_again() {
    let emulator = granted().await;
    let opened = emulator.account.open_chat(&opening(None, json!(null))).await.unwrap();
    emulator.tell(&opened.ids, said(42, "Здравствуйте")).await.unwrap();
    emulator.shown(&key(42).to_string()).await;
    let kept = || emulator.kept.pairs.lock().unwrap().len();
    assert_eq!(kept(), 1);
    emulator.advance(Duration::from_hours(24));
    assert!(emulator.account.note(&opened.ids, "x").await.unwrap());
    assert_eq!(kept(), 2);
    // The answer is lost, and nothing came of it: the old pair still serves.
    emulator.advance(Duration::from_hours(24));
    emulator.part_fails("oauth", "access_token", json!({"kind": "reset"})).await;
    assert!(emulator.account.note(&opened.ids, "x").await.unwrap());
    assert_eq!(kept(), 3);
    // The answer is lost, and with it the pair.
    emulator.advance(Duration::from_hours(24));
    emulator.part_fails("oauth", "access_token", json!({"kind": "reset", "taken": true})).await;
    let failure = emulator.account.note(&opened.ids, "x").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Stop(PauseReason::Refused));
    assert!(
        matches!(emulator.account.standing(), Standing::Impaired(words) if words.contains("Token has been revoked"))
    );
    emulator.tell(&opened.ids, said(43, "Ау")).await.unwrap();
    emulator.account.take_grant(&emulator.grant().await).await.unwrap();
    emulator.account.connect().await.unwrap();
    assert!(emulator.account.note(&opened.ids, "x").await.unwrap());
    assert_eq!(emulator.account.standing(), Standing::Connected);
}

#[tokio::test]
async fn a_ban_is_sat_out_while_chats_go_on() {
    let emulator = granted().await;
    let opened = emulator.account.open_chat(&opening(None, json!(null))).await.unwrap();
    emulator.tell(&opened.ids, said(42, "Здравствуйте")).await.unwrap();
    emulator.shown(&key(42).to_string()).await;
    let ban = json!({"fault": {"kind": "ban"}, "for_ms": 600_000});
    emulator.control.does("/amocrm/faults/rest", ban).await;
    assert_eq!(seconds_later(&emulator.account.note(&opened.ids, "x").await.unwrap_err()), Some(300));
    assert!(matches!(emulator.account.standing(), Standing::Impaired(_)));
    emulator.tell(&opened.ids, said(43, "Ау")).await.unwrap();
    emulator.advance(FIVE_MINUTES);
    emulator.account.note(&opened.ids, "x").await.unwrap_err();
    emulator.advance(FIVE_MINUTES + Duration::from_secs(1));
    assert!(emulator.account.note(&opened.ids, "x").await.unwrap());
    assert_eq!(emulator.account.standing(), Standing::Connected);
}

#[tokio::test]
async fn an_integration_that_is_switched_off_and_installed_again_goes_on() {
    let emulator = granted().await;
    let opened = emulator.account.open_chat(&opening(None, json!(null))).await.unwrap();
    let integration = format!("/amocrm/integrations/{CLIENT_ID}");
    emulator.control.does(&format!("{integration}/disable"), json!({})).await;
    let query = eventually(async || emulator.place.disabled.lock().unwrap().first().cloned()).await;
    let hook = Hook {
        method: Method::GET,
        path: vec!["disabled".to_owned(), CLIENT_ID.to_owned()],
        query: Some(query),
        headers: HeaderMap::new(),
        body: bytes::Bytes::new(),
    };
    assert!(emulator.account.owns(&hook.path));
    assert_eq!(emulator.account.hear(&hook), Ok(vec![News::Disabled]));
    let failure = emulator.tell(&opened.ids, said(42, "Здравствуйте")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Later { after: None, blame: Blame::Destination });
    emulator.account.connect().await.unwrap_err();
    assert!(!matches!(emulator.account.standing(), Standing::Connected | Standing::Impaired(_)));
    emulator.control.does(&format!("{integration}/install"), json!({})).await;
    emulator.account.take_grant(&emulator.grant().await).await.unwrap();
    emulator.account.connect().await.unwrap();
    emulator.tell(&opened.ids, said(42, "Здравствуйте")).await.unwrap();
    emulator.shown(&key(42).to_string()).await;
    assert_eq!(emulator.account.standing(), Standing::Connected);
}
