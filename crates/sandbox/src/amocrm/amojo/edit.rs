//! `edit_message`: another text, another file, or the delivery status of a message (reference 1.7).

use serde_json::json;

use super::answer::{Answer, Refusal};
use super::fields::Fields;
use super::given::{EditMessage, Named};
use super::process::Work;
use crate::amocrm::{AmoCrm, State};

/// Accepts an edit. What cannot be found is refused: nothing says how the real amojo refuses it.
pub(crate) fn edit_message(
    amocrm: &AmoCrm,
    state: &mut State,
    channel: &str,
    fields: &Fields<'_>,
) -> Result<Answer, Refusal> {
    let payload = fields.object("payload")?;
    let edit = EditMessage::read(&payload)?;
    let Named { ours, amojo } = edit.message;
    let by_ours = || ours.as_ref().and_then(|ours| state.amojo.directory.message(channel, ours).cloned());
    let Some(id) = amojo.clone().or_else(by_ours) else {
        return Err(payload.invalid("msgid", "there is no such message").into());
    };
    let directory = &state.amojo.directory;
    let named = |conversation: &Named| {
        let by_name = conversation.ours.as_ref().and_then(|ours| directory.chat(channel, ours));
        by_name.cloned().or_else(|| conversation.amojo.clone())
    };
    let chat_id = named(&edit.conversation)
        .filter(|id| state.account.channel_chats.get(id).is_some_and(|chat| chat.channel == channel));
    let Some(chat_id) = chat_id else {
        return Err(payload.invalid("conversation_id", "there is no such chat").into());
    };
    // With amojo's id the integration's becomes the name of that message.
    if let (Some(ours), Some(_)) = (&ours, &amojo) {
        if state.amojo.directory.chat_of(&id) != Some(&chat_id) {
            return Err(payload.invalid("id", "there is no such message in this chat").into());
        }
        state.amojo.directory.name_message(channel, ours, &id);
    }
    let answer = json!({"conversation_id": chat_id, "msgid": id, "ref_id": ours});
    let work = Work::Edit {
        channel: channel.to_owned(),
        chat_id,
        id,
        msgid: ours,
        content: edit.content,
        delivery: edit.delivery,
    };
    amocrm.process_later(state, channel, work);
    Ok(Answer::json(json!({"new_message": answer})))
}
