//! Many clients at once, known and unknown, whatever happens to the account's API meanwhile: nobody is in it twice,
//! every chat is in its client's card, and no more is asked than the account takes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::{Value, json};
use tandem_sandbox::telegram::Bot;

use crate::town::{Account, Chat, Town};

/// Who is the first client.
const FIRST: i64 = 50_000;

fn phone_of(user: i64) -> String {
    format!("+7999{user:07}")
}

fn shares_phone(user: i64) -> Value {
    json!({"contact": {"phone_number": phone_of(user), "first_name": "Client", "user_id": user}})
}

/// Makes cards of clients of whom the account knows the phone, and of clients whose Telegram id it knows.
async fn known(account: &Account, by_phone: &[i64], by_id: &[i64]) -> BTreeMap<i64, u64> {
    let field = json!([{"name": "Telegram ID", "type": "text", "code": "TELEGRAM_ID"}]);
    account.rest("contacts/custom_fields", &field).await;
    let card = |name: String, code: &str, value: String| json!({"name": name, "custom_fields_values": [{"field_code": code, "values": [{"value": value}]}]});
    let phones = by_phone.iter().map(|user| card(format!("Phone {user}"), "PHONE", phone_of(*user)));
    let users = by_id.iter().map(|user| card(format!("Id {user}"), "TELEGRAM_ID", user.to_string()));
    let cards: Vec<Value> = phones.chain(users).collect();
    by_phone.iter().chain(by_id).copied().zip(account.cards(&cards).await).collect()
}

/// Every chat is in a card of its own: the one that was there before, where there was one.
fn in_their_cards(chats: &[Chat], known: &BTreeMap<i64, u64>) {
    let mut cards: BTreeMap<i64, u64> = BTreeMap::new();
    for chat in chats {
        let card = chat.contact.unwrap_or_else(|| panic!("{} is in no card", chat.user));
        let before = cards.insert(chat.user, card);
        assert!(before.is_none_or(|before| before == card), "{} is in two cards", chat.user);
        let expected = known.get(&chat.user);
        assert!(expected.is_none_or(|expected| *expected == card), "{} is in a wrong card", chat.user);
    }
    let distinct: BTreeSet<u64> = cards.values().copied().collect();
    assert_eq!(distinct.len(), cards.len(), "two people are in one card");
}

#[tokio::test]
async fn a_thousand_clients_find_their_cards_at_no_more_than_seven_requests_a_second() {
    let town = Town::open(1).await;
    let account = &town.accounts[0];
    let users: Vec<i64> = (FIRST..FIRST + 1000).collect();
    let known = known(account, &users[..333], &users[333..666]).await;
    account.counts().await;
    let bot = town.bot(account, json!({})).await;
    for user in &users {
        let what = if users[..333].contains(user) { shares_phone(*user) } else { json!({"text": "hello"}) };
        town.writes(&bot, *user, 1, &what);
    }
    town.has_lines(1000).await;
    let chats = account.chats().await;
    assert_eq!((chats.len(), account.contacts().await.len()), (1000, 1000));
    in_their_cards(&chats, &known);
    account.has_nobody_unsorted().await;
    town.asked_no_more_than_is_taken().await;
    town.service.stop().await;
}

#[tokio::test]
async fn who_is_known_does_not_wait_behind_a_crowd_of_new_clients() {
    let town = Town::open(1).await;
    let account = &town.accounts[0];
    account.counts().await;
    let bot = town.bot(account, json!({})).await;
    let hello = json!({"text": "hello"});
    town.writes(&bot, FIRST, 1, &hello);
    town.has_lines(1).await;
    // Each of them takes several requests: all of them, minutes.
    for user in FIRST + 1..=FIRST + 200 {
        town.writes(&bot, user, 1, &hello);
    }
    town.writes(&bot, FIRST, 2, &hello);
    loop {
        let (his, new): (Vec<_>, Vec<_>) =
            account.chats().await.into_iter().partition(|chat| chat.user == FIRST);
        let served = new.iter().filter(|chat| !chat.lines.is_empty()).count();
        assert!(served < 100, "{served} of 200 new clients came before him");
        if his.iter().any(|chat| chat.lines.len() == 2) {
            break;
        }
        town.seconds(1).await;
    }
    town.has_lines(202).await;
    assert_eq!((account.chats().await.len(), account.contacts().await.len()), (201, 201));
    town.asked_no_more_than_is_taken().await;
    town.service.stop().await;
}

#[tokio::test]
async fn two_accounts_with_two_bots_each_know_everybody_once() {
    let town = Town::open(2).await;
    let users: Vec<i64> = (FIRST..FIRST + 20).collect();
    let (mut bots, mut cards) = (Vec::new(), Vec::new());
    for account in &town.accounts {
        cards.push(known(account, &users[..7], &users[7..14]).await);
        account.counts().await;
        for _ in 0..2 {
            bots.push(town.bot(account, json!({})).await);
        }
    }
    for user in &users {
        for bot in &bots {
            let what = if users[..7].contains(user) { shares_phone(*user) } else { json!({"text": "hello"}) };
            town.writes(bot, *user, 1, &what);
        }
    }
    town.has_lines(80).await;
    for (account, known) in town.accounts.iter().zip(&cards) {
        let chats = account.chats().await;
        in_their_cards(&chats, known);
        assert_eq!(
            (chats.len(), account.contacts().await.len()),
            (40, 20),
            "a person on two bots is one contact"
        );
        account.has_nobody_unsorted().await;
    }
    town.asked_no_more_than_is_taken().await;
    town.service.stop().await;
}

