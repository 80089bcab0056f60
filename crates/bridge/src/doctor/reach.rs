//! A request to our own public address: whether it comes back to this very process.
//!
//! The address has a word in it that only this process knows, for a minute and for one use, so that nobody else can
//! answer it and nobody can ask for it. The way is the outside one as far as this machine's name service and routes
//! say so.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{Extension, Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use tandem_gateway::Proof;
use tandem_model::Timestamp;
use tandem_telegram::webhook::{WebhookAddress, WebhookClient, WebhookPolicy};
use tokio::time::Instant;

use crate::{Bridge, PublicUrl};

/// How long a word is good for.
const GOOD_FOR: Duration = Duration::from_mins(1);

/// At most so many at a time.
const AT_A_TIME: usize = 16;

/// What came of it.
#[derive(Debug)]
pub(super) enum Reached {
    /// It came to us.
    Ourselves {
        /// There and back.
        took: Duration,
    },
    /// Something else answered.
    SomebodyElse {
        /// With this status.
        status: u16,
    },
    /// Nobody answered.
    Nobody {
        /// Why, without the address.
        reason: String,
    },
    /// This process does not listen.
    NotRunning,
}

/// The words that are good now, each with its end.
#[derive(Debug, Clone, Default)]
pub(crate) struct SelfWords(Arc<Mutex<BTreeMap<String, Timestamp>>>);

impl SelfWords {
    fn add(&self, word: String, until: Timestamp, now: Timestamp) {
        let mut words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        words.retain(|_, end| *end > now);
        if words.len() < AT_A_TIME {
            words.insert(word, until);
        }
    }

    /// Whether it is one of ours; it is no longer afterwards.
    fn take(&self, word: &str, now: Timestamp) -> bool {
        let mut words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        words.remove(word).is_some_and(|until| until > now)
    }
}

impl Bridge {
    /// The route by which we hear ourselves.
    pub(crate) fn self_route(&self) -> Router {
        Router::new().route("/hooks/self/{word}", post(hear)).with_state(self.clone())
    }

    pub(super) async fn reach_ourselves(&self, public_url: &PublicUrl) -> Reached {
        if self.current_run().is_none() {
            return Reached::NotRunning;
        }
        let mut random = [0; 32];
        self.parts().rng.fill(&mut random);
        let word = hex::encode(random);
        let now = self.parts().clock.now();
        self.self_words().add(word.clone(), now.plus(GOOD_FOR), now);
        let began = Instant::now();
        let asked = self.ask_ourselves(public_url, &word).await;
        // It is gone once it has been heard.
        let heard = !self.self_words().take(&word, now);
        match asked {
            Ok(200) if heard => Reached::Ourselves { took: began.elapsed() },
            Ok(status) => Reached::SomebodyElse { status },
            Err(reason) => Reached::Nobody { reason },
        }
    }

    async fn ask_ourselves(&self, public_url: &PublicUrl, word: &str) -> Result<u16, String> {
        let roots = &self.parts().config.roots;
        // The address is the operator's own: it may be a private one.
        let client = WebhookClient::new(roots, None, None).map_err(|error| error.to_string())?;
        let address =
            WebhookAddress::parse(&public_url.at(&format!("/hooks/self/{word}")), WebhookPolicy::Any)
                .map_err(|error| error.to_string())?;
        match client.post(&address, None, Bytes::from_static(b"{}")).await {
            Ok(received) => Ok(received.status.as_u16()),
            Err(failure) => Err(failure.to_string()),
        }
    }
}

async fn hear(
    State(bridge): State<Bridge>,
    Path(word): Path<String>,
    proof: Option<Extension<Proof>>,
) -> Response {
    if !bridge.self_words().take(&word, bridge.parts().clock.now()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    if let Some(Extension(proof)) = proof {
        proof.is_given();
    }
    StatusCode::OK.into_response()
}
