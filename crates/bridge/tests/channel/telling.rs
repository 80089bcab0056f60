//! What both sides say, as amoCRM's people see it.

use serde_json::json;

use crate::shop::{ANN, Shop, push};

#[tokio::test]
async fn both_sides_are_seen_in_one_chat_in_order_with_what_was_said_before() {
    let shop = Shop::open().await;
    let bot = shop.bot().await;
    let sent = |number: i64, more: &serde_json::Value| shop.message(ANN, number, more);
    shop.called(&bot, "sendMessage", &sent(1, &json!({"text": "Welcome"}))).await;
    shop.says(&bot, ANN, 2, "/start");
    shop.says(&bot, ANN, 3, "hello");
    shop.shown(&bot, ANN, 2).await;
    shop.called(&bot, "sendMessage", &sent(4, &json!({"text": "Which one?"}))).await;
    shop.shown(&bot, ANN, 3).await;
    let answer = json!({"text": "the red one", "reply_to_message": sent(4, &json!({"text": "Which one?"}))});
    push(&bot, "message", &sent(5, &answer));
    push(&bot, "message", &sent(6, &json!({"location": {"latitude": 55.75, "longitude": 37.61}})));
    let contact =
        json!({"contact": {"phone_number": "+79990001122", "first_name": "Client 1001", "user_id": ANN}});
    push(&bot, "message", &sent(7, &contact));
    shop.shown(&bot, ANN, 6).await;
    let mut edited = sent(5, &json!({"text": "the blue one"}));
    edited["edit_date"] = edited["date"].clone();
    push(&bot, "edited_message", &edited);
    let reaction = json!({"message_id": 4, "date": shop.stage.clock.now_ms() / 1000,
        "chat": {"id": ANN, "type": "private"}, "user": {"id": ANN, "is_bot": false, "first_name": "Client 1001"},
        "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "👍"}]});
    push(&bot, "message_reaction", &reaction);
    shop.says(&bot, ANN, 8, "that is all");
    let shown = shop.shown(&bot, ANN, 7).await;
    assert_eq!(
        shown,
        [
            "bot text: Welcome (silent)",
            "client text: hello",
            "bot text: Which one? (silent) [👍]",
            "client text: the blue one (edited) (answers)",
            "client location: ",
            "client contact: ",
            "client text: that is all",
        ]
    );
    let times: Vec<_> =
        shop.lines(&bot, ANN).await.iter().map(|line| line["msec_timestamp"].as_i64()).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    shop.nothing_is_held(&bot).await;
    assert!(shop.complaints().await.is_empty());
    shop.service.stop().await;
}

#[tokio::test]
async fn two_bots_of_one_account_have_chats_of_their_own() {
    let shop = Shop::open().await;
    let (first, second) = (shop.bot().await, shop.bot().await);
    for number in 1..=5 {
        shop.says(&first, ANN, number, &format!("first {number}"));
        shop.says(&second, ANN, number, &format!("second {number}"));
    }
    for (bot, name) in [(&first, "first"), (&second, "second")] {
        let expected: Vec<_> = (1..=5).map(|number| format!("client text: {name} {number}")).collect();
        assert_eq!(shop.shown(bot, ANN, 5).await, expected);
    }
    shop.service.stop().await;
}
