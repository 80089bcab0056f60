//! HTTP as those in the demo speak it who are not Tandem: JSON to addresses of this process.

use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

/// Longer than any call of the demo takes, a long poll included.
const LIMIT: Duration = Duration::from_mins(1);

/// Cheap to clone: clones share their connections.
#[derive(Debug, Clone)]
pub(super) struct Http(Client<HttpConnector, Full<Bytes>>);

impl Http {
    pub(super) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }

    /// What is at an address.
    pub(super) async fn get(&self, address: &str) -> anyhow::Result<Value> {
        self.send(Request::get(address).body(Full::default())?).await
    }

    /// What is at an address for those who have this token.
    pub(super) async fn get_as(&self, token: &str, address: &str) -> anyhow::Result<Value> {
        let bearer = format!("Bearer {token}");
        self.send(Request::get(address).header(header::AUTHORIZATION, bearer).body(Full::default())?).await
    }

    /// A text at an address.
    pub(super) async fn text(&self, address: &str) -> anyhow::Result<String> {
        let body = self.answered(Request::get(address).body(Full::default())?).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// What is answered to a body.
    pub(super) async fn post(&self, address: &str, body: &Value) -> anyhow::Result<Value> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(address)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body.to_string()))?;
        self.send(request).await
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Value> {
        let body = self.answered(request).await?;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).context("the answer is not JSON")
    }

    /// Addresses of the Bot API hold tokens, so that no error names one.
    async fn answered(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Bytes> {
        let answered = async {
            let answer = self.0.request(request).await?;
            let status = answer.status();
            let body = answer.into_body().collect().await?.to_bytes();
            anyhow::Ok((status, body))
        };
        let (status, body) = tokio::time::timeout(LIMIT, answered).await.context("no answer")??;
        if !status.is_success() {
            bail!("{status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }
}
