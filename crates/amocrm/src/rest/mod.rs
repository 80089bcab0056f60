//! The client of the account's API (4): asks within the quota, renews its token, and knows a rest from a refusal.

mod calls;
mod contacts;
mod leads;
mod quota;
mod tokens;
mod webhooks;

use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, HeaderValue, Method, header};
use secrecy::ExposeSecret;
use serde::Serialize;
use tandem_model::{Blame, PauseReason};
use tandem_vendor::{Failure, FailureKind};

pub(crate) use calls::Linked;
pub(crate) use contacts::Card;
pub(crate) use quota::{Priority, Quota, Window};
pub(crate) use tokens::{Claims, Tokens, claims};

use self::quota::Went;
use crate::{
    connection::Base,
    http::{Http, Outgoing, unanswered},
    request::Repeat,
    response::{Answer, Api, BAN_PROBE, Meaning, Trouble},
};

/// The account's API.
#[derive(Debug)]
pub(crate) struct Rest {
    http: Http,
    base: Base,
    tokens: Tokens,
    quota: Arc<Quota>,
    /// The last refusal of the token, until it serves again; for people.
    refused: Mutex<Option<String>>,
}

/// Why something was not had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotHad {
    pub(crate) failure: Failure,
    pub(crate) status: Option<u16>,
    /// Whose a chat is already (4.5).
    pub(crate) belongs_to: Option<u64>,
    /// What of it the account does not know, by its path.
    pub(crate) missing: Option<String>,
}

/// One call.
struct Call<'a> {
    method: Method,
    path: &'a str,
    query: Option<&'a str>,
    body: Vec<u8>,
    priority: Priority,
}

impl Rest {
    pub(crate) fn new(http: Http, base: Base, tokens: Tokens, quota: Arc<Quota>) -> Self {
        Self { http, base, tokens, quota, refused: Mutex::default() }
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// What keeps it from being asked; for people.
    pub(crate) fn trouble(&self) -> Option<RestTrouble> {
        let refused = || self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(words) = self.tokens.dead().or_else(refused) {
            return Some(RestTrouble::Refused(words));
        }
        self.quota.resting().map(RestTrouble::Resting)
    }

    /// What was refused a moment ago is a part of the API, not the token.
    fn is_no_refusal(&self) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    async fn get(&self, path: &str, query: Option<&str>, priority: Priority) -> Result<Answer, NotHad> {
        self.call(&Call { method: Method::GET, path, query, body: Vec::new(), priority }).await
    }

    async fn post(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
        priority: Priority,
    ) -> Result<Answer, NotHad> {
        self.send(Method::POST, path, body, priority).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: &(impl Serialize + Sync),
        priority: Priority,
    ) -> Result<Answer, NotHad> {
        let body = serde_json::to_vec(body).expect("texts and numbers can always be written");
        self.call(&Call { method, path, query: None, body, priority }).await
    }

    async fn call(&self, call: &Call<'_>) -> Result<Answer, NotHad> {
        let mut may_renew = true;
        loop {
            let grant = self.quota.enter(call.priority).await.map_err(NotHad::of)?;
            let token = match self.tokens.current().await {
                Ok(token) => token,
                Err(failure) => {
                    // A ban covers the tokens too, and its page says so.
                    if let FailureKind::Later { after: Some(BAN_PROBE), .. } = failure.kind {
                        grant.went(Went::Rest { wish: BAN_PROBE, words: failure.words.clone() });
                    }
                    return Err(NotHad::of(failure));
                }
            };
            let answer = match self.http.send(self.outgoing(call, token.secret.expose_secret())).await {
                Ok(answer) => answer,
                Err(no_answer) => {
                    return Err(NotHad::of(unanswered(&no_answer, Repeat::Harmless, "the account's API")));
                }
            };
            let trouble = answer.trouble(Api::Rest);
            grant.went(trouble.as_ref().map_or(Went::Open, went));
            let Some(trouble) = trouble else {
                self.refused.lock().unwrap_or_else(PoisonError::into_inner).take();
                return Ok(answer);
            };
            if trouble.means == Meaning::Unauthorized && may_renew {
                may_renew = false;
                match self.tokens.renew(&token).await {
                    Some(Ok(())) => continue,
                    Some(Err(failure)) => return Err(NotHad::of(failure)),
                    None => {}
                }
            }
            if matches!(trouble.means, Meaning::Unauthorized | Meaning::Forbidden) {
                *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble.words.clone());
            }
            return Err(NotHad {
                failure: trouble.failure(Repeat::Harmless),
                status: Some(trouble.status),
                belongs_to: answer.belongs_to(),
                missing: answer.missing(),
            });
        }
    }

    fn outgoing(&self, call: &Call<'_>, token: &str) -> Outgoing {
        let mut headers = HeaderMap::new();
        // A token that is no header value will be refused as what it is.
        if let Ok(mut bearer) = HeaderValue::from_str(&format!("Bearer {token}")) {
            bearer.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, bearer);
        }
        if !call.body.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Outgoing {
            method: call.method.clone(),
            url: self.base.at(&self.base.path(call.path), call.query),
            headers,
            body: call.body.clone().into(),
        }
    }
}

/// What keeps the API from being asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RestTrouble {
    /// It goes by itself.
    Resting(String),
    /// Somebody has to act.
    Refused(String),
}

fn went(trouble: &Trouble) -> Went {
    let words = trouble.words.clone();
    match trouble.means {
        Meaning::TooFast => {
            Went::Rest { wish: trouble.retry_after.unwrap_or(std::time::Duration::from_secs(1)), words }
        }
        Meaning::Banned => {
            let words = format!("{words}; one request in five minutes looks whether it is open again");
            Went::Rest { wish: BAN_PROBE, words }
        }
        Meaning::Failed | Meaning::Elsewhere => Went::Unseen,
        Meaning::Refused
        | Meaning::NotThere
        | Meaning::Unconnected
        | Meaning::Forbidden
        | Meaning::Unauthorized
        | Meaning::Clock => Went::Open,
    }
}

impl NotHad {
    fn of(failure: Failure) -> Self {
        Self { failure, status: None, belongs_to: None, missing: None }
    }

    /// Nobody but a person can put it right.
    pub(crate) fn refused(words: &str) -> Self {
        Self::of(Failure::new(FailureKind::Stop(PauseReason::Refused), words))
    }

    fn unreadable(what: &str) -> Self {
        let kind = FailureKind::Later { after: None, blame: Blame::Unclear };
        Self::of(Failure::new(kind, format!("the account's answer about {what} cannot be read")))
    }

    /// Whether the same will be refused again.
    pub(crate) fn is_refused(&self) -> bool {
        self.failure.kind == FailureKind::Refused
    }

    /// Whether nobody but a person can change it.
    pub(crate) fn is_for_people(&self) -> bool {
        matches!(self.failure.kind, FailureKind::Stop(PauseReason::Refused))
    }
}
