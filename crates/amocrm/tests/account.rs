//! What is done by the account's API, against a server that answers in recorded shapes: people, limits, tokens.

mod support;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde_json::json;
use tandem_amocrm::{Settings, secret};
use tandem_model::{
    Blame, PauseReason, Timestamp,
    message::{ReplyOrigin, ReplyResult},
};
use tandem_vendor::{
    Account, ConnectionSetting, FailureKind, Finding, FindingState, Keep, OpenError, Standing, Vendor,
};
use url::Url;

use self::support::*;

fn already_anothers() -> Reply {
    Reply::Json(
        400,
        json!({"validation-errors": [{"request_id": "0", "errors": [{"code": "AlreadyExists", "path": "chat_id",
            "detail": "x", "entity_id": 40_100_002}]}], "title": "Bad Request", "status": 400, "detail": "Request validation failed"}),
    )
}

#[tokio::test]
async fn a_chat_is_put_into_its_contacts_card_before_anything_is_said() {
    let stage = Stage::connected(With::TokenAndChannel).await;
    let opened =
        stage.account.open_chat(&opening(Some("40100001"), json!({"leads": "leave"}))).await.unwrap();
    assert_eq!((opened.ids, opened.contact.as_deref()), (ids(), Some("40100001")));
    let link = stage.server.seen_at("/contacts/chats").remove(0).json();
    assert_eq!(link, json!([{"contact_id": 40_100_001, "chat_id": CHAT}]));
    stage.server.next("/contacts/chats", [already_anothers()]);
    let opened =
        stage.account.open_chat(&opening(Some("40100001"), json!({"leads": "leave"}))).await.unwrap();
    assert_eq!(opened.contact.as_deref(), Some("40100002"), "it was in that card before");
}

/// A contact that was made, and whose answer nobody got, is found by its field once search shows it, and among the newest
/// contacts until then.
#[tokio::test]
async fn a_contact_is_not_made_twice_when_the_answer_is_lost_and_search_is_behind() {
    let stage = Stage::connected(With::TokenAndChannel).await;
    stage.clock.advance(FIVE_MINUTES);
    let nothing = || Reply::Json(204, json!(null));
    let fields = json!({"_page": 1, "_embedded": {"custom_fields": [{"id": 702_102, "code": "TELEGRAM_ID", "type": "text"}]}});
    stage.server.next("/contacts/custom_fields", [Reply::Json(200, fields)]);
    stage.server.next("/contacts/chats", [nothing()]);
    stage.server.next("/api/v4/contacts", [nothing(), Reply::Lost]);
    let lost = stage.account.open_chat(&opening(None, json!(null))).await.unwrap_err();
    assert!(matches!(lost.kind, FailureKind::Later { .. }), "{lost:?}");
    let made = json!({"_page": 1, "_links": {}, "_embedded": {"contacts": [
        {"id": 40_100_002, "name": "Bob", "updated_at": 1, "custom_fields_values": null},
        {"id": 40_100_001, "name": "Анна", "updated_at": 1, "custom_fields_values": [
            {"field_id": 702_102, "field_code": "TELEGRAM_ID", "values": [{"value": "1001"}]}]}]}});
    stage.server.next("/contacts/chats", [nothing()]);
    stage.server.next("/api/v4/contacts", [nothing(), Reply::Json(200, made)]);
    stage.server.forget();
    stage.clock.advance(Duration::from_secs(1));
    let opened = stage.account.open_chat(&opening(None, json!({"leads": "leave"}))).await.unwrap();
    assert_eq!(opened.contact.as_deref(), Some("40100001"));
    let asked = stage.server.seen_at("/api/v4/contacts");
    assert!(asked.iter().all(|seen| seen.method == "GET"), "{asked:?}");
    assert_eq!(asked[1].query, "order%5Bid%5D=desc&with=leads&limit=250&page=1");
}

