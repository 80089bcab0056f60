//! The parts of the service and how they hang together.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use tandem_amocrm::Amocrm;
use tandem_bridge::{Bridge, Ownership, PublicUrl, UpstreamMode};
use tandem_gateway::{Directory, Gateway, Recorder, Threads};
use tandem_journal::{
    Health, Sealer, Store, Upkeep as _,
    sqlite::{Options, SqliteStore},
};
use tandem_lanes::{Lanes, LeaseSource};
use tandem_metrics::Registry;
use tandem_model::{Clock, Rng};
use tandem_telegram::{
    upstream::{AddressGuard, Proxy, Roots, ServerBase, Settings as UpstreamSettings, Upstream},
    webhook::WebhookPolicy,
};
use tandem_vendor::Vendor;
use tandem_wahelp::Wahelp;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use url::Url;

use super::{RunError, Stop, guard::PublicOnly};
use crate::settings::{self, Settings};

/// By what name the database's shards are held. The same after a restart, so that one need not wait for the leases of
/// a process that was killed; that there is only one process is the lock's business.
const HOLDER: &str = "tandem";

/// An opened service: nothing listens and nothing runs yet.
#[derive(Debug)]
pub struct Service {
    database: Database,
    lanes: Lanes,
    bridge: Bridge,
    gateway: Gateway,
    tasks: TaskTracker,
}

impl Service {
    /// Opens the database with its lock, and puts the parts together. `stop` ends what waits inside them.
    pub async fn open(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        stop: &Stop,
    ) -> Result<Self, RunError> {
        let database = Database::open(settings, &clock, &*rng).await?;
        Self::over(database, settings, clock, rng, stop).await
    }

    /// Puts the parts together over a database that is ours.
    pub(crate) async fn over(
        database: Database,
        settings: &Settings,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        stop: &Stop,
    ) -> Result<Self, RunError> {
        let upstream = upstream(&settings.telegram)?;
        let config = bridge_config(settings)?;
        let store: Arc<dyn Store> = Arc::clone(&database.store) as Arc<dyn Store>;
        let (sealer, ownership) = (Arc::clone(&database.sealer), Arc::clone(&database.ownership));
        let lanes = Lanes::new(
            Arc::clone(&store),
            Arc::clone(&ownership) as _,
            Arc::clone(&clock),
            Arc::clone(&rng),
            tandem_lanes::Config::default(),
        );
        let directory = Arc::new(Directory::new());
        let tasks = TaskTracker::new();
        let leases: Arc<dyn LeaseSource> = Arc::clone(&ownership) as _;
        let recorder = Recorder::new(Arc::clone(&store), Arc::clone(&leases), &lanes);
        let gateway = Gateway::new(tandem_gateway::Parts {
            store: Arc::clone(&store),
            leases,
            lanes: lanes.clone(),
            directory: Arc::clone(&directory),
            recorder: recorder.clone(),
            sealer: Arc::clone(&sealer),
            upstream: upstream.clone(),
            clock: Arc::clone(&clock),
            rng: Arc::clone(&rng),
            config: tandem_gateway::Config { webhooks: webhook_policy(settings) },
            soft: stop.soft.clone(),
            tasks: tasks.clone(),
        });
        let vendors = vendors(&settings.security, &clock, &rng)?;
        let bridge = Bridge::open(tandem_bridge::Parts {
            store,
            sealer,
            ownership,
            lanes: lanes.clone(),
            directory,
            recorder,
            gateway: gateway.clone(),
            upstream,
            connectors: Vec::new(),
            vendors,
            clock,
            rng,
            config,
        })
        .await
        .map_err(RunError::Bridge)?;
        Ok(Self { database, lanes, bridge, gateway, tasks })
    }

    /// What bots do.
    pub const fn bridge(&self) -> &Bridge {
        &self.bridge
    }

    /// What apps speak to.
    pub const fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// What delivers.
    pub const fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// Everything the parts count, registered anew.
    pub(super) fn metrics(&self) -> Registry {
        let mut registry = Registry::default();
        let parts = self.bridge.parts();
        self.gateway.register_metrics(&mut registry);
        parts.recorder.register_metrics(&mut registry);
        parts.upstream.register_metrics(&mut registry);
        self.lanes.register_metrics(&mut registry);
        self.bridge.register_metrics(&mut registry);
        registry
    }

    /// How the store is, now and later.
    pub(super) fn health(&self) -> watch::Receiver<Health> {
        self.database.store.health()
    }

    /// Ready when the disk has failed the store, with the reason. Nothing can be promised any more then, and only
    /// opening the store anew helps.
    pub(super) fn store_failed(&self) -> impl Future<Output = String> + use<> {
        failure(self.database.store.health())
    }

    /// Waits for what outlives the requests that began it.
    pub(super) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Gives everything back and lets go of the database. Nothing may run any more.
    pub async fn close(self) {
        self.database.close().await;
    }
}

/// A database that this process has to itself, and the key to its secrets.
#[derive(Debug)]
pub(crate) struct Database {
    store: Arc<SqliteStore>,
    sealer: Arc<Sealer>,
    ownership: Arc<Ownership>,
}

impl Database {
    /// Takes the lock, brings the schema up to date, reads or makes the key, and takes the right to write.
    pub(crate) async fn open(
        settings: &Settings,
        clock: &Arc<dyn Clock>,
        rng: &dyn Rng,
    ) -> Result<Self, RunError> {
        let options = Options::new(settings.store.url.path());
        let store = Arc::new(SqliteStore::open(options, Arc::clone(clock)).await?);
        let sealer = Arc::new(Sealer::open(&settings.security.key_file, rng).map_err(RunError::Key)?);
        let ownership = Ownership::take(&*store, HOLDER).await.map_err(RunError::Ownership)?;
        Ok(Self { store, sealer, ownership })
    }

