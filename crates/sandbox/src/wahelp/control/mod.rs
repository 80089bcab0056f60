//! The control routes under `/wahelp`: make channels and clients, act as clients and employees, plan faults.
//!
//! `docs/sandbox-wahelp.md` describes them for people, the sandbox's OpenAPI file for programs. What they share
//! with the rest of the control API, refusals above all, is [`crate::control`]'s.

mod account;
mod channels;
mod clients;
mod faults;
mod messages;
mod records;
mod staff;

use axum::Router;
use axum::routing::{MethodRouter, get, post};

use super::Wahelp;

/// All control routes, to be nested under `/wahelp`.
pub(crate) fn router(wahelp: Wahelp) -> Router {
    let mut router = Router::new();
    for (path, methods) in routes() {
        router = router.route(path, methods);
    }
    router.with_state(wahelp)
}

fn routes() -> Vec<(&'static str, MethodRouter<Wahelp>)> {
    vec![
        ("/", get(account::show)),
        ("/switches", post(account::switch)),
        ("/tokens/expire", post(account::expire)),
        ("/projects", post(account::add_project)),
        ("/down", post(account::down)),
        ("/up", post(account::up)),
        ("/channels", get(channels::list).post(channels::add)),
        ("/channels/{channel}", get(channels::show).post(channels::change).delete(channels::remove)),
        ("/channels/{channel}/reconnect", post(channels::reconnect)),
        ("/channels/{channel}/link", post(channels::link).delete(channels::unlink)),
        ("/channels/{channel}/clients", get(clients::list).post(clients::add)),
        ("/channels/{channel}/clients/{client}", get(clients::show)),
        ("/channels/{channel}/clients/{client}/say", post(clients::say)),
        ("/channels/{channel}/clients/{client}/call", post(clients::call)),
        ("/channels/{channel}/clients/{client}/read", post(clients::read)),
        ("/channels/{channel}/users", get(staff::users)),
        ("/channels/{channel}/users/{user}", get(staff::user).post(staff::change)),
        ("/channels/{channel}/users/{user}/say", post(staff::say)),
        ("/channels/{channel}/users/{user}/entry", post(staff::entry)),
        ("/messages/{message}/status", post(messages::status)),
        ("/messages/{message}/edit", post(messages::edit)),
        ("/messages/{message}/delete", post(messages::delete)),
        ("/hooks", get(records::hooks)),
        ("/calls", get(records::calls)),
        ("/faults", get(faults::list).post(faults::plan).delete(faults::clear)),
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
        let listed: BTreeSet<&str> = paths.filter_map(|path| path.strip_prefix("/wahelp")).collect();
        let routed: BTreeSet<&str> =
            routes().iter().map(|(path, _)| if *path == "/" { "" } else { *path }).collect();
        assert_eq!(listed, routed);
    }
}
