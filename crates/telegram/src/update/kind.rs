//! The kinds of update: fixed numbers, queue families, lifetimes (reference/telegram.md 2.4, 2.5, 3.3, 4.1).

use tandem_model::{Family as FamilyNumber, Lifetime, Topic, Topics};

macro_rules! kinds {
    ($($variant:ident = $topic:literal, $name:literal, $family:ident;)*) => {
        /// A kind of update. Its number is the [`Topic`] in the journal and never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Kind {
            $(#[doc = concat!("`", $name, "`.")] $variant = $topic,)*
            /// None that was known when this was written; it travels like the others.
            Unknown = 63,
        }

        impl Kind {
            /// All named kinds, by number.
            pub const NAMED: &'static [Self] = &[$(Self::$variant),*];

            /// The kind of this name.
            pub fn of_name(name: &[u8]) -> Self {
                $(const $variant: &[u8] = $name.as_bytes();)*
                match name {
                    $($variant => Self::$variant,)*
                    _ => Self::Unknown,
                }
            }

            /// Its name; `None` for [`Kind::Unknown`].
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => Some($name),)*
                    Self::Unknown => None,
                }
            }

            /// Its queue family.
            pub const fn family(self) -> Family {
                match self {
                    $(Self::$variant => Family::$family,)*
                    Self::Unknown => Family::Alone,
                }
            }
        }
    };
}

#[expect(non_upper_case_globals, reason = "the macro names each pattern constant after its variant")]
mod table {
    use super::{Family, Lifetime, Topic, Topics};

    kinds! {
        Message = 0, "message", Chat;
        EditedMessage = 1, "edited_message", Chat;
        ChannelPost = 2, "channel_post", Chat;
        EditedChannelPost = 3, "edited_channel_post", Chat;
        BusinessConnection = 4, "business_connection", BusinessConnection;
        BusinessMessage = 5, "business_message", Business;
        EditedBusinessMessage = 6, "edited_business_message", Business;
        DeletedBusinessMessages = 7, "deleted_business_messages", Business;
        GuestMessage = 8, "guest_message", Guest;
        MessageReaction = 9, "message_reaction", Reaction;
        MessageReactionCount = 10, "message_reaction_count", ReactionCount;
        InlineQuery = 11, "inline_query", InlineQuery;
        ChosenInlineResult = 12, "chosen_inline_result", ChosenInlineResult;
        CallbackQuery = 13, "callback_query", CallbackQuery;
        ShippingQuery = 14, "shipping_query", Payment;
        PreCheckoutQuery = 15, "pre_checkout_query", Payment;
        PurchasedPaidMedia = 16, "purchased_paid_media", PaidMedia;
        Poll = 17, "poll", Poll;
        PollAnswer = 18, "poll_answer", Poll;
        MyChatMember = 19, "my_chat_member", OwnMembership;
        ChatMember = 20, "chat_member", Membership;
        ChatJoinRequest = 21, "chat_join_request", Membership;
        ChatBoost = 22, "chat_boost", Boost;
        RemovedChatBoost = 23, "removed_chat_boost", Boost;
        ManagedBot = 24, "managed_bot", ManagedBot;
        Subscription = 25, "subscription", Subscription;
        StoppedMessageGeneration = 26, "stopped_message_generation", Generation;
        CustomEvent = 61, "custom_event", Alone;
        CustomQuery = 62, "custom_query", Alone;
    }

    impl Kind {
        /// Its number in the journal.
        #[expect(clippy::missing_panics_doc, reason = "numbers are below 64")]
        pub fn topic(self) -> Topic {
            Topic::new(self as u8).expect("numbers are below 64")
        }

        /// The kind with this number. Numbers that no kind has yet are [`Kind::Unknown`].
        pub fn of_topic(topic: Topic) -> Self {
            Self::NAMED.iter().copied().find(|kind| kind.topic() == topic).unwrap_or(Self::Unknown)
        }

        /// Whether the documentation names it, so that it can stand in `allowed_updates`.
        pub const fn is_documented(self) -> bool {
            !matches!(self, Self::CustomEvent | Self::CustomQuery | Self::Unknown)
        }

        /// The documented ones.
        pub fn documented() -> impl Iterator<Item = Self> {
            Self::NAMED.iter().copied().filter(|kind| kind.is_documented())
        }

        /// Whether it is only delivered to who asks for it by name.
        pub const fn is_opt_in(self) -> bool {
            matches!(self, Self::ChatMember | Self::MessageReaction | Self::MessageReactionCount)
        }

        /// What is delivered to who asked for nothing: everything but the opt-in kinds, kinds of the future
        /// included.
        pub fn default_topics() -> Topics {
            Self::NAMED
                .iter()
                .filter(|kind| kind.is_opt_in())
                .fold(Topics::ALL, |topics, kind| topics.without(kind.topic()))
        }

        /// How long it is worth delivering.
        pub const fn lifetime(self) -> Lifetime {
            match self {
                Self::CallbackQuery | Self::ShippingQuery | Self::PreCheckoutQuery => Lifetime::Seconds(150),
                Self::ChosenInlineResult => Lifetime::Seconds(600),
                Self::InlineQuery => Lifetime::Seconds(30),
                _ => Lifetime::Backlog,
            }
        }
    }
}

