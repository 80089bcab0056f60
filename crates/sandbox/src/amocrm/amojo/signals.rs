//! The client types and reacts (reference 1.10).

use axum::http::StatusCode;

use super::answer::{Answer, Refusal};
use super::chat::Typing;
use super::fields::Fields;
use super::given::Named;
use crate::amocrm::State;

const TYPING_MS: i64 = 5_000;

/// `POST …/{scope}/typing`. A conversation that is not known is taken as quietly as a known one.
pub(crate) fn typing(
    state: &mut State,
    channel: &str,
    fields: &Fields<'_>,
    now_ms: i64,
) -> Result<Answer, Refusal> {
    let conversation_id = fields.text("conversation_id")?;
    let sender = fields.object("sender")?.text("id")?;
    let duration_ms = fields.find_integer("duration_ms")?.unwrap_or(TYPING_MS);
    let chat_id = state.amojo.directory.chat(channel, &conversation_id).cloned();
    if let Some(chat) = chat_id.and_then(|id| state.account.channel_chats.get_mut(&id)) {
        chat.typing = Some(Typing { sender, until_ms: now_ms.saturating_add(duration_ms) });
    } else {
        let text = format!("somebody types in the unknown conversation {conversation_id}");
        state.amojo.complaints.add(now_ms, channel, None, "typing_unknown", text);
    }
    Ok(Answer::bare(StatusCode::NO_CONTENT))
}

/// `POST …/{scope}/react`.
pub(crate) fn react(state: &mut State, channel: &str, fields: &Fields<'_>) -> Result<Answer, Refusal> {
    let conversation = Named::conversation(fields)?;
    let message = Named { ours: fields.find_text("msgid")?, amojo: fields.find_text("id")? };
    if message.ours.is_none() && message.amojo.is_none() {
        return Err(fields.invalid("id", "either `id` or `msgid` is required").into());
    }
    let user = fields.object("user")?;
    let (user_id, ref_id) = (user.text("id")?, user.find_text("ref_id")?);
    let emoji = match fields.text("type")?.as_str() {
        "react" => Some(fields.text("emoji")?),
        "unreact" => {
            fields.find_text("emoji")?;
            None
        }
        _ => return Err(fields.invalid("type", "must be react or unreact").into()),
    };
    let directory = &state.amojo.directory;
    let by_msgid = message.ours.and_then(|msgid| directory.message(channel, &msgid).cloned());
    let id = message.amojo.or(by_msgid).ok_or(Refusal::NoMessage)?;
    let by_name = conversation.ours.and_then(|ours| directory.chat(channel, &ours).cloned());
    let chat_id = by_name.or(conversation.amojo).ok_or(Refusal::NoMessage)?;
    if directory.chat_of(&id) != Some(&chat_id) {
        return Err(Refusal::NoMessage);
    }
    let person = match ref_id {
        Some(ref_id)
            if state.insider_name(&ref_id).is_some() || state.account.persons.contains_key(&ref_id) =>
        {
            ref_id
        }
        Some(_) => return Err(user.invalid("ref_id", "there is no such person").into()),
        None => directory.person(channel, &user_id).cloned().unwrap_or(user_id),
    };
    let chat = state.account.channel_chats.get_mut(&chat_id).filter(|chat| chat.channel == channel);
    let line = chat.and_then(|chat| chat.find_mut(&id)).ok_or(Refusal::NoMessage)?;
    line.react(&person, emoji);
    Ok(Answer::bare(StatusCode::OK))
}
