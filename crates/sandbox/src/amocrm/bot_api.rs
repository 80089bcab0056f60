//! The Bot API as amoCRM uses it: a client of whatever server the connection was given.
//!
//! Errors never show the address, because it holds the token.

use std::time::Duration;

use bytes::Bytes;
use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use serde_json::Value;

/// A call that is not answered by then has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Calls one bot's methods.
#[derive(Clone)]
pub(crate) struct BotApi {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BotApiError {
    /// Telegram's own no.
    #[error("{code} {description}")]
    Refused { code: u16, description: String, retry_after: Option<u32> },
    /// Somebody who is not a Bot API server answered.
    #[error("HTTP {status} without a Bot API answer")]
    NotBotApi { status: u16 },
    /// No answer.
    #[error("the Bot API server cannot be reached")]
    Unreachable(#[source] reqwest::Error),
}

/// A file to send.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) bytes: Bytes,
    pub(crate) file_name: String,
}

#[derive(Deserialize)]
struct Envelope {
    ok: bool,
    result: Option<Value>,
    error_code: Option<u16>,
    description: Option<String>,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<u32>,
}

impl BotApi {
    pub(crate) fn new(http: reqwest::Client, base: &str, token: &str) -> Self {
        Self { http, base: base.trim_end_matches('/').to_owned(), token: token.to_owned() }
    }

    pub(crate) async fn call(&self, method: &str, parameters: &Value) -> Result<Value, BotApiError> {
        self.finish(self.request(method).json(parameters)).await
    }

    /// A call with one file in the part `field`.
    pub(crate) async fn upload(
        &self,
        method: &str,
        parameters: &Value,
        field: &'static str,
        file: Upload,
    ) -> Result<Value, BotApiError> {
        let part = Part::bytes(file.bytes.to_vec()).file_name(file.file_name);
        let mut form = Form::new().part(field, part);
        for (name, value) in parameters.as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            form = form.text(name.clone(), text);
        }
        self.finish(self.request(method).multipart(form)).await
    }

    /// Fetches a file: `getFile`, then the download.
    pub(crate) async fn file(&self, file_id: &str) -> Result<Bytes, BotApiError> {
        let file = self.call("getFile", &serde_json::json!({"file_id": file_id})).await?;
        let path = file.get("file_path").and_then(Value::as_str).unwrap_or_default();
        let address = format!("{}/file/bot{}/{path}", self.base, self.token);
        let answer = self.http.get(address).timeout(PATIENCE).send().await.map_err(unreachable)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(BotApiError::NotBotApi { status: status.as_u16() });
        }
        answer.bytes().await.map_err(unreachable)
    }

    fn request(&self, method: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("{}/bot{}/{method}", self.base, self.token)).timeout(PATIENCE)
    }

    async fn finish(&self, request: reqwest::RequestBuilder) -> Result<Value, BotApiError> {
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(unreachable)?;
        match serde_json::from_slice(&body) {
            Ok(Envelope { ok: true, result: Some(result), .. }) => Ok(result),
            Ok(Envelope { ok: false, error_code, description: Some(description), parameters, .. }) => {
                Err(BotApiError::Refused {
                    code: error_code.unwrap_or(status),
                    description,
                    retry_after: parameters.and_then(|parameters| parameters.retry_after),
                })
            }
            Ok(_) | Err(_) => Err(BotApiError::NotBotApi { status }),
        }
    }
}

fn unreachable(error: reqwest::Error) -> BotApiError {
    BotApiError::Unreachable(error.without_url())
}

/// An error with its causes, as one sentence for a person.
pub(crate) fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}

/// The one HTTP client of the emulator: no redirects, no proxy, so that what a test sees is what happened.
pub(crate) fn http_client() -> reqwest::Client {
    // Someone may have installed a provider already; that one is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client without files or environment to read has nothing to fail on")
}
