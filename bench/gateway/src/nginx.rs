//! nginx before the stub, set up as one would for speed: kept connections on both sides, no log, and nothing
//! put into files on its way.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Context as _;

use crate::process::{Server, free_address};

/// A running nginx.
pub(crate) struct Nginx {
    pub(crate) address: String,
    pub(crate) server: Server,
}

impl Nginx {
    pub(crate) async fn start(program: &Path, directory: &Path, upstream: &str) -> anyhow::Result<Self> {
        let directory = directory.join("nginx");
        std::fs::create_dir_all(&directory)?;
        let address = free_address()?;
        std::fs::write(directory.join("nginx.conf"), configuration(&address, upstream))?;
        let mut command = Command::new(program);
        // The log that it was built with may be a file that this user must not write.
        command.arg("-p").arg(&directory).args(["-e", "nginx.log", "-c", "nginx.conf"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let server = Server::start(&mut command, &address)
            .await
            .context("nginx is needed here (scripts/setup --bench unpacks one; --nginx names it)")?;
        Ok(Self { address, server })
    }
}

fn configuration(address: &str, upstream: &str) -> String {
    format!(
        "daemon off;
worker_processes auto;
pid nginx.pid;
error_log nginx.log crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_max_body_size 0;
    proxy_request_buffering off;
    proxy_max_temp_file_size 0;
    keepalive_requests 100000000;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    upstream stub {{
        server {upstream};
        keepalive 512;
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
