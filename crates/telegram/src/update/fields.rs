//! The members of an update's object that anything here asks for, found in one pass.

use super::Content;
use crate::json;

macro_rules! fields {
    ($($name:ident $key:literal)*) => {
        /// The values of the wanted members, as they stand. A repeated member counts as its last one, as in
        /// most parsers; `null` counts as absent.
        #[derive(Debug, Clone, Default)]
        pub(crate) struct Fields<'a> {
            $(pub(crate) $name: Option<&'a [u8]>,)*
            /// What it is as a message, by the members that say so.
            pub(crate) content: Option<Content>,
        }

        impl<'a> Fields<'a> {
            /// Of the object that `object` is; nothing when it is something else.
            pub(crate) fn of(object: &'a [u8]) -> Self {
                let mut fields = Self::default();
                let Some(mut members) = json::Parts::of_object(object, 0) else {
                    return fields;
                };
                while let Some(Ok(member)) = members.next_member() {
                    let (key, value) = (member.key(), &object[member.value.clone()]);
                    if value != b"null" {
                        fields.content = fields.content.max(Content::of_member(&key));
                    }
                    let field = match &*key {
                        $($key => &mut fields.$name,)*
                        _ => continue,
                    };
                    *field = if value == b"null" { None } else { Some(value) };
                }
                fields
            }
        }
    };
}

fields! {
    add_date b"add_date"
    boost b"boost"
    business_connection_id b"business_connection_id"
    caption b"caption"
    chat b"chat"
    contact b"contact"
    data b"data"
    date b"date"
    edit_date b"edit_date"
    from b"from"
    id b"id"
    inline_message_id b"inline_message_id"
    media_group_id b"media_group_id"
    message b"message"
    message_id b"message_id"
    migrate_to_chat_id b"migrate_to_chat_id"
    new_chat_member b"new_chat_member"
    phone_number b"phone_number"
    poll b"poll"
    poll_id b"poll_id"
    remove_date b"remove_date"
    reply_markup b"reply_markup"
    sender_chat b"sender_chat"
    source b"source"
    status b"status"
    text b"text"
    type_ b"type"
    user b"user"
    user_chat_id b"user_chat_id"
    user_id b"user_id"
    username b"username"
    voter_chat b"voter_chat"
}

/// The integer at this field.
pub(crate) fn integer(field: Option<&[u8]>) -> Option<i64> {
    json::integer(field?)
}