#[tokio::test]
async fn without_the_accounts_api_a_new_person_is_told_of_or_waits_as_the_route_says() {
    let stage = Stage::connected(With::TokenAndChannel).await;
    let down = || {
        Reply::Json(500, json!({"title": "ErrInternalServer", "status": 500, "detail": "x", "trace_id": "y"}))
    };
    stage.server.next("/contacts/chats", [down(), down(), down()]);
    let sends = || opening(Some("40100001"), json!({"without_rest": "send"}));
    let failure = stage.account.open_chat(&sends()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Later { after: None, blame: Blame::Unclear }, "for half a minute");
    stage.clock.advance(Duration::from_secs(30));
    assert_eq!(stage.account.open_chat(&sends()).await.unwrap().contact, None);
    let waiting = stage.account.open_chat(&opening(Some("40100001"), json!({"without_rest": "wait"}))).await;
    assert_eq!(waiting.unwrap_err().kind, FailureKind::Later { after: None, blame: Blame::Unclear });
}

#[tokio::test]
async fn a_note_is_written_onto_the_card_of_the_chats_contact() {
    let stage = Stage::connected(With::TokenAndChannel).await;
    assert!(stage.account.note(&ids(), "Неизвестно, дошло ли").await.unwrap());
    let seen = stage.server.seen();
    assert_eq!(seen[0].query, format!("chat_id%5B%5D={CHAT}"));
    assert_eq!(seen[1].path, "/api/v4/contacts/40100001/notes");
    assert_eq!(seen[1].json(), json!([{"note_type": "common", "params": {"text": "Неизвестно, дошло ли"}}]));
    stage.server.next("/contacts/chats", [Reply::Json(204, json!(null))]);
    assert!(!stage.account.note(&ids(), "x").await.unwrap(), "nobody's chat");
}

#[tokio::test]
async fn a_manager_who_was_hired_meanwhile_gets_his_name_with_his_second_message() {
    let stage = Stage::open(With::TokenAndChannel).await;
    let nobody = json!({"_page": 1, "_links": {}, "_embedded": {"users": []}});
    stage.server.next("/api/v4/users", [Reply::Json(200, nobody)]);
    stage.account.connect().await.unwrap();
    let said = || {
        let item = json!({"timestamp": 1_800_000_000, "sender": {"id": OLGA}, "message": {"id": MESSAGE, "type": "text",
            "text": "Добрый день"}});
        Reply::Json(200, json!({ "messages": [item] }))
    };
    let origin = ReplyOrigin {
        route: "amocrm".to_owned(),
        message: MESSAGE.to_owned(),
        chat: CHAT.to_owned(),
        person: None,
    };
    stage.server.next("/history", [said(), said(), said()]);
    let name = async || {
        let missed = stage.account.missed(&ids(), Timestamp::EPOCH).await.unwrap();
        missed[0].by.name.clone()
    };
    assert_eq!(name().await, None);
    let sent = ReplyResult::Sent { messages: Vec::new() };
    stage.account.report(&origin, &sent).await.unwrap();
    assert_eq!(name().await.as_deref(), Some("Ольга"));
    stage.account.report(&origin, &sent).await.unwrap();
    assert_eq!(stage.server.seen_at("/api/v4/users").len(), 2, "once at the start, and once for her");
}

#[tokio::test]
async fn a_ban_rests_the_accounts_api_and_chats_go_on() {
    let stage = Stage::connected(With::TokenAndChannel).await;
    stage.server.next("/contacts/chats", [Reply::Html(403), Reply::Html(403)]);
    let failure = stage.account.note(&ids(), "x").await.unwrap_err();
    assert_eq!(seconds_later(&failure), Some(300));
    let Standing::Impaired(words) = stage.account.standing() else {
        panic!("{:?}", stage.account.standing())
    };
    assert!(words.contains("after too many requests") && words.contains("support lifts that"), "{words}");
    assert_eq!(seconds_later(&stage.account.note(&ids(), "x").await.unwrap_err()), Some(300));
    stage.account.tell(&said(42, "Привет")).await.unwrap();
    let opened = stage.account.open_chat(&opening(Some("40100001"), json!(null))).await.unwrap();
    assert_eq!(opened.contact, None);
    assert_eq!(stage.server.seen_at("/contacts/chats").len(), 1);
    // Still closed, and five minutes later open again.
    stage.clock.advance(FIVE_MINUTES);
    stage.account.note(&ids(), "x").await.unwrap_err();
    assert_eq!(stage.server.seen_at("/contacts/chats").len(), 2);
    assert!(matches!(stage.account.standing(), Standing::Impaired(_)));
    stage.clock.advance(FIVE_MINUTES);
    assert!(stage.account.note(&ids(), "x").await.unwrap());
    assert_eq!(stage.account.standing(), Standing::Connected);
}

