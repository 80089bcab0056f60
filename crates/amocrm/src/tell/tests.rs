use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_model::{
    BotId, Timestamp, UserId,
    message::{
        Attachment, AttachmentKind, ChatKey, ContactCard, Content, FileRef, Manager, MessagePlace, PersonKey,
        Place, Quote,
    },
};

use super::*;

const AT: Timestamp = Timestamp::from_secs(1_767_607_200);
const BOT_ID: &str = "2b3c4d5e-6f70-4182-93a4-b5c6d7e8f901";
const LINK: &str = "https://bridge.example/media/9c1";

fn key(message: i64) -> MessageKey {
    MessageKey::of(BotId::new(777).unwrap(), &MessagePlace { business: None, chat: 1001, message })
}

fn client() -> Client {
    Client {
        person: PersonKey::of(UserId::new(1001).unwrap()),
        name: "Анна".to_owned(),
        username: None,
        phone: None,
        avatar: None,
    }
}

fn body(content: Content, text: &str) -> Body {
    Body {
        content,
        text: text.to_owned(),
        quote: None,
        forwarded_from: None,
        album: None,
        buttons: Vec::new(),
    }
}

fn file(kind: AttachmentKind, name: &str, link: Option<&str>) -> Content {
    Content::File(Attachment {
        kind,
        file: FileRef { id: "f".to_owned(), unique_id: "u".to_owned() },
        name: name.to_owned(),
        mime: None,
        size_bytes: Some(26_529_792),
        duration_secs: Some(7),
        link: link.map(str::to_owned),
    })
}

fn telling(by: Speaker, act: Act) -> Telling {
    let told =
        Told { key: key(42), chat: ChatKey::of(BotId::new(777).unwrap(), None, 1001), at: AT, by, act };
    Telling {
        told,
        client: client(),
        ids: ChatIds::default(),
        message: None,
        quoted: None,
        silent: false,
        route: Value::Null,
    }
}

fn of_client(act: Act) -> Telling {
    telling(Speaker::Client(client()), act)
}

fn said(content: Content, text: &str) -> Telling {
    of_client(Act::Said(body(content, text)))
}

fn told_in(telling: &Telling, language: Language) -> Vec<(Option<String>, String, Value)> {
    let route = RouteSettings { language, ..RouteSettings::default() };
    let frame = Frame { scope: "scope", bot_id: BOT_ID, route: &route };
    let pieces = pieces(telling, &frame, &Order::default());
    let each = pieces.into_iter().map(|piece| {
        let key = piece.key.map(|key| key.as_str().to_owned());
        (key, piece.request.path, serde_json::from_slice(&piece.request.body).unwrap())
    });
    each.collect()
}

fn told(telling: &Telling) -> Vec<(Option<String>, String, Value)> {
    told_in(telling, Language::Ru)
}

/// The one message that it becomes.
fn message(telling: &Telling) -> Value {
    let told = told(telling);
    assert_eq!(told.len(), 1);
    told[0].2["payload"]["message"].clone()
}

#[test]
fn a_clients_words_are_what_the_documentation_shows() {
    let mut telling = said(Content::Text, "Привет 👋 a/b");
    telling.client.name = "nobody asks".to_owned();
    let told = told(&telling);
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].0.as_deref(), told[0].1.as_str()),
        (Some("tg:777:1001:42"), "/v2/origin/custom/scope")
    );
    let expected = json!({"event_type": "new_message", "payload": {
        "timestamp": 1_767_607_200, "msec_timestamp": 1_767_607_200_042_i64, "msgid": "tg:777:1001:42",
        "conversation_id": "tg:777:1001", "silent": false, "sender": {"id": "tg:1001", "name": "Анна"},
        "message": {"type": "text", "text": "Привет 👋 a/b"},
    }});
    assert_eq!(told[0].2, expected);
}

