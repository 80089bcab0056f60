//! What Wahelp's words mean, by lists that are settings: nobody has seen all of them (4.2, 8.2, 8.4).

use tandem_vendor::Arrived;

use crate::document::WordsDocument;

pub(crate) const UNREACHABLE: &[&str] =
    &["мессенджер не подключен", "номер не подключен", "номер не зарегистрирован", "messenger+not connected"];
pub(crate) const THROTTLED: &[&str] = &["слишком много попыток", "too many requests", "too many attempts"];
pub(crate) const SENT: &[&str] = &["sent", "send"];
pub(crate) const DELIVERED: &[&str] = &["delivered", "delivered_to_recipient"];
pub(crate) const READ: &[&str] = &["read", "seen", "viewed"];
pub(crate) const FAILED: &[&str] = &["failed", "error", "not_delivered"];
pub(crate) const OUTBOUND_PREFIXES: &[&str] = &["from_"];
pub(crate) const DELETED: &[&str] = &["message deleted", "сообщение удалено"];
pub(crate) const CALLS: &[&str] = &[
    "incoming call",
    "outgoing call",
    "missed call",
    "входящий звонок",
    "исходящий звонок",
    "пропущенный звонок",
];

/// Who a message is from (8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Author {
    /// The client.
    Client,
    /// Staff, wherever they wrote, or the API.
    Staff,
    /// Somebody has taken the contact into work.
    Taken,
    /// Something automatic, which is no part of the dialogue.
    Automatic,
    /// Notes and notices.
    Service,
    /// Nobody knows.
    Unknown,
}

/// What an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Complaint {
    Unreachable,
    Throttled,
    Other,
}

impl WordsDocument {
    /// Who a message with this destination is from.
    pub(crate) fn author(&self, destination: &str) -> Author {
        match destination {
            "from" => Author::Client,
            "contact_in_work" => Author::Taken,
            "to" | "ai" => Author::Automatic,
            "comment" => Author::Service,
            other if self.outbound_prefixes.iter().any(|prefix| other.starts_with(prefix.as_str())) => {
                Author::Staff
            }
            other if other.starts_with("altegio_") => Author::Automatic,
            other if other.starts_with("notice_") => Author::Service,
            _ => Author::Unknown,
        }
    }

    /// How far a status says that a message has come. `None` for a word that is in no list.
    pub(crate) fn status(&self, status: &str) -> Option<Arrived> {
        let status = status.to_lowercase();
        let has = |list: &[String]| list.contains(&status);
        [
            (&self.read, Arrived::Read),
            (&self.delivered, Arrived::Delivered),
            (&self.failed, Arrived::Failed),
            (&self.sent, Arrived::Sent),
        ]
        .into_iter()
        .find_map(|(list, arrived)| has(list).then_some(arrived))
    }

    /// What an error is about, by its whole text.
    pub(crate) fn complaint(&self, text: &str) -> Complaint {
        let text = text.to_lowercase();
        let has = |list: &[String]| {
            list.iter()
                .any(|words| !words.is_empty() && words.split('+').all(|word| text.contains(word.trim())))
        };
        if has(&self.throttled) {
            Complaint::Throttled
        } else if has(&self.unreachable) {
            Complaint::Unreachable
        } else {
            Complaint::Other
        }
    }

    /// The word for a text that is no words of anybody's: a deleted message, a call.
    pub(crate) fn marker(&self, text: &str) -> Option<&'static str> {
        let bare = text.trim().strip_prefix('_')?.strip_suffix('_')?.trim().to_lowercase();
        if self.deleted.contains(&bare) {
            Some("a deleted message")
        } else if self.calls.iter().any(|call| bare.starts_with(call.as_str())) {
            Some("a call")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_says_who_a_message_is_from() {
        let words = WordsDocument::default();
        for (destination, author) in [
            ("from", Author::Client),
            ("from_operator", Author::Staff),
            ("from_whatsapp", Author::Staff),
            ("from_something_new", Author::Staff),
            ("contact_in_work", Author::Taken),
            ("to", Author::Automatic),
            ("ai", Author::Automatic),
            ("altegio_visit", Author::Automatic),
            ("comment", Author::Service),
            ("notice_call", Author::Service),
            ("", Author::Unknown),
            ("operator", Author::Unknown),
            ("FROM", Author::Unknown),
        ] {
            assert_eq!(words.author(destination), author, "{destination}");
        }
        let narrow =
            WordsDocument { outbound_prefixes: vec!["from_op".to_owned()], ..WordsDocument::default() };
        assert_eq!(narrow.author("from_whatsapp"), Author::Unknown);
    }

    #[test]
    fn statuses_and_complaints_are_told_by_their_words_in_any_case() {
        let words = WordsDocument::default();
        for (status, arrived) in [
            ("Sent", Some(Arrived::Sent)),
            ("delivered_to_recipient", Some(Arrived::Delivered)),
            ("SEEN", Some(Arrived::Read)),
            ("not_delivered", Some(Arrived::Failed)),
            ("queued", None),
        ] {
            assert_eq!(words.status(status), arrived, "{status}");
        }
        for (text, complaint) in [
            ("{\"message\":\"Мессенджер не подключен\"}", Complaint::Unreachable),
            ("The messenger is not connected", Complaint::Unreachable),
            ("not connected", Complaint::Other),
            ("Слишком много попыток, подождите", Complaint::Throttled),
            ("Too Many Requests", Complaint::Throttled),
            ("validation failed", Complaint::Other),
        ] {
            assert_eq!(words.complaint(text), complaint, "{text}");
        }
    }

    #[test]
    fn markers_stand_between_underscores_and_are_nobodys_words() {
        let words = WordsDocument::default();
        assert_eq!(words.marker("_Message deleted_"), Some("a deleted message"));
        assert_eq!(words.marker(" _Входящий звонок, 0:12_ "), Some("a call"));
        for said in ["Message deleted", "_hello_", "Incoming call", "_", "__", ""] {
            assert_eq!(words.marker(said), None, "{said}");
        }
    }
}
