//! The methods of the Bot API: names, shapes of results, file parameters, and what the gateway does with each.
//!
//! The table is made from the published description (`data/`) and is never a validator of live traffic: a method
//! that is not in it is passed through like any other, and what its answer shows is captured by
//! [`Capture::of_answer`]. What a method *means* to us stands by hand in `class.rs`.

mod class;
mod table;

pub use class::{Act, Capture, Class, Virtual};

/// The version of the Bot API that the table describes.
pub const BOT_API_VERSION: &str = table::VERSION;

/// What the `result` of a successful answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `true`.
    True,
    /// A message.
    Message,
    /// An array of messages.
    Messages,
    /// A message, or `true` for messages that were sent by inline queries.
    MessageOrTrue,
    /// An object with a `message_id` and nothing else that matters.
    MessageId,
    /// An array of such objects.
    MessageIds,
    /// A poll.
    Poll,
    /// A story of a business account.
    Story,
    /// A forum topic.
    ForumTopic,
    /// An object with an `inline_message_id`.
    InlineMessageId,
    /// Anything else.
    Other,
}

/// How a parameter carries files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// The parameter is the file: a `file_id`, an address, `attach://…`, or a part of its own name.
    Direct,
    /// JSON that can name other parts by `attach://`.
    Nested,
}

/// A parameter that can carry files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileParameter {
    /// Its name.
    pub name: &'static str,
    /// How it carries them.
    pub form: Form,
}

#[derive(Debug)]
struct Entry {
    name: &'static str,
    shape: Shape,
    files: &'static [FileParameter],
}

/// Names that Telegram still accepts for a method that was renamed (reference/telegram.md 1.1), in lower case.
const ALIASES: [(&str, &str); 3] = [
    ("kickchatmember", "banchatmember"),
    ("getchatmemberscount", "getchatmembercount"),
    ("setstickersetthumb", "setstickersetthumbnail"),
];

/// A method that the table knows.
#[derive(Debug, Clone, Copy)]
pub struct Method(&'static Entry);

impl Method {
    /// Finds a method by its name in any case, or by an alias. `None` for names the table does not know, which
    /// may well be methods that are newer than it.
    pub fn find(name: &str) -> Option<Self> {
        let name = ALIASES
            .iter()
            .find(|(alias, _)| name.eq_ignore_ascii_case(alias))
            .map_or(name, |(_, canonical)| canonical);
        let lower = |text: &'static str| text.bytes().map(|byte| byte.to_ascii_lowercase());
        let wanted = || name.bytes().map(|byte| byte.to_ascii_lowercase());
        let at = table::METHODS.binary_search_by(|entry| lower(entry.name).cmp(wanted())).ok()?;
        Some(Self(&table::METHODS[at]))
    }

    /// All of them, by name.
    pub fn all() -> impl Iterator<Item = Self> {
        table::METHODS.iter().map(Self)
    }

    /// The name as the documentation spells it.
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// What its result is.
    pub const fn shape(self) -> Shape {
        self.0.shape
    }

    /// The parameters that can carry files.
    pub const fn files(self) -> &'static [FileParameter] {
        self.0.files
    }
}

impl PartialEq for Method {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Method {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(serde::Deserialize)]
    struct Described {
        version: String,
        update_kinds: Vec<String>,
        methods: Vec<DescribedMethod>,
    }

    #[derive(serde::Deserialize)]
    struct DescribedMethod {
        name: String,
        returns: Vec<String>,
        files: BTreeMap<String, String>,
    }

    fn described() -> Described {
        serde_json::from_str(include_str!("../data/bot-api.json")).unwrap()
    }

    #[test]
    fn the_table_is_not_stale() {
        let described = described();
        assert_eq!(described.version, BOT_API_VERSION);
        for method in &described.methods {
            let known = Method::find(&method.name).unwrap_or_else(|| panic!("{} is missing", method.name));
            assert_eq!(known.name(), method.name);
            let returns: Vec<_> = method.returns.iter().map(String::as_str).collect();
            let shape = match *returns.as_slice() {
                ["Boolean"] => Shape::True,
                ["Message"] => Shape::Message,
                ["Array of Message"] => Shape::Messages,
                ["Message", "Boolean"] => Shape::MessageOrTrue,
                ["MessageId"] => Shape::MessageId,
                ["Array of MessageId"] => Shape::MessageIds,
                ["Poll"] => Shape::Poll,
                ["Story"] => Shape::Story,
                ["ForumTopic"] => Shape::ForumTopic,
                ["SentGuestMessage" | "SentWebAppMessage"] => Shape::InlineMessageId,
                _ => Shape::Other,
            };
            assert_eq!(known.shape(), shape, "{}", method.name);
            let files: BTreeMap<_, _> = known
                .files()
                .iter()
                .map(|file| {
                    let form = match file.form {
                        Form::Direct => "direct",
                        Form::Nested => "nested",
                    };
                    (file.name.to_owned(), form.to_owned())
                })
                .collect();
            assert_eq!(files, method.files, "{}", method.name);
        }
        // The two that the server takes and the documentation does not name.
        assert_eq!(Method::all().count(), described.methods.len() + 2);
        assert_eq!(described.methods.len(), 185);
    }

    #[test]
    fn every_described_update_kind_has_a_topic() {
        let described = described();
        assert_eq!(described.update_kinds.len(), 27);
        for name in described.update_kinds {
            let kind = crate::update::Kind::of_name(name.as_bytes());
            assert!(kind.is_documented(), "{name}");
            assert_eq!(kind.name(), Some(name.as_str()));
        }
    }

    #[test]
    fn the_table_is_sorted_as_the_search_needs_it() {
        let names: Vec<_> = Method::all().map(|method| method.name().to_lowercase()).collect();
        assert!(names.is_sorted());
    }

    #[test]
    fn methods_are_found_in_any_case_and_by_their_old_names() {
        for name in ["sendmessage", "SendMessage", "SENDMESSAGE", "sendMessage"] {
            assert_eq!(Method::find(name).unwrap().name(), "sendMessage");
        }
        assert_eq!(Method::find("kickChatMember").unwrap().name(), "banChatMember");
        assert_eq!(Method::find("GETCHATMEMBERSCOUNT").unwrap().name(), "getChatMemberCount");
        assert_eq!(Method::find("setStickerSetThumb").unwrap().name(), "setStickerSetThumbnail");
        assert!(Method::find("sendCustomRequest").is_some());
        for name in ["", "sendMessage/", "sendMessages", "s\u{212a}", "/getMe", "getme\0"] {
            assert!(Method::find(name).is_none(), "{name}");
        }
    }
}
