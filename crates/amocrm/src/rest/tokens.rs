//! By what the account's API is asked: a long-lived token, or a pair that OAuth gave and that is renewed (6.3).
//!
//! A refresh token serves once. So there is one renewal at a time; the new pair is kept before anything is asked with
//! it; a renewal whose answer was lost is tried once more with the old pair, which still serves if nothing had come of
//! it; and one that has begun goes on when whoever asked for it gives up.

use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, Method, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tandem_model::{Blame, Clock, PauseReason, Timestamp};
use tandem_vendor::{Failure, FailureKind, Keep};
use tokio::sync::Mutex;

use crate::{
    connection::{Access, Base, Integration},
    document::secret,
    http::{Http, NoAnswer, Outgoing, unanswered},
    request::Repeat,
    response::{Api, Meaning, Trouble},
    wire::rest::{TokenPair, TokenRequest},
};

/// A token is renewed so long before it ends.
const MARGIN: std::time::Duration = std::time::Duration::from_mins(1);

/// What the API is asked with.
#[derive(Debug)]
pub(crate) enum Tokens {
    LongLived(SecretString),
    Granted(Arc<Granted>),
}

/// A token to ask with.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) secret: SecretString,
    generation: u64,
}

/// Tokens of an integration that somebody grants access to.
#[derive(Debug)]
pub(crate) struct Granted {
    http: Http,
    server: Base,
    integration: Integration,
    keep: Arc<dyn Keep>,
    clock: Arc<dyn Clock>,
    pair: Arc<Mutex<Pair>>,
    /// Why it serves no longer; for people.
    dead: StdMutex<Option<String>>,
}

#[derive(Debug, Default)]
struct Pair {
    tokens: Option<(SecretString, SecretString)>,
    expires: Option<Timestamp>,
    /// Whether the pair would survive us.
    kept: bool,
    generation: u64,
}

