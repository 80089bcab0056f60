//! The OAuth addresses: the page where a person agrees, the token endpoint, the account's subdomain.

use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::tokens::{ACCESS_LIFE, Hint, Pair};
use crate::amocrm::calls::{Call, Part};
use crate::amocrm::door::Kill;
use crate::amocrm::group_fault::{GroupFault, Occasion};
use crate::amocrm::rest::problem::{Problem, ban_page};
use crate::amocrm::{AmoCrm, State};

/// What the page is asked with.
#[derive(Debug, Deserialize)]
pub(crate) struct Ask {
    client_id: String,
    state: Option<String>,
    /// Which of the page's two links was followed.
    answer: Option<Answer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Allow,
    Deny,
}

/// `GET /oauth?client_id=…&state=…`: an administrator is asked.
pub(crate) async fn authorise_page(Shared(amocrm): Shared<AmoCrm>, Query(ask): Query<Ask>) -> Response {
    let state = amocrm.lock();
    let Some(integration) = state.account.integrations.get(&ask.client_id) else {
        return (StatusCode::NOT_FOUND, Html("<h1>There is no such integration</h1>")).into_response();
    };
    let link = |answer: &str| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("client_id", &ask.client_id).append_pair("answer", answer);
        if let Some(state) = &ask.state {
            query.append_pair("state", state);
        }
        format!("/oauth/decide?{}", query.finish()).replace('&', "&amp;")
    };
    let name = integration.name.replace('&', "&amp;").replace('<', "&lt;");
    Html(format!(
        "<!doctype html><title>amoCRM</title><h1>{name}</h1><p>The integration asks for access to the account \
         {}.</p><p><a id=\"allow\" href=\"{}\">Allow</a> <a id=\"deny\" href=\"{}\">Deny</a></p>",
        state.account.subdomain,
        link("allow"),
        link("deny"),
    ))
    .into_response()
}

