//! What a delivery looks like.

use std::{fmt, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::WebhookAddress;
use crate::envelope::Failure;

/// The header that proves a delivery.
pub const SECRET_HEADER: HeaderName = HeaderName::from_static("x-telegram-bot-api-secret-token");

/// How long the whole answer may take, after which the update is sent again.
pub const ANSWER_LIMIT: Duration = Duration::from_mins(1);

/// The secret of a webhook.
#[derive(Clone)]
pub struct SecretToken(SecretString);

/// Why a text cannot be a webhook's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretTokenError {
    /// Over 256 characters.
    #[error("the secret token is longer than 256 characters")]
    TooLong,
    /// Other than `A-Za-z0-9_-`, or nothing at all.
    #[error("the secret token contains unallowed characters")]
    Unallowed,
}

impl SecretTokenError {
    /// The answer to `setWebhook`.
    pub const fn failure(self) -> Failure {
        match self {
            Self::TooLong => Failure::SECRET_TOO_LONG,
            Self::Unallowed => Failure::SECRET_UNALLOWED,
        }
    }
}

impl SecretToken {
    /// Checks the rules of `setWebhook`.
    pub fn parse(text: &str) -> Result<Self, SecretTokenError> {
        if text.len() > 256 {
            return Err(SecretTokenError::TooLong);
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if text.is_empty() || !text.bytes().all(allowed) {
            return Err(SecretTokenError::Unallowed);
        }
        Ok(Self(text.into()))
    }

    /// Whether a delivery that was received carries it. Takes the same time wherever the two differ.
    pub fn proves(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(SECRET_HEADER).map_or(&[][..], HeaderValue::as_bytes);
        self.0.expose_secret().as_bytes().ct_eq(given).into()
    }

    /// The secret itself, for sealing and for `setWebhook`.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretToken(..)")
    }
}

/// The headers of a delivery, but for `Host` and `Content-Length`, which follow from address and body.
#[expect(clippy::missing_panics_doc, reason = "the characters of a secret were checked")]
pub fn headers(address: &WebhookAddress, secret: Option<&SecretToken>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(5);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive"));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate"));
    if let Some(secret) = secret {
        let mut value = HeaderValue::from_str(secret.expose()).expect("its characters were checked");
        value.set_sensitive(true);
        headers.insert(SECRET_HEADER, value);
    }
    if let Some(authorization) = address.authorization() {
        headers.insert(header::AUTHORIZATION, authorization.clone());
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::WebhookPolicy;

    #[test]
    fn a_delivery_has_telegrams_headers() {
        let address = WebhookAddress::parse("https://u:p@a.example/", WebhookPolicy::PublicHttps).unwrap();
        let secret = SecretToken::parse("s_1-x").unwrap();
        let headers = headers(&address, Some(&secret));
        let shown: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        assert_eq!(
            shown,
            [
                "content-type: application/json",
                "connection: keep-alive",
                "accept-encoding: gzip, deflate",
                "x-telegram-bot-api-secret-token: s_1-x",
                "authorization: Basic dTpw",
            ]
        );
        assert!(!format!("{headers:?} {secret:?}").contains("s_1-x"));
        assert!(secret.proves(&headers));
        assert!(!SecretToken::parse("s_1-y").unwrap().proves(&headers));
        assert!(!secret.proves(&HeaderMap::new()));
    }

    #[test]
    fn secrets_are_checked_as_telegram_does() {
        assert!(SecretToken::parse(&"a".repeat(256)).is_ok());
        let error = |text: &str| SecretToken::parse(text).unwrap_err().failure().description;
        assert_eq!(error(&"a".repeat(257)), "Bad Request: secret token is too long");
        assert_eq!(error("a b"), "Bad Request: secret token contains unallowed characters");
        assert_eq!(error("é"), "Bad Request: secret token contains unallowed characters");
    }
}
