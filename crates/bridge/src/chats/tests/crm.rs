//! A CRM that notes what it is told, recognises repeats, and fails as it is asked to.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use tandem_model::{
    Blame, ConnectionId, Timestamp, Verdict,
    message::{Act, Content, Manager, MessageKey, ReplyOrigin, ReplyResult, Speaker, Told},
};
use tandem_vendor::{
    Abilities, Account, ChatIds, Doubt, Failure, FailureKind, Finding, Found, Heard, HeardAct, HeardChat,
    History, Hook, HookRefusal, News, OpenedChat, Opening, Recognition, Spoken, Standing, Strangers, Taken,
    Telling, Tended, Tending,
};
use url::Url;

use crate::chats::Accounts;

/// The CRM.
#[derive(Debug)]
pub(super) struct Crm(Mutex<State>);

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what is switched on and off by tests, each by itself")]
struct State {
    lines: Vec<String>,
    times: Vec<i64>,
    chats: BTreeSet<String>,
    messages: BTreeMap<String, BTreeSet<String>>,
    next: VecDeque<Next>,
    standing: Standing,
    knows_people: bool,
    searchable: bool,
    /// It sends what it is told on to people: it recognises nothing, keeps no history, and knows clients by phone.
    sends_on: bool,
    /// What it sent on, as it would show it: by what each is known, and its id.
    echoes: Vec<(String, String)>,
    shows_echoes: bool,
    tends: Vec<String>,
    /// Who people are; nobody can say while there is nobody.
    contact: Option<String>,
    /// Nothing that is asked about people comes to an end.
    hangs: bool,
}

/// What becomes of the next request.
#[derive(Debug, Clone)]
pub(super) enum Next {
    /// It fails so, and nothing comes of it.
    Fails(FailureKind),
    /// It is carried out, and the answer is lost.
    LosesTheAnswer,
    /// Nothing special.
    Passes,
}

impl Crm {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            lines: Vec::new(),
            times: Vec::new(),
            chats: BTreeSet::new(),
            messages: BTreeMap::new(),
            next: VecDeque::new(),
            standing: Standing::Connected,
            knows_people: true,
            searchable: true,
            sends_on: false,
            echoes: Vec::new(),
            shows_echoes: true,
            tends: Vec::new(),
            contact: Some("contact-1".to_owned()),
            hangs: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// What it was told since it was asked last.
    pub(super) fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.state().lines)
    }

    /// The times of all messages, in the order in which they came.
    pub(super) fn times(&self) -> Vec<i64> {
        self.state().times.clone()
    }

    pub(super) fn then(&self, next: Next) {
        self.state().next.push_back(next);
    }

    pub(super) fn fails(&self, kind: &FailureKind, times: usize) {
        for _ in 0..times {
            self.then(Next::Fails(kind.clone()));
        }
    }

    /// So many go through before the next thing happens.
    pub(super) fn passes(&self, times: usize) {
        for _ in 0..times {
            self.then(Next::Passes);
        }
    }

    /// Nothing that was to fail fails any more.
    pub(super) fn recovers(&self) {
        self.state().next.clear();
    }

    pub(super) fn stands(&self, standing: Standing) {
        self.state().standing = standing;
    }

    pub(super) fn knows_people(&self, knows: bool) {
        self.state().knows_people = knows;
    }

    /// It forgets every chat and what was said there.
    pub(super) fn forgets(&self) {
        let mut state = self.state();
        state.chats.clear();
        state.messages.clear();
    }

    /// It is one that sends on what it is told.
    pub(super) fn sends_on(&self) {
        self.state().sends_on = true;
    }

    /// It does not say what it has sent on.
    pub(super) fn hides_echoes(&self) {
        self.state().shows_echoes = false;
    }

    /// Whether it can be asked what it has.
    pub(super) fn cannot_be_searched(&self) {
        self.state().searchable = false;
    }
}

impl State {
    /// What is to become of this request, and whether it is carried out first.
    fn begin(&mut self) -> Result<bool, Failure> {
        match self.next.pop_front() {
            None | Some(Next::Passes) => Ok(false),
            Some(Next::LosesTheAnswer) => Ok(true),
            Some(Next::Fails(kind)) => Err(Failure::new(kind, "as the test asked")),
        }
    }

    fn has(&self, ids: &ChatIds, key: &MessageKey) -> bool {
        let chat = ids.chat.as_deref().unwrap_or_default();
        self.messages.get(chat).is_some_and(|messages| messages.contains(key.as_str()))
    }
}

fn lost<T>(answer: T, is_lost: bool) -> Result<T, Failure> {
    if is_lost {
        Err(Failure::new(FailureKind::Lost { blame: Blame::Event }, "no answer"))
    } else {
        Ok(answer)
    }
}

