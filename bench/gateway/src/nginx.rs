//! nginx before the stub, set up as one would for speed: kept connections on both sides, no log.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Context as _;

use crate::process::{Server, free_address};

/// A running nginx.
pub(crate) struct Nginx {
    pub(crate) address: String,
    _server: Server,
}

impl Nginx {
    pub(crate) async fn start(directory: &Path, upstream: &str) -> anyhow::Result<Self> {
        let directory = directory.join("nginx");
        std::fs::create_dir_all(&directory)?;
        let address = free_address()?;
        std::fs::write(directory.join("nginx.conf"), configuration(&address, upstream))?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&directory).args(["-c", "nginx.conf"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let server = Server::start(&mut command, &address)
            .await
            .context("nginx is needed here (on Debian: apt-get install nginx-light)")?;
        Ok(Self { address, _server: server })
    }
}

fn configuration(address: &str, upstream: &str) -> String {
    format!(
        "daemon off;
worker_processes auto;
pid nginx.pid;
error_log nginx.log crit;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    upstream stub {{
        server {upstream};
        keepalive 128;
        keepalive_requests 100000000;
    }}
    server {{
        listen {address};
        location / {{
            proxy_pass http://stub;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
        }}
    }}
}}
"
    )
}
