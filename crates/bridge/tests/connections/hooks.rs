//! Managers' hooks: once each, kept before they are answered, and nothing of what strangers send.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use tandem_bridge::ChannelDocument;
use tandem_metrics::Registry;
use tandem_model::{Conversation, EventKind, message::ReplyAct};

use crate::{
    crm::SECRET,
    support::{assert_no_secret, id, until},
    world::{Open, Shop, text_of},
};

fn counted(open: &Open, end: &str) -> f64 {
    let mut registry = Registry::default();
    open.bridge.register_metrics(&mut registry);
    let text = registry.render().unwrap();
    let line = format!("tandem_hooks_total{{end=\"{end}\"}} ");
    text.lines().find_map(|shown| shown.strip_prefix(&line)?.parse().ok()).unwrap_or(0.0)
}

#[tokio::test]
async fn a_managers_words_are_in_the_journal_of_the_right_bot_before_the_hook_is_answered() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let (first, second) = (shop.bot(), shop.bot());
    for bot in [&first, &second] {
        open.add_bot(bot).await;
    }
    for (bot, chat, text) in [(&first, 1001, "to Ann"), (&second, 1001, "to Bob"), (&second, -7, "to all")] {
        let ours = json!({"ours": format!("tg:{}:{chat}", bot.id())});
        let said = shop.said(&format!("m-{text}"), &format!("chat of {chat}"), text, &ours);
        assert_eq!(shop.hook(&open, &said).await, StatusCode::OK);
    }
    let replies = open.replies(&first).await;
    assert_eq!(replies.len(), 1);
    let reply = &replies[0];
    assert_eq!((reply.chat, text_of(reply), reply.origin.route.as_str()), (1001, "to Ann", "crm"));
    assert_eq!((reply.origin.message.as_str(), reply.origin.chat.as_str()), ("m-to Ann", "chat of 1001"));
    assert_eq!(reply.origin.person.as_deref(), Some("person of chat of 1001"));
    let texts: Vec<_> =
        open.replies(&second).await.iter().map(|reply| (reply.chat, text_of(reply).to_owned())).collect();
    assert_eq!(texts, [(1001, "to Bob".to_owned()), (-7, "to all".to_owned())]);
    // The route is not told its own manager's words.
    let event = &open.events(&first, EventKind::Reply).await[0];
    let route = &open.store.list_routes(id(&first)).await.unwrap()[0];
    assert_eq!((event.cause, event.conversation.clone()), (route.lane, Conversation::chat(1001)));
    open.stop().await;
}

#[tokio::test]
async fn a_hook_that_comes_twice_gives_one_reply_also_at_the_same_time_and_after_a_crash() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let bot = shop.bot();
    open.add_bot(&bot).await;
    let said = shop.said("m1", "c1", "once", &json!({"ours": format!("tg:{}:7", bot.id())}));
    let both = tokio::join!(shop.hook(&open, &said), shop.hook(&open, &said));
    assert_eq!(both, (StatusCode::OK, StatusCode::OK));
    assert_eq!((counted(&open, "taken"), counted(&open, "repeated")), (1.0, 1.0));
    open.kill().await;
    let open = shop.reopen().await;
    assert_eq!(shop.hook(&open, &said).await, StatusCode::OK);
    assert_eq!(open.replies(&bot).await.len(), 1);
    open.stop().await;
}

#[tokio::test]
async fn nothing_is_kept_of_what_is_not_proved_or_cannot_be_read_and_it_is_counted_why() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let bot = shop.bot();
    open.add_bot(&bot).await;
    let said = shop.said("m1", "c1", "psst", &json!({"ours": format!("tg:{}:7", bot.id())})).to_string();
    let path = "shop.crm.example/x";
    let old = shop.said(
        "m0",
        "c1",
        "old",
        &json!({"ours": format!("tg:{}:7", bot.id()), "at": shop.stage.clock.now_ms() - 49 * 3_600_000}),
    );
    for (what, path, secret, body, status) in [
        ("nobodys", "other.example/x", Some(SECRET), said.clone().into_bytes(), StatusCode::NOT_FOUND),
        ("unproven", path, None, said.clone().into_bytes(), StatusCode::UNAUTHORIZED),
        ("unproven", path, Some("guess"), said.clone().into_bytes(), StatusCode::UNAUTHORIZED),
        (
            "unreadable",
            path,
            Some(SECRET),
            said.as_bytes()[..said.len() / 2].to_vec(),
            StatusCode::BAD_REQUEST,
        ),
        ("not_text", path, Some(SECRET), b"{\"word\":\"said\xff\"}".to_vec(), StatusCode::BAD_REQUEST),
        ("too_large", path, Some(SECRET), vec![b' '; (1 << 20) + 1], StatusCode::PAYLOAD_TOO_LARGE),
        ("stale", path, Some(SECRET), old.to_string().into_bytes(), StatusCode::BAD_REQUEST),
    ] {
        let before = counted(&open, what);
        assert_eq!(shop.post(&open, path, secret, body).await.status(), status, "{what}");
        assert!((counted(&open, what) - before - 1.0).abs() < f64::EPSILON, "{what} is counted");
    }
    let nowhere = shop.stage.http.post(format!("{}/hooks/nobody/x", open.public)).send().await.unwrap();
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
    assert_eq!(open.journal(&bot).await, []);
    open.stop().await;
}