/// `GET /oauth/decide`: back to the integration, with a code or without.
pub(crate) async fn decide(
    Shared(amocrm): Shared<AmoCrm>,
    headers: HeaderMap,
    Query(ask): Query<Ask>,
) -> Response {
    let now_ms = amocrm.clock().now_ms();
    let host = host_of(&headers);
    let to = amocrm.lock().granted(&ask.client_id, ask.state.as_deref(), ask.answer, &host, now_ms);
    match to {
        Some(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

pub(crate) fn host_of(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.unwrap_or("localhost").to_owned()
}

impl State {
    /// The address a person is sent to after the page.
    fn granted(
        &mut self,
        client_id: &str,
        state: Option<&str>,
        answer: Option<Answer>,
        host: &str,
        now_ms: i64,
    ) -> Option<String> {
        if answer == Some(Answer::Allow) {
            return self.grant(client_id, state, host, Extra::None, now_ms);
        }
        let mut to = url::Url::parse(&self.account.integrations.get(client_id)?.redirect_uri).ok()?;
        to.query_pairs_mut().append_pair("error", "access_denied");
        if let Some(state) = state {
            to.query_pairs_mut().append_pair("state", state);
        }
        Some(to.into())
    }

    /// The redirect with a code; the account's host is where the page was.
    pub(crate) fn grant(
        &mut self,
        client_id: &str,
        state: Option<&str>,
        host: &str,
        extra: Extra,
        now_ms: i64,
    ) -> Option<String> {
        let integration = self.account.integrations.get(client_id).filter(|it| it.enabled)?;
        let mut to = url::Url::parse(&integration.redirect_uri).ok()?;
        let code = self.tokens.add_code(&self.account, client_id, self.account.manager_id, now_ms);
        let mut query = to.query_pairs_mut();
        query.append_pair("code", &code).append_pair("referer", host);
        if let Some(state) = state {
            query.append_pair("state", state);
        }
        if extra == Extra::FromWidget {
            query.append_pair("from_widget", "1");
        }
        query.append_pair("platform", "1").append_pair("client_id", client_id);
        drop(query);
        Some(to.into())
    }

    fn token(&mut self, asked: &Value, now_ms: i64) -> Result<Pair, Hint> {
        let text = |name: &str| asked[name].as_str().unwrap_or_default();
        let Self { account, tokens, .. } = self;
        let integration = account.integrations.get(text("client_id")).ok_or(Hint::ClientId)?;
        if text("client_secret") != integration.client_secret {
            return Err(Hint::ClientSecret);
        }
        if text("redirect_uri") != integration.redirect_uri {
            return Err(Hint::RedirectUri);
        }
        if !integration.enabled {
            return Err(Hint::Revoked);
        }
        match text("grant_type") {
            "authorization_code" => tokens.exchange_code(account, integration, text("code"), now_ms),
            "refresh_token" => tokens.exchange_refresh(account, integration, text("refresh_token"), now_ms),
            _ => Err(Hint::GrantType),
        }
    }
}

/// What a redirect has when it does not come from the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extra {
    None,
    /// A widget was installed.
    FromWidget,
}

/// Everything below `/oauth2/`.
pub(crate) async fn serve(
    Shared(amocrm): Shared<AmoCrm>,
    Extension(kill): Extension<Kill>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let now_ms = amocrm.clock().now_ms();
    let endpoint = uri.path().trim_start_matches("/oauth2/").to_owned();
    let (answer, fault) = {
        let mut state = amocrm.lock();
        let occasion = Occasion { on: Part::Oauth, endpoint: &endpoint, channel: None, now_ms };
        let fault = state.next_fault(occasion);
        let mut call = Call::new(Part::Oauth, &endpoint, now_ms, &method, &uri, &headers, body.clone());
        let answer = if fault.as_ref().is_none_or(GroupFault::is_taken) {
            let done = match (&method, endpoint.as_str()) {
                (&Method::POST, "access_token") => access_token(&mut state, &headers, &body, now_ms),
                (&Method::GET, "account/current/subdomain") => subdomain(&state, &headers, now_ms),
                _ => Err(Problem::not_found("Not found")),
            };
            done.map_or_else(
                |problem| {
                    call.refused = Some(problem.detail());
                    problem.into_response()
                },
                |body| {
                    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body.to_string())
                        .into_response()
                },
            )
        } else {
            StatusCode::OK.into_response()
        };
        call.status = match &fault {
            None | Some(GroupFault::Slow { .. }) => Some(answer.status().as_u16()),
            Some(fault) => fault.status().map(|status| status.as_u16()),
        };
        call.fault.clone_from(&fault);
        state.calls.add(call);
        (answer, fault)
    };
    misbehave(&amocrm, kill, fault, answer).await
}

/// The answer, unless a fault decides otherwise. REST's and OAuth's are the same.
pub(crate) async fn misbehave(
    amocrm: &AmoCrm,
    kill: Kill,
    fault: Option<GroupFault>,
    answer: Response,
) -> Response {
    match fault {
        None => answer,
        Some(GroupFault::Slow { ms }) => {
            amocrm.clock().sleep(Duration::from_millis(ms)).await;
            answer
        }
        Some(GroupFault::Silence { .. }) => std::future::pending().await,
        Some(GroupFault::Reset { .. }) => match kill.now().await {},
        Some(GroupFault::Status { code, body, retry_after, .. }) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let answer = match body {
                Some(body) => (status, body).into_response(),
                None => Problem::planned(status, retry_after).into_response(),
            };
            crate::amocrm::with_retry_after(answer, retry_after)
        }
        Some(
            GroupFault::Ban
            | GroupFault::StaleDate
            | GroupFault::DuplicateMsgid
            | GroupFault::Lost
            | GroupFault::Late { .. },
        ) => ban_page(),
    }
}

fn access_token(state: &mut State, headers: &HeaderMap, body: &[u8], now_ms: i64) -> Result<Value, Problem> {
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let asked: Value = if is_form {
        form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), json!(value))).collect()
    } else {
        serde_json::from_slice(body).unwrap_or_default()
    };
    let pair = state.token(&asked, now_ms).map_err(Problem::oauth)?;
    Ok(json!({
        "token_type": "Bearer",
        "expires_in": ACCESS_LIFE.as_secs(),
        "server_time": now_ms / 1000,
        "access_token": pair.access,
        "refresh_token": pair.refresh,
    }))
}

fn subdomain(state: &State, headers: &HeaderMap, now_ms: i64) -> Result<Value, Problem> {
    let token = headers.get("x-refresh-token").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !state.tokens.knows_refresh(token, now_ms) {
        return Err(Problem::unauthorized());
    }
    let account = &state.account;
    Ok(json!({
        "id": account.id,
        "subdomain": account.subdomain,
        "domain": format!("{}.amocrm.ru", account.subdomain),
        "top_level_domain": "ru",
    }))
}
