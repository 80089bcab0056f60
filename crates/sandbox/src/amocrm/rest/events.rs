//! `/events`: messages of chats, in which they have no text (reference 4.11).

use serde_json::{Value, json};

use super::problem::Problem;
use super::{Answer, Request};
use crate::amocrm::State;
use crate::amocrm::amojo::chat::Speaker;
use crate::amocrm::cards::Author;

/// The most that a page of events has.
const PAGE: usize = 100;
/// So many entities can be named.
const ENTITIES: usize = 10;

/// One message as an event.
struct Happening<'a> {
    message_id: &'a str,
    kind: &'static str,
    created_by: u64,
    created_at: i64,
    contact_id: u64,
    /// The lead of the chat's talk: there the event is reported.
    lead_id: Option<u64>,
}

/// Newest first.
pub(crate) fn list(request: &mut Request<'_>) -> Answer {
    let query = &request.query;
    let types = query.all("filter[type]");
    let entity = query.all("filter[entity]");
    let (entities, users) = (query.numbers("filter[entity_id]"), query.numbers("filter[created_by]"));
    if entities.len() > ENTITIES || users.len() > ENTITIES {
        return Err(Problem::bad("At most 10 values in a filter"));
    }
    if !entities.is_empty() && entity.len() != 1 {
        return Err(Problem::bad("filter[entity_id] needs one filter[entity]"));
    }
    let time = |part: &str| query.find(&format!("filter[created_at][{part}]"))?.parse::<i64>().ok();
    let (from, to) = (time("from"), time("to"));
    let mut found: Vec<Happening<'_>> = happenings(request.state);
    found.retain(|it| {
        (types.is_empty() || types.contains(&it.kind))
            // Whoever asks for leads gets no messages, although they are reported there.
            && (entity.is_empty() || entity.contains(&"contact"))
            && (entities.is_empty() || entities.contains(&it.contact_id))
            && (users.is_empty() || users.contains(&it.created_by))
            && from.is_none_or(|from| it.created_at >= from)
            && to.is_none_or(|to| it.created_at <= to)
    });
    found.sort_by_key(|it| std::cmp::Reverse(it.created_at));
    let shown = found.iter().map(|it| shown(request, it)).collect();
    request.page_of("events", shown, PAGE)
}

fn happenings(state: &State) -> Vec<Happening<'_>> {
    let account = &state.account;
    let lead_of =
        |talks: &[u64]| talks.last().and_then(|id| account.talks.get(id)).and_then(|talk| talk.lead_id);
    let kind = |incoming: bool| if incoming { "incoming_chat_message" } else { "outgoing_chat_message" };
    let of_channels = account.channel_chats.values().flat_map(|chat| {
        let lines = chat.messages.iter().filter(|line| !line.silent);
        lines.filter_map(move |line| {
            let user = account.users.iter().find(|user| user.amojo_id == line.sender_id);
            Some(Happening {
                message_id: &line.id,
                kind: kind(line.speaker == Speaker::Client),
                created_by: user.map_or(0, |user| user.id),
                created_at: line.at.timestamp,
                contact_id: chat.contact_id?,
                lead_id: lead_of(&chat.talk_ids),
            })
        })
    });
    let of_bots = account.chats.values().flat_map(|chat| {
        chat.messages.iter().filter_map(move |line| {
            Some(Happening {
                message_id: &line.id,
                kind: kind(line.author == Author::Client),
                created_by: if line.author == Author::Manager { account.manager_id } else { 0 },
                created_at: line.at_ms / 1000,
                contact_id: chat.contact_id?,
                lead_id: lead_of(&chat.talk_ids),
            })
        })
    });
    of_channels.chain(of_bots).collect()
}

fn shown(request: &Request<'_>, it: &Happening<'_>) -> Value {
    let (entity_type, entity_id) = it.lead_id.map_or(("contact", it.contact_id), |lead| ("lead", lead));
    let mut value = json!({
        "id": it.message_id.replace('-', ""),
        "type": it.kind,
        "entity_id": entity_id,
        "entity_type": entity_type,
        "created_by": it.created_by,
        "created_at": it.created_at,
        "value_after": [{"message": {"id": it.message_id}}],
        "value_before": [],
        "account_id": request.state.account.id,
        "_links": request.link(&format!("events/{}", it.message_id.replace('-', ""))),
        "_embedded": {"entity": {"id": entity_id, "_links": request.link(&format!("{entity_type}s/{entity_id}"))}},
    });
    if it.lead_id.is_some() {
        value["_embedded"]["entity"]["linked_talk_contact_id"] = json!(it.contact_id);
    }
    value
}