#[test]
fn everything_that_is_known_of_a_client_goes_along() {
    let mut telling = said(Content::Text, "x");
    let client = Client {
        username: Some("anna_example".to_owned()),
        phone: Some("+79990001122".to_owned()),
        avatar: Some(LINK.to_owned()),
        ..client()
    };
    telling.told.by = Speaker::Client(client);
    telling.silent = true;
    telling.ids = ChatIds {
        ours: Some("tg:777:1001#2".to_owned()),
        chat: Some("c".to_owned()),
        person: Some("p".to_owned()),
    };
    let payload = told(&telling)[0].2["payload"].clone();
    let sender = json!({
        "id": "tg:1001", "ref_id": "p", "name": "Анна", "avatar": LINK,
        "profile": {"phone": "+79990001122"}, "profile_link": "https://t.me/anna_example",
    });
    assert_eq!(payload["sender"], sender);
    assert_eq!(payload["conversation_id"], "tg:777:1001#2");
    assert_eq!((&payload["conversation_ref_id"], &payload["silent"]), (&json!("c"), &json!(true)));
}

#[test]
fn each_kind_of_message_has_its_fields_with_their_types() {
    let place = |title: Option<&str>| {
        Content::Place(Place {
            latitude: "55".to_owned(),
            longitude: "37.617635".to_owned(),
            title: title.map(str::to_owned),
        })
    };
    let card = ContactCard { name: "Пётр".to_owned(), phone: "+79990001123".to_owned(), own: false };
    let with_file = |kind: &str, name: &str| json!({"type": kind, "text": "смотри", "media": LINK, "file_name": name, "file_size": 26_529_792});
    let playing = |kind: &str, name: &str| {
        let mut message = with_file(kind, name);
        message["media_duration"] = json!(7);
        message
    };
    let media = |kind, name| file(kind, name, Some(LINK));
    for (content, text, expected) in [
        (Content::Line, "Нажата кнопка", json!({"type": "text", "text": "Нажата кнопка"})),
        (Content::Text, " \n", json!({"type": "text", "text": "(пустое сообщение)"})),
        (media(AttachmentKind::Picture, "photo.jpg"), "смотри", with_file("picture", "photo.jpg")),
        (media(AttachmentKind::File, "a.pdf"), "смотри", with_file("file", "a.pdf")),
        (media(AttachmentKind::File, ""), "смотри", with_file("file", "file")),
        (media(AttachmentKind::Video, "v.mp4"), "смотри", playing("video", "v.mp4")),
        (media(AttachmentKind::Voice, "v.ogg"), "смотри", playing("voice", "v.ogg")),
        (media(AttachmentKind::Audio, "s.mp3"), "смотри", playing("audio", "s.mp3")),
        (media(AttachmentKind::Sticker, "s.webp"), "смотри", with_file("sticker", "s.webp")),
        (
            file(AttachmentKind::Video, "v.mp4", None),
            "смотри",
            json!({"type": "text", "text": "Видео v.mp4, 25,3 МБ\nсмотри"}),
        ),
        (
            Content::Contact(card),
            "",
            json!({"type": "contact", "contact": {"name": "Пётр", "phone": "+79990001123"}}),
        ),
        (place(None), "", json!({"type": "location", "location": {"lon": 37.617_635, "lat": 55.0}})),
        (
            Content::Place(Place {
                latitude: "NaN".to_owned(),
                longitude: "1".to_owned(),
                title: Some("Кафе".to_owned()),
            }),
            "",
            json!({"type": "text", "text": "Кафе\nNaN, 1"}),
        ),
    ] {
        assert_eq!(message(&said(content, text)), expected);
    }
    let raw = told(&said(place(None), ""));
    assert!(raw[0].2.to_string().contains(r#""lat":55.0"#), "a number with a point");
}

#[test]
fn a_venue_is_a_place_and_its_name_with_a_key_of_its_own() {
    let venue = Content::Place(Place {
        latitude: "55.7".to_owned(),
        longitude: "37.6".to_owned(),
        title: Some("Кафе «Пушкин»".to_owned()),
    });
    let mut telling = said(venue, "");
    if let Act::Said(body) = &mut telling.told.act {
        body.quote = Some(Quote { key: Some(key(41)), text: "где?".to_owned(), by: None });
    }
    let told = told(&telling);
    let keys: Vec<_> = told.iter().map(|(key, ..)| key.as_deref().unwrap()).collect();
    assert_eq!(keys, ["tg:777:1001:42", "tg:777:1001:42:2"]);
    assert_eq!(told[1].2["payload"]["message"], json!({"type": "text", "text": "Кафе «Пушкин»"}));
    assert_eq!(told[0].2["payload"]["reply_to"], json!({"message": {"msgid": "tg:777:1001:41"}}));
    assert_eq!(told[1].2["payload"].get("reply_to"), None);
    let times: Vec<_> =
        told.iter().map(|(.., event)| event["payload"]["msec_timestamp"].as_i64().unwrap()).collect();
    assert_eq!(times, [1_767_607_200_042, 1_767_607_200_043]);
}

#[test]
fn what_has_no_place_of_its_own_stands_around_the_text() {
    let mut told_body = body(Content::Text, "мой ответ");
    told_body.forwarded_from = Some("Вася".to_owned());
    told_body.quote =
        Some(Quote { key: None, text: "когда?".to_owned(), by: Some("Магазин".to_owned()) });
    told_body.buttons = vec![vec!["Да".to_owned(), "Нет".to_owned()], Vec::new(), vec!["Отмена".to_owned()]];
    let manager = Speaker::Manager(Manager { id: "7".to_owned(), name: Some("Ольга".to_owned()) });
    let telling = telling(manager, Act::Said(told_body));
    let text = |language| told_in(&telling, language)[0].2["payload"]["message"]["text"].clone();
    assert_eq!(
        text(Language::Ru),
        "Ольга (менеджер):\nПереслано от: Вася\nВ ответ на слова «когда?» (Магазин):\nмой ответ\n[Да] [Нет]\n[Отмена]"
    );
    assert_eq!(
        text(Language::En),
        "Ольга (manager):\nForwarded from: Вася\nIn answer to “когда?” (Магазин):\nмой ответ\n[Да] [Нет]\n[Отмена]"
    );
}

#[test]
fn the_companys_side_speaks_as_the_channels_bot_to_the_client() {
    let manager = Speaker::Manager(Manager { id: "7".to_owned(), name: Some("Ольга".to_owned()) });
    for (by, name) in [(Speaker::Bot { app: Some("main".to_owned()) }, "Бот"), (manager, "Ольга")] {
        let mut telling = telling(by, Act::Said(body(Content::Text, "Готово")));
        telling.ids.person = Some("p".to_owned());
        let payload = told(&telling)[0].2["payload"].clone();
        assert_eq!(payload["sender"], json!({"id": "bot", "ref_id": BOT_ID, "name": name}));
        assert_eq!(payload["receiver"], json!({"id": "tg:1001", "ref_id": "p", "name": "Анна"}));
    }
    assert_eq!(told(&said(Content::Text, "x"))[0].2["payload"].get("receiver"), None);
}

#[test]
fn a_message_that_was_born_there_is_quoted_by_its_id_there() {
    let mut telling = said(Content::Text, "да");
    if let Act::Said(body) = &mut telling.told.act {
        body.quote = Some(Quote { key: Some(key(41)), text: "Берёте?".to_owned(), by: None });
    }
    assert_eq!(told(&telling)[0].2["payload"]["reply_to"], json!({"message": {"msgid": "tg:777:1001:41"}}));
    telling.quoted = Some("1a2b".to_owned());
    assert_eq!(told(&telling)[0].2["payload"]["reply_to"], json!({"message": {"id": "1a2b"}}));
    assert_eq!(message(&telling)["text"], "да");
}

#[test]
fn an_edit_names_the_message_and_nothing_that_is_ignored() {
    let mut telling = of_client(Act::Edited(body(Content::Text, "исправлено")));
    let told_edit = told(&telling);
    let expected = json!({"event_type": "edit_message", "payload": {
        "timestamp": 1_767_607_200, "msec_timestamp": 1_767_607_200_000_i64, "msgid": "tg:777:1001:42",
        "conversation_id": "tg:777:1001", "silent": false, "message": {"type": "text", "text": "исправлено"},
    }});
    assert_eq!((told_edit[0].0.as_deref(), &told_edit[0].2), (None, &expected));
    telling.message = Some("1a2b".to_owned());
    let payload = told(&telling)[0].2["payload"].clone();
    assert_eq!((payload.get("msgid"), &payload["id"]), (None, &json!("1a2b")));
}

#[test]
fn reactions_are_taken_back_and_made_by_comparing_the_lists() {
    let list = |emoji: &[&str]| emoji.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
    for (before, now, expected) in [
        (&[][..], &["👍"][..], &[("react", "👍")][..]),
        (&["👍"], &[], &[("unreact", "👍")]),
        (&["👍"], &["❤"], &[("unreact", "👍"), ("react", "❤")]),
        (&["👍", "❤"], &["❤"], &[("unreact", "👍"), ("react", "❤")]),
        (&["❤"], &["❤", "🔥"], &[("react", "🔥")]),
        (&["❤"], &["❤"], &[]),
        (&[], &[], &[]),
    ] {
        let told = told(&of_client(Act::Reacted { now: list(now), before: list(before) }));
        let changes: Vec<_> = told
            .iter()
            .map(|(.., react)| (react["type"].as_str().unwrap(), react["emoji"].as_str().unwrap()))
            .collect();
        assert_eq!(changes, expected, "{before:?} {now:?}");
    }
    let mut telling = of_client(Act::Reacted { now: list(&["👍"]), before: Vec::new() });
    telling.ids.person = Some("p".to_owned());
    let react = &told(&telling)[0];
    assert_eq!(react.1, "/v2/origin/custom/scope/react");
    let expected = json!({
        "conversation_id": "tg:777:1001", "msgid": "tg:777:1001:42", "user": {"id": "tg:1001", "ref_id": "p"},
        "type": "react", "emoji": "👍",
    });
    assert_eq!(react.2, expected);
    telling.message = Some("1a2b".to_owned());
    telling.told.by = Speaker::Bot { app: None };
    let react = told(&telling)[0].2.clone();
    assert_eq!((react.get("msgid"), &react["id"]), (None, &json!("1a2b")));
    assert_eq!(react["user"], json!({"id": "bot", "ref_id": BOT_ID}));
}

#[test]
fn a_chat_is_opened_with_its_source_and_its_client() {
    let opening = Opening {
        chat: ChatKey::of(BotId::new(777).unwrap(), None, 1001),
        client: Client { phone: Some("+79990001122".to_owned()), ..client() },
        route: Value::Null,
        starts: Vec::new(),
        contact: None,
    };
    let route = RouteSettings { source: Some("bot_777".to_owned()), ..RouteSettings::default() };
    let request = super::opening(&opening, &Frame { scope: "scope", bot_id: BOT_ID, route: &route });
    assert_eq!(request.path, "/v2/origin/custom/scope/chats");
    let expected = json!({
        "conversation_id": "tg:777:1001", "source": {"external_id": "bot_777"},
        "user": {"id": "tg:1001", "name": "Анна", "profile": {"phone": "+79990001122"}},
    });
    assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), expected);
}

