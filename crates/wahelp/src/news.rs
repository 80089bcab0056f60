//! What a message at Wahelp means to us. Pure: whether it is an echo of ours is for whoever knows what was sent.

use jiff::tz::Offset;
use tandem_model::{
    Timestamp,
    message::{AttachmentKind, Manager, PersonKey, RemoteFile, ReplyAct},
};
use tandem_vendor::{Doubt, Heard, HeardAct, HeardChat, News, Notice, Noticed, Spoken};

use crate::{
    document::{TelegramId, WordsDocument},
    hook::Row,
    text, time,
    words::Author,
};

/// Types that a message may have without anybody wondering.
const KNOWN_KINDS: &[&str] = &["text", "audio", "voice", "image", "photo", "video", "document", "file"];

/// What has to be known to understand a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) words: &'a WordsDocument,
    pub(crate) offset: Offset,
    pub(crate) telegram_id: TelegramId,
    pub(crate) now: Timestamp,
}

/// What happened to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happened {
    Created,
    Updated,
    Deleted,
}

impl Happened {
    /// Reads the name of an event; `None` for what is about no message.
    pub(crate) fn read(action: &str) -> Option<Self> {
        match action {
            "channel.message.created" | "message.created" => Some(Self::Created),
            "channel.message.updated"
            | "message.updated"
            | "message.delivered"
            | "message.read"
            | "message.failed" => Some(Self::Updated),
            "channel.message.deleted" | "message.deleted" => Some(Self::Deleted),
            _ => None,
        }
    }
}

/// What a hook says of a message; `doubt` says of a chat whether something is being told there just now.
pub(crate) fn of_message(
    known: &Known<'_>,
    action: &str,
    row: &Row,
    doubt: impl FnOnce(&str, &str) -> Doubt,
) -> Vec<News> {
    let ignored = |word: String| vec![News::Ignored(word)];
    match Happened::read(action) {
        None => ignored(action.to_owned()),
        Some(Happened::Deleted) => ignored("channel.message.deleted".to_owned()),
        Some(_) if known.words.marker(&row.text).is_some() => {
            ignored(known.words.marker(&row.text).unwrap_or_default().to_owned())
        }
        Some(Happened::Created) => created(known, row, doubt),
        Some(Happened::Updated) => updated(known, action, row),
    }
}

fn updated(known: &Known<'_>, action: &str, row: &Row) -> Vec<News> {
    let last = action.rsplit('.').next().filter(|last| *last != "updated");
    let Some(status) = row.status.as_deref().or(last) else {
        return vec![News::Ignored("an edit".to_owned())];
    };
    match (known.words.status(status), &row.id) {
        (Some(how), Some(id)) => vec![News::Arrived { message: id.clone(), how }],
        (None, _) => vec![News::Ignored(format!("status={status}"))],
        (Some(_), None) => vec![News::Ignored("a status of nothing".to_owned())],
    }
}

fn created(known: &Known<'_>, row: &Row, doubt: impl FnOnce(&str, &str) -> Doubt) -> Vec<News> {
    let destination = row.destination.as_deref().unwrap_or_default();
    let word = match known.words.author(destination) {
        Author::Staff => return spoken(known, row, destination, doubt),
        Author::Client => return shown(known, row),
        Author::Taken => "contact_in_work".to_owned(),
        Author::Automatic | Author::Service | Author::Unknown => format!("destination={destination}"),
    };
    vec![News::Ignored(word)]
}

/// A client's own words say whose dialogue this is, to whoever has relayed them to Wahelp.
fn shown(known: &Known<'_>, row: &Row) -> Vec<News> {
    let (Some(id), Some(channel), Some(user)) = (&row.id, &row.channel, &row.user) else {
        return vec![News::Ignored("a client's message without its number, channel or client".to_owned())];
    };
    let chat = heard_chat(known, row, channel, user);
    let notice = match chat.person_ours.as_deref().and_then(PersonKey::read) {
        Some(user) => Notice::Met { user, bot: None },
        None => Notice::Shown { text: row.text.clone(), name: None },
    };
    // Its number is another's than a manager's message would have.
    let id = format!("from:{id}");
    vec![News::Noticed(Box::new(Noticed { id, chat, contact: None, at: at(known, row), notice }))]
}

fn at(known: &Known<'_>, row: &Row) -> Timestamp {
    time::read(&row.at, known.offset).unwrap_or(known.now)
}

