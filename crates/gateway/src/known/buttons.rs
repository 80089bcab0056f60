//! The reply keyboard that a chat shows, and who has shown it.
//!
//! It never comes back in a result (reference/telegram.md 5), and its press is a message like any other: what is known of
//! it was read off the call that showed it, and stands in the commit of that call as a link of the bot's. Of the buttons'
//! texts only hashes are kept.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest, Sha256};
use tandem_journal::{Fact, Link, LinkScope, ReadError, Store};
use tandem_model::{BotId, Conversation, LaneId, Timestamp};
use tandem_telegram::{keyboard::ReplyKeyboard, params::Params};

/// Keyboards and their buttons that are remembered, of all bots together.
const REMEMBERED: usize = 250_000;
/// Most buttons of a keyboard; Telegram shows fewer.
const BUTTONS: usize = 400;
const OURS: &str = "replykeyboard:";
const REMOVED: &str = "removed";

/// Who has shown a keyboard, below a message or in place of the client's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShownBy {
    /// The app of this lane.
    App(LaneId),
    /// A manager, through the route of this lane.
    Manager(LaneId),
}

impl ShownBy {
    const APP: &'static str = "lane:";
    const MANAGER: &'static str = "manager:";

    /// As it stands in a link.
    pub(crate) fn stored(self) -> String {
        match self {
            Self::App(lane) => format!("{}{lane}", Self::APP),
            Self::Manager(lane) => format!("{}{lane}", Self::MANAGER),
        }
    }

    /// From a link.
    pub(crate) fn of_stored(text: &str) -> Option<Self> {
        let lane = |number: &str| LaneId::new(number.parse().ok()?).ok();
        match text.strip_prefix(Self::APP) {
            Some(number) => lane(number).map(Self::App),
            None => lane(text.strip_prefix(Self::MANAGER)?).map(Self::Manager),
        }
    }

    /// Whether a link says so.
    pub(super) fn is_manager(theirs: &str) -> bool {
        theirs.starts_with(Self::MANAGER)
    }
}

/// A reply keyboard.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Keyboard {
    by: ShownBy,
    /// Hashes of the texts, in order.
    buttons: Vec<u64>,
}

impl Keyboard {
    /// What a call does to the keyboard of a conversation, to be committed with it.
    pub(crate) fn note(
        by: ShownBy,
        conversation: &Conversation,
        parameters: &Params,
        now: Timestamp,
    ) -> Option<Fact> {
        let theirs = match ReplyKeyboard::of(parameters.text("reply_markup")?.as_bytes())? {
            ReplyKeyboard::Removed => REMOVED.to_owned(),
            ReplyKeyboard::Shown(texts) => {
                let mut buttons: Vec<u64> = texts.iter().take(BUTTONS).map(|text| hash(text)).collect();
                buttons.sort_unstable();
                buttons.dedup();
                Self { by, buttons }.stored()
            }
        };
        let ours = format!("{OURS}{conversation}");
        Some(Fact::Link(Link { scope: LinkScope::Bot, ours, theirs, at: now }))
    }

    fn stored(&self) -> String {
        let mut text = self.by.stored();
        for button in &self.buttons {
            write!(text, " {button:016x}").expect("writing to a text never fails");
        }
        text
    }

    fn of_stored(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let by = ShownBy::of_stored(words.next()?)?;
        let buttons = words.map(|word| u64::from_str_radix(word, 16).ok()).collect::<Option<_>>()?;
        Some(Self { by, buttons })
    }
}

