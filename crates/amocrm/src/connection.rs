//! A connection that can be used: addresses parsed, secrets at hand.

use secrecy::{ExposeSecret, SecretString};
use tandem_vendor::{ConnectionSetting, OpenError};
use url::{Host, Url};

use crate::{
    document::{ConnectionDocument, LimitsDocument, PeopleDocument, Platform, secret},
    sign::ChannelKey,
};

/// All that an account is made of.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) name: String,
    pub(crate) account_host: String,
    pub(crate) platform: Platform,
    pub(crate) rest: Base,
    pub(crate) chats: Base,
    /// The page where a person grants access.
    pub(crate) grant_page: Base,
    pub(crate) token_server: Base,
    pub(crate) channel: Option<Channel>,
    pub(crate) integration: Option<Integration>,
    pub(crate) access: Access,
    pub(crate) limits: LimitsDocument,
    pub(crate) people: PeopleDocument,
    pub(crate) fetch_hosts: Vec<String>,
    /// Where our public listener is reached.
    pub(crate) public_url: Option<String>,
    /// What stands in the address of the account's hooks, once there is one.
    pub(crate) hook_secret: Option<SecretString>,
}

/// A server, and what stands before its paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    url: Url,
    prefix: String,
}

/// A channel with its key.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) bot_id: String,
    /// The account's id at the chat service, where it was given.
    pub(crate) account: Option<String>,
    pub(crate) title: String,
    /// Its code, which its sources carry.
    pub(crate) code: Option<String>,
    pub(crate) key: ChannelKey,
}

/// An integration that works by OAuth.
#[derive(Debug, Clone)]
pub(crate) struct Integration {
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
    pub(crate) redirect_url: String,
}

/// By what the account's API is asked.
#[derive(Debug, Clone)]
pub(crate) enum Access {
    /// It is not.
    Nothing,
    /// A long-lived token.
    LongLived(SecretString),
    /// A pair that OAuth gave, once somebody has granted access.
    Granted(Option<(SecretString, SecretString)>),
}

impl Connection {
    pub(crate) fn read(setting: &ConnectionSetting) -> Result<Self, OpenError> {
        let document: ConnectionDocument = serde_json::from_value(setting.document.clone())
            .map_err(|error| unusable("settings", error.to_string()))?;
        let platform = document.platform;
        let account_host = document.account.to_ascii_lowercase();
        if !platform.has_account(&account_host) {
            let example = format!("shop.{}", platform.domains()[0]);
            return Err(unusable("account", format!("it is no host of an account, such as {example}")));
        }
        let at_account = format!("https://{account_host}");
        let base = |what, given: &Option<String>, usual: &str| {
            Base::parse(given.as_deref().unwrap_or(usual)).map_err(|problem| unusable(what, problem))
        };
        let integration = integration(&document, setting)?;
        let access = match (setting.secret(secret::TOKEN), &integration) {
            (Some(token), _) => Access::LongLived(token.clone()),
            (None, None) => Access::Nothing,
            (None, Some(_)) => {
                let (access, refresh) =
                    (setting.secret(secret::ACCESS_TOKEN), setting.secret(secret::REFRESH_TOKEN));
                Access::Granted(access.cloned().zip(refresh.cloned()))
            }
        };
        let channel = channel(&document, setting)?;
        if let (None, Access::Nothing) = (&channel, &access) {
            return Err(OpenError::Missing { what: "token, oauth or channel" });
        }
        if let (Some(Channel { account: None, .. }), Access::Nothing) = (&channel, &access) {
            return Err(OpenError::Missing {
                what: "token to ask for the account's amojo_id, nor channel.account",
            });
        }
        check_limits(document.limits)?;
        if !is_field(&document.people.telegram_id_field) {
            let problem = "it is neither a field's code, such as TELEGRAM_ID, nor its number".to_owned();
            return Err(unusable("people.telegram_id_field", problem));
        }
        Ok(Self {
            name: setting.name.clone(),
            platform,
            rest: base("rest_base", &document.rest_base, &at_account)?,
            chats: base("chats_base", &document.chats_base, platform.chats_base())?,
            grant_page: base("oauth_base", &document.oauth_base, platform.oauth_base())?,
            token_server: base("oauth_base", &document.oauth_base, &at_account)?,
            channel,
            integration,
            access,
            limits: document.limits,
            people: document.people,
            fetch_hosts: document.fetch_hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            account_host,
            public_url: setting.public_url.clone(),
            hook_secret: setting.secret(secret::HOOK_SECRET).cloned(),
        })
    }
}

