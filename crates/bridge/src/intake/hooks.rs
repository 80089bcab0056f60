//! What Telegram posts to our public address: `/hooks/telegram/<bot>`.
//!
//! Answered with 200 after the commit, with 401 to whoever does not know the secret, known bot or not, and with 503 and
//! `Retry-After` when it cannot be kept now. Never with 410, which would have Telegram remove the webhook.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Extension, Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tandem_gateway::{BodyError, Proof, RecordError};
use tandem_model::BotId;

use super::taking::{Batch, is_about_space};
use crate::{BotPhase, Bridge, bots::LiveBot};

/// Longest body: what `getUpdates` gives in one answer (reference/telegram.md 1.3).
const BODY_BYTES: usize = 4 << 20;

/// How long a body may take.
const BODY_LIMIT: Duration = Duration::from_secs(30);

/// What came of a delivery.
enum Answer {
    Taken,
    Unproven,
    TooLarge,
    TooSlow,
    Unreadable,
    /// Not now: Telegram is to come back after this.
    Later(Duration),
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let (status, after) = match self {
            Self::Taken => (StatusCode::OK, None),
            Self::Unproven => (StatusCode::UNAUTHORIZED, None),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, None),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, None),
            Self::Unreadable => (StatusCode::BAD_REQUEST, None),
            Self::Later(after) => (StatusCode::SERVICE_UNAVAILABLE, Some(after)),
        };
        let mut response = status.into_response();
        if let Some(after) = after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs()));
        }
        response
    }
}

impl Bridge {
    /// The routes of the public listener.
    pub fn hooks(&self) -> Router {
        let telegram = Router::new().route("/hooks/telegram/{bot}", post(receive)).with_state(self.clone());
        telegram.merge(self.self_route()).merge(self.vendor_hooks()).merge(self.media().routes())
    }
}

async fn receive(
    State(bridge): State<Bridge>,
    Path(bot): Path<String>,
    proof: Option<Extension<Proof>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let bot = bot.parse().ok().and_then(|id| BotId::new(id).ok());
    let live = bot.and_then(|bot| bridge.find_live(bot));
    // Before anything is read: strangers cost nothing.
    let Some(live) = live.filter(|live| live.hook().is_some_and(|secret| secret.proves(&headers))) else {
        return Answer::Unproven.into_response();
    };
    if let Some(Extension(proof)) = proof {
        proof.is_given();
    }
    let read = tokio::time::timeout(BODY_LIMIT, Limited::new(body, BODY_BYTES).collect()).await;
    let answer = match read {
        Ok(Ok(body)) => bridge.receive(&live, body.to_bytes()).await,
        Ok(Err(error)) => match BodyError::behind(&*error) {
            Some(BodyError::TooLong) => Answer::TooLarge,
            None if error.is::<LengthLimitError>() => Answer::TooLarge,
            Some(BodyError::TooSlow) => Answer::TooSlow,
            Some(BodyError::Broken(_)) | None => Answer::Unreadable,
        },
        Err(_) => Answer::TooSlow,
    };
    answer.into_response()
}

impl Bridge {
    async fn receive(&self, live: &Arc<LiveBot>, body: Bytes) -> Answer {
        let bot = live.id();
        let (phase, taken) = live.read(|document| (document.phase, document.guard.taker().is_some()));
        match phase {
            BotPhase::Active => {}
            // It changes hands in this moment.
            BotPhase::Adopting { .. } | BotPhase::Releasing => return Answer::Later(Duration::from_secs(1)),
            BotPhase::Revoked { .. } | BotPhase::Released { .. } => {
                return Answer::Later(Duration::from_mins(1));
            }
        }
        let batch = self.read_updates(live, [body]).await;
        if let Some(error) = batch.unreadable {
            tracing::error!(bot.id = %bot, %error, "Telegram posted something to bot {bot} that is no update: {error}");
            return Answer::Unreadable;
        }
        // Telegram may hang up; what is committed is taken note of all the same.
        let (bridge, kept) = (self.clone(), Arc::clone(live));
        let keeping = self.tasks().spawn(async move { bridge.keep_posted(&kept, batch).await });
        let Ok(kept) = keeping.await else { return Answer::Later(Duration::from_secs(2)) };
        match kept {
            Ok(()) => {
                if !taken {
                    self.show_running(live);
                }
                Answer::Taken
            }
            Err(error) => {
                self.show_refusal(live, &error);
                Answer::Later(pause_after(&error))
            }
        }
    }
}

impl Bridge {
    async fn keep_posted(&self, live: &LiveBot, batch: Batch) -> Result<(), RecordError> {
        self.know_numbers(live).await;
        self.take(live, batch.events, batch.facts).await?;
        if let Some(id) = batch.last {
            self.posted(live, id).await;
        }
        Ok(())
    }
}

/// A crowd is gone in a moment, a full disk is not.
fn pause_after(error: &RecordError) -> Duration {
    if is_about_space(error) { Duration::from_secs(30) } else { Duration::from_secs(2) }
}
