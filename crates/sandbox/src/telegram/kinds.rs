//! What is known of each kind of update: whether it is delivered by default, how long it lives, and which
//! webhook queue it waits in (reference/telegram.md 2.4, 2.5, 3.3 and 4.1).

use serde_json::Value;

const DAY: i64 = 24 * 60 * 60;

/// One kind of update.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Delivered to a bot that never named what it wants.
    pub(crate) default: bool,
    life_secs: i64,
    from: Since,
    family: Family,
    subject: Subject,
}

/// What a lifetime is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    /// `edit_date`, else `date` of the object.
    Event,
    Arrival,
}

/// Updates of one family and one subject are delivered to a webhook one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Family {
    Chat,
    Business,
    Guest,
    Poll,
    Inline,
    Chosen,
    Callback,
    Payment,
    MyMember,
    Member,
    Boost,
    Reaction,
    ReactionCount,
    Connection,
    Purchase,
    Managed,
    Subscription,
    Generation,
    Own,
}

/// Where in the object the subject's id is.
#[derive(Debug, Clone, Copy)]
enum Subject {
    Path(&'static [&'static str]),
    /// Every update its own queue.
    None,
}

/// The webhook queue of an update.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct QueueKey(Family, SubjectId);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum SubjectId {
    Number(i64),
    Text(Box<str>),
    /// The update's own number: shared with nobody.
    Update(u64),
}

const CHAT: Subject = Subject::Path(&["chat", "id"]);
const FROM: Subject = Subject::Path(&["from", "id"]);
const USER: Subject = Subject::Path(&["user", "id"]);

macro_rules! kinds {
    ($($name:literal $default:literal $life:expr, $from:ident, $family:ident, $subject:expr;)*) => {
        &[$(Kind {
            name: $name, default: $default,
            life_secs: $life, from: Since::$from, family: Family::$family, subject: $subject,
        }),*]
    };
}

static KINDS: &[Kind] = kinds! {
    "message" true DAY, Event, Chat, CHAT;
    "edited_message" true DAY, Event, Chat, CHAT;
    "channel_post" true DAY, Event, Chat, CHAT;
    "edited_channel_post" true DAY, Event, Chat, CHAT;
    "business_connection" true DAY, Arrival, Connection, USER;
    "business_message" true DAY, Event, Business, CHAT;
    "edited_business_message" true DAY, Event, Business, CHAT;
    "deleted_business_messages" true DAY, Arrival, Business, CHAT;
    "guest_message" true DAY, Event, Guest, CHAT;
    "message_reaction" false DAY, Event, Reaction, CHAT;
    "message_reaction_count" false DAY, Event, ReactionCount, CHAT;
    "inline_query" true 30, Arrival, Inline, FROM;
    "chosen_inline_result" true 600, Arrival, Chosen, FROM;
    "callback_query" true 150, Arrival, Callback, FROM;
    "shipping_query" true 150, Arrival, Payment, FROM;
    "pre_checkout_query" true 150, Arrival, Payment, FROM;
    "purchased_paid_media" true DAY, Arrival, Purchase, FROM;
    "poll" true DAY, Arrival, Poll, Subject::Path(&["id"]);
    "poll_answer" true DAY, Arrival, Poll, Subject::Path(&["poll_id"]);
    "my_chat_member" true DAY, Event, MyMember, CHAT;
    "chat_member" false DAY, Event, Member, Subject::Path(&["new_chat_member", "user", "id"]);
    "chat_join_request" true DAY, Event, Member, FROM;
    "chat_boost" true DAY, Event, Boost, CHAT;
    "removed_chat_boost" true DAY, Event, Boost, CHAT;
    "managed_bot" true DAY, Arrival, Managed, USER;
    "subscription" true DAY, Arrival, Subscription, USER;
    "stopped_message_generation" true DAY, Arrival, Generation, CHAT;
};

/// `custom_event`, `custom_query`, and whatever a newer Telegram may send: the mildest treatment of each
/// question, and a queue of its own.
static UNKNOWN: Kind = Kind {
    name: "",
    default: true,
    life_secs: DAY,
    from: Since::Arrival,
    family: Family::Own,
    subject: Subject::None,
};

