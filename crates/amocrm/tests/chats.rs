//! What is done in chats, against a server that answers in recorded shapes.

mod support;

use std::{net::IpAddr, sync::Arc, time::Duration};

use serde_json::json;
use tandem_amocrm::Settings;
use tandem_model::{
    Blame, PauseReason,
    message::{Act, Content, Place, ReplyFailure, ReplyOrigin, ReplyResult},
};
use tandem_vendor::{ChatIds, FailureKind, Found, HookRefusal, News, Standing, Vendor};

use self::support::*;

/// The end of the address of messages.
const SCOPE_END: &str = "_9f8e7d6c-5b4a-4392-8172-615f4e3d2c1b";

fn origin(message: &str) -> ReplyOrigin {
    ReplyOrigin {
        route: "amocrm".to_owned(),
        message: message.to_owned(),
        chat: CHAT.to_owned(),
        person: Some(PERSON.to_owned()),
    }
}

#[tokio::test]
async fn connecting_learns_the_account_and_asks_for_the_second_version_of_hooks() {
    let stage = Stage::open(With::TokenAndChannel).await;
    assert_eq!(stage.account.standing(), Standing::Unconnected);
    stage.account.connect().await.unwrap();
    assert_eq!(stage.account.standing(), Standing::Connected);
    let paths: Vec<_> = stage.server.seen().into_iter().map(|seen| seen.path).collect();
    let connect = format!("/v2/origin/custom/{CHANNEL}/connect");
    assert_eq!(paths, ["/api/v4/account", &*connect, "/api/v4/users"]);
    let body = stage.server.seen_at("/connect")[0].json();
    assert_eq!(body, json!({"account_id": AMOJO, "title": "TgBridge", "hook_api_version": "v2"}));
    assert_eq!(stage.server.seen()[0].authorization.as_deref(), Some("Bearer long-lived-secret-token"));
    assert!(stage.account.owns(&[CHANNEL.to_owned(), scope()]));
}

#[tokio::test]
async fn a_channel_works_without_a_token_when_the_accounts_id_is_given() {
    let stage = Stage::open(With::ChannelOnly).await;
    // It connects by itself.
    let taken = stage.account.tell(&said(42, "Привет")).await.unwrap();
    assert_eq!(taken.message.as_deref(), Some(MESSAGE));
    assert_eq!(stage.account.standing(), Standing::Connected);
    assert!(stage.server.seen().iter().all(|seen| seen.path.starts_with("/v2/origin/custom/")));
    assert!(!stage.account.note(&ids(), "x").await.unwrap());
}

#[tokio::test]
async fn after_a_new_installation_the_channel_is_connected_and_the_message_told_again() {
    let stage = Stage::connected(With::ChannelOnly).await;
    stage.server.next(SCOPE_END, [not_registered()]);
    stage.account.tell(&said(42, "Привет")).await.unwrap();
    let what: Vec<_> =
        stage.server.seen().iter().map(|seen| seen.path.rsplit('/').next().unwrap().to_owned()).collect();
    assert_eq!(what, [scope(), "connect".to_owned(), scope()]);
    // Switched off for good: it says so, and is found unconnected.
    stage.server.next(SCOPE_END, [not_registered(), not_registered()]);
    let failure = stage.account.tell(&said(43, "Ау")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Later { after: None, blame: Blame::Destination });
    assert_eq!(stage.account.standing(), Standing::Unconnected);
}

#[tokio::test]
async fn a_channel_that_is_not_known_stops_everything_with_a_sentence() {
    let stage = Stage::open(With::ChannelOnly).await;
    stage.server.next("/connect", [not_registered()]);
    let failure = stage.account.connect().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Stop(PauseReason::Refused));
    assert!(failure.words.contains("support registers it"), "{failure}");
    assert!(matches!(stage.account.standing(), Standing::Refused(words) if words == failure.words));
    // Support has registered it meanwhile.
    stage.account.tell(&said(42, "Привет")).await.unwrap();
    assert_eq!(stage.account.standing(), Standing::Connected);
}

