use proptest::prelude::*;
use tandem_model::message::{KeyboardButton, KeyboardKind};

use super::*;
use crate::reply::units;

const CHAT: Target<'static> = Target { business: None, chat: 7 };

fn buttons() -> Keyboard {
    let button = KeyboardButton { text: "Yes".to_owned(), url: None };
    Keyboard { kind: KeyboardKind::Reply, rows: vec![vec![button]] }
}

fn saying(text: &str, file: WithFile) -> Saying<'_> {
    Saying { text, file, keyboard: None, quote: None }
}

/// What each message says, in short.
fn shown(parts: &[Part]) -> Vec<String> {
    parts
        .iter()
        .map(|part| {
            let call = match part {
                Part::Text(call) => call.clone(),
                Part::File(file) => file.call(Medium::Photo, "a.jpg"),
            };
            let texts = call.params.texts().filter(|(name, _)| *name != "chat_id");
            let texts: Vec<_> = texts.map(|(name, value)| format!("{name}={value}")).collect();
            format!("{} {}", call.method, texts.join(" ")).trim().to_owned()
        })
        .collect()
}

#[test]
fn a_text_is_a_message_with_its_quote_and_its_buttons() {
    let keyboard = buttons();
    let said = Saying { keyboard: Some(&keyboard), quote: Some(5), ..saying("hello", WithFile::None) };
    let markup = r#"reply_markup={"keyboard":[[{"text":"Yes"}]],"resize_keyboard":true}"#;
    let quote = r#"reply_parameters={"allow_sending_without_reply":true,"message_id":5}"#;
    assert_eq!(shown(&plan(CHAT, said)), [format!("sendMessage {markup} {quote} text=hello")]);
    let parts = plan(CHAT, Saying { file: WithFile::Captioned, ..said });
    assert_eq!(shown(&parts), [format!("sendPhoto caption=hello {markup} {quote}")]);
    let parts = plan(CHAT, Saying { file: WithFile::Bare, ..said });
    assert_eq!(shown(&parts), [format!("sendPhoto {quote}"), format!("sendMessage {markup} text=hello")]);
    assert_eq!(shown(&plan(CHAT, saying("", WithFile::Captioned))), ["sendPhoto"]);
    for nothing in ["", " \n"] {
        assert!(plan(CHAT, Saying { text: nothing, ..said }).is_empty());
    }
}

#[test]
fn a_long_caption_goes_on_in_further_messages_and_the_quote_stays_first_and_the_buttons_last() {
    let keyboard = buttons();
    let text = format!("{}\n\n{} {}", "a".repeat(1000), "b".repeat(4000), "c".repeat(200));
    let said = Saying { keyboard: Some(&keyboard), quote: Some(5), ..saying(&text, WithFile::Captioned) };
    let shown = shown(&plan(CHAT, said));
    let begins: Vec<_> = shown.iter().map(|one| one.split('=').next().unwrap()).collect();
    assert_eq!(begins, ["sendPhoto caption", "sendMessage text", "sendMessage reply_markup"]);
    assert!(shown[0].contains("reply_parameters") && !shown[0].contains("reply_markup"));
    assert!(!shown[1].contains("reply_parameters") && !shown[2].contains("reply_parameters"));
}

