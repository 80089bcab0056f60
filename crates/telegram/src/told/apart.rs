//! What is asked of updates and messages apart from what is told of them.

use bytes::Bytes;
use tandem_model::{
    BotId,
    message::{Client, Language},
};

use super::{
    Reader,
    object::{Object, elements},
};
use crate::update::UpdateView;

/// Exactly what stands on the button that a callback query is a press of, if its message still shows it.
pub fn pressed_label(update: &Bytes) -> Option<String> {
    label_of(&UpdateView::of(update).ok()?)
}

/// The same of an update that was looked at already.
pub(crate) fn label_of(view: &UpdateView<'_>) -> Option<String> {
    let data = view.callback_data()?;
    let markup = Object::of(view.object())?.object("message")?.object("reply_markup")?;
    let rows = markup.elements("inline_keyboard");
    let mut buttons = rows.into_iter().flat_map(elements).filter_map(Object::of);
    let pressed = buttons.find(|button| button.text("callback_data").is_some_and(|known| known == data))?;
    Some(pressed.text("text")?.into_owned())
}

/// The client in whose chat a message stands, which may be the first of several: in a private chat the person it is with.
/// `None` where the message does not say.
pub fn client_of_chat(language: Language, bot: BotId, message: &[u8]) -> Option<Client> {
    let message = match Object::of(message) {
        Some(message) => message,
        None => elements(message).into_iter().find_map(Object::of)?,
    };
    let chat = message.object("chat")?;
    chat.integer("id")?;
    let reader = Reader { bot, language };
    Some(if chat.text("type").as_deref() == Some("private") {
        reader.client(&chat)
    } else {
        reader.chat_as_client(&chat, None)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_says_what_stood_on_the_button_and_nothing_when_it_is_gone() {
        let press = |data: &str| {
            Bytes::from(format!(
                r#"{{"update_id":1,"callback_query":{{"id":"1","from":{{"id":7,"first_name":"Ann"}},"data":"{data}",
                "message":{{"message_id":3,"date":1,"chat":{{"id":7,"type":"private"}},"reply_markup":{{"inline_keyboard":
                [[{{"text":"Red ","callback_data":"a"}}],[{{"text":"Site","url":"https://a.example"}},{{"text":"Blue","callback_data":"b"}}]]}}}}}}}}"#
            ))
        };
        assert_eq!(pressed_label(&press("a")).as_deref(), Some("Red "));
        assert_eq!(pressed_label(&press("b")).as_deref(), Some("Blue"));
        assert_eq!(pressed_label(&press("c")), None);
        assert_eq!(pressed_label(&Bytes::from_static(b"{\"update_id\":1,\"message\":{}}")), None);
    }

    #[test]
    fn the_client_of_a_private_chat_is_the_person_it_is_with() {
        let bot = BotId::new(777).unwrap();
        let of = |message: &str| client_of_chat(Language::English, bot, message.as_bytes());
        let one = r#"{"message_id":3,"chat":{"id":7,"type":"private","first_name":"Ann","last_name":"Lee","username":"ann"}}"#;
        let client = of(one).unwrap();
        assert_eq!((client.person.as_str(), client.name.as_str()), ("tg:7", "Ann Lee"));
        assert_eq!(client.username.as_deref(), Some("ann"));
        assert_eq!(of(&format!("[{one},{one}]")).unwrap(), client);
        let group = of(r#"{"chat":{"id":-5,"type":"group","title":"Shop"}}"#).unwrap();
        assert_eq!((group.person.as_str(), group.name.as_str()), ("tg:-5", "Shop"));
        for nobody in ["true", "[]", "{}", r#"{"message_id":4}"#] {
            assert_eq!(of(nobody), None, "{nobody}");
        }
    }
}
