//! `[[connection]]` in a file: the keys of each vendor's connections.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use super::{
    DesiredConnection,
    file::{Problem, Source},
};

/// What a file says of an account: the keys of all vendors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenConnection {
    name: Spanned<String>,
    vendor: Spanned<String>,
    platform: Option<Platform>,
    account: Option<String>,
    token_file: Option<Spanned<String>>,
    oauth: Option<Oauth>,
    channel: Option<Channel>,
    limits: Option<Limits>,
    people: Option<People>,
    rest_base: Option<String>,
    chats_base: Option<String>,
    oauth_base: Option<String>,
    #[serde(default)]
    fetch_hosts: Vec<String>,
    api_base: Option<String>,
    login: Option<String>,
    password_file: Option<Spanned<String>>,
    hook_secret_file: Option<Spanned<String>>,
    project: Option<Number>,
    channels: Option<Value>,
    words: Option<Value>,
    pace: Option<Value>,
    time_offset: Option<String>,
    telegram_id: Option<String>,
    file_field: Option<String>,
}

/// A number, which may stand in quotes.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a number")]
enum Number {
    Number(u64),
    Text(String),
}

impl WrittenConnection {
    fn has_wahelp_keys(&self) -> bool {
        let texts = [&self.api_base, &self.login, &self.time_offset, &self.telegram_id, &self.file_field];
        let values = [&self.channels, &self.words, &self.pace];
        texts.into_iter().any(Option::is_some)
            || values.into_iter().any(Option::is_some)
            || self.password_file.is_some()
            || self.hook_secret_file.is_some()
            || self.project.is_some()
    }

