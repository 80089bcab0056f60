//! The events that are appended, and the clock: the same for both sides.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tandem_model::{
    BotId, Clock, Conversation, EventKind, Family, Flags, Lifetime, NewEvent, SourceId, Timestamp, Topic,
    Upstream, UpstreamId, Wait,
};

/// A text message of a client with what Telegram writes around it.
pub(crate) const BODY_BYTES: usize = 700;

/// The bot whose journal it is.
pub(crate) fn bot() -> BotId {
    BotId::new(7_000_000_001).expect("a bot id")
}

/// Updates of a bot that has so many conversations, each as likely as any other.
#[derive(Debug)]
pub(crate) struct Load {
    conversations: u64,
    state: u64,
    next: i64,
    now: Timestamp,
}

impl Load {
    pub(crate) fn new(conversations: u64) -> Self {
        Self { conversations, state: 0x9E37_79B9_7F4A_7C15, next: 1, now: SystemClock.now() }
    }

    pub(crate) fn next_conversation(&mut self) -> i64 {
        // xorshift64*: random enough to spread over an index, and the same on both sides.
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let chat = self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) % self.conversations;
        100_000_000 + i64::try_from(chat).expect("few conversations")
    }

    pub(crate) fn next_event(&mut self) -> NewEvent {
        let conversation = Conversation::chat(self.next_conversation());
        let number = self.next;
        self.next += 1;
        NewEvent {
            kind: EventKind::Update,
            topic: Topic::new(1).expect("a topic"),
            conversation,
            family: Family(0),
            at: self.now,
            lifetime: Lifetime::Backlog,
            flags: Flags::NONE,
            upstream: Some(Upstream {
                source: SourceId::new(1).expect("a source"),
                id: UpstreamId::new(number).expect("an update id"),
            }),
            cause: None,
            owner: None,
            body: body(number),
        }
    }

    pub(crate) fn next_events(&mut self, count: usize) -> Vec<NewEvent> {
        (0..count).map(|_| self.next_event()).collect()
    }
}

fn body(number: i64) -> Bytes {
    let mut body = format!("{{\"update_id\":{number},\"message\":{{\"text\":\"").into_bytes();
    body.resize(BODY_BYTES, b'x');
    Bytes::from(body)
}

/// The system's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place of this program that reads it")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::EPOCH.plus(since)
    }

    fn sleep_until(&self, when: Timestamp) -> Wait {
        let wait = when.since(self.now());
        Box::pin(async move { tokio::time::sleep(wait.max(Duration::from_millis(1))).await })
    }
}
