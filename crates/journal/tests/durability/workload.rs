//! What the store is asked to do while it crashes: a fixed list of verbs of every kind that writes, over two bots,
//! three lanes and several openings of the store. It has no randomness, so that step n is the same step each time.

use std::time::Duration;

use bytes::Bytes;
use tandem_journal::{
    Append, ContactLink, Document, Fact, HandOff, InboxId, LaneFault, LaneKind, LaneState, Link, LinkScope,
    NewInboxEntry, NewLane, Passed, PersonChange, Presence, Retention, SealedSecret, SecretOwner,
    SettingsChange, Settlement, Start, StartSource, Urgency,
};
use tandem_model::{
    Attempt, BotId, ConnectionId, Conversation, EventKind, Family, Filter, Flags, Held, HeldState, LaneId,
    Lifetime, NewEvent, PauseReason, Seq, SourceId, Timestamp, Topic, Upstream, UpstreamId, UserId,
};

/// One verb.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Acquire,
    Renew,
    Settings(Vec<SettingsChange>),
    CreateLane(BotId, NewLane),
    SetFilter(BotId, LaneId, Filter),
    MoveCursor(BotId, LaneId, Seq),
    RemoveLane(BotId, LaneId),
    Append(BotId, Append),
    Settle(BotId, LaneId, Settlement),
    PutInbox(NewInboxEntry),
    PutSecret(SecretOwner, SealedSecret),
    Sweep(BotId, Retention),
    Vacuum,
    /// Time goes on.
    Wait(Duration),
    /// The store is closed and opened again: the log is copied into the database and deleted.
    Reopen,
}

/// The bots. They are of different shards.
pub(crate) fn bots() -> [BotId; 2] {
    [7_000_000_001, 7_000_000_002].map(|id| BotId::new(id).unwrap())
}

/// The time when everything begins.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_790_000_000);

/// Rounds of everything.
pub(crate) const ROUNDS: i64 = 12;

fn seq(number: i64) -> Seq {
    Seq::new(number).unwrap()
}

fn lane(number: i64) -> LaneId {
    LaneId::new(number).unwrap()
}

fn user(number: i64) -> UserId {
    UserId::new(number).unwrap()
}

/// All of them, in order.
pub(crate) fn ops() -> Vec<Op> {
    let [shop, club] = bots();
    let mut ops = vec![Op::Acquire, Op::Settings(settings())];
    for (bot, name, kind) in
        [(shop, "amocrm", LaneKind::Route), (shop, "main", LaneKind::App), (club, "relay", LaneKind::Route)]
    {
        let new = NewLane { name: name.to_owned(), kind, start: Start::Beginning, filter: Filter::UPDATES };
        ops.push(Op::CreateLane(bot, new));
    }
    // Bot `shop` gets three events a round and one repeated update, bot `club` one.
    for round in 0..ROUNDS {
        let last = 3 * round + 3;
        let mut consumed = Vec::new();
        if round % 3 == 1 {
            ops.push(Op::PutInbox(hook(shop, round)));
            consumed.push(InboxId(round / 3 + 1));
        }
        ops.push(Op::Append(shop, appended(round, consumed)));
        ops.push(Op::Append(club, Append { events: vec![update(round, 400)], ..Append::default() }));
        ops.push(Op::Settle(shop, lane(1), holding(round, last)));
        ops.push(Op::Settle(
            shop,
            lane(2),
            Settlement { acked: Some(seq(last - 1)), ..Settlement::default() },
        ));
        ops.push(Op::Settle(
            club,
            lane(1),
            Settlement { acked: Some(seq(round + 1)), ..Settlement::default() },
        ));
        ops.push(Op::Wait(Duration::from_hours(6)));
        ops.extend(now_and_then(round, last));
    }
    ops.push(Op::RemoveLane(shop, lane(2)));
    ops
}

/// What does not happen in each round.
fn now_and_then(round: i64, last: i64) -> Vec<Op> {
    let [shop, club] = bots();
    match round {
        2 => vec![Op::Renew, Op::PutSecret(SecretOwner::Bot(shop), SealedSecret::from_bytes(vec![2; 60]))],
        3 | 10 => vec![Op::Reopen],
        4 => vec![Op::SetFilter(shop, lane(2), Filter { without: Flags::MANAGER_TALKS, ..Filter::UPDATES })],
        5 => vec![Op::MoveCursor(shop, lane(2), seq(last - 4))],
        6 => {
            let keep = Retention {
                keep: Duration::from_hours(12),
                at_most: Duration::from_hours(24),
                max_bytes: None,
            };
            vec![Op::Sweep(shop, keep), Op::Sweep(club, keep), Op::Vacuum]
        }
        // Another process takes the shards over, with new fences.
        8 => vec![Op::Reopen, Op::Acquire],
        9 => {
            let keep = Retention {
                keep: Duration::from_hours(6),
                at_most: Duration::from_hours(12),
                max_bytes: Some(20_000),
            };
            vec![Op::Sweep(shop, keep), Op::Vacuum]
        }
        _ => Vec::new(),
    }
}

