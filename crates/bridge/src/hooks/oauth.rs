//! `/oauth/<vendor>`: where a person comes back to who has granted us access.
//!
//! Nothing is done without a state that this process has minted (`tandem connections authorize`), which holds once and
//! for twenty minutes.

use axum::{
    extract::{Extension, Path, RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tandem_gateway::Proof;

use crate::{Bridge, bridge::Chain, connections::LiveConnection};

/// Longest query: a code is about a kilobyte.
const QUERY_BYTES: usize = 16 << 10;

pub(super) async fn come_back(
    State(bridge): State<Bridge>,
    Path(vendor): Path<String>,
    RawQuery(query): RawQuery,
    proof: Option<Extension<Proof>>,
) -> Response {
    let query: Vec<(String, String)> = query
        .filter(|query| query.len() <= QUERY_BYTES)
        .map(|query| url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
        .unwrap_or_default();
    let now = bridge.parts().clock.now();
    let state = query.iter().find(|(name, _)| name == "state").map(|(_, state)| state.as_str());
    let live = state
        .and_then(|state| bridge.authorizations().take(state, now))
        .and_then(|connection| bridge.connections().find(connection))
        .filter(|live| live.vendor() == vendor);
    let Some(live) = live else {
        let words = "This link was used already, is too old, or is none of ours. Run `tandem connections authorize` again.";
        return page(StatusCode::NOT_FOUND, words);
    };
    if let Some(Extension(proof)) = proof {
        proof.is_given();
    }
    // A person who closes the page does not take the grant back.
    let granting = bridge.clone();
    let task = bridge.tasks().spawn(async move { granting.take_grant(&live, &query).await });
    match task.await {
        Ok(Ok(words)) => page(StatusCode::OK, &words),
        Ok(Err(words)) => page(StatusCode::BAD_GATEWAY, &words),
        Err(_) => page(
            StatusCode::SERVICE_UNAVAILABLE,
            "Tandem is stopping. Run `tandem connections authorize` again.",
        ),
    }
}

impl Bridge {
    /// What the person reads, whether it worked or not.
    async fn take_grant(&self, live: &LiveConnection, query: &[(String, String)]) -> Result<String, String> {
        let name = live.name();
        let again = "Run `tandem connections authorize` again.";
        let Some(account) = live.account() else {
            return Err(format!("The connection cannot be used. {again}"));
        };
        if let Err(failure) = account.take_grant(query).await {
            tracing::warn!(connection.name = name, "access for connection {name} was not granted: {failure}");
            return Err(format!("Access was not granted: {failure}. {again}"));
        }
        tracing::info!(connection.name = name, "access for connection {name} was granted");
        if let Err(error) = self.connect_again(live).await {
            let reason = Chain(&error);
            tracing::error!(connection.name = name, "connection {name} is not connected again: {reason}");
            return Err(format!(
                "Access was granted, and the connection could not be switched on: run `tandem connections connect {name}`."
            ));
        }
        Ok("Access was granted. You can close this page.".to_owned())
    }
}

fn page(status: StatusCode, words: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, format!("{words}\n")).into_response()
}