/// Something that was sent on, as it comes back.
fn echo(fingerprint: &str, id: &str) -> News {
    let chat = HeardChat {
        theirs: String::new(),
        ours: None,
        person: None,
        person_ours: None,
        phone: None,
        source: None,
    };
    let by = Manager { id: "from_operator".to_owned(), name: None };
    let heard =
        Heard { id: Some(id.to_owned()), chat, by, at: Timestamp::EPOCH, act: HeardAct::Said(String::new()) };
    News::Spoken(Box::new(Spoken { heard, fingerprint: fingerprint.to_owned(), doubt: Doubt::None }))
}

fn who(by: &Speaker) -> String {
    match by {
        Speaker::Client(client) => client.name.clone(),
        Speaker::Bot { app } => format!("bot/{}", app.as_deref().unwrap_or("?")),
        Speaker::Manager(manager) => format!("manager {}", manager.name.as_deref().unwrap_or("?")),
    }
}

fn line(telling: &Telling) -> String {
    let Told { key, by, act, .. } = &telling.told;
    let silent = if telling.silent { "(silent) " } else { "" };
    let place = telling.ids.ours.as_deref().map(|ours| format!("[{ours}] ")).unwrap_or_default();
    let number = key.as_str().rsplit(':').next().unwrap_or_default();
    let words = |body: &tandem_model::message::Body| {
        let content = match &body.content {
            Content::Text => String::new(),
            Content::Line => "* ".to_owned(),
            Content::File(file) => format!("<{}> ", file.link.as_deref().unwrap_or("no link")),
            Content::Place(_) => "<place> ".to_owned(),
            Content::Contact(card) => format!("<{}> ", card.phone),
        };
        let quote = body.quote.as_ref().and_then(|quote| quote.key.as_ref());
        let quote = quote.map(|key| match &telling.quoted {
            Some(theirs) => format!(" ^{theirs}"),
            None => format!(" ^{}", key.as_str().rsplit(':').next().unwrap_or_default()),
        });
        format!("{content}{}{}", body.text, quote.unwrap_or_default())
    };
    let about = telling.message.as_deref().unwrap_or(number);
    match act {
        Act::Said(body) => format!("{place}{silent}{}: {}", who(by), words(body)),
        Act::Edited(body) => format!("{place}{silent}{} edits {about}: {}", who(by), words(body)),
        Act::Reacted { now, before } => {
            format!("{place}{} on {about}: {} -> {}", who(by), before.join(""), now.join(""))
        }
    }
}

#[async_trait]
impl Account for Crm {
    fn abilities(&self) -> Abilities {
        if self.state().sends_on {
            let (repeats, history) = (Recognition::None, History::None);
            return Abilities { repeats, history, strangers: Strangers::Ordinary };
        }
        Abilities::ALL
    }

    fn fingerprint(&self, telling: &Telling) -> Option<String> {
        Some(format!("echo:{}", line(telling)))
    }

    async fn heard_since(&self, _: Timestamp) -> Option<Result<Vec<News>, Failure>> {
        let state = self.state();
        let shown = state.echoes.iter().filter(|_| state.shows_echoes);
        Some(Ok(shown.map(|(fingerprint, id)| echo(fingerprint, id)).collect()))
    }

