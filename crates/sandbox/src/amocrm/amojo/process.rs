//! What happens after the 200: accepted messages are shown in the order they came, by one worker.
//!
//! A channel can be told to take its time (`processing_ms`); then each message waits on its own by the sandbox's
//! clock, and two of them may change places as they may with the real amojo.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::accept::edited;
use super::cards::Opening;
use super::chat::{Line, Quote, Speaker};
use super::event;
use super::fetch;
use super::given::{Content, GivenStatus};
use super::hook;
use crate::amocrm::{AmoCrm, State};

/// An accepted call.
#[derive(Debug)]
pub(crate) enum Work {
    Show {
        channel: String,
        chat_id: String,
        source: Option<String>,
        line: Box<Line>,
    },
    Edit {
        channel: String,
        chat_id: String,
        id: String,
        msgid: Option<String>,
        content: Content,
        delivery: Option<GivenStatus>,
    },
}

/// Does the work as it comes until the emulator ends.
pub(crate) async fn worker(amocrm: AmoCrm, mut work: UnboundedReceiver<Work>) {
    while let Some(work) = work.recv().await {
        amocrm.process(work);
    }
}

impl AmoCrm {
    /// Hands an accepted call to the worker, now or after the channel's delay.
    pub(crate) fn process_later(&self, state: &State, channel: &str, work: Work) {
        let [from, to] =
            state.amojo.channel(channel).map_or([0, 0], |channel| channel.settings.processing_ms);
        let random = state.account.random();
        let spread = i64::try_from(to.saturating_sub(from)).unwrap_or(i64::MAX - 1);
        let wait_ms = from + u64::try_from(random.range(0..spread + 1)).unwrap_or(0);
        if wait_ms == 0 {
            self.hand_over(work);
            return;
        }
        let later = self.clone();
        self.spawn(async move {
            later.clock().sleep(Duration::from_millis(wait_ms)).await;
            later.hand_over(work);
        });
    }

    fn process(&self, work: Work) {
        let now_ms = self.clock().now_ms();
        let mut state = self.lock();
        match work {
            Work::Show { channel, chat_id, source, line } => {
                self.show(&mut state, &channel, &chat_id, source.as_deref(), *line, now_ms);
            }
            Work::Edit { channel, chat_id, id, msgid, content, delivery } => {
                let found = state.account.channel_chats.get_mut(&chat_id).and_then(|chat| chat.find_mut(&id));
                let Some(line) = found else {
                    let text = "an edit came before its message was shown";
                    state.amojo.complaints.add(now_ms, &channel, Some(&id), "edit_early", text);
                    return;
                };
                if msgid.is_some() {
                    line.msgid = msgid;
                }
                if let Some(GivenStatus { status, error }) = delivery {
                    line.set_status(status, error, now_ms);
                }
                if !content.text.is_empty() || content.media.is_some() {
                    edited(line, content);
                }
                let media = line.media.clone().filter(|_| !line.written_here);
                if let Some(url) = media.and_then(|media| media.fetched).map(|fetched| fetched.url) {
                    self.fetch_media(&mut state, &channel, &chat_id, &id, url, now_ms);
                }
            }
        }
    }

    fn show(
        &self,
        state: &mut State,
        channel: &str,
        chat_id: &str,
        source: Option<&str>,
        mut line: Line,
        now_ms: i64,
    ) {
        line.shown_at_ms = now_ms;
        state.resolve(channel, chat_id, &mut line, now_ms);
        let opening = state.open_cards(channel, chat_id, source, &line, now_ms);
        let mut hooks = Vec::new();
        if let Some(Opening { new_lead, new_talk }) = opening {
            let scene = event::Scene::new(state, channel, chat_id);
            let unsorted = new_lead.and_then(|lead| scene.as_ref()?.add_unsorted(lead, &line));
            let talk = new_talk.and_then(|talk| crate::amocrm::hooks::event::add_talk(&state.account, talk));
            hooks.extend([unsorted, talk].into_iter().flatten());
        }
        if !line.silent
            && let Some(scene) = event::Scene::new(state, channel, chat_id)
        {
            hooks.extend(scene.message(&line));
        }
        let (id, url) = (line.id.clone(), line.media.as_ref().and_then(|media| media.fetched.clone()));
        let echo = line.speaker == Speaker::Manager
            && state.amojo.channel(channel).is_some_and(|channel| channel.settings.echo_managers);
        state.keep(channel, chat_id, line);
        if let Some(fetched) = url {
            self.fetch_media(state, channel, chat_id, &id, fetched.url, now_ms);
        }
        if echo {
            hook::message(self, state, chat_id, &id, now_ms);
        }
        self.announce(state, hooks);
    }

