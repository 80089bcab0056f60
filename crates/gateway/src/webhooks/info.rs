//! `getWebhookInfo` of one app (reference/telegram.md 3.2).

use std::net::IpAddr;

use bytes::Bytes;
use http::Response;
use serde::Serialize;
use tandem_journal::ReadError;
use tandem_lanes::PullError;
use tandem_telegram::envelope::{self, Failure};

use super::{ADDRESS, SecretError};
use crate::{App, Gateway};

#[derive(Debug, Default, Serialize)]
struct WebhookInfo {
    url: String,
    has_custom_certificate: bool,
    pending_update_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error_date: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_connections: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_updates: Option<Vec<&'static str>>,
}

/// Why it could not be said.
#[derive(Debug, thiserror::Error)]
enum InfoError {
    #[error("the lane could not be asked")]
    Pull(#[from] PullError),
    #[error("the lane could not be read")]
    Read(#[from] ReadError),
    #[error("the address could not be had")]
    Address(#[from] SecretError),
    #[error("the answer could not be written")]
    Write(#[from] serde_json::Error),
}

impl Gateway {
    /// What is known of an app's webhook.
    pub(crate) async fn get_webhook_info(&self, app: &App) -> Response<Bytes> {
        match self.webhook_info(app).await {
            Ok(info) => envelope::success(&info),
            Err(InfoError::Pull(PullError::Missing { .. })) => Failure::UNAUTHORIZED.response(),
            Err(error) => Self::unwell(app, &error),
        }
    }

    async fn webhook_info(&self, app: &App) -> Result<Vec<u8>, InfoError> {
        let (inner, lane, document) = (self.inner(), Self::lane_of(app), app.document());
        let mut info = WebhookInfo {
            pending_update_count: inner.lanes.pending_count(lane, document.backlog()).await?,
            allowed_updates: document.shown_kinds(),
            ..WebhookInfo::default()
        };
        if let Some(webhook) = &document.webhook {
            info.url = self.find_app_secret(app, ADDRESS).await?.unwrap_or_default();
            info.has_custom_certificate = webhook.has_certificate;
            info.max_connections = Some(webhook.max_connections);
            info.ip_address = webhook.ip_address.or(webhook.resolved);
            let lane = inner.store.find_lane(lane.bot, lane.lane).await?;
            // A fault is not cleared by success, but by a new webhook.
            let fault = lane.and_then(|lane| lane.last_fault).filter(|fault| fault.at >= webhook.set_at);
            if let Some(fault) = fault {
                info.last_error_date = Some(fault.at.as_millis().div_euclid(1000));
                info.last_error_message = Some(fault.text);
            }
        }
        Ok(serde_json::to_vec(&info)?)
    }
}
