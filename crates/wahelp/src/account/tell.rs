//! Telling: who the client is in a channel, when it is his turn, and the message itself (6, 7).

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use tandem_model::{
    PauseReason, Timestamp,
    message::{Act, Attachment, Content, Told},
};
use tandem_outbound::Outgoing;
use tandem_vendor::{ChatIds, Doubt, Failure, FailureKind, OpenedChat, Opening, Taken, Telling};

use super::WahelpAccount;
use crate::{
    api::{NotHad, Repeat, Request},
    channels::Channel,
    document::secret,
    envelope::{self, Meaning},
    form::{self, FilePart},
    news,
    pace::Turn,
    route::{Encoding, Files, PersonalAccount, Route},
    text, users,
};

/// Largest file that goes as a file: what Telegram gives to bots.
const FILE_BYTES: usize = 20 << 20;
/// How long after a message an echo of it may come before the answer is known here.
const LATELY: Duration = Duration::from_secs(10);
/// How long nobody is asked about whom a channel cannot reach (13.4).
const UNREACHABLE: Duration = Duration::from_hours(24 * 30);
/// So many of those are remembered, and chats that were written to.
const REMEMBERED: usize = 10_000;

/// To whom something is being sent, or was lately.
#[derive(Debug, Default)]
pub(super) struct Sending {
    chats: HashMap<String, Timestamp>,
    /// By what the echoes of probes are known: they are nobody's words.
    pub(super) probes: BTreeSet<String>,
}

impl Sending {
    fn note(&mut self, chat: &str, until: Timestamp) {
        if self.chats.len() >= REMEMBERED {
            self.chats.clear();
        }
        self.chats.insert(chat.to_owned(), until);
    }

    pub(super) fn doubt(&self, chat: &str, now: Timestamp) -> Doubt {
        match self.chats.get(chat) {
            Some(until) if *until >= now => Doubt::LookAgain,
            Some(_) | None => Doubt::None,
        }
    }

    fn turn(&self, chat: &str) -> Turn {
        if self.chats.contains_key(chat) { Turn::Further } else { Turn::First }
    }
}

impl WahelpAccount {
    /// Who the client is: as he was known, else by his phone.
    pub(super) async fn open(&self, opening: &Opening) -> Result<OpenedChat, Failure> {
        let route = Route::read(&opening.route)?;
        let channel = self.channel(&route).await?;
        let known = opening.contact.as_deref().and_then(|contact| contact.split_once(':'));
        let user = match known.filter(|(of, _)| *of == channel.id) {
            Some((_, user)) => user.to_owned(),
            None => self.add(&channel, opening).await?,
        };
        let name = news::chat(&channel.id, &user);
        let ids = ChatIds { ours: None, chat: Some(name.clone()), person: Some(user) };
        Ok(OpenedChat { ids, contact: Some(name) })
    }

    async fn add(&self, channel: &Channel, opening: &Opening) -> Result<String, Failure> {
        let phone = opening.client.phone.as_deref().and_then(users::digits).ok_or_else(|| {
            let words = "no phone yet: Wahelp knows clients by their numbers, and this one has not shared his with the bot";
            Failure::new(FailureKind::NoPhone, words)
        })?;
        let place = format!("{}:{phone}", channel.id);
        let now = self.clock.now();
        if self.known().unreachable.get(&place).is_some_and(|until| *until > now) {
            let words = "the channel cannot reach this client: Wahelp said so within the last 30 days";
            return Err(Failure::new(FailureKind::Refused, words));
        }
        let added = users::add(&self.api, channel, &phone, &opening.client.name).await;
        if let Err(failure) = &added
            && failure.kind == FailureKind::Refused
        {
            let mut known = self.known();
            if known.unreachable.len() >= REMEMBERED {
                known.unreachable.clear();
            }
            known.unreachable.insert(place, now.plus(UNREACHABLE));
        }
        added
    }

    /// The channel that a route tells in, if it may.
    async fn channel(&self, route: &Route) -> Result<Channel, Failure> {
        let (documents, named) = (&self.document.channels, &route.wahelp.channel);
        let channels = self.channels_with(named).await?;
        let channel = channels.find(named, documents)?;
        if channel.is_account(documents) && route.wahelp.personal_account != Some(PersonalAccount::Confirmed)
        {
            return Err(Failure::new(FailureKind::Stop(PauseReason::Refused), own_words(channel, named)));
        }
        self.known().used.insert(channel.uuid.clone());
        Ok(channel.clone())
    }

    /// Waits until it may be sent.
    pub(super) async fn take_turn(&self, telling: &Telling) -> Result<(), Failure> {
        let channel = self.channel(&Route::read(&telling.route)?).await?;
        let chat = telling.ids.chat.as_deref().unwrap_or_default();
        let turn = self.known().sending.turn(chat);
        if let Some(kept) = self.pace.take(&channel.uuid, turn, &*self.clock).await?
            && let Err(error) = self.keep.keep(vec![(secret::SENT, kept.into())]).await
        {
            tracing::debug!(%error, "how much was sent today could not be kept: {error}");
        }
        Ok(())
    }

