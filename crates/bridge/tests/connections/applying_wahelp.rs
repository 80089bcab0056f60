//! A connection to Wahelp and its routes in a file: every key is one that Wahelp's own crate knows.

use std::{io, sync::Arc};

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::json;
use tandem_bridge::{
    RouteMode, WahelpEncoding, WahelpFiles,
    apply::{Desired, Problem, parse},
};
use tandem_model::{ConnectionId, SeededRng};
use tandem_testkit::ManualClock;
use tandem_vendor::{ConnectionSetting, Keep, KeepError, OpenError, Vendor};
use tandem_wahelp::Wahelp;

const CONNECTION: &str = r#"
[[connection]]
name = "wa"
vendor = "wahelp"
api_base = "https://message.help/"
login = "shop"
password_file = "secret"
hook_secret_file = "hook"
project = 4242
channels = [{ alias = "clients_tg", uuid = "0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0", kind = "account" }]
words = { unreachable = ["gone"], sent = ["queued"], outbound_prefixes = ["from_"] }
pace = { min_gap_ms = 90000, first_gap_ms = 150000, daily_cap = 100 }
time_offset = "+05:00"
telegram_id = "uid"
file_field = "attachment"
fetch_hosts = ["files.example"]
"#;

const ROUTE: &str = r#"
[[bot]]
token_file = "token"
  [[bot.route]]
  name = "wahelp"
  kind = "wahelp"
  mode = "api"
  connection = "wa"
  channel = "clients_tg"
  destination = "from_operator"
  encoding = "multipart"
  files = "form"
  personal_account = "confirmed"
  talk_minutes = 5
"#;

fn read(text: &str) -> Result<Desired, Problem> {
    let files = |name: &str| match name {
        "secret" => Ok("pass".to_owned()),
        "hook" => Ok("0123456789abcdef0123456789abcdef".to_owned()),
        "token" => Ok("777:token".to_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    parse("bots.toml", text, &files)
}

#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl Keep for Nowhere {
    async fn keep(&self, _: Vec<(&'static str, SecretString)>) -> Result<(), KeepError> {
        Ok(())
    }
}

/// As Wahelp's crate takes what the file says.
fn open(desired: &Desired) -> Result<(), OpenError> {
    let connection = &desired.connections[0];
    let secrets = connection.secrets.iter();
    let setting = ConnectionSetting {
        id: ConnectionId::new(1).unwrap(),
        name: connection.name.clone(),
        document: connection.settings.clone(),
        secrets: secrets.map(|(name, secret)| (name.clone(), secret.expose().to_owned().into())).collect(),
        public_url: None,
    };
    let rng = Arc::new(SeededRng::from_seed(1));
    let vendor = Wahelp::new(&tandem_amocrm::Settings::default(), Arc::new(ManualClock::new()), rng).unwrap();
    vendor.open(&setting, Arc::new(Nowhere)).map(drop)
}

#[test]
fn every_key_of_a_file_is_taken_by_wahelp() {
    let desired = read(&format!("{CONNECTION}{ROUTE}")).unwrap();
    open(&desired).unwrap();
    assert_eq!(desired.connections[0].settings["project"], "4242");
    let names: Vec<_> = desired.connections[0].secrets.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["password", "hook_secret"]);
    let route = &desired.bots[0].routes[0];
    assert_eq!((route.document.mode, route.connection.as_deref()), (Some(RouteMode::Api), Some("wa")));
    let channel = route.document.channel.as_ref().unwrap();
    let wahelp = channel.wahelp.as_ref().unwrap();
    assert_eq!(
        (wahelp.channel.as_str(), wahelp.destination.as_deref()),
        ("clients_tg", Some("from_operator"))
    );
    assert_eq!((wahelp.encoding, wahelp.files), (WahelpEncoding::Multipart, WahelpFiles::Form));
    assert_eq!(channel.talk_minutes, 5);
    let shown = serde_json::to_value(wahelp).unwrap();
    assert_eq!(shown["personal_account"], json!("confirmed"));
}

#[test]
fn what_is_wrong_is_named_with_what_to_write() {
    let whole = format!("{CONNECTION}{ROUTE}");
    for (from, to, words) in [
        ("channel = \"clients_tg\"\n", "", "the route has no channel"),
        ("connection = \"wa\"\n", "", "the route has no connection"),
        ("mode = \"api\"", "mode = \"channel\"", "expected \"native\" or \"api\""),
        ("talk_minutes = 5", "silent = true", "mean nothing at Wahelp"),
        ("talk_minutes = 5", "source = \"x\"", "mean nothing at Wahelp"),
        ("\"confirmed\"", "\"yes\"", "expected `confirmed`"),
        ("project = 4242\n", "", "the connection has no project"),
        ("login = \"shop\"", "account = \"shop.amocrm.ru\"", "belong to amoCRM"),
    ] {
        let problem = read(&whole.replacen(from, to, 1)).unwrap_err();
        assert!(problem.what.contains(words), "{problem}");
    }
    for (from, to, words) in [
        ("login = \"shop\"\n", "", "no login"),
        ("min_gap_ms", "min_gap", "unknown field `min_gap`"),
        ("\"+05:00\"", "\"Moscow\"", "time_offset"),
        ("\"https://message.help/\"", "\"message.help\"", "api_base"),
        ("kind = \"account\"", "kind = \"person\"", "unknown variant `person`"),
    ] {
        let error = open(&read(&whole.replacen(from, to, 1)).unwrap()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
