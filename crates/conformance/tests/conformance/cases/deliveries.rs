//! Group 11: what is posted to a webhook, and in which order (3.3).

use serde_json::json;

use crate::{
    stage::{Delivery, Receiver, Stage, anything},
    table::{Case, case},
};

pub(crate) const REQUESTS: &[Case] = &[
    case!(
        a_delivery_has_these_headers,
        "3.3",
        "`POST`, HTTP/1.1, JSON with its length, keep-alive, `Accept-Encoding: gzip, deflate`, `Host`, and no secret unless one is set."
    ),
    case!(
        one_update_per_request,
        "3.3",
        "Three updates are three requests, each with the update object alone."
    ),
    case!(any_2xx_is_success, "3.3", "200, 201, 204 and 299 take the update."),
    case!(
        redirects_are_failures_and_not_followed,
        "3.3",
        "302 with a `Location` is a failure, and nobody goes there."
    ),
    case!(a_connection_is_reused, "3.3", "Updates that come one after the other come on one connection."),
];

pub(crate) const ORDER: &[Case] = &[
    case!(
        a_chat_is_strictly_serial,
        "3.3, 10.11",
        "The second message of a chat waits for the first, also while that fails."
    ),
    case!(
        other_chats_go_on,
        "3.3, 10.11",
        "While one chat's update hangs or fails, another chat's is delivered."
    ),
    case!(
        a_press_may_overtake_the_message_before_it,
        "3.3",
        "A message and a callback query of the same person are in different queues."
    ),
    case!(
        kinds_of_one_queue_wait_for_each_other,
        "3.3",
        "Message and edit, post and edit, business messages and deletions, poll and answer, shipping and pre-checkout, member and join request, boosts: each pair is serial."
    ),
    case!(
        kinds_of_different_queues_do_not,
        "3.3",
        "Inline query, chosen result, callback, payments, membership of the bot and of others, reactions and their counts, guest and business messages, polls, purchases: none waits for another."
    ),
    case!(
        never_more_requests_than_max_connections,
        "3.3",
        "With `max_connections` 2 three chats have two requests at a time."
    ),
    case!(
        new_connections_come_ten_at_a_time,
        "3.3",
        "Twelve chats at once get ten new connections, and the others half a second later."
    )
    .tandem_differs("as many as `max_connections` at once: no budget of new connections"),
    case!(
        a_failing_chat_fills_the_window,
        "3.3",
        "With `max_connections` 1 two updates are loaded: two failing ones of one chat stall all other chats."
    )
    .tandem_differs("no load window is shared by all chats (the rule of 3.3): the other chat is served"),
];

async fn a_delivery_has_these_headers(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "hello").await;
    let delivery = receiver.next().await;
    assert!(delivery.head.starts_with("POST /hook HTTP/1.1\r\n"), "{}", delivery.head);
    let host = receiver.url.trim_start_matches("http://").trim_end_matches("/hook").to_owned();
    let length = delivery.body.len().to_string();
    for (name, value) in [
        ("Content-Type", Some("application/json")),
        ("Content-Length", Some(length.as_str())),
        ("Connection", Some("keep-alive")),
        ("Accept-Encoding", Some("gzip, deflate")),
        ("Host", Some(host.as_str())),
        ("X-Telegram-Bot-Api-Secret-Token", None),
        ("Authorization", None),
    ] {
        assert_eq!(delivery.header(name), value, "{name}");
    }
    delivery.ok();
}

async fn one_update_per_request(t: &mut Stage) {
    for text in ["one", "two", "three"] {
        t.says(7, text).await;
    }
    let mut receiver = t.receiver().await;
    let mut last = 0;
    for text in ["one", "two", "three"] {
        let delivery = receiver.next().await;
        let update = delivery.update();
        assert_eq!(update.as_object().unwrap().len(), 2, "{update}");
        assert_eq!(delivery.text(), text);
        assert!(delivery.update_id() > last);
        last = delivery.update_id();
        delivery.ok();
    }
}

async fn any_2xx_is_success(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    for status in ["200 OK", "201 Created", "204 No Content", "299 Whatever"] {
        t.says(7, status).await;
        let delivery = receiver.next().await;
        assert_eq!(delivery.text(), status);
        delivery.raw(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
        t.is_delivered().await;
    }
    assert!(t.webhook_info().await.get("last_error_message").is_none());
}

async fn redirects_are_failures_and_not_followed(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    let mut elsewhere = Receiver::start().await;
    t.says(7, "hello").await;
    receiver.next().await.status_with("302 Found", &format!("Location: {}\r\n", elsewhere.url));
    let again = receiver.next().await;
    assert_eq!(again.text(), "hello");
    again.ok();
    t.is_delivered().await;
    assert!(elsewhere.arrived().is_none());
}

async fn a_connection_is_reused(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    for number in 0..4 {
        t.says(number + 1, "hello").await;
        let delivery = receiver.next().await;
        assert_eq!(delivery.connection, 0);
        delivery.ok();
        t.is_delivered().await;
    }
}

async fn a_chat_is_strictly_serial(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "one").await;
    let first = receiver.next().await;
    t.says(7, "two").await;
    t.settles().await;
    assert!(receiver.arrived().is_none());
    first.status("500 Internal Server Error");
    receiver.next().await.status("500 Internal Server Error");
    t.sleeps_ms(2000).await;
    t.settles().await;
    assert!(receiver.arrived().is_none(), "the second waits for the first to succeed");
    t.later(2).await;
    for text in ["one", "two"] {
        let delivery = receiver.next().await;
        assert_eq!(delivery.text(), text);
        delivery.ok();
    }
}

