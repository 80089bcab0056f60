//! Accepting a message: who speaks, in which chat, under which ids. It is shown a moment later, by
//! [`super::process`].

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::chat::{ChannelChat, FetchState, Fetched, Line, LineMedia, Person, Quote, Speaker};
use super::fetch;
use super::fields::{Fields, Invalid};
use super::given::{Content, GivenPerson, Named, NewMessage, Quoted};
use super::process::Work;
use crate::amocrm::{AmoCrm, State};

/// A chat and its client.
pub(crate) struct Opened {
    pub(crate) chat_id: String,
    pub(crate) person_id: String,
}

/// `new_message`.
pub(crate) fn new_message(
    amocrm: &AmoCrm,
    state: &mut State,
    channel: &str,
    fields: &Fields<'_>,
    now_ms: i64,
) -> Result<Answer, Refusal> {
    let payload = fields.object("payload")?;
    let message = NewMessage::read(&payload)?;
    if state.amojo.directory.message(channel, &message.msgid).is_some() {
        return Err(Invalid::duplicate().into());
    }
    let speaker = state.speaker(channel, &payload, &message)?;
    let client = message.receiver.as_ref().unwrap_or(&message.sender);
    let Opened { chat_id, person_id } = state.open_chat(channel, &message.conversation, client)?;
    let sender_id = match (speaker, &message.sender.ref_id) {
        (Speaker::Manager | Speaker::Bot, Some(ref_id)) => ref_id.clone(),
        (Speaker::Client | Speaker::Manager | Speaker::Bot, _) => person_id.clone(),
    };
    let id = state.account.uuid();
    state.amojo.directory.name_message(channel, &message.msgid, &id);
    let outgoing = speaker != Speaker::Client;
    let mut answer = json!({
        "conversation_id": chat_id,
        "sender_id": sender_id,
        "msgid": id,
        "ref_id": message.msgid,
    });
    if outgoing {
        answer["receiver_id"] = json!(person_id);
    }
    complain(state, channel, &id, &message, now_ms);
    check_avatar(amocrm, state, channel, &person_id, client.avatar.as_deref(), now_ms);
    let media = message.content.media.as_ref();
    let line = Line {
        id,
        msgid: Some(message.msgid),
        speaker,
        written_here: false,
        sender_id,
        sender_name: message.sender.name.unwrap_or_default(),
        receiver_id: outgoing.then_some(person_id),
        kind: message.content.kind,
        text: message.content.text,
        media: media.map(|media| LineMedia {
            link: String::new(),
            thumbnail: String::new(),
            file_name: media.file_name.clone().unwrap_or_default(),
            file_size: media.file_size.unwrap_or_default().unsigned_abs(),
            duration: media.duration,
            fetched: Some(Fetched::waiting(media.url.clone())),
        }),
        extra: message.content.extra,
        silent: message.silent.unwrap_or(false),
        at: message.at,
        shown_at_ms: now_ms,
        edited: false,
        earlier_texts: Vec::new(),
        reply_to: message.reply_to.map(quote),
        forwards: message.forwards.map(quote),
        reactions: Vec::new(),
        media_group_id: None,
        markup: None,
        template: None,
        delivery_status: None,
        error: None,
        statuses: Vec::new(),
    };
    let work =
        Work::Show { channel: channel.to_owned(), chat_id, source: message.source, line: Box::new(line) };
    amocrm.process_later(state, channel, work);
    Ok(Answer::json(json!({"new_message": answer})))
}

/// A quote before it is looked up.
fn quote(quoted: Quoted) -> Quote {
    let Quoted { message: Named { ours, amojo }, written_out } = quoted;
    let given = match (ours, amojo) {
        (None, None) => written_out,
        (ours, amojo) => json!({"msgid": ours, "id": amojo}),
    };
    Quote { id: None, given }
}

/// What does not stop a message but is not right.
fn complain(state: &mut State, channel: &str, id: &str, message: &NewMessage, now_ms: i64) {
    let mut complain = |code, text: &str| state.amojo.complaints.add(now_ms, channel, Some(id), code, text);
    if message.silent.is_none() {
        complain("silent_missing", "`silent` was not sent; its default is not known");
    }
    if !message.at.agree() {
        complain("times_disagree", "`timestamp` and `msec_timestamp` are not the same second");
    }
    if message.msgid.len() > 255 {
        complain("msgid_long", "`msgid` is longer than 255 bytes");
    }
}

/// Fetches a person's picture when its address is a new one.
pub(crate) fn check_avatar(
    amocrm: &AmoCrm,
    state: &mut State,
    channel: &str,
    person_id: &str,
    avatar: Option<&str>,
    now_ms: i64,
) {
    let Some(url) = avatar else { return };
    let Some(person) = state.account.persons.get_mut(person_id) else { return };
    if person.avatar.as_ref().is_some_and(|known| known.url == url && known.state != FetchState::Failed) {
        return;
    }
    person.avatar = Some(Fetched::waiting(url.to_owned()));
    fetch::look_at_address(state, channel, None, url, now_ms);
    amocrm.spawn(fetch::avatar(amocrm.clone(), channel.to_owned(), person_id.to_owned(), url.to_owned()));
}

