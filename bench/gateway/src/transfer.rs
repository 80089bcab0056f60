//! Files through the pipe, beside nginx: how fast, for how much CPU time, and what memory Tandem holds meanwhile.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    Extent,
    comparison::{Rivals, Sides, Who},
    connection::content_length,
    load::count,
    process::Server,
    profile,
    report::{Bar, Report},
    stub::TOKEN,
};

const MB: usize = 1_000_000;
const PIECE_BYTES: usize = 64 * 1024;
const BOUNDARY: &str = "bench-bench-bench";

/// What is moved.
#[derive(Debug, Clone, Copy)]
enum Transfer {
    /// `sendDocument` with a file of so many bytes.
    Up(usize),
    /// A file of so many bytes.
    Down(usize),
}

pub(crate) async fn measure(extent: &Extent, report: &mut Report) -> anyhow::Result<()> {
    let place = tempfile::tempdir_in(&extent.directory)?;
    let extent = Extent { directory: place.path().to_owned(), ..extent.clone() };
    let Rivals { stub, nginx, tandem } = Rivals::start(&extent, "transfer").await?;
    let all = [
        ("upload of 50 MB", "upload-50", Transfer::Up(50 * MB)),
        ("download of 20 MB", "download-20", Transfer::Down(20 * MB)),
        ("download of 50 MB", "download-50", Transfer::Down(50 * MB)),
    ];
    for (name, file, transfer) in all {
        let (before, _) = tandem.server.memory_mb()?;
        tandem.server.forget_peak()?;
        let (mut rates, mut cpu) = (Sides::new(), Sides::new());
        let sides: [(Who, &str, &str, &Server); 3] = [
            (Who::Stub, &stub.address, TOKEN, &stub.server),
            (Who::Nginx, &nginx.address, TOKEN, &nginx.server),
            (Who::Tandem, &tandem.gateway, &tandem.app_token, &tandem.server),
        ];
        for round in 0..=extent.rounds {
            for (who, address, token, server) in sides {
                let (began, spent) = (Instant::now(), server.cpu()?);
                transfer.carry_out(address, token).await.with_context(|| format!("{name}, {who:?}"))?;
                let (took, spent) = (began.elapsed(), server.cpu()?.saturating_sub(spent));
                // The first round only warms up.
                if round > 0 {
                    rates.entry(who).or_default().push(transfer.mb() / took.as_secs_f64());
                    cpu.entry(who).or_default().push(spent.as_secs_f64() * 1e3);
                }
            }
        }
        report.compared(&format!("{name}, MB/s"), &rates, &[]);
        report.compared(&format!("{name}, CPU in ms (in steps of 10)"), &cpu, &[]);
        let (_, most) = tandem.server.memory_mb()?;
        report.alone(&format!("{name}, memory before, MB"), &[before], None);
        // One bot's bar holds here too: a file is never in memory.
        report.alone(&format!("{name}, the most memory, MB"), &[most], Some(Bar::AtMost(30.0)));
        let work = async {
            for _ in 0..20 {
                transfer.carry_out(&tandem.gateway, &tandem.app_token).await?;
            }
            Ok(())
        };
        profile::during(&extent, report, file, name, &tandem.server, work).await?;
    }
    Ok(())
}

impl Transfer {
    fn mb(self) -> f64 {
        let (Self::Up(bytes) | Self::Down(bytes)) = self;
        count(bytes) / count(MB)
    }

    /// Over a connection of its own.
    async fn carry_out(self, address: &str, token: &str) -> anyhow::Result<()> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        match self {
            Self::Up(bytes) => {
                let (head, tail) = form(token, bytes);
                stream.write_all(head.as_bytes()).await?;
                let piece = vec![0x5a; PIECE_BYTES];
                let mut left = bytes;
                while left > 0 {
                    let now = left.min(PIECE_BYTES);
                    stream.write_all(&piece[..now]).await?;
                    left -= now;
                }
                stream.write_all(tail.as_bytes()).await?;
                read_answer(&mut stream).await?;
            }
            Self::Down(bytes) => {
                let request = format!("GET /file/bot{token}/{bytes} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
                stream.write_all(request.as_bytes()).await?;
                let read = read_answer(&mut stream).await?;
                ensure!(read == bytes, "{read} of {bytes} bytes came");
            }
        }
        Ok(())
    }
}

/// The beginning of a request with a file, and its end.
fn form(token: &str, bytes: usize) -> (String, String) {
    let start = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n5000000000\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"document\"; filename=\"film.mp4\"\r\n\
         Content-Type: video/mp4\r\n\r\n"
    );
    let end = format!("\r\n--{BOUNDARY}--\r\n");
    let length = start.len() + bytes + end.len();
    let head = format!(
        "POST /bot{token}/sendDocument HTTP/1.1\r\nHost: 127.0.0.1\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {length}\r\n\r\n{start}"
    );
    (head, end)
}

/// Reads an answer that must be a 200, and gives the length of its body.
async fn read_answer(stream: &mut TcpStream) -> anyhow::Result<usize> {
    let mut buffer = Vec::with_capacity(2 * PIECE_BYTES);
    let head = loop {
        ensure!(stream.read_buf(&mut buffer).await? > 0, "the server closed the connection");
        if let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break head;
        }
    };
    ensure!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer));
    let length = content_length(&buffer[..head])?;
    let mut got = buffer.len() - head - 4;
    while got < length {
        buffer.clear();
        let read = stream.read_buf(&mut buffer).await?;
        ensure!(read > 0, "the answer ended after {got} bytes");
        got += read;
    }
    Ok(got)
}
