//! Albums: files that a manager sent at once come as replies of their own, and become one message of Telegram's.
//!
//! The first of them looks ahead in its conversation for the others, and waits for more while the last one is young.
//! Before anything is sent the others are noted as going with it: should the service stop in the middle, nobody can say
//! of any of them whether it arrived. What cannot stand in one album with the first (reference: photos and films together,
//! documents and music only among themselves, ten at most) is left alone, and becomes the first of the next.

use std::time::Duration;

use tandem_journal::Page;
use tandem_model::{
    Event, OrderKey, Seq, Timestamp, Verdict,
    message::{ReplyAct, ReplyDocument},
};
use tandem_telegram::reply::{self, ALBUM_FILES, CAPTION_UNITS, Item, Medium, Part, units};

use super::{
    destination::{Replies, Reply, unread},
    files::{FileTrouble, OpenFile},
    progress::Progress,
    say::medium_of,
    send::Trouble,
};

/// How long after one part another one is waited for.
const GATHER: Duration = Duration::from_millis(1500);
/// How far ahead is looked: room for an album and for what does not count between its parts.
const AHEAD: Page = Page { events: 3 * ALBUM_FILES, bytes: 1 << 20 };

/// What follows a part of an album.
struct Ahead {
    /// Further parts.
    parts: Vec<(Event, ReplyDocument)>,
    /// When the last part came.
    last: Timestamp,
    /// Whether no more can come.
    closed: bool,
}

/// A part that goes along.
struct Along {
    medium: Medium,
    file: OpenFile,
}

impl Replies {
    /// Sends a part of an album with those that go with it.
    pub(super) async fn say_with_album(&self, reply: Reply<'_>, album: &str) -> Result<(), Verdict> {
        let ahead = self.look_ahead(&reply, album).await?;
        let until = ahead.last.plus(GATHER);
        if !ahead.closed && self.now() < until {
            return Err(Verdict::Wait { until });
        }
        if ahead.parts.is_empty() {
            return self.say(reply, None).await;
        }
        let others = ahead.parts.iter().map(|(event, document)| Reply {
            event,
            document: document.clone(),
            progress: Progress::default(),
        });
        let mut replies: Vec<Reply<'_>> = std::iter::once(reply).chain(others).collect();
        let mut along = match self.fetch(&replies).await {
            Ok(along) => along,
            Err(trouble) => return Err(self.give_up(&[&replies[0]], trouble).await),
        };
        replies.truncate(along.len());
        if along.len() < 2 {
            let only = along.pop().map(|one| one.file);
            return self.say(replies.swap_remove(0), only).await;
        }
        self.send_album(replies, along).await
    }

    async fn look_ahead(&self, first: &Reply<'_>, album: &str) -> Result<Ahead, Verdict> {
        let (bot, lane) = (self.lane.bot, self.lane.lane);
        let key = OrderKey { conversation: first.event.conversation.clone(), family: None };
        let store = &self.shared.store;
        let head = store.head(bot).await.map_err(|error| unread(&error))?.last;
        let mut ahead = Ahead { parts: Vec::new(), last: first.event.appended_at, closed: false };
        let mut after = first.event.seq;
        while after < head && !ahead.closed {
            let read = store.read_conversation(bot, lane, key.clone(), after, head, AHEAD).await;
            let page = read.map_err(|error| unread(&error))?;
            for event in page.events {
                ahead.add(event, first, album);
            }
            let looked: Seq = page.scanned_to;
            if looked <= after {
                break;
            }
            after = looked;
        }
        Ok(ahead)
    }