fn heard_chat(known: &Known<'_>, row: &Row, channel: &str, user: &str) -> HeardChat {
    let telegram = match known.telegram_id {
        TelegramId::None => None,
        TelegramId::Uid => row.uid.as_ref(),
        TelegramId::Uid2 => row.uid2.as_ref(),
    };
    HeardChat {
        theirs: chat(channel, user),
        ours: None,
        person: Some(user.to_owned()),
        person_ours: telegram.filter(|id| is_telegram_id(id)).map(|id| format!("tg:{id}")),
        // Never by the phone alone: several people may have one, and some have none (12.3).
        phone: None,
        source: None,
    }
}

fn spoken(
    known: &Known<'_>,
    row: &Row,
    destination: &str,
    doubt: impl FnOnce(&str, &str) -> Doubt,
) -> Vec<News> {
    let (Some(id), Some(channel), Some(user)) = (&row.id, &row.channel, &row.user) else {
        return vec![News::Ignored("a message without its number, channel or client".to_owned())];
    };
    let mut news = Vec::new();
    if let Some(kind) = row.kind.as_deref().filter(|kind| !KNOWN_KINDS.contains(kind)) {
        news.push(News::Ignored(format!("message_type={kind}")));
    }
    let file = row.file_url.as_ref().map(|url| file(url, row.kind.as_deref()));
    if row.text.trim().is_empty() && file.is_none() {
        news.push(News::Ignored("a message without text and file".to_owned()));
        return news;
    }
    let act = ReplyAct::Say { text: row.text.clone(), file, keyboard: None, quote: None, album: None };
    let heard = Heard {
        id: Some(id.clone()),
        chat: heard_chat(known, row, channel, user),
        by: Manager { id: row.operator.clone().unwrap_or_else(|| destination.to_owned()), name: None },
        at: at(known, row),
        act: HeardAct::Reply(act),
    };
    let fingerprint = text::fingerprint(channel, user, &row.text);
    news.push(News::Spoken(Box::new(Spoken { heard, fingerprint, doubt: doubt(channel, user) })));
    news
}

/// The name of a chat: the client in one channel.
pub(crate) fn chat(channel: &str, user: &str) -> String {
    format!("{channel}:{user}")
}

fn is_telegram_id(id: &str) -> bool {
    id.parse::<i64>().is_ok_and(|id| id > 0)
}

