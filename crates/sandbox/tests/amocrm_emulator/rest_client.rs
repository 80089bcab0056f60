//! REST by hand, with a bearer token and without the limit of requests.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::stage::Stage;

pub(crate) struct Rest<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) token: String,
}

impl<'a> Rest<'a> {
    /// With the account's own token.
    pub(crate) async fn new(stage: &'a Stage) -> Self {
        let shown = stage.act("/amocrm/account", json!({"rate_limit": false})).await;
        Self { stage, token: shown["account"]["access_token"].as_str().unwrap().to_owned() }
    }

    /// With a token of a certain integration and user.
    pub(crate) async fn of(stage: &'a Stage, client_id: &str, user: u64) -> Self {
        let path = format!("/amocrm/integrations/{client_id}/token");
        let made = stage.act(&path, json!({"user": user})).await;
        Self { stage, token: made["access_token"].as_str().unwrap().to_owned() }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> reqwest::Response {
        let address = format!("{}/api/v4/{path}", self.stage.sandbox.amocrm_url());
        let mut request = self.stage.http.request(method, address).bearer_auth(&self.token);
        if !body.is_null() {
            request = request.json(body);
        }
        request.send().await.unwrap()
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let answer = self.send(method, path, &body).await;
        let status = answer.status();
        let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        let text = answer.text().await.unwrap();
        if text.is_empty() {
            assert!(
                matches!(status, StatusCode::NO_CONTENT | StatusCode::ACCEPTED),
                "{status} without a body"
            );
        } else {
            let expected =
                if status.is_success() { "application/hal+json" } else { "application/problem+json" };
            assert_eq!(kind.as_deref(), Some(expected));
        }
        (status.as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::PATCH, path, body).await
    }

    pub(crate) async fn delete(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::DELETE, path, body).await
    }
}
