//! What can only be learned by sending something (14): two messages to one person whom somebody names, and nothing else.

use std::time::Duration;

use http::Method;
use serde_json::Value;
use tandem_vendor::{Failure, Finding, FindingState};

use super::{WahelpAccount, check::found};
use crate::{
    api::{Repeat, Request},
    channels::Channel,
    envelope, form,
    hook::Row,
    words::Author,
};

use FindingState::{Bad, Good, Skipped, Warning};

/// How long a message is given to get somewhere before it is looked at.
const SETTLES: Duration = Duration::from_secs(5);
/// What marks a message as an operator's (7).
const OPERATORS: &str = "from_operator";

/// How a message is marked and written down, as it is tried.
#[derive(Debug, Clone, Copy)]
struct Way {
    step: &'static str,
    what: &'static str,
    destination: Option<&'static str>,
    is_form: bool,
}

const WAYS: [Way; 2] = [
    Way { step: "json", what: "as JSON, without a destination", destination: None, is_form: false },
    Way { step: "form", what: "as a form, as an operator's", destination: Some(OPERATORS), is_form: true },
];

/// What became of one way.
struct Tried {
    way: Way,
    id: Option<String>,
    row: Option<Value>,
}

impl WahelpAccount {
    /// `to` is a client's number, or `<channel>:<number>` where there are several channels.
    pub(super) async fn probe_with(&self, to: &str) -> Vec<Finding> {
        let (channel, user) = match self.recipient(to).await {
            Ok(recipient) => recipient,
            Err(words) => return vec![found("recipient", Bad, words)],
        };
        let name = channel.shown(&self.document.channels).to_owned();
        let mut findings =
            vec![found("recipient", Good, format!("two messages go to client {user} of channel {name}"))];
        let mut tried = Vec::new();
        for way in WAYS {
            match self.try_way(&channel, &user, way).await {
                Ok(one) => {
                    findings.push(self.seen(&one));
                    tried.push(one);
                }
                Err(failure) => findings.push(found(way.step, Warning, format!("{}: {failure}", way.what))),
            }
        }
        findings.push(self.look_at_client(&channel, &user).await);
        findings.push(self.settings_block(&tried));
        findings
    }

    async fn recipient(&self, to: &str) -> Result<(Channel, String), String> {
        self.refresh_channels().await.map_err(|failure| failure.words)?;
        let channels = self.channels();
        let (named, user) = to.rsplit_once(':').map_or((None, to), |(named, user)| (Some(named), user));
        let user = envelope::id(&Value::from(user)).ok_or("expected a client's number")?;
        let documents = &self.document.channels;
        let channel = match (named, documents.as_slice(), channels.list.as_slice()) {
            (Some(named), _, _) => channels.find(named, documents).map_err(|failure| failure.words)?,
            (None, [only], _) => channels.find(&only.uuid, documents).map_err(|failure| failure.words)?,
            (None, _, [only]) => only,
            (None, _, _) => {
                return Err("there are several channels: name one, as in clients_tg:5550001".to_owned());
            }
        };
        Ok((channel.clone(), user))
    }

    async fn try_way(&self, channel: &Channel, user: &str, way: Way) -> Result<Tried, Failure> {
        let text = format!("Tandem: проверка связи / a test ({})", way.step);
        let (body, kind) = if way.is_form {
            form::multipart(&text, way.destination, None)
        } else {
            form::json(&text, way.destination)
        };
        let path = self.api.in_project(&format!("/channels/{}/send_message/{user}", channel.uuid));
        let request = Request { method: Method::POST, path, body, content_type: Some(kind) };
        self.known().sending.probes.insert(crate::text::fingerprint(&channel.id, user, &text));
        let sent = self.api.send(request).await.map_err(|not_had| not_had.failure(Repeat::Seen))?;
        let id = envelope::id(&sent["id"]);
        self.clock.sleep_until(self.clock.now().plus(SETTLES)).await;
        let row = match &id {
            Some(id) => {
                let path = self.api.in_project(&format!("/channels/{}/messages/{id}", channel.uuid));
                self.api.ask(Request::get(path)).await.ok()
            }
            None => None,
        };
        Ok(Tried { way, id, row })
    }

    fn seen(&self, tried: &Tried) -> Finding {
        let Tried { way, id, row } = tried;
        let Some(id) = id else {
            return found(way.step, Warning, format!("{}: taken, and no id of it was told", way.what));
        };
        let Some(row) = row else {
            return found(
                way.step,
                Good,
                format!("{}: taken as message {id}, which could not be read back", way.what),
            );
        };
        let row = Row::read(row);
        let shown = |word: &Option<String>| word.clone().unwrap_or_else(|| "none".to_owned());
        let mut words = format!(
            "{}: taken as message {id}; destination {}, type {}, status {}",
            way.what,
            shown(&row.destination),
            shown(&row.kind),
            shown(&row.status),
        );
        let known = &self.document.words;
        let strange_author =
            row.destination.as_deref().is_some_and(|word| known.author(word) != Author::Staff);
        let strange_status = row.status.as_deref().is_some_and(|word| known.status(word).is_none());
        if strange_author || strange_status {
            words.push_str(
                ". Some of these words mean nothing here yet: put them into the connection's words",
            );
        }
        found(way.step, if strange_author || strange_status { Warning } else { Good }, words)
    }

    /// Where a client's Telegram number may stand: the numbers themselves are not shown.
    async fn look_at_client(&self, channel: &Channel, user: &str) -> Finding {
        let path = self.api.in_project(&format!("/channels/{}/users/{user}", channel.uuid));
        let client = match self.api.ask(Request::get(path)).await {
            Ok(client) => client,
            Err(failure) => return found("client", Skipped, failure.words),
        };
        let shape = |name: &str| {
            let shape = match envelope::id(&client[name]) {
                None => "nothing",
                Some(id) if id.len() == 11 && id.starts_with('7') => "11 digits like a Russian phone",
                Some(id) if id.bytes().all(|byte| byte.is_ascii_digit()) => "a number that is no phone",
                Some(_) => "a word",
            };
            format!("{name}: {shape}")
        };
        let words = format!(
            "the client has {}, {}. If one of them is his Telegram number, set telegram_id to its name",
            shape("uid"),
            shape("uid2")
        );
        found("client", Good, words)
    }

    /// What was learned, as lines for the file.
    fn settings_block(&self, tried: &[Tried]) -> Finding {
        let Some(best) = tried.iter().find(|one| one.id.is_some()).or(tried.first()) else {
            return found("settings", Bad, "nothing could be sent: there is nothing to learn from");
        };
        let mut lines =
            vec![format!("encoding = \"{}\"", if best.way.is_form { "multipart" } else { "json" })];
        lines.extend(best.way.destination.map(|destination| format!("destination = \"{destination}\"")));
        let found_words = || {
            let rows = tried.iter().filter_map(|one| one.row.as_ref()).map(Row::read);
            rows.filter_map(|row| row.status).filter(|word| self.document.words.status(word).is_none())
        };
        for word in found_words() {
            lines.push(format!(
                "# status {word:?} is in none of the connection's words: sent, delivered, read, failed"
            ));
        }
        found("settings", Good, format!("for the route in the file:\n{}", lines.join("\n")))
    }
}