#[tokio::test]
async fn a_wish_for_fewer_requests_is_obeyed_whatever_it_is_written_in() {
    let stage = Stage::connected(With::TokenAndChannel).await;
    let wish = json!({"title": "Too Many Requests", "type": "x", "status": 429, "detail": "Request limit exceeded", "retry_after": 30});
    stage.server.next("/contacts/chats", [Reply::Json(429, wish)]);
    assert_eq!(seconds_later(&stage.account.note(&ids(), "x").await.unwrap_err()), Some(30));
    assert_eq!(seconds_later(&stage.account.note(&ids(), "x").await.unwrap_err()), Some(30));
    assert_eq!(stage.server.seen().len(), 1);
    stage.clock.advance(Duration::from_secs(30));
    stage.server.next("/contacts/chats", [Reply::Headers(429, Vec::new(), "Too many requests".to_owned())]);
    assert_eq!(seconds_later(&stage.account.note(&ids(), "x").await.unwrap_err()), Some(1));
}

#[tokio::test]
async fn no_second_has_more_than_seven_requests() {
    let stage = Stage::connected(With::TokenAndChannel).await;
    stage.clock.advance(Duration::from_secs(1));
    // Two requests each.
    let notes: Vec<_> = (0..8)
        .map(|_| {
            let account = Arc::clone(&stage.account);
            tokio::spawn(async move { account.note(&ids(), "x").await.unwrap() })
        })
        .collect();
    let asked = || stage.server.seen().len();
    for most in [7, 14] {
        while asked() < most || stage.clock.sleeping() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(asked(), most);
        stage.clock.advance(Duration::from_secs(1));
    }
    for note in notes {
        assert!(note.await.unwrap());
    }
    assert_eq!(asked(), 16);
}

fn pair(number: u8) -> Reply {
    Reply::Json(
        200,
        json!({"token_type": "Bearer", "expires_in": 86400, "server_time": 1_800_000_000,
            "access_token": format!("access-{number}"), "refresh_token": format!("refresh-{number}")}),
    )
}

fn revoked() -> Reply {
    Reply::Json(
        400,
        json!({"hint": "Token has been revoked", "title": "Некорректный запрос", "status": 400,
            "type": "https://developers.amocrm.ru/v3/errors/OAuthProblemJson", "detail": "x"}),
    )
}

