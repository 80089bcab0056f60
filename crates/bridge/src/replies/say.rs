//! Saying something: the messages of one reply, one after the other.

use std::time::Duration;

use bytes::Bytes;
use tandem_model::{
    Blame, Verdict,
    message::{AttachmentKind, Quoted, RemoteFile, ReplyAct, ReplyFailure},
};
use tandem_telegram::reply::{self, Call, FileMessage, Look, Medium, Part, Saying, WithFile};

use super::{
    destination::{Replies, Reply, retry},
    files::{FileTrouble, OpenFile, Source},
    send::{Trouble, document_instead, failure_of},
};

/// For so long a file is asked for again that is not there. Its conversation waits meanwhile.
const FILE_PATIENCE: Duration = Duration::from_hours(1);

impl Replies {
    /// Sends what was not sent yet. `file`: the reply's, where it is here already.
    pub(super) async fn say(&self, mut reply: Reply<'_>, mut file: Option<OpenFile>) -> Result<(), Verdict> {
        let parts = self.plan(&reply).await?;
        if parts.is_empty() {
            let words = "there is nothing to send: neither a text nor a file";
            return Err(self.fail(&[&reply], ReplyFailure::Refused, words).await);
        }
        let chat = reply.document.chat;
        while let Some(part) = parts.get(reply.progress.parts) {
            let last = reply.progress.parts + 1 == parts.len();
            self.take_room(chat, 1)?;
            let sent = match part {
                Part::Text(call) => {
                    self.call(chat, call).await.map(|result| (call.clone(), Vec::new(), result))
                }
                Part::File(message) => self.send_file(&reply, message, file.take()).await,
            };
            match sent {
                Ok((call, sizes, result)) => {
                    self.note_sent(&mut [&mut reply], &call, &sizes, &result, last).await?;
                }
                Err(trouble) => return Err(self.give_up(&[&reply], trouble).await),
            }
        }
        Ok(())
    }

    /// The messages that a reply becomes.
    pub(super) async fn plan(&self, reply: &Reply<'_>) -> Result<Vec<Part>, Verdict> {
        let ReplyAct::Say { text, file, keyboard, quote, .. } = &reply.document.act else {
            return Ok(Vec::new());
        };
        let saying = Saying {
            text,
            file: with_file(file.as_ref()),
            keyboard: keyboard.as_ref(),
            quote: self.quote_of(reply, quote.as_ref()).await?,
        };
        Ok(reply::plan(reply.target(), saying))
    }

    /// The id of the message that is answered. One that is not known is no reason not to say it.
    pub(super) async fn quote_of(
        &self,
        reply: &Reply<'_>,
        quote: Option<&Quoted>,
    ) -> Result<Option<i64>, Verdict> {
        match quote {
            Some(quote) => self.find_quoted(reply, quote).await,
            None => Ok(None),
        }
    }

    async fn send_file(
        &self,
        reply: &Reply<'_>,
        message: &FileMessage,
        here: Option<OpenFile>,
    ) -> Result<(Call, Vec<u64>, Bytes), Trouble> {
        let Some((file, source)) = self.source(reply) else {
            return Err(Trouble::File(FileTrouble::Never("the reply has no file".to_owned())));
        };
        let mut open = match here {
            Some(open) => open,
            None => self.shared.files.open(source).await.map_err(Trouble::File)?,
        };
        let mut medium = medium_of(file, &open);
        loop {
            let (call, size) = (message.call(medium, &file.name), open.size_bytes);
            match self.upload(reply.document.chat, &call, vec![open]).await {
                Err(Trouble::Refused(refusal)) if document_instead(medium, &refusal) => {
                    medium = Medium::Document;
                    open = self.shared.files.open(source).await.map_err(Trouble::File)?;
                }
                sent => return sent.map(|result| (call, vec![size], result)),
            }
        }
    }

    /// Where a reply's file is.
    pub(super) fn source<'a>(&self, reply: &'a Reply<'_>) -> Option<(&'a RemoteFile, Source<'a>)> {
        let ReplyAct::Say { file: Some(file), .. } = &reply.document.act else { return None };
        let route = reply.document.origin.route.as_str();
        Some((file, Source { bot: self.lane.bot, route, url: &file.url }))
    }

    /// What follows from a call that was not done. The replies share their fate; a repeat is of the first.
    pub(super) async fn give_up(&self, replies: &[&Reply<'_>], trouble: Trouble) -> Verdict {
        match trouble {
            Trouble::Again(verdict) => verdict,
            Trouble::Lost(reason) => self.unknown(replies, &reason).await,
            Trouble::Refused(refusal) => self.fail(replies, failure_of(&refusal), &refusal.to_string()).await,
            Trouble::File(FileTrouble::Never(words)) => self.fail(replies, ReplyFailure::File, &words).await,
            Trouble::File(FileTrouble::Later(words)) => {
                let since = replies.first().map(|reply| reply.event.appended_at);
                if since.is_some_and(|since| self.now().since(since) > FILE_PATIENCE) {
                    self.fail(replies, ReplyFailure::File, &words).await
                } else {
                    retry(None, Blame::Event, words)
                }
            }
        }
    }
}

fn with_file(file: Option<&RemoteFile>) -> WithFile {
    match file.map(|file| file.kind) {
        None => WithFile::None,
        Some(AttachmentKind::Sticker) => WithFile::Bare,
        Some(
            AttachmentKind::Picture
            | AttachmentKind::Video
            | AttachmentKind::Voice
            | AttachmentKind::Audio
            | AttachmentKind::File,
        ) => WithFile::Captioned,
    }
}

/// As what a file is sent.
pub(super) fn medium_of(file: &RemoteFile, open: &OpenFile) -> Medium {
    Medium::of(Look { kind: file.kind, head: &open.head, size_bytes: open.size_bytes })
}
