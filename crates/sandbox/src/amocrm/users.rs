//! The account's users: managers who answer.

use serde::Serialize;

use super::ids::uuid;
use crate::random::Random;

/// The one who answers unless another is named.
pub(crate) const MANAGER: u64 = 8_100_001;

/// A user of the account.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) email: String,
    /// His id in the chat service.
    pub(crate) amojo_id: String,
    pub(crate) is_admin: bool,
    pub(crate) is_active: bool,
}

/// Who is there from the start: an administrator and a manager.
pub(crate) fn first(random: &Random) -> Vec<User> {
    [(MANAGER, "Менеджер", "manager@shop.example", true), (MANAGER + 1, "Ольга", "olga@shop.example", false)]
        .map(|(id, name, email, is_admin)| User {
            id,
            name: name.to_owned(),
            email: email.to_owned(),
            amojo_id: uuid(random),
            is_admin,
            is_active: true,
        })
        .into()
}
