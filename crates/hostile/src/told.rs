//! What CRMs are told of updates and calls: whatever the bytes are, in either language of the same thing, by somebody who
//! has a name, in the chat that the update is of.

use bytes::Bytes;
use tandem_model::{
    BotId, Event, Seq, SourceId, Timestamp,
    message::{Act, ChatKey, Language, PersonKey, Speaker, Told},
};
use tandem_telegram::{
    params::Params,
    told::{Call, of_call, of_update},
    update::UpdateView,
};

const METHODS: [&str; 7] = [
    "sendMessage",
    "sendMediaGroup",
    "copyMessages",
    "editMessageText",
    "stopPoll",
    "setMessageReaction",
    "sendHologram",
];

pub(crate) fn hold(data: &[u8]) {
    let bot = BotId::new(777).expect("it is positive");
    let now = Timestamp::from_millis(1_800_000_000_000);
    let body = Bytes::copy_from_slice(data);
    if let Ok(view) = UpdateView::of(&body) {
        let source = SourceId::new(1).expect("it is positive");
        let event = Event {
            bot,
            seq: Seq::new(1).expect("it is positive"),
            virtual_id: None,
            appended_at: now,
            new: view.to_event(source, now),
        };
        let told = Language::ALL.map(|language| of_update(language, &event));
        if let [Some(russian), Some(english)] = &told {
            assert_eq!((&russian.key, &russian.chat, russian.at), (&english.key, &english.chat, english.at));
            assert!(russian.at <= now);
            check(english);
            let chat = view.chat_id().or_else(|| view.user_id().map(tandem_model::UserId::get));
            assert_eq!(ChatKey::read(english.chat.as_str()).map(|(_, _, chat)| chat).or(chat), chat);
        } else {
            assert_eq!(told, [None, None], "a language decides nothing");
        }
    }
    let text = String::from_utf8_lossy(data);
    let parameters = ["reply_markup", "reaction", "message_ids", "message_id", "caption"];
    let parameters = parameters.into_iter().map(|name| (name, text.to_string()));
    let parameters = Params::of(parameters.chain([("chat_id", "1001".to_owned())]));
    let by = Speaker::Bot { app: None };
    for method in METHODS {
        let call = Call { method, parameters: &parameters, result: data };
        for spoken in of_call(Language::English, bot, now, &by, &call) {
            check(&spoken.told);
        }
    }
}

fn check(told: &Told) {
    assert!(told.key.as_str().starts_with("tg:777:"));
    assert!(told.chat.as_str().starts_with("tg:777:"));
    if let Speaker::Client(client) = &told.by {
        assert!(!client.name.trim().is_empty(), "everybody has a name");
        assert!(PersonKey::read(client.person.as_str()).is_none_or(|user| user.get() > 0));
    }
    match &told.act {
        Act::Said(body) | Act::Edited(body) => {
            assert!(body.buttons.iter().flatten().all(|label| !label.is_empty()));
        }
        Act::Reacted { now, before } => assert_ne!(now, before, "nothing has changed"),
    }
}
