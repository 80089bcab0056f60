//! Account hooks: subscribed, looked after, and heard by whoever has the address.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use tandem_vendor::{FailureKind, FindingState, Hook, HookRefusal, Listening, Need, News, Standing};

use self::support::{CHAT, MESSAGE, Reply, Stage, With, problem};

const WANTED: [&str; 4] = ["add_message", "add_outgoing_message", "add_unsorted", "update_talk"];

fn webhook(destination: &str, disabled: bool, settings: &[&str]) -> Value {
    json!({"id": 839_001, "destination": destination, "disabled": disabled, "settings": settings})
}

fn list(webhooks: &[Value]) -> Reply {
    Reply::Json(200, json!({"_total_items": webhooks.len(), "_embedded": {"webhooks": webhooks}}))
}

fn made(disabled: bool) -> Reply {
    Reply::Json(201, webhook("x", disabled, &WANTED))
}

/// What the server was asked of its hooks, and with what.
fn asked(stage: &Stage) -> Vec<(String, Value)> {
    let seen = stage.server.seen_at("/webhooks");
    let body = |seen: &support::Seen| serde_json::from_slice(&seen.body).unwrap_or(Value::Null);
    seen.iter().map(|seen| (seen.method.clone(), body(seen))).collect()
}

/// The server has forgotten what it was asked, and may be asked as often again.
fn a_second_passes(stage: &Stage) {
    stage.server.forget();
    stage.clock.advance(Duration::from_secs(1));
}

/// Subscribed; the address, and the secret in it.
async fn subscribed() -> (Stage, String, String) {
    let stage = Stage::connected(With::TokenOnly).await;
    stage.server.next("/webhooks", [Reply::Json(204, Value::Null), made(false), list(&[])]);
    assert_eq!(stage.account.listen(Need::Required).await, Ok(Listening::Subscribed));
    let address = asked(&stage)[1].1["destination"].as_str().unwrap().to_owned();
    let secret = address.rsplit('/').next().unwrap().to_owned();
    a_second_passes(&stage);
    (stage, address, secret)
}

fn hook(secret: &str, body: &str) -> Hook {
    Hook {
        method: Method::POST,
        path: vec!["account".to_owned(), secret.to_owned()],
        query: None,
        headers: HeaderMap::new(),
        body: Bytes::from(body.to_owned()),
    }
}

#[tokio::test]
async fn an_address_that_nobody_knows_is_made_and_kept_before_anybody_is_told_of_it() {
    let stage = Stage::connected(With::TokenOnly).await;
    stage.kept.refuses.store(true, Ordering::SeqCst);
    assert!(matches!(
        stage.account.listen(Need::Required).await.unwrap_err().kind,
        FailureKind::Later { .. }
    ));
    assert_eq!(asked(&stage), []);
    let (stage, address, secret) = subscribed().await;
    assert_eq!(address, format!("https://bridge.example/hooks/account/{secret}"));
    assert_eq!(secret.len(), 64);
    assert_eq!(*stage.kept.pairs.lock().unwrap(), [[("hook_secret".to_owned(), secret)]]);
    assert!(!format!("{:?}", stage.account).contains(&address));
}

#[tokio::test]
async fn what_is_subscribed_is_left_alone_and_what_lacks_something_is_asked_for_again() {
    let (stage, address, _) = subscribed().await;
    stage.server.next("/webhooks", [list(&[webhook(&address, false, &WANTED)])]);
    assert_eq!(stage.account.listen(Need::Required).await, Ok(Listening::Subscribed));
    assert_eq!(asked(&stage), [("GET".to_owned(), Value::Null)]);
    a_second_passes(&stage);
    stage.server.next("/webhooks", [list(&[webhook(&address, false, &WANTED[..2])]), made(false)]);
    assert_eq!(stage.account.listen(Need::Required).await, Ok(Listening::Subscribed));
    let again = json!({"destination": address, "settings": WANTED});
    assert_eq!(asked(&stage)[1], ("POST".to_owned(), again));
}

#[tokio::test]
async fn what_amocrm_has_switched_off_is_on_again_and_that_is_said() {
    let (stage, address, _) = subscribed().await;
    let off = || list(&[webhook(&address, true, &WANTED)]);
    stage.server.next("/webhooks", [off()]);
    let finding = stage.account.check().await.into_iter().find(|finding| finding.step == "hooks").unwrap();
    assert!(finding.state == FindingState::Warning && finding.sentence.contains("switched"), "{finding:?}");
    a_second_passes(&stage);
    // Asking again does not switch it on: a new one is made.
    stage.server.next("/webhooks", [off(), made(true), Reply::Json(204, Value::Null), made(false)]);
    assert_eq!(stage.account.listen(Need::Required).await, Ok(Listening::OnAgain));
    let methods: Vec<String> = asked(&stage).into_iter().map(|(method, _)| method).collect();
    assert_eq!(methods, ["GET", "POST", "DELETE", "POST"]);
    a_second_passes(&stage);
    stage.server.next("/webhooks", [list(&[webhook(&address, false, &WANTED)])]);
    let finding = stage.account.check().await.into_iter().find(|finding| finding.step == "hooks").unwrap();
    assert!(finding.state == FindingState::Warning && finding.sentence.contains("not heard"), "{finding:?}");
}