proptest! {
    /// Whatever is told, no text is empty, and types are what the documentation says.
    #[test]
    fn no_message_is_ever_without_what_its_type_requires(
        text in "[ \n]{0,3}|\\PC{0,40}",
        kind in 0_usize..9,
        link in any::<bool>(),
        buttons in prop::collection::vec(prop::collection::vec("\\PC{0,8}", 0..3), 0..3),
        forwarded in prop::option::of("\\PC{0,10}"),
        latitude in "-?[0-9]{1,3}(\\.[0-9]{1,20})?|\\PC{0,5}",
    ) {
        let media = |kind| file(kind, "name", link.then_some(LINK));
        let content = match kind {
            0 => Content::Text,
            1 => Content::Line,
            2 => media(AttachmentKind::Picture),
            3 => media(AttachmentKind::Video),
            4 => media(AttachmentKind::Voice),
            5 => media(AttachmentKind::Audio),
            6 => media(AttachmentKind::File),
            7 => media(AttachmentKind::Sticker),
            _ => Content::Place(Place { latitude, longitude: "37.6".to_owned(), title: forwarded.clone() }),
        };
        let body = Body { buttons, forwarded_from: forwarded, ..body(content, &text) };
        for (_, _, event) in told(&of_client(Act::Said(body))) {
            let message = &event["payload"]["message"];
            let has_text = message.get("text").is_some_and(|text| !text.as_str().unwrap().is_empty());
            match message["type"].as_str().unwrap() {
                "text" => prop_assert!(!message["text"].as_str().unwrap().trim().is_empty()),
                "location" => prop_assert!(message["location"]["lat"].is_f64() && message["location"]["lon"].is_f64()),
                _ => prop_assert!(message["media"].is_string() && message["file_name"].is_string() && message["file_size"].is_u64()),
            }
            prop_assert!(has_text || message.get("text").is_none());
        }
    }
}