fn bearers(stage: &Stage, path_end: &str) -> Vec<String> {
    stage.server.seen_at(path_end).into_iter().filter_map(|seen| seen.authorization).collect()
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_all_who_wait_and_kept_before_it_is_used() {
    let stage = Stage::connected(With::PairAndChannel).await;
    stage.clock.advance(Duration::from_secs(1));
    let unauthorized = || problem(401, "Unauthorized");
    stage.server.next("/contacts/chats", [unauthorized(), unauthorized(), unauthorized()]);
    stage.server.next("/oauth2/access_token", [pair(2)]);
    let notes: Vec<_> = (0..3)
        .map(|_| {
            let account = Arc::clone(&stage.account);
            tokio::spawn(async move { account.note(&ids(), "x").await })
        })
        .collect();
    while stage.server.seen_at("/oauth2/access_token").is_empty() {
        tokio::task::yield_now().await;
    }
    for note in notes {
        while !note.is_finished() {
            if stage.clock.sleeping() > 0 {
                stage.clock.advance(Duration::from_secs(1));
            }
            tokio::task::yield_now().await;
        }
        assert!(note.await.unwrap().unwrap());
    }
    let asked = stage.server.seen_at("/oauth2/access_token");
    assert_eq!(asked.len(), 1);
    let expected = json!({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "refresh_token",
        "refresh_token": "refresh-1", "redirect_uri": "https://bridge.example/oauth/amocrm"});
    assert_eq!(asked[0].json(), expected);
    let text = |text: &str| text.to_owned();
    let kept = vec![
        (text(secret::ACCESS_TOKEN), text("access-2")),
        (text(secret::REFRESH_TOKEN), text("refresh-2")),
    ];
    assert_eq!(*stage.kept.pairs.lock().unwrap(), [kept]);
    assert!(bearers(&stage, "/notes").iter().all(|bearer| bearer == "Bearer access-2"));
    // It lives for a day, and is renewed before it ends.
    stage.clock.advance(Duration::from_secs(86_400 - 30));
    stage.server.next("/oauth2/access_token", [pair(3)]);
    assert!(stage.account.note(&ids(), "x").await.unwrap());
    assert_eq!(stage.server.seen_at("/oauth2/access_token")[1].json()["refresh_token"], "refresh-2");
    assert_eq!(bearers(&stage, "/notes").last().unwrap(), "Bearer access-3");
}

#[tokio::test]
async fn a_new_pair_that_cannot_be_kept_is_not_used_and_not_lost() {
    let stage = Stage::connected(With::PairAndChannel).await;
    stage.kept.refuses.store(true, Ordering::SeqCst);
    stage.server.next("/contacts/chats", [problem(401, "Unauthorized")]);
    stage.server.next("/oauth2/access_token", [pair(2)]);
    for _ in 0..2 {
        let failure = stage.account.note(&ids(), "x").await.unwrap_err();
        assert!(failure.words.contains("the disk is full"), "{failure}");
    }
    assert_eq!(bearers(&stage, "/contacts/chats"), ["Bearer access-1"]);
    stage.kept.refuses.store(false, Ordering::SeqCst);
    assert!(stage.account.note(&ids(), "x").await.unwrap());
    assert_eq!(stage.server.seen_at("/oauth2/access_token").len(), 1);
    assert_eq!(stage.kept.pairs.lock().unwrap().len(), 1);
    assert_eq!(bearers(&stage, "/notes"), ["Bearer access-2"]);
}

#[tokio::test]
async fn a_renewal_whose_answer_was_lost_is_tried_once_more_with_the_old_pair() {
    let stage = Stage::connected(With::PairAndChannel).await;
    stage.server.next("/contacts/chats", [problem(401, "Unauthorized")]);
    stage.server.next("/oauth2/access_token", [Reply::Lost, pair(2)]);
    assert!(stage.account.note(&ids(), "x").await.unwrap());
    let asked = stage.server.seen_at("/oauth2/access_token");
    assert_eq!(
        asked.iter().map(|seen| seen.json()["refresh_token"].clone()).collect::<Vec<_>>(),
        ["refresh-1", "refresh-1"]
    );
    // Lost twice: later, and nothing is given up.
    stage.server.next("/contacts/chats", [problem(401, "Unauthorized")]);
    stage.server.next("/oauth2/access_token", [Reply::Lost, Reply::Json(502, json!(null)), pair(3)]);
    let failure = stage.account.note(&ids(), "x").await.unwrap_err();
    assert!(matches!(failure.kind, FailureKind::Later { .. }), "{failure:?}");
    stage.clock.advance(Duration::from_secs(1));
    stage.server.next("/contacts/chats", [problem(401, "Unauthorized")]);
    assert!(stage.account.note(&ids(), "x").await.unwrap());
}

#[tokio::test]
async fn a_dead_pair_is_said_with_how_access_is_granted_again() {
    for (with, chats_go_on) in [(With::PairAndChannel, true), (With::PairOnly, false)] {
        let stage = Stage::connected(with).await;
        stage.server.next("/api/v4/contacts/chats", [problem(401, "Unauthorized")]);
        stage.server.next("/oauth2/access_token", [revoked()]);
        let failure = stage.account.note(&ids(), "x").await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Stop(PauseReason::Refused));
        let words = match stage.account.standing() {
            Standing::Impaired(words) if chats_go_on => words,
            Standing::Refused(words) if !chats_go_on => words,
            other => panic!("{other:?}"),
        };
        assert!(words.contains("Token has been revoked"), "{words}");
        assert!(words.contains("tandem connections authorize shop"), "{words}");
        // Nothing is asked with a pair that is known to be dead.
        let asked = stage.server.seen().len();
        stage.account.note(&ids(), "x").await.unwrap_err();
        assert_eq!(stage.server.seen().len(), asked);
        assert_eq!(stage.server.seen_at("/oauth2/access_token").len(), 1);
        if chats_go_on {
            stage.account.tell(&said(42, "Привет")).await.unwrap();
        }
        // Somebody grants access again.
        stage.clock.advance(Duration::from_secs(1));
        stage.server.next("/oauth2/access_token", [pair(2)]);
        stage
            .account
            .take_grant(&query(&[("code", "def502"), ("referer", "shopexample.amocrm.ru")]))
            .await
            .unwrap();
        stage.account.connect().await.unwrap();
        assert_eq!(stage.account.standing(), Standing::Connected);
        assert!(stage.account.note(&ids(), "x").await.unwrap());
    }
}

fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[tokio::test]
async fn access_is_granted_by_a_person_at_the_accounts_own_host_only() {
    let stage = Stage::open(With::NoPair).await;
    let failure = stage.account.connect().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Stop(PauseReason::Refused));
    assert!(
        matches!(stage.account.standing(), Standing::Refused(words) if words.contains("nobody has granted access"))
    );
    let page = stage.account.authorize_url("s+1").unwrap();
    assert_eq!(page.path(), "/oauth");
    assert_eq!(page.query(), Some(&*format!("client_id={CLIENT_ID}&mode=post_message&state=s%2B1")));
    for (strange, why) in [
        (&[("error", "access_denied"), ("state", "s")][..], "access was not granted: access_denied"),
        (&[("referer", "shopexample.amocrm.ru")], "no code"),
        (&[("code", "c"), ("referer", "shopexample.amocrm.ru.evil.example")], "none of amoCRM"),
        (&[("code", "c"), ("referer", "evilamocrm.ru")], "none of amoCRM"),
        (&[("code", "c"), ("referer", "x.evil.example/shop.amocrm.ru")], "none of amoCRM"),
        (&[("code", "c"), ("referer", "another.amocrm.ru")], "the connection is to shopexample.amocrm.ru"),
        (&[("code", "c"), ("client_id", "another")], "another integration"),
    ] {
        let failure = stage.account.take_grant(&query(strange)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Refused);
        assert!(failure.words.contains(why), "{failure}");
    }
    assert!(stage.server.seen_at("/oauth2/access_token").is_empty());
    stage.server.next("/oauth2/access_token", [pair(2)]);
    let granted = [
        ("code", "def502"),
        ("referer", "ShopExample.amocrm.ru"),
        ("client_id", CLIENT_ID),
        ("from_widget", "1"),
        ("platform", "1"),
    ];
    stage.account.take_grant(&query(&granted)).await.unwrap();
    let expected = json!({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "authorization_code",
        "code": "def502", "redirect_uri": "https://bridge.example/oauth/amocrm"});
    assert_eq!(stage.server.seen_at("/oauth2/access_token")[0].json(), expected);
    assert_eq!(stage.kept.pairs.lock().unwrap().len(), 1);
    stage.account.connect().await.unwrap();
    assert_eq!(stage.account.standing(), Standing::Connected);
    let revoked = Reply::Json(400, json!({"hint": "Authorization code has been revoked", "status": 400}));
    stage.server.next("/oauth2/access_token", [revoked]);
    let failure = stage.account.take_grant(&query(&[("code", "def502")])).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert_eq!(stage.account.standing(), Standing::Connected, "the pair that is there still serves");
}

