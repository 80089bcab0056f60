//! The account over HTTP: who it logs in as, what it asks, and what it makes of answers.

mod support;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tandem_model::{Blame, PauseReason};
use tandem_vendor::{Account, Doubt, Failure, FailureKind, FindingState, HookRefusal, News, Standing};

use self::support::{CHANNEL, Desk, PHONE, Reply, Seen, hook, open, opening, route, telling, with_photo};

const CHANNELS: &str = "/channels/";
const SEND: &str = "/send_message/";

fn refused(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Stop(PauseReason::Refused))
}

#[tokio::test]
async fn it_logs_in_once_for_all_and_keeps_the_token_over_a_restart() {
    let desk = Desk::open().await;
    let asked = (0..4).map(|_| {
        let account = Arc::clone(&desk.account);
        tokio::spawn(async move { account.open_chat(&opening(Some(PHONE), None)).await.map(drop) })
    });
    for asked in asked.collect::<Vec<_>>() {
        asked.await.unwrap().unwrap();
    }
    let logins = desk.server.seen("/user/login");
    assert_eq!(logins.len(), 1);
    assert_eq!(logins[0].json(), json!({"login": "shop", "password": "pass"}));
    for Seen { headers, .. } in desk.server.seen("/projects/") {
        assert_eq!(headers["x-project"], "4242");
        assert_eq!(headers["authorization"], "Bearer token-1");
    }
    desk.again().connect().await.unwrap();
    assert_eq!(desk.server.seen("/user/login").len(), 1, "the token is still good");
    desk.clock.advance(Duration::from_mins(56));
    desk.account.connect().await.unwrap();
    assert_eq!(desk.server.seen("/user/refresh-token").len(), 1, "it is renewed before it ends");
    assert_eq!(desk.server.seen(CHANNELS).last().unwrap().header("authorization"), "Bearer renewed");
    assert_eq!(desk.server.seen("/user/login").len(), 1);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_a_refused_login_needs_somebody() {
    let desk = Desk::open().await;
    desk.account.connect().await.unwrap();
    desk.server.then(CHANNELS, [Reply::Text(401, "")]);
    desk.account.connect().await.unwrap();
    assert_eq!(desk.server.seen("/user/login").len(), 2);
    desk.server.then(CHANNELS, [Reply::Text(401, ""), Reply::Text(401, "")]);
    assert!(refused(&desk.account.connect().await.unwrap_err()));
    assert!(matches!(desk.account.standing(), Standing::Refused(_)));
    desk.account.connect().await.unwrap();
    assert_eq!(desk.account.standing(), Standing::Connected);
    desk.server.then(CHANNELS, [Reply::Text(401, "")]);
    desk.server
        .then("/user/login", [Reply::Json(200, json!({"success": false, "message": "wrong password"}))]);
    let failure = desk.account.connect().await.unwrap_err();
    assert!(refused(&failure) && failure.words.contains("wrong password"), "{failure}");
    let fixed = open(&desk.server, &desk.clock, &desk.safe, &json!({}), &[("token", "from-cabinet")], true);
    desk.server.then(CHANNELS, [Reply::Text(401, "")]);
    assert!(refused(&fixed.connect().await.unwrap_err()), "there is no other token");
}

#[tokio::test]
async fn nothing_is_redirected_and_a_slash_is_tried_the_other_way_once() {
    let desk = Desk::open().await;
    desk.server.then(SEND, [Reply::To(308, "/elsewhere")]);
    let taken = desk.account.tell(&telling("hello", &json!({}))).await.unwrap();
    assert_eq!(taken.message.as_deref(), Some("9000002"));
    let sent = desk.server.seen(SEND);
    let (first, second) = (&sent[0], &sent[1]);
    assert!(first.path.ends_with("/5550001") && second.path.ends_with("/5550001/"));
    assert_eq!((&first.method, &first.body), (&second.method, &second.body));
    assert!(desk.server.seen("elsewhere").is_empty());
    desk.server.then(SEND, [Reply::To(301, "/x"), Reply::To(301, "/x")]);
    let failure = desk.account.tell(&telling("hello", &json!({}))).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Later { after: None, blame: Blame::Destination });
}