fn integration(
    document: &ConnectionDocument,
    setting: &ConnectionSetting,
) -> Result<Option<Integration>, OpenError> {
    let Some(oauth) = &document.oauth else { return Ok(None) };
    let client_secret =
        setting.secret(secret::CLIENT_SECRET).ok_or(OpenError::Missing { what: "oauth.client_secret" })?;
    if oauth.client_id.is_empty() || !oauth.client_id.bytes().all(is_of_an_id) {
        return Err(unusable("oauth.client_id", "it is no id of an integration".to_owned()));
    }
    Url::parse(&oauth.redirect_url).map_err(|error| unusable("oauth.redirect_url", error.to_string()))?;
    Ok(Some(Integration {
        client_id: oauth.client_id.clone(),
        client_secret: client_secret.clone(),
        redirect_url: oauth.redirect_url.clone(),
    }))
}

fn channel(document: &ConnectionDocument, setting: &ConnectionSetting) -> Result<Option<Channel>, OpenError> {
    let Some(channel) = &document.channel else { return Ok(None) };
    let secret =
        setting.secret(secret::CHANNEL_SECRET).ok_or(OpenError::Missing { what: "channel.secret" })?;
    let ids = [("channel.id", Some(&channel.id)), ("channel.bot_id", Some(&channel.bot_id))];
    for (what, id) in ids.into_iter().chain([("channel.account", channel.account.as_ref())]) {
        if id.is_some_and(|id| !is_amojo_id(id)) {
            return Err(unusable(what, "it is no id of the chat service, such as 0b1c2d3e-…".to_owned()));
        }
    }
    if secret.expose_secret().trim().is_empty() {
        return Err(OpenError::Missing { what: "channel.secret" });
    }
    Ok(Some(Channel {
        id: channel.id.clone(),
        bot_id: channel.bot_id.clone(),
        account: channel.account.clone(),
        title: channel.title.clone().unwrap_or_else(|| setting.name.clone()),
        code: channel.code.clone(),
        key: ChannelKey::new(secret),
    }))
}

fn check_limits(limits: LimitsDocument) -> Result<(), OpenError> {
    let LimitsDocument { rest_per_second, rest_reserve, account_per_second, chats_at_once } = limits;
    if rest_per_second == 0 || account_per_second == 0 || chats_at_once == 0 {
        return Err(unusable("limits", "none of them can be 0".to_owned()));
    }
    if rest_reserve >= rest_per_second {
        return Err(unusable("limits.rest_reserve", "it must be below rest_per_second".to_owned()));
    }
    Ok(())
}

fn unusable(what: &'static str, problem: String) -> OpenError {
    OpenError::Unusable { what, problem }
}

/// Whether this is what the chat service calls things by, and so harmless in a path.
pub(crate) fn is_amojo_id(id: &str) -> bool {
    (8..=64).contains(&id.len()) && id.bytes().all(is_of_an_id)
}

fn is_field(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

const fn is_of_an_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

impl Base {
    /// `http://host` or `https://host`, optionally with a port and a path.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("only http:// and https:// are possible".to_owned());
        }
        let extra = !url.username().is_empty() || url.password().is_some();
        if extra || url.query().is_some() || url.fragment().is_some() {
            return Err("an address of a server has no user, query or fragment".to_owned());
        }
        let prefix = url.path().trim_end_matches('/').to_owned();
        Ok(Self { url, prefix })
    }

    /// What a path is behind what stands before it.
    pub(crate) fn path(&self, path: &str) -> String {
        if self.prefix.is_empty() { path.to_owned() } else { format!("{}{path}", self.prefix) }
    }

    /// The address of a whole path and a query.
    pub(crate) fn at(&self, path: &str, query: Option<&str>) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url.set_query(query);
        url
    }

    /// Its host, without a port.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or("")
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Its host and port.
    pub(crate) fn authority(&self) -> String {
        match (self.url.host(), self.url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => Host::to_string(&host.to_owned()),
            (None, _) => String::new(),
        }
    }
}