    /// Gives the right to write back and lets go of the files.
    pub(crate) async fn close(self) {
        if let Err(error) = self.ownership.release(&*self.store).await {
            tracing::warn!(%error, "the leases were not given back: {error}");
        }
        self.store.close().await;
    }
}

async fn failure(mut health: watch::Receiver<Health>) -> String {
    loop {
        if let Health::Failed { reason } = &*health.borrow_and_update() {
            return reason.clone();
        }
        if health.changed().await.is_err() {
            // The store is gone altogether, which its owner sees to.
            return std::future::pending().await;
        }
    }
}

/// Whether parts can be made of these settings, as far as can be said without opening anything.
pub(crate) fn check(settings: &Settings) -> Result<(), RunError> {
    upstream(&settings.telegram)?;
    bridge_config(settings)?;
    Ok(())
}

fn upstream(settings: &settings::Telegram) -> Result<Upstream, RunError> {
    let base =
        |key, url: &Url| ServerBase::parse(url.as_str()).map_err(|source| RunError::Base { key, source });
    let proxy = settings.proxy.as_ref().map(|proxy| Proxy::parse(proxy.expose())).transpose();
    Upstream::new(UpstreamSettings {
        file_base: base("file_base", &settings.file_base)?,
        proxy: proxy.map_err(RunError::Proxy)?,
        threads: Threads::best_count(),
        ..UpstreamSettings::for_server(base("api_base", &settings.api_base)?)
    })
    .map_err(RunError::Upstream)
}

/// Whoever CRMs are reached through.
fn vendors(
    security: &settings::Security,
    clock: &Arc<dyn Clock>,
    rng: &Arc<dyn Rng>,
) -> Result<Vec<Arc<dyn Vendor>>, RunError> {
    let public_only: tandem_amocrm::AddressFilter = Arc::new(|address| PublicOnly.allows(address));
    let settings = tandem_amocrm::Settings {
        guard: (!security.allow_private_addresses).then_some(public_only),
        ..tandem_amocrm::Settings::default()
    };
    let (clock, rng) = (|| Arc::clone(clock), || Arc::clone(rng));
    let amocrm = Amocrm::new(&settings, clock(), rng()).map_err(RunError::Vendors)?;
    let wahelp = Wahelp::new(&settings, clock(), rng()).map_err(RunError::Vendors)?;
    Ok(vec![Arc::new(amocrm), Arc::new(wahelp)])
}

fn bridge_config(settings: &Settings) -> Result<tandem_bridge::Config, RunError> {
    let Settings { server, telegram, security, retention, .. } = settings;
    let public_url = server.public_url.as_ref().map(|url| PublicUrl::parse(url.as_str())).transpose();
    let guard: Arc<dyn AddressGuard> = Arc::new(PublicOnly);
    Ok(tandem_bridge::Config {
        public_url: public_url.map_err(RunError::PublicUrl)?,
        media_lifetime: server.media_lifetime,
        gateway_url: gateway_url(server.gateway),
        upstream: match telegram.upstream {
            settings::Upstream::Auto | settings::Upstream::Polling => UpstreamMode::Polling,
            settings::Upstream::Webhook => UpstreamMode::Webhook,
        },
        roots: Roots::Platform,
        wahelp_hosts: telegram.wahelp_hosts.clone(),
        guard: (!security.allow_private_addresses).then_some(guard),
        retention: tandem_journal::Retention {
            keep: retention.keep,
            at_most: retention.at_most,
            max_bytes: retention.max_bytes,
        },
        ..tandem_bridge::Config::default()
    })
}

/// Where apps of this machine reach the gateway: what is written into their programs.
fn gateway_url(listening: SocketAddr) -> String {
    let ip = match listening.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    format!("http://{}", SocketAddr::new(ip, listening.port()))
}

/// Apps on this machine may have their updates posted to it; when anybody can reach the gateway, only to where
/// Telegram would.
fn webhook_policy(settings: &Settings) -> WebhookPolicy {
    if settings.server.gateway.ip().is_loopback() || settings.security.allow_private_addresses {
        WebhookPolicy::Any
    } else {
        WebhookPolicy::PublicHttps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_disk_that_failed_ends_the_service() {
        let health = watch::Sender::new(Health::Good);
        let mut failed = tokio::spawn(failure(health.subscribe()));
        for passing in [Health::LowDisk, Health::Full, Health::Good] {
            health.send_replace(passing);
            tokio::task::yield_now().await;
            assert!(!failed.is_finished());
        }
        health.send_replace(Health::Failed { reason: "disk I/O error".to_owned() });
        assert_eq!((&mut failed).await.unwrap(), "disk I/O error");
    }

    #[test]
    fn bots_get_their_updates_as_the_setting_says() {
        let config = |flags: &[&str]| {
            let flags: Vec<_> = flags.iter().map(|flag| (*flag).to_owned()).collect();
            bridge_config(&Settings::load(None, [], &flags).unwrap()).unwrap()
        };
        assert_eq!(config(&[]).upstream, UpstreamMode::Polling);
        let public = "server.public_url=https://bots.example";
        assert_eq!(config(&[public]).upstream, UpstreamMode::Polling);
        assert_eq!(config(&[public, "telegram.upstream=webhook"]).upstream, UpstreamMode::Webhook);
    }

    #[test]
    fn apps_are_told_an_address_that_they_can_use() {
        for (listening, told) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:8080", "http://[::1]:8080"),
            ("10.0.0.5:8080", "http://10.0.0.5:8080"),
        ] {
            assert_eq!(gateway_url(listening.parse().unwrap()), told);
        }
    }
}
