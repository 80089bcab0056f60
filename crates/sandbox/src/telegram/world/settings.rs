//! What a bot stored about itself and its chats by methods that show nothing in a chat: commands, names,
//! descriptions, menu buttons, rights, invite links.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// One bot's stored state.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// Privacy mode is off.
    pub(crate) reads_all_groups: bool,
    /// Commands by scope (as JSON text) and language.
    pub(crate) commands: BTreeMap<(String, String), Value>,
    /// Names, descriptions and short descriptions by the method's subject and language.
    pub(crate) texts: BTreeMap<(&'static str, String), String>,
    /// Menu buttons by private chat; the default one under 0.
    pub(crate) menu_buttons: BTreeMap<i64, Value>,
    /// Default administrator rights in groups and in channels.
    pub(crate) group_rights: Option<Value>,
    pub(crate) channel_rights: Option<Value>,
    /// Invite links by chat, oldest first; the primary one is the first.
    pub(crate) invite_links: BTreeMap<i64, Vec<Map<String, Value>>>,
    /// Sticker sets by name in lower case.
    pub(crate) sticker_sets: BTreeMap<String, Map<String, Value>>,
    /// The best scores of games by chat, message and user.
    pub(crate) scores: BTreeMap<(i64, i64, i64), i64>,
}
