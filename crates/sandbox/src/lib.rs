//! A Telegram, an amoCRM and a Wahelp of our own, for tests and for people who write bots.
//!
//! [`Sandbox::start`] opens four listeners in this process: the Bot API, amoCRM (its Telegram hooks, amojo, REST,
//! OAuth), Wahelp, and the control API that creates bots and channels and acts as clients and managers. Nothing here is shared with Tandem's own connectors: both sides
//! are written from the same reference, so that a mistake of one is seen by the other.
//!
//! Known limits: hyper refuses an address above 65,534 bytes with a bare 414 (Telegram takes 256 KiB), a wrong
//! HTTP version and an unknown transfer encoding with a bare 400 (Telegram: 505 and 501). Nothing is kept
//! across a restart.

mod amocrm;
mod clock;
mod control;
mod random;
pub mod story;
pub mod telegram;
mod wahelp;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use crate::{
    clock::{Clock, ClockMode},
    random::Random,
    telegram::{ErrorStyle, Telegram},
};

/// How long open requests may take to end once the sandbox stops.
const LAST_MOMENT: Duration = Duration::from_millis(200);

/// What a sandbox is started with. The default listens on free ports of the loopback interface.
#[derive(Debug, Clone)]
pub struct Config {
    /// The Bot API's address.
    pub telegram: SocketAddr,
    /// amoCRM's address.
    pub amocrm: SocketAddr,
    /// Wahelp's address.
    pub wahelp: SocketAddr,
    /// The control API's address.
    pub control: SocketAddr,
    /// Everything random comes from it.
    pub seed: u64,
    /// Everything timed goes by it.
    pub clock: Clock,
    /// The cloud's error texts, or the open-source server's.
    pub errors: ErrorStyle,
    /// Refuse the webhooks the cloud refuses: plain http, odd ports, reserved addresses.
    pub strict_webhooks: bool,
}

impl Default for Config {
    fn default() -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            telegram: free,
            amocrm: free,
            wahelp: free,
            control: free,
            seed: 0,
            clock: Clock::system(),
            errors: ErrorStyle::default(),
            strict_webhooks: false,
        }
    }
}

/// The sandbox could not start.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for {what}")]
pub struct StartError {
    what: &'static str,
    address: SocketAddr,
    #[source]
    source: io::Error,
}

/// A running sandbox. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Sandbox {
    telegram: Telegram,
    clock: Clock,
    telegram_address: SocketAddr,
    amocrm_address: SocketAddr,
    wahelp_address: SocketAddr,
    control_address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Sandbox {
    /// Opens the listeners and serves them until [`Sandbox::stop`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let (telegram_listener, telegram_address) = listen("Telegram", config.telegram).await?;
        let (amocrm_listener, amocrm_address) = listen("amoCRM", config.amocrm).await?;
        let (wahelp_listener, wahelp_address) = listen("Wahelp", config.wahelp).await?;
        let (control_listener, control_address) = listen("control", config.control).await?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let random = Random::seeded(config.seed);
        let settings = telegram::Settings { errors: config.errors, strict_webhooks: config.strict_webhooks };
        let telegram =
            Telegram::new(settings, config.clock.clone(), random.clone(), stop.clone(), tasks.clone());
        tasks.spawn(telegram::serve(telegram_listener, telegram.clone()));
        let parts = amocrm::Parts {
            clock: config.clock.clone(),
            random: random.clone(),
            telegram_url: format!("http://{telegram_address}"),
            own_url: format!("http://{amocrm_address}"),
            stop: stop.clone(),
            tasks: tasks.clone(),
        };
        let amocrm_control = amocrm::start(amocrm_listener, parts);
        let parts = wahelp::Parts {
            clock: config.clock.clone(),
            random,
            telegram_url: format!("http://{telegram_address}"),
            amocrm_url: format!("http://{amocrm_address}"),
            control_url: format!("http://{control_address}"),
            own_url: format!("http://{wahelp_address}"),
            stop: stop.clone(),
            tasks: tasks.clone(),
        };
        let wahelp_control = wahelp::start(wahelp_listener, parts);
        let router = control::router(telegram.clone(), amocrm_control, wahelp_control);
        tasks.spawn(serve_control(control_listener, router, stop.clone()));
        Ok(Self {
            telegram,
            clock: config.clock,
            telegram_address,
            amocrm_address,
            wahelp_address,
            control_address,
            stop,
            tasks,
        })
    }

    /// The emulated Telegram, for those who live in the same process.
    pub fn telegram(&self) -> &Telegram {
        &self.telegram
    }

    /// The clock everything goes by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The Bot API's base address, without a slash at the end.
    pub fn telegram_url(&self) -> String {
        format!("http://{}", self.telegram_address)
    }

    /// amoCRM's base address, without a slash at the end.
    pub fn amocrm_url(&self) -> String {
        format!("http://{}", self.amocrm_address)
    }

    /// Wahelp's base address, without a slash at the end; its API is below `/api`.
    pub fn wahelp_url(&self) -> String {
        format!("http://{}", self.wahelp_address)
    }

    /// The control API's base address, without a slash at the end.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control_address)
    }

    /// Ends waiting calls, closes every connection and waits until all work has ended.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn listen(what: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError { what, address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Serves the control API. When the sandbox stops, requests that wait for something get a moment and are then
/// left alone.
async fn serve_control(listener: TcpListener, router: axum::Router, stop: CancellationToken) {
    let serving =
        axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned()).into_future();
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => tokio::time::timeout(LAST_MOMENT, serving).await.unwrap_or(Ok(())),
    };
    if let Err(error) = ended {
        tracing::error!(%error, "the control API has stopped serving");
    }
}
