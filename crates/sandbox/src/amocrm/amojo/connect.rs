//! `connect` and `disconnect`: which account a channel writes to (reference 1.5).

use axum::http::StatusCode;
use serde_json::json;

use super::answer::{Answer, Refusal};
use super::channel::{Connected, HookVersion};
use super::fields::Fields;
use crate::amocrm::State;

/// `POST …/{channel}/connect`. Again is harmless: the scope is the same.
pub(crate) fn connect(
    state: &mut State,
    channel_id: &str,
    fields: &Fields<'_>,
    now_ms: i64,
) -> Result<Answer, Refusal> {
    let account_id = fields.text("account_id")?;
    let title = fields.find_text("title")?;
    let hook_api_version = match fields.find_text("hook_api_version")?.as_deref() {
        None | Some("v1") => HookVersion::V1,
        Some("v2") => HookVersion::V2,
        Some(_) => return Err(fields.invalid("hook_api_version", "must be v1 or v2").into()),
    };
    let is_time_window_disabled = fields.find_boolean("is_time_window_disabled")?.unwrap_or(false);
    allowed(state, channel_id, &account_id)?;
    let Some(channel) = state.amojo.channels.get_mut(channel_id) else {
        return Err(Refusal::NotRegistered("there is no such channel"));
    };
    let title = title.unwrap_or_else(|| channel.name.clone());
    let body = json!({
        "account_id": account_id,
        "scope_id": channel.scope_of(&account_id),
        "title": title,
        "hook_api_version": hook_api_version,
        "is_time_window_disabled": is_time_window_disabled,
    });
    channel.connection =
        Some(Connected { account_id, title, hook_api_version, is_time_window_disabled, at_ms: now_ms });
    Ok(Answer::json(body))
}

/// `DELETE …/{channel}/disconnect`, with a body.
pub(crate) fn disconnect(
    state: &mut State,
    channel_id: &str,
    fields: &Fields<'_>,
) -> Result<Answer, Refusal> {
    let account_id = fields.text("account_id")?;
    let connected = state.amojo.channels.get_mut(channel_id).filter(|channel| {
        channel.connection.as_ref().is_some_and(|connection| connection.account_id == account_id)
    });
    let Some(channel) = connected else {
        return Err(Refusal::NotRegistered("the channel is not connected to this account"));
    };
    channel.connection = None;
    Ok(Answer::bare(StatusCode::OK))
}

/// A private channel connects only to the accounts on its list, and only while its integration is switched on.
fn allowed(state: &State, channel_id: &str, account_id: &str) -> Result<(), Refusal> {
    let Some(channel) = state.amojo.channel(channel_id) else {
        return Err(Refusal::NotRegistered("there is no such channel"));
    };
    if account_id != state.account.amojo_id {
        return Err(Refusal::NotRegistered("there is no account with this amojo id"));
    }
    if !channel.accounts.iter().any(|listed| listed == account_id) {
        return Err(Refusal::NotRegistered("the account is not on the channel's list"));
    }
    match state.account.integrations.get(&channel.client_id) {
        Some(integration) if !integration.enabled => {
            Err(Refusal::NotRegistered("the channel's integration is switched off"))
        }
        Some(_) | None => Ok(()),
    }
}
