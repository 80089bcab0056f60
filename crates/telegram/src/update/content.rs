//! What a message is, by which of its members is there (reference/telegram.md 4.2).

macro_rules! contents {
    ($($(#[$doc:meta])* $name:ident $word:literal: $($member:literal)*;)*) => {
        /// What a message is. In order: where two members are there, the one that stands later here says what it is, since
        /// Telegram sends the more general one beside it for old programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Content {
            $($(#[$doc])* $name,)*
        }

        impl Content {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in settings and logs.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// What a message with this member is.
            pub(super) fn of_member(name: &[u8]) -> Option<Self> {
                match name {
                    $($($member => Some(Self::$name),)*)*
                    _ => None,
                }
            }
        }
    };
}

contents! {
    /// Words.
    Text "text": b"text" b"rich_message";
    /// A file.
    Document "document": b"document";
    /// A film without sound.
    Animation "animation": b"animation";
    /// A picture.
    Photo "photo": b"photo";
    /// A picture that moves.
    LivePhoto "live_photo": b"live_photo";
    /// A place.
    Location "location": b"location";
    /// A place with a name.
    Venue "venue": b"venue";
    /// Music.
    Audio "audio": b"audio";
    /// Words spoken.
    Voice "voice": b"voice";
    /// A film.
    Video "video": b"video";
    /// A round film.
    VideoNote "video_note": b"video_note";
    /// A sticker.
    Sticker "sticker": b"sticker";
    /// A contact.
    Contact "contact": b"contact";
    /// A poll.
    Poll "poll": b"poll";
    /// A die that was thrown.
    Dice "dice": b"dice";
    /// A game.
    Game "game": b"game";
    /// A story passed on.
    Story "story": b"story";
    /// Media that cost something.
    PaidMedia "paid_media": b"paid_media";
    /// A list to tick off.
    Checklist "checklist": b"checklist";
    /// A bill.
    Invoice "invoice": b"invoice";
    /// Something to be won.
    Giveaway "giveaway": b"giveaway" b"giveaway_winners";
    /// Something was paid, or paid back.
    Payment "payment": b"successful_payment" b"refunded_payment";
    /// What a web app says.
    WebAppData "web_app_data": b"web_app_data";
    /// Users or a chat that were chosen by a button.
    Shared "shared": b"users_shared" b"chat_shared";
    /// Something happened in the chat that nobody said.
    Service "service":
        b"new_chat_members" b"left_chat_member" b"chat_owner_left" b"chat_owner_changed" b"new_chat_title" b"new_chat_photo"
        b"delete_chat_photo" b"group_chat_created" b"supergroup_chat_created" b"channel_chat_created"
        b"message_auto_delete_timer_changed" b"migrate_to_chat_id" b"migrate_from_chat_id" b"pinned_message" b"gift"
        b"unique_gift" b"gift_upgrade_sent" b"connected_website" b"write_access_allowed" b"passport_data"
        b"proximity_alert_triggered" b"boost_added" b"chat_background_set" b"checklist_tasks_done" b"checklist_tasks_added"
        b"direct_message_price_changed" b"forum_topic_created" b"forum_topic_edited" b"forum_topic_closed"
        b"forum_topic_reopened" b"general_forum_topic_hidden" b"general_forum_topic_unhidden" b"giveaway_created"
        b"giveaway_completed" b"managed_bot_created" b"paid_message_price_changed" b"poll_option_added"
        b"poll_option_deleted" b"suggested_post_approved" b"suggested_post_approval_failed" b"suggested_post_declined"
        b"suggested_post_paid" b"suggested_post_refunded" b"video_chat_scheduled" b"video_chat_started" b"video_chat_ended"
        b"video_chat_participants_invited" b"community_chat_added" b"community_chat_removed" b"community_chat_joined";
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::update::UpdateView;

    #[test]
    fn the_member_that_says_most_says_what_a_message_is() {
        for (members, expected) in [
            (r#""text":"hi""#, Some("text")),
            (r#""document":{},"animation":{}"#, Some("animation")),
            (r#""animation":{},"document":{}"#, Some("animation")),
            (r#""photo":[],"live_photo":{}"#, Some("live_photo")),
            (r#""location":{},"venue":{}"#, Some("venue")),
            (r#""photo":[],"caption":"hi""#, Some("photo")),
            (r#""successful_payment":{}"#, Some("payment")),
            (r#""pinned_message":{"text":"hi"}"#, Some("service")),
            (r#""text":null"#, None),
            (r#""hologram":{}"#, None),
        ] {
            let update = Bytes::from(format!("{{\"update_id\":1,\"message\":{{\"date\":1,{members}}}}}"));
            let content = UpdateView::of(&update).unwrap().message().content();
            assert_eq!(content.map(Content::as_str), expected, "{members}");
        }
    }
}
