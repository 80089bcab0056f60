//! Files of clients' messages: fetched from Telegram after the hook was answered, given out under the link that
//! the message and the hooks carry.
//!
//! Bounded by bytes, oldest forgotten first.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::AmoCrm;
use super::bot_api::{BotApi, in_words};
use super::inbound::SeenFile;

const KEPT_BYTES: usize = 256 << 20;

/// The fetched files by attachment id.
#[derive(Debug, Default)]
pub(crate) struct Attachments {
    files: BTreeMap<String, Bytes>,
    order: VecDeque<String>,
    bytes: usize,
}

impl Attachments {
    pub(crate) fn find(&self, id: &str) -> Option<Bytes> {
        self.files.get(id).cloned()
    }

    fn keep(&mut self, id: String, bytes: Bytes) {
        self.bytes += bytes.len();
        self.order.push_back(id.clone());
        self.files.insert(id, bytes);
        while self.bytes > KEPT_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            self.bytes -= self.files.remove(&oldest).map_or(0, |bytes| bytes.len());
        }
    }
}

/// Fetches a message's file and notes on the message how that went.
pub(crate) async fn fetch(amocrm: AmoCrm, api: BotApi, chat_id: String, message_id: String, file: SeenFile) {
    let fetched = api.file(&file.file_id).await;
    let mut state = amocrm.lock();
    let state = &mut *state;
    let Some(line) =
        state.account.chats.get_mut(&chat_id).and_then(|chat| chat.find_message_mut(&message_id))
    else {
        return;
    };
    let Some(attachment) = &mut line.attachment else { return };
    match fetched {
        Ok(bytes) => {
            attachment.size_bytes = Some(bytes.len() as u64);
            attachment.sha256 = Some(super::ids::hex(&Sha256::digest(&bytes)));
            state.attachments.keep(attachment.id.clone(), bytes);
        }
        Err(error) => attachment.error = Some(in_words(&error)),
    }
}
