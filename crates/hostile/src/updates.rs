//! Updates: what is read off them, and that a number of ours changes nothing else.

use bytes::Bytes;
use serde_json::Value;
use tandem_model::{SourceId, Timestamp, VirtualId};
use tandem_telegram::update::{UpdateView, split_array, with_update_id};

const OTHER: i64 = 1_234_567_890;

pub(crate) fn hold(data: &[u8]) {
    let update = Bytes::copy_from_slice(data);
    let id = |id| VirtualId::new(id).expect("it is positive");
    let spliced = with_update_id(&update, id(OTHER));
    let Ok(view) = UpdateView::of(&update) else { return };
    look(&view);

    let spliced = spliced.expect("an update has a number to be replaced");
    assert_eq!(
        with_update_id(&spliced, id(OTHER)).ok().as_ref(),
        Some(&spliced),
        "once more changes nothing"
    );
    let other = UpdateView::of(&spliced).expect("it is an update still");
    assert_eq!(other.kind_name(), view.kind_name());
    assert_eq!(other.conversation(), view.conversation());

    // An answer that holds it gives it back byte for byte.
    let array = Bytes::from([b"[ ", data, b" ,", &spliced, b"]"].concat());
    let parts = split_array(&array).expect("it is an array of two values");
    assert_eq!(
        parts,
        [Bytes::copy_from_slice(data.trim_ascii()), Bytes::copy_from_slice(spliced.trim_ascii())]
    );

    // Somebody else who reads JSON agrees, where he reads it at all.
    if let (Ok(Value::Object(mut before)), Ok(Value::Object(mut after))) =
        (serde_json::from_slice(&update), serde_json::from_slice(&spliced))
    {
        assert_eq!(after.remove("update_id"), Some(Value::from(OTHER)));
        let old = before.remove("update_id");
        assert_eq!(before, after, "nothing but the number");
        if let Some(old) = old.and_then(|old| old.as_i64()).and_then(|old| VirtualId::new(old).ok()) {
            let back = with_update_id(&spliced, old).expect("it is an update still");
            // A number that is written as we would write it, in each of its places if it is given twice, is back
            // where it was.
            if with_update_id(&update, old).is_ok_and(|same| same == update) {
                assert_eq!(back, update);
            }
        }
    }
}

/// Everything that is ever asked of an update.
fn look(view: &UpdateView<'_>) {
    let _ =
        (view.topic(), view.user_id(), view.chat_id(), view.chat_type(), view.message_id(), view.poll_id());
    let _ = (view.query_id(), view.callback_data(), view.inline_message_id(), view.new_status(), view.date());
    let message = view.message();
    let _ = (message.chat_id(), message.chat_type(), message.business_connection(), message.conversation());
    let _ =
        (message.message_id(), message.date(), message.edit_date(), message.sender(), message.sender_chat());
    let _ = (message.text(), message.caption(), message.start_payload(), message.media_group());
    let _ = (
        message.migrated_to(),
        message.poll_id(),
        message.contact().map(|contact| format!("{contact:?}").len()),
    );
    if let Some(command) = message.command() {
        assert!(!command.name().contains([' ', '\n']), "{:?}", command.name());
        let _ = (command.bot(), command.arguments());
    }
    let source = SourceId::new(1).expect("it is positive");
    let _ = view.to_event(source, Timestamp::from_millis(1_800_000_000_000));
}
