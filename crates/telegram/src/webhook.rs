//! Posting updates to somebody's webhook as Telegram would (reference/telegram.md 3.1 to 3.3): the rules and a
//! client. Used for foreign webhooks (relays) and for those that apps set with us.

mod address;
mod client;
mod outcome;
mod reply;
mod request;

pub use address::{BadWebhook, WebhookAddress, WebhookPolicy, is_reserved};
pub use client::{Received, WebhookClient};
pub use outcome::{DROP_AFTER_GONE, DeliveryFailure, LADDER, is_success, retry_after, wait_after};
pub use reply::ReplyCall;
pub use request::{ANSWER_LIMIT, SECRET_HEADER, SecretToken, SecretTokenError, headers};
