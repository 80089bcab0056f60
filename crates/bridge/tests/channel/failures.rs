//! An amoCRM that loses answers, and one that is down.

use std::time::Duration;

use serde_json::json;

use crate::{
    shop::{ANN, Shop, short},
    support::until,
};

#[tokio::test]
async fn lost_answers_make_neither_doubles_nor_rejects() {
    let shop = Shop::open().await;
    let bot = shop.bot().await;
    shop.says(&bot, ANN, 1, "1");
    shop.shown(&bot, ANN, 1).await;
    for fault in
        [json!({"kind": "reset", "taken": true}), json!({"kind": "status", "code": 504, "taken": true})]
    {
        shop.fails(json!({"fault": fault, "endpoint": "new_message", "percent": 30})).await;
    }
    for number in 2..=60 {
        shop.says(&bot, ANN, number, &format!("{number}"));
        shop.says(&bot, ANN + number, 1, "another");
    }
    let all = shop.stage.in_time("everything", async || {
        if shop.stage.clock.now_ms() % 60_000 < 1000 {
            shop.recovers().await;
        }
        let lines = shop.lines(&bot, ANN).await;
        let others = others_are_there(&shop, &bot).await;
        (lines.len() >= 60 && others).then_some(lines)
    });
    let shown: Vec<_> = all.await.iter().map(short).collect();
    let expected: Vec<_> = (1..=60).map(|number| format!("client text: {number}")).collect();
    assert_eq!(shown, expected);
    shop.nothing_is_held(&bot).await;
    shop.service.stop().await;
}

/// Whether every other client's only line is there, once.
async fn others_are_there(shop: &Shop, bot: &tandem_sandbox::telegram::Bot) -> bool {
    for number in 2..=60 {
        if shop.lines(bot, ANN + number).await.len() != 1 {
            return false;
        }
    }
    true
}

#[tokio::test]
async fn after_an_hour_without_amocrm_everything_is_there_in_order() {
    let shop = Shop::open().await;
    let bot = shop.bot().await;
    let clients = [ANN, ANN + 1, ANN + 2];
    for client in clients {
        shop.says(&bot, client, 1, "1");
    }
    for client in clients {
        shop.shown(&bot, client, 1).await;
    }
    shop.fails(json!({"fault": {"kind": "status", "code": 503}})).await;
    for number in 2..=40 {
        for client in clients {
            shop.says(&bot, client, number, &format!("{number}"));
        }
        shop.stage.clock.advance(Duration::from_secs(100));
    }
    until("the journal", async || (shop.service.journal(&bot).await.len() >= 3 * 40).then_some(())).await;
    for client in clients {
        assert_eq!(shop.lines(&bot, client).await.len(), 1);
    }
    shop.recovers().await;
    let expected: Vec<_> = (1..=40).map(|number| format!("client text: {number}")).collect();
    for client in clients {
        let shown = shop.stage.in_time("the rest", async || {
            let lines = shop.lines(&bot, client).await;
            (lines.len() >= 40).then_some(lines)
        });
        let shown: Vec<_> = shown.await.iter().map(short).collect();
        assert_eq!(shown, expected);
    }
    shop.nothing_is_held(&bot).await;
    shop.service.stop().await;
}
