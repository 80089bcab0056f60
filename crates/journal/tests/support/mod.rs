//! A store with something in every table, and everything that can be read of it.

use std::{fmt::Debug, time::Duration};

use tandem_journal::{
    App, Append, Bot, ContactLink, Document, Fact, HandOff, HeldStates, LaneFault, LaneKind, LaneState, Link,
    LinkScope, NewInboxEntry, NewLane, Passed, PersonChange, Presence, ReadError, Retention, Route,
    SealedSecret, SettingsChange, Settlement, Shard, Start, StartSource, Store,
    conformance::{
        ManualClock,
        world::{WHOLE, at, bot, held, message, numbered, sent},
    },
};
use tandem_model::{
    Attempt, BotId, ConnectionId, Conversation, Filter, Flags, Held, HeldState, LaneId, NewEvent, OrderKey,
    PauseReason, Seq, Timestamp, UserId, VirtualId,
};

const BOTS: [i64; 3] = [7_000_000_001, 7_000_000_002, 1];

fn user(id: i64) -> UserId {
    UserId::new(id).expect("a user")
}

fn connection() -> ConnectionId {
    ConnectionId::new(1).expect("a connection")
}

fn lane(id: i64) -> LaneId {
    LaneId::new(id).expect("a lane")
}

/// Something in every table.
pub(crate) async fn fill(store: &dyn Store, clock: &ManualClock) {
    for id in BOTS {
        fill_bot(store, clock, bot(id)).await;
    }
    let document = |text: &str| Document::parse(text.to_owned()).expect("JSON");
    let owner = tandem_journal::SecretOwner::Bot(bot(1));
    let secret = SealedSecret::from_bytes(b"sealed".to_vec());
    let changes = vec![
        SettingsChange::PutBot(Bot { bot: bot(1), document: document("{\"name\":\"shop\"}") }),
        SettingsChange::PutConnection {
            name: "shop".to_owned(),
            vendor: "amocrm".to_owned(),
            document: document("{\"account\":\"shop.amocrm.ru\"}"),
        },
        SettingsChange::PutApp(App {
            bot: bot(1),
            name: "main".to_owned(),
            lane: Some(lane(1)),
            document: document("{\"backlog\":\"24h\"}"),
        }),
        SettingsChange::PutRoute(Route {
            bot: bot(1),
            name: "amocrm".to_owned(),
            lane: Some(lane(2)),
            connection: Some(connection()),
            document: document("{\"mode\":\"native\"}"),
        }),
        SettingsChange::PutSecret { owner, name: "token".to_owned(), secret },
    ];
    store.change_settings(None, changes).await.expect("settings");
    let entry = |body: &'static str| NewInboxEntry {
        bot: bot(1),
        source: "amocrm/hook".to_owned(),
        body: body.into(),
    };
    store.put_inbox(vec![entry("{\"message\":1}"), entry("{\"message\":2}")]).await.expect("the inbox");
}

async fn fill_bot(store: &dyn Store, clock: &ManualClock, bot: BotId) {
    let holder = "node-1".to_owned();
    let leases = store.acquire(vec![Shard::of(bot)], holder, Duration::from_hours(1)).await;
    let lease = leases.expect("a lease")[0];
    for (name, kind) in [("main", LaneKind::App), ("amocrm", LaneKind::Route)] {
        let new = NewLane { name: name.to_owned(), kind, start: Start::Beginning, filter: Filter::UPDATES };
        store.create_lane(lease, bot, new).await.expect("a lane");
    }
    // What retention takes away, so that its traces are there too.
    let append = Append { events: vec![message(9, "lost"); 4], ..Append::default() };
    store.append(lease, bot, append).await.expect("an append");
    clock.advance(Duration::from_hours(1));
    let nothing = Retention { keep: Duration::ZERO, at_most: Duration::ZERO, max_bytes: None };
    store.sweep(lease, bot, nothing, 4).await.expect("a sweep");

    for n in 0..30 {
        let mut events = vec![numbered(1_000_000 + n), message(n % 5, &format!("message {n} of a client"))];
        events.push(NewEvent { flags: Flags::MANAGER_TALKS, ..sent(n % 3, &format!("answer {n}")) });
        store.append(lease, bot, Append { events, ..Append::default() }).await.expect("an append");
    }
    let filter = Filter { without: Flags::MANAGER_TALKS, ..Filter::UPDATES };
    store.set_filter(lease, bot, lane(2), filter).await.expect("a filter");
    let start = StartSource { payload: "campaign".to_owned(), at: Timestamp::from_millis(5) };
    let presence = Some(Presence::Blocked { since: Timestamp::from_millis(7) });
    let facts = vec![
        Fact::Link(Link {
            scope: LinkScope::Lane(lane(2)),
            ours: "5:77".to_owned(),
            theirs: "a-vendor-id".to_owned(),
            at: Timestamp::from_millis(9),
        }),
        Fact::Person(PersonChange {
            user: user(5),
            phone: Some("+70000000000".to_owned()),
            start: Some(start),
            presence,
        }),
        Fact::Contact(ContactLink { user: user(5), connection: connection(), contact: "9001".to_owned() }),
        Fact::HandOff(HandOff { conversation: Conversation::chat(5), until: Timestamp::from_millis(11) }),
    ];
    let large = NewEvent { body: vec![b'l'; 9000].into(), ..message(3, "") };
    store
        .append(lease, bot, Append { events: vec![large], facts, ..Append::default() })
        .await
        .expect("an append");
    let mut retrying = Held { next_at: Timestamp::from_millis(13), ..held(9, 2, HeldState::Retrying) };
    retrying.note(Attempt { at: Timestamp::from_millis(3), took_ms: 4, outcome: "503".to_owned() });
    let settlement = Settlement {
        acked: Some(at(50)),
        put: vec![retrying, held(12, 1, HeldState::Dead), held(20, 0, HeldState::Sending)],
        passed: Passed { skipped: 1, expired: 2 },
        fault: Some(LaneFault { at: Timestamp::from_millis(1), text: "503 Service Unavailable".to_owned() }),
        ..Settlement::default()
    };
    store.settle(lease, bot, lane(2), settlement).await.expect("a settlement");
    let state = LaneState::Paused {
        reason: PauseReason::Refused,
        since: Timestamp::from_millis(2),
        until: None,
        detail: "401".to_owned(),
    };
    store
        .settle(lease, bot, lane(1), Settlement { state: Some(state), ..Settlement::default() })
        .await
        .expect("a settlement");
}

