//! The words of conditions. A wrong one is answered with those there are.

use std::{collections::BTreeSet, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Unexpected, Visitor},
};
use tandem_telegram::{
    methods::Act,
    update::{Content, Kind},
};

/// A word that can stand in a condition.
pub trait Word: Ord + Clone {
    /// Reads it; says what is expected if it is none.
    fn parse(text: &str) -> Result<Self, String>;

    /// As it is written.
    fn write(&self) -> String;
}

/// One word or a list of them: any of them fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words<T: Ord>(BTreeSet<T>);

impl<T: Ord> Words<T> {
    /// The words.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none, so that nothing fits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Ord> FromIterator<T> for Words<T> {
    fn from_iter<I: IntoIterator<Item = T>>(words: I) -> Self {
        Self(words.into_iter().collect())
    }
}

impl<T: Word> Serialize for Words<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.first() {
            Some(only) if self.0.len() == 1 => serializer.serialize_str(&only.write()),
            Some(_) | None => serializer.collect_seq(self.0.iter().map(Word::write)),
        }
    }
}

impl<'de, T: Word> Deserialize<'de> for Words<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(Read(PhantomData))? {
            Asked::These(words) => Ok(words),
            Asked::Any(given) => {
                Err(D::Error::invalid_type(Unexpected::Bool(given), &"a word or a list of words"))
            }
        }
    }
}

/// Whether there is something at all, or one of certain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged, bound = "T: Word")]
pub enum Asked<T: Ord> {
    /// There is, or there is not.
    Any(bool),
    /// It is one of these.
    These(Words<T>),
}

impl<T: Ord> Asked<T> {
    /// How many words, if it asks for words.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Self::Any(_) => None,
            Self::These(words) => Some(words.len()),
        }
    }
}

impl<'de, T: Word> Deserialize<'de> for Asked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Read(PhantomData))
    }
}

struct Read<T>(PhantomData<T>);

impl<'de, T: Word> Visitor<'de> for Read<T> {
    type Value = Asked<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word or a list of words")
    }

    fn visit_bool<E: Error>(self, given: bool) -> Result<Self::Value, E> {
        Ok(Asked::Any(given))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Asked::These(Words([T::parse(text).map_err(E::custom)?].into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut words = BTreeSet::new();
        while let Some(text) = list.next_element::<String>()? {
            words.insert(T::parse(&text).map_err(A::Error::custom)?);
        }
        Ok(Asked::These(Words(words)))
    }
}

macro_rules! closed_words {
    ($($(#[$doc:meta])* $name:ident ($what:literal) { $($(#[$vdoc:meta])* $variant:ident $word:literal,)* })*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl Word for $name {
            fn parse(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(unknown($what, text, [$($word),*])),
                }
            }

            fn write(&self) -> String {
                match self {
                    $(Self::$variant => $word,)*
                }
                .to_owned()
            }
        })*
    };
}

closed_words! {
    /// A kind of chat.
    ChatWord("a kind of chat") {
        /// With one person, in the bot's own name or a business account's.
        Private "private",
        /// A group.
        Group "group",
        /// A group with a history for all.
        Supergroup "supergroup",
        /// A channel.
        Channel "channel",
        /// Of a business account.
        Business "business",
    }
    /// A kind of button.
    ButtonWord("a kind of button") {
        /// Of a reply keyboard.
        Reply "reply",
        /// Under a message.
        Inline "inline",
        /// One that a manager had shown.
        Manager "manager",
    }
    /// What was going on in a conversation; the words of `tandemSetConversation`.
    StateWord("a state of a conversation") {
        /// An app waited for an answer.
        Dialogue "dialogue",
        /// A manager had it.
        Manager "manager",
        /// Neither.
        Free "free",
    }
}

/// A kind of thing: the name of an update's kind, what a message is, or `sent` or the word of what the company's side
/// did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KindWord(&'static str);

impl KindWord {
    /// What the company's side did, whatever it is.
    pub(super) const SENT: &'static str = "sent";
    /// A message that nobody knew how to read when this was written.
    pub(super) const OTHER: &'static str = "other";

    /// The word.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    fn all() -> impl Iterator<Item = &'static str> {
        let contents = Content::ALL.iter().map(|content| content.as_str());
        let updates = Kind::documented().filter_map(Kind::name);
        let acts = Act::ALL.iter().map(|act| act.as_str());
        contents.chain([Self::OTHER]).chain(updates).chain([Self::SENT]).chain(acts)
    }
}

impl Word for KindWord {
    fn parse(text: &str) -> Result<Self, String> {
        let known = Self::all().find(|word| *word == text);
        known.map(Self).ok_or_else(|| unknown("a kind", text, Self::all()))
    }

    fn write(&self) -> String {
        self.0.to_owned()
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AuthorWord {
    /// The client, or whoever else writes in the chat.
    Client,
    /// Any app: the bot.
    Bot,
    /// This app.
    App(String),
    /// A manager.
    Manager,
}

impl Word for AuthorWord {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "client" => Ok(Self::Client),
            "bot" => Ok(Self::Bot),
            "manager" => Ok(Self::Manager),
            _ => match text.strip_prefix("app:").filter(|name| !name.is_empty()) {
                Some(name) => Ok(Self::App(name.to_owned())),
                None => Err(unknown("an author", text, ["client", "bot", "app:NAME", "manager"])),
            },
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Client => "client".to_owned(),
            Self::Bot => "bot".to_owned(),
            Self::Manager => "manager".to_owned(),
            Self::App(name) => format!("app:{name}"),
        }
    }
}

/// A command's name, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommandWord(String);

impl CommandWord {
    /// Whether it is this command.
    pub(super) fn is(&self, command: &str) -> bool {
        self.0.eq_ignore_ascii_case(command)
    }
}

impl Word for CommandWord {
    fn parse(text: &str) -> Result<Self, String> {
        let name = text.strip_prefix('/').unwrap_or(text);
        let fits = (1..=32).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if fits {
            Ok(Self(name.to_ascii_lowercase()))
        } else {
            Err(format!("{text:?} is no command: 1 to 32 letters, digits and _ are expected"))
        }
    }

    fn write(&self) -> String {
        self.0.clone()
    }
}

fn unknown(what: &str, text: &str, known: impl IntoIterator<Item = &'static str>) -> String {
    let mut words: Vec<&str> = known.into_iter().collect();
    words.sort_unstable();
    words.dedup();
    format!("{text:?} is not {what}; expected one of {}", words.join(", "))
}
