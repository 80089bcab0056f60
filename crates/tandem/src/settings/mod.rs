//! The settings of the process, from four layers: defaults < `tandem.toml` < environment < flags.
//!
//! A wrong value names its source: the file with line and key, the variable, or the flag, and what was expected
//! there. Unknown keys are errors. What belongs to a single bot is not here: it lives in the database and comes
//! from `adopt` and `apply`.

mod file;
mod layer;
mod pairs;
mod show;
mod values;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use url::Url;

use layer::{Layer, LimitsLayer};
pub use show::show;
use tandem_gateway::Limits;
pub use values::{LogFormat, Proxy, StoreUrl, Upstream};

/// Where a settings file is looked for when no flag and no variable names one.
pub const DEFAULT_FILE: &str = "tandem.toml";

/// A settings file with every key, its default, and what it is for.
pub const EXAMPLE: &str = include_str!("tandem.toml");

/// Everything `serve` needs to know before it opens the database.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where we listen.
    pub server: Server,
    /// What whoever reaches `server.gateway` may do.
    pub gateway_limits: Limits,
    /// What whoever reaches `server.public` may do.
    pub public_limits: Limits,
    /// Where everything is kept.
    pub store: Store,
    /// How Telegram is reached.
    pub telegram: Telegram,
    /// What guards secrets and addresses.
    pub security: Security,
    /// How long events are kept.
    pub retention: Retention,
    /// How the log is written.
    pub log: Log,
}

/// Where we listen.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where apps speak the Bot API to us.
    pub gateway: SocketAddr,
    /// Where metrics and health are told; `None`: at the gateway's address.
    pub console: Option<SocketAddr>,
    /// Where strangers reach us: Telegram's webhook.
    pub public: SocketAddr,
    /// How strangers reach `public` from outside.
    pub public_url: Option<Url>,
    /// How long the address of a file at `public_url` is good.
    pub media_lifetime: Duration,
}

/// Where everything is kept.
#[derive(Debug, Clone)]
pub struct Store {
    /// The engine and its place.
    pub url: StoreUrl,
}

impl Store {
    /// The control socket of the process that has this database open.
    pub fn control_socket(&self) -> PathBuf {
        let mut name = self.url.path().as_os_str().to_owned();
        name.push(".sock");
        PathBuf::from(name)
    }
}

/// How Telegram is reached.
#[derive(Debug, Clone)]
pub struct Telegram {
    /// Where methods are.
    pub api_base: Url,
    /// Where files are.
    pub file_base: Url,
    /// What stands on the way.
    pub proxy: Option<Proxy>,
    /// How updates come from Telegram.
    pub upstream: Upstream,
    /// Hosts whose webhooks are Wahelp's, besides those that are known.
    pub wahelp_hosts: Vec<String>,
}

/// What guards secrets and addresses.
#[derive(Debug, Clone)]
pub struct Security {
    /// Holds the key that seals secrets; made on first start.
    pub key_file: PathBuf,
    /// Whether updates may be posted to addresses of private networks.
    pub allow_private_addresses: bool,
}

/// How long events are kept.
#[derive(Debug, Clone)]
pub struct Retention {
    /// An event older than this goes once every route has passed it.
    pub keep: Duration,
    /// An event older than this goes in any case.
    pub at_most: Duration,
    /// The oldest go in any case when there are more bytes than this.
    pub max_bytes: Option<u64>,
}

/// How the log is written.
#[derive(Debug, Clone)]
pub struct Log {
    /// For people or for programs.
    pub format: LogFormat,
    /// In the language of `RUST_LOG`.
    pub filter: String,
}

impl Log {
    /// The life of the service, and whatever needs a person.
    pub const DEFAULT_FILTER: &str = "info";
    /// Whatever needs a person: for commands that a person reads.
    pub const QUIET_FILTER: &str = "warn";
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file was named and cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A value, key or line is wrong.
    #[error("{source_name}: {message}")]
    Wrong {
        /// The file with line and key, the variable, or the flag.
        source_name: String,
        /// What was expected.
        message: String,
    },
    /// Each value is right by itself, but they do not fit together.
    #[error("{message}")]
    Conflict {
        /// Which, and what to do.
        message: String,
    },
}