#[tokio::test]
async fn a_client_goes_by_a_stored_number_else_by_his_phone_else_he_waits() {
    let desk = Desk::open().await;
    let opened = desk.account.open_chat(&opening(None, Some("31001:77"))).await.unwrap();
    assert_eq!(opened.ids.chat.as_deref(), Some("31001:77"));
    assert!(desk.server.seen("/users").is_empty(), "nobody is asked");
    let failure = desk.account.open_chat(&opening(None, Some("31002:77"))).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoPhone, "a number of another channel is none here");
    assert!(failure.words.starts_with("no phone yet"), "{failure}");
    let opened = desk.account.open_chat(&opening(Some(PHONE), None)).await.unwrap();
    assert_eq!(opened.contact.as_deref(), Some("31001:5550001"));
    let added = &desk.server.seen("/users")[0];
    assert_eq!(added.json(), json!({"phone": "+79990001122", "name": "Ann", "need_create": true}));
    // He is there already, and only a search says as whom.
    desk.server.then("/users", [Reply::Json(422, json!({"success": false, "message": "exists"}))]);
    let contact = json!({"success": true, "data": {"id": 1, "users": [
        {"id": 4, "channel_id": 31002}, {"id": "6", "channel_id": "31001"}]}});
    desk.server.then("contact_by_phone", [Reply::Json(200, contact)]);
    let opened = desk.account.open_chat(&opening(Some(PHONE), None)).await.unwrap();
    assert_eq!(opened.ids.person.as_deref(), Some("6"));
}

#[tokio::test]
async fn who_cannot_be_reached_is_not_asked_about_again_for_a_month() {
    let desk = Desk::open().await;
    desk.server
        .then("/users", [Reply::Json(200, json!({"success": false, "message": "Мессенджер не подключен"}))]);
    for _ in 0..2 {
        let failure = desk.account.open_chat(&opening(Some(PHONE), None)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Refused, "{failure}");
    }
    assert_eq!(desk.server.seen("/users").len(), 1);
    desk.clock.advance(Duration::from_hours(24 * 31));
    desk.account.open_chat(&opening(Some(PHONE), None)).await.unwrap();
    desk.server.then("/users", [Reply::Json(400, json!({"message": "Too many requests"}))]);
    let throttled = desk.account.open_chat(&opening(Some(PHONE), None)).await.unwrap_err();
    let ten = Some(Duration::from_mins(10));
    assert_eq!(throttled.kind, FailureKind::Later { after: ten, blame: Blame::Event });
}

#[tokio::test]
async fn a_message_goes_as_the_settings_say() {
    let desk = Desk::open().await;
    desk.account.tell(&telling("hello", &json!({}))).await.unwrap();
    let marked = json!({"destination": "from_operator", "encoding": "multipart"});
    desk.account.tell(&telling("hello", &marked)).await.unwrap();
    let sent = desk.server.seen(SEND);
    assert!(sent[0].path.contains(CHANNEL));
    assert_eq!(sent[0].json(), json!({"text": "Ann: hello"}));
    assert!(sent[1].header("content-type").starts_with("multipart/form-data; boundary="));
    let form = String::from_utf8(sent[1].body.to_vec()).unwrap();
    assert!(form.contains("name=\"destination\"\r\n\r\nfrom_operator\r\n"), "{form}");
}

#[tokio::test]
async fn what_may_have_been_sent_is_told_apart_from_what_was_not() {
    let desk = Desk::open().await;
    let lost = FailureKind::Lost { blame: Blame::Unclear };
    let words = json!({"success": false, "message": "the tariff has ended"});
    for (reply, kind) in [
        (Reply::Lost, lost.clone()),
        (Reply::Text(502, "<html>bad gateway</html>"), lost.clone()),
        (Reply::Text(200, "<html>"), lost),
        (Reply::Json(200, words), FailureKind::Refused),
        (Reply::Json(404, json!({})), FailureKind::Gone),
        (Reply::Json(422, json!({"message": "номер не зарегистрирован"})), FailureKind::Refused),
    ] {
        desk.server.then(SEND, [reply.clone()]);
        let failure = desk.account.tell(&telling("hello", &json!({}))).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{reply:?}");
    }
    let nowhere = json!({"api_base": "http://127.0.0.1:1/api"});
    let account = open(&desk.server, &desk.clock, &desk.safe, &nowhere, &[("token", "t")], true);
    let failure = account.tell(&telling("hello", &json!({}))).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Later { after: None, blame: Blame::Destination });
}