#[test]
fn a_chat_of_a_business_account_is_addressed_by_its_connection_and_gets_inline_buttons() {
    let keyboard = buttons();
    let target = Target { business: Some("bc"), chat: 7 };
    let said = Saying { keyboard: Some(&keyboard), ..saying("hello", WithFile::None) };
    let Some(Part::Text(call)) = plan(target, said).pop() else { panic!() };
    assert_eq!(call.params.text("business_connection_id"), Some("bc"));
    assert!(call.params.text("reply_markup").unwrap().starts_with(r#"{"inline_keyboard""#));
    assert_eq!(typing(target).params.text("business_connection_id"), Some("bc"));
}

#[test]
fn a_file_is_sent_under_a_name_that_can_be_shown() {
    let Some(Part::File(file)) = plan(CHAT, saying("", WithFile::Captioned)).pop() else { panic!() };
    for (medium, name, method, part, shown) in [
        (Medium::Photo, "", "sendPhoto", "photo", "photo.jpg"),
        (Medium::Voice, "", "sendVoice", "voice", "voice.ogg"),
        (Medium::Document, "Счёт №7.pdf", "sendDocument", "document", "Счёт №7.pdf"),
        (Medium::Document, "../../etc/passwd", "sendDocument", "document", "passwd"),
        (Medium::Document, "a\r\nb\u{0}.txt", "sendDocument", "document", "ab.txt"),
        (Medium::Audio, " / ", "sendAudio", "audio", "audio.mp3"),
        (Medium::Video, "C:\\x\\y.mp4", "sendVideo", "video", "y.mp4"),
        (Medium::Sticker, "s.webp", "sendSticker", "sticker", "s.webp"),
    ] {
        let call = file.call(medium, name);
        assert_eq!((call.method, call.files.len()), (method, 1));
        assert_eq!((call.files[0].name.as_str(), call.files[0].file_name.as_str()), (part, shown));
    }
    let long = file.call(Medium::Document, &format!("{}.pdf", "я".repeat(300))).files.remove(0).file_name;
    assert!(long.chars().count() == NAME_CHARS && long.ends_with("я.pdf"));
}

#[test]
fn an_album_names_its_parts_and_has_captions_where_there_are_any() {
    let item = |medium, caption| Item { medium, name: "", caption };
    let call = album(CHAT, Some(5), &[item(Medium::Photo, "two"), item(Medium::Video, " ")]);
    assert_eq!(call.method, "sendMediaGroup");
    let media: Value = serde_json::from_str(call.params.text("media").unwrap()).unwrap();
    assert_eq!(
        media,
        json!([
            {"type": "photo", "media": "attach://file0", "caption": "two"},
            {"type": "video", "media": "attach://file1"},
        ])
    );
    let names: Vec<_> = call.files.iter().map(|part| (part.name.as_str(), part.file_name.as_str())).collect();
    assert_eq!(names, [("file0", "photo.jpg"), ("file1", "video.mp4")]);
    assert!(call.params.text("reply_parameters").is_some());
}

#[test]
fn typing_and_reactions_are_calls_of_their_own() {
    let call = typing(CHAT);
    assert_eq!((call.method, call.params.text("action")), ("sendChatAction", Some("typing")));
    let of = MessagePlace { business: None, chat: 7, message: 42 };
    let call = reaction(&of, Some("👍"));
    assert_eq!((call.method, call.params.text("message_id")), ("setMessageReaction", Some("42")));
    assert_eq!(call.params.text("reaction"), Some(r#"[{"emoji":"👍","type":"emoji"}]"#));
    assert_eq!(reaction(&of, None).params.text("reaction"), Some("[]"));
    assert_eq!(answer_press("9").params.text("callback_query_id"), Some("9"));
}

proptest! {
    #[test]
    fn every_message_is_within_telegrams_limits_and_nothing_of_the_text_is_lost(
        text in "([a-zЖ😀]{1,40}[ \\n]{1,3}){0,500}",
        file in prop_oneof![Just(WithFile::None), Just(WithFile::Captioned), Just(WithFile::Bare)],
    ) {
        let parts = plan(CHAT, saying(&text, file));
        let mut said = String::new();
        for part in &parts {
            let (call, name, limit) = match part {
                Part::Text(call) => (call.clone(), "text", TEXT_UNITS),
                Part::File(file) => (file.call(Medium::Document, ""), "caption", CAPTION_UNITS),
            };
            let part = call.params.text(name).unwrap_or_default();
            prop_assert!(units(part) <= limit);
            said.push_str(part);
        }
        if !text.trim().is_empty() {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&said), words(&text));
        }
    }
}