#[tokio::test]
async fn an_old_address_of_ours_is_taken_back_and_others_are_left_alone() {
    let stage = Stage::connected(With::TokenOnly).await;
    stage.server.next("/webhooks", [Reply::Json(204, Value::Null), made(false), list(&[])]);
    stage.account.listen(Need::Required).await.unwrap();
    let address = asked(&stage)[1].1["destination"].as_str().unwrap().to_owned();
    let moved = address.replace("bridge.example", "old.example");
    a_second_passes(&stage);
    let all = [
        webhook(&address, false, &WANTED),
        webhook(&moved, false, &WANTED),
        webhook("https://x.example/y", false, &WANTED),
    ];
    stage.server.next("/webhooks", [Reply::Json(204, Value::Null), made(false), list(&all)]);
    stage.account.listen(Need::Required).await.unwrap();
    let gone: Vec<Value> =
        asked(&stage).into_iter().filter(|(method, _)| method == "DELETE").map(|(_, body)| body).collect();
    assert_eq!(gone, [json!({ "destination": moved })]);
}

#[tokio::test]
async fn a_plan_without_hooks_impairs_those_who_need_them_and_nothing_else_stands_still() {
    for (need, standing) in [(Need::Required, true), (Need::Welcome, false)] {
        for status in [402, 403] {
            let stage = Stage::connected(With::TokenOnly).await;
            stage.server.next("/webhooks", [problem(status, "Payment Required")]);
            let failure = stage.account.listen(need).await.unwrap_err();
            assert_eq!(failure.kind, FailureKind::Refused);
            assert!(failure.words.contains("Advanced or Professional"), "{failure}");
            match stage.account.standing() {
                Standing::Impaired(words) => assert!(standing && words == failure.words),
                Standing::Connected => assert!(!standing),
                other => panic!("{other:?}"),
            }
            a_second_passes(&stage);
            let finding =
                stage.account.check().await.into_iter().find(|finding| finding.step == "hooks").unwrap();
            assert_ne!(finding.state, FindingState::Good, "{finding:?}");
            a_second_passes(&stage);
            assert!(stage.account.note_contact("40100001", "x").await.unwrap());
        }
    }
}

#[tokio::test]
async fn a_hook_is_heard_at_its_address_only_and_for_its_account_only() {
    let (stage, _, secret) = subscribed().await;
    let path = |last: &str| vec!["account".to_owned(), last.to_owned()];
    assert!(stage.account.owns(&path(&secret)));
    let changed = secret.replace(&secret[..1], if secret.starts_with('0') { "1" } else { "0" });
    for wrong in [&changed, &secret[..32], "", &format!("{secret}0")] {
        assert!(!stage.account.owns(&path(wrong)));
        assert_eq!(stage.account.hear(&hook(wrong, "a=1")), Err(HookRefusal::Unproven));
    }
    let message = format!(
        "outgoing_message[add][0][id]={MESSAGE}&outgoing_message[add][0][chat_id]={CHAT}&outgoing_message[add][0]\
         [text]=hi&outgoing_message[add][0][created_at]=1767607200&outgoing_message[add][0][origin]=telegram&\
         outgoing_message[add][0][type]=outgoing"
    );
    let heard = stage.account.hear(&hook(&secret, &format!("{message}&account[id]=31000001"))).unwrap();
    assert!(matches!(heard[..], [News::Heard(_)]), "{heard:?}");
    let others = stage.account.hear(&hook(&secret, &format!("{message}&account[id]=31000002"))).unwrap();
    assert_eq!(others, [News::Ignored("a hook of another account".to_owned())]);
    let get = Hook { method: Method::GET, ..hook(&secret, "") };
    assert_eq!(stage.account.hear(&get), Err(HookRefusal::Unproven));
    let deep = hook(&secret, &format!("a{}=1", "[x]".repeat(40)));
    assert!(matches!(stage.account.hear(&deep), Err(HookRefusal::Unreadable { .. })));
}

#[tokio::test]
async fn a_contact_that_is_gone_takes_no_note() {
    let stage = Stage::connected(With::TokenOnly).await;
    assert!(stage.account.note_contact("40100001", "The bot said: hello").await.unwrap());
    let note = &stage.server.seen_at("/contacts/40100001/notes")[0];
    assert_eq!(note.json()[0]["params"]["text"], "The bot said: hello");
    stage.server.next("/notes", [problem(404, "Not found")]);
    assert!(!stage.account.note_contact("40100001", "x").await.unwrap());
    assert!(!stage.account.note_contact("nobody", "x").await.unwrap());
}
