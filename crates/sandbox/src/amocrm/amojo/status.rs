//! Delivery statuses of messages that amoCRM sent (reference 1.8).

use axum::http::StatusCode;

use super::answer::{Answer, Refusal};
use super::chat::Speaker;
use super::fields::Fields;
use super::given::{DeliveryStatus, GivenStatus};
use crate::amocrm::State;

/// `POST …/{scope}/{message}/delivery_status`. The last one counts; going back is taken and complained of.
pub(crate) fn set(
    state: &mut State,
    channel: &str,
    message: &str,
    fields: &Fields<'_>,
    now_ms: i64,
) -> Result<Answer, Refusal> {
    let GivenStatus { status, error } = GivenStatus::read(fields)?;
    let chat_id = state.amojo.directory.chat_of(message).ok_or(Refusal::NoMessage)?.clone();
    let chat = state.account.channel_chats.get_mut(&chat_id).filter(|chat| chat.channel == channel);
    let line = chat.and_then(|chat| chat.find_mut(message)).ok_or(Refusal::NoMessage)?;
    let complaint = match (line.speaker, line.delivery_status) {
        (Speaker::Client, _) => Some(("status_of_client", "a status of what the client wrote")),
        (_, Some(DeliveryStatus::Failed)) if status != DeliveryStatus::Failed => {
            Some(("status_back", "a status after the message had failed"))
        }
        (_, Some(DeliveryStatus::Read)) if status != DeliveryStatus::Read => {
            Some(("status_back", "a status after the message had been read"))
        }
        (_, Some(before)) if before == status => Some(("status_again", "the same status once more")),
        _ => None,
    };
    line.set_status(status, error, now_ms);
    if let Some((code, text)) = complaint {
        state.amojo.complaints.add(now_ms, channel, Some(message), code, text);
    }
    Ok(Answer::bare(StatusCode::OK))
}
