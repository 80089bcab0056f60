//! One layer of settings: everything may be missing.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::Deserialize;
use url::Url;

use super::values::{self, Hosts, LogFormat, Networks, Proxy, StoreUrl, Upstream};

/// Defines a section of which every key may be missing, and how one lies over another.
macro_rules! section {
    ($name:ident { $($(#[$attribute:meta])* $key:ident: $type:ty),* $(,)? }) => {
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(crate) struct $name {
            $($(#[$attribute])* pub(crate) $key: Option<$type>,)*
        }

        impl $name {
            fn over(self, below: Self) -> Self {
                Self { $($key: self.$key.or(below.$key),)* }
            }
        }
    };
}

section!(ServerLayer {
    #[serde(deserialize_with = "values::socket_address")]
    gateway: SocketAddr,
    #[serde(deserialize_with = "values::socket_address")]
    public: SocketAddr,
    #[serde(deserialize_with = "values::socket_address")]
    console: SocketAddr,
    #[serde(deserialize_with = "values::public_url")]
    public_url: Url,
    #[serde(deserialize_with = "values::count")]
    media_hours: u32,
    trusted_proxies: Networks,
});
section!(LimitsLayer {
    #[serde(deserialize_with = "values::count")]
    connections: u32,
    #[serde(deserialize_with = "values::count")]
    connections_per_peer: u32,
    #[serde(deserialize_with = "values::head_bytes")]
    head_bytes: u32,
    #[serde(deserialize_with = "values::seconds")]
    head_secs: u32,
    #[serde(deserialize_with = "values::seconds")]
    idle_secs: u32,
    #[serde(deserialize_with = "values::seconds")]
    stall_secs: u32,
    #[serde(deserialize_with = "values::count")]
    bytes_per_sec: u32,
    #[serde(deserialize_with = "values::bytes")]
    body_bytes: u64,
    #[serde(deserialize_with = "values::count")]
    requests_per_connection: u32,
    #[serde(deserialize_with = "values::count")]
    refused_per_minute: u32,
});
section!(StoreLayer { url: StoreUrl });
section!(TelegramLayer {
    #[serde(deserialize_with = "values::base_url")]
    api_base: Url,
    #[serde(deserialize_with = "values::base_url")]
    file_base: Url,
    proxy: Proxy,
    proxy_file: PathBuf,
    upstream: Upstream,
    wahelp_hosts: Hosts,
});
section!(SecurityLayer {
    key_file: PathBuf,
    #[serde(deserialize_with = "values::switch")]
    allow_private_addresses: bool,
});
section!(RetentionLayer {
    #[serde(deserialize_with = "values::days")]
    days: Duration,
    #[serde(deserialize_with = "values::days")]
    max_days: Duration,
    #[serde(deserialize_with = "values::bytes")]
    max_bytes: u64,
});
section!(LogLayer { format: LogFormat, filter: String });

/// One layer of settings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Layer {
    pub(crate) server: ServerLayer,
    pub(crate) gateway_limits: LimitsLayer,
    pub(crate) public_limits: LimitsLayer,
    pub(crate) store: StoreLayer,
    pub(crate) telegram: TelegramLayer,
    pub(crate) security: SecurityLayer,
    pub(crate) retention: RetentionLayer,
    pub(crate) log: LogLayer,
}

impl Layer {
    /// What this layer says, and where it says nothing, what `below` says.
    pub(crate) fn over(self, below: Self) -> Self {
        Self {
            server: self.server.over(below.server),
            gateway_limits: self.gateway_limits.over(below.gateway_limits),
            public_limits: self.public_limits.over(below.public_limits),
            store: self.store.over(below.store),
            telegram: self.telegram.over(below.telegram),
            security: self.security.over(below.security),
            retention: self.retention.over(below.retention),
            log: self.log.over(below.log),
        }
    }
}
