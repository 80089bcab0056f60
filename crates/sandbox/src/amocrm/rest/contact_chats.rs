//! `/contacts/chats`: which card a channel's chat belongs to (reference 4.5).

use serde_json::{Value, json};

use super::problem::{ItemError, Problem};
use super::reading::request_id;
use super::{Answer, Reply, Request};
use crate::amocrm::State;
use crate::amocrm::amojo::chat::ChannelChat;

/// Links chats to contacts. A chat that belongs to somebody else stays where it is.
pub(crate) fn add(request: &mut Request<'_>) -> Answer {
    allowed(request)?;
    let items = request.items()?;
    let mut errors = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let request_id = request_id(index, item);
        let mut wrong = |code, path: &str, entity_id: Option<u64>| {
            let detail = match code {
                "AlreadyExists" => "The chat is linked to another contact.",
                _ => "Entity not found.",
            };
            let error = ItemError::new(&request_id, code, path, detail);
            errors.push(ItemError { entity_id, ..error });
        };
        let contact =
            item["contact_id"].as_u64().filter(|id| request.state.account.contacts.contains_key(id));
        let chat = item["chat_id"].as_str().and_then(|id| own_chat(request, id));
        match (contact, chat) {
            (None, _) => wrong("EntityNotFound", "contact_id", None),
            (Some(_), None) => wrong("EntityNotFound", "chat_id", None),
            (Some(contact), Some(chat)) => {
                if let Some(other) = chat.contact_id.filter(|other| *other != contact) {
                    wrong("AlreadyExists", "chat_id", Some(other));
                }
            }
        }
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let mut links = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let (Some(contact), Some(chat_id)) = (item["contact_id"].as_u64(), item["chat_id"].as_str()) else {
            continue;
        };
        let id = request.state.account.link_chat(chat_id, contact);
        links.push(json!({"chat_id": chat_id, "contact_id": contact, "id": id,
            "request_id": request_id(index, item)}));
    }
    Ok(Reply::ok(json!({"_total_items": links.len(), "_embedded": {"chats": links}})))
}

/// By `contact_id[]` or `chat_id[]`; a chat that is still unsorted gives the unsorted contact.
pub(crate) fn list(request: &mut Request<'_>) -> Answer {
    allowed(request)?;
    let (contacts, chats) = (request.query.numbers("contact_id"), request.query.all("chat_id"));
    if contacts.is_empty() && chats.is_empty() {
        return Err(Problem::bad("contact_id or chat_id is required"));
    }
    let links: Vec<Value> = request
        .state
        .account
        .channel_chats
        .values()
        .filter(|chat| is_own(request, chat))
        .filter(|chat| {
            chats.contains(&chat.id.as_str()) || chat.contact_id.is_some_and(|id| contacts.contains(&id))
        })
        .filter_map(|chat| {
            let id = request.state.account.chat_links.get(&chat.id).copied().unwrap_or_default();
            Some(json!({"chat_id": chat.id, "contact_id": chat.contact_id?, "id": id}))
        })
        .collect();
    if links.is_empty() {
        return Ok(Reply::none());
    }
    Ok(Reply::ok(json!({"_total_items": links.len(), "_embedded": {"chats": links}})))
}

/// An administrator's token, and no cookies beside it.
fn allowed(request: &Request<'_>) -> Result<(), Problem> {
    if request.has_cookies {
        return Err(Problem::unauthorized());
    }
    request.must_be_admin()
}

fn own_chat<'a>(request: &'a Request<'_>, id: &str) -> Option<&'a ChannelChat> {
    request.state.account.channel_chats.get(id).filter(|chat| is_own(request, chat))
}

/// Only chats of channels that list this integration.
fn is_own(request: &Request<'_>, chat: &ChannelChat) -> bool {
    let state: &State = request.state;
    state.amojo.channel(&chat.channel).is_some_and(|it| it.client_id == request.integration.client_id)
}
