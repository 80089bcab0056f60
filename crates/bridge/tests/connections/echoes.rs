//! What a vendor says that the company said: ours comes back and is nobody's wish, a manager's is; how far ours came; and
//! what is asked for because no hook tells it.

use std::{sync::Arc, time::Duration};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem_journal::{Link, LinkScope};
use tandem_lanes::LeaseSource as _;
use tandem_sandbox::telegram::Bot;

use crate::{
    crm::Crm,
    support::id,
    world::{Open, Shop, text_of},
};

/// What the vendor calls our message.
const OURS: &str = "9000002";

struct Desk {
    shop: Shop,
    open: Open,
    bot: Arc<Bot>,
}

impl Desk {
    async fn new() -> Self {
        let shop = Shop::with(Crm::named("crm").for_strangers()).await;
        let open = shop.open().await;
        let bot = shop.bot();
        open.add_bot(&bot).await;
        Self { shop, open, bot }
    }

    fn key(&self) -> String {
        format!("tg:{}:7:1", self.bot.id())
    }

    /// As the route notes what it tells.
    async fn noted(&self, ours: &str, theirs: &str) {
        let lane = self.open.store.list_routes(id(&self.bot)).await.unwrap()[0].lane.unwrap();
        let scope = LinkScope::Lane(lane);
        let link = Link { scope, ours: ours.to_owned(), theirs: theirs.to_owned(), at: self.shop.now() };
        let lease = self.open.service.ownership.lease(id(&self.bot)).unwrap();
        self.open.store.put_links(lease, id(&self.bot), vec![link]).await.unwrap();
    }

    async fn link(&self, ours: &str) -> Option<String> {
        let lane = self.open.store.list_routes(id(&self.bot)).await.unwrap()[0].lane.unwrap();
        let found = self.open.store.find_link(id(&self.bot), LinkScope::Lane(lane), ours.to_owned()).await;
        found.unwrap().map(|link| link.theirs)
    }

    fn spoken(&self, message: &str, text: &str, more: &Value) -> Value {
        let mut spoken = self.shop.said(message, "c7", text, more);
        spoken["word"] = json!("spoken");
        spoken["ours"] = json!(format!("tg:{}:7", self.bot.id()));
        spoken
    }

    async fn hears(&self, words: &Value) {
        assert_eq!(self.shop.hook(&self.open, words).await, StatusCode::OK);
    }

    async fn replies(&self) -> Vec<String> {
        self.open.replies(&self.bot).await.iter().map(|reply| text_of(reply).to_owned()).collect()
    }
}

#[tokio::test]
async fn what_we_told_is_no_managers_wish_whether_its_id_is_known_or_only_its_words() {
    let desk = Desk::new().await;
    desk.noted(&desk.key(), OURS).await;
    desk.hears(&desk.spoken(OURS, "Ann: hello", &json!({}))).await;
    // The answer that would have told the id was lost.
    let other = format!("tg:{}:7:2", desk.bot.id());
    desk.noted(&format!("sending:{other}"), "echo:two").await;
    let echo = desk.spoken("9000003", "Ann: two", &json!({"fingerprint": "echo:two"}));
    desk.hears(&echo).await;
    assert_eq!(desk.link(&other).await.as_deref(), Some("9000003"), "its id is known from now on");
    desk.hears(&echo).await;
    assert_eq!(desk.replies().await, Vec::<String>::new());
    // The same words once more are somebody's who typed them.
    desk.hears(&desk.spoken("9000004", "Ann: two", &json!({"fingerprint": "echo:two"}))).await;
    desk.hears(&desk.spoken("9000005", "Until 21:00", &json!({}))).await;
    assert_eq!(desk.replies().await, ["Ann: two", "Until 21:00"]);
    desk.open.stop().await;
}

#[tokio::test]
async fn what_comes_before_the_answer_that_names_it_is_looked_for_once_more() {
    let desk = Desk::new().await;
    let until_ms = desk.shop.stage.clock.now_ms() + 1500;
    for (message, is_ours) in [(OURS, true), ("9000009", false)] {
        let until_ms = until_ms + if is_ours { 0 } else { 1500 };
        let words = desk.spoken(message, "hello", &json!({"doubt": true}));
        let looks = async {
            desk.shop.stage.clock.until_sleeping(|sleeping| sleeping.contains(&until_ms)).await;
            if is_ours {
                desk.noted(&desk.key(), message).await;
            }
            desk.shop.stage.clock.advance(Duration::from_millis(1500));
        };
        tokio::join!(desk.hears(&words), looks);
    }
    assert_eq!(desk.replies().await, ["hello"], "the manager's");
    desk.open.stop().await;
}

#[tokio::test]
async fn a_message_only_ever_comes_further() {
    let desk = Desk::new().await;
    desk.noted(&desk.key(), OURS).await;
    let arrived = format!("arrived:{}", desk.key());
    for (how, then) in [("sent", "sent"), ("read", "read"), ("delivered", "read"), ("failed", "read")] {
        desk.hears(&json!({"word": "arrived", "id": OURS, "how": how})).await;
        assert_eq!(desk.link(&arrived).await.as_deref(), Some(then), "{how}");
    }
    desk.hears(&json!({"word": "arrived", "id": "1", "how": "read"})).await;
    desk.open.stop().await;
}

#[tokio::test]
async fn a_managers_words_for_somebody_whom_no_bot_knows_are_ordinary_at_such_a_vendor() {
    let desk = Desk::new().await;
    let mut spoken = desk.spoken("9000010", "to a stranger", &json!({}));
    spoken["ours"] = Value::Null;
    desk.hears(&spoken).await;
    assert!(desk.replies().await.is_empty() && desk.open.outcomes(&desk.bot).await.is_empty());
    desk.open.stop().await;
}

#[tokio::test]
async fn what_no_hook_tells_is_asked_for_and_taken_once() {
    let shop = Shop::with(Crm::named("crm").asked_every(Duration::from_secs(20))).await;
    let open = shop.open().await;
    let bot = shop.bot();
    open.add_bot(&bot).await;
    open.is_connected().await;
    let known = shop.said("m0", "c7", "by hook", &json!({"ours": format!("tg:{}:7", bot.id())}));
    assert_eq!(shop.hook(&open, &known).await, StatusCode::OK);
    shop.crm.did("c7", "m1", "by nobody", shop.now());
    let asked = async || {
        let replies = open.replies(&bot).await;
        (replies.len() == 2).then(|| text_of(&replies[1]).to_owned())
    };
    assert_eq!(shop.stage.in_time("an answer that was asked for", asked).await, "by nobody");
    for _ in 0..60 {
        shop.stage.clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    assert_eq!(open.replies(&bot).await.len(), 2, "and no more");
    open.stop().await;
}
