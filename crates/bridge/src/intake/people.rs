//! What an update tells of somebody himself, noted in its commit: the number he shares, where he came from, and whether
//! he can be written to.
//!
//! Only in his own chat with the bot. A number is believed only when it is the sender's own contact, which Telegram says
//! by the user's id in it; anybody can send anybody's card.

use tandem_journal::{Fact, PersonChange, Presence, StartSource};
use tandem_model::Timestamp;
use tandem_telegram::update::UpdateView;

/// What becomes known; `None` for nearly every update.
pub(crate) fn known_by(update: &UpdateView<'_>, now: Timestamp) -> Option<Fact> {
    let kind = update.kind_name();
    if !matches!(&*kind, "message" | "my_chat_member") || update.chat_type().as_deref() != Some("private") {
        return None;
    }
    let user = update.user_id()?;
    let at = update.date().unwrap_or(now);
    let mut change = PersonChange { user, phone: None, start: None, presence: None };
    if kind == "my_chat_member" {
        change.presence = match update.new_status()?.as_ref() {
            "kicked" => Some(Presence::Blocked { since: at }),
            "member" => Some(Presence::Reachable),
            _ => None,
        };
    } else {
        let message = update.message();
        change.phone =
            message.contact().filter(|contact| contact.own).map(|contact| contact.phone.into_owned());
        if message.command().is_some_and(|command| command.name() == "start") {
            let payload = message.start_payload().unwrap_or_default();
            change.start = Some(StartSource { payload, at });
        }
    }
    let is_known = change.phone.is_some() || change.start.is_some() || change.presence.is_some();
    is_known.then_some(Fact::Person(change))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn known(kind: &str, chat: &str, more: &str) -> Option<PersonChange> {
        let body = format!(
            r#"{{"update_id":1,"{kind}":{{"message_id":1,"date":1800000000,"chat":{{"id":7,"type":"{chat}"}},
                "from":{{"id":7,"is_bot":false,"first_name":"Ann"}}{more}}}}}"#
        );
        let body = Bytes::from(body);
        match known_by(&UpdateView::of(&body).unwrap(), Timestamp::EPOCH)? {
            Fact::Person(change) => Some(change),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_number_is_believed_only_of_whom_it_is() {
        let card =
            |user: &str| format!(r#","contact":{{"phone_number":"+79990001122","first_name":"Ann"{user}}}"#);
        let own = known("message", "private", &card(r#","user_id":7"#)).unwrap();
        assert_eq!((own.user.get(), own.phone.as_deref()), (7, Some("+79990001122")));
        for strange in [card(""), card(r#","user_id":8"#)] {
            assert_eq!(known("message", "private", &strange), None);
        }
        assert_eq!(known("message", "group", &card(r#","user_id":7"#)), None);
        assert_eq!(known("edited_message", "private", &card(r#","user_id":7"#)), None);
    }

    #[test]
    fn where_somebody_came_from_and_whether_he_can_be_written_to() {
        let command = |text: &str| {
            format!(r#","text":"{text}","entities":[{{"type":"bot_command","offset":0,"length":6}}]"#)
        };
        let at = Timestamp::from_secs(1_800_000_000);
        for (text, payload) in [("/start", ""), ("/start promo", "promo")] {
            let start = known("message", "private", &command(text)).unwrap().start;
            assert_eq!(start, Some(StartSource { payload: payload.to_owned(), at }));
        }
        assert_eq!(known("message", "private", r#","text":"hello""#), None);
        let status = |word: &str| format!(r#","new_chat_member":{{"status":"{word}"}}"#);
        let presence =
            |word| known("my_chat_member", "private", &status(word)).and_then(|known| known.presence);
        assert_eq!(presence("kicked"), Some(Presence::Blocked { since: at }));
        assert_eq!(presence("member"), Some(Presence::Reachable));
    }
}