    /// The files that stand in one album with the first, in order.
    async fn fetch(&self, replies: &[Reply<'_>]) -> Result<Vec<Along>, Trouble> {
        let mut along: Vec<Along> = Vec::new();
        for reply in replies {
            let Some((file, source)) = self.source(reply) else { break };
            let open = match self.shared.files.open_whole(source).await {
                Ok(open) => open,
                // It fails in its own turn, and the others go without it.
                Err(FileTrouble::Never(_)) if !along.is_empty() => break,
                Err(trouble) => return Err(Trouble::File(trouble)),
            };
            let medium = medium_of(file, &open);
            if along.first().is_some_and(|first| !first.medium.joins(medium)) {
                break;
            }
            along.push(Along { medium, file: open });
        }
        Ok(along)
    }

    async fn send_album(&self, mut replies: Vec<Reply<'_>>, along: Vec<Along>) -> Result<(), Verdict> {
        let parts = self.plan(&replies[0]).await?;
        let Some(Part::File(first)) = parts.first() else {
            return self.say(replies.swap_remove(0), None).await;
        };
        let chat = replies[0].document.chat;
        self.take_room(chat, along.len())?;
        let now = self.now();
        let with = replies[0].event.seq;
        let links = replies[1..].iter().map(|other| {
            Progress { with: Some(with), ..Progress::default() }.link(self.lane, other.event.seq, now)
        });
        self.keep_links(links.collect()).await?;
        let captions = captions(first.caption(), &replies[1..]);
        let items: Vec<Item<'_>> = replies
            .iter()
            .zip(&along)
            .zip(&captions)
            .map(|((reply, along), caption)| Item { medium: along.medium, name: name_of(reply), caption })
            .collect();
        let quote = match &replies[0].document.act {
            ReplyAct::Say { quote, .. } => self.quote_of(&replies[0], quote.as_ref()).await?,
            ReplyAct::Type { .. } | ReplyAct::React { .. } => None,
        };
        let call = reply::album(replies[0].target(), quote, &items);
        let sizes: Vec<u64> = along.iter().map(|one| one.file.size_bytes).collect();
        let files = along.into_iter().map(|one| one.file).collect();
        match self.upload(chat, &call, files).await {
            Ok(result) => {
                let last = parts.len() == 1;
                self.note_sent(&mut replies.iter_mut().collect::<Vec<_>>(), &call, &sizes, &result, last)
                    .await?;
                if last { Ok(()) } else { self.say(replies.swap_remove(0), None).await }
            }
            // Nothing was sent; one of them is what Telegram does not take. It is found alone.
            Err(Trouble::Refused(refusal)) if refusal.code == 400 => {
                self.say(replies.swap_remove(0), None).await
            }
            Err(trouble @ Trouble::Lost(_)) => {
                Err(self.give_up(&replies.iter().collect::<Vec<_>>(), trouble).await)
            }
            Err(trouble) => Err(self.give_up(&[&replies[0]], trouble).await),
        }
    }
}

impl Ahead {
    /// Looks at the next reply of the conversation.
    fn add(&mut self, event: Event, first: &Reply<'_>, album: &str) {
        if self.closed {
            return;
        }
        let document = serde_json::from_slice::<ReplyDocument>(&event.body).ok();
        match document {
            // Whoever types says nothing.
            Some(ReplyDocument { act: ReplyAct::Type { .. }, .. }) => {}
            Some(document) if goes_with(&document, &first.document, album) => {
                self.last = event.appended_at;
                self.parts.push((event, document));
                self.closed = self.parts.len() + 1 == ALBUM_FILES;
            }
            Some(_) | None => self.closed = true,
        }
    }
}

/// Whether a reply is a further part of an album, and can be said without a message of its own.
fn goes_with(document: &ReplyDocument, first: &ReplyDocument, of: &str) -> bool {
    let ReplyAct::Say { text, file: Some(_), keyboard: None, quote, album: Some(album) } = &document.act
    else {
        return false;
    };
    let same_quote = match (&first.act, quote) {
        (_, None) => true,
        (ReplyAct::Say { quote: known, .. }, quote) => known == quote,
        (ReplyAct::Type { .. } | ReplyAct::React { .. }, _) => false,
    };
    album == of && document.origin.route == first.origin.route && same_quote && units(text) <= CAPTION_UNITS
}

/// What stands under each file. One caption alone stands under the first: there Telegram shows it as the album's.
fn captions(first: &str, others: &[Reply<'_>]) -> Vec<String> {
    let others = others.iter().map(|reply| match &reply.document.act {
        ReplyAct::Say { text, .. } => text.clone(),
        ReplyAct::Type { .. } | ReplyAct::React { .. } => String::new(),
    });
    let mut captions: Vec<String> = std::iter::once(first.to_owned()).chain(others).collect();
    let mut said = captions.iter().enumerate().filter(|(_, caption)| !caption.trim().is_empty());
    if let (Some((only, _)), None) = (said.next(), said.next()) {
        captions.swap(0, only);
    }
    captions
}

fn name_of<'a>(reply: &'a Reply<'_>) -> &'a str {
    match &reply.document.act {
        ReplyAct::Say { file: Some(file), .. } => &file.name,
        ReplyAct::Say { file: None, .. } | ReplyAct::Type { .. } | ReplyAct::React { .. } => "",
    }
}
