//! Making the link: the channel, its connection to the account, a source for each channel.

use axum::http::Method;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Linkage, ORIGIN, TITLE};
use crate::wahelp::Wahelp;

/// The link could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("there is no such channel")]
    NoChannel,
    #[error("amoCRM cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("amoCRM refused: HTTP {status} {body}")]
    Refused { status: StatusCode, body: String },
}

impl Wahelp {
    /// Shows a channel's dialogues in amoCRM from now on. Again is harmless.
    pub(crate) async fn link(&self, channel: i64) -> Result<(), LinkError> {
        let (project, known, source) = {
            let state = self.lock();
            let channel = state.channels.get(&channel).ok_or(LinkError::NoChannel)?;
            if channel.linked {
                return Ok(());
            }
            let known = state.projects.get(&channel.project).and_then(|project| project.amocrm.clone());
            let source = json!({"name": channel.name, "external_id": channel.uuid, "origin_code": ORIGIN});
            (channel.project, known, source)
        };
        let linkage = match known {
            Some(known) => known,
            None => self.connect_account().await?,
        };
        let mut source = source;
        source["client_id"] = json!(linkage.client_id);
        match self.support("/amocrm/sources", Some(source)).await {
            // It is there already from a link before.
            Ok(_) | Err(LinkError::Refused { status: StatusCode::BAD_REQUEST, .. }) => {}
            Err(error) => return Err(error),
        }
        let mut state = self.lock();
        if let Some(project) = state.projects.get_mut(&project) {
            project.amocrm.get_or_insert(linkage);
        }
        if let Some(channel) = state.channels.get_mut(&channel) {
            channel.linked = true;
        }
        Ok(())
    }

    /// Shows nothing of it any longer; what was shown stays.
    pub(crate) fn unlink(&self, channel: i64) -> Result<(), LinkError> {
        let mut state = self.lock();
        let channel = state.channels.get_mut(&channel).ok_or(LinkError::NoChannel)?;
        channel.linked = false;
        Ok(())
    }

    /// A channel in the account, connected.
    async fn connect_account(&self) -> Result<Linkage, LinkError> {
        let account = self.support("/amocrm", None).await?;
        let account_id = text(&account["account"]["amojo_id"]);
        let integration = self.support("/amocrm/integrations", Some(json!({"name": TITLE}))).await?;
        let client_id = text(&integration["client_id"]);
        let hook_url = format!("{}/amocrm/:scope_id", self.url());
        let fixture = json!({"code": ORIGIN, "name": TITLE, "client_id": client_id, "hook_url": hook_url});
        let channel = self.support("/amocrm/channels", Some(fixture)).await?;
        let (id, secret) = (text(&channel["id"]), text(&channel["secret"]));
        let body = json!({"account_id": account_id, "title": TITLE, "hook_api_version": "v2"});
        let request = self.signed(&Method::POST, &format!("{id}/connect"), &secret, body.to_string());
        let connected = answered(request).await?;
        Ok(Linkage {
            channel: id,
            secret,
            scope: text(&connected["scope_id"]),
            client_id,
            technical: text(&channel["bot"]["id"]),
            refused: Vec::new(),
        })
    }

    /// Asks what only a person can ask for at the real one.
    async fn support(&self, path: &str, body: Option<Value>) -> Result<Value, LinkError> {
        let address = format!("{}{path}", self.0.parts.control_url);
        let request = match body {
            Some(body) => self.http().post(address).json(&body),
            None => self.http().get(address),
        };
        answered(request).await
    }
}

async fn answered(request: reqwest::RequestBuilder) -> Result<Value, LinkError> {
    let answer = request.send().await.map_err(LinkError::Unreachable)?;
    let status = answer.status();
    let body = answer.text().await.map_err(LinkError::Unreachable)?;
    if !status.is_success() {
        return Err(LinkError::Refused { status, body });
    }
    Ok(serde_json::from_str(&body).unwrap_or_default())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