impl State {
    /// Who speaks (reference 1.7.1): the client alone, or a manager or the channel's bot to the client.
    fn speaker(&self, channel: &str, payload: &Fields<'_>, message: &NewMessage) -> Result<Speaker, Refusal> {
        let invalid = |name: &str, reason: &str| Refusal::from(payload.invalid(name, reason));
        let ref_id = message.sender.ref_id.as_deref();
        let bot = self.amojo.channel(channel).map(|channel| channel.bot.id.as_str());
        let insider = match ref_id {
            Some(id) if Some(id) == bot => Some(Speaker::Bot),
            Some(id) if self.account.users.iter().any(|user| user.amojo_id == id) => Some(Speaker::Manager),
            Some(_) | None => None,
        };
        match (insider, &message.receiver) {
            (None, None) => Ok(Speaker::Client),
            (Some(speaker), Some(_)) => Ok(speaker),
            (Some(_), None) => Err(invalid("receiver", "is required for a manager's or the bot's message")),
            (None, Some(_)) => {
                Err(invalid("sender.ref_id", "must be the channel's bot or a user of the account"))
            }
        }
    }

    /// Finds the chat and the client, or gives both their ids.
    ///
    /// A reference binds what was begun by "Write first"; a known `conversation_id` wins over a reference.
    pub(crate) fn open_chat(
        &mut self,
        channel: &str,
        conversation: &Named,
        client: &GivenPerson,
    ) -> Result<Opened, Refusal> {
        let by_name = conversation.ours.as_ref().and_then(|ours| self.amojo.directory.chat(channel, ours));
        let by_reference = match (by_name, &conversation.amojo) {
            (None, Some(id)) => {
                let known = self.account.channel_chats.get(id).filter(|chat| chat.channel == channel);
                Some(known.ok_or_else(|| unknown("conversation_ref_id", "there is no such chat"))?.id.clone())
            }
            (Some(_), _) | (None, None) => None,
        };
        let known = by_name.cloned().or(by_reference);
        let person_id = self.know(channel, client)?;
        let chat_id = if let Some(id) = known {
            let chat = self.account.channel_chats.get_mut(&id);
            if let (Some(chat), Some(ours)) = (chat, &conversation.ours)
                && chat.client_id.is_none()
            {
                chat.client_id = Some(ours.clone());
                self.amojo.directory.name_chat(channel, ours, &id);
            }
            id
        } else {
            let id = self.account.uuid();
            if let Some(ours) = &conversation.ours {
                self.amojo.directory.name_chat(channel, ours, &id);
            }
            let chat = ChannelChat::new(id.clone(), channel, conversation.ours.clone(), &person_id);
            self.account.channel_chats.insert(id.clone(), chat);
            id
        };
        Ok(Opened { chat_id, person_id })
    }

    /// The person by reference or by the integration's id, or a new one. What is given is what he is called now.
    fn know(&mut self, channel: &str, given: &GivenPerson) -> Result<String, Refusal> {
        let by_reference = match &given.ref_id {
            Some(id) => {
                let known = self.account.persons.get(id).filter(|person| person.channel == channel);
                Some(known.ok_or_else(|| unknown("ref_id", "there is no such person"))?.id.clone())
            }
            None => None,
        };
        let by_name = given.id.as_ref().and_then(|ours| self.amojo.directory.person(channel, ours).cloned());
        let id = by_reference.or(by_name).unwrap_or_else(|| self.account.uuid());
        if let Some(ours) = &given.id {
            self.amojo.directory.name_person(channel, ours, &id);
        }
        let person = self.account.persons.entry(id.clone()).or_insert_with(|| Person::new(&id, channel));
        for (field, value) in [
            (&mut person.client_id, &given.id),
            (&mut person.phone, &given.phone),
            (&mut person.email, &given.email),
            (&mut person.profile_link, &given.profile_link),
        ] {
            if value.is_some() {
                field.clone_from(value);
            }
        }
        if let Some(name) = &given.name {
            person.name.clone_from(name);
        }
        Ok(id)
    }
}

fn unknown(field: &str, reason: &str) -> Refusal {
    Invalid::of(field, reason).into()
}

/// What an edit or a new message puts into a line.
pub(crate) fn edited(line: &mut Line, content: Content) {
    let before = std::mem::replace(&mut line.text, content.text);
    line.earlier_texts.push(before);
    line.edited = true;
    if let Value::Object(extra) = &content.extra
        && !extra.is_empty()
    {
        line.extra = content.extra;
    }
    if let Some(media) = content.media {
        let before = line.media.take();
        line.media = Some(LineMedia {
            link: String::new(),
            thumbnail: String::new(),
            file_name: media
                .file_name
                .or_else(|| before.as_ref().map(|before| before.file_name.clone()))
                .unwrap_or_default(),
            file_size: media.file_size.unwrap_or_default().unsigned_abs(),
            duration: media.duration.or_else(|| before.and_then(|before| before.duration)),
            fetched: Some(Fetched::waiting(media.url)),
        });
    }
    line.kind = content.kind;
}
