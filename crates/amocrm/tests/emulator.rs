//! The account against the emulator of amoCRM, which is written from the same reference by other hands.

mod support;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tandem_amocrm::{Settings, secret};
use tandem_model::{
    Blame, PauseReason, Timestamp,
    message::{
        Act, Attachment, AttachmentKind, ContactCard, Content, FileRef, Place, Quote, ReplyAct, ReplyFailure,
        ReplyOrigin, ReplyResult, Speaker,
    },
};
use tandem_vendor::{ChatIds, FailureKind, FindingState, Found, HeardAct, Standing, Vendor};

use self::support::{
    CHANNEL, Kept, With, client,
    emulator::{Emulator, eventually},
    key, said, telling, words,
};

fn file(kind: AttachmentKind, name: &str, link: &str) -> Content {
    let kind_of_type = match kind {
        AttachmentKind::Picture | AttachmentKind::Sticker => "image",
        AttachmentKind::Video => "video",
        AttachmentKind::Voice | AttachmentKind::Audio => "audio",
        AttachmentKind::File => "application",
    };
    Content::File(Attachment {
        kind,
        file: FileRef { id: "f".to_owned(), unique_id: "u".to_owned() },
        name: name.to_owned(),
        mime: None,
        size_bytes: Some(1000),
        duration_secs: Some(3),
        link: Some(format!("{link}/media/{kind_of_type}/{name}")),
    })
}

