//! What a client said, as the text of a message: whose words they are stands in front, since in the channel everything
//! is ours (7). Plain text, because marks would be shown.

use sha2::{Digest, Sha256};
use tandem_model::message::{Act, Attachment, AttachmentKind, Body, Content, Language, Speaker, Told};

/// Longest text, in characters: what is longer is cut, visibly. Nothing is known of Wahelp's own limit.
const TEXT_CHARS: usize = 4096;

/// The text of something that was said, and the file that goes as a file and stands in no line. `None` for what is no
/// new message.
pub(crate) fn of(told: &Told, language: Language, file_goes: bool) -> Option<String> {
    let Act::Said(body) = &told.act else { return None };
    let mut lines = Vec::new();
    if let Some(from) = &body.forwarded_from {
        lines.push(format!("{}: {from}", language.pick("Переслано от", "Forwarded from")));
    }
    if let Some(quote) = body.quote.as_ref().filter(|quote| !quote.text.trim().is_empty()) {
        let by = quote.by.as_deref().map(|by| format!("{by}: ")).unwrap_or_default();
        lines.push(format!("> {by}{}", quote.text.trim()));
    }
    lines.extend(carried(body, language, file_goes));
    if !body.text.trim().is_empty() {
        lines.push(body.text.clone());
    }
    for row in body.buttons.iter().filter(|row| !row.is_empty()) {
        lines.push(format!("[{}]", row.join("] [")));
    }
    if lines.is_empty() && !file_goes {
        lines.push(language.pick("(пустое сообщение)", "(empty message)").to_owned());
    }
    let by = match &told.by {
        Speaker::Client(client) => client.name.clone(),
        Speaker::Bot { .. } => language.pick("Бот", "Bot").to_owned(),
        Speaker::Manager(manager) => {
            manager.name.clone().unwrap_or_else(|| language.pick("Менеджер", "Manager").to_owned())
        }
    };
    Some(cut(format!("{by}: {}", lines.join("\n")).trim_end().to_owned()))
}

fn carried(body: &Body, language: Language, file_goes: bool) -> Vec<String> {
    match &body.content {
        Content::Text | Content::Line => Vec::new(),
        Content::File(_) if file_goes => Vec::new(),
        Content::File(file) => vec![file_line(file, language)],
        Content::Contact(card) => vec![format!("{} {}", card.name, card.phone)],
        Content::Place(place) => {
            let at = format!("https://maps.google.com/?q={},{}", place.latitude, place.longitude);
            place.title.iter().cloned().chain([at]).collect()
        }
    }
}

fn file_line(file: &Attachment, language: Language) -> String {
    let word = match file.kind {
        AttachmentKind::Picture => language.pick("Фото", "Photo"),
        AttachmentKind::Video => language.pick("Видео", "Video"),
        AttachmentKind::Voice => language.pick("Голосовое сообщение", "Voice message"),
        AttachmentKind::Audio => language.pick("Аудио", "Audio"),
        AttachmentKind::File => language.pick("Файл", "File"),
        AttachmentKind::Sticker => language.pick("Стикер", "Sticker"),
    };
    match &file.link {
        Some(link) => format!("{word}: {link}"),
        None => format!("[{word}: {}]", file.name),
    }
}

fn cut(text: String) -> String {
    if text.chars().count() <= TEXT_CHARS {
        return text;
    }
    text.chars().take(TEXT_CHARS - 1).chain(['…']).collect()
}

/// By what the same text in the same chat is known, whatever Wahelp does to spaces. Addresses do not count: a file has
/// another one each time.
pub(crate) fn fingerprint(channel: &str, user: &str, text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{channel}\n{user}\n"));
    let is_address = |word: &&str| word.starts_with("http://") || word.starts_with("https://");
    for word in text.split_whitespace().filter(|word| !is_address(word)) {
        hash.update(word);
        hash.update(" ");
    }
    format!("echo:{}", hex::encode(&hash.finalize()[..16]))
}

#[cfg(test)]
mod tests {
    use tandem_model::{
        BotId, Timestamp, UserId,
        message::{ChatKey, Client, ContactCard, FileRef, MessageKey, MessagePlace, PersonKey, Place, Quote},
    };