/// By what a pair is asked for.
#[derive(Debug, Clone, Copy)]
enum By<'a> {
    Code(&'a str),
    Refresh(&'a str),
}

enum NoPair {
    /// Something may have come of it.
    Lost(Failure),
    /// Nothing did, and it can be asked again.
    Later(Failure),
    /// It does not serve.
    Dead(String),
}

impl Tokens {
    pub(crate) fn new(
        access: Access,
        http: &Http,
        server: &Base,
        integration: Option<&Integration>,
        keep: Arc<dyn Keep>,
        clock: Arc<dyn Clock>,
    ) -> Option<Self> {
        match (access, integration) {
            (Access::LongLived(token), _) => Some(Self::LongLived(token)),
            (Access::Granted(tokens), Some(integration)) => Some(Self::Granted(Arc::new(Granted {
                http: http.clone(),
                server: server.clone(),
                integration: integration.clone(),
                keep,
                clock,
                pair: Arc::new(Mutex::new(Pair::stored(tokens))),
                dead: StdMutex::default(),
            }))),
            (Access::Nothing | Access::Granted(_), _) => None,
        }
    }

    /// A token that serves, as far as can be known.
    pub(crate) async fn current(&self) -> Result<Token, Failure> {
        match self {
            Self::LongLived(token) => Ok(Token { secret: token.clone(), generation: 0 }),
            Self::Granted(granted) => granted.current().await,
        }
    }

    /// The token was refused: another one, where there can be one.
    pub(crate) async fn renew(&self, refused: &Token) -> Option<Result<(), Failure>> {
        match self {
            Self::LongLived(_) => None,
            Self::Granted(granted) => Some(granted.renew(Some(refused.generation)).await.map(drop)),
        }
    }

    /// Why nothing can be asked until somebody acts.
    pub(crate) fn dead(&self) -> Option<String> {
        match self {
            Self::LongLived(_) => None,
            Self::Granted(granted) => granted.dead.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl Granted {
    async fn current(self: &Arc<Self>) -> Result<Token, Failure> {
        let pair = self.pair.lock().await;
        if let Some(dead) = self.dead.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(stop(dead));
        }
        let Some((access, _)) = &pair.tokens else {
            return Err(stop("nobody has granted access to the account yet".to_owned()));
        };
        let ends = pair.expires.is_some_and(|at| at <= self.clock.now().plus(MARGIN));
        if pair.kept && !ends {
            return Ok(Token { secret: access.clone(), generation: pair.generation });
        }
        let seen = pair.generation;
        drop(pair);
        self.renew(Some(seen)).await
    }

    /// A token that is another than this one. On a task of its own: whoever asked may give up, a pair that was given must
    /// not be lost.
    async fn renew(self: &Arc<Self>, seen: Option<u64>) -> Result<Token, Failure> {
        let renewing = Arc::clone(self);
        let renewing = tokio::spawn(async move {
            let mut pair = renewing.pair.lock().await;
            renewing.renew_locked(&mut pair, seen).await
        });
        renewing
            .await
            .unwrap_or_else(|_stopped| Err(later("the renewal of the token was cut off".to_owned())))
    }

    async fn renew_locked(&self, pair: &mut Pair, seen: Option<u64>) -> Result<Token, Failure> {
        if !pair.kept && pair.tokens.is_some() {
            self.keep(pair).await?;
            return pair.token();
        }
        if seen.is_some_and(|seen| seen != pair.generation) {
            // Somebody else was faster.
            return pair.token();
        }
        if let Some(dead) = self.dead.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(stop(dead));
        }
        let Some((_, refresh)) = pair.tokens.clone() else { return pair.token() };
        let by = By::Refresh(refresh.expose_secret());
        let given = match self.ask(&self.server, by).await {
            // Nothing may have come of it: then the old pair still serves.
            Err(NoPair::Lost(_)) => self.ask(&self.server, by).await,
            given => given,
        };
        match given {
            Ok(given) => {
                self.take(pair, given).await?;
                pair.token()
            }
            Err(NoPair::Lost(failure) | NoPair::Later(failure)) => Err(failure),
            Err(NoPair::Dead(words)) => {
                *self.dead.lock().unwrap_or_else(PoisonError::into_inner) = Some(words.clone());
                Err(stop(words))
            }
        }
    }

    /// A person has granted access.
    pub(crate) async fn exchange(self: &Arc<Self>, code: String, server: Base) -> Result<(), Failure> {
        let exchanging = Arc::clone(self);
        let exchanging = tokio::spawn(async move {
            let mut pair = exchanging.pair.lock().await;
            match exchanging.ask(&server, By::Code(&code)).await {
                Ok(given) => exchanging.take(&mut pair, given).await,
                Err(NoPair::Lost(failure) | NoPair::Later(failure)) => Err(failure),
                Err(NoPair::Dead(words)) => Err(Failure::new(FailureKind::Refused, words)),
            }
        });
        exchanging
            .await
            .unwrap_or_else(|_stopped| Err(later("the exchange of the code was cut off".to_owned())))
    }

    async fn take(&self, pair: &mut Pair, given: TokenPair) -> Result<(), Failure> {
        let TokenPair { access_token, refresh_token, expires_in } = given;
        let lives = expires_in.map(std::time::Duration::from_secs);
        *pair = Pair {
            expires: lives
                .map(|lives| self.clock.now().plus(lives))
                .or_else(|| claims(&access_token).expires()),
            tokens: Some((access_token, refresh_token)),
            kept: false,
            generation: pair.generation + 1,
        };
        self.dead.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.keep(pair).await
    }

    async fn keep(&self, pair: &mut Pair) -> Result<(), Failure> {
        let Some((access, refresh)) = pair.tokens.clone() else { return Ok(()) };
        let secrets = vec![(secret::ACCESS_TOKEN, access), (secret::REFRESH_TOKEN, refresh)];
        self.keep.keep(secrets).await.map_err(|error| later(error.to_string()))?;
        pair.kept = true;
        Ok(())
    }

    async fn ask(&self, server: &Base, by: By<'_>) -> Result<TokenPair, NoPair> {
        let Integration { client_id, client_secret, redirect_url } = &self.integration;
        let (grant_type, code, refresh_token) = match by {
            By::Code(code) => ("authorization_code", Some(code), None),
            By::Refresh(token) => ("refresh_token", None, Some(token)),
        };
        let request = TokenRequest {
            client_id,
            client_secret: client_secret.expose_secret(),
            grant_type,
            code,
            refresh_token,
            redirect_uri: redirect_url,
        };
        let body = serde_json::to_vec(&request).expect("texts can always be written");
        let outgoing = Outgoing {
            method: Method::POST,
            url: server.at(&server.path("/oauth2/access_token"), None),
            headers: HeaderMap::from_iter([(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            )]),
            body: body.into(),
        };
        let answer = self.http.send(outgoing).await.map_err(|no_answer| {
            let failure = unanswered(&no_answer, Repeat::Harmless, "the account's server of tokens");
            match no_answer {
                NoAnswer::Lost { .. } => NoPair::Lost(failure),
                NoAnswer::NotAllowed | NoAnswer::NotConnected { .. } => NoPair::Later(failure),
            }
        })?;
        if let Some(trouble) = answer.trouble(Api::Oauth) {
            return Err(NoPair::of(&trouble));
        }
        // Whatever this was, the pair in it may have been given.
        serde_json::from_slice(&answer.body)
            .map_err(|_unreadable| NoPair::Lost(later("the account's server of tokens gave none".to_owned())))
    }
}

impl NoPair {
    fn of(trouble: &Trouble) -> Self {
        match trouble.means {
            Meaning::Failed => Self::Lost(trouble.failure(Repeat::Harmless)),
            Meaning::TooFast | Meaning::Banned | Meaning::Elsewhere | Meaning::Unconnected => {
                Self::Later(trouble.failure(Repeat::Harmless))
            }
            Meaning::Refused
            | Meaning::NotThere
            | Meaning::Forbidden
            | Meaning::Unauthorized
            | Meaning::Clock => Self::Dead(trouble.words.clone()),
        }
    }
}

impl Pair {
    fn stored(tokens: Option<(SecretString, SecretString)>) -> Self {
        let expires = tokens.as_ref().and_then(|(access, _)| claims(access).expires());
        Self { kept: tokens.is_some(), tokens, expires, generation: 0 }
    }

    fn token(&self) -> Result<Token, Failure> {
        let (access, _) = self
            .tokens
            .as_ref()
            .ok_or_else(|| stop("nobody has granted access to the account yet".to_owned()))?;
        Ok(Token { secret: access.clone(), generation: self.generation })
    }
}

fn stop(words: String) -> Failure {
    Failure::new(FailureKind::Stop(PauseReason::Refused), words)
}

fn later(words: String) -> Failure {
    Failure::new(FailureKind::Later { after: None, blame: Blame::Destination }, words)
}

/// What a token says of itself. It is opaque but for this, and nothing depends on it: what is wrong is found out by a
/// refusal.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Claims {
    #[serde(default)]
    exp: Option<i64>,
    /// The integration.
    #[serde(default)]
    pub(crate) aud: Option<String>,
    /// The account's number.
    #[serde(default)]
    pub(crate) account_id: Option<u64>,
}

impl Claims {
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.exp.map(Timestamp::from_secs)
    }
}

pub(crate) fn claims(token: &SecretString) -> Claims {
    let middle = token.expose_secret().split('.').nth(1).unwrap_or("");
    let json = URL_SAFE_NO_PAD.decode(middle.trim_end_matches('=')).unwrap_or_default();
    serde_json::from_slice(&json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_token_says_of_itself_is_read_and_anything_else_is_nothing() {
        let body =
            URL_SAFE_NO_PAD.encode(r#"{"aud":"c","exp":1767607200,"account_id":31000001,"scopes":["crm"]}"#);
        let said = claims(&format!("e30.{body}.sig").into());
        assert_eq!(said.expires(), Some(Timestamp::from_secs(1_767_607_200)));
        assert_eq!((said.aud.as_deref(), said.account_id), (Some("c"), Some(31_000_001)));
        for other in ["", "opaque", "a.b.c", "..", "e30.eyJleHAiOiJ4In0.x"] {
            assert_eq!(claims(&other.into()).expires(), None, "{other}");
        }
    }
}
