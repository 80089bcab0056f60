//! What is kept of a message that was told to a vendor who recognises no repeat, as links of the route's lane.
//!
//! | ours | theirs |
//! | --- | --- |
//! | `sending:` and the message's key | what its echo will be known by; empty when nothing was sent after all |
//! | `unknown:` and the message's key | nothing: nobody waits for the echo of what was begun before then |
//! | the message's key | the vendor's id of it |
//! | `arrived:` and the message's key | how far it has come |

use tandem_model::message::MessageKey;

/// What stands before the key of a message that is about to be sent.
pub(crate) const SENDING: &str = "sending:";

/// The link that says that a message is about to be sent.
pub(super) fn sending(key: &MessageKey) -> String {
    format!("{SENDING}{key}")
}

/// The link that says that nobody knows whether a message was sent.
pub(super) fn unknown(key: &MessageKey) -> String {
    format!("unknown:{key}")
}

/// The link that says how far the message of this key has come.
pub(crate) fn arrived(key: &str) -> String {
    format!("arrived:{key}")
}
