//! amoCRM is away under load, in every way in which it can be: once it is back, each chat has all of its lines, once
//! and in order, however its client's card came about.
//!
//! What it takes is bounded in the service's own time: the ladder of retries finds out that amoCRM is back, and then the
//! account's API is asked for every new client at the pace that it takes.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use tandem_journal::HeldStates;
use tandem_model::Seq;
use tandem_sandbox::telegram::Bot;

use crate::{
    support::{id, until},
    town::{Account, Chat, Town},
};

/// Who is the first client.
const FIRST: i64 = 60_000;
const CLIENTS: i64 = 60;
/// So many of them had written before.
const KNOWN: i64 = 20;
/// What each of them writes while amoCRM is away.
const LINES: i64 = 5;
/// Within so many seconds of the service's time everything is there.
const WITHIN: usize = 3600;

/// Both of its APIs fail so.
async fn fails(account: &Account, fault: &Value) {
    for part in ["amojo", "rest"] {
        account.act(&format!("faults/{part}"), json!({ "fault": fault })).await;
    }
}

/// Everybody writes his line of this number.
fn all_write(town: &Town, bot: &Arc<Bot>, number: i64) {
    for user in FIRST..FIRST + CLIENTS {
        town.writes(bot, user, number, &json!({"text": number.to_string()}));
    }
}

/// Whether the route's lane has nothing left to do: all is passed and nothing is held. Nothing may be given up.
async fn is_idle(town: &Town, bot: &Bot) -> bool {
    let store = &town.service.store;
    let lanes = store.list_lanes(id(bot), None, 10).await.unwrap();
    let lane = lanes.iter().find(|lane| lane.name == "route:crm").unwrap();
    let held = store.list_held(id(bot), lane.id, HeldStates::ALL, Seq::ZERO, 1000).await.unwrap();
    assert!(held.iter().all(|held| held.state.blocks()), "something was given up: {held:?}");
    let last = town.service.journal(bot).await.last().map(|event| event.seq);
    held.is_empty() && last.is_none_or(|last| lane.acked >= last)
}

fn lines_of(chats: &[Chat]) -> BTreeMap<i64, &[String]> {
    chats.iter().map(|chat| (chat.user, chat.lines.as_slice())).collect()
}

async fn everything_comes_after_an_outage(route: Value) {
    let town = Town::open(1).await;
    let account = &town.accounts[0];
    account.counts().await;
    let bot = town.bot(account, route).await;
    for user in FIRST..FIRST + KNOWN {
        town.writes(&bot, user, 100, &json!({"text": "before"}));
    }
    town.has_lines(usize::try_from(KNOWN).unwrap()).await;

    account.act("down", json!({"how": "refuse"})).await;
    all_write(&town, &bot, 101);
    town.seconds(10).await;
    all_write(&town, &bot, 102);
    town.seconds(5).await;
    fails(account, &json!({"kind": "status", "code": 503})).await;
    account.act("up", json!({})).await;
    all_write(&town, &bot, 103);
    town.seconds(20).await;
    account.recovers().await;
    fails(account, &json!({"kind": "reset", "taken": true})).await;
    all_write(&town, &bot, 104);
    town.seconds(30).await;
    all_write(&town, &bot, 105);
    let count = usize::try_from(KNOWN + CLIENTS * LINES).unwrap();
    until("the journal", async || (town.service.journal(&bot).await.len() >= count).then_some(())).await;
    account.recovers().await;

    let mut seconds = 0;
    while !is_idle(&town, &bot).await {
        let shown = account.chats().await;
        assert!(seconds < WITHIN, "not all is there after {seconds} s: {:?}", lines_of(&shown));
        town.seconds(5).await;
        seconds += 5;
    }
    let chats = account.chats().await;
    assert_eq!(chats.len(), usize::try_from(CLIENTS).unwrap(), "everybody has one chat");
    for (user, lines) in lines_of(&chats) {
        let before = (user < FIRST + KNOWN).then_some("before".to_owned());
        let expected: Vec<String> =
            before.into_iter().chain((101..=105).map(|line| line.to_string())).collect();
        assert_eq!(lines, expected, "client {user}");
    }
    town.asked_no_more_than_is_taken().await;
    town.service.stop().await;
}

#[tokio::test]
async fn everything_comes_once_and_in_order_after_an_outage_under_load() {
    everything_comes_after_an_outage(json!({})).await;
}

#[tokio::test]
async fn it_does_where_new_clients_wait_for_their_cards_too() {
    everything_comes_after_an_outage(json!({"without_rest": "wait"})).await;
}
