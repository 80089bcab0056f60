//! The settings in force, as a `tandem.toml` that could be read back. Secrets are left out.

use std::fmt::Write as _;

use tandem_gateway::{Limits, Network};

use super::{Settings, values::DAY};

/// Writes every key with its value in force.
pub fn show(settings: &Settings) -> String {
    let Settings { server, gateway_limits, public_limits, store, telegram, security, retention, log } =
        settings;
    let mut text = String::new();
    let mut section = |name: &str, keys: Vec<(&str, Option<toml::Value>)>| {
        let _ = writeln!(text, "[{name}]");
        for (key, value) in keys {
            let _ = match value {
                Some(value) => writeln!(text, "{key} = {value}"),
                None => writeln!(text, "# {key} is not set"),
            };
        }
    };
    let string = |text: &dyn ToString| Some(toml::Value::String(text.to_string()));
    let days = |duration: std::time::Duration| {
        Some(match duration.as_secs() {
            whole if whole % DAY.as_secs() == 0 => number(whole / DAY.as_secs()),
            _ => toml::Value::Float(duration.as_secs_f64() / DAY.as_secs_f64()),
        })
    };
    section(
        "server",
        vec![
            ("gateway", string(&server.gateway)),
            ("public", string(&server.public)),
            ("console", server.console.as_ref().and_then(|address| string(address))),
            ("public_url", server.public_url.as_ref().and_then(|url| string(url))),
            ("media_hours", Some(number(server.media_lifetime.as_secs() / 3600))),
            ("trusted_proxies", Some(networks(&gateway_limits.trusted_proxies))),
        ],
    );
    section("gateway_limits", limits(gateway_limits));
    section("public_limits", limits(public_limits));
    section("store", vec![("url", string(&store.url))]);
    section(
        "telegram",
        vec![
            ("api_base", string(&telegram.api_base)),
            ("file_base", string(&telegram.file_base)),
            ("proxy", telegram.proxy.as_ref().and_then(|proxy| string(&proxy.shown()))),
            ("upstream", string(&telegram.upstream.as_str())),
            ("wahelp_hosts", Some(texts(&telegram.wahelp_hosts))),
        ],
    );
    section(
        "security",
        vec![
            ("key_file", string(&security.key_file.display())),
            ("allow_private_addresses", Some(toml::Value::Boolean(security.allow_private_addresses))),
        ],
    );
    section(
        "retention",
        vec![
            ("days", days(retention.keep)),
            ("max_days", days(retention.at_most)),
            ("max_bytes", retention.max_bytes.map(number)),
        ],
    );
    section("log", vec![("format", string(&log.format.as_str())), ("filter", string(&log.filter))]);
    text
}

fn limits(limits: &Limits) -> Vec<(&'static str, Option<toml::Value>)> {
    let size = |size: usize| Some(number(size as u64));
    let seconds = |duration: std::time::Duration| Some(number(duration.as_secs()));
    vec![
        ("connections", size(limits.connections)),
        ("connections_per_peer", size(limits.connections_per_peer)),
        ("head_bytes", size(limits.head_bytes)),
        ("head_secs", seconds(limits.head)),
        ("idle_secs", seconds(limits.idle)),
        ("stall_secs", seconds(limits.stall)),
        ("bytes_per_sec", Some(number(limits.bytes_per_sec.into()))),
        ("body_bytes", Some(number(limits.body_bytes))),
        ("requests_per_connection", Some(number(limits.requests_per_connection))),
        ("refused_per_minute", Some(number(limits.refused_per_minute.into()))),
    ]
}

fn networks(networks: &[Network]) -> toml::Value {
    toml::Value::Array(networks.iter().map(|network| toml::Value::String(network.to_string())).collect())
}

fn texts(texts: &[String]) -> toml::Value {
    toml::Value::Array(texts.iter().cloned().map(toml::Value::String).collect())
}

fn number(number: u64) -> toml::Value {
    toml::Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}