    fn fetch_media(
        &self,
        state: &mut State,
        channel: &str,
        chat_id: &str,
        message: &str,
        url: String,
        now_ms: i64,
    ) {
        fetch::look_at_address(state, channel, Some(message), &url, now_ms);
        self.spawn(fetch::media(
            self.clone(),
            channel.to_owned(),
            chat_id.to_owned(),
            message.to_owned(),
            url,
        ));
    }
}

impl State {
    /// Adds a line to its chat and to the directory.
    pub(crate) fn keep(&mut self, channel: &str, chat_id: &str, line: Line) {
        let Some(chat) = self.account.channel_chats.get_mut(chat_id) else { return };
        self.amojo.directory.place(&line.id, chat_id);
        if let Some(fallen) = chat.push(line) {
            self.amojo.directory.forget_message(channel, &fallen.id, fallen.msgid.as_deref());
        }
    }

    /// Looks up what a message quotes (in its own chat) and forwards (from any chat of the channel).
    fn resolve(&mut self, channel: &str, chat_id: &str, line: &mut Line, now_ms: i64) {
        let find = |quote: &Quote| {
            let named = |name: &str| quote.given.get(name).and_then(Value::as_str);
            let by_msgid = named("msgid").and_then(|id| self.amojo.directory.message(channel, id));
            let id = named("id").map(ToOwned::to_owned).or_else(|| by_msgid.cloned())?;
            let chat = self.amojo.directory.chat_of(&id)?;
            Some((id, chat.clone()))
        };
        let is_reference =
            |quote: &Quote| quote.given.get("msgid").is_some() || quote.given.get("id").is_some();
        let mut lost = Vec::new();
        for (quote, same_chat) in [(&mut line.reply_to, true), (&mut line.forwards, false)] {
            let Some(quote) = quote else { continue };
            quote.id = find(quote).filter(|(_, chat)| !same_chat || chat == chat_id).map(|(id, _)| id);
            if quote.id.is_none() && is_reference(quote) {
                lost.push(quote.given.clone());
            }
        }
        for given in lost {
            let text = format!("a quoted message is not known here: {given}");
            self.amojo.complaints.add(now_ms, channel, Some(&line.id), "quote_unknown", text);
        }
        if line.reply_to.is_some() && !self.amojo.channel(channel).is_some_and(|it| it.settings.quoting) {
            line.reply_to = None;
            let text = "quoting was not switched on for this channel";
            self.amojo.complaints.add(now_ms, channel, Some(&line.id), "quoting_off", text);
        }
    }

    /// A message as another one quotes it (reference 2.3).
    pub(crate) fn embedded(&self, id: &str) -> Option<Value> {
        let chat = self.account.channel_chats.get(self.amojo.directory.chat_of(id)?)?;
        let line = chat.find(id)?;
        let mut shown = json!({
            "id": line.id,
            "type": line.kind,
            "text": line.text,
            "media": line.media.as_ref().map_or("", |media| media.link.as_str()),
            "thumbnail": line.media.as_ref().map_or("", |media| media.thumbnail.as_str()),
            "file_name": line.media.as_ref().map_or("", |media| media.file_name.as_str()),
            "file_size": line.media.as_ref().map_or(0, |media| media.file_size),
            "timestamp": line.at.timestamp,
            "msec_timestamp": line.at.msec_timestamp,
            "sender": self.embedded_person(&line.sender_id),
        });
        if let Some(msgid) = &line.msgid {
            shown["msgid"] = json!(msgid);
        }
        if let Some(receiver) = &line.receiver_id {
            shown["receiver"] = self.embedded_person(receiver);
        }
        Some(shown)
    }

    /// `{id, name?, client_id?}`.
    pub(crate) fn embedded_person(&self, id: &str) -> Value {
        let mut shown = json!({"id": id});
        if let Some(person) = self.account.persons.get(id) {
            shown["name"] = json!(person.name);
            if let Some(client_id) = &person.client_id {
                shown["client_id"] = json!(client_id);
            }
        } else if let Some(name) = self.insider_name(id) {
            shown["name"] = json!(name);
        }
        shown
    }

    /// The name of a manager or of a channel's bot.
    pub(crate) fn insider_name(&self, amojo_id: &str) -> Option<String> {
        let user = self.account.users.iter().find(|user| user.amojo_id == amojo_id);
        let bot = || self.amojo.channels.values().find(|channel| channel.bot.id == amojo_id);
        user.map(|user| user.name.clone()).or_else(|| bot().map(|channel| channel.bot.name.clone()))
    }
}