#[tokio::test]
async fn tokens_end_and_are_taken_away_while_clients_come() {
    let town = Town::open(1).await;
    let account = &town.accounts[0];
    let users: Vec<i64> = (FIRST..FIRST + 40).collect();
    let known = known(account, &users[..13], &users[13..26]).await;
    let bot = town.bot(account, json!({"without_rest": "wait"})).await;
    let write = |users: &[i64]| {
        for user in users {
            let what = if known.get(user).is_some_and(|_| *user < FIRST + 13) {
                shares_phone(*user)
            } else {
                json!({"text": "hello"})
            };
            town.writes(&bot, *user, 1, &what);
        }
    };
    let some: [Vec<i64>; 3] = std::array::from_fn(|turn| {
        users.iter().copied().filter(|user| usize::try_from(user % 3).unwrap() == turn).collect()
    });
    write(&some[0]);
    town.seconds(3).await;
    // A day passes: the token has ended in the middle of it.
    town.stage.clock.advance(Duration::from_hours(24));
    town.has_lines(some[0].len()).await;
    write(&some[1]);
    town.seconds(3).await;
    account.revokes().await;
    write(&some[2]);
    town.seconds(10).await;
    assert!(account.chats().await.len() < 40, "nobody is told who is not known");
    account.grants(&town.service).await;
    town.service.bridge.sync_connections().await.unwrap();
    town.has_lines(40).await;
    let chats = account.chats().await;
    assert_eq!((chats.len(), account.contacts().await.len()), (40, 40));
    in_their_cards(&chats, &known);
    account.has_nobody_unsorted().await;
    town.service.stop().await;
}

#[tokio::test]
async fn wishes_for_rest_lost_answers_and_a_ban_make_nobody_twice() {
    let town = Town::open(1).await;
    let account = &town.accounts[0];
    let users: Vec<i64> = (FIRST..FIRST + 60).collect();
    let known = known(account, &users[..20], &users[20..40]).await;
    account.counts().await;
    let fails = async |fault: Value, more: Value| {
        let mut plan = json!({"fault": fault});
        plan.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        account.act("faults/rest", plan).await;
    };
    fails(json!({"kind": "status", "code": 429, "retry_after": 5}), json!({"percent": 5, "for_ms": 20_000}))
        .await;
    fails(json!({"kind": "status", "code": 504, "taken": true}), json!({"percent": 10, "for_ms": 20_000}))
        .await;
    let bot = town.bot(account, json!({"without_rest": "wait"})).await;
    for user in &users {
        let what = if users[..20].contains(user) { shares_phone(*user) } else { json!({"text": "hello"}) };
        town.writes(&bot, *user, 1, &what);
    }
    town.seconds(10).await;
    fails(json!({"kind": "ban"}), json!({"for_ms": 250_000})).await;
    town.seconds(10).await;
    // Nothing is under way: all wait for the ban to end.
    town.stage.clock.advance(Duration::from_mins(5));
    // One looks whether it has, and the others come after him.
    town.seconds(10).await;
    town.stage.clock.advance(Duration::from_mins(5));
    town.has_lines(60).await;
    let chats = account.chats().await;
    assert_eq!((chats.len(), account.contacts().await.len()), (60, 60));
    in_their_cards(&chats, &known);
    account.has_nobody_unsorted().await;
    town.asked_no_more_than_is_taken().await;
    town.service.stop().await;
}

#[tokio::test]
async fn two_cards_that_a_manager_joins_while_messages_flow_stay_one() {
    let town = Town::open(1).await;
    let account = &town.accounts[0];
    let user = FIRST;
    let known = known(account, &[], &[user]).await;
    let bots = [town.bot(account, json!({})).await, town.bot(account, json!({})).await];
    let says = |bot: &std::sync::Arc<Bot>, number: i64| {
        town.writes(bot, user, number, &json!({"text": number.to_string()}));
    };
    for number in 1..=5 {
        says(&bots[0], number);
    }
    town.has_lines(5).await;
    let kept = account.cards(&[json!({"name": "Ann"})]).await[0];
    for number in 6..=8 {
        says(&bots[0], number);
    }
    account.act(&format!("contacts/{}/merge", known[&user]), json!({"into": kept})).await;
    for number in 9..=12 {
        says(&bots[0], number);
    }
    // In another bot he is the same person, whose card is another one by now.
    says(&bots[1], 1);
    town.has_lines(13).await;
    let chats = account.chats().await;
    assert!(chats.iter().all(|chat| chat.contact == Some(kept)), "all is in the card that stayed");
    let first = chats.iter().find(|chat| chat.lines.len() == 12).unwrap();
    assert_eq!(first.lines, (1..=12).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(account.contacts().await, [kept]);
    account.has_nobody_unsorted().await;
    town.service.stop().await;
}