#[tokio::test]
async fn a_refused_long_lived_token_is_said_and_forgotten_when_it_serves_again() {
    let stage = Stage::connected(With::TokenAndChannel).await;
    stage.server.next("/contacts/chats", [problem(401, "Unauthorized"), problem(402, "Payment Required")]);
    for word in ["Unauthorized", "Payment Required"] {
        let failure = stage.account.note(&ids(), "x").await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Stop(PauseReason::Refused));
        let Standing::Impaired(words) = stage.account.standing() else { panic!() };
        assert!(words.contains(word) && !words.contains(TOKEN), "{words}");
    }
    assert!(stage.account.note(&ids(), "x").await.unwrap());
    assert_eq!(stage.account.standing(), Standing::Connected);
}

#[tokio::test]
async fn managers_files_are_fetched_from_the_vendors_hosts_only() {
    let setting = {
        let mut setting = setting("https://amojo.amocrm.ru", With::TokenAndChannel);
        setting.document["rest_base"] = json!(null);
        setting.document["oauth_base"] = json!(null);
        setting.document["fetch_hosts"] = json!(["Files.shop.example"]);
        setting
    };
    let stage = Stage::connected(With::TokenAndChannel).await;
    let settings = Settings::default();
    let account = vendor(&settings, &stage.clock).open(&setting, Arc::new(Kept::default())).unwrap();
    let may = |account: &Arc<dyn Account>, url: &str| account.may_fetch(&Url::parse(url).unwrap());
    for (url, expected) in [
        ("https://amojo.amocrm.ru/attachments/0a1b/pic.jpg", true),
        ("https://shopexample.amocrm.ru/x", true),
        ("https://files.shop.example/x", true),
        ("http://amojo.amocrm.ru/attachments/0a1b/pic.jpg", false),
        ("https://amojo.amocrm.ru.evil.example/x", false),
        ("https://user:pass@amojo.amocrm.ru/x", false),
        ("https://drive-b.amocrm.ru/x", false),
        ("https://127.0.0.1/x", false),
        ("file:///etc/passwd", false),
    ] {
        assert_eq!(may(&account, url), expected, "{url}");
    }
    assert!(may(&stage.account, "https://drive-b.amocrm.ru/x"), "the account has said where its files are");
    assert!(may(&stage.account, &format!("{}/attachments/x", stage.server.base())), "an emulator");
}

#[tokio::test]
async fn a_check_looks_at_each_step_and_changes_nothing() {
    let stage = Stage::open(With::TokenAndChannel).await;
    let date =
        || Reply::Headers(204, vec![("date", "Fri, 15 Jan 2027 08:00:00 GMT".to_owned())], String::new());
    stage.server.next("/history", [date()]);
    let sources = json!({"_embedded": {"sources": [{"id": 1, "name": "x", "external_id": "bot_777", "origin_code": "amo.ext.shop"}]}});
    stage.server.next("/sources", [Reply::Json(200, sources)]);
    let steps = |findings: &[Finding]| {
        findings.iter().map(|finding| (finding.step, finding.state)).collect::<Vec<_>>()
    };
    let good = |step| (step, FindingState::Good);
    let mut found = stage.account.check().await;
    let hooks = found.remove(3);
    assert_eq!((hooks.step, hooks.state), ("hooks", FindingState::Skipped), "nobody asked for them");
    assert_eq!(
        steps(&found),
        ["token", "rights", "source", "limits", "channel", "connect", "clock"].map(good),
        "{found:?}"
    );
    assert!(stage.server.seen().iter().all(|seen| seen.method == "GET"));
    assert_eq!(stage.account.standing(), Standing::Unconnected);
    // Everything that can be wrong, with a sentence.
    stage.clock.advance(Duration::from_secs(1));
    stage.server.next("/users", [problem(403, "Forbidden")]);
    stage.server.next("/sources", [problem(403, "Forbidden")]);
    stage.server.next("/history", [not_registered()]);
    let found = stage.account.check().await;
    for (step, state, word) in [
        ("rights", FindingState::Warning, "no administrator's"),
        ("source", FindingState::Warning, "lead_sources"),
        ("connect", FindingState::Bad, "not connected"),
    ] {
        let finding = found.iter().find(|finding| finding.step == step).unwrap();
        assert!(finding.state == state && finding.sentence.contains(word), "{finding:?}");
    }
    stage.clock.advance(Duration::from_secs(1));
    stage.server.next("/account", [problem(401, "Unauthorized")]);
    let found = stage.account.check().await;
    assert_eq!(found[0].state, FindingState::Bad);
    assert!(found[0].sentence.contains("give connection shop a new token"), "{:?}", found[0]);
}

