//! What account hooks carry: the keys of reference 5.4 to 5.6, built from the cards as they are at that moment.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::amocrm::account::Account;
use crate::amocrm::cards::{Author, Details, Lead, Message};
use crate::amocrm::connection::Connection;
use crate::amocrm::fields::values_of;

/// One thing to tell the subscribers of `code`.
#[derive(Debug, Clone)]
pub(crate) struct HookEvent {
    /// The settings code a destination subscribes to.
    pub(crate) code: &'static str,
    pub(crate) entity: &'static str,
    pub(crate) item: Value,
}

/// An incoming message. It names no Telegram id: that is the real hook's gap (reference 5.4).
pub(crate) fn add_message(account: &Account, chat_id: &str, line: &Message) -> Option<HookEvent> {
    let contact = account.contacts.get(&account.chats.get(chat_id)?.contact_id?)?;
    let mut item = message(account, chat_id, line)?;
    item["type"] = json!("incoming");
    item["author"] = json!({"id": contact.person_id, "type": "external", "name": line.author_name});
    Some(HookEvent { code: "add_message", entity: "message", item })
}

/// What a manager or the Salesbot wrote.
pub(crate) fn add_outgoing_message(
    account: &Account,
    connection: &Connection,
    chat_id: &str,
    line: &Message,
) -> Option<HookEvent> {
    let contact = account.contacts.get(&account.chats.get(chat_id)?.contact_id?)?;
    let mut item = message(account, chat_id, line)?;
    item["type"] = json!("outgoing");
    item["source_id"] = json!(connection.source_id);
    item["author"] = match line.author {
        Author::Salesbot => json!({"type": "bot", "name": line.author_name}),
        Author::Manager | Author::Client => {
            json!({"type": "internal", "name": line.author_name, "user_id": account.manager_id})
        }
    };
    item["recipient"] = json!({"id": contact.person_id, "type": "external", "name": contact.name});
    Some(HookEvent { code: "add_outgoing_message", entity: "outgoing_message", item })
}

fn message(account: &Account, chat_id: &str, line: &Message) -> Option<Value> {
    let talk = account.find_open_talk(chat_id)?;
    let (element_type, entity_type, entity_id) = talk.entity();
    let mut item = json!({
        "id": line.id,
        "chat_id": chat_id,
        "talk_id": talk.id,
        "contact_id": talk.contact_id,
        "text": line.text.as_deref().unwrap_or_default(),
        "created_at": line.at_ms / 1000,
        "element_type": element_type,
        "entity_type": entity_type,
        "element_id": entity_id,
        "entity_id": entity_id,
        "origin": "telegram",
    });
    if let Some(attachment) = &line.attachment {
        let kind = attachment_type(&line.kind);
        item["message_type"] = json!(kind);
        item["attachment"] =
            json!({"type": kind, "link": attachment.link, "file_name": attachment.file_name});
    }
    Some(item)
}

fn attachment_type(kind: &str) -> &'static str {
    match kind {
        "photo" => "picture",
        "voice" => "voice",
        "audio" => "audio",
        "video" | "video_note" | "animation" => "video",
        "sticker" => "sticker",
        _ => "file",
    }
}

/// A new incoming lead: the only hook with the Telegram user's id.
pub(crate) fn add_unsorted(
    account: &Account,
    connection: &Connection,
    lead_id: u64,
    chat_id: &str,
    line: &Message,
) -> Option<HookEvent> {
    let lead = account.leads.get(&lead_id)?;
    let chat = account.chats.get(chat_id)?;
    let contact = account.contacts.get(&lead.contact_id?)?;
    let at = line.at_ms / 1000;
    let item = json!({
        "uid": lead.unsorted_uid,
        "source": format!("telegram:{}", connection.source_uuid),
        "source_uid": format!("amojo:telegram:{chat_id}"),
        "category": "chats",
        "source_data": {
            "from": contact.name,
            "name": contact.name,
            "to": connection.username,
            "date": at,
            "service": "telegram",
            "site": "telegram.org",
            "client": {"name": contact.name, "id": chat.telegram_chat_id},
            "origin": {"provider": "telegram", "chat_id": chat_id},
            "data": [{"id": line.id, "text": line.text.as_deref().unwrap_or_default(), "manager": 0, "date": at}],
            "source_name": connection.username,
        },
        "date_create": at,
        "data": {"contacts": [{"id": contact.id}]},
        "pipeline_id": lead.pipeline_id,
        "account_id": account.id,
        "source_id": connection.source_id,
        "lead_id": lead.id,
        "created_at": at,
    });
    Some(HookEvent { code: "add_unsorted", entity: "unsorted", item })
}

/// An incoming lead that is one no longer.
pub(crate) struct Sorted<'a> {
    /// `accept`, `decline` or `link`.
    pub(crate) action: &'static str,
    pub(crate) lead: &'a Lead,
    /// The lead it was linked to.
    pub(crate) to: Option<u64>,
}