/// The kind's place in the table, if it is a known one. The name must be in lower case.
pub(crate) fn index(name: &str) -> Option<usize> {
    KINDS.iter().position(|kind| kind.name == name)
}

/// All known kinds in the table's order.
pub(crate) fn all() -> &'static [Kind] {
    KINDS
}

/// What is known of the kind; a mild default for an unknown one.
pub(crate) fn kind(name: &str) -> &'static Kind {
    index(name).map_or(&UNKNOWN, |index| &KINDS[index])
}

impl Kind {
    /// When an update of this kind that arrives at `now_ms` stops being worth delivering.
    pub(crate) fn expires_at_ms(&self, object: &Value, now_ms: i64) -> i64 {
        let date = |name: &str| object.get(name).and_then(Value::as_i64).filter(|date| *date > 0);
        let since_ms = match self.from {
            Since::Arrival => now_ms,
            Since::Event => [date("edit_date"), date("date"), boost_date(object), date("remove_date")]
                .into_iter()
                .flatten()
                .next()
                .map_or(now_ms, |date| date.saturating_mul(1000)),
        };
        since_ms.saturating_add(self.life_secs * 1000)
    }

    /// The webhook queue of an update with this object; `number` keeps the queueless ones apart.
    pub(crate) fn queue(&self, object: &Value, number: u64) -> QueueKey {
        let own = || SubjectId::Update(number);
        let subject = match self.subject {
            Subject::None => own(),
            Subject::Path(path) => match path.iter().try_fold(object, |value, step| value.get(step)) {
                Some(Value::String(id)) => id
                    .parse()
                    .map_or_else(|_not_a_number| SubjectId::Text(id.as_str().into()), SubjectId::Number),
                Some(id) => id.as_i64().map_or_else(own, SubjectId::Number),
                None => own(),
            },
        };
        QueueKey(self.family, subject)
    }
}

fn boost_date(object: &Value) -> Option<i64> {
    object.get("boost")?.get("add_date")?.as_i64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_bot_api_10_3_is_known_and_three_are_opt_in() {
        assert_eq!(KINDS.len(), 27);
        let opt_in: Vec<_> = KINDS.iter().filter(|kind| !kind.default).map(|kind| kind.name).collect();
        assert_eq!(opt_in, ["message_reaction", "message_reaction_count", "chat_member"]);
    }

    #[test]
    fn a_message_and_its_edit_share_a_queue_but_a_press_on_it_does_not() {
        let message = json!({"chat": {"id": 7}, "from": {"id": 7}});
        let queue = |name: &str| kind(name).queue(&message, 1);
        assert_eq!(queue("message"), queue("edited_message"));
        assert_ne!(queue("message"), queue("callback_query"));
        assert_ne!(queue("message"), queue("business_message"));
        assert_eq!(queue("shipping_query"), queue("pre_checkout_query"));
        assert_ne!(queue("custom_event"), kind("custom_event").queue(&message, 2));
        let poll = kind("poll").queue(&json!({"id": "55"}), 1);
        assert_eq!(poll, kind("poll_answer").queue(&json!({"poll_id": "55"}), 2));
    }

    #[test]
    fn lifetimes_count_from_the_date_for_messages_and_from_arrival_for_queries() {
        let now = 1_000_000_000;
        let expires = |name: &str, object: Value| kind(name).expires_at_ms(&object, now);
        assert_eq!(expires("message", json!({"date": 900_000})), 900_000_000 + DAY * 1000);
        let edit = json!({"date": 1, "edit_date": 900_001});
        assert_eq!(expires("edited_message", edit), 900_001_000 + DAY * 1000);
        assert_eq!(expires("callback_query", json!({"message": {"date": 1}})), now + 150_000);
        assert_eq!(expires("inline_query", json!({})), now + 30_000);
        assert_eq!(expires("chosen_inline_result", json!({})), now + 600_000);
        assert_eq!(expires("poll", json!({"date": 1})), now + DAY * 1000);
    }
}