    fn has_amocrm_keys(&self) -> bool {
        let texts = [&self.account, &self.rest_base, &self.chats_base, &self.oauth_base];
        texts.into_iter().any(Option::is_some)
            || self.platform.is_some()
            || self.oauth.is_some()
            || self.channel.is_some()
            || self.limits.is_some()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Platform {
    Amocrm,
    Kommo,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Oauth {
    client_id: String,
    client_secret_file: Spanned<String>,
    redirect_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Channel {
    id: String,
    secret_file: Spanned<String>,
    bot_id: String,
    code: Option<String>,
    account: Option<String>,
    title: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    rest_per_second: Option<u32>,
    rest_reserve: Option<u32>,
    account_per_second: Option<u32>,
    chats_at_once: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct People {
    telegram_id_field: Option<FieldName>,
    search_lag_secs: Option<u64>,
    double_notes: Option<bool>,
}

/// A field's code, or its number.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a field's code, such as \"TELEGRAM_ID\", or its number")]
enum FieldName {
    Number(u64),
    Code(String),
}

/// An object of what is there.
fn object<const FIELDS: usize>(fields: [(&str, Option<Value>); FIELDS]) -> Value {
    let there = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect::<Map<_, _>>())
}

fn text(text: Option<String>) -> Option<Value> {
    text.map(Value::String)
}

impl Source<'_> {
    pub(super) fn connection(
        &self,
        written: WrittenConnection,
        names: &mut BTreeSet<String>,
    ) -> Result<DesiredConnection, Problem> {
        let name = self.name(&written.name, names)?;
        let at = written.vendor.span().start;
        match written.vendor.get_ref().as_str() {
            "amocrm" => self.amocrm(name, written),
            "wahelp" => self.wahelp(name, written),
            vendor => {
                let what = format!(
                    "connections to {vendor:?} do not exist in this version; expected \"amocrm\" or \"wahelp\""
                );
                Err(self.problem(at, what))
            }
        }
    }

    fn wahelp(&self, name: String, written: WrittenConnection) -> Result<DesiredConnection, Problem> {
        let at = written.vendor.span().start;
        if written.has_amocrm_keys() {
            let what = "account, platform, oauth, channel, limits, rest_base, chats_base and oauth_base belong to amoCRM";
            return Err(self.problem(at, what));
        }
        let project = match written.project {
            Some(Number::Number(number)) => number.to_string(),
            Some(Number::Text(text)) => text,
            None => return Err(self.problem(at, "the connection has no project; expected its number")),
        };
        let mut secrets = Vec::new();
        let files = [
            ("password", &written.password_file),
            ("token", &written.token_file),
            ("hook_secret", &written.hook_secret_file),
        ];
        for (secret, file) in files {
            if let Some(file) = file {
                secrets.push((secret.to_owned(), self.secret(file)?));
            }
        }
        let hosts = Some(written.fetch_hosts).filter(|hosts| !hosts.is_empty());
        let settings = object([
            ("project", Some(project.into())),
            ("api_base", text(written.api_base)),
            ("login", text(written.login)),
            ("channels", written.channels),
            ("words", written.words),
            ("pace", written.pace),
            ("time_offset", text(written.time_offset)),
            ("telegram_id", text(written.telegram_id)),
            ("file_field", text(written.file_field)),
            ("fetch_hosts", hosts.map(Value::from)),
        ]);
        Ok(DesiredConnection { name, vendor: "wahelp".to_owned(), settings, secrets })
    }

    fn amocrm(&self, name: String, written: WrittenConnection) -> Result<DesiredConnection, Problem> {
        let at = written.vendor.span().start;
        if written.has_wahelp_keys() {
            let what = "api_base, login, password_file, hook_secret_file, project, channels, words, pace, time_offset, \
                        telegram_id and file_field belong to Wahelp";
            return Err(self.problem(at, what));
        }
        let Some(account) = written.account else {
            return Err(self.problem(at, "the connection has no account; expected its host"));
        };
        let mut secrets = Vec::new();
        if let Some(file) = &written.token_file {
            secrets.push(("token".to_owned(), self.secret(file)?));
        }
        let mut oauth = None;
        if let Some(Oauth { client_id, client_secret_file, redirect_url }) = written.oauth {
            secrets.push(("client_secret".to_owned(), self.secret(&client_secret_file)?));
            oauth = Some(object([
                ("client_id", Some(client_id.into())),
                ("redirect_url", Some(redirect_url.into())),
            ]));
        }
        let mut channel = None;
        if let Some(Channel { id, secret_file, bot_id, code, account, title }) = written.channel {
            secrets.push(("channel_secret".to_owned(), self.secret(&secret_file)?));
            channel = Some(object([
                ("id", Some(id.into())),
                ("bot_id", Some(bot_id.into())),
                ("code", text(code)),
                ("account", text(account)),
                ("title", text(title)),
            ]));
        }
        let limits = written.limits.map(|limits| {
            object([
                ("rest_per_second", limits.rest_per_second.map(Value::from)),
                ("rest_reserve", limits.rest_reserve.map(Value::from)),
                ("account_per_second", limits.account_per_second.map(Value::from)),
                ("chats_at_once", limits.chats_at_once.map(Value::from)),
            ])
        });
        let people = written.people.map(|people| {
            let field = people.telegram_id_field.map(|field| match field {
                FieldName::Number(number) => Value::String(number.to_string()),
                FieldName::Code(code) => Value::String(code),
            });
            object([
                ("telegram_id_field", field),
                ("search_lag_secs", people.search_lag_secs.map(Value::from)),
                ("double_notes", people.double_notes.map(Value::from)),
            ])
        });
        let platform = written.platform.map(|platform| match platform {
            Platform::Amocrm => "amocrm",
            Platform::Kommo => "kommo",
        });
        let hosts = Some(written.fetch_hosts).filter(|hosts| !hosts.is_empty());
        let settings = object([
            ("account", Some(account.into())),
            ("platform", platform.map(Value::from)),
            ("rest_base", text(written.rest_base)),
            ("chats_base", text(written.chats_base)),
            ("oauth_base", text(written.oauth_base)),
            ("channel", channel),
            ("oauth", oauth),
            ("limits", limits),
            ("people", people),
            ("fetch_hosts", hosts.map(Value::from)),
        ]);
        Ok(DesiredConnection { name, vendor: "amocrm".to_owned(), settings, secrets })
    }
}
