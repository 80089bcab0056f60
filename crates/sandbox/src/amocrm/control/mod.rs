//! The control routes under `/amocrm`: connect bots, read cards and deliveries, answer clients, plan faults.
//!
//! `docs/sandbox-amocrm.md` describes them for people, the sandbox's OpenAPI file for programs.

mod accounts;
mod bots;
mod cards;
mod error;
mod faults;
mod hooks;
mod reply;
mod views;

use axum::Router;
use axum::routing::{get, post};

use super::AmoCrm;

/// All control routes, to be nested under `/amocrm`.
pub(crate) fn router(amocrm: AmoCrm) -> Router {
    Router::new()
        .route("/", get(accounts::show))
        .route("/down", post(accounts::down))
        .route("/up", post(accounts::up))
        .route("/connect", post(bots::connect))
        .route("/{bot}", get(bots::show))
        .route("/{bot}/reconnect", post(bots::reconnect))
        .route("/{bot}/disconnect", post(bots::disconnect))
        .route("/{bot}/salesbot", post(bots::set_salesbot).delete(bots::remove_salesbot))
        .route("/{bot}/reply", post(reply::reply))
        .route("/{bot}/chats", get(cards::chats))
        .route("/{bot}/chats/{chat}", get(cards::chat))
        .route("/{bot}/raw", get(cards::raw_of_bot))
        .route("/raw", get(cards::raw))
        .route("/{bot}/faults", post(faults::plan_for_bot).delete(faults::clear_for_bot))
        .route("/faults", post(faults::plan).delete(faults::clear))
        .route("/contacts", get(cards::contacts).post(cards::add_contact))
        .route("/leads", get(cards::leads))
        .route("/leads/{lead}", post(cards::move_lead))
        .route("/talks", get(cards::talks))
        .route("/talks/{talk}/close", post(cards::close_talk))
        .route("/hooks", get(hooks::list).post(hooks::subscribe).delete(hooks::unsubscribe))
        .route("/hooks/{hook}/enable", post(hooks::enable))
        .route("/hooks/attempts", get(hooks::attempts))
        .with_state(amocrm)
}