/// Accepting, declining and linking all come as a deletion (reference 5.5).
pub(crate) fn delete_unsorted(sorted: &Sorted<'_>, now_secs: i64) -> HookEvent {
    let lead = sorted.lead;
    let leads = [sorted.to.unwrap_or(lead.id)];
    let mut item = json!({
        "action": sorted.action,
        "uid": lead.unsorted_uid,
        "category": lead.category.word(),
        "created_at": now_secs,
    });
    item[format!("{}_result", sorted.action)] = match sorted.action {
        "decline" => json!({"leads": leads}),
        _ => json!({"leads": leads, "contacts": lead.contact_id.as_slice()}),
    };
    HookEvent { code: "delete_unsorted", entity: "unsorted", item }
}

/// A talk that opened with this message.
pub(crate) fn add_talk(account: &Account, talk_id: u64) -> Option<HookEvent> {
    Some(HookEvent { code: "add_talk", entity: "talk", item: talk(account, talk_id)? })
}

/// A talk that was closed. What else fires this hook is not known (reference 5.6).
pub(crate) fn update_talk(account: &Account, talk_id: u64) -> Option<HookEvent> {
    Some(HookEvent { code: "update_talk", entity: "talk", item: talk(account, talk_id)? })
}

fn talk(account: &Account, talk_id: u64) -> Option<Value> {
    let talk = account.talks.get(&talk_id)?;
    let (_, entity_type, entity_id) = talk.entity();
    Some(json!({
        "talk_id": talk.id,
        "created_at": talk.created_at_ms / 1000,
        "updated_at": talk.updated_at_ms / 1000,
        "rate": 0,
        "contact_id": talk.contact_id,
        "chat_id": talk.chat_id,
        "entity_id": entity_id,
        "entity_type": entity_type,
        "is_in_work": talk.open,
        "is_read": !talk.open,
        "origin": talk.origin,
        "account_id": account.id,
    }))
}

/// A contact that was made or changed; `code` says which.
pub(crate) fn contact(account: &Account, code: &'static str, id: u64) -> Option<HookEvent> {
    let contact = account.contacts.get(&id)?;
    let mut item = card(account, &contact.details, &values_of(contact, &account.fields));
    item["id"] = json!(id);
    item["name"] = json!(contact.name);
    item["type"] = json!("contact");
    item["linked_leads_id"] = contact.lead_ids.iter().map(|id| (id.to_string(), json!({"ID": id}))).collect();
    Some(HookEvent { code, entity: "contacts", item })
}

/// A contact that is gone; a deletion carries little more than the id.
pub(crate) fn delete_contact(id: u64) -> HookEvent {
    HookEvent { code: "delete_contact", entity: "contacts", item: json!({"id": id, "type": "contact"}) }
}

/// A lead that was made or changed; `code` says which.
pub(crate) fn lead(account: &Account, code: &'static str, id: u64) -> Option<HookEvent> {
    let lead = account.leads.get(&id)?;
    let mut item = card(account, &lead.details, &lead.details.values);
    item["id"] = json!(id);
    item["name"] = json!(lead.name);
    item["price"] = json!(lead.price);
    item["status_id"] = json!(lead.status_id);
    item["pipeline_id"] = json!(lead.pipeline_id);
    Some(HookEvent { code, entity: "leads", item })
}

/// A lead that stands elsewhere than `before`.
pub(crate) fn status_lead(account: &Account, id: u64, before: &Lead) -> Option<HookEvent> {
    let mut hook = lead(account, "status_lead", id)?;
    if (&hook.item["status_id"], &hook.item["pipeline_id"])
        == (&json!(before.status_id), &json!(before.pipeline_id))
    {
        return None;
    }
    hook.item["old_status_id"] = json!(before.status_id);
    hook.item["old_pipeline_id"] = json!(before.pipeline_id);
    Some(hook)
}

/// What contacts and leads have in common.
fn card(account: &Account, details: &Details, values: &BTreeMap<u64, Vec<Value>>) -> Value {
    let fields: Vec<Value> = values
        .iter()
        .filter(|(_, values)| !values.is_empty())
        .filter_map(|(id, values)| {
            let field = account.fields.find(*id)?;
            let values: Vec<Value> =
                values.iter().map(|it| json!({"value": it["value"], "enum": it["enum_id"]})).collect();
            Some(json!({"id": id, "name": field.name, "code": field.code, "values": values}))
        })
        .collect();
    json!({
        "responsible_user_id": details.responsible_user_id,
        "created_user_id": details.created_by,
        "modified_user_id": details.updated_by,
        "date_create": details.created_at,
        "created_at": details.created_at,
        "last_modified": details.updated_at,
        "updated_at": details.updated_at,
        "account_id": account.id,
        "custom_fields": fields,
    })
}

/// The `account` part of every hook.
pub(crate) fn account_part(account: &Account) -> Value {
    json!({
        "subdomain": account.subdomain,
        "id": account.id,
        "_links": {"self": format!("https://{}.amocrm.ru", account.subdomain)},
    })
}
