//! Whatever the bytes are, nothing panics, and nothing runs away.

use proptest::prelude::*;
use tandem_model::{
    Timestamp,
    message::{Language, Speaker},
};

use super::{bot, event, private, said};
use crate::{
    params::Params,
    told::{Call, of_call, of_update},
    update::UpdateView,
};

fn survive(update: &str) {
    if UpdateView::of(&bytes::Bytes::from(update.to_owned())).is_ok() {
        for language in Language::ALL {
            let _ = of_update(language, &event(update));
        }
    }
    let parameters = Params::of([
        ("chat_id", "1".to_owned()),
        ("reply_markup", update.to_owned()),
        ("reaction", update.to_owned()),
    ]);
    for method in
        ["sendMessage", "sendMediaGroup", "copyMessages", "editMessageText", "stopPoll", "setMessageReaction"]
    {
        let call = Call { method, parameters: &parameters, result: update.as_bytes() };
        let _ =
            of_call(Language::English, bot(), Timestamp::from_secs(1), &Speaker::Bot { app: None }, &call);
    }
}

#[test]
fn nesting_of_any_depth_ends() {
    let deep = 10_000;
    let texts = format!("{}\"x\"{}", r#"{"type":"bold","text":"#.repeat(deep), "}".repeat(deep));
    let blocks = format!("{}{}", r#"{"type":"details","blocks":["#.repeat(deep), "]}".repeat(deep));
    let pinned = format!("{}1{}", r#"{"message_id":4,"pinned_message":"#.repeat(deep), "}".repeat(deep));
    for members in [
        format!(r#""rich_message":{{"blocks":[{{"type":"paragraph","text":{texts}}}]}}"#),
        format!(r#""rich_message":{{"blocks":[{blocks}]}}"#),
        format!(r#""pinned_message":{pinned}"#),
        format!(r#""reply_markup":{}"#, "[".repeat(deep) + &"]".repeat(deep)),
        format!(r#""text":"x","reply_to_message":{pinned}"#),
    ] {
        survive(&private(&members));
    }
}

#[test]
fn many_entities_of_a_long_text_take_no_longer_than_reading_them() {
    let entity = r#"{"type":"text_link","offset":1,"length":200000,"url":"https://a.example"}"#;
    let entities = vec![entity; 20_000].join(",");
    let body = said(&private(&format!(r#""text":"{}","entities":[{entities}]"#, "я".repeat(300_000))));
    assert!(body.text.contains("(https://a.example)"));
}

proptest! {
    #[test]
    fn any_members_of_any_kind_are_survived(
        kind in "(message|edited_message|business_message|callback_query|message_reaction|my_chat_member|poll_answer|subscription|x)",
        member in "(text|photo|sticker|location|poll|entities|rich_message|chat|from|message|pinned_message|web_app_data|reply_markup|new_reaction|data)",
        value in r#"(\{"[a-z_]{0,9}":("[^"\\\x00-\x1f]{0,9}"|-?[1-9]{1,20}|null|\[\])\}|\[(\{\}|1|"x")?\]|"[^"\\\x00-\x1f]{0,20}"|-?[1-9]{1,30}|true|null)"#,
    ) {
        survive(&format!(r#"{{"update_id":5,"{kind}":{{"chat":{{"id":1}},"message_id":2,"from":{{"id":1}},"{member}":{value}}}}}"#));
    }
}