#[tokio::test]
async fn another_accounts_id_is_no_mistake_to_go_on_with_and_no_rights_are() {
    let stage = Stage::open(With::TokenAndChannel).await;
    stage.server.next("/account", [problem(403, "Forbidden")]);
    let failure = stage.account.connect().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused, "the channel's account is not known");
    let mut setting = setting(&stage.server.base(), With::TokenAndChannel);
    setting.document["channel"]["account"] = json!("11112222-3333-4444-8555-666677778888");
    let kept = Arc::new(Kept::default());
    let account = vendor(&Settings::default(), &stage.clock).open(&setting, kept).unwrap();
    stage.server.next("/account", [problem(403, "Forbidden")]);
    account.connect().await.unwrap();
    let failure = account.connect().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Stop(PauseReason::Refused));
    assert!(failure.words.contains("channel.account is 11112222"), "{failure}");
}

#[tokio::test]
async fn nothing_shows_a_secret() {
    let stage = Stage::connected(With::PairAndChannel).await;
    let shown = format!("{:?} {:?}", stage.account, stage.account.standing());
    for secret in [CHANNEL_SECRET, CLIENT_SECRET, "access-1", "refresh-1"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

type Change = fn(&mut ConnectionSetting);

#[test]
fn a_connection_that_cannot_be_used_says_what_is_missing() {
    let clock = tandem_testkit::ManualClock::new();
    let vendor = vendor(&Settings::default(), &clock);
    let base = "https://amojo.example";
    let open = |with, change: &dyn Fn(&mut ConnectionSetting)| {
        let mut setting = setting(base, with);
        change(&mut setting);
        let kept: Arc<dyn Keep> = Arc::new(Kept::default());
        vendor.open(&setting, kept).map(drop).map_err(|error: OpenError| error.to_string())
    };
    assert_eq!(open(With::TokenAndChannel, &|_| ()), Ok(()));
    for (with, change, why) in [
        (With::TokenOnly, (|setting| setting.secrets.clear()) as Change, "has no token, oauth or channel"),
        (With::TokenAndChannel, |setting| setting.secrets.clear(), "has no channel.secret"),
        (
            With::ChannelOnly,
            |setting| setting.document["channel"]["account"] = json!(null),
            "nor channel.account",
        ),
        (With::NoPair, |setting| setting.secrets.clear(), "has no oauth.client_secret"),
        (
            With::TokenOnly,
            |setting| setting.document["account"] = json!("shop.example.com"),
            "shop.amocrm.ru",
        ),
        (
            With::TokenOnly,
            |setting| setting.document["account"] = json!("amocrm.ru"),
            "account cannot be used",
        ),
        (With::TokenOnly, |setting| setting.document["speed"] = json!(1), "unknown field `speed`"),
        (
            With::TokenOnly,
            |setting| setting.document["rest_base"] = json!("ftp://x"),
            "rest_base cannot be used",
        ),
        (With::TokenOnly, |setting| setting.document["limits"] = json!({"rest_reserve": 7}), "rest_reserve"),
        (
            With::ChannelOnly,
            |setting| setting.document["channel"]["id"] = json!("../x"),
            "channel.id cannot be used",
        ),
    ] {
        let error = open(with, &change).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}
