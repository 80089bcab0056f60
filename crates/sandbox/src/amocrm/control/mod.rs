//! The control routes under `/amocrm`: connect bots, read cards and deliveries, answer clients, plan faults.
//!
//! `docs/sandbox-amocrm.md` describes them for people, the sandbox's OpenAPI file for programs. What they share
//! with the rest of the control API, refusals above all, is [`crate::control`]'s.

mod accounts;
mod bots;
mod calls;
mod cards;
mod channels;
mod contacts;
mod faults;
mod files;
mod group_faults;
mod hooks;
mod integrations;
mod manager;
mod reply;
mod sources;
mod views;

use axum::Router;
use axum::routing::{MethodRouter, get, post};

use super::AmoCrm;

/// All control routes, to be nested under `/amocrm`.
pub(crate) fn router(amocrm: AmoCrm) -> Router {
    let mut router = Router::new();
    for (path, methods) in routes() {
        router = router.route(path, methods);
    }
    router.with_state(amocrm)
}

fn routes() -> Vec<(&'static str, MethodRouter<AmoCrm>)> {
    vec![
        ("/", get(accounts::show)),
        ("/account", post(accounts::change)),
        ("/down", post(accounts::down)),
        ("/up", post(accounts::up)),
        ("/connect", post(bots::connect)),
        ("/{bot}", get(bots::show)),
        ("/{bot}/reconnect", post(bots::reconnect)),
        ("/{bot}/insist", post(bots::insist).delete(bots::relent)),
        ("/{bot}/disconnect", post(bots::disconnect)),
        ("/{bot}/salesbot", post(bots::set_salesbot).delete(bots::remove_salesbot)),
        ("/{bot}/reply", post(reply::reply)),
        ("/{bot}/chats", get(cards::chats)),
        ("/{bot}/chats/{chat}", get(cards::chat)),
        ("/{bot}/raw", get(cards::raw_of_bot)),
        ("/raw", get(cards::raw)),
        ("/{bot}/faults", post(faults::plan_for_bot).delete(faults::clear_for_bot)),
        ("/faults", post(faults::plan).delete(faults::clear)),
        ("/contacts", get(contacts::list).post(contacts::add)),
        ("/contacts/{contact}", post(contacts::change).delete(contacts::remove)),
        ("/contacts/{contact}/merge", post(contacts::merge)),
        ("/leads", get(cards::leads)),
        ("/leads/{lead}", post(cards::move_lead)),
        ("/talks", get(cards::talks)),
        ("/talks/{talk}/close", post(cards::close_talk)),
        ("/hooks", get(hooks::list).post(hooks::subscribe).delete(hooks::unsubscribe)),
        ("/hooks/{hook}/enable", post(hooks::enable)),
        ("/hooks/attempts", get(hooks::attempts)),
        ("/channels", get(channels::list).post(channels::add)),
        ("/channels/{channel}", get(channels::show).post(channels::change).delete(channels::remove)),
        ("/channels/{channel}/chats", get(channels::chats)),
        ("/channels/{channel}/chats/{chat}", get(channels::chat)),
        ("/channels/{channel}/messages/{message}", get(channels::message)),
        ("/channels/{channel}/hooks", get(channels::hooks)),
        ("/channels/{channel}/complaints", get(channels::complaints)),
        ("/channels/{channel}/say", post(manager::say)),
        ("/channels/{channel}/typing", post(manager::typing)),
        ("/channels/{channel}/react", post(manager::react)),
        ("/channels/{channel}/write-first", post(manager::write_first)),
        ("/sources", post(sources::add)),
        ("/integrations", get(integrations::list).post(integrations::add)),
        ("/integrations/{client}", post(integrations::change)),
        ("/integrations/{client}/disable", post(integrations::disable)),
        ("/integrations/{client}/install", post(integrations::install)),
        ("/integrations/{client}/revoke", post(integrations::revoke)),
        ("/integrations/{client}/authorise", post(integrations::authorise)),
        ("/integrations/{client}/token", post(integrations::token)),
        ("/calls", get(calls::list)),
        ("/faults/{part}", get(group_faults::list).post(group_faults::plan).delete(group_faults::clear)),
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