fn file(url: &str, kind: Option<&str>) -> RemoteFile {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default();
    let kind = match (kind, ending.as_str()) {
        (Some("voice"), _) | (_, "oga") => AttachmentKind::Voice,
        (Some("image" | "photo"), _) | (_, "jpg" | "jpeg" | "png" | "webp") => AttachmentKind::Picture,
        (Some("video"), _) | (_, "mp4" | "mov") => AttachmentKind::Video,
        (Some("audio"), _) | (_, "mp3" | "m4a" | "ogg") => AttachmentKind::Audio,
        _ => AttachmentKind::File,
    };
    RemoteFile { kind, url: url.to_owned(), name: name.to_owned(), size_bytes: None }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tandem_vendor::Arrived;

    use super::*;

    fn news(action: &str, row: &Value, telegram_id: TelegramId) -> Vec<News> {
        let words = WordsDocument::default();
        let known = Known {
            words: &words,
            offset: time::offset("+03:00").unwrap(),
            telegram_id,
            now: Timestamp::from_secs(1_800_000_000),
        };
        of_message(&known, action, &Row::read(row), |_, _| Doubt::None)
    }

    fn row(destination: &str, text: &str) -> Value {
        json!({"id": 9, "channel_id": 31001, "user_id": 5, "destination": destination, "message_type": "text",
            "message": text, "created_at": "2026-06-01 12:30:45", "user": {"id": 5, "uid": "1001", "phone": "79990001122"}})
    }

    fn spoken_of(news: &[News]) -> &Spoken {
        match news {
            [News::Spoken(spoken)] => spoken,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn staff_is_heard_by_channel_and_client_and_never_by_phone() {
        for destination in ["from_operator", "from_whatsapp", "from_telegram", "from_new"] {
            let news = news("channel.message.created", &row(destination, "Until 21:00"), TelegramId::None);
            let Spoken { heard, fingerprint, .. } = spoken_of(&news);
            assert_eq!(heard.id.as_deref(), Some("9"));
            let HeardChat { theirs, person, ours, person_ours, phone, source } = &heard.chat;
            assert_eq!((theirs.as_str(), person.as_deref()), ("31001:5", Some("5")));
            assert!(ours.is_none() && person_ours.is_none() && phone.is_none() && source.is_none());
            assert_eq!(heard.at, Timestamp::from_secs(1_780_306_245));
            assert_eq!(*fingerprint, text::fingerprint("31001", "5", "Until 21:00"));
            assert!(
                matches!(&heard.act, HeardAct::Reply(ReplyAct::Say { text, .. }) if text == "Until 21:00")
            );
        }
        let shown = news("channel.message.created", &row("from_operator", "x"), TelegramId::Uid);
        assert_eq!(spoken_of(&shown).heard.chat.person_ours.as_deref(), Some("tg:1001"));
    }

    #[test]
    fn a_clients_own_words_say_whose_dialogue_it_is() {
        let noticed = |telegram_id| match &news("channel.message.created", &row("from", "hi"), telegram_id)[..]
        {
            [News::Noticed(noticed)] => (**noticed).clone(),
            other => panic!("{other:?}"),
        };
        let shown = noticed(TelegramId::None);
        assert_eq!((shown.id.as_str(), shown.chat.theirs.as_str()), ("from:9", "31001:5"));
        assert_eq!(shown.notice, Notice::Shown { text: "hi".to_owned(), name: None });
        let user = tandem_model::UserId::new(1001).unwrap();
        assert_eq!(noticed(TelegramId::Uid).notice, Notice::Met { user, bot: None });
        assert!(matches!(noticed(TelegramId::Uid2).notice, Notice::Shown { .. }), "it has none there");
    }

    #[test]
    fn what_is_no_managers_message_is_counted_by_its_word() {
        for (destination, word) in [
            ("contact_in_work", "contact_in_work"),
            ("to", "destination=to"),
            ("notice_x", "destination=notice_x"),
            ("brand_new", "destination=brand_new"),
            ("", "destination="),
        ] {
            let news = news("channel.message.created", &row(destination, "x"), TelegramId::None);
            assert_eq!(news, [News::Ignored(word.to_owned())], "{destination}");
        }
        for (action, text, word) in [
            ("channel.message.created", "_Incoming call_", "a call"),
            ("channel.message.updated", "_Message deleted_", "a deleted message"),
            ("channel.message.deleted", "x", "channel.message.deleted"),
            ("channel.user.created", "x", "channel.user.created"),
            ("channel.message.updated", "changed", "an edit"),
            ("channel.message.created", "", "a message without text and file"),
        ] {
            let news = news(action, &row("from_operator", text), TelegramId::None);
            assert_eq!(news, [News::Ignored(word.to_owned())], "{action} {text}");
        }
    }

    #[test]
    fn a_status_says_how_far_a_message_has_come() {
        let mut update = row("from_operator", "x");
        for (status, how) in [("sent", Arrived::Sent), ("Read", Arrived::Read), ("error", Arrived::Failed)] {
            update["status"] = json!(status);
            let news = news("channel.message.updated", &update, TelegramId::None);
            assert_eq!(news, [News::Arrived { message: "9".to_owned(), how }], "{status}");
        }
        update["status"] = json!("queued");
        let unknown = news("channel.message.updated", &update, TelegramId::None);
        assert_eq!(unknown, [News::Ignored("status=queued".to_owned())]);
        update["status"] = Value::Null;
        let named = news("message.delivered", &update, TelegramId::None);
        assert_eq!(named, [News::Arrived { message: "9".to_owned(), how: Arrived::Delivered }]);
    }

    #[test]
    fn a_file_is_what_its_type_and_name_say() {
        for (url, kind, expected) in [
            ("https://f/v.oga", "audio", AttachmentKind::Voice),
            ("https://f/a.mp3?x=1.jpg", "audio", AttachmentKind::Audio),
            ("https://f/a.jpg", "file", AttachmentKind::Picture),
            ("https://f/a", "video", AttachmentKind::Video),
            ("https://f/a.pdf", "sticker", AttachmentKind::File),
        ] {
            let mut message = row("from_operator", "");
            (message["file_url"], message["message_type"]) = (json!(url), json!(kind));
            let news = news("channel.message.created", &message, TelegramId::None);
            let Some(News::Spoken(spoken)) = news.last() else { panic!("{news:?}") };
            let HeardAct::Reply(ReplyAct::Say { file: Some(file), .. }) = &spoken.heard.act else { panic!() };
            assert_eq!(file.kind, expected, "{url}");
            assert_eq!(news.len(), if kind == "sticker" { 2 } else { 1 }, "an unknown type is counted");
        }
    }
}
