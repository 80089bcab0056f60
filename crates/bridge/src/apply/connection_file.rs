//! `[[connection]]` in a file: the keys of each vendor's connections.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use super::{
    DesiredConnection,
    file::{Problem, Source},
};

/// What a file says of an account at amoCRM or Kommo.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenConnection {
    name: Spanned<String>,
    vendor: Spanned<String>,
    platform: Option<Platform>,
    account: String,
    token_file: Option<Spanned<String>>,
    oauth: Option<Oauth>,
    channel: Option<Channel>,
    limits: Option<Limits>,
    rest_base: Option<String>,
    chats_base: Option<String>,
    oauth_base: Option<String>,
    #[serde(default)]
    fetch_hosts: Vec<String>,
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
        let vendor = written.vendor.get_ref().clone();
        if vendor != "amocrm" {
            let what = format!("connections to {vendor:?} do not exist in this version; expected \"amocrm\"");
            return Err(self.problem(written.vendor.span().start, what));
        }
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
        let platform = written.platform.map(|platform| match platform {
            Platform::Amocrm => "amocrm",
            Platform::Kommo => "kommo",
        });
        let hosts = Some(written.fetch_hosts).filter(|hosts| !hosts.is_empty());
        let settings = object([
            ("account", Some(written.account.into())),
            ("platform", platform.map(Value::from)),
            ("rest_base", text(written.rest_base)),
            ("chats_base", text(written.chats_base)),
            ("oauth_base", text(written.oauth_base)),
            ("channel", channel),
            ("oauth", oauth),
            ("limits", limits),
            ("fetch_hosts", hosts.map(Value::from)),
        ]);
        Ok(DesiredConnection { name, vendor, settings, secrets })
    }
}