#[tokio::test]
async fn a_disabled_integration_is_left_alone_until_it_is_connected_again() {
    let stage = Stage::connected(With::PairAndChannel).await;
    let hook = |account: &str| tandem_vendor::Hook {
        method: http::Method::GET,
        path: vec!["disabled".to_owned(), CLIENT_ID.to_owned()],
        query: Some(format!(
            "account_id={account}&client_uuid={CLIENT_ID}&signature=fac9f0a25d970c1713dbccba7a899f8082bdcb23cc1451026940bc7be047d937"
        )),
        headers: http::HeaderMap::new(),
        body: bytes::Bytes::new(),
    };
    assert!(stage.account.owns(&hook("31000001").path));
    assert_eq!(stage.account.hear(&hook("31000002")), Err(HookRefusal::Unproven));
    assert_eq!(stage.account.standing(), Standing::Connected);
    assert_eq!(stage.account.hear(&hook("31000001")), Ok(vec![News::Disabled]));
    assert_eq!(stage.account.standing(), Standing::Unconnected);
    let failure = stage.account.tell(&said(42, "Привет")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Later { after: None, blame: Blame::Destination });
    assert!(failure.words.contains("shopexample.amocrm.ru"), "{failure}");
    assert!(stage.server.seen().is_empty());
    // Not installed yet: it stays as it is, and is asked again.
    stage.server.next("/connect", [not_registered()]);
    stage.account.connect().await.unwrap_err();
    assert_eq!(stage.account.standing(), Standing::Unconnected);
    stage.account.connect().await.unwrap();
    stage.account.tell(&said(42, "Привет")).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_was_lost_is_told_from_a_request_that_never_was() {
    let stage = Stage::connected(With::ChannelOnly).await;
    stage.server.next(SCOPE_END, [Reply::Lost]);
    let failure = stage.account.tell(&said(42, "Привет")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Lost { blame: Blame::Unclear });
    stage.clock.advance(Duration::from_secs(5));
    stage.server.next(SCOPE_END, [Reply::Json(502, json!(null))]);
    let failure = stage.account.tell(&said(42, "Привет")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Lost { blame: Blame::Unclear });
    stage.clock.advance(Duration::from_secs(5));
    stage.server.next(
        SCOPE_END,
        [Reply::Json(400, json!({"error_type": "VALIDATION_ERROR", "error_description": "msgid: is taken"}))],
    );
    let failure = stage.account.tell(&said(42, "Привет")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.words.contains("msgid: is taken"), "{failure}");
    // Nobody listens there.
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let kept = Arc::new(Kept::default());
    let account =
        vendor(&Settings::default(), &stage.clock).open(&setting(&base, With::ChannelOnly), kept).unwrap();
    let failure = account.tell(&said(42, "Привет")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Later { after: None, blame: Blame::Destination });
}

#[tokio::test]
async fn too_many_requests_make_it_slower_and_a_long_wish_is_obeyed_without_asking() {
    let stage = Stage::connected(With::ChannelOnly).await;
    let wish = Reply::Headers(429, vec![("retry-after", "60".to_owned())], String::new());
    stage.server.next(SCOPE_END, [wish]);
    let failure = stage.account.tell(&said(42, "Привет")).await.unwrap_err();
    assert_eq!(seconds_later(&failure), Some(60));
    let failure = stage.account.tell(&said(43, "Ау")).await.unwrap_err();
    assert_eq!(seconds_later(&failure), Some(60));
    assert_eq!(stage.server.seen().len(), 1);
    stage.clock.advance(Duration::from_mins(1));
    stage.account.tell(&said(42, "Привет")).await.unwrap();
}

#[tokio::test]
async fn the_second_part_is_told_though_the_first_one_had_arrived_before() {
    let stage = Stage::connected(With::ChannelOnly).await;
    let venue = Content::Place(Place {
        latitude: "55.7".to_owned(),
        longitude: "37.6".to_owned(),
        title: Some("Кафе".to_owned()),
    });
    let refused = Reply::Json(400, json!({"error_type": "VALIDATION_ERROR"}));
    stage.server.next(SCOPE_END, [refused.clone()]);
    let person = json!({"id": PERSON, "client_id": "tg:1001", "name": "Анна"});
    let history = json!({"messages": [{"timestamp": 1, "sender": person,
        "message": {"id": MESSAGE, "client_id": "tg:777:1001:42", "type": "location"}}]});
    stage.server.next("/history", [Reply::Json(200, history)]);
    let telling = telling(42, Act::Said(words(venue, "")));
    assert_eq!(stage.account.tell(&telling).await.unwrap().message.as_deref(), Some(MESSAGE));
    let last = stage.server.seen().last().unwrap().json();
    assert_eq!(last["payload"]["msgid"], "tg:777:1001:42:2");
    // Refused and not there: refused.
    stage.server.next(SCOPE_END, [refused]);
    assert_eq!(stage.account.tell(&telling).await.unwrap_err().kind, FailureKind::Refused);
}

fn item(number: i64, born_there: bool) -> serde_json::Value {
    let (client, olga) =
        (json!({"id": PERSON, "client_id": "tg:1001", "name": "Анна"}), json!({"id": OLGA, "name": "Ольга"}));
    let at = 1_800_000_000 + number;
    let mut item = json!({"timestamp": at, "msec_timestamp": at * 1000, "message": {
        "id": format!("00000000-0000-4000-8000-{number:012}"), "type": "text", "text": format!("№{number}"),
    }});
    if born_there {
        item["sender"] = olga;
        item["receiver"] = client;
    } else {
        item["sender"] = client;
        item["message"]["client_id"] = json!(format!("tg:777:1001:{number}"));
    }
    item
}

fn page(numbers: impl DoubleEndedIterator<Item = i64>, born_there: fn(i64) -> bool) -> Reply {
    let messages: Vec<_> = numbers.rev().map(|number| item(number, born_there(number))).collect();
    Reply::Json(200, json!({ "messages": messages }))
}

#[tokio::test]
async fn a_message_is_looked_for_in_history_page_by_page() {
    let stage = Stage::connected(With::ChannelOnly).await;
    stage.server.next("/history", [page(51..101, |_| false), page(1..51, |_| false)]);
    let found = stage.account.find(&ids(), &key(7)).await.unwrap();
    assert_eq!(found, Found::Yes(Some("00000000-0000-4000-8000-000000000007".to_owned())));
    let queries: Vec<_> = stage.server.seen().into_iter().map(|seen| seen.query).collect();
    assert_eq!(queries, ["offset=0&limit=50", "offset=50&limit=50"]);
    stage.server.next("/history", [page(1..11, |_| false)]);
    assert_eq!(stage.account.find(&ids(), &key(11)).await.unwrap(), Found::No);
    assert_eq!(stage.account.find(&ids(), &key(11)).await.unwrap(), Found::No, "204");
    let unknown = ChatIds::default();
    assert_eq!(stage.account.find(&unknown, &key(11)).await.unwrap(), Found::Unknowable);
    let climbing = ChatIds { chat: Some("../../x".to_owned()), ..unknown };
    assert_eq!(stage.account.find(&climbing, &key(11)).await.unwrap(), Found::Unknowable);
}

#[tokio::test]
async fn what_managers_said_meanwhile_is_read_back_oldest_first_and_nothing_else() {
    let stage = Stage::connected(With::ChannelOnly).await;
    let each_tenth = |number: i64| number % 10 == 0;
    stage.server.next("/history", [page(51..101, each_tenth), page(1..51, each_tenth)]);
    let since = tandem_model::Timestamp::from_secs(1_800_000_030);
    let missed = stage.account.missed(&ids(), since).await.unwrap();
    let said: Vec<_> = missed
        .iter()
        .map(|heard| (heard.at.as_millis() / 1000 - 1_800_000_000, heard.by.name.as_deref()))
        .collect();
    assert_eq!(said, [30, 40, 50, 60, 70, 80, 90, 100].map(|number| (number, Some("Ольга"))));
    let first = &missed[0];
    assert_eq!(first.id.as_deref(), Some("00000000-0000-4000-8000-000000000030"));
    assert_eq!((first.chat.theirs.as_str(), first.chat.person_ours.as_deref()), (CHAT, Some("tg:1001")));
    assert_eq!(stage.server.seen().len(), 2, "what is older is not asked for");
}

#[tokio::test]
async fn what_became_of_a_reply_is_reported_when_it_is_known() {
    let stage = Stage::connected(With::ChannelOnly).await;
    let failed = ReplyResult::Failed {
        why: ReplyFailure::Blocked,
        words: "Forbidden: bot was blocked by the user".to_owned(),
        messages: Vec::new(),
    };
    stage.account.report(&origin(MESSAGE), &failed).await.unwrap();
    let seen = stage.server.seen().remove(0);
    assert_eq!(seen.path, format!("/v2/origin/custom/{}/{MESSAGE}/delivery_status", scope()));
    assert_eq!((&seen.json()["status_code"], &seen.json()["error_code"]), (&json!(-1), &json!(905)));
    stage.server.forget();
    stage.account.report(&origin(MESSAGE), &ReplyResult::Unknown { words: "?".to_owned() }).await.unwrap();
    for nothing in ["", "reaction:x:y:1:👍", "../../x"] {
        stage.account.report(&origin(nothing), &failed).await.unwrap();
    }
    assert!(stage.server.seen().is_empty());
    stage.server.next("/delivery_status", [Reply::Json(404, json!(null))]);
    assert_eq!(stage.account.report(&origin(MESSAGE), &failed).await.unwrap_err().kind, FailureKind::Refused);
}

#[tokio::test]
async fn a_clock_that_is_off_is_said_instead_of_a_wrong_secret() {
    let stage = Stage::connected(With::ChannelOnly).await;
    // The stage's clock shows 2027-01-15 08:00.
    let refused = |date: &str| {
        let body = r#"{"status":0,"error_code":403,"error_type":"ORIGIN_INVALID_SIGNATURE","error_description":"invalid signature"}"#;
        Reply::Headers(403, vec![("date", date.to_owned())], body.to_owned())
    };
    stage.server.next(
        SCOPE_END,
        [refused("Fri, 15 Jan 2027 08:17:00 GMT"), refused("Fri, 15 Jan 2027 08:00:00 GMT")],
    );
    let failure = stage.account.tell(&said(42, "x")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Stop(PauseReason::Refused));
    assert!(failure.words.starts_with("the clock of this machine is 17 minutes slow"), "{failure}");
    let failure = stage.account.tell(&said(42, "x")).await.unwrap_err();
    assert!(failure.words.contains("secret is wrong"), "{failure}");
}

#[tokio::test]
async fn addresses_that_are_not_allowed_are_not_connected_to() {
    let stage = Stage::open(With::ChannelOnly).await;
    let guarded =
        Settings { guard: Some(Arc::new(|address: IpAddr| !address.is_loopback())), ..Settings::default() };
    let by_name = format!("http://localhost:{}", stage.server.address.port());
    for base in
        [stage.server.base(), by_name, format!("http://[::ffff:127.0.0.1]:{}", stage.server.address.port())]
    {
        let kept = Arc::new(Kept::default());
        let account = vendor(&guarded, &stage.clock).open(&setting(&base, With::ChannelOnly), kept).unwrap();
        let failure = account.connect().await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Later { after: None, blame: Blame::Destination });
        assert!(failure.words.contains("allow_private_addresses"), "{base}: {failure}");
    }
    assert!(stage.server.seen().is_empty());
}

#[tokio::test]
async fn nobody_is_followed_to_somewhere_else() {
    let stage = Stage::connected(With::ChannelOnly).await;
    let away = format!("{}/elsewhere", stage.server.base());
    stage.server.next(SCOPE_END, [Reply::Headers(302, vec![("location", away)], String::new())]);
    let failure = stage.account.tell(&said(42, "x")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Later { after: None, blame: Blame::Destination });
    assert!(stage.server.seen_at("/elsewhere").is_empty());
}
