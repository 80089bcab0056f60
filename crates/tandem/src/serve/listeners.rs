//! The sockets that strangers and apps come to, bound before anything else so that a taken address is said at once.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;

use crate::{Failure, settings::Server};

/// The listeners of a service.
#[derive(Debug)]
pub struct Listeners {
    /// Where apps speak the Bot API to us.
    pub gateway: TcpListener,
    /// Where Telegram's webhook reaches us.
    pub public: TcpListener,
    /// Where metrics and health are told, where that is not the gateway's address.
    pub console: Option<TcpListener>,
}

impl Listeners {
    /// Binds the addresses of the settings; port 0 takes a free one.
    pub async fn bind(server: &Server) -> Result<Self, Failure> {
        Ok(Self {
            gateway: bind("server.gateway", server.gateway).await?,
            public: bind("server.public", server.public).await?,
            console: match server.console {
                Some(address) => Some(bind("server.console", address).await?),
                None => None,
            },
        })
    }
}

impl Listeners {
    /// Where apps really reach the gateway: a setting may ask for any free port.
    pub(crate) fn gateway_address(&self, asked: &Server) -> SocketAddr {
        self.gateway.local_addr().unwrap_or(asked.gateway)
    }
}

async fn bind(key: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let what_to_do = match error.kind() {
            io::ErrorKind::AddrInUse => format!(
                "Another program has this address: stop it, or choose another one with --set {key}=127.0.0.1:PORT."
            ),
            io::ErrorKind::PermissionDenied => {
                format!("Ports below 1024 need a right of their own: choose a higher one with --set {key}=…")
            }
            _ => format!("Choose an address of this machine with --set {key}=ADDRESS:PORT."),
        };
        Failure::new(format!("cannot listen on {address} ({key}): {error}"), what_to_do)
    })
}
