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
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post};

use self::error::ControlError;
use super::AmoCrm;

/// The largest upload of Telegram in base64, and some room.
const BODY_LIMIT: usize = 72 << 20;

/// All control routes, to be nested under `/amocrm`.
pub(crate) fn router(amocrm: AmoCrm) -> Router {
    let mut router = Router::new();
    for (path, methods) in routes() {
        router = router.route(path, methods);
    }
    router
        .fallback(async || ControlError::not_found("there is no such route", "a path of /openapi.json"))
        .method_not_allowed_fallback(async || {
            ControlError::bad("the route has no such method", "a method of this path in /openapi.json")
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(amocrm)
}

fn routes() -> [(&'static str, MethodRouter<AmoCrm>); 23] {
    [
        ("/", get(accounts::show)),
        ("/down", post(accounts::down)),
        ("/up", post(accounts::up)),
        ("/connect", post(bots::connect)),
        ("/{bot}", get(bots::show)),
        ("/{bot}/reconnect", post(bots::reconnect)),
        ("/{bot}/disconnect", post(bots::disconnect)),
        ("/{bot}/salesbot", post(bots::set_salesbot).delete(bots::remove_salesbot)),
        ("/{bot}/reply", post(reply::reply)),
        ("/{bot}/chats", get(cards::chats)),
        ("/{bot}/chats/{chat}", get(cards::chat)),
        ("/{bot}/raw", get(cards::raw_of_bot)),
        ("/raw", get(cards::raw)),
        ("/{bot}/faults", post(faults::plan_for_bot).delete(faults::clear_for_bot)),
        ("/faults", post(faults::plan).delete(faults::clear)),
        ("/contacts", get(cards::contacts).post(cards::add_contact)),
        ("/leads", get(cards::leads)),
        ("/leads/{lead}", post(cards::move_lead)),
        ("/talks", get(cards::talks)),
        ("/talks/{talk}/close", post(cards::close_talk)),
        ("/hooks", get(hooks::list).post(hooks::subscribe).delete(hooks::unsubscribe)),
        ("/hooks/{hook}/enable", post(hooks::enable)),
        ("/hooks/attempts", get(hooks::attempts)),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_openapi_file_lists_exactly_these_routes() {
        let file: serde_json::Value = serde_json::from_str(include_str!("../../../openapi.json")).unwrap();
        let paths = file["paths"].as_object().unwrap().keys();
        let listed: BTreeSet<&str> = paths.filter_map(|path| path.strip_prefix("/amocrm")).collect();
        let routed: BTreeSet<&str> =
            routes().iter().map(|(path, _)| if *path == "/" { "" } else { *path }).collect();
        assert_eq!(listed, routed);
    }
}