async fn other_chats_go_on(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "hangs").await;
    let hanging = receiver.next().await;
    for text in ["a", "b"] {
        t.says(8, text).await;
        let delivery = receiver.next().await;
        assert_eq!(delivery.text(), text);
        delivery.ok();
    }
    hanging.status("500 Internal Server Error");
    let again = receiver.next().await;
    assert_eq!(again.text(), "hangs");
    again.status("500 Internal Server Error");
    t.sleeps_ms(2000).await;
    t.says(8, "c").await;
    let delivery = receiver.next().await;
    assert_eq!(delivery.text(), "c");
    delivery.ok();
}

async fn a_press_may_overtake_the_message_before_it(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "hello").await;
    let message = receiver.next().await;
    t.push("callback_query", &anything(7, t.clock.now_secs())).await;
    let press = receiver.next().await;
    assert_eq!(press.text(), "callback_query");
    press.ok();
    message.ok();
}

async fn kinds_of_one_queue_wait_for_each_other(t: &mut Stage) {
    t.asks_for_everything().await;
    let mut receiver = t.receiver().await;
    for (id, (first, second)) in (100..).zip([
        ("message", "edited_message"),
        ("channel_post", "edited_channel_post"),
        ("business_message", "edited_business_message"),
        ("business_message", "deleted_business_messages"),
        ("poll", "poll_answer"),
        ("shipping_query", "pre_checkout_query"),
        ("chat_member", "chat_join_request"),
        ("chat_boost", "removed_chat_boost"),
    ]) {
        t.push(first, &anything(id, t.clock.now_secs())).await;
        let hanging = receiver.next().await;
        t.push(second, &anything(id, t.clock.now_secs())).await;
        // What belongs to nobody else goes past it.
        t.push("message", &anything(id + 1000, t.clock.now_secs())).await;
        let passing = receiver.next().await;
        assert_eq!(passing.text(), "message", "{second} waits for {first}");
        passing.ok();
        hanging.ok();
        let waited = receiver.next().await;
        assert_eq!(waited.text(), second);
        waited.ok();
    }
}

async fn kinds_of_different_queues_do_not(t: &mut Stage) {
    t.asks_for_everything().await;
    let mut receiver = t.receiver().await;
    let mut hanging: Vec<Delivery> = Vec::new();
    for kind in [
        "message",
        "business_message",
        "guest_message",
        "poll",
        "inline_query",
        "chosen_inline_result",
        "callback_query",
        "shipping_query",
        "my_chat_member",
        "chat_member",
        "chat_boost",
        "message_reaction",
        "message_reaction_count",
        "business_connection",
        "purchased_paid_media",
        "managed_bot",
    ] {
        // New connections come in bursts of ten in half a second.
        t.later_ms(60).await;
        t.push(kind, &anything(7, t.clock.now_secs())).await;
        let delivery = receiver.next().await;
        assert_eq!(delivery.text(), kind, "{kind} waits for none of the others");
        hanging.push(delivery);
    }
}

async fn never_more_requests_than_max_connections(t: &mut Stage) {
    let mut receiver = Receiver::start().await;
    t.set_webhook(json!({"url": receiver.url, "max_connections": 2})).await;
    for chat in 1..=3 {
        t.says(chat, &format!("of {chat}")).await;
    }
    let (one, two) = (receiver.next().await, receiver.next().await);
    t.settles().await;
    assert!(receiver.arrived().is_none(), "two are under way");
    assert_eq!((one.text().as_str(), two.text().as_str()), ("of 1", "of 2"));
    two.ok();
    let three = receiver.next().await;
    assert_eq!(three.text(), "of 3");
    three.ok();
    one.ok();
}

async fn new_connections_come_ten_at_a_time(t: &mut Stage) {
    for chat in 1..=12 {
        t.says(chat, "hello").await;
    }
    let mut receiver = t.receiver().await;
    let mut hanging = Vec::new();
    for _ in 0..10 {
        hanging.push(receiver.next().await);
    }
    if !t.differs() {
        t.settles().await;
        assert!(receiver.arrived().is_none());
        t.later_ms(500).await;
    }
    for _ in 0..2 {
        hanging.push(receiver.next().await);
    }
    assert!((0..12).all(|number| hanging.iter().any(|delivery| delivery.connection == number)));
}

async fn a_failing_chat_fills_the_window(t: &mut Stage) {
    let mut receiver = Receiver::start().await;
    t.set_webhook(json!({"url": receiver.url, "max_connections": 1})).await;
    t.says(7, "one").await;
    receiver.next().await.status("500 Internal Server Error");
    receiver.next().await.status("500 Internal Server Error");
    t.sleeps_ms(2000).await;
    t.says(7, "two").await;
    t.says(8, "other").await;
    if t.differs() {
        let other = receiver.next().await;
        assert_eq!(other.text(), "other");
        other.ok();
        t.later(2).await;
        receiver.next().await.ok();
    } else {
        t.settles().await;
        assert!(receiver.arrived().is_none(), "the other chat is stalled");
        t.later(2).await;
        let first = receiver.next().await;
        assert_eq!(first.text(), "one");
        first.ok();
    }
}