fn settings() -> Vec<SettingsChange> {
    let document = |text: &str| Document::parse(text.to_owned()).unwrap();
    let bot = bots()[0];
    vec![
        SettingsChange::PutBot(tandem_journal::Bot { bot, document: document("{\"name\":\"shop\"}") }),
        SettingsChange::PutConnection {
            name: "shop".to_owned(),
            vendor: "amocrm".to_owned(),
            document: document("{}"),
        },
        SettingsChange::PutRoute(tandem_journal::Route {
            bot,
            name: "amocrm".to_owned(),
            lane: None,
            connection: Some(ConnectionId::new(1).unwrap()),
            document: document("{}"),
        }),
        SettingsChange::PutSecret {
            owner: SecretOwner::Bot(bot),
            name: "token".to_owned(),
            secret: SealedSecret::from_bytes(vec![1; 60]),
        },
    ]
}

/// Three events of one bot, one update of the last round again, and what becomes known with them.
fn appended(round: i64, inbox: Vec<InboxId>) -> Append {
    let mut events = vec![update(2 * round, 700), sent(round), update(2 * round + 1, 9000)];
    if round > 0 {
        events.push(update(2 * round - 1, 9000));
    }
    let at = START.plus(Duration::from_secs(round.unsigned_abs()));
    let person = PersonChange {
        user: user(round + 1),
        phone: (round % 2 == 0).then(|| format!("+7900{round:07}")),
        start: Some(StartSource { payload: format!("ad{round}"), at }),
        presence: Some(if round % 4 == 0 { Presence::Blocked { since: at } } else { Presence::Reachable }),
    };
    let facts = vec![
        Fact::Link(Link {
            scope: LinkScope::Bot,
            ours: format!("ours{round}"),
            theirs: format!("theirs{round}"),
            at,
        }),
        Fact::Person(person),
        Fact::Contact(ContactLink {
            user: user(round + 1),
            connection: ConnectionId::new(1).unwrap(),
            contact: format!("contact{round}"),
        }),
        Fact::HandOff(HandOff { conversation: conversation(round), until: at }),
    ];
    Append { events, urgency: Urgency::CanWait, inbox, facts }
}

/// The second event of the round is held; the one of the round before changes its state or goes.
fn holding(round: i64, last: i64) -> Settlement {
    let states = [HeldState::Sending, HeldState::Retrying, HeldState::Dead, HeldState::Unknown];
    let held = |round: i64, state: HeldState| {
        let mut held = Held {
            seq: seq(3 * round + 1),
            conversation: conversation(2 * round),
            family: None,
            state,
            tries: 0,
            attempts: Vec::new(),
            next_at: START.plus(Duration::from_mins(round.unsigned_abs())),
            reason: format!("round {round}"),
        };
        held.note(Attempt { at: START, took_ms: 12, outcome: "500".to_owned() });
        held
    };
    let state = |round: i64| states[usize::try_from(round).unwrap() % states.len()];
    let mut settlement = Settlement {
        acked: Some(seq(last)),
        put: vec![held(round, state(round))],
        passed: Passed { skipped: 1, expired: 0 },
        ..Settlement::default()
    };
    if round % 2 == 1 {
        settlement.put.push(held(round - 1, state(round)));
    } else if round > 0 {
        settlement.drop.extend([seq(3 * (round - 1) + 1), seq(3 * (round - 2) + 1)]);
    }
    match round % 4 {
        1 => {
            settlement.fault = Some(LaneFault { at: START, text: format!("fault {round}") });
            settlement.state = Some(LaneState::Paused {
                reason: PauseReason::Down,
                since: START,
                until: Some(START.plus(Duration::from_mins(1))),
                detail: "no connection".to_owned(),
            });
        }
        2 => settlement.state = Some(LaneState::Running),
        _ => {}
    }
    settlement
}

fn hook(bot: BotId, round: i64) -> NewInboxEntry {
    NewInboxEntry {
        bot,
        source: "amocrm".to_owned(),
        body: Bytes::from(vec![b'h'; 300 + usize::try_from(round).unwrap()]),
    }
}

fn conversation(number: i64) -> Conversation {
    Conversation::chat(number % 5)
}

/// An update that the source numbers with `number`. The same number has the same bytes.
pub(crate) fn update(number: i64, size: usize) -> NewEvent {
    let mut body = format!("{{\"update_id\":{number},\"pad\":\"").into_bytes();
    body.resize(size, b'a' + u8::try_from(number % 26).unwrap());
    NewEvent {
        kind: EventKind::Update,
        topic: Topic::new(1).unwrap(),
        conversation: conversation(number),
        family: Family(0),
        at: START,
        lifetime: Lifetime::Backlog,
        flags: if number % 3 == 0 { Flags::MANAGER_TALKS } else { Flags::NONE },
        upstream: Some(Upstream {
            source: SourceId::new(1).unwrap(),
            id: UpstreamId::new(500 + number).unwrap(),
        }),
        cause: None,
        owner: None,
        body: Bytes::from(body),
    }
}

fn sent(round: i64) -> NewEvent {
    NewEvent {
        kind: EventKind::Sent,
        upstream: None,
        lifetime: Lifetime::Seconds(30),
        cause: Some(lane(2)),
        body: Bytes::from(format!("{{\"method\":\"sendMessage\",\"round\":{round}}}")),
        ..update(2 * round, 10)
    }
}
