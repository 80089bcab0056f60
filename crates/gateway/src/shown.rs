//! An event as an app is shown it: an update under the app's `update_id`.
//!
//! What another app sent is shown to those that asked for it, and in no form that a library could take for something of
//! a client's: an update with a number and one member of our own, `tandem_sent`, which is in no description of the Bot
//! API. Libraries know no such kind and pass it over, or hand it to whoever asks for it.

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::Value;
use tandem_model::{Event, EventKind};
use tandem_telegram::update;

/// What an app names in `allowed_updates` to be shown what other apps send; and the member that holds it.
pub(crate) const SENT: &str = "tandem_sent";

/// The update that an app is shown; `None` for events that apps are not shown.
pub(crate) fn update(event: &Event) -> Option<Bytes> {
    let id = event.virtual_id?;
    match event.kind {
        EventKind::Update => update::with_update_id(&event.body, id).ok(),
        EventKind::Sent => {
            let head = format!("{{\"update_id\":{id},\n\"{SENT}\":");
            let mut update = BytesMut::with_capacity(head.len() + event.body.len() + 1);
            update.put_slice(head.as_bytes());
            update.put_slice(&event.body);
            update.put_u8(b'}');
            Some(update.freeze())
        }
        EventKind::Reply | EventKind::Outcome | EventKind::Mark => None,
    }
}

/// Whether `allowed_updates` asks for what other apps send. Read as the kinds are: what is no list of names says
/// nothing.
pub(crate) fn asks_for_sent(parameter: Option<&str>) -> Option<bool> {
    let Value::Array(names) = serde_json::from_str(parameter?).ok()? else { return None };
    let names = names.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?;
    Some(names.iter().any(|name| name.eq_ignore_ascii_case(SENT)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_for_by_name_and_what_is_no_list_says_nothing() {
        for (parameter, asks) in [
            (None, None),
            (Some("null"), None),
            (Some(r#"["tandem_sent",1]"#), None),
            (Some("[]"), Some(false)),
            (Some(r#"["message"]"#), Some(false)),
            (Some(r#"["message","Tandem_Sent"]"#), Some(true)),
        ] {
            assert_eq!(asks_for_sent(parameter), asks, "{parameter:?}");
        }
    }
}