    async fn connect(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn standing(&self) -> Standing {
        self.state().standing.clone()
    }

    fn knows_people(&self) -> bool {
        self.state().knows_people
    }

    async fn open_chat(&self, opening: &Opening) -> Result<OpenedChat, Failure> {
        let mut state = self.state();
        let is_lost = state.begin()?;
        let Opening { chat, client, starts, contact, .. } = opening;
        if state.sends_on && client.phone.is_none() {
            return Err(Failure::new(FailureKind::NoPhone, "no phone yet"));
        }
        let mut line = format!("opens {chat} with {}", client.name);
        for (word, value) in [
            ("@", client.username.as_ref()),
            ("phone ", client.phone.as_ref()),
            ("picture ", client.avatar.as_ref()),
            ("contact ", contact.as_ref()),
        ] {
            if let Some(value) = value {
                line.extend([" ", word, value.as_str()]);
            }
        }
        if !starts.is_empty() {
            line.extend([" from ", &starts.join(", ")]);
        }
        state.lines.push(line);
        let theirs = format!("C-{chat}");
        state.chats.insert(theirs.clone());
        let person = Some(format!("P-{}", client.person));
        let opened = OpenedChat {
            ids: ChatIds { ours: None, chat: Some(theirs), person },
            contact: contact.clone().or_else(|| state.contact.clone()),
        };
        lost(opened, is_lost)
    }

    async fn tend(&self, tending: &Tending) -> Result<Tended, Failure> {
        let Tending { opening, called, occasion, .. } = tending;
        let (hangs, contact) = {
            let mut state = self.state();
            state.begin()?;
            let mut line = format!("{occasion:?} {} {}", opening.chat, opening.client.name);
            for (word, value) in
                [("was ", called), ("phone ", &opening.client.phone), ("contact ", &opening.contact)]
            {
                if let Some(value) = value {
                    line.extend([" ", word, value.as_str()]);
                }
            }
            state.tends.push(line);
            (state.hangs, state.contact.clone())
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        Ok(Tended { contact: opening.contact.clone().or(contact) })
    }

    async fn tell(&self, telling: &Telling) -> Result<Taken, Failure> {
        let mut state = self.state();
        let is_lost = state.begin()?;
        let chat = telling.ids.chat.clone().unwrap_or_default();
        if !state.chats.contains(&chat) {
            return Err(Failure::new(FailureKind::Gone, "no such chat"));
        }
        let key = &telling.told.key;
        let refused = |words: &str| Err(Failure::new(FailureKind::Refused, words));
        match &telling.told.act {
            _ if state.sends_on => {}
            Act::Said(_) if state.has(&telling.ids, key) => return refused("there is such a message"),
            Act::Said(body) => {
                let quote = body.quote.as_ref().and_then(|quote| quote.key.as_ref());
                if telling.quoted.is_none() && quote.is_some_and(|quote| !state.has(&telling.ids, quote)) {
                    return refused("no such message to answer");
                }
            }
            Act::Edited(_) if telling.message.is_none() && !state.has(&telling.ids, key) => {
                return refused("no such message to edit");
            }
            Act::Reacted { .. } if telling.message.is_none() && !state.has(&telling.ids, key) => {
                return Err(Failure::new(FailureKind::Gone, "no such message to react to"));
            }
            Act::Edited(_) | Act::Reacted { .. } => {}
        }
        state.messages.entry(chat).or_default().insert(key.as_str().to_owned());
        state.times.push(telling.told.at.as_millis());
        state.lines.push(line(telling));
        let message = state.sends_on.then(|| format!("M{}", state.echoes.len() + 1));
        if let Some(id) = &message {
            state.echoes.push((format!("echo:{}", line(telling)), id.clone()));
        }
        lost(Taken { message }, is_lost)
    }

    async fn find(&self, chat: &ChatIds, key: &MessageKey) -> Result<Found, Failure> {
        let mut state = self.state();
        state.begin()?;
        if !state.searchable {
            return Ok(Found::Unknowable);
        }
        Ok(if state.has(chat, key) { Found::Yes(None) } else { Found::No })
    }

    async fn report(&self, origin: &ReplyOrigin, result: &ReplyResult) -> Result<(), Failure> {
        let mut state = self.state();
        let is_lost = state.begin()?;
        let word = match result {
            ReplyResult::Sent { messages } => format!("sent as {}", messages.len()),
            ReplyResult::Failed { words, .. } => format!("failed: {words}"),
            ReplyResult::Unknown { .. } => "unknown".to_owned(),
        };
        state.lines.push(format!("{} {word}", origin.message));
        lost((), is_lost)
    }

    async fn note(&self, chat: &ChatIds, words: &str) -> Result<bool, Failure> {
        let mut state = self.state();
        state.begin()?;
        let line = format!("note on {}: {words}", chat.chat.as_deref().unwrap_or_default());
        state.lines.push(line);
        Ok(true)
    }

    fn owns(&self, _path: &[String]) -> bool {
        false
    }

    fn hear(&self, _hook: &Hook) -> Result<Vec<News>, HookRefusal> {
        Ok(Vec::new())
    }

    async fn missed(&self, _chat: &ChatIds, _since: Timestamp) -> Result<Vec<Heard>, Failure> {
        Ok(Vec::new())
    }

    fn may_fetch(&self, _url: &Url) -> bool {
        false
    }

    fn authorize_url(&self, _state: &str) -> Option<Url> {
        None
    }

    async fn take_grant(&self, _query: &[(String, String)]) -> Result<(), Failure> {
        Ok(())
    }

    async fn check(&self) -> Vec<Finding> {
        Vec::new()
    }
}

/// Where the routes of a test find it.
#[derive(Debug)]
pub(super) struct OneAccount(pub(super) Arc<Crm>);

impl Accounts for OneAccount {
    fn account(&self, _connection: ConnectionId) -> Result<Arc<dyn Account>, Verdict> {
        Ok(Arc::<Crm>::clone(&self.0))
    }
}

impl Crm {
    /// How people were looked after since it was asked last.
    pub(super) fn tended(&self) -> Vec<String> {
        std::mem::take(&mut self.state().tends)
    }

    /// Whether it can say who people are.
    pub(super) fn knows(&self, contact: Option<&str>) {
        self.state().contact = contact.map(str::to_owned);
    }

    /// Whether what is asked about people never comes to an end.
    pub(super) fn hangs(&self, hangs: bool) {
        self.state().hangs = hangs;
    }

    /// It knows a chat that a manager began there.
    pub(super) fn begins(&self, theirs: &str) {
        self.state().chats.insert(theirs.to_owned());
    }
}
