//! What becomes of Telegram's objects. Each content is given as Telegram writes it and compared as people would read it.

mod around;
mod calls;
mod hostile;
mod kinds;
mod updates;

use bytes::Bytes;
use tandem_model::{
    BotId, Event, Seq, SourceId, Timestamp,
    message::{Act, Attachment, Body, Content, Language, Speaker, Told},
};

use crate::update::UpdateView;

const BOT: i64 = 777;

fn bot() -> BotId {
    BotId::new(BOT).unwrap()
}

/// An update as it stands in the journal.
fn event(update: &str) -> Event {
    let body = Bytes::from(update.to_owned());
    let received = Timestamp::from_secs(1_800_000_000);
    let new = UpdateView::of(&body).unwrap().to_event(SourceId::new(1).unwrap(), received);
    Event { bot: bot(), seq: Seq::new(1).unwrap(), virtual_id: None, appended_at: received, new }
}

fn told(update: &str) -> Option<Told> {
    super::of_update(Language::English, &event(update))
}

/// A private message with these members.
fn private(members: &str) -> String {
    format!(
        r#"{{"update_id":5,"message":{{"message_id":42,"date":1767607300,
        "chat":{{"id":1001,"type":"private","first_name":"Ann"}},
        "from":{{"id":1001,"is_bot":false,"first_name":"Ann","last_name":"Lee","username":"ann"}},{members}}}}}"#
    )
}

fn said(update: &str) -> Body {
    match told(update).expect("it is told").act {
        Act::Said(body) => body,
        other => panic!("{other:?}"),
    }
}

/// Content and text in one line.
fn shown(body: &Body) -> String {
    let content = match &body.content {
        Content::Text => String::new(),
        Content::Line => "[line] ".to_owned(),
        Content::File(file) => format!("[{}] ", shown_file(file)),
        Content::Place(place) => {
            let title = place.title.iter().fold(String::new(), |_, title| format!(" {title}"));
            format!("[place {} {}{title}] ", place.latitude, place.longitude)
        }
        Content::Contact(card) => {
            format!("[contact {} {}{}] ", card.name, card.phone, if card.own { " own" } else { "" })
        }
    };
    format!("{content}{}", body.text).trim_end().replace('\n', " / ")
}

fn shown_file(file: &Attachment) -> String {
    let kind = format!("{:?}", file.kind).to_lowercase();
    let mut parts = vec![kind, file.file.id.clone(), file.name.clone()];
    parts.extend(file.mime.clone());
    parts.extend(file.size_bytes.map(|size| format!("{size}B")));
    parts.extend(file.duration_secs.map(|seconds| format!("{seconds}s")));
    parts.join(" ")
}

fn speaker(speaker: &Speaker) -> String {
    match speaker {
        Speaker::Client(client) => {
            let name = client.username.iter().fold(String::new(), |_, name| format!(" @{name}"));
            let phone = client.phone.iter().fold(String::new(), |_, phone| format!(" {phone}"));
            format!("client {} {}{name}{phone}", client.person, client.name)
        }
        Speaker::Bot { app } => format!("bot {}", app.as_deref().unwrap_or("?")),
        Speaker::Manager(manager) => {
            format!("manager {} {}", manager.id, manager.name.as_deref().unwrap_or("?"))
        }
    }
}
