//! Integrations: making them, switching them off and on, tokens without a browser.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::amocrm::AmoCrm;
use crate::amocrm::integrations::{Integration, IntegrationKind};
use crate::amocrm::oauth::Extra;
use crate::control::error::{Body, Named, Refusal};

/// What is not given is made up, or stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fixture {
    client_id: Option<String>,
    client_secret: Option<String>,
    name: Option<String>,
    kind: Option<IntegrationKind>,
    redirect_uri: Option<String>,
    disable_hook: Option<String>,
    lead_sources: Option<bool>,
}

impl Fixture {
    fn write(self, integration: &mut Integration) {
        for (field, given) in [
            (&mut integration.client_secret, self.client_secret),
            (&mut integration.name, self.name),
            (&mut integration.redirect_uri, self.redirect_uri),
        ] {
            if let Some(given) = given {
                *field = given;
            }
        }
        integration.kind = self.kind.unwrap_or(integration.kind);
        integration.lead_sources = self.lead_sources.unwrap_or(integration.lead_sources);
        if self.disable_hook.is_some() {
            integration.disable_hook = self.disable_hook;
        }
    }
}

/// `GET /amocrm/integrations`.
pub(crate) async fn list(State(amocrm): State<AmoCrm>) -> Json<Value> {
    let state = amocrm.lock();
    Json(json!({"integrations": state.account.integrations.values().collect::<Vec<_>>()}))
}

/// `POST /amocrm/integrations`.
pub(crate) async fn add(
    State(amocrm): State<AmoCrm>,
    Body(fixture): Body<Fixture>,
) -> Result<Json<Value>, Refusal> {
    let mut state = amocrm.lock();
    let account = &mut state.account;
    let number = account.integrations.values().map(|it| it.number).max().unwrap_or_default() + 1;
    let mut integration = Integration::new(account.random(), number);
    if let Some(client_id) = &fixture.client_id {
        integration.client_id.clone_from(client_id);
    }
    if account.integrations.contains_key(&integration.client_id) {
        return Err(Refusal::bad("there is such an integration", "another client_id"));
    }
    fixture.write(&mut integration);
    let shown = json!(integration);
    account.integrations.insert(integration.client_id.clone(), integration);
    Ok(Json(shown))
}

/// `POST /amocrm/integrations/{client}`.
pub(crate) async fn change(
    State(amocrm): State<AmoCrm>,
    Named(client): Named<String>,
    Body(fixture): Body<Fixture>,
) -> Result<Json<Value>, Refusal> {
    if fixture.client_id.as_ref().is_some_and(|id| *id != client) {
        return Err(Refusal::bad("client_id", "the id of an integration stays what it is"));
    }
    let mut state = amocrm.lock();
    let integration = state.account.integrations.get_mut(&client).ok_or_else(|| unknown(&client))?;
    fixture.write(integration);
    Ok(Json(json!(integration)))
}

/// `POST /amocrm/integrations/{client}/disable`: an administrator switches it off.
pub(crate) async fn disable(
    State(amocrm): State<AmoCrm>,
    Named(client): Named<String>,
) -> Result<Json<Value>, Refusal> {
    let notice = amocrm.disable(&client).await.ok_or_else(|| unknown(&client))?;
    Ok(Json(json!({"hook": notice})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Install {
    /// Whether amoCRM sends a code to the redirect URI, as for a widget.
    #[serde(default)]
    widget: bool,
}

/// `POST /amocrm/integrations/{client}/install`: installed, maybe again; its channels are not connected.
pub(crate) async fn install(
    State(amocrm): State<AmoCrm>,
    Named(client): Named<String>,
    Body(asked): Body<Install>,
) -> Result<Json<Value>, Refusal> {
    let notice = amocrm.install(&client, asked.widget).await.ok_or_else(|| unknown(&client))?;
    Ok(Json(json!({"redirect": notice})))
}

/// `POST /amocrm/integrations/{client}/revoke`: its tokens are taken away; it stays switched on.
pub(crate) async fn revoke(
    State(amocrm): State<AmoCrm>,
    Named(client): Named<String>,
) -> Result<StatusCode, Refusal> {
    let mut state = amocrm.lock();
    if !state.account.integrations.contains_key(&client) {
        return Err(unknown(&client));
    }
    state.tokens.revoke(&client);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Authorise {
    state: Option<String>,
}

/// `POST /amocrm/integrations/{client}/authorise`: what the page's "Allow" would do, without a browser.
pub(crate) async fn authorise(
    State(amocrm): State<AmoCrm>,
    Named(client): Named<String>,
    Body(asked): Body<Authorise>,
) -> Result<Json<Value>, Refusal> {
    let now_ms = amocrm.clock().now_ms();
    let host = amocrm.url().split("//").nth(1).unwrap_or_default().to_owned();
    let to = amocrm.lock().grant(&client, asked.state.as_deref(), &host, Extra::None, now_ms);
    let to = to.ok_or_else(|| unknown(&client))?;
    let code = url::Url::parse(&to).ok().and_then(|url| {
        url.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned())
    });
    Ok(Json(json!({"redirect": to, "code": code})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Token {
    /// A user of the account; the administrator unless given.
    user: Option<u64>,
    #[serde(default = "a_day")]
    days: u32,
}

fn a_day() -> u32 {
    1
}

/// `POST /amocrm/integrations/{client}/token`: a long-lived token, from a day to five years.
pub(crate) async fn token(
    State(amocrm): State<AmoCrm>,
    Named(client): Named<String>,
    Body(asked): Body<Token>,
) -> Result<Json<Value>, Refusal> {
    if !(1..=5 * 366).contains(&asked.days) {
        return Err(Refusal::bad(format!("days: {}", asked.days), "from 1 to 1830"));
    }
    let now_ms = amocrm.clock().now_ms();
    let mut state = amocrm.lock();
    let state = &mut *state;
    let account = &state.account;
    let integration = account.integrations.get(&client).ok_or_else(|| unknown(&client))?;
    let user = asked.user.unwrap_or(account.manager_id);
    if !account.users.iter().any(|it| it.id == user) {
        return Err(Refusal::bad(format!("the account has no user {user}"), "an id of GET /amocrm"));
    }
    let token = state.tokens.add_long_lived(account, integration, user, asked.days, now_ms);
    Ok(Json(json!({"access_token": token})))
}

fn unknown(client: &str) -> Refusal {
    Refusal::not_found(
        format!("there is no integration {client} that is switched on"),
        "a client_id of GET /amocrm/integrations",
    )
}
