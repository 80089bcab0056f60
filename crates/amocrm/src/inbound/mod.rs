//! Hooks (2, 6.5): proved, then read. Pure: what the account knows is given.

mod act;
mod disabled;

use std::collections::HashMap;

use http::Method;
use serde_json::Value;
use tandem_model::Timestamp;
use tandem_vendor::{Heard, HeardAct, HeardChat, Hook, HookRefusal, News};

pub(crate) use act::{manager, manager_said, moment};
pub(crate) use disabled::{DISABLED, Disabling, disabled};

use crate::{
    connection::Channel,
    wire::hook::{self, HookConversation, HookPerson},
};

/// Longest hook that is read: a text and a keyboard are far below it.
const HOOK_BYTES: usize = 1 << 20;

/// What is known when a hook comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) channel: &'a Channel,
    /// The chat service's id of the account; `None` before anybody could be asked.
    pub(crate) account: Option<&'a str>,
    /// Names of the account's users by their ids at the chat service.
    pub(crate) managers: &'a HashMap<String, String>,
}

/// Whether a path is this channel's and account's.
pub(crate) fn owns(known: &Known<'_>, path: &[String]) -> bool {
    let [channel, scope] = path else { return false };
    let account = scope.strip_prefix(channel.as_str()).and_then(|rest| rest.strip_prefix('_'));
    *channel == known.channel.id
        && account.is_some_and(|of| known.account.is_none_or(|account| of == account))
}

/// Proves and reads a hook of the chat service.
pub(crate) fn chat_hook(known: &Known<'_>, hook: &Hook) -> Result<Vec<News>, HookRefusal> {
    if hook.body.len() > HOOK_BYTES {
        return Err(unreadable(format!("it is longer than {HOOK_BYTES} bytes")));
    }
    let signature = hook.headers.get("x-signature").map_or(&b""[..], |value| value.as_bytes());
    if hook.method != Method::POST || !known.channel.key.proves(&hook.body, signature) {
        return Err(HookRefusal::Unproven);
    }
    let read = serde_json::from_slice(hook.body.trim_ascii_end()).map_err(|error| {
        let old = "it is of version 1: the channel must be connected again";
        unreadable(if version_one(&hook.body) { old.to_owned() } else { place_of(&error) })
    });
    let hook::Hook { account_id, time, message, action } = read?;
    let path_account = hook.path.last().and_then(|scope| scope.rsplit_once('_')).map(|(_, account)| account);
    if known.account.or(path_account).is_some_and(|account| account != account_id) {
        return Err(unreadable("it is for another account".to_owned()));
    }
    let at = Timestamp::from_secs(time);
    match (message, action) {
        (Some(message), _) => act::message(*message, at, known.managers),
        (None, Some(action)) => act::action(action, at, known.managers),
        (None, None) => Ok(vec![News::Ignored("a hook without a message or an action".to_owned())]),
    }
}

/// Where a hook cannot be read, without anything of its contents.
fn place_of(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "it is cut off",
        serde_json::error::Category::Data => {
            "something in it has another type than documented, or is missing"
        }
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "it is no JSON",
    };
    format!("{what}, at line {} column {}", error.line(), error.column())
}

/// Hooks of the first version are flat (2.10).
fn version_one(body: &[u8]) -> bool {
    let Ok(Value::Object(hook)) = serde_json::from_slice(body) else { return false };
    !hook.contains_key("account_id") && hook.get("conversation_id").is_some_and(Value::is_string)
}

fn unreadable(reason: String) -> HookRefusal {
    HookRefusal::Unreadable { reason }
}

fn heard_chat(conversation: HookConversation, person: HookPerson, source: Option<String>) -> HeardChat {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    HeardChat {
        theirs: conversation.id,
        ours: given(conversation.client_id),
        person: given(person.id),
        person_ours: given(person.client_id),
        phone: given(person.phone),
        source: given(source),
    }
}

fn heard(heard: Heard) -> News {
    News::Heard(Box::new(heard))
}

fn reply(act: tandem_model::message::ReplyAct) -> HeardAct {
    HeardAct::Reply(act)
}

#[cfg(test)]
mod tests;