#[tokio::test]
async fn nothing_is_told_in_a_personal_account_before_the_owner_confirms_it() {
    let desk = Desk::open().await;
    desk.server.channel_is("telegram");
    let failure = desk.account.open_chat(&opening(Some(PHONE), None)).await.unwrap_err();
    assert!(refused(&failure));
    assert!(failure.words.contains("he would receive his own words"), "{failure}");
    assert!(failure.words.contains("personal_account = \"confirmed\""), "{failure}");
    assert!(desk.account.prepare(&telling("hello", &json!({}))).await.is_err());
    assert!(desk.account.tell(&telling("hello", &json!({}))).await.is_err());
    assert!(desk.server.seen("/users").is_empty() && desk.server.seen(SEND).is_empty());
    let confirmed = json!({"personal_account": "confirmed"});
    desk.account.prepare(&telling("hello", &confirmed)).await.unwrap();
    desk.account.tell(&telling("hello", &confirmed)).await.unwrap();
    let hinted = json!({"channels": [{"alias": "clients_tg", "uuid": CHANNEL, "kind": "bot"}]});
    let account = open(&desk.server, &desk.clock, &desk.safe, &hinted, &[("token", "t")], true);
    account.tell(&telling("hello", &json!({}))).await.unwrap();
}

#[tokio::test]
async fn a_file_goes_as_a_file_where_the_route_says_so_and_as_a_link_where_it_cannot_be_had() {
    let desk = Desk::open().await;
    let link = format!("{}media/photo", desk.server.base);
    desk.server.then("/media/photo", [Reply::Text(200, "the bytes"), Reply::Text(404, "")]);
    let telling = with_photo(telling("look", &json!({"files": "form"})), &link);
    for _ in 0..2 {
        desk.account.tell(&telling).await.unwrap();
    }
    let sent = desk.server.seen(SEND);
    let form = String::from_utf8(sent[0].body.to_vec()).unwrap();
    assert!(
        form.contains("name=\"file\"; filename=\"p.jpg\"\r\nContent-Type: image/jpeg\r\n\r\nthe bytes\r\n"),
        "{form}"
    );
    assert!(form.contains("name=\"text\"\r\n\r\nAnn: look\r\n"), "{form}");
    assert_eq!(sent[1].json(), json!({"text": format!("Ann: look {link}")}));
    // By its echo it is known either way.
    let echo = json!({"action": "channel.message.created", "payload": {"id": 1, "channel_id": 31001,
        "user_id": 5_550_001, "destination": "from_operator", "message": format!("Ann: look {link}")}});
    desk.account.connect().await.unwrap();
    let News::Spoken(spoken) = desk.hears(&echo).unwrap().remove(0) else { panic!() };
    assert_eq!(Some(spoken.fingerprint), desk.account.fingerprint(&telling));
}

