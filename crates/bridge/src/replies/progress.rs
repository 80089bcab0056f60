//! How far a reply is, as the journal knows it: committed together with each message that Telegram took.
//!
//! It is a link of the lane's, by the reply's place. So a long text goes on where it was after a wait, a reply that was
//! sent is never sent again, and what became of one is told once.

use serde::{Deserialize, Serialize};
use tandem_journal::{Fact, Link, LinkScope, ReadError, Store};
use tandem_lanes::LaneAddress;
use tandem_model::{Seq, Timestamp};

/// How far a reply is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Progress {
    /// So many of its messages were sent.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) parts: usize,
    /// Their ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) messages: Vec<i64>,
    /// The reply that it was sent together with: the first of an album.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) with: Option<Seq>,
    /// What became of it, once that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) told: Option<Outcome>,
}

/// What became of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Sent,
    Failed,
    Unknown,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Progress {
    /// What is known of a reply; nothing when nothing is.
    pub(super) async fn find(store: &dyn Store, lane: LaneAddress, reply: Seq) -> Result<Self, ReadError> {
        let link = store.find_link(lane.bot, LinkScope::Lane(lane.lane), ours(reply)).await?;
        Ok(link.and_then(|link| serde_json::from_str(&link.theirs).ok()).unwrap_or_default())
    }

    /// What is known from now on.
    pub(super) fn link(&self, lane: LaneAddress, reply: Seq, now: Timestamp) -> Link {
        let theirs = serde_json::to_string(self).expect("numbers and words always serialise");
        Link { scope: LinkScope::Lane(lane.lane), ours: ours(reply), theirs, at: now }
    }

    /// The same, as a fact.
    pub(super) fn fact(&self, lane: LaneAddress, reply: Seq, now: Timestamp) -> Fact {
        Fact::Link(self.link(lane, reply, now))
    }
}

fn ours(reply: Seq) -> String {
    format!("reply:{reply}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_short_and_comes_back() {
        let some = Progress {
            parts: 2,
            messages: vec![41, 42],
            with: Some(Seq::new(9).unwrap()),
            told: Some(Outcome::Unknown),
        };
        let text = serde_json::to_string(&some).unwrap();
        assert_eq!(text, r#"{"parts":2,"messages":[41,42],"with":9,"told":"unknown"}"#);
        assert_eq!(serde_json::from_str::<Progress>(&text).unwrap(), some);
        assert_eq!(serde_json::to_string(&Progress::default()).unwrap(), "{}");
    }
}
