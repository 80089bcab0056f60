//! A chat before its first message: invisible, without contact and lead, ready to be linked (reference 1.6).

use serde_json::{Value, json};

use super::accept::{Opened, check_avatar};
use super::answer::{Answer, Refusal};
use super::fields::Fields;
use super::given::{GivenPerson, Named, Naming, source};
use crate::amocrm::{AmoCrm, State};

/// `POST …/{scope}/chats`. A known conversation gives the chat that exists.
pub(crate) fn create(
    amocrm: &AmoCrm,
    state: &mut State,
    channel: &str,
    fields: &Fields<'_>,
    now_ms: i64,
) -> Result<Answer, Refusal> {
    let conversation = Named { ours: Some(fields.text("conversation_id")?), amojo: None };
    let source = source(fields)?;
    let user = GivenPerson::read(&fields.object("user")?, Naming::OrReference)?;
    let Opened { chat_id, person_id } = state.open_chat(channel, &conversation, &user)?;
    if source.is_some()
        && let Some(chat) = state.account.channel_chats.get_mut(&chat_id)
    {
        chat.source = source;
    }
    check_avatar(amocrm, state, channel, &person_id, user.avatar.as_deref(), now_ms);
    let Some(person) = state.account.persons.get(&person_id) else {
        return Err(Refusal::NotRegistered("the person was lost"));
    };
    let mut shown = json!({"id": person.id});
    if user.id.is_some() {
        shown["name"] = json!(person.name);
        shown["avatar"] = json!(user.avatar.unwrap_or_default());
    }
    for (name, value) in
        [("client_id", &person.client_id), ("phone", &person.phone), ("email", &person.email)]
    {
        if let Some(value) = value {
            shown[name] = Value::String(value.clone());
        }
    }
    Ok(Answer::json(json!({"id": chat_id, "user": shown})))
}
