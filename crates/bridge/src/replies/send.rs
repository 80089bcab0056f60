//! One call, and what follows from how it ends.

use std::time::Duration;

use bytes::Bytes;
use tandem_model::{Blame, Verdict, message::ReplyFailure};
use tandem_telegram::{
    envelope::Refusal,
    params::FilePart,
    reply::{Call, Medium},
    upstream::{CallError, FileUpload, NotSent, UploadCallError},
};

use super::{
    destination::{Replies, retry, revoked},
    files::{FileTrouble, OpenFile},
};
use crate::bridge::Chain;

/// How soon it is tried again when too much is under way at once.
const BUSY: Duration = Duration::from_secs(1);

/// A call was not simply done.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nothing has happened, and this is to be said of it.
    Again(Verdict),
    /// It may have happened.
    Lost(String),
    /// Telegram said no.
    Refused(Refusal),
    /// The file is not there. Nothing has happened.
    File(FileTrouble),
}

impl Replies {
    /// Calls a method without files.
    pub(super) async fn call(&self, chat: i64, call: &Call) -> Result<Bytes, Trouble> {
        let token = self.bot.token();
        let called = self.shared.upstream.call(&token, call.method, &call.params).await;
        called.map_err(|error| {
            if matches!(error, CallError::Unauthorized(_)) {
                self.note_revoked(&token);
            }
            self.trouble(chat, error)
        })
    }

    /// Calls a method with files, which come as they come.
    pub(super) async fn upload(
        &self,
        chat: i64,
        call: &Call,
        files: Vec<OpenFile>,
    ) -> Result<Bytes, Trouble> {
        let files = call.files.iter().zip(files).map(|(part, file)| FileUpload {
            name: part.name.clone(),
            file_name: part.file_name.clone(),
            size_bytes: file.size_bytes,
            content: file.content,
        });
        let mut random = [0; 16];
        self.shared.rng.fill(&mut random);
        let boundary = format!("tandem{}", hex::encode(random));
        let token = self.bot.token();
        let upstream = &self.shared.upstream;
        let called = upstream.upload(&token, call.method, &call.params, files.collect(), &boundary).await;
        called.map_err(|error| match error {
            UploadCallError::File(error) => {
                Trouble::File(FileTrouble::Later(format!("the file broke off: {error}")))
            }
            UploadCallError::Call(error) => {
                if matches!(error, CallError::Unauthorized(_)) {
                    self.note_revoked(&token);
                }
                self.trouble(chat, error)
            }
        })
    }

    fn note_revoked(&self, token: &tandem_telegram::token::Token) {
        if self.bot.revoke(token) {
            let bot = self.lane.bot;
            tracing::error!(bot.id = %bot, "Telegram no longer takes the token of bot {bot}");
        }
    }

    fn trouble(&self, chat: i64, error: CallError) -> Trouble {
        let reason = Chain(&error).to_string();
        match error {
            CallError::NotSent(NotSent::Transport(_)) => {
                Trouble::Again(retry(None, Blame::Destination, reason))
            }
            CallError::NotSent(NotSent::Busy) => Trouble::Again(retry(Some(BUSY), Blame::Event, reason)),
            CallError::RetryAfter { after, .. } => {
                let now = self.now();
                self.budget().asked_to_wait(chat, after, now);
                Trouble::Again(retry(Some(after), Blame::Event, reason))
            }
            CallError::Unauthorized(_) => Trouble::Again(revoked()),
            CallError::Refused(refusal) => Trouble::Refused(refusal),
            CallError::NotSent(NotSent::Address)
            | CallError::Lost(_)
            | CallError::BadGateway { .. }
            | CallError::ServerError(_)
            | CallError::UnexpectedResult => Trouble::Lost(reason),
        }
    }
}

/// The parts of a body that carried files, as the journal names them.
pub(super) fn parts_of(call: &Call, sizes: &[u64]) -> Vec<FilePart> {
    let parts = call.files.iter().zip(sizes);
    let parts = parts.map(|(part, size_bytes)| FilePart {
        name: part.name.clone(),
        file_name: part.file_name.clone(),
        content_type: None,
        size_bytes: *size_bytes,
        content: Bytes::new(),
    });
    parts.collect()
}

/// Why Telegram refuses, for the vendor (the texts of reference/telegram.md 1.5).
pub(super) fn failure_of(refusal: &Refusal) -> ReplyFailure {
    let words = refusal.description.to_ascii_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    if says(&["bot was blocked by the user", "user is deactivated"]) {
        ReplyFailure::Blocked
    } else if refusal.code == 403
        && says(&["can't initiate conversation", "was kicked", "is not a member", "was deleted"])
        || says(&["chat not found", "user not found", "peer_id_invalid", "was upgraded to a supergroup"])
    {
        ReplyFailure::NoChat
    } else {
        ReplyFailure::Refused
    }
}

/// Whether the same file as a document may be taken: it is no picture after all, say, or the client takes no voice
/// messages.
pub(super) fn document_instead(medium: Medium, refusal: &Refusal) -> bool {
    let words = refusal.description.to_ascii_uppercase();
    let about_it = ["PHOTO_", "IMAGE_PROCESS", "STICKER_", "VOICE_MESSAGES_FORBIDDEN", "VIDEO_", "AUDIO_"];
    medium != Medium::Document && refusal.code == 400 && about_it.iter().any(|part| words.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: u16, words: &str) -> Refusal {
        Refusal { code, description: words.to_owned(), retry_after: None, migrate_to_chat_id: None }
    }

    #[test]
    fn a_refusal_is_what_telegrams_words_say() {
        for (code, words, failure) in [
            (403, "Forbidden: bot was blocked by the user", ReplyFailure::Blocked),
            (403, "Forbidden: user is deactivated", ReplyFailure::Blocked),
            (403, "Forbidden: bot can't initiate conversation with a user", ReplyFailure::NoChat),
            (403, "Forbidden: bot was kicked from the supergroup chat", ReplyFailure::NoChat),
            (403, "Forbidden: bot is not a member of the channel chat", ReplyFailure::NoChat),
            (403, "Forbidden: the group chat was deleted", ReplyFailure::NoChat),
            (400, "Bad Request: chat not found", ReplyFailure::NoChat),
            (400, "Bad Request: PEER_ID_INVALID", ReplyFailure::NoChat),
            (400, "Bad Request: message is too long", ReplyFailure::Refused),
            (400, "Bad Request: BUTTON_URL_INVALID", ReplyFailure::Refused),
            (403, "Forbidden: not enough rights to send text messages to the chat", ReplyFailure::Refused),
            (413, "Request Entity Too Large", ReplyFailure::Refused),
        ] {
            assert_eq!(failure_of(&refusal(code, words)), failure, "{words}");
        }
    }

    #[test]
    fn what_is_no_photo_or_is_not_wanted_as_voice_goes_as_a_document() {
        for (medium, words, instead) in [
            (Medium::Photo, "Bad Request: PHOTO_INVALID_DIMENSIONS", true),
            (Medium::Photo, "Bad Request: IMAGE_PROCESS_FAILED", true),
            (Medium::Voice, "Bad Request: VOICE_MESSAGES_FORBIDDEN", true),
            (Medium::Photo, "Bad Request: chat not found", false),
            (Medium::Document, "Bad Request: PHOTO_INVALID_DIMENSIONS", false),
        ] {
            assert_eq!(document_instead(medium, &refusal(400, words)), instead, "{words}");
        }
    }
}
