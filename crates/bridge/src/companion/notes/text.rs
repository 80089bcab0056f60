//! What a note says: pure, of the events it is made of.

use std::sync::Arc;

use tandem_gateway::{Author, SentDocument};
use tandem_model::{
    Event,
    message::{Act, Body, Content, Language, Manager, MessageKey, MessagePlace, Speaker, Told},
};
use tandem_telegram::{
    methods,
    told::{self, Call},
};

use crate::rules::{Decision, RouteRules};

/// Most characters of one message; it is shortened beyond them.
const MESSAGE_CHARACTERS: usize = 1000;
/// Most characters of a note.
const NOTE_CHARACTERS: usize = 8000;
/// A menu's text is no longer than this.
const MENU_CHARACTERS: usize = 40;

/// How a route's notes are read off events.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    /// The route's name.
    pub(super) route: String,
    pub(super) language: Language,
    /// What of it the owner does not want there.
    pub(super) rules: RouteRules,
}

/// A message as it stands in a note.
struct Line {
    key: MessageKey,
    by: String,
    text: String,
}

impl Reader {
    /// What stands in the note; `None` where nothing is worth one.
    pub(super) fn note(&self, events: &[Arc<Event>]) -> Option<String> {
        let mut lines: Vec<Line> = Vec::new();
        for event in events {
            if !self.rules.is_empty() && self.rules.decide(event).decision == Decision::Skip {
                continue;
            }
            let Ok(sent) = serde_json::from_slice::<SentDocument<'_>>(&event.new.body) else { continue };
            if methods::Act::from_topic(event.topic) == Some(methods::Act::Delete) {
                let gone = deleted(event, &sent);
                lines.retain(|line| !gone.contains(&line.key));
                continue;
            }
            for told in self.told(event, &sent) {
                self.put(told, &mut lines);
            }
        }
        let mut note = String::new();
        let mut speaker = None;
        for line in lines {
            if note.chars().count() + line.text.chars().count() > NOTE_CHARACTERS {
                note.push_str("\n…");
                break;
            }
            if speaker.as_ref() != Some(&line.by) {
                if !note.is_empty() {
                    note.push_str("\n\n");
                }
                note.push_str(&line.by);
                speaker = Some(line.by);
            }
            note.push_str("\n— ");
            note.push_str(&line.text);
        }
        (!note.is_empty()).then_some(note)
    }

    fn told(&self, event: &Event, sent: &SentDocument<'_>) -> Vec<Told> {
        let by = match &sent.by {
            Author::App(app) => Speaker::Bot { app: Some(app.as_ref().to_owned()) },
            // Its own manager's words are there already.
            Author::Manager { route, .. } | Author::ManagerPastUs { route, .. } if *route == *self.route => {
                return Vec::new();
            }
            Author::Manager { id, name, .. } | Author::ManagerPastUs { id, name, .. } => {
                Speaker::Manager(Manager {
                    id: id.as_ref().to_owned(),
                    name: name.as_deref().map(str::to_owned),
                })
            }
        };
        let (parameters, result) = (&sent.parameters, sent.result.get().as_bytes());
        let call = Call { method: &sent.method, parameters, result };
        told::of_call(self.language, event.bot, event.at, &by, &call)
            .into_iter()
            .map(|spoken| spoken.told)
            .collect()
    }

    fn put(&self, told: Told, lines: &mut Vec<Line>) {
        let by = self.speaker(&told.by);
        let before = lines.iter_mut().find(|line| line.key == told.key);
        match (told.act, before) {
            (Act::Edited(body), Some(line)) => line.text = words(&body),
            (Act::Said(body), None) if !is_menu(&body) => {
                lines.push(Line { key: told.key, by, text: words(&body) });
            }
            (Act::Edited(body), None) if !is_menu(&body) => {
                let text = format!("{}: {}", self.language.pick("изменено", "edited"), words(&body));
                lines.push(Line { key: told.key, by, text });
            }
            (Act::Said(_) | Act::Edited(_) | Act::Reacted { .. }, _) => {}
        }
    }

    fn speaker(&self, by: &Speaker) -> String {
        match by {
            Speaker::Bot { .. } | Speaker::Client(_) => self.language.pick("Бот:", "The bot:").to_owned(),
            Speaker::Manager(manager) => {
                let name = manager.name.as_deref().unwrap_or(self.language.pick("Менеджер", "A manager"));
                format!("{name}:")
            }
        }
    }
}

/// What a message says, in one line or several.
fn words(body: &Body) -> String {
    let what = match &body.content {
        Content::Text | Content::Line => None,
        Content::File(file) => Some(format!("[{}]", file.name)),
        Content::Place(place) => Some(match &place.title {
            Some(title) => format!("[{title}: {}, {}]", place.latitude, place.longitude),
            None => format!("[{}, {}]", place.latitude, place.longitude),
        }),
        Content::Contact(card) => Some(format!("[{}, {}]", card.name, card.phone)),
    };
    let text = (!body.text.trim().is_empty()).then(|| body.text.trim().to_owned());
    let words = what.into_iter().chain(text).collect::<Vec<_>>().join(" ");
    shortened(&words)
}

/// Whether a message is there for its buttons alone: one short line without a number in it. A number is news: a sum, an
/// order, a time.
fn is_menu(body: &Body) -> bool {
    let text = body.text.trim();
    body.content == Content::Text
        && !body.buttons.is_empty()
        && !text.contains('\n')
        && text.chars().count() <= MENU_CHARACTERS
        && !text.chars().any(char::is_numeric)
}

/// The messages that a call has deleted.
fn deleted(event: &Event, sent: &SentDocument<'_>) -> Vec<MessageKey> {
    let Ok(chat) = event.conversation.as_str().parse() else { return Vec::new() };
    let one = sent.parameters.text("message_id").and_then(|id| id.trim().parse::<i64>().ok());
    let several =
        sent.parameters.text("message_ids").and_then(|ids| serde_json::from_str::<Vec<i64>>(ids).ok());
    let messages = one.into_iter().chain(several.into_iter().flatten());
    messages
        .map(|message| MessageKey::of(event.bot, &MessagePlace { business: None, chat, message }))
        .collect()
}

fn shortened(words: &str) -> String {
    match words.char_indices().nth(MESSAGE_CHARACTERS) {
        None => words.to_owned(),
        Some((end, _)) => format!("{}…", &words[..end]),
    }
}