    /// Sends it.
    pub(super) async fn send(&self, telling: &Telling) -> Result<Taken, Failure> {
        let route = Route::read(&telling.route)?;
        let channel = self.channel(&route).await?;
        let (Some(chat), Some(user)) = (&telling.ids.chat, &telling.ids.person) else {
            return Err(Failure::new(FailureKind::Gone, "the client's number in the channel is not known"));
        };
        let file = match (route.wahelp.files, attachment(&telling.told)) {
            (Files::Form, Some(file)) => self.fetch(file).await,
            (Files::Form, None) | (Files::Link, _) => None,
        };
        // As the fingerprint has it, whether the file could be had or not.
        let text = text::of(&telling.told, route.language, goes_as_file(&route, &telling.told));
        let mut text = text.ok_or_else(|| Failure::new(FailureKind::Refused, "there is nothing to say"))?;
        if file.is_none()
            && goes_as_file(&route, &telling.told)
            && let Some(link) = attachment(&telling.told).and_then(|file| file.link.as_ref())
        {
            text = format!("{text} {link}");
        }
        let destination = route.wahelp.destination.as_deref();
        let (body, kind) = match (route.wahelp.encoding, &file) {
            (Encoding::Json, None) => form::json(&text, destination),
            (Encoding::Multipart, None) => form::multipart(&text, destination, None),
            (_, Some(file)) => form::multipart(&text, destination, Some(file)),
        };
        let path = self.api.in_project(&format!("/channels/{}/send_message/{user}", channel.uuid));
        let request = Request { method: Method::POST, path, body, content_type: Some(kind) };
        self.note_sending(chat);
        let sent = self.api.send(request).await;
        self.note_sending(chat);
        match sent {
            Ok(data) => Ok(Taken { message: envelope::id(&data["id"]) }),
            Err(NotHad::Answered(trouble)) if trouble.means == Meaning::Unreachable => {
                let words = format!("the channel cannot reach this client: {}", trouble.words);
                Err(Failure::new(FailureKind::Refused, words))
            }
            Err(not_had) => Err(not_had.failure(Repeat::Seen)),
        }
    }

    fn note_sending(&self, chat: &str) {
        let until = self.clock.now().plus(LATELY);
        self.known().sending.note(chat, until);
    }

    /// The file's bytes from where it is served. Without them it goes as a link.
    async fn fetch(&self, file: &Attachment) -> Option<FilePart> {
        let url = file.link.as_deref()?.parse().ok()?;
        let outgoing = Outgoing { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() };
        let answered = self.api.client.send(outgoing, FILE_BYTES).await.ok()?;
        (answered.status == 200).then(|| FilePart {
            field: self.document.file_field.clone(),
            name: file.name.clone(),
            mime: mime_of(file, answered.headers.get(http::header::CONTENT_TYPE)),
            bytes: answered.body,
        })
    }
}

/// By what the echo of a telling will be known.
pub(super) fn fingerprint(telling: &Telling) -> Option<String> {
    let route = Route::read(&telling.route).ok()?;
    let (channel, user) = telling.ids.chat.as_deref()?.split_once(':')?;
    let text = text::of(&telling.told, route.language, goes_as_file(&route, &telling.told))?;
    Some(text::fingerprint(channel, user, &text))
}

fn mime_of(file: &Attachment, served: Option<&HeaderValue>) -> String {
    let served = served.and_then(|served| served.to_str().ok());
    file.mime.as_deref().or(served).unwrap_or("application/octet-stream").to_owned()
}

fn attachment(told: &Told) -> Option<&Attachment> {
    match &told.act {
        Act::Said(body) => match &body.content {
            Content::File(file) => Some(file),
            _ => None,
        },
        Act::Edited(_) | Act::Reacted { .. } => None,
    }
}

fn goes_as_file(route: &Route, told: &Told) -> bool {
    route.wahelp.files == Files::Form && attachment(told).is_some_and(|file| file.link.is_some())
}

/// Why nothing is told in a channel that is somebody's account (11.3, T1).
pub(super) fn own_words(channel: &Channel, named: &str) -> String {
    let kind = if channel.kind.is_empty() { "unknown" } else { channel.kind.as_str() };
    format!(
        "channel {named} is a personal account (type {kind}), and Wahelp sends whatever is told there to the client: he \
         would receive his own words from the company. If that is wanted, give the route personal_account = \"confirmed\"; \
         if the channel is a bot, give it kind = \"bot\" in the connection; then run `tandem apply`"
    )
}
