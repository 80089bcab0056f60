//! The project's channels: what goes by a uuid in addresses goes by a number in hooks (2).

use serde_json::Value;
use tandem_model::PauseReason;
use tandem_vendor::{Failure, FailureKind};

use crate::{
    document::{ChannelDocument, ChannelKind},
    envelope,
};

/// A channel as Wahelp shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) active: Option<bool>,
}

/// All that are known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Channels {
    pub(crate) list: Vec<Channel>,
}

impl Channels {
    /// Reads a list as it was answered; what has no number and no uuid is none.
    pub(crate) fn read(answer: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let channel = |value: &Value| {
            Some(Channel {
                id: envelope::id(value.get("id")?)?,
                uuid: envelope::id(value.get("uuid")?)?,
                name: text(&value["name"]),
                kind: text(&value["type"]),
                active: value["active"]
                    .as_bool()
                    .or_else(|| value["active"].as_i64().map(|number| number != 0)),
            })
        };
        Self { list: envelope::list(answer).0.iter().filter_map(channel).collect() }
    }

    /// The channel that settings name by an alias or a uuid.
    pub(crate) fn find(&self, named: &str, documents: &[ChannelDocument]) -> Result<&Channel, Failure> {
        let uuid =
            documents.iter().find(|known| known.alias == named).map_or(named, |known| known.uuid.as_str());
        self.list.iter().find(|channel| channel.uuid.eq_ignore_ascii_case(uuid)).ok_or_else(|| {
            let words = format!(
                "the project has no channel {named}: name one by its uuid, or by an alias that the connection's channels \
                 give to a uuid"
            );
            Failure::new(FailureKind::Stop(PauseReason::Refused), words)
        })
    }

    /// The channel of this number, as hooks name it.
    pub(crate) fn by_id(&self, id: &str) -> Option<&Channel> {
        self.list.iter().find(|channel| channel.id == id)
    }
}

impl Channel {
    /// What it is: as the owner says, else by the type's words. Whatever is not known to be a bot counts as somebody's
    /// account: better asked once too often.
    pub(crate) fn is_account(&self, documents: &[ChannelDocument]) -> bool {
        match self.document(documents).and_then(|document| document.kind) {
            Some(ChannelKind::Bot) => false,
            Some(ChannelKind::Account) => true,
            None => !self.kind.to_lowercase().contains("bot"),
        }
    }

    pub(crate) fn document<'a>(&self, documents: &'a [ChannelDocument]) -> Option<&'a ChannelDocument> {
        documents.iter().find(|document| document.uuid.eq_ignore_ascii_case(&self.uuid))
    }

    /// What people call it.
    pub(crate) fn shown<'a>(&'a self, documents: &'a [ChannelDocument]) -> &'a str {
        match self.document(documents) {
            Some(document) => &document.alias,
            None if self.name.is_empty() => &self.uuid,
            None => &self.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_channel_goes_by_alias_uuid_and_number_and_is_an_account_unless_a_bot() {
        let channels = Channels::read(&json!([
            {"id": "31001", "uuid": "aa-1", "name": "Shop", "type": "telegram", "active": 1},
            {"id": 31002, "uuid": "aa-2", "name": "Bot", "type": "telegram_bot", "active": true},
            {"id": 5}, {"uuid": "x"}, "strange",
        ]));
        assert_eq!(channels.list.len(), 2);
        let document =
            |kind| [ChannelDocument { alias: "clients_tg".to_owned(), uuid: "AA-1".to_owned(), kind }];
        let found = channels.find("clients_tg", &document(None)).unwrap();
        assert_eq!((found.id.as_str(), found.active), ("31001", Some(true)));
        assert_eq!(channels.find("aa-2", &[]).unwrap().id, "31002");
        assert_eq!(channels.by_id("31001"), Some(found));
        let missing = channels.find("other", &document(None)).unwrap_err();
        assert_eq!(missing.kind, FailureKind::Stop(PauseReason::Refused));
        assert!(found.is_account(&document(None)) && !found.is_account(&document(Some(ChannelKind::Bot))));
        let bot = channels.by_id("31002").unwrap();
        assert!(!bot.is_account(&[]));
        assert_eq!((found.shown(&document(None)), found.shown(&[])), ("clients_tg", "Shop"));
    }
}
