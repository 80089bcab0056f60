//! The control API.

use crate::telegram::Telegram;

/// The control API's routes.
pub(crate) fn router(_telegram: Telegram) -> axum::Router {
    axum::Router::new()
}
