//! By what the API is asked: a token from the cabinet, or one that a login gives and that is renewed in time (3).
//!
//! Every login leaves a session at Wahelp, so a token is kept over restarts. There is one renewal at a time; a token
//! that is refused before its time is dropped, and one login is tried.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Method, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tandem_model::{Blame, Clock, PauseReason, Timestamp};
use tandem_outbound::{Client, NoAnswer, Outgoing};
use tandem_vendor::{Failure, FailureKind, Keep};
use tokio::sync::Mutex;

use crate::{
    api::ANSWER_BYTES,
    connection::{Access, Base},
    document::{WordsDocument, secret},
    envelope::{self, Meaning, Trouble},
};

/// A token is renewed so long before it ends.
const MARGIN: Duration = Duration::from_mins(5);
/// How long a token holds of which nothing is said.
const USUAL: u64 = 3600;

/// Tokens of one account.
#[derive(Debug)]
pub(crate) struct Tokens {
    access: Access,
    client: Client,
    base: Base,
    words: WordsDocument,
    keep: Arc<dyn Keep>,
    clock: Arc<dyn Clock>,
    token: Mutex<Option<Token>>,
}

/// A token to ask with.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) secret: SecretString,
    expires: Option<Timestamp>,
    /// It was in use before it had to be refused.
    refused: bool,
}

impl Tokens {
    pub(crate) fn new(
        access: Access,
        client: Client,
        base: Base,
        words: WordsDocument,
        keep: Arc<dyn Keep>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let token = match &access {
            Access::Static(token) => Some(Token { secret: token.clone(), expires: None, refused: false }),
            Access::Login { kept, .. } => kept.as_ref().and_then(Token::read),
        };
        Self { access, client, base, words, keep, clock, token: Mutex::new(token) }
    }

    /// A token that serves, as far as can be known.
    pub(crate) async fn current(&self) -> Result<Token, Failure> {
        let mut token = self.token.lock().await;
        let known = match &*token {
            None => None,
            Some(token) if token.refused => None,
            Some(token) => match token.expires {
                Some(expires) if expires <= self.clock.now() => None,
                Some(expires) if expires <= self.clock.now().plus(MARGIN) => {
                    // It still serves, so it can be renewed; a login does as well.
                    self.refresh(token).await
                }
                Some(_) | None => return Ok(token.clone()),
            },
        };
        let new = match known {
            Some(new) => new,
            None => self.log_in().await?,
        };
        self.store(&new).await;
        *token = Some(new.clone());
        Ok(new)
    }

    /// The token was refused: the next one comes of a login. `false` where there can be no other.
    pub(crate) async fn refuse(&self, refused: &Token) -> bool {
        if let Access::Static(_) = self.access {
            return false;
        }
        let mut token = self.token.lock().await;
        if let Some(token) = token.as_mut()
            && token.secret.expose_secret() == refused.secret.expose_secret()
        {
            token.refused = true;
        }
        true
    }

    pub(crate) const fn access(&self) -> &Access {
        &self.access
    }

    /// How long the token holds.
    pub(crate) async fn holds(&self) -> Option<Duration> {
        let expires = self.token.lock().await.as_ref()?.expires?;
        Some(expires.since(self.clock.now()))
    }

    async fn log_in(&self) -> Result<Token, Failure> {
        let Access::Login { login, password, .. } = &self.access else {
            return Err(stop(
                "the token from the cabinet does not serve any more: give a new one".to_owned(),
            ));
        };
        let body = json!({"login": login, "password": password.expose_secret()});
        let outgoing = Outgoing {
            method: Method::POST,
            url: self.base.at("/app/user/login"),
            headers: HeaderMap::from_iter([
                (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (header::ACCEPT, HeaderValue::from_static("application/json")),
            ]),
            body: body.to_string().into(),
        };
        let answer = match self.client.send(outgoing, ANSWER_BYTES).await {
            Ok(answered) => {
                envelope::read(&answered, &self.words).map_err(|trouble| login_failed(&trouble))?
            }
            Err(no_answer) => return Err(unanswered(&no_answer)),
        };
        self.read(&answer)
            .ok_or_else(|| stop("a login gave no token that could be found in the answer".to_owned()))
    }

    /// Whatever goes wrong here, a login follows.
    async fn refresh(&self, token: &Token) -> Option<Token> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.secret.expose_secret())).ok()?;
        bearer.set_sensitive(true);
        let outgoing = Outgoing {
            method: Method::GET,
            url: self.base.at("/app/user/refresh-token"),
            headers: HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]),
            body: bytes::Bytes::new(),
        };
        let answered = self.client.send(outgoing, ANSWER_BYTES).await.ok()?;
        self.read(&envelope::read(&answered, &self.words).ok()?)
    }

    /// Both shapes: that of a login, and that of a renewal.
    fn read(&self, data: &Value) -> Option<Token> {
        let inner = data.get("token").filter(|inner| inner.is_object()).unwrap_or(data);
        let text = inner.get("access_token").or_else(|| inner.get("token"))?.as_str()?;
        let lives = inner.get("expires_in").or_else(|| data.get("expires_in"));
        let lives = lives.and_then(|lives| lives.as_u64().or_else(|| lives.as_str()?.parse().ok()));
        let expires = self.clock.now().plus(Duration::from_secs(lives.unwrap_or(USUAL)));
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_plain.then(|| Token { secret: text.to_owned().into(), expires: Some(expires), refused: false })
    }

    /// Not being able to keep it costs a login after the next start, and nothing else.
    async fn store(&self, token: &Token) {
        let millis = token.expires.map_or(0, Timestamp::as_millis);
        let kept = format!("{millis}:{}", token.secret.expose_secret());
        if let Err(error) = self.keep.keep(vec![(secret::ACCESS_TOKEN, kept.into())]).await {
            tracing::debug!(%error, "a token of Wahelp's could not be kept: {error}");
        }
    }
}

impl Token {
    fn read(kept: &SecretString) -> Option<Self> {
        let (millis, token) = kept.expose_secret().split_once(':')?;
        let expires = Timestamp::from_millis(millis.parse().ok()?);
        Some(Self { secret: token.to_owned().into(), expires: Some(expires), refused: false })
    }
}

fn login_failed(trouble: &Trouble) -> Failure {
    let words = format!("Wahelp refuses the login: {}", trouble.words);
    let later = |after, blame| Failure::new(FailureKind::Later { after, blame }, words.clone());
    match trouble.means {
        Meaning::Throttled(after) | Meaning::Resting(after) => later(Some(after), Blame::Destination),
        Meaning::Failed | Meaning::Elsewhere | Meaning::NotThere => later(None, Blame::Destination),
        Meaning::Unauthorized | Meaning::Unreachable | Meaning::Refused => stop(words),
    }
}

/// No answer to something that can be asked again.
pub(crate) fn unanswered(no_answer: &NoAnswer) -> Failure {
    let blame = match no_answer {
        NoAnswer::NotAllowed | NoAnswer::NotConnected { .. } => Blame::Destination,
        NoAnswer::Lost { .. } => Blame::Unclear,
    };
    Failure::new(FailureKind::Later { after: None, blame }, format!("Wahelp: {no_answer}"))
}

fn stop(words: String) -> Failure {
    Failure::new(FailureKind::Stop(PauseReason::Refused), words)
}
