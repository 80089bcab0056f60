//! A vendor, and an account at it.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tandem_model::{
    Timestamp,
    message::{MessageKey, ReplyOrigin, ReplyResult},
};
use url::Url;

use crate::{
    Abilities, ChatIds, ConnectionSetting, Failure, Found, Heard, Hook, HookRefusal, Keep, News, OpenError,
    OpenedChat, Opening, Taken, Telling, Tended, Tending,
};

/// A vendor: what makes accounts of connections.
pub trait Vendor: fmt::Debug + Send + Sync {
    /// The word in settings and addresses.
    fn name(&self) -> &'static str;

    /// Makes an account. Nothing is asked of the vendor by it.
    fn open(&self, setting: &ConnectionSetting, keep: Arc<dyn Keep>) -> Result<Arc<dyn Account>, OpenError>;
}

/// An account at a vendor, with one set of credentials. Shared by the routes of several bots.
///
/// Each request is bounded in time and in size by the account. Dropping a future may leave the request carried out.
#[async_trait]
pub trait Account: fmt::Debug + Send + Sync {
    /// What can be done here and what cannot.
    fn abilities(&self) -> Abilities {
        Abilities::ALL
    }

    /// Makes sure that messages can be told and hooks come: connects the channel, subscribes. Harmless when repeated:
    /// called at start, after a change of settings, and when [`Account::standing`] says that it is not connected.
    async fn connect(&self) -> Result<(), Failure>;

    /// How it stands.
    fn standing(&self) -> Standing;

    /// Whether clients can be looked up at present. Something else may be missing in [`Standing::Impaired`], which keeps
    /// no new client waiting.
    fn knows_people(&self) -> bool {
        true
    }

    /// Makes a chat known, with its contact, before anything is told in it. The same chat again is no other.
    async fn open_chat(&self, opening: &Opening) -> Result<OpenedChat, Failure>;

    /// Looks after the client and the card of an open chat, as far as the vendor has such things. It may be dropped at
    /// any point and asked again; nothing that is told depends on it.
    async fn tend(&self, tending: &Tending) -> Result<Tended, Failure> {
        Ok(Tended { contact: tending.opening.contact.clone() })
    }

    /// Does everything about a telling that comes before it is sent, waiting for its turn included. Asked for where no
    /// repeat is recognised, so that as little as possible is between noting an attempt and making it.
    async fn prepare(&self, _: &Telling) -> Result<(), Failure> {
        Ok(())
    }

    /// Tells one thing.
    async fn tell(&self, telling: &Telling) -> Result<Taken, Failure>;

    /// By what its own echo will be known: the same for a telling and for what [`News::Spoken`] shows of it. `None`
    /// where there are no echoes.
    fn fingerprint(&self, _: &Telling) -> Option<String> {
        None
    }

    /// Whether a message that may have been told has arrived.
    async fn find(&self, chat: &ChatIds, key: &MessageKey) -> Result<Found, Failure>;

    /// Reports what became of a manager's reply.
    async fn report(&self, origin: &ReplyOrigin, result: &ReplyResult) -> Result<(), Failure>;

    /// Writes a note for managers onto the card of a chat. `Ok(false)` where there is no way to.
    async fn note(&self, chat: &ChatIds, words: &str) -> Result<bool, Failure>;

    /// Writes a note for managers onto a contact's card, when there is nothing more urgent to ask for. `Ok(false)` where
    /// there is no such contact (any more), or no way to.
    async fn note_contact(&self, contact: &str, words: &str) -> Result<bool, Failure> {
        let (_, _) = (contact, words);
        Ok(false)
    }

    /// Sees to it that the account's own hooks come to `/hooks/account/<secret>`, which tell of chats that are not ours:
    /// subscribes, and again where that was undone. Harmless when repeated: called after connecting, every hour, and when
    /// nothing came although something should have.
    async fn listen(&self, need: Need) -> Result<Listening, Failure> {
        let _ = need;
        Ok(Listening::NotHere)
    }

    /// Whether hooks under this path (behind `/hooks/<vendor>/`, or `account` and the secret) are this account's.
    fn owns(&self, path: &[String]) -> bool;

    /// Whether it knows which account it is, so that it takes no hook for its own that is for another one. `false` for
    /// those that have to ask first, and could not yet. Of several that own a path each may prove a hook.
    fn knows_itself(&self) -> bool {
        true
    }

    /// Proves and reads a hook.
    fn hear(&self, hook: &Hook) -> Result<Vec<News>, HookRefusal>;

    /// What was done in a chat since then and may have been missed, oldest first.
    async fn missed(&self, chat: &ChatIds, since: Timestamp) -> Result<Vec<Heard>, Failure>;

    /// What was done in any chat since then, oldest first, where that can be asked at once; `None` where chats are asked
    /// one by one ([`Account::missed`]).
    async fn heard_since(&self, _: Timestamp) -> Option<Result<Vec<News>, Failure>> {
        None
    }

    /// How often [`Account::heard_since`] is to be asked although nothing is known to be missed: because hooks cannot
    /// come, or in case they do not.
    fn polls_every(&self) -> Option<Duration> {
        None
    }

    /// Whether a manager's file may be fetched from there. Whatever it resolves to is looked at besides.
    fn may_fetch(&self, url: &Url) -> bool;

    /// Where a person grants us access, for vendors that work so. `state` comes back with the grant.
    fn authorize_url(&self, state: &str) -> Option<Url>;

    /// The person has been there: what came back in the query.
    async fn take_grant(&self, query: &[(String, String)]) -> Result<(), Failure>;

    /// Looks at everything that has to be right, step by step, changing nothing.
    async fn check(&self) -> Vec<Finding>;

    /// Looks whether what a route's settings name exists in the account, changing nothing.
    async fn check_route(&self, _route: &serde_json::Value) -> Vec<Finding> {
        Vec::new()
    }

    /// Tries out what no documentation says, and tells what it learned: silently, in a chat of its own. Nothing where
    /// there is nothing to learn.
    async fn probe(&self) -> Vec<Finding> {
        Vec::new()
    }

    /// Tries out what can only be seen by sending somebody something: to this person, by the vendor's name of him.
    /// Nothing where there is nothing to learn so.
    async fn probe_to(&self, _: &str) -> Vec<Finding> {
        Vec::new()
    }
}

/// How much depends on an account's own hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Without them nothing is heard of what goes on in chats that are not ours: that is to be seen in
    /// [`Account::standing`].
    Required,
    /// They tell a little more, and nobody misses them.
    Welcome,
}

/// Whether an account's own hooks come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listening {
    /// There is nothing to subscribe to, or nothing to do it with.
    NotHere,
    /// They come, as far as the vendor says.
    Subscribed,
    /// The vendor had switched them off, and they are on again: what happened between was not told.
    OnAgain,
}

/// How an account stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Not connected yet, or no longer.
    Unconnected,
    /// All is well.
    Connected,
    /// Something is missing, and it goes on without it: for people.
    Impaired(String),
    /// Nothing goes on until somebody acts: for people, with what to do.
    Refused(String),
}

/// What was found in one step of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at: a stable word.
    pub step: &'static str,
    /// How it is.
    pub state: FindingState,
    /// A sentence that says what was found and, where something is wrong, what to do.
    pub sentence: String,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingState {
    /// As it should be.
    Good,
    /// It works, and somebody should know.
    Warning,
    /// It does not work.
    Bad,
    /// It could not be looked at.
    Skipped,
}