/// The first bytes of its SHA-256: the same in every version. Telegram cuts the space around a message's text.
fn hash(text: &str) -> u64 {
    let digest = Sha256::digest(text.trim());
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// The keyboards that chats show.
#[derive(Debug, Default)]
pub(crate) struct Buttons(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    keyboards: HashMap<(BotId, Conversation), Option<Arc<Keyboard>>>,
    /// How much there is: a keyboard and each of its buttons counts as one.
    size: usize,
}

impl Remembered {
    fn put(&mut self, key: (BotId, Conversation), keyboard: Option<Keyboard>) -> Option<Arc<Keyboard>> {
        let size = |keyboard: Option<&Keyboard>| 1 + keyboard.map_or(0, |keyboard| keyboard.buttons.len());
        let more = size(keyboard.as_ref());
        if self.size + more > REMEMBERED {
            // They are read again when they are asked for.
            *self = Self::default();
        }
        let keyboard = keyboard.map(Arc::new);
        let before = self.keyboards.insert(key, keyboard.clone());
        self.size = self.size + more - before.map_or(0, |before| size(before.as_deref()));
        keyboard
    }
}

impl Buttons {
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a link is about a keyboard.
    pub(super) fn is_noted_by(link: &Link) -> bool {
        link.ours.starts_with(OURS)
    }

    pub(super) fn learn(&self, bot: BotId, link: &Link) {
        if let Some(conversation) = link.ours.strip_prefix(OURS) {
            let key = (bot, Conversation::from_stored(conversation));
            self.lock().put(key, Keyboard::of_stored(&link.theirs));
        }
    }

    /// Who has shown the button with this text, if the keyboard in a conversation has one.
    pub(crate) async fn find(
        &self,
        store: &dyn Store,
        bot: BotId,
        conversation: &Conversation,
        text: &str,
    ) -> Result<Option<ShownBy>, ReadError> {
        let key = (bot, conversation.clone());
        let known = self.lock().keyboards.get(&key).cloned();
        let keyboard = if let Some(known) = known {
            known
        } else {
            let link = store.find_link(bot, LinkScope::Bot, format!("{OURS}{conversation}")).await?;
            let stored = link.and_then(|link| Keyboard::of_stored(&link.theirs));
            let mut remembered = self.lock();
            // What was committed meanwhile is newer than what was read.
            match remembered.keyboards.get(&key).cloned() {
                Some(known) => known,
                None => remembered.put(key, stored),
            }
        };
        let shows = |keyboard: &Arc<Keyboard>| keyboard.buttons.binary_search(&hash(text)).is_ok();
        Ok(keyboard.filter(shows).map(|keyboard| keyboard.by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyboard_is_stored_by_the_hashes_of_its_buttons_and_reads_back() {
        let lane = LaneId::new(3).unwrap();
        let markup = r#"{"keyboard":[["Баланс",{"text":" Заказать "}],["Баланс"]]}"#;
        let parameters = Params::of([("reply_markup", markup.to_owned())]);
        let chat = Conversation::chat(7);
        for by in [ShownBy::App(lane), ShownBy::Manager(lane)] {
            let Some(Fact::Link(link)) = Keyboard::note(by, &chat, &parameters, Timestamp::EPOCH) else {
                panic!("nothing is noted")
            };
            assert_eq!(link.ours, "replykeyboard:7");
            let keyboard = Keyboard::of_stored(&link.theirs).unwrap();
            assert_eq!((keyboard.by, keyboard.buttons.len()), (by, 2));
            assert!(keyboard.buttons.contains(&hash("Заказать")) && keyboard.stored() == link.theirs);
        }
        // Never changes: it stands in databases.
        assert_eq!(hash("Баланс"), 0xbf66_0300_05c2_c975);
        assert_eq!(Keyboard::of_stored(REMOVED), None);
        assert_eq!(Keyboard::of_stored("lane:3 xyz"), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let buttons = Buttons::default();
        let bot = BotId::new(42).unwrap();
        for chat in 0..2000 {
            let keyboard =
                Keyboard { by: ShownBy::App(LaneId::new(1).unwrap()), buttons: (0..400).collect() };
            buttons.lock().put((bot, Conversation::chat(chat)), Some(keyboard));
        }
        let remembered = buttons.lock();
        let counted: usize =
            remembered.keyboards.values().flatten().map(|keyboard| 1 + keyboard.buttons.len()).sum();
        assert_eq!(remembered.size, counted);
        assert!(counted <= REMEMBERED);
    }
}