/// Whatever can be read, each with what came of it.
pub(crate) async fn read(store: &dyn Store) -> Vec<(String, Result<String, ReadError>)> {
    let mut all = Vec::new();
    for id in BOTS {
        read_bot(store, bot(id), &mut all).await;
    }
    let owner = tandem_journal::SecretOwner::Bot(bot(1));
    note(&mut all, "revision", store.revision().await);
    note(&mut all, "bots", store.list_bots(None, 9).await);
    note(&mut all, "apps", store.list_apps(bot(1)).await);
    note(&mut all, "routes", store.list_routes(bot(1)).await);
    note(&mut all, "connections", store.list_connections(None, 9).await);
    note(&mut all, "connection", store.find_connection("shop".to_owned()).await);
    note(&mut all, "secrets", store.list_secrets(owner).await);
    note(&mut all, "inbox", store.list_inbox(Shard::of(bot(1)), None, 9).await);
    note(&mut all, "leases", store.list_leases().await);
    all
}

fn note<T: Debug>(
    all: &mut Vec<(String, Result<String, ReadError>)>,
    what: &str,
    result: Result<T, ReadError>,
) {
    all.push((what.to_owned(), result.map(|value| format!("{value:?}"))));
}

async fn read_bot(store: &dyn Store, bot: BotId, all: &mut Vec<(String, Result<String, ReadError>)>) {
    let name = |what: &str| format!("{what} of {bot}");
    note(all, &name("head"), store.head(bot).await);
    note(all, &name("journal"), store.read_journal(bot, Seq::ZERO, WHOLE).await);
    for id in [1, 2] {
        note(all, &name("lane"), store.find_lane(bot, lane(id)).await);
        note(all, &name("lane's events"), store.read_lane(bot, lane(id), Seq::ZERO, WHOLE).await);
        for chat in 0..5 {
            let key = OrderKey { conversation: Conversation::chat(chat), family: None };
            let page = store.read_conversation(bot, lane(id), key, Seq::ZERO, Seq::MAX, WHOLE);
            note(all, &name(&format!("conversation {chat}")), page.await);
        }
    }
    note(all, &name("lanes"), store.list_lanes(bot, None, 9).await);
    note(all, &name("held"), store.list_held(bot, lane(2), HeldStates::ALL, Seq::ZERO, 9).await);
    note(all, &name("blocking"), store.list_held(bot, lane(2), HeldStates::BLOCKING, Seq::ZERO, 9).await);
    note(all, &name("blocked"), store.list_blocked(bot, lane(2), None, 9).await);
    note(all, &name("lost"), store.list_lost(bot, lane(2), Seq::ZERO, 9).await);
    let update = numbered(1_000_007);
    let upstream = update.upstream.expect("a number");
    note(all, &name("duplicate"), store.find_duplicate(bot, upstream, update.body).await);
    let id = VirtualId::new(1_000_020).expect("an id");
    note(all, &name("position"), store.find_position(bot, id).await);
    let scope = LinkScope::Lane(lane(2));
    note(all, &name("link"), store.find_link(bot, scope, "5:77".to_owned()).await);
    note(all, &name("links"), store.list_links(bot, scope, "a-vendor-id".to_owned(), 9).await);
    let recent = store.list_recent_links(bot, connection(), Timestamp::EPOCH, 9);
    note(all, &name("recent links"), recent.await);
    note(all, &name("people"), store.list_people_by_phone(bot, "70000000000".to_owned(), 9).await);
    note(all, &name("person"), store.find_person(bot, user(5)).await);
    note(all, &name("contact"), store.find_contact(bot, user(5), connection()).await);
    note(all, &name("users"), store.list_users_of_contact(bot, connection(), "9001".to_owned(), 9).await);
    note(all, &name("hand-off"), store.find_hand_off(bot, Conversation::chat(5)).await);
}
