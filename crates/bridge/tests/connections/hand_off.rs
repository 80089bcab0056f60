//! A manager's words make the conversation his: an app that is spared is not shown what is said to him, and what a
//! client's buttons mean stays the app's.

use std::{sync::Arc, time::Duration};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem_bridge::operations::{AppSettings, Request};
use tandem_gateway::{AppDocument, WhileManagerTalks};
use tandem_journal::Page;
use tandem_model::{EventKind, Seq};
use tandem_sandbox::telegram::Bot;

use crate::{
    support::{id, says, until},
    world::{Open, Shop},
};

/// The app `main` is not to be shown what clients say to managers.
async fn spares_the_app(open: &Open, bot: &Bot) {
    let settings =
        AppSettings { while_manager_talks: Some(WhileManagerTalks::Skip), ..AppSettings::default() };
    let asked = Request::SetApp { bot: None, name: "main".to_owned(), settings };
    // Whether everything else of the bot can be served is another matter.
    drop(open.bridge.perform(asked).await);
    let app = &open.store.list_apps(id(bot)).await.unwrap()[0];
    assert_eq!(app.document.read::<AppDocument>().unwrap().while_manager_talks, WhileManagerTalks::Skip);
}

/// A client writes, and it is in the journal.
async fn writes(open: &Open, bot: &Arc<Bot>, text: &str) {
    let before = open.events(bot, EventKind::Update).await.len();
    says(bot, 7, text);
    let taken = async || (open.events(bot, EventKind::Update).await.len() > before).then_some(());
    until("the client's words", taken).await;
}

/// What the app is given, in order.
async fn given(open: &Open, bot: &Bot) -> Vec<String> {
    let lane = open.store.list_apps(id(bot)).await.unwrap()[0].lane.unwrap();
    let page = Page { events: 100, bytes: 1 << 20 };
    let page = open.store.read_lane(id(bot), lane, Seq::ZERO, page).await.unwrap();
    let text = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["message"]["text"].clone();
    page.events.iter().map(|event| text(&event.body).as_str().unwrap_or("?").to_owned()).collect()
}

#[tokio::test]
async fn what_is_said_to_a_manager_is_not_given_to_an_app_that_is_spared_until_his_time_is_over() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let bot = shop.bot();
    open.add_bot(&bot).await;
    spares_the_app(&open, &bot).await;
    writes(&open, &bot, "two coffees").await;
    let ours = json!({"ours": format!("tg:{}:7", bot.id())});
    let hello = shop.said("m1", "c", "Which ones?", &ours);
    assert_eq!(shop.hook(&open, &hello).await, StatusCode::OK);
    writes(&open, &bot, "the black ones").await;
    writes(&open, &bot, "/cancel").await;
    open.kill().await;
    let open = shop.reopen().await;
    writes(&open, &bot, "how much is it?").await;
    let marks: Vec<Value> = open
        .events(&bot, EventKind::Mark)
        .await
        .iter()
        .map(|mark| serde_json::from_slice(&mark.body).unwrap())
        .collect();
    assert_eq!(marks.iter().filter(|mark| mark["mark"] == "hand_off_begun").count(), 1, "{marks:?}");
    shop.stage.clock.advance(Duration::from_mins(31));
    writes(&open, &bot, "two coffees, black").await;
    assert_eq!(given(&open, &bot).await, ["two coffees", "/cancel", "two coffees, black"]);
    open.stop().await;
}
