//! What vendors post to our public address: `/hooks/<vendor>/…`, and what people bring back from them:
//! `/oauth/<vendor>`. Accounts' own hooks come to `/hooks/account/<secret>`.
//!
//! A hook is sent once and never again, so it is committed before it is answered with 200: as a `Reply` in the journal
//! of the bot it is for, or in the inbox when the bot has no owner in this process. A hook that comes twice gives one
//! reply: the vendor's id of the message is a link in the same commit. What is for nobody is reported back to the
//! manager by an `Outcome` of nothing.
//!
//! Strangers get 404 for paths that are nobody's, before anything is read, and 401 for what is not proved. What is
//! proved and cannot be used is refused and counted by reason; nothing of it is kept.
//!
//! What could not be taken is looked for afterwards in the vendor's own history ([`missed`]).

mod address;
mod arrival;
mod echo;
mod inbox;
mod metrics;
mod missed;
mod notice;
mod oauth;
mod poll;
mod take;
mod whose;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Extension, Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tandem_gateway::{BodyError, Proof};
use tandem_vendor::{Hook, News};

pub use self::metrics::METRICS;
pub(crate) use self::{inbox::run as drain_inbox, metrics::HookMetrics, missed::Beat, poll::Polling};
use self::{
    metrics::HookEnd,
    whose::{Whose, whose},
};
use crate::{Bridge, bridge::Chain, connections::LiveConnection};

/// What stands in the place of a vendor's word in addresses of accounts' own hooks.
const ACCOUNT: &str = "account";
/// Longest body. A vendor's hook is some kilobytes.
const BODY_BYTES: usize = 1 << 20;
/// How long a body may take: the vendor waits no longer for the answer.
const BODY_LIMIT: Duration = Duration::from_secs(10);

impl Bridge {
    /// The routes of vendors on the public listener.
    pub(crate) fn vendor_hooks(&self) -> Router {
        Router::new()
            .route("/hooks/{vendor}/{*path}", get(receive).post(receive))
            .route("/oauth/{vendor}", get(oauth::come_back))
            .with_state(self.clone())
    }
}

async fn receive(
    State(bridge): State<Bridge>,
    Path((vendor, path)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    method: Method,
    proof: Option<Extension<Proof>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let mut path: Vec<String> = path.split('/').map(str::to_owned).collect();
    // Accounts' own hooks come under no vendor's word: the secret alone says whose they are.
    let vendor = if vendor == ACCOUNT {
        path.insert(0, vendor);
        None
    } else {
        Some(vendor)
    };
    // Before anything is read: strangers cost nothing.
    let owners = bridge.connections().owners_of(vendor.as_deref(), &path);
    if owners.is_empty() {
        return bridge.end(HookEnd::Nobodys);
    }
    let read = tokio::time::timeout(BODY_LIMIT, Limited::new(body, BODY_BYTES).collect()).await;
    let body = match read {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) => {
            return bridge.end(match BodyError::behind(&*error) {
                Some(BodyError::TooLong) => HookEnd::TooLarge,
                None if error.is::<LengthLimitError>() => HookEnd::TooLarge,
                Some(BodyError::TooSlow) => HookEnd::TooSlow,
                Some(BodyError::Broken(_)) | None => HookEnd::Truncated,
            });
        }
        Err(_) => return bridge.end(HookEnd::TooSlow),
    };
    let hook = Hook { method, path, query, headers, body };
    let told = whose(owners, &hook);
    if !matches!(told, Whose::Unproven)
        && let Some(Extension(proof)) = proof
    {
        proof.is_given();
    }
    let (live, news) = match told {
        Whose::Told(live, news) => (live, news),
        Whose::Unreadable(live, reason) => return bridge.refuse_unreadable(&live, &hook, &reason),
        Whose::Unclear(lives) => {
            bridge.look_for_unclear(&lives);
            return bridge.end(HookEnd::NotKept);
        }
        Whose::Unproven => return bridge.end(HookEnd::Unproven),
    };
    live.heard_something(bridge.parts().clock.now());
    // The vendor may hang up; what is committed is taken note of all the same.
    let (keeping, kept) = (bridge.clone(), Arc::clone(&live));
    let task = bridge.tasks().spawn(async move { keeping.take_news(&kept, news).await });
    bridge.end(task.await.unwrap_or(HookEnd::NotKept))
}