    use super::*;

    fn said(by: Speaker, content: Content, text: &str) -> Told {
        let bot = BotId::new(777).unwrap();
        let body = Body {
            content,
            text: text.to_owned(),
            quote: None,
            forwarded_from: None,
            album: None,
            buttons: Vec::new(),
        };
        Told {
            key: MessageKey::of(bot, &MessagePlace { business: None, chat: 1, message: 2 }),
            chat: ChatKey::of(bot, None, 1),
            at: Timestamp::EPOCH,
            by,
            act: Act::Said(body),
        }
    }

    fn ann() -> Speaker {
        Speaker::Client(Client {
            person: PersonKey::of(UserId::new(1).unwrap()),
            name: "Ann".to_owned(),
            username: None,
            phone: None,
            avatar: None,
        })
    }

    fn photo(link: Option<&str>) -> Content {
        Content::File(Attachment {
            kind: AttachmentKind::Picture,
            file: FileRef { id: "f".to_owned(), unique_id: "u".to_owned() },
            name: "p.jpg".to_owned(),
            mime: None,
            size_bytes: None,
            duration_secs: None,
            link: link.map(str::to_owned),
        })
    }

    #[test]
    fn whose_words_they_are_stands_in_front() {
        let en = |told: &Told| of(told, Language::English, false).unwrap();
        assert_eq!(en(&said(ann(), Content::Text, "hello\nthere")), "Ann: hello\nthere");
        assert_eq!(en(&said(Speaker::Bot { app: None }, Content::Text, "hi")), "Bot: hi");
        assert_eq!(
            of(&said(Speaker::Bot { app: None }, Content::Text, "да"), Language::Russian, false).unwrap(),
            "Бот: да"
        );
        assert_eq!(en(&said(ann(), photo(Some("https://x/m")), "look")), "Ann: Photo: https://x/m\nlook");
        assert_eq!(en(&said(ann(), photo(None), "")), "Ann: [Photo: p.jpg]");
        assert_eq!(of(&said(ann(), photo(None), ""), Language::English, true).unwrap(), "Ann:");
        let card = ContactCard { name: "Bob".to_owned(), phone: "+7999".to_owned(), own: false };
        assert_eq!(en(&said(ann(), Content::Contact(card), "")), "Ann: Bob +7999");
        let place =
            Place { latitude: "1.5".to_owned(), longitude: "2".to_owned(), title: Some("Shop".to_owned()) };
        assert_eq!(
            en(&said(ann(), Content::Place(place), "")),
            "Ann: Shop\nhttps://maps.google.com/?q=1.5,2"
        );
        assert_eq!(en(&said(ann(), Content::Text, "")), "Ann: (empty message)");
        let mut quoting = said(ann(), Content::Text, "yes");
        if let Act::Said(body) = &mut quoting.act {
            body.quote = Some(Quote { key: None, text: "open?".to_owned(), by: Some("Shop".to_owned()) });
            body.buttons = vec![vec!["a".to_owned(), "b".to_owned()]];
        }
        assert_eq!(en(&quoting), "Ann: > Shop: open?\nyes\n[a] [b]");
        assert_eq!(en(&said(ann(), Content::Text, &"x".repeat(5000))).chars().count(), TEXT_CHARS);
        let reacted = Told {
            act: Act::Reacted { now: Vec::new(), before: Vec::new() },
            ..said(ann(), Content::Text, "")
        };
        assert_eq!(of(&reacted, Language::English, false), None);
    }

    #[test]
    fn an_echo_is_known_by_chat_and_words() {
        let one = fingerprint("31001", "5", "Ann: hello\nthere");
        assert_eq!(one, fingerprint("31001", "5", " Ann:  hello there https://x/m/1 "));
        for (channel, user, text) in [
            ("31002", "5", "Ann: hello there"),
            ("31001", "6", "Ann: hello there"),
            ("31001", "5", "Ann: hello"),
        ] {
            assert_ne!(one, fingerprint(channel, user, text));
        }
    }
}
