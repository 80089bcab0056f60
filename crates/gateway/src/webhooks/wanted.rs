//! What `setWebhook` asks for, checked as Telegram checks it (reference/telegram.md 3.1, 3.2).

use std::{net::IpAddr, time::Duration};

use tandem_telegram::{
    envelope::Failure,
    params::Params,
    webhook::{BadWebhook, SecretToken, SecretTokenError, WebhookAddress, WebhookPolicy, is_reserved},
};

/// Largest certificate (1.3).
const CERTIFICATE_BYTES: usize = 3 << 20;
/// How many deliveries at a time when the app does not say.
const CONNECTIONS: i64 = 40;
/// The most an app can ask for.
const MOST_CONNECTIONS: i64 = 100;
/// How long a name may take to be resolved.
const RESOLVE_LIMIT: Duration = Duration::from_secs(5);

/// A webhook that can be set.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) address: WebhookAddress,
    pub(super) ip_address: Option<IpAddr>,
    /// What the name stands for now.
    pub(super) resolved: Option<IpAddr>,
    pub(super) max_connections: u16,
    pub(super) secret: Option<SecretToken>,
    /// PEM text.
    pub(super) certificate: Option<String>,
}

impl Wanted {
    /// Reads the parameters and resolves the address.
    pub(super) async fn read(url: &str, params: &Params, policy: WebhookPolicy) -> Result<Self, Failure> {
        let secret = params.text("secret_token").filter(|text| !text.is_empty()).map(SecretToken::parse);
        let secret = secret.transpose().map_err(SecretTokenError::failure)?;
        let certificate = certificate(params)?;
        let address = WebhookAddress::parse(url, policy).map_err(|bad| refused(&bad))?;
        let ip_address = params
            .text("ip_address")
            .filter(|text| !text.is_empty())
            .map(|text| fixed_address(text, policy))
            .transpose()?;
        let resolved = match ip_address {
            Some(address) => Some(address),
            None => Some(resolve(&address, policy).await?),
        };
        let max_connections = params.integer("max_connections", CONNECTIONS, 1, MOST_CONNECTIONS);
        let max_connections = u16::try_from(max_connections).unwrap_or(1);
        Ok(Self { address, ip_address, resolved, max_connections, secret, certificate })
    }
}

fn refused(bad: &BadWebhook) -> Failure {
    match bad {
        BadWebhook::Invalid => Failure::INVALID_WEBHOOK_URL,
        bad => Failure::bad_webhook(&bad.to_string()),
    }
}

fn certificate(params: &Params) -> Result<Option<String>, Failure> {
    let Some(file) = params.file("certificate") else { return Ok(None) };
    if file.content.len() > CERTIFICATE_BYTES {
        return Err(Failure::certificate_too_big(file.content.len()));
    }
    match String::from_utf8(file.content.to_vec()) {
        Ok(pem) if pem.contains("-----BEGIN CERTIFICATE-----") => Ok(Some(pem)),
        Ok(_) | Err(_) => Err(Failure::bad_webhook("the certificate is no PEM text")),
    }
}

fn fixed_address(text: &str, policy: WebhookPolicy) -> Result<IpAddr, Failure> {
    let Ok(address) = text.trim().parse::<IpAddr>() else {
        return Err(Failure::bad_webhook("Invalid IP address specified"));
    };
    allowed(address, policy)
}

fn allowed(address: IpAddr, policy: WebhookPolicy) -> Result<IpAddr, Failure> {
    match policy {
        WebhookPolicy::PublicHttps if address.is_ipv6() => Err(refused(&BadWebhook::Ipv6)),
        WebhookPolicy::PublicHttps if is_reserved(address) => Err(refused(&BadWebhook::Reserved(address))),
        WebhookPolicy::PublicHttps | WebhookPolicy::Any => Ok(address),
    }
}

/// The address that a name stands for; IPv4 where there is one.
async fn resolve(address: &WebhookAddress, policy: WebhookPolicy) -> Result<IpAddr, Failure> {
    let host = address.host().trim_start_matches('[').trim_end_matches(']');
    if let Ok(literal) = host.parse() {
        return allowed(literal, policy);
    }
    let looking = tokio::time::timeout(RESOLVE_LIMIT, tokio::net::lookup_host((host, 443)));
    let found: Vec<IpAddr> = match looking.await {
        Ok(Ok(found)) => found.map(|socket| socket.ip()).collect(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    let chosen = found.iter().find(|address| address.is_ipv4()).or(found.first());
    match chosen {
        Some(address) => allowed(*address, policy),
        None => Err(Failure::bad_webhook("Failed to resolve host: Name or service not known")),
    }
}