impl Bridge {
    /// Takes everything that a hook tells. What it ends as is what befell the worst of it.
    async fn take_news(&self, live: &Arc<LiveConnection>, news: Vec<News>) -> HookEnd {
        let mut end = HookEnd::Ignored;
        for news in news {
            let one = match news {
                News::Heard(heard) => match self.take_heard(live, *heard, None).await {
                    Ok(taken) => HookEnd::of(taken),
                    Err(error) => self.say_not_kept(live, &error),
                },
                News::Spoken(spoken) => match self.take_spoken(live, *spoken).await {
                    Ok(taken) => taken.map_or(HookEnd::Echo, HookEnd::of),
                    Err(error) => self.say_not_kept(live, &error),
                },
                News::Arrived { message, how } => match self.take_arrived(live, &message, how).await {
                    Ok(end) => end,
                    Err(error) => self.say_not_kept(live, &error),
                },
                News::Noticed(noticed) => match self.take_noticed(live, *noticed).await {
                    Ok(taken) => HookEnd::of(taken),
                    Err(error) => self.say_not_kept(live, &error),
                },
                News::Disabled => match self.note_disabled(live).await {
                    Ok(()) => HookEnd::Disabled,
                    Err(error) => self.say_not_kept(live, &error),
                },
                News::Ignored(word) => {
                    self.say_ignored(live, &word);
                    HookEnd::Ignored
                }
            };
            end = end.max(one);
        }
        end
    }

    fn say_not_kept(&self, live: &LiveConnection, error: &(dyn std::error::Error + Send + Sync)) -> HookEnd {
        let (name, reason) = (live.name(), Chain(error));
        tracing::error!(
            connection.name = name,
            "a hook of connection {name} could not be kept: {reason}; it is looked for in the account's history once the \
             database takes it again"
        );
        live.note_gap(self.parts().clock.now().minus(missed::SLACK));
        HookEnd::NotKept
    }

    /// A word that a vendor began to say: counted, and logged when it comes the first time and ever more rarely.
    fn say_ignored(&self, live: &LiveConnection, word: &str) {
        let times = self.hook_metrics().ignore(word);
        if times.is_power_of_two() {
            let name = live.name();
            let word: String = word.chars().filter(|c| !c.is_control()).take(64).collect();
            tracing::info!(
                connection.name = name,
                hook.word = word,
                times,
                "connection {name} was told {word:?}, which means nothing here ({times} times so far)"
            );
        }
    }

    fn refuse_unreadable(&self, live: &LiveConnection, hook: &Hook, reason: &str) -> Response {
        let name = live.name();
        let is_text = std::str::from_utf8(&hook.body).is_ok();
        tracing::warn!(connection.name = name, "a hook of connection {name} cannot be read: {reason}");
        self.end(if is_text { HookEnd::Unreadable } else { HookEnd::NotText })
    }

    /// Counts how a hook ended, and answers it.
    fn end(&self, end: HookEnd) -> Response {
        self.hook_metrics().count(end);
        let status = match end {
            HookEnd::Taken
            | HookEnd::Repeated
            | HookEnd::Echo
            | HookEnd::ForNobody
            | HookEnd::Disabled
            | HookEnd::Ignored => StatusCode::OK,
            HookEnd::Nobodys => StatusCode::NOT_FOUND,
            HookEnd::Unproven => StatusCode::UNAUTHORIZED,
            HookEnd::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            HookEnd::TooSlow => StatusCode::REQUEST_TIMEOUT,
            HookEnd::Truncated | HookEnd::NotText | HookEnd::Unreadable | HookEnd::Stale => {
                StatusCode::BAD_REQUEST
            }
            HookEnd::NotKept => StatusCode::SERVICE_UNAVAILABLE,
        };
        let mut response = status.into_response();
        if end == HookEnd::NotKept {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}