#[tokio::test]
async fn its_hook_is_subscribed_once_under_a_secret_of_ours() {
    let desk = Desk::open().await;
    desk.account.connect().await.unwrap();
    let secret = desk.safe.kept("hook_secret").unwrap();
    assert!(secret.len() >= 32, "{}", secret.len());
    let subscribed = desk.server.seen("/webhooks/");
    let url = format!("https://tandem.example/hooks/wahelp/{secret}");
    assert_eq!(subscribed[1].json(), json!({"url": url, "entities": ["channel.message"]}));
    let known =
        json!({"success": true, "data": [{"uuid": "other", "url": "https://x"}, {"uuid": "w", "url": url}]});
    desk.server.then("/webhooks/", [Reply::Json(200, known)]);
    let again = desk.again();
    again.connect().await.unwrap();
    assert_eq!(desk.server.seen("/webhooks/").len(), 3, "it is there already");
    assert!(again.owns(std::slice::from_ref(&secret)) && !again.owns(&["x".repeat(secret.len())]));
    assert!(!again.owns(&[secret.clone(), secret.clone()]) && !again.owns(&[]));
    assert_eq!(again.hear(&hook(vec!["wrong".to_owned()], "{}")), Err(HookRefusal::Unproven));
    assert!(matches!(again.hear(&hook(vec![secret], "nothing")), Err(HookRefusal::Unreadable { .. })));
    assert_eq!(again.standing(), Standing::Connected);
    assert!(again.polls_every().unwrap() > Duration::from_mins(1));
}

