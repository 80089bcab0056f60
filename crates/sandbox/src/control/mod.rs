//! The control API: creates bots, acts as their clients, shows what clients see, plants faults, moves the clock.
//!
//! `docs/sandbox.md` describes it for people and `openapi.json` (served at `/openapi.json`) for programs; a test
//! keeps the file and the routes equal. It is for the machine it runs on: no authentication, no history across
//! a restart. amoCRM's part is nested under `/amocrm` and belongs to [`crate::amocrm`], Wahelp's under `/wahelp` to
//! [`crate::wahelp`]; how a request is read and refused is the same for all.

mod acts;
mod bots;
mod clock;
pub(crate) mod error;
mod groups;
mod users;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, delete, get, post};
use serde::Deserialize;

use self::error::Refusal;
use crate::telegram::Telegram;

/// The description of all routes.
const OPENAPI: &str = include_str!("../../openapi.json");
/// The largest upload of Telegram in base64, and some room.
const BODY_LIMIT: usize = 72 << 20;

/// `?after=N`: only what came later.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct After {
    #[serde(default)]
    pub(crate) after: u64,
}

/// The control API's routes, with amoCRM's and Wahelp's.
pub(crate) fn router(telegram: Telegram, amocrm: Router, wahelp: Router) -> Router {
    let mut router = Router::new();
    for (path, methods) in routes() {
        router = router.route(&path, methods);
    }
    router
        .with_state(telegram)
        .nest("/amocrm", amocrm)
        .nest("/wahelp", wahelp)
        .fallback(|| async { Refusal::no_route() })
        .method_not_allowed_fallback(|| async { Refusal::no_method() })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

/// Every route but amoCRM's and Wahelp's.
fn routes() -> Vec<(String, MethodRouter<Telegram>)> {
    let mut routes: Vec<(String, MethodRouter<Telegram>)> = [
        ("/openapi.json", get(openapi)),
        ("/clock", get(clock::show).post(clock::set)),
        ("/bots", get(bots::list).post(bots::create)),
        ("/bots/{bot}", get(bots::show)),
        ("/bots/{bot}/token", post(bots::rotate)),
        ("/bots/{bot}/updates", get(bots::updates).post(bots::push)),
        ("/bots/{bot}/rebase", post(bots::rebase)),
        ("/bots/{bot}/calls", get(bots::calls)),
        ("/bots/{bot}/faults", post(bots::plant).delete(bots::clear)),
        ("/users", get(users::list).post(users::create)),
        ("/users/{user}", get(users::show).post(users::change)),
        ("/users/{user}/bots/{bot}/chat", get(users::chat)),
        ("/groups", get(groups::list).post(groups::create)),
        ("/groups/{group}", delete(groups::remove)),
        ("/groups/{group}/chat", get(groups::chat)),
        ("/groups/{group}/upgrade", post(groups::upgrade)),
    ]
    .into_iter()
    .map(|(path, methods)| (path.to_owned(), methods))
    .collect();
    for act in acts::private() {
        routes.push((format!("/users/{{user}}/bots/{{bot}}/{}", act.name), acts::in_private(act)));
    }
    for act in acts::group() {
        routes.push((format!("/groups/{{group}}/users/{{user}}/{}", act.name), acts::in_group(act)));
    }
    routes
}

async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], OPENAPI)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_openapi_file_lists_exactly_these_routes() {
        let file: Value = serde_json::from_str(OPENAPI).unwrap();
        assert!(file["openapi"].as_str().unwrap().starts_with("3.1"));
        let listed: BTreeSet<String> = file["paths"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|path| !path.starts_with("/amocrm") && !path.starts_with("/wahelp"))
            .cloned()
            .collect();
        let routed: BTreeSet<String> = routes().into_iter().map(|(path, _)| path).collect();
        assert_eq!(listed, routed);
    }
}
