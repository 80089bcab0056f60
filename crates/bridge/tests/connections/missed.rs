//! Hooks that came while nobody listened.

use std::time::Duration;

use serde_json::json;

use crate::world::{Shop, text_of};

#[tokio::test]
async fn what_managers_did_during_an_outage_is_found_once_each_in_order() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let bot = shop.bot();
    open.add_bot(&bot).await;
    open.is_connected().await;
    let ours = json!({"ours": format!("tg:{}:7", bot.id())});
    shop.hook(&open, &shop.said("m1", "c1", "one", &ours)).await;
    shop.crm.did("c1", "m1", "one", shop.now());
    shop.stage.in_time("a moment written down", async || open.moment(&bot).await).await;
    open.kill().await;
    for (id, text) in [("m2", "two"), ("m3", "three")] {
        shop.stage.clock.advance(Duration::from_mins(10));
        shop.crm.did("c1", id, text, shop.now());
    }
    shop.stage.clock.advance(Duration::from_mins(10));
    let open = shop.reopen().await;
    let all = shop
        .stage
        .in_time("what was missed", async || {
            Some(open.replies(&bot).await).filter(|replies| replies.len() >= 3)
        })
        .await;
    let texts: Vec<_> = all.iter().map(text_of).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    shop.stage
        .in_time("the end of the search", async || open.views()[0].missed_since.is_none().then_some(()))
        .await;
    shop.hook(&open, &shop.said("m3", "c1", "three", &ours)).await;
    assert_eq!(open.replies(&bot).await.len(), 3, "a hook that comes all the same is known");
    let asked = shop.crm.asked().len();
    shop.stage
        .in_time("a moment written down", async || {
            open.moment(&bot).await.filter(|at| shop.now().since(*at) < Duration::from_mins(1))
        })
        .await;
    assert_eq!(shop.crm.asked().len(), asked, "nothing is asked while all is well");
    open.stop().await;
}

#[tokio::test]
async fn what_is_older_than_a_day_is_sent_to_nobody() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let bot = shop.bot();
    open.add_bot(&bot).await;
    open.is_connected().await;
    let ours = json!({"ours": format!("tg:{}:7", bot.id())});
    shop.hook(&open, &shop.said("m1", "c1", "one", &ours)).await;
    shop.stage.in_time("a moment written down", async || open.moment(&bot).await).await;
    open.kill().await;
    shop.crm.did("c1", "m2", "old", shop.now());
    shop.stage.clock.advance(Duration::from_hours(25));
    shop.crm.did("c1", "m3", "new", shop.now());
    let open = shop.reopen().await;
    shop.stage.in_time("what was missed", async || (open.replies(&bot).await.len() == 2).then_some(())).await;
    let replies = open.replies(&bot).await;
    assert_eq!(replies.iter().map(text_of).collect::<Vec<_>>(), ["one", "new"]);
    open.stop().await;
}

#[tokio::test]
async fn what_a_manager_wrote_while_the_service_was_only_started_again_is_found() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let bot = shop.bot();
    open.add_bot(&bot).await;
    open.is_connected().await;
    let ours = json!({"ours": format!("tg:{}:7", bot.id())});
    shop.hook(&open, &shop.said("m1", "c1", "one", &ours)).await;
    shop.stage.in_time("a moment written down", async || open.moment(&bot).await).await;
    open.stop().await;
    shop.crm.did("c1", "m2", "two", shop.now());
    shop.stage.clock.advance(Duration::from_secs(2));
    let open = shop.reopen().await;
    let found = async || Some(open.replies(&bot).await).filter(|replies| replies.len() > 1);
    let replies = shop.stage.in_time("what was missed", found).await;
    assert_eq!(replies.iter().map(text_of).collect::<Vec<_>>(), ["one", "two"]);
    open.stop().await;
}
