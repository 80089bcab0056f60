//! What the gateway does with a call (DESIGN section 5, reference/telegram.md section 5).
//!
//! Written by hand, because no description says what a method shows to people; a test holds it against the table
//! so that a method whose answer is a message cannot be forgotten.

use tandem_model::Topic;

use super::{Method, Shape};
use crate::{json, update::MessageView};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Answered here, per app, and never forwarded.
    Virtual(Virtual),
    /// Forwarded; what it showed goes into the journal.
    Captured(Capture),
    /// Forwarded and forgotten.
    Pass,
    /// Forwarded; nobody knows the method, so its answer says whether there is something to capture:
    /// [`Capture::of_answer`].
    Unknown,
}

/// The methods that concern an app's own view of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Virtual {
    /// `getUpdates`.
    GetUpdates,
    /// `setWebhook`.
    SetWebhook,
    /// `deleteWebhook`.
    DeleteWebhook,
    /// `getWebhookInfo`.
    GetWebhookInfo,
    /// `close`.
    Close,
    /// `logOut`.
    LogOut,
}

/// How a successful call is captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Capture {
    /// What was done.
    pub act: Act,
    /// Where its content is: in the result, or (for `true` and ids) only in the parameters.
    pub shape: Shape,
}

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $word:literal;)*) => {
        /// What a captured call did. Its number is the [`Topic`] of the `Sent` event and never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Act {
            $($(#[$doc])* $name = $code,)*
        }

        impl Act {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word used in documents, logs and metrics.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

acts! {
    /// A new message, or several as an album.
    Send = 0, "send";
    /// Messages forwarded; with ids as result the content stands where they were forwarded from.
    Forward = 1, "forward";
    /// Messages copied; the content stands where they were copied from, the caption may be overridden.
    Copy = 2, "copy";
    /// A message changed.
    Edit = 3, "edit";
    /// A poll closed.
    StopPoll = 4, "stop_poll";
    /// Messages deleted.
    Delete = 5, "delete";
    /// The bot's reaction set, or reactions removed.
    React = 6, "react";
    /// Pins changed.
    Pin = 7, "pin";
    /// An interactive query answered, or an inline message prepared for a user to send.
    Answer = 8, "answer";
    /// A guest query answered: an outgoing message known by an inline id only.
    GuestReply = 9, "guest_reply";
    /// A message on behalf of a user of a web app, known by an inline id only.
    WebAppReply = 10, "web_app_reply";
    /// A gift; service messages may follow.
    Gift = 11, "gift";
    /// A story of a business account.
    Story = 12, "story";
    /// A suggested post decided.
    SuggestedPost = 13, "suggested_post";
    /// A business chat marked read.
    Read = 14, "read";
    /// An ephemeral message changed or deleted.
    Ephemeral = 15, "ephemeral";
    /// Forum topics changed.
    Topic = 16, "topic";
}

impl Act {
    /// The topic of `Sent` events.
    #[expect(clippy::missing_panics_doc, reason = "codes are below 64")]
    pub fn topic(self) -> Topic {
        Topic::new(self as u8).expect("codes are below 64")
    }

    /// The act with this topic.
    pub fn from_topic(topic: Topic) -> Option<Self> {
        Self::ALL.iter().copied().find(|act| act.topic() == topic)
    }
}

impl Class {
    /// Of the method called by this name, in any case.
    pub fn of(name: &str) -> Self {
        Method::find(name).map_or(Self::Unknown, Self::of_method)
    }

    /// Of a known method.
    pub fn of_method(method: Method) -> Self {
        let act = match method.name() {
            "getUpdates" => return Self::Virtual(Virtual::GetUpdates),
            "setWebhook" => return Self::Virtual(Virtual::SetWebhook),
            "deleteWebhook" => return Self::Virtual(Virtual::DeleteWebhook),
            "getWebhookInfo" => return Self::Virtual(Virtual::GetWebhookInfo),
            "close" => return Self::Virtual(Virtual::Close),
            "logOut" => return Self::Virtual(Virtual::LogOut),
            // Gone in seconds: a typing indicator, a preview. The final text follows by another call.
            "sendChatAction" | "sendMessageDraft" | "sendRichMessageDraft" => return Self::Pass,
            // Undocumented and answered by an object that nobody described.
            "sendCustomRequest" => return Self::Unknown,
            "forwardMessage" | "forwardMessages" => Act::Forward,
            "copyMessage" | "copyMessages" => Act::Copy,
            "setGameScore" | "stopMessageLiveLocation" => Act::Edit,
            "stopPoll" => Act::StopPoll,
            "deleteMessage" | "deleteMessages" | "deleteBusinessMessages" => Act::Delete,
            "setMessageReaction" | "deleteMessageReaction" | "deleteAllMessageReactions" => Act::React,
            "pinChatMessage"
            | "unpinChatMessage"
            | "unpinAllChatMessages"
            | "unpinAllForumTopicMessages"
            | "unpinAllGeneralForumTopicMessages" => Act::Pin,
            "answerCallbackQuery"
            | "answerShippingQuery"
            | "answerPreCheckoutQuery"
            | "answerChatJoinRequestQuery"
            | "sendChatJoinRequestWebApp"
            | "answerInlineQuery"
            | "savePreparedInlineMessage"
            | "answerCustomQuery" => Act::Answer,
            "answerGuestQuery" => Act::GuestReply,
            "answerWebAppQuery" => Act::WebAppReply,
            "sendGift" | "giftPremiumSubscription" => Act::Gift,
            "postStory" | "repostStory" | "editStory" | "deleteStory" => Act::Story,
            "approveSuggestedPost" | "declineSuggestedPost" => Act::SuggestedPost,
            "readBusinessMessage" => Act::Read,
            "editEphemeralMessageText"
            | "editEphemeralMessageMedia"
            | "editEphemeralMessageCaption"
            | "editEphemeralMessageReplyMarkup"
            | "deleteEphemeralMessage" => Act::Ephemeral,
            "createForumTopic"
            | "editForumTopic"
            | "closeForumTopic"
            | "reopenForumTopic"
            | "deleteForumTopic"
            | "editGeneralForumTopic"
            | "closeGeneralForumTopic"
            | "reopenGeneralForumTopic"
            | "hideGeneralForumTopic"
            | "unhideGeneralForumTopic" => Act::Topic,
            name if name.starts_with("editMessage") => Act::Edit,
            name if name.starts_with("send") => Act::Send,
            _ => return Self::Pass,
        };
        Self::Captured(Capture { act, shape: method.shape() })
    }
}

impl Capture {
    /// What to capture of a call that nobody knew ([`Class::Unknown`]), from its name and the `result` of its
    /// answer: a message, several, or ids of messages. Reading never shows anything: `get…` is left alone.
    pub fn of_answer(name: &str, result: &[u8]) -> Option<Self> {
        let starts =
            |prefix: &str| name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
        if starts("get") {
            return None;
        }
        let shape = shape_of(result)?;
        let act = if starts("edit") || starts("stop") {
            Act::Edit
        } else if starts("forward") {
            Act::Forward
        } else if starts("copy") {
            Act::Copy
        } else {
            Act::Send
        };
        Some(Self { act, shape })
    }
}

fn shape_of(result: &[u8]) -> Option<Shape> {
    let value = json::whole_value(result).ok()?;
    let result = &result[value];
    if let Some(mut elements) = json::Parts::of_array(result, 0) {
        let first = elements.next_element()?.ok()?;
        return match shape_of_one(&result[first])? {
            Shape::Message => Some(Shape::Messages),
            Shape::MessageId => Some(Shape::MessageIds),
            _ => None,
        };
    }
    shape_of_one(result)
}

fn shape_of_one(object: &[u8]) -> Option<Shape> {
    let message = MessageView::of(object)?;
    message.message_id()?;
    if message.chat_id().is_some() { Some(Shape::Message) } else { Some(Shape::MessageId) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(name: &str) -> Capture {
        match Class::of(name) {
            Class::Captured(capture) => capture,
            other => panic!("{name} is {other:?}"),
        }
    }

    #[test]
    fn what_shows_something_is_captured_as_the_reference_says() {
        for (name, act, shape) in [
            ("sendMessage", Act::Send, Shape::Message),
            ("SENDRICHMESSAGE", Act::Send, Shape::Message),
            ("sendMediaGroup", Act::Send, Shape::Messages),
            ("forwardMessage", Act::Forward, Shape::Message),
            ("forwardMessages", Act::Forward, Shape::MessageIds),
            ("copyMessage", Act::Copy, Shape::MessageId),
            ("copyMessages", Act::Copy, Shape::MessageIds),
            ("editMessageText", Act::Edit, Shape::MessageOrTrue),
            ("editMessageChecklist", Act::Edit, Shape::Message),
            ("stopMessageLiveLocation", Act::Edit, Shape::MessageOrTrue),
            ("setGameScore", Act::Edit, Shape::MessageOrTrue),
            ("stopPoll", Act::StopPoll, Shape::Poll),
            ("deleteMessages", Act::Delete, Shape::True),
            ("setMessageReaction", Act::React, Shape::True),
            ("unpinAllGeneralForumTopicMessages", Act::Pin, Shape::True),
            ("answerCallbackQuery", Act::Answer, Shape::True),
            ("answerGuestQuery", Act::GuestReply, Shape::InlineMessageId),
            ("answerWebAppQuery", Act::WebAppReply, Shape::InlineMessageId),
            ("sendGift", Act::Gift, Shape::True),
            ("editStory", Act::Story, Shape::Story),
            ("approveSuggestedPost", Act::SuggestedPost, Shape::True),
            ("readBusinessMessage", Act::Read, Shape::True),
            ("deleteEphemeralMessage", Act::Ephemeral, Shape::True),
            ("createForumTopic", Act::Topic, Shape::ForumTopic),
        ] {
            assert_eq!(captured(name), Capture { act, shape }, "{name}");
        }
    }

    #[test]
    fn no_method_that_answers_with_a_message_is_forgotten() {
        for method in Method::all() {
            let shows = matches!(
                method.shape(),
                Shape::Message
                    | Shape::Messages
                    | Shape::MessageOrTrue
                    | Shape::MessageId
                    | Shape::MessageIds
            );
            if shows && !method.name().starts_with("get") {
                assert!(matches!(Class::of_method(method), Class::Captured(_)), "{}", method.name());
            }
            let capturing = matches!(Class::of_method(method), Class::Captured(_));
            assert!(!(capturing && method.name().starts_with("get")), "{}", method.name());
        }
    }

    #[test]
    fn six_methods_are_virtual_and_drafts_and_typing_are_not_stored() {
        let count =
            Method::all().filter(|method| matches!(Class::of_method(*method), Class::Virtual(_))).count();
        assert_eq!(count, 6);
        assert_eq!(Class::of("DeleteWebhook"), Class::Virtual(Virtual::DeleteWebhook));
        for name in ["sendChatAction", "sendMessageDraft", "sendRichMessageDraft", "getMe", "banChatMember"] {
            assert_eq!(Class::of(name), Class::Pass, "{name}");
        }
        assert_eq!(Class::of("sendHologram"), Class::Unknown);
        assert_eq!(Class::of("getUserPersonalChatMessages"), Class::Pass);
    }

    #[test]
    fn a_future_method_is_captured_by_its_answer() {
        let message = br#"{"message_id":5,"date":1,"chat":{"id":7,"type":"private"},"hologram":{}}"#;
        let album = [b"[".as_slice(), message, b"]"].concat();
        for (name, result, expected) in [
            ("sendHologram", message.as_slice(), Some((Act::Send, Shape::Message))),
            ("editMessageHologram", message, Some((Act::Edit, Shape::Message))),
            ("sendHolograms", &album, Some((Act::Send, Shape::Messages))),
            ("copyHologram", br#" {"message_id":5} "#, Some((Act::Copy, Shape::MessageId))),
            ("forwardHolograms", br#"[{"message_id":5}]"#, Some((Act::Forward, Shape::MessageIds))),
            ("getHolograms", &album, None),
            ("GetHologram", message, None),
            ("sendHologram", b"true", None),
            ("sendHolograms", b"[]", None),
            ("sendHologram", br#"{"id":5}"#, None),
            ("sendHologram", b"{", None),
            ("s\u{e9}nd", message, Some((Act::Send, Shape::Message))),
        ] {
            let capture = Capture::of_answer(name, result).map(|capture| (capture.act, capture.shape));
            assert_eq!(capture, expected, "{name}");
        }
    }

    #[test]
    fn acts_and_topics_are_one_to_one_and_their_numbers_stay() {
        for (number, act) in Act::ALL.iter().enumerate() {
            assert_eq!(usize::from(act.topic().get()), number);
            assert_eq!(Act::from_topic(act.topic()), Some(*act));
        }
        let words: Vec<_> = Act::ALL.iter().map(|act| act.as_str()).collect();
        assert_eq!(
            words.join(" "),
            "send forward copy edit stop_poll delete react pin answer guest_reply web_app_reply gift story \
             suggested_post read ephemeral topic"
        );
    }
}