impl Settings {
    /// What is in force where nobody says anything.
    #[expect(clippy::missing_panics_doc, reason = "a test says that the defaults fit together")]
    pub fn defaults() -> Self {
        Self::from_layer(Layer::default()).expect("the defaults fit together")
    }

    /// Joins the layers. `file`: a file that was named, which must exist; otherwise [`DEFAULT_FILE`] is used if
    /// it is there. `flags`, each `section.key=value`, win over everything.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[String],
    ) -> Result<Self, SettingsError> {
        let from_file = match file {
            Some(path) => file::read(path)?,
            None if Path::new(DEFAULT_FILE).exists() => file::read(Path::new(DEFAULT_FILE))?,
            None => Layer::default(),
        };
        let from_environment = pairs::of_environment(environment)?;
        Self::from_layer(pairs::of_flags(flags)?.over(from_environment.over(from_file)))
    }

    /// Reads the text of a settings file as the only layer; `name` is what errors call it.
    pub fn of_text(name: &str, text: &str) -> Result<Self, SettingsError> {
        Self::from_layer(file::parse(name, text)?)
    }

    fn from_layer(layer: Layer) -> Result<Self, SettingsError> {
        let Layer { server, gateway_limits, public_limits, store, telegram, security, retention, log } =
            layer;
        let trusted_proxies = server.trusted_proxies.unwrap_or_default().0;
        let url = store.url.unwrap_or_default();
        let api_base = telegram.api_base.unwrap_or_else(|| values::address("https://api.telegram.org"));
        let proxy = match (telegram.proxy, telegram.proxy_file) {
            (Some(_), Some(_)) => {
                return Err(SettingsError::Conflict {
                    message: "telegram.proxy and telegram.proxy_file are both set: keep one of them"
                        .to_owned(),
                });
            }
            (Some(proxy), None) => Some(proxy),
            (None, Some(path)) => Some(values::read_proxy(&path)?),
            (None, None) => None,
        };
        let retention = Retention {
            keep: retention.days.unwrap_or(30 * values::DAY),
            at_most: retention.max_days.unwrap_or(90 * values::DAY),
            max_bytes: retention.max_bytes,
        };
        if retention.at_most < retention.keep {
            return Err(SettingsError::Conflict {
                message:
                    "retention.max_days is less than retention.days: events would be lost before they may go"
                        .to_owned(),
            });
        }
        let upstream = telegram.upstream.unwrap_or_default();
        if upstream == Upstream::Webhook && server.public_url.is_none() {
            return Err(SettingsError::Conflict {
                message: "telegram.upstream = \"webhook\" needs server.public_url: \
                          the https address at which Telegram reaches this machine"
                    .to_owned(),
            });
        }
        Ok(Self {
            gateway_limits: Limits {
                trusted_proxies: trusted_proxies.clone(),
                ..limits(&gateway_limits, Limits::APPS)
            },
            public_limits: Limits { trusted_proxies, ..limits(&public_limits, Limits::STRANGERS) },
            server: Server {
                gateway: server.gateway.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080))),
                public: server.public.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8081))),
                public_url: server.public_url,
                media_lifetime: Duration::from_hours(server.media_hours.unwrap_or(24).into()),
                console: server.console,
            },
            security: Security {
                key_file: security.key_file.unwrap_or_else(|| url.path().with_extension("key")),
                allow_private_addresses: security.allow_private_addresses.unwrap_or(false),
            },
            store: Store { url },
            telegram: Telegram {
                file_base: telegram.file_base.unwrap_or_else(|| api_base.clone()),
                api_base,
                proxy,
                upstream,
                wahelp_hosts: telegram.wahelp_hosts.unwrap_or_default().0,
            },
            retention,
            log: Log {
                format: log.format.unwrap_or_default(),
                filter: log.filter.unwrap_or_else(|| Log::DEFAULT_FILTER.to_owned()),
            },
        })
    }
}