#[tokio::test]
async fn a_conversation_is_the_managers_for_as_long_as_its_route_says() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let (bot, short) = (shop.bot(), shop.bot());
    open.add_bot(&bot).await;
    open.add_bot_with(&short, ChannelDocument { talk_minutes: 0, ..ChannelDocument::default() }).await;
    let lasts = async |bot| {
        open.store.find_hand_off(id(bot), Conversation::chat(7)).await.unwrap().map(|found| found.until)
    };
    let ours = json!({"ours": format!("tg:{}:7", bot.id()), "types": true});
    assert_eq!(shop.hook(&open, &shop.said("t", "c", "", &ours)).await, StatusCode::OK);
    assert!(matches!(open.replies(&bot).await[0].act, ReplyAct::Type { .. }));
    assert_eq!(lasts(&bot).await, None, "who types has not said anything");
    let ours = json!({"ours": format!("tg:{}:7", bot.id())});
    shop.hook(&open, &shop.said("m1", "c", "hello", &ours)).await;
    assert_eq!(lasts(&bot).await, Some(shop.now().plus(Duration::from_mins(30))));
    let ours = json!({"ours": format!("tg:{}:7", short.id())});
    shop.hook(&open, &shop.said("m2", "c", "hello", &ours)).await;
    assert_eq!(lasts(&short).await, None);
    // What the vendor has sent itself is not sent again.
    shop.stage.clock.advance(Duration::from_mins(5));
    let ours = json!({"ours": format!("tg:{}:7", bot.id()), "past_us": true});
    shop.hook(&open, &shop.said("m3", "c", "hello", &ours)).await;
    assert_eq!(open.replies(&bot).await.len(), 2);
    assert_eq!(lasts(&bot).await, Some(shop.now().plus(Duration::from_mins(30))));
    open.stop().await;
}

#[tokio::test]
async fn words_that_nobody_knows_are_taken_and_mean_nothing() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let bot = shop.bot();
    open.add_bot(&bot).await;
    let said = shop.said("m1", "c1", "hello", &json!({"ours": format!("tg:{}:7", bot.id())}));
    assert_eq!(shop.hook(&open, &json!({"word": "sang"})).await, StatusCode::OK);
    assert_eq!(shop.hook(&open, &json!([{"word": "sang"}, said])).await, StatusCode::OK);
    assert_eq!((counted(&open, "ignored"), counted(&open, "taken")), (1.0, 1.0));
    assert_eq!(open.replies(&bot).await.len(), 1);
    assert_no_secret(&open.views(), &[SECRET.to_owned()]);
    open.stop().await;
}

#[tokio::test]
async fn a_hook_that_cannot_be_kept_is_not_answered_with_ok_and_is_looked_for_later() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let bot = shop.bot();
    open.add_bot(&bot).await;
    open.is_connected().await;
    let said = |id: &str| shop.said(id, "c1", id, &json!({"ours": format!("tg:{}:7", bot.id())}));
    assert_eq!(shop.hook(&open, &said("before")).await, StatusCode::OK);
    shop.stage.in_time("a moment written down", async || open.moment(&bot).await).await;
    open.store.close().await;
    assert_eq!(shop.hook(&open, &said("during")).await, StatusCode::SERVICE_UNAVAILABLE);
    assert!((counted(&open, "not_kept") - 1.0).abs() < f64::EPSILON);
    shop.crm.did("c1", "during", "during", shop.now());
    open.kill().await;
    shop.stage.clock.advance(Duration::from_mins(10));
    let open = shop.reopen().await;
    shop.stage
        .in_time("what was missed", async || {
            let replies = open.replies(&bot).await;
            replies.iter().any(|reply| text_of(reply) == "during").then_some(())
        })
        .await;
    assert_eq!(open.replies(&bot).await.len(), 2);
    open.stop().await;
}

#[tokio::test]
async fn a_hook_for_a_bot_without_an_owner_waits_in_the_inbox_and_is_one_reply_afterwards() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let bot = shop.bot();
    open.add_bot(&bot).await;
    open.loses_its_bots().await;
    let said = shop.said("m1", "c1", "hello", &json!({"ours": format!("tg:{}:7", bot.id())}));
    for _ in 0..2 {
        assert_eq!(shop.hook(&open, &said).await, StatusCode::OK);
    }
    assert_eq!(open.replies(&bot).await, []);
    open.kill().await;
    let open = shop.reopen().await;
    let count = async || Some(open.replies(&bot).await.len()).filter(|count| *count > 0);
    assert_eq!(until("a reply", count).await, 1);
    until("an empty inbox", async || open.inbox_is_empty(&bot).await.then_some(())).await;
    assert_eq!(open.replies(&bot).await.len(), 1);
    open.stop().await;
}
