//! Asking the API: token, project, trailing slashes, and what an answer means for whoever asked.
//!
//! Nothing is redirected. Where an address is answered with "it is elsewhere", the same request goes once more with the
//! slash at its end added or taken away (4.4). A refused token is replaced once (3).

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use secrecy::ExposeSecret;
use serde_json::Value;
use tandem_model::{Blame, PauseReason};
use tandem_outbound::{Client, NoAnswer, Outgoing};
use tandem_vendor::{Failure, FailureKind};

use crate::{
    connection::Base,
    document::WordsDocument,
    envelope::{self, Meaning, Trouble},
    login::{Tokens, unanswered},
};

/// Longest answer that is read.
pub(crate) const ANSWER_BYTES: usize = 4 << 20;

/// The API of one account's project.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) client: Client,
    pub(crate) base: Base,
    pub(crate) project: String,
    pub(crate) words: WordsDocument,
    pub(crate) tokens: Tokens,
    /// Why it lets nobody in until somebody acts.
    refusal: Mutex<Option<String>>,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Behind the base, from `/app` on.
    pub(crate) path: String,
    pub(crate) body: Bytes,
    pub(crate) content_type: Option<HeaderValue>,
}

/// Why there is nothing.
#[derive(Debug)]
pub(crate) enum NotHad {
    /// There is no token, so that nothing was asked.
    Token(Failure),
    NoAnswer(NoAnswer),
    Answered(Trouble),
}

impl Request {
    pub(crate) fn get(path: String) -> Self {
        Self { method: Method::GET, path, body: Bytes::new(), content_type: None }
    }

    pub(crate) fn post(path: String, body: &Value) -> Self {
        let content_type = Some(HeaderValue::from_static("application/json"));
        Self { method: Method::POST, path, body: body.to_string().into(), content_type }
    }
}

impl Api {
    pub(crate) fn new(
        client: Client,
        base: Base,
        project: String,
        words: WordsDocument,
        tokens: Tokens,
    ) -> Self {
        Self { client, base, project, words, tokens, refusal: Mutex::default() }
    }

    /// Why nothing can be asked until somebody acts.
    pub(crate) fn refusal(&self) -> Option<String> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A path in the project.
    pub(crate) fn in_project(&self, path: &str) -> String {
        format!("/app/projects/{}{path}", self.project)
    }

    /// Asks for something that can be asked for again.
    pub(crate) async fn ask(&self, request: Request) -> Result<Value, Failure> {
        self.send(request).await.map_err(|not_had| not_had.failure(Repeat::Harmless))
    }

    /// Sends it.
    pub(crate) async fn send(&self, request: Request) -> Result<Value, NotHad> {
        let answer = self.send_in(request).await;
        let refusal = match &answer {
            Err(NotHad::Token(Failure { kind: FailureKind::Stop(_), words })) => Some(Some(words.clone())),
            Err(NotHad::Answered(Trouble { means: Meaning::Unauthorized, words, .. })) => {
                Some(Some(format!("Wahelp refuses the token: {words}")))
            }
            Ok(_) | Err(NotHad::Answered(_)) => Some(None),
            // Nobody has said anything.
            Err(NotHad::Token(_) | NotHad::NoAnswer(_)) => None,
        };
        if let Some(refusal) = refusal {
            *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
        }
        answer
    }

    async fn send_in(&self, request: Request) -> Result<Value, NotHad> {
        let token = self.tokens.current().await.map_err(NotHad::Token)?;
        let first = self.send_with(&request, &token.secret).await;
        let Err(NotHad::Answered(Trouble { means: Meaning::Unauthorized, .. })) = &first else {
            return first;
        };
        if !self.tokens.refuse(&token).await {
            return first;
        }
        let token = self.tokens.current().await.map_err(NotHad::Token)?;
        self.send_with(&request, &token.secret).await
    }

    async fn send_with(&self, request: &Request, token: &secrecy::SecretString) -> Result<Value, NotHad> {
        match self.send_once(request, &request.path, token).await {
            Err(NotHad::Answered(Trouble { means: Meaning::Elsewhere, .. })) => {
                self.send_once(request, &other_slash(&request.path), token).await
            }
            answer => answer,
        }
    }

    async fn send_once(
        &self,
        request: &Request,
        path: &str,
        token: &secrecy::SecretString,
    ) -> Result<Value, NotHad> {
        let mut headers = HeaderMap::new();
        if let Ok(mut bearer) = HeaderValue::try_from(format!("Bearer {}", token.expose_secret())) {
            bearer.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, bearer);
        }
        if let Ok(project) = HeaderValue::try_from(&self.project) {
            headers.insert("x-project", project);
        }
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.extend(request.content_type.clone().map(|kind| (header::CONTENT_TYPE, kind)));
        let (method, body) = (request.method.clone(), request.body.clone());
        let outgoing = Outgoing { method, url: self.base.at(path), headers, body };
        let answered = self.client.send(outgoing, ANSWER_BYTES).await.map_err(NotHad::NoAnswer)?;
        envelope::read(&answered, &self.words).map_err(NotHad::Answered)
    }
}

/// Whether the same can be asked again if nobody knows what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    Harmless,
    Seen,
}

impl NotHad {
    /// What follows.
    pub(crate) fn failure(self, repeat: Repeat) -> Failure {
        let (kind, words) = match self {
            Self::Token(failure) => return failure,
            Self::NoAnswer(no_answer @ NoAnswer::Lost { .. }) if repeat == Repeat::Seen => {
                (FailureKind::Lost { blame: Blame::Unclear }, no_answer.to_string())
            }
            Self::NoAnswer(no_answer) => return unanswered(&no_answer),
            Self::Answered(Trouble { means, words, .. }) => {
                let later = |after, blame| FailureKind::Later { after, blame };
                let kind = match means {
                    Meaning::Unauthorized => FailureKind::Stop(PauseReason::Refused),
                    Meaning::Throttled(after) => later(Some(after), Blame::Event),
                    Meaning::Resting(after) => later(Some(after), Blame::Unclear),
                    Meaning::Elsewhere => later(None, Blame::Destination),
                    Meaning::NotThere => FailureKind::Gone,
                    Meaning::Unreachable | Meaning::Refused => FailureKind::Refused,
                    // What stands before Wahelp may fail after it was sent.
                    Meaning::Failed if repeat == Repeat::Seen => FailureKind::Lost { blame: Blame::Unclear },
                    Meaning::Failed => later(None, Blame::Unclear),
                };
                (kind, words)
            }
        };
        Failure::new(kind, format!("Wahelp: {words}"))
    }
}

/// The path with the slash at its end that it has not, or without the one that it has.
fn other_slash(path: &str) -> String {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let path = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
    query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slash_at_the_end_is_added_or_taken_away() {
        for (path, other) in
            [("/a/b", "/a/b/"), ("/a/b/", "/a/b"), ("/a?x=1", "/a/?x=1"), ("/a/?x=/", "/a?x=/")]
        {
            assert_eq!(other_slash(path), other);
        }
    }
}