pub use table::Kind;

/// Telegram's queue families (3.3): within one, and one conversation, a webhook gets one update at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Family {
    /// Messages and channel posts, and their edits.
    Chat = 0,
    /// The same of business accounts, and deletions there.
    Business = 1,
    /// Guest messages.
    Guest = 2,
    /// Polls and their answers.
    Poll = 3,
    /// Inline queries.
    InlineQuery = 4,
    /// Chosen inline results.
    ChosenInlineResult = 5,
    /// Presses of inline buttons.
    CallbackQuery = 6,
    /// Shipping and pre-checkout queries.
    Payment = 7,
    /// The bot's own membership.
    OwnMembership = 8,
    /// Other people's membership and requests to join.
    Membership = 9,
    /// Boosts.
    Boost = 10,
    /// Reactions.
    Reaction = 11,
    /// Counts of anonymous reactions.
    ReactionCount = 12,
    /// Business connections.
    BusinessConnection = 13,
    /// Paid media bought.
    PaidMedia = 14,
    /// Managed bots.
    ManagedBot = 15,
    /// Subscriptions.
    Subscription = 16,
    /// Generations of messages that were stopped.
    Generation = 17,
    /// Every update is its own queue at Telegram; kinds nobody knows.
    Alone = 255,
}

impl Family {
    /// Its number in the journal. Never changes.
    pub const fn number(self) -> FamilyNumber {
        FamilyNumber(self as u8)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tandem_model::Timestamp;

    use super::*;

    #[test]
    fn topics_are_never_renumbered() {
        let table: Vec<_> = Kind::NAMED
            .iter()
            .map(|kind| format!("{} {}", kind.topic().get(), kind.name().unwrap()))
            .collect();
        assert_eq!(
            table.join("\n"),
            "0 message\n1 edited_message\n2 channel_post\n3 edited_channel_post\n4 business_connection\n\
             5 business_message\n6 edited_business_message\n7 deleted_business_messages\n8 guest_message\n\
             9 message_reaction\n10 message_reaction_count\n11 inline_query\n12 chosen_inline_result\n\
             13 callback_query\n14 shipping_query\n15 pre_checkout_query\n16 purchased_paid_media\n17 poll\n\
             18 poll_answer\n19 my_chat_member\n20 chat_member\n21 chat_join_request\n22 chat_boost\n\
             23 removed_chat_boost\n24 managed_bot\n25 subscription\n26 stopped_message_generation\n\
             61 custom_event\n62 custom_query"
        );
        assert_eq!(Kind::Unknown.topic().get(), 63);
        for number in 0..=63 {
            let topic = Topic::new(number).unwrap();
            let kind = Kind::of_topic(topic);
            assert!(kind == Kind::Unknown || kind.topic() == topic);
        }
    }

    #[test]
    fn families_are_telegrams_queues() {
        let of = |name: &str| Kind::of_name(name.as_bytes()).family().number().0;
        for (names, number) in [
            ("message edited_message channel_post edited_channel_post", 0),
            ("business_message edited_business_message deleted_business_messages", 1),
            ("guest_message", 2),
            ("poll poll_answer", 3),
            ("inline_query", 4),
            ("chosen_inline_result", 5),
            ("callback_query", 6),
            ("shipping_query pre_checkout_query", 7),
            ("my_chat_member", 8),
            ("chat_member chat_join_request", 9),
            ("chat_boost removed_chat_boost", 10),
            ("message_reaction", 11),
            ("message_reaction_count", 12),
            ("business_connection", 13),
            ("purchased_paid_media", 14),
            ("managed_bot", 15),
            ("subscription", 16),
            ("stopped_message_generation", 17),
            ("custom_event custom_query something_new", 255),
        ] {
            for name in names.split(' ') {
                assert_eq!(of(name), number, "{name}");
            }
        }
    }

    #[test]
    fn queries_die_young_and_everything_else_lives_as_long_as_the_backlog() {
        let day = Duration::from_hours(24);
        for kind in Kind::NAMED.iter().copied().chain([Kind::Unknown]) {
            let seconds = match kind {
                Kind::CallbackQuery | Kind::ShippingQuery | Kind::PreCheckoutQuery => 150,
                Kind::ChosenInlineResult => 600,
                Kind::InlineQuery => 30,
                _ => 86_400,
            };
            let end = kind.lifetime().ends(Timestamp::EPOCH, day);
            assert_eq!(end, Timestamp::from_secs(seconds), "{kind:?}");
        }
    }

    #[test]
    fn the_default_is_everything_but_the_three_opt_in_kinds() {
        let default = Kind::default_topics();
        for kind in Kind::NAMED.iter().copied().chain([Kind::Unknown]) {
            let opt_in = ["chat_member", "message_reaction", "message_reaction_count"];
            assert_eq!(
                default.contains(kind.topic()),
                !kind.name().is_some_and(|name| opt_in.contains(&name))
            );
        }
    }
}
