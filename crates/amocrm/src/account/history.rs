//! What was said in a chat, read back (1.9): whether a message of ours arrived, and what managers said while nobody
//! listened.

use std::collections::HashMap;

use tandem_model::{Blame, Timestamp, message::MessageKey};
use tandem_vendor::{ChatIds, Failure, FailureKind, Found, Heard, HeardAct, HeardChat};

use super::{AmocrmAccount, speak::known_chat};
use crate::{
    inbound,
    request::{self, HISTORY_PAGE},
    wire::answer::{History, HistoryItem},
};

/// Pages that are read to find a message: it was told a moment ago.
const FIND_PAGES: usize = 4;
/// Pages that are read to find what was missed: a thousand messages of one chat.
const MISSED_PAGES: usize = 20;

impl AmocrmAccount {
    pub(super) async fn find_message(&self, chat: &ChatIds, key: &MessageKey) -> Result<Found, Failure> {
        let Some(chat) = known_chat(chat) else { return Ok(Found::Unknowable) };
        for page in 0..FIND_PAGES {
            let messages = self.history(chat, page * HISTORY_PAGE).await?;
            if let Some(found) =
                messages.iter().find(|item| item.message.client_id.as_deref() == Some(key.as_str()))
            {
                return Ok(Found::Yes(Some(found.message.id.clone())));
            }
            if messages.len() < HISTORY_PAGE {
                return Ok(Found::No);
            }
        }
        Ok(Found::Unknowable)
    }

    pub(super) async fn missed_since(&self, chat: &ChatIds, since: Timestamp) -> Result<Vec<Heard>, Failure> {
        let Some(theirs) = known_chat(chat) else { return Ok(Vec::new()) };
        let facts = self.facts();
        let mut missed = Vec::new();
        for page in 0..MISSED_PAGES {
            let messages = self.history(theirs, page * HISTORY_PAGE).await?;
            let (all, mut is_past) = (messages.len(), false);
            for item in messages {
                is_past = moment(&item) < since;
                if !is_past {
                    missed.extend(heard(item, chat, theirs, &facts.managers));
                }
            }
            // Newest first: what follows is older still.
            if is_past || all < HISTORY_PAGE {
                break;
            }
        }
        missed.reverse();
        for heard in &missed {
            self.note_speaker(&heard.by);
        }
        Ok(missed)
    }

    async fn history(&self, chat: &str, offset: usize) -> Result<Vec<HistoryItem>, Failure> {
        let scope = self.scope().await?;
        let answer = self.send(&scope, &request::history(&scope, chat, offset)).await?;
        // Nothing was said, or the chat is not known: 204 without a body.
        if answer.body.is_empty() {
            return Ok(Vec::new());
        }
        let history: History = serde_json::from_slice(&answer.body).map_err(|_unreadable| {
            let kind = FailureKind::Later { after: None, blame: Blame::Unclear };
            Failure::new(kind, "the chat service's history cannot be read")
        })?;
        Ok(history.messages)
    }
}

fn moment(item: &HistoryItem) -> Timestamp {
    inbound::moment(item.timestamp, item.msec_timestamp).unwrap_or(Timestamp::EPOCH)
}

/// A message that was born there: it has no id of ours, and its sender is nobody whom we named.
fn heard(item: HistoryItem, chat: &ChatIds, theirs: &str, names: &HashMap<String, String>) -> Option<Heard> {
    let is_empty = |id: &Option<String>| id.as_deref().is_none_or(str::is_empty);
    let is_clients = || item.sender.id.is_some() && item.sender.id == chat.person;
    if !is_empty(&item.message.client_id) || !is_empty(&item.sender.client_id) || is_clients() {
        return None;
    }
    let at = moment(&item);
    let HistoryItem { sender, receiver, message, .. } = item;
    let receiver = receiver.unwrap_or_default();
    let id = Some(message.id.clone());
    let act = HeardAct::Reply(inbound::manager_said(message).ok()?);
    let chat = HeardChat {
        theirs: theirs.to_owned(),
        ours: chat.ours.clone(),
        person: receiver.id.or_else(|| chat.person.clone()),
        person_ours: receiver.client_id,
        phone: receiver.phone.filter(|phone| !phone.is_empty()),
        source: None,
    };
    Some(Heard { id, chat, by: inbound::manager(sender, names), at, act })
}
