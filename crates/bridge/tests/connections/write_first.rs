//! Managers who begin: to people the bot knows, and to nobody.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem_bridge::{ChannelDocument, connections::chat_ids};
use tandem_journal::{PersonChange, Presence, StartSource};
use tandem_lanes::LeaseSource as _;
use tandem_model::{
    BotId, UserId,
    message::{ChatKey, ReplyFailure, ReplyResult},
};
use tandem_vendor::ChatIds;

use crate::{
    support::{id, until},
    world::{Open, Shop, text_of},
};

async fn knows(open: &Open, bot: BotId, user: i64, phone: &str, presence: Presence, seen: i64) {
    let lease = open.ownership.lease(bot).unwrap();
    let change = PersonChange {
        user: UserId::new(user).unwrap(),
        phone: Some(phone.to_owned()),
        start: Some(StartSource { payload: String::new(), at: tandem_model::Timestamp::from_secs(seen) }),
        presence: Some(presence),
    };
    open.store.put_person(lease, bot, change).await.unwrap();
}

async fn ids(open: &Open, bot: BotId, chat: i64) -> Option<ChatIds> {
    let key = ChatKey::of(bot, None, chat);
    chat_ids(&*open.store, bot, open.connection, &key).await.unwrap()
}

/// Once everything is told, this is the chat used last.
async fn is_where_he_goes_on(open: &Open, bot: BotId, chat: &ChatIds) {
    until("the chat used last", async || (ids(open, bot, 1001).await.as_ref() == Some(chat)).then_some(()))
        .await;
}

#[tokio::test]
async fn a_manager_begins_by_phone_and_the_chat_used_last_is_where_the_client_goes_on() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let bot = shop.bot();
    open.add_bot(&bot).await;
    let blocked = Presence::Blocked { since: shop.now() };
    knows(&open, id(&bot), 1001, "+79990001122", Presence::Reachable, 10).await;
    knows(&open, id(&bot), 1002, "79990001122", blocked, 20).await;
    // He has a chat already.
    let ours = json!({"ours": format!("tg:{}:1001", bot.id())});
    shop.hook(&open, &shop.said("m1", "first", "hello", &ours)).await;
    let first = ids(&open, id(&bot), 1001).await.unwrap();
    assert_eq!((first.ours.as_deref(), first.chat.as_deref()), (None, Some("first")));
    assert_eq!(first.person.as_deref(), Some("person of first"));

    let phone = json!({"phone": "8 (999) 000-11-22"});
    assert_eq!(shop.hook(&open, &shop.said("m2", "second", "it is me again", &phone)).await, StatusCode::OK);
    let replies = open.replies(&bot).await;
    assert_eq!((replies[1].chat, text_of(&replies[1])), (1001, "it is me again"));
    // What became of an earlier reply may be told later, and comes from where that one was.
    let ours = Some(format!("tg:{}:1001#2", bot.id()));
    let second =
        ChatIds { ours, chat: Some("second".to_owned()), person: Some("person of second".to_owned()) };
    is_where_he_goes_on(&open, id(&bot), &second).await;

    // By what the vendor calls the chat, with nothing of ours; and with our name of it.
    shop.hook(&open, &shop.said("m3", "second", "are you there?", &json!({}))).await;
    let named = json!({"ours": format!("tg:{}:1001#2", bot.id())});
    shop.hook(&open, &shop.said("m4", "second", "hm", &named)).await;
    is_where_he_goes_on(&open, id(&bot), &second).await;
    shop.hook(&open, &shop.said("m5", "first", "here, too", &json!({}))).await;
    is_where_he_goes_on(&open, id(&bot), &first).await;
    let chats: Vec<i64> = open.replies(&bot).await.iter().map(|reply| reply.chat).collect();
    assert_eq!(chats, [1001; 5]);
    open.stop().await;
}

#[tokio::test]
async fn a_manager_who_writes_to_nobody_is_told_so_once() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let bot = shop.bot();
    open.add_bot(&bot).await;
    let said = shop.said("m1", "new", "hello", &json!({"phone": "+7 999 123-45-67"}));
    for _ in 0..2 {
        assert_eq!(shop.hook(&open, &said).await, StatusCode::OK);
    }
    assert_eq!(open.replies(&bot).await, []);
    let outcomes = open.outcomes(&bot).await;
    assert_eq!(outcomes.len(), 1);
    assert_eq!((outcomes[0].origin.route.as_str(), outcomes[0].origin.message.as_str()), ("crm", "m1"));
    let ReplyResult::Failed { why: ReplyFailure::NoChat, words, .. } = &outcomes[0].result else { panic!() };
    assert!(words.contains(&format!("t.me/{}", bot.username())), "{words}");
    // Who only types is not answered.
    let types = shop.said("m2", "new", "", &json!({"phone": "+7 999 123-45-67", "types": true}));
    assert_eq!(shop.hook(&open, &types).await, StatusCode::OK);
    assert_eq!(open.outcomes(&bot).await.len(), 1);
    open.stop().await;
}

#[tokio::test]
async fn of_several_bots_the_one_whose_source_was_chosen_writes_or_the_one_that_knows_him() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let (first, second, third) = (shop.bot(), shop.bot(), shop.bot());
    for bot in [&first, &second] {
        open.add_bot(bot).await;
    }
    let named = ChannelDocument { source: Some("third".to_owned()), ..ChannelDocument::default() };
    open.add_bot_with(&third, named).await;
    for bot in [&second, &third] {
        knows(&open, id(bot), 1001, "79990001122", Presence::Reachable, 10).await;
    }
    let said = async |message: &str, chat: &str, more: Value| {
        assert_eq!(shop.hook(&open, &shop.said(message, chat, "hello", &more)).await, StatusCode::OK);
    };
    said("m1", "a", json!({"phone": "79990001122"})).await;
    said("m2", "b", json!({"phone": "79990001122", "source": "third"})).await;
    said("m3", "c", json!({"person_ours": "tg:1001"})).await;
    said("m4", "d", json!({"person_ours": "tg:1001", "source": format!("bot_{}", first.id())})).await;
    let count = async |bot| open.replies(bot).await.len();
    assert_eq!((count(&first).await, count(&second).await, count(&third).await), (1, 2, 1));
    open.stop().await;
}