fn limits(layer: &LimitsLayer, default: Limits) -> Limits {
    let seconds = |set: Option<u32>, default| set.map_or(default, |secs| Duration::from_secs(secs.into()));
    let size = |set: Option<u32>, default| set.and_then(|size| usize::try_from(size).ok()).unwrap_or(default);
    Limits {
        connections: size(layer.connections, default.connections),
        connections_per_peer: size(layer.connections_per_peer, default.connections_per_peer),
        head_bytes: size(layer.head_bytes, default.head_bytes),
        head: seconds(layer.head_secs, default.head),
        idle: seconds(layer.idle_secs, default.idle),
        stall: seconds(layer.stall_secs, default.stall),
        bytes_per_sec: layer.bytes_per_sec.unwrap_or(default.bytes_per_sec),
        body_bytes: layer.body_bytes.unwrap_or(default.body_bytes),
        requests_per_connection: layer
            .requests_per_connection
            .map_or(default.requests_per_connection, u64::from),
        refused_per_minute: layer.refused_per_minute.unwrap_or(default.refused_per_minute),
        trusted_proxies: default.trusted_proxies,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, environment: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let directory = tandem_testkit::folder();
        let path = directory.path().join("tandem.toml");
        std::fs::write(&path, file).unwrap();
        let environment = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Settings::load(Some(&path), environment, &[])
    }

    fn refusal(file: &str, environment: &[(&str, &str)]) -> String {
        let text = load(file, environment).unwrap_err().to_string();
        // The directory's name is random: everything up to the file's name goes.
        text.find("tandem.toml").map_or(text.clone(), |at| text[at..].to_owned())
    }

    #[test]
    fn everything_has_a_default() {
        let settings = load("", &[]).unwrap();
        assert_eq!(settings.server.gateway.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.store.url.path(), Path::new("tandem.db"));
        assert_eq!(settings.security.key_file, Path::new("tandem.key"));
        assert_eq!(settings.telegram.file_base.as_str(), "https://api.telegram.org/");
        assert_eq!(settings.retention.keep, Duration::from_hours(30 * 24));
    }

    #[test]
    fn the_example_is_the_defaults_and_names_every_key() {
        assert_eq!(show(&load(EXAMPLE, &[]).unwrap()), show(&Settings::defaults()));
        let uncommented: Vec<_> = EXAMPLE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => rest,
                _ => line,
            })
            .filter(|line| !line.starts_with("proxy_file"))
            .collect();
        let everything = show(&load(&uncommented.join("\n"), &[]).unwrap());
        assert!(!everything.contains("is not set"), "{everything}");
    }

    #[test]
    fn a_wrong_flag_is_named() {
        let refused = |flag: &str| Settings::load(None, [], &[flag.to_owned()]).unwrap_err().to_string();
        insta::assert_snapshot!(refused("server.gateway=x"), @"--set server.gateway: expected an address and a port such as 127.0.0.1:8080");
        insta::assert_snapshot!(refused("gateway"), @"--set: expected section.key=value, such as server.gateway=127.0.0.1:8080");
    }

    #[test]
    fn the_environment_wins_over_the_file_and_flags_over_both() {
        let file = "[server]\ngateway = '127.0.0.1:1'\npublic = '127.0.0.1:2'\n";
        let settings =
            load(file, &[("TANDEM_SERVER__GATEWAY", "127.0.0.1:3"), ("PATH", "/bin"), ("TANDEM_CACHE", "x")])
                .unwrap();
        assert_eq!(settings.server.gateway.port(), 3);
        assert_eq!(settings.server.public.port(), 2);
        let flags = ["server.gateway=127.0.0.1:4".to_owned()];
        let environment = [("TANDEM_SERVER__GATEWAY".to_owned(), "127.0.0.1:3".to_owned())];
        let settings = Settings::load(None, environment, &flags).unwrap();
        assert_eq!(settings.server.gateway.port(), 4);
    }

    #[test]
    fn a_wrong_value_names_the_file_the_line_the_key_and_what_is_expected() {
        insta::assert_snapshot!(
            refusal("[server]\n\ngatewya = '127.0.0.1:1'\n", &[]),
            @"tandem.toml line 3, server.gatewya: unknown field `gatewya`, expected one of `gateway`, `public`, `console`, `public_url`, `media_hours`, `trusted_proxies`"
        );
        insta::assert_snapshot!(
            refusal("[server]\ngateway = 'localhost'\n", &[]),
            @"tandem.toml line 2, server.gateway: expected an address and a port such as 127.0.0.1:8080"
        );
        insta::assert_snapshot!(
            refusal("[retention]\ndays = 'many'\n", &[]),
            @"tandem.toml line 2, retention.days: expected a number of days"
        );
        insta::assert_snapshot!(
            refusal("[telegram]\nupstream = 'pull'\n", &[]),
            @r#"tandem.toml line 2, telegram.upstream: expected "auto", "polling" or "webhook""#
        );
        insta::assert_snapshot!(
            refusal("[server\n", &[]),
            @"tandem.toml line 1: unclosed table, expected `]`"
        );
    }

    #[test]
    fn a_wrong_variable_is_named() {
        insta::assert_snapshot!(
            refusal("", &[("TANDEM_STORE__URL", "mysql://x")]),
            @r#"TANDEM_STORE__URL: expected "sqlite:" and a path, such as "sqlite:tandem.db""#
        );
        insta::assert_snapshot!(
            refusal("", &[("TANDEM_SERVER__GATEWYA", "x")]),
            @"TANDEM_SERVER__GATEWYA: unknown field `gatewya`, expected one of `gateway`, `public`, `console`, `public_url`, `media_hours`, `trusted_proxies`"
        );
        insta::assert_snapshot!(
            refusal("", &[("TANDEM_SERVR__GATEWAY", "x")]),
            @"TANDEM_SERVR__GATEWAY: unknown field `servr`, expected one of `server`, `gateway_limits`, `public_limits`, `store`, `telegram`, `security`, `retention`, `log`"
        );
    }

    #[test]
    fn a_part_of_a_day_is_read_and_shown_as_one() {
        let settings = load("[retention]\ndays = 0.25\nmax_days = '1.5'\n", &[]).unwrap();
        let hours = |duration: Duration| duration.as_secs_f64() / 3600.0;
        assert_eq!((hours(settings.retention.keep), hours(settings.retention.at_most)), (6.0, 36.0));
        let shown = show(&settings);
        assert!(shown.contains("\ndays = 0.25\nmax_days = 1.5\n"), "{shown}");
        for days in ["-1", "nan", "inf", "1e300", "true"] {
            let refused = refusal(&format!("[retention]\ndays = {days}\n"), &[]);
            assert!(refused.contains("expected a number of days"), "{refused}");
        }
    }

    #[test]
    fn values_that_do_not_fit_together_are_refused() {
        insta::assert_snapshot!(
            refusal("[telegram]\nupstream = 'webhook'\n", &[]),
            @r#"telegram.upstream = "webhook" needs server.public_url: the https address at which Telegram reaches this machine"#
        );
        insta::assert_snapshot!(
            refusal("[retention]\ndays = 10\nmax_days = 5\n", &[]),
            @"retention.max_days is less than retention.days: events would be lost before they may go"
        );
    }

    #[test]
    fn a_proxy_with_a_password_is_shown_by_nothing() {
        let settings = load("[telegram]\nproxy = 'socks5://me:pa55w0rd@127.0.0.1:1080'\n", &[]).unwrap();
        assert!(!format!("{settings:?}").contains("pa55w0rd"));
        assert!(!show(&settings).contains("pa55w0rd"));
        let refusal = refusal("[telegram]\nproxy = 'ftp://me:pa55w0rd@127.0.0.1'\n", &[]);
        insta::assert_snapshot!(
            refusal,
            @r#"tandem.toml line 2, telegram.proxy: expected "socks5://host:port" or "http://host:port", with user:password@ before the host if it asks for them"#
        );
    }

    #[test]
    fn what_is_shown_can_be_read_back() {
        let settings =
            load("[server]\npublic_url = 'https://bots.example/'\n[store]\nurl = 'sqlite:a/b.db'\n", &[]);
        let shown = show(&settings.unwrap());
        let again = load(&shown, &[]).unwrap();
        assert_eq!(show(&again), shown);
    }
}