#[tokio::test]
async fn each_kind_of_message_is_taken_shown_and_complained_of_by_nobody() {
    let (emulator, ids) = Emulator::with_chat().await;
    let link = &emulator.place.address;
    let place = |title: Option<&str>| {
        Content::Place(Place {
            latitude: "55.75".to_owned(),
            longitude: "37.61".to_owned(),
            title: title.map(str::to_owned),
        })
    };
    let card = ContactCard { name: "Пётр".to_owned(), phone: "+79990001123".to_owned(), own: false };
    let kinds = [
        (Content::Text, "text"),
        (Content::Line, "text"),
        (file(AttachmentKind::Picture, "photo.jpg", link), "picture"),
        (file(AttachmentKind::File, "a.pdf", link), "file"),
        (file(AttachmentKind::Video, "v.mp4", link), "video"),
        (file(AttachmentKind::Voice, "v.ogg", link), "voice"),
        (file(AttachmentKind::Audio, "s.mp3", link), "audio"),
        (file(AttachmentKind::Sticker, "s.webp", link), "sticker"),
        (Content::Contact(card), "contact"),
        (place(None), "location"),
        (place(Some("Кафе")), "location"),
    ];
    for (number, (content, kind)) in (50..).zip(kinds) {
        for by in [Speaker::Client(client()), Speaker::Bot { app: None }] {
            let message = if let Speaker::Client(_) = by { number } else { number + 100 };
            let mut telling = telling(message, Act::Said(words(content.clone(), "слова")));
            telling.told.by = by;
            let taken = emulator.tell(&ids, telling).await.unwrap();
            let shown = emulator.shown(&key(message).to_string()).await;
            assert_eq!(shown["id"].as_str(), taken.message.as_deref(), "{shown}");
            assert_eq!(shown["type"], kind, "{shown}");
        }
    }
    assert_eq!(emulator.shown(&key(60).part(2).to_string()).await["text"], "Кафе");
    // Quotes, edits and reactions of what is there.
    let mut body = words(Content::Text, "ответ");
    body.quote = Some(Quote { key: Some(key(50)), text: "слова".to_owned(), by: None });
    emulator.tell(&ids, telling(70, Act::Said(body))).await.unwrap();
    emulator.tell(&ids, telling(50, Act::Edited(words(Content::Text, "исправлено")))).await.unwrap();
    let edited = async || {
        let shown = emulator.shown(&key(50).to_string()).await;
        (shown["text"] == "исправлено").then_some(())
    };
    eventually(edited).await;
    let react = |now: &[&str], before: &[&str]| {
        let list = |emoji: &[&str]| emoji.iter().map(|&one| one.to_owned()).collect();
        telling(50, Act::Reacted { now: list(now), before: list(before) })
    };
    emulator.tell(&ids, react(&["👍"], &[])).await.unwrap();
    emulator.tell(&ids, react(&["❤"], &["👍"])).await.unwrap();
    emulator.tell(&ids, react(&[], &["❤"])).await.unwrap();
    // Files are fetched in the background.
    let fetched = async || {
        let shown = emulator.shown(&key(55).to_string()).await;
        shown.to_string().contains("1000").then_some(())
    };
    eventually(fetched).await;
    assert_eq!(emulator.complaints().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_message_that_is_told_again_is_refused_and_found() {
    let (emulator, ids) = Emulator::with_chat().await;
    emulator.fails(json!({"kind": "reset", "taken": true})).await;
    let failure = emulator.tell(&ids, said(42, "Один раз")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Lost { blame: Blame::Unclear });
    emulator.clock.advance(Duration::from_secs(5));
    assert_eq!(emulator.tell(&ids, said(42, "Один раз")).await.unwrap_err().kind, FailureKind::Refused);
    let shown = emulator.shown(&key(42).to_string()).await;
    let found = emulator.account.find(&ids, &key(42)).await.unwrap();
    assert_eq!(found, Found::Yes(shown["id"].as_str().map(str::to_owned)));
    assert_eq!(emulator.account.find(&ids, &key(43)).await.unwrap(), Found::No);
}

#[tokio::test]
async fn what_the_service_refuses_is_told_apart() {
    let (emulator, ids) = Emulator::with_chat().await;
    for (fault, kind) in [
        (json!({"kind": "status", "code": 400}), FailureKind::Refused),
        (json!({"kind": "status", "code": 403}), FailureKind::Stop(PauseReason::Refused)),
        (json!({"kind": "stale_date"}), FailureKind::Stop(PauseReason::Refused)),
        (json!({"kind": "duplicate_msgid"}), FailureKind::Refused),
        (
            json!({"kind": "status", "code": 429, "retry_after": 3}),
            FailureKind::Later { after: Some(Duration::from_secs(3)), blame: Blame::Unclear },
        ),
        (json!({"kind": "status", "code": 502}), FailureKind::Lost { blame: Blame::Unclear }),
    ] {
        emulator.fails(fault.clone()).await;
        let failure = emulator.tell(&ids, said(42, "x")).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{fault}: {failure}");
        emulator.clock.advance(Duration::from_secs(5));
    }
    // Our clock has gone on by half a minute, which is nothing; a quarter of an hour is too much, and seen by a check.
    emulator.clock.advance(Duration::from_mins(17));
    let failure = emulator.tell(&ids, said(42, "x")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Stop(PauseReason::Refused));
}

#[tokio::test]
async fn each_thing_that_a_manager_does_is_heard_and_its_status_comes_back() {
    let (emulator, _) = Emulator::with_chat().await;
    let act = async |number: usize| match emulator.heard(number).await.act {
        HeardAct::Reply(act) => act,
        other @ HeardAct::Said(_) => panic!("{other:?}"),
    };
    let id = emulator.says(json!({"text": "Слушаю", "buttons": [[{"text": "Да"}, {"text": "Нет"}]]})).await;
    let heard = emulator.heard(0).await;
    assert_eq!((heard.id.as_deref(), heard.chat.ours.as_deref()), (Some(&*id), Some("tg:777:1001")));
    let HeardAct::Reply(ReplyAct::Say { text, keyboard, .. }) = heard.act else { panic!() };
    assert_eq!((text.as_str(), keyboard.unwrap().rows[0].len()), ("Слушаю", 2));
    for (number, (word, kind)) in (1..).zip([
        ("picture", AttachmentKind::Picture),
        ("file", AttachmentKind::File),
        ("video", AttachmentKind::Video),
        ("voice", AttachmentKind::Voice),
        ("audio", AttachmentKind::Audio),
        ("sticker", AttachmentKind::Sticker),
    ]) {
        emulator.says(json!({"media": word})).await;
        let ReplyAct::Say { file: Some(file), .. } = act(number).await else { panic!() };
        assert_eq!(file.kind, kind);
        assert!(emulator.account.may_fetch(&file.url.parse().unwrap()), "{}", file.url);
    }
    emulator.says(json!({"album": ["picture", "picture"]})).await;
    let albums = [act(7).await, act(8).await].map(|act| match act {
        ReplyAct::Say { album, .. } => album,
        other => panic!("{other:?}"),
    });
    assert!(albums[0].is_some() && albums[0] == albums[1]);
    emulator.says(json!({"text": "вот", "quote": "tg:777:1001:41"})).await;
    let ReplyAct::Say { quote: Some(quote), .. } = act(9).await else { panic!() };
    assert_eq!(quote.ours.as_deref(), Some("tg:777:1001:41"));
    emulator.act("/typing", json!({"chat": "tg:777:1001"})).await;
    assert!(matches!(act(10).await, ReplyAct::Type { until } if until > emulator.clock.now()));
    emulator.act("/react", json!({"chat": "tg:777:1001", "message": "tg:777:1001:41", "emoji": "👍"})).await;
    let ReplyAct::React { of, emoji } = act(11).await else { panic!() };
    assert_eq!((of.ours.as_deref(), emoji.as_deref()), (Some("tg:777:1001:41"), Some("👍")));

    let origin = |message: &str| ReplyOrigin {
        route: "amocrm".to_owned(),
        message: message.to_owned(),
        chat: String::new(),
        person: None,
    };
    emulator.account.report(&origin(&id), &ReplyResult::Sent { messages: Vec::new() }).await.unwrap();
    assert_eq!(emulator.shown(&id).await["delivery_status"], "delivered");
    let failed = ReplyResult::Failed {
        why: ReplyFailure::Blocked,
        words: "Forbidden: bot was blocked by the user".to_owned(),
        messages: Vec::new(),
    };
    emulator.account.report(&origin(&id), &failed).await.unwrap();
    let shown = emulator.shown(&id).await;
    assert_eq!(shown["delivery_status"], "failed");
    assert_eq!(shown["error"], json!({"code": 905, "text": "Forbidden: bot was blocked by the user"}));
}

#[tokio::test]
async fn what_was_missed_is_read_back_and_a_managers_message_is_answered_by_its_id() {
    let (emulator, ids) = Emulator::with_chat().await;
    emulator.control.does("/amocrm/faults/hooks", json!({"fault": {"kind": "lost"}, "times": 2})).await;
    let (first, second) =
        (emulator.says(json!({"text": "раз"})).await, emulator.says(json!({"media": "picture"})).await);
    emulator.shown(&second).await;
    let missed = emulator.account.missed(&ids, Timestamp::EPOCH).await.unwrap();
    let missed_ids: Vec<_> = missed.iter().map(|heard| heard.id.clone().unwrap()).collect();
    assert_eq!(missed_ids, [first.clone(), second]);
    assert!(
        emulator
            .account
            .missed(&ids, emulator.clock.now().plus(Duration::from_mins(1)))
            .await
            .unwrap()
            .is_empty()
    );
    let mut body = words(Content::Text, "два");
    body.quote = Some(Quote { key: Some(key(90)), text: "раз".to_owned(), by: None });
    let mut answer = telling(91, Act::Said(body));
    answer.quoted = Some(first.clone());
    emulator.tell(&ids, answer).await.unwrap();
    let mut reaction = telling(90, Act::Reacted { now: vec!["👍".to_owned()], before: Vec::new() });
    reaction.message = Some(first);
    emulator.tell(&ids, reaction).await.unwrap();
    emulator.shown(&key(91).to_string()).await;
    assert_eq!(emulator.complaints().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_chat_that_a_manager_began_is_bound_by_the_next_message() {
    let (emulator, _) = Emulator::with_chat().await;
    emulator.act("/write-first", json!({"phone": "+79990001122", "text": "Добрый день"})).await;
    let chat = emulator.heard(0).await.chat;
    assert_eq!((chat.ours.as_deref(), chat.phone.as_deref()), (None, Some("79990001122")));
    let ids = ChatIds {
        ours: Some("tg:777:1001#2".to_owned()),
        chat: Some(chat.theirs.clone()),
        person: chat.person,
    };
    emulator.tell(&ids, said(42, "Слушаю вас")).await.unwrap();
    emulator.shown(&key(42).to_string()).await;
    let chats = emulator.look("/chats").await;
    let bound =
        chats["chats"].as_array().unwrap().iter().find(|known| known["id"] == json!(chat.theirs)).unwrap();
    assert!(bound.to_string().contains("tg:777:1001#2"), "{bound}");
    assert_eq!(emulator.complaints().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_channel_stop_everything() {
    let emulator = Emulator::start().await;
    let open = |id: &str, channel_secret: &str| {
        let mut setting = support::setting(&emulator.amocrm_url(), With::ChannelOnly);
        setting.document["channel"]["id"] = json!(id);
        setting.document["channel"]["account"] = json!(emulator.amojo_id);
        setting.secrets = vec![(secret::CHANNEL_SECRET.to_owned(), channel_secret.into())];
        support::vendor(&Settings::default(), &emulator.clock)
            .open(&setting, Arc::new(Kept::default()))
            .unwrap()
    };
    let unknown = "11112222-3333-4444-8555-666677778888";
    // The emulator's answers are dated by the system's clock, so that it may be the clock that is blamed for a wrong secret.
    for (account, word) in [(open(CHANNEL, "wrong"), ""), (open(unknown, "x"), "support registers it")] {
        let failure = account.connect().await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Stop(PauseReason::Refused));
        assert!(failure.words.contains(word), "{failure}");
        assert!(matches!(account.standing(), Standing::Refused(_)));
        let findings = account.check().await;
        assert!(findings.iter().any(|finding| finding.state == FindingState::Bad), "{findings:?}");
    }
    emulator.account.connect().await.unwrap();
    let findings = emulator.account.check().await;
    assert!(findings.iter().all(|finding| finding.state != FindingState::Bad), "{findings:?}");
}
