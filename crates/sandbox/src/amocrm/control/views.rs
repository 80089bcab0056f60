//! How connections and deliveries look on the control API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::amocrm::AmoCrm;
use crate::amocrm::connection::Connection;
use crate::amocrm::raw::Delivery;

/// A connection, with the address Telegram was told.
pub(crate) fn connection(amocrm: &AmoCrm, connection: &Connection) -> Value {
    json!({
        "bot": connection.bot_id,
        "username": connection.username,
        "connected": connection.connected,
        "telegram": connection.link.telegram,
        "hook": format!("{}{}", amocrm.url(), connection.link.address.target(&connection.link.token)),
        "allowed_updates": connection.link.allowed_updates,
        "max_connections": connection.link.max_connections,
        "source_id": connection.source_id,
        "source_uuid": connection.source_uuid,
        "salesbot": connection.salesbot,
        "insisting": connection.insisting,
        "faults": connection.faults,
        "deliveries": connection.deliveries,
    })
}

/// A delivery: the exact bytes as base64, and as text where they are text.
pub(crate) fn delivery(delivery: &Delivery) -> Value {
    json!({
        "n": delivery.n,
        "at_ms": delivery.at_ms,
        "bot": delivery.bot_id,
        "address": delivery.address,
        "headers": delivery.headers,
        "update_id": delivery.update_id,
        "outcome": delivery.outcome,
        "fault": delivery.fault,
        "body_base64": STANDARD.encode(&delivery.body),
        "body": std::str::from_utf8(&delivery.body).ok(),
    })
}
