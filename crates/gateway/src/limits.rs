//! What the owner of a bot lets an app do: which methods it may call, and in which chats.
//!
//! `getMe`, `getUpdates` and the methods about an app's own webhook are everybody's: without them no library starts. A
//! list of chats concerns the calls that name a chat (or, naming none, a user): what is not in the list is refused
//! before anything is forwarded.

use std::{collections::BTreeSet, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use tandem_telegram::{
    envelope::Failure,
    methods::{Act, Class, Method},
    params::Params,
};

/// Limits of an app; `None` limits nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppLimits {
    /// The methods it may call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub methods: Option<BTreeSet<MethodRule>>,
    /// The chats it may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chats: Option<BTreeSet<ChatRule>>,
}

/// A method that may be called, or a group of methods.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MethodRule(String);

/// No method and no group has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no method of the Bot API and no group of them; the groups are {groups}", groups = MethodRule::GROUPS.join(", "))]
pub struct MethodRuleError(String);

/// A chat that may be used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChatRule(String);

/// It names no chat.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no chat: expected its number, or the @name of a public chat")]
pub struct ChatRuleError(String);

impl MethodRule {
    /// The groups: `get` reads, the others are what their names say.
    pub const GROUPS: [&'static str; 7] = ["get", "send", "edit", "delete", "answer", "react", "pin"];

    /// Reads the name of a method, in any case, or of a group.
    pub fn parse(text: &str) -> Result<Self, MethodRuleError> {
        let text = text.trim();
        if let Some(group) = Self::GROUPS.iter().find(|group| group.eq_ignore_ascii_case(text)) {
            return Ok(Self((*group).to_owned()));
        }
        let method = Method::find(text).ok_or_else(|| MethodRuleError(text.to_owned()))?;
        Ok(Self(method.name().to_owned()))
    }

    fn admits(&self, method: Method) -> bool {
        let act = match Class::of_method(method) {
            Class::Captured(capture) => Some(capture.act),
            Class::Virtual(_) | Class::Pass | Class::Unknown => None,
        };
        match self.0.as_str() {
            "get" => method.name().starts_with("get"),
            // Typing and drafts come before what is sent.
            "send" => {
                matches!(act, Some(Act::Send | Act::Forward | Act::Copy))
                    || matches!(method.name(), "sendChatAction" | "sendMessageDraft" | "sendRichMessageDraft")
            }
            "edit" => matches!(act, Some(Act::Edit | Act::StopPoll)),
            "delete" => act == Some(Act::Delete),
            "answer" => matches!(act, Some(Act::Answer | Act::GuestReply | Act::WebAppReply)),
            "react" => act == Some(Act::React),
            "pin" => act == Some(Act::Pin),
            name => name == method.name(),
        }
    }
}

impl ChatRule {
    /// Reads a chat's number or its public name.
    pub fn parse(text: &str) -> Result<Self, ChatRuleError> {
        let text = text.trim();
        if let Ok(number) = text.parse::<i64>() {
            return Ok(Self(number.to_string()));
        }
        let fits = |name: &&str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        match text.strip_prefix('@').filter(fits) {
            Some(name) => Ok(Self(format!("@{}", name.to_ascii_lowercase()))),
            None => Err(ChatRuleError(text.to_owned())),
        }
    }
}

macro_rules! as_text {
    ($($rule:ident $error:ident;)*) => {$(
        impl TryFrom<String> for $rule {
            type Error = $error;
            fn try_from(text: String) -> Result<Self, $error> {
                Self::parse(&text)
            }
        }

        impl From<$rule> for String {
            fn from(rule: $rule) -> Self {
                rule.0
            }
        }

        impl fmt::Display for $rule {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

as_text! {
    MethodRule MethodRuleError;
    ChatRule ChatRuleError;
}

impl AppLimits {
    /// Whether a method, as it was called, may be called.
    pub(crate) fn admit_method(&self, called: &str) -> bool {
        let Some(rules) = &self.methods else { return true };
        Method::find(called).is_some_and(|method| {
            method.name() == "getMe"
                || matches!(Class::of_method(method), Class::Virtual(_))
                || rules.iter().any(|rule| rule.admits(method))
        })
    }

    /// Whether every chat that a call names may be used; otherwise the answer to give.
    pub(crate) fn admit_chats(&self, app: &str, params: &Params) -> Result<(), Failure> {
        let Some(rules) = &self.chats else { return Ok(()) };
        if !params.whole {
            // What cannot be read cannot be allowed.
            return Err(Failure::bad_request("can't parse request body"));
        }
        for chat in chats_named(params) {
            if !ChatRule::parse(&chat).is_ok_and(|rule| rules.contains(&rule)) {
                return Err(chat_refused(app, &chat));
            }
        }
        Ok(())
    }
}

/// The answer to a method that may not be called. Not 403, which means to libraries and their users that the client
/// has blocked the bot, nor 401, which means that the token is bad.
pub(crate) fn method_refused(app: &str, method: &str) -> Failure {
    Failure::bad_request(&format!("Tandem: the owner of this bot does not let app {app} call {method}"))
}

fn chat_refused(app: &str, chat: &str) -> Failure {
    let chat: String = chat.chars().take(64).collect();
    Failure::bad_request(&format!("Tandem: the owner of this bot does not let app {app} use chat {chat}"))
}

/// Every chat that the parameters name, as they name it.
fn chats_named(params: &Params) -> Vec<String> {
    let mut chats = Vec::new();
    for (name, value) in params.texts() {
        match name {
            // Who is banned from a chat, not where.
            "sender_chat_id" => {}
            "chat_id" => chats.push(value.to_owned()),
            name if name.ends_with("_chat_id") => chats.push(value.to_owned()),
            "reply_parameters" | "scope" => chats_inside(value, &mut chats),
            _ => {}
        }
    }
    // A gift, a reward, a profile: whoever is named is where it goes. In a private chat both are one number.
    if params.text("chat_id").is_none()
        && let Some(user) = params.text("user_id")
    {
        chats.push(user.to_owned());
    }
    chats
}

/// The values of every `chat_id` in a JSON text: of repeated ones too, since parsers differ in which one they take.
fn chats_inside(json: &str, chats: &mut Vec<String>) {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    // What is no JSON names nothing, and Telegram refuses it.
    let _ = Inside { named: false, chats }.deserialize(&mut deserializer);
}

struct Inside<'a> {
    /// The value stands under the name `chat_id`.
    named: bool,
    chats: &'a mut Vec<String>,
}

impl Inside<'_> {
    fn note(self, value: impl fmt::Display) {
        if self.named {
            self.chats.push(value.to_string());
        }
    }
}

impl<'de> DeserializeSeed<'de> for Inside<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Inside<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            map.next_value_seed(Inside { named: name == "chat_id", chats: self.chats })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.note(value);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.note(value);
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.note(value);
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.note(value);
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn methods(rules: &[&str]) -> AppLimits {
        let methods = rules.iter().map(|rule| MethodRule::parse(rule).unwrap()).collect();
        AppLimits { methods: Some(methods), chats: None }
    }

    #[test]
    fn methods_are_allowed_by_name_and_by_group() {
        let limits = methods(&["SENDMESSAGE", "answer"]);
        for called in
            ["sendMessage", "SendMessage", "answerCallbackQuery", "getMe", "getUpdates", "setWebhook"]
        {
            assert!(limits.admit_method(called), "{called}");
        }
        for called in ["sendPhoto", "getChat", "deleteMessage", "sendMessage/", "sendHologram", ""] {
            assert!(!limits.admit_method(called), "{called}");
        }
        for (group, inside, outside) in [
            ("get", "getFile", "sendMessage"),
            ("send", "copyMessages", "editMessageText"),
            ("send", "sendChatAction", "sendGift"),
            ("edit", "stopPoll", "deleteMessage"),
            ("delete", "deleteMessages", "deleteStory"),
            ("answer", "answerWebAppQuery", "sendMessage"),
            ("react", "setMessageReaction", "setMyName"),
            ("pin", "unpinAllChatMessages", "banChatMember"),
        ] {
            let limits = methods(&[group]);
            assert!(limits.admit_method(inside) && !limits.admit_method(outside), "{group}");
        }
        assert!(AppLimits::default().admit_method("sendHologram"));
        assert!(MethodRule::parse("sendHologram").unwrap_err().to_string().contains("get, send"));
    }

    fn refused(params: &[(&'static str, &str)]) -> bool {
        let chats = ["7", "-1001", "@Shop"].iter().map(|chat| ChatRule::parse(chat).unwrap()).collect();
        let limits = AppLimits { methods: None, chats: Some(chats) };
        let params = Params::of(params.iter().map(|(name, value)| (*name, (*value).to_owned())));
        limits.admit_chats("orders", &params).is_err()
    }

    #[test]
    fn every_chat_that_a_call_names_has_to_be_in_the_list() {
        for params in [
            &[("chat_id", "7")][..],
            &[("chat_id", " 7 ")],
            &[("chat_id", "@SHOP")],
            &[("chat_id", "7"), ("from_chat_id", "-1001")],
            &[("chat_id", "-1001"), ("user_id", "99")],
            &[("user_id", "7")],
            &[("chat_id", "7"), ("reply_parameters", r#"{"message_id":5}"#)],
            &[("chat_id", "7"), ("text", r#"{"chat_id":99}"#)],
            &[("inline_message_id", "x")],
            &[],
        ] {
            assert!(!refused(params), "{params:?}");
        }
        for params in [
            &[("chat_id", "8")][..],
            &[("chat_id", "@shop2")],
            &[("chat_id", "7x")],
            &[("chat_id", "")],
            &[("chat_id", "7"), ("from_chat_id", "8")],
            &[("new_owner_chat_id", "8")],
            &[("user_id", "8")],
            &[("chat_id", "7"), ("reply_parameters", r#"{"message_id":5,"chat_id":8}"#)],
            &[("chat_id", "7"), ("reply_parameters", r#"{"chat_id":"8","chat_id":7}"#)],
            &[("scope", r#"{"type":"chat","chat_id":8}"#)],
        ] {
            assert!(refused(params), "{params:?}");
        }
        let mut cut = Params::of([("chat_id", "7".to_owned())]);
        cut.whole = false;
        let limits = AppLimits { methods: None, chats: Some(BTreeSet::new()) };
        assert!(limits.admit_chats("orders", &cut).is_err());
    }

    #[test]
    fn refusals_are_no_words_that_a_library_takes_for_a_blocked_bot_or_a_bad_token() {
        for failure in [method_refused("orders", "sendMessage"), chat_refused("orders", "8")] {
            assert_eq!(failure.code, 400);
            assert!(failure.description.starts_with("Bad Request: Tandem: "), "{}", failure.description);
            for word in ["blocked", "kicked", "deactivated", "not found", "Unauthorized", "Forbidden"] {
                assert!(!failure.description.contains(word));
            }
        }
    }

    #[test]
    fn limits_are_stored_as_they_are_written() {
        let stored = r#"{"methods":["answer","sendMessage"],"chats":["-1001","@shop"]}"#;
        let limits: AppLimits = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::to_string(&limits).unwrap(), stored);
        assert!(serde_json::from_str::<AppLimits>(r#"{"methods":["sendMesage"]}"#).is_err());
    }
}