#[tokio::test]
async fn without_a_public_address_it_asks_what_is_new() {
    let desk = Desk::open().await;
    let account = open(&desk.server, &desk.clock, &desk.safe, &json!({}), &[("token", "t")], false);
    account.connect().await.unwrap();
    let Standing::Impaired(sentence) = account.standing() else { panic!("{:?}", account.standing()) };
    assert!(sentence.contains("server.public_url"), "{sentence}");
    assert_eq!(account.polls_every(), Some(Duration::from_secs(20)));
    let row = |id: u64, at: &str, destination: &str| json!({"id": id, "user_id": 5, "destination": destination, "message": format!("m{id}"), "created_at": at});
    // 2027-01-15 08:00 UTC is 11:00 in Moscow.
    let rows = json!({"success": true, "data": [
        row(10, "2027-01-15 11:00:05", "from_operator"), row(9, "2027-01-15 11:00:01", "from_whatsapp"),
        row(8, "2027-01-15 11:00:01", "from"), row(7, "2027-01-15 10:00:00", "from_operator")]});
    desk.server.then("/messages?limit=50", [Reply::Json(200, rows)]);
    let news = account.heard_since(desk.clock.now()).await.unwrap().unwrap();
    let heard: Vec<_> = news
        .iter()
        .filter_map(|news| match news {
            News::Spoken(spoken) => {
                Some((spoken.heard.id.clone().unwrap(), spoken.heard.chat.theirs.clone()))
            }
            News::Noticed(noticed) => {
                assert_eq!(noticed.id, "from:8");
                None
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let chat = "31001:5".to_owned();
    assert_eq!(heard, [("9".to_owned(), chat.clone()), ("10".to_owned(), chat)]);
}

#[tokio::test]
async fn an_echo_is_known_by_its_words_and_doubted_while_something_is_sent() {
    let desk = Desk::open().await;
    desk.account.connect().await.unwrap();
    let row = |user: u64, text: &str| {
        json!({"action": "channel.message.created", "payload": {"id": 9_000_002, "channel_id": 31001,
            "user_id": user, "destination": "from_operator", "message": text, "message_type": "text"}})
    };
    let spoken = |body: &Value| match desk.hears(body).unwrap().remove(0) {
        News::Spoken(spoken) => *spoken,
        other => panic!("{other:?}"),
    };
    assert_eq!(spoken(&row(5_550_001, "x")).doubt, Doubt::None);
    let telling = telling("hello", &json!({}));
    desk.account.tell(&telling).await.unwrap();
    let echo = spoken(&row(5_550_001, "Ann: hello"));
    assert_eq!(Some(echo.fingerprint), desk.account.fingerprint(&telling));
    assert_eq!(echo.doubt, Doubt::LookAgain);
    assert_eq!(spoken(&row(6, "x")).doubt, Doubt::None, "nothing is sent to somebody else");
    desk.clock.advance(Duration::from_secs(11));
    assert_eq!(spoken(&row(5_550_001, "x")).doubt, Doubt::None);
}

#[tokio::test]
async fn files_are_fetched_from_where_the_settings_allow() {
    let desk = Desk::open().await;
    let may = |account: &dyn Account, url: &str| account.may_fetch(&url.parse().unwrap());
    assert!(may(&*desk.account, "https://cdn.example/v.oga"));
    assert!(may(&*desk.account, &format!("{}file", desk.server.base)), "an emulator's are plain");
    for refused in ["http://cdn.example/v.oga", "https://a:b@cdn.example/v", "ftp://cdn.example/v"] {
        assert!(!may(&*desk.account, refused), "{refused}");
    }
    let narrow = json!({"fetch_hosts": ["files.example"]});
    let narrow = open(&desk.server, &desk.clock, &desk.safe, &narrow, &[("token", "t")], true);
    assert!(may(&*narrow, "https://files.example/v") && !may(&*narrow, "https://cdn.example/v"));
}

#[tokio::test]
async fn a_check_tells_everything_and_changes_nothing() {
    let desk = Desk::open().await;
    desk.server.channel_is("telegram");
    let findings = desk.account.check().await;
    let of = |step: &str| findings.iter().find(|finding| finding.step == step).unwrap();
    for step in ["login", "project", "amocrm"] {
        assert_eq!(of(step).state, FindingState::Good, "{}", of(step).sentence);
    }
    let channel = of("channels");
    assert!(channel.state == FindingState::Warning && channel.sentence.contains("A PERSONAL ACCOUNT"));
    assert!(channel.sentence.contains("clients_tg: number 31001"), "{}", channel.sentence);
    assert!(of("webhook").state == FindingState::Warning);
    let posted = |seen: &Seen| seen.method == http::Method::POST && !seen.path.ends_with("/login");
    assert!(!desk.server.seen("").iter().any(posted), "nothing was posted but the login");
    desk.server.then("/app/projects/", [Reply::Text(401, ""), Reply::Text(401, "")]);
    let findings = desk.account.check().await;
    assert!(findings[0].step == "login" && findings[0].state == FindingState::Bad);
    assert!(findings[1..].iter().all(|finding| finding.state == FindingState::Skipped));
}

#[tokio::test]
async fn a_probe_goes_to_one_person_and_gives_a_block_of_settings() {
    let desk = Desk::open().await;
    let probing = {
        let account = Arc::clone(&desk.account);
        tokio::spawn(async move { account.probe_to("clients_tg:5550001").await })
    };
    for _ in 0..2 {
        while desk.clock.sleeping() == 0 && !probing.is_finished() {
            tokio::task::yield_now().await;
        }
        desk.clock.advance(Duration::from_secs(6));
        while desk.clock.sleeping() > 0 {
            tokio::task::yield_now().await;
        }
    }
    let findings = probing.await.unwrap();
    let sent = desk.server.seen(SEND);
    assert!(sent.len() == 2 && sent.iter().all(|seen| seen.path.ends_with("/5550001")));
    let settings = findings.last().unwrap();
    assert_eq!(settings.step, "settings");
    assert!(settings.sentence.contains("encoding = \"json\""), "{}", settings.sentence);
    let nobody = desk.account.probe_to("").await;
    assert!(nobody.len() == 1 && nobody[0].state == FindingState::Bad);
}

#[tokio::test]
async fn a_routes_channel_is_looked_at_for_what_becomes_of_what_is_told_there() {
    let desk = Desk::open().await;
    let check = async |more: Value| {
        let found = desk.account.check_route(&route(&more)).await;
        assert_eq!(found.len(), 1);
        (found[0].state, found[0].sentence.clone())
    };
    let (state, sentence) = check(json!({"channel": "elsewhere"})).await;
    assert!(state == FindingState::Bad && sentence.contains("no channel elsewhere"), "{sentence}");
    let (state, sentence) = check(json!({})).await;
    assert!(state == FindingState::Warning && sentence.contains("is a bot"), "{sentence}");
    desk.server.channel_is("telegram");
    desk.clock.advance(Duration::from_hours(25));
    let (state, sentence) = check(json!({})).await;
    assert!(state == FindingState::Bad && sentence.contains("his own words"), "{sentence}");
    let (state, sentence) = check(json!({"personal_account": "confirmed"})).await;
    assert!(state == FindingState::Warning && sentence.contains("(T1)"), "{sentence}");
}
