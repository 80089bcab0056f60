//! Connections and channel routes in a file: read, planned, carried out, planned again.

use std::{collections::BTreeMap, io, sync::Arc};

use async_trait::async_trait;
use serde_json::json;
use tandem_bridge::{
    ConnectError, Connected, Connector, Language, PublicUrl, RouteDocument, RouteMode, RouteSetting,
    apply::{Desired, Problem, parse},
    operations::{Applied, Apply, ApplyMode, Others, Refusal, RefusalCode, Request, Response},
};
use tandem_lanes::{Delivered, Destination, LaneAddress, PushSpec, Run};
use tandem_sandbox::telegram::Bot;

use crate::{
    crm::Crm,
    support::{Service, assert_no_secret, id},
    world::Shop,
};

const TOKEN: &str = "t0ken-of-the-account";
const CHANNEL: &str = "5ecret-of-the-channel";

const CONNECTION: &str = r#"
[[connection]]
name = "shop"
vendor = "amocrm"
account = "shop.amocrm.ru"
token_file = "token"
  [connection.channel]
  id = "channel"
  secret_file = "channel"
  bot_id = "bot"
"#;

const ROUTE: &str = r#"
  [[bot.route]]
  name = "amocrm"
  kind = "amocrm"
  mode = "channel"
  connection = "shop"
"#;

/// Takes what a channel's routes are told and does nothing with it.
struct Taking;

impl Connector for Taking {
    fn serves(&self, route: &RouteDocument) -> bool {
        route.mode == Some(RouteMode::Channel)
    }

    fn connect(&self, _: LaneAddress, _: &RouteSetting) -> Result<Connected, ConnectError> {
        Ok(Connected { spec: PushSpec::route(), destination: Arc::new(Self) })
    }
}

#[async_trait]
impl Destination for Taking {
    async fn deliver(&self, run: &Run) -> Delivered {
        Delivered::all(run)
    }
}

async fn shop() -> Shop {
    let mut shop = Shop::with(Crm::named("amocrm")).await;
    shop.stage.connectors = vec![Arc::new(Taking)];
    shop
}

fn try_read(bot: &Bot, text: &str) -> Result<Desired, Problem> {
    let files: BTreeMap<&str, String> =
        [("token", TOKEN.to_owned()), ("channel", CHANNEL.to_owned()), ("bot", bot.token())].into();
    parse("bots.toml", text, &|name| {
        files.get(name).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    })
}

fn file(bot: &Bot, connection: &str, route: &str) -> Desired {
    try_read(bot, &format!("{connection}\n[[bot]]\ntoken_file = \"bot\"\n{route}")).unwrap()
}

async fn apply(
    shop: &Shop,
    service: &Service,
    desired: &Desired,
    mode: ApplyMode,
    others: Others,
) -> Result<Applied, Refusal> {
    let apply = Apply { desired: desired.clone(), mode, others };
    let performing = service.bridge.perform(Request::Apply(apply));
    tokio::pin!(performing);
    let response = shop
        .stage
        .in_time("what is applied", async || {
            tokio::time::timeout(std::time::Duration::from_millis(20), &mut performing).await.ok()
        })
        .await?;
    let Response::Applied(applied) = response else { panic!("{response:?}") };
    Ok(applied)
}

fn said(applied: &Applied) -> Vec<(String, String)> {
    applied.steps.iter().map(|step| (step.what.clone(), step.sentence.clone())).collect()
}

#[tokio::test]
async fn a_connection_and_its_route_are_planned_made_and_then_there() {
    let shop = shop().await;
    let service = shop.stage.serve().await;
    let bot = shop.bot();
    let desired = file(&bot, CONNECTION, ROUTE);
    let plan = apply(&shop, &service, &desired, ApplyMode::Plan, Others::Keep).await.unwrap();
    let sentences = said(&plan);
    assert_eq!(
        sentences[0],
        ("connection shop".to_owned(), "Make a connection to shop.amocrm.ru.".to_owned())
    );
    assert!(sentences.iter().any(|(what, sentence)| {
        what.ends_with("/amocrm")
            && sentence == "Make a route of amocrm, mode channel, through connection shop; it begins with the next event."
    }), "{sentences:?}");
    assert_eq!(service.bridge.connection_views(), []);

    let done = apply(&shop, &service, &desired, ApplyMode::Execute, Others::Keep).await.unwrap();
    assert_eq!((said(&done), done.refused.len()), (sentences, 0));
    assert_no_secret(&done, &[TOKEN.to_owned(), CHANNEL.to_owned()]);
    let opened = shop.crm.opened().pop().unwrap();
    let names: Vec<_> = opened.secrets.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["channel_secret", "token"]);
    assert_eq!(
        opened.document,
        json!({"account": "shop.amocrm.ru", "channel": {"id": "channel", "bot_id": "bot"}})
    );
    let again = apply(&shop, &service, &desired, ApplyMode::Execute, Others::Prune).await.unwrap();
    assert_eq!(said(&again), []);
    let row = service.store.list_routes(id(&bot)).await.unwrap().remove(0);
    let shop_id = service.store.find_connection("shop".to_owned()).await.unwrap().unwrap().id;
    assert_eq!(row.connection, Some(shop_id));

    // What changes is named, and only that is changed.
    let route = format!("{ROUTE}  talk_minutes = 5\n  keyboard = \"inline\"\n");
    let changed = file(&bot, &CONNECTION.replace("shop.amocrm.ru", "new.amocrm.ru"), &route);
    let done = apply(&shop, &service, &changed, ApplyMode::Execute, Others::Keep).await.unwrap();
    let sentences: Vec<_> = said(&done).into_iter().map(|(_, sentence)| sentence).collect();
    assert_eq!(sentences, ["Change its settings.", "Change how its channel goes."]);
    let row = service.store.list_routes(id(&bot)).await.unwrap().remove(0);
    let document: RouteDocument = row.document.read().unwrap();
    assert_eq!((document.channel.unwrap().talk_minutes, row.connection), (5, Some(shop_id)));

    // Without its route it goes, when that is asked for.
    let alone = file(&bot, "", "");
    let kept = apply(&shop, &service, &alone, ApplyMode::Execute, Others::Keep).await.unwrap();
    assert_eq!(said(&kept), []);
    let pruned = apply(&shop, &service, &alone, ApplyMode::Execute, Others::Prune).await.unwrap();
    let what: Vec<_> = pruned.steps.iter().map(|step| step.what.clone()).collect();
    assert!(what.len() == 2 && what[0].ends_with("/amocrm") && what[1] == "connection shop", "{what:?}");
    assert_eq!(service.bridge.connection_views(), []);
    service.stop().await;
}

#[tokio::test]
async fn what_a_file_cannot_say_of_connections_is_named_with_its_line_and_what_to_write() {
    let shop = shop().await;
    let bot = shop.bot();
    let with = |connection: &str, route: &str| {
        try_read(&bot, &format!("{connection}\n[[bot]]\ntoken_file = \"bot\"\n{route}")).unwrap_err()
    };
    let replaced = |from: &str, to: &str| with(&CONNECTION.replace(from, to), ROUTE);
    for (problem, key, words) in [
        (replaced("\"amocrm\"", "\"icq\""), "vendor", "expected \"amocrm\" or \"wahelp\""),
        (replaced("\"amocrm\"", "\"wahelp\""), "vendor", "belong to amoCRM"),
        (replaced("token_file", "project = 1\ntoken_file"), "vendor", "belong to Wahelp"),
        (replaced("token_file = \"token\"", "token = \"x\""), "token", "unknown field"),
        (replaced("bot_id", "bot"), "bot", "unknown field"),
        (replaced("\"token\"", "\"none\""), "token_file", "cannot be read"),
        (with(CONNECTION, &ROUTE.replace("connection = \"shop\"", "")), "kind", "name of a [[connection]]"),
        (with(CONNECTION, &ROUTE.replace("\"channel\"", "\"api\"")), "mode", "\"native\" or \"channel\""),
        (
            with(CONNECTION, &ROUTE.replace("\"channel\"", "\"native\"\n  pipeline = 1")),
            "kind",
            "belong to mode",
        ),
        (
            with(CONNECTION, &ROUTE.replace("\"channel\"", "\"native\"\n  start_first = [\"tag\"]")),
            "kind",
            "belong to mode",
        ),
        (with(CONNECTION, &format!("{ROUTE}  start_first = [\"utm\"]")), "start_first", "no place for"),
        (with(CONNECTION, &format!("{ROUTE}  lead_check_minutes = 0")), "lead_check_minutes", "1 minute"),
        (with(CONNECTION, &format!("{ROUTE}  leads = \"sometimes\"")), "leads", "unknown variant"),
        (with(&format!("{CONNECTION}  [connection.people]\n  field = 1\n"), ROUTE), "field", "unknown field"),
        (with(CONNECTION, &format!("{ROUTE}  source = \"{}\"", "x".repeat(37))), "source", "36"),
        (with(CONNECTION, &format!("{ROUTE}  keyboard = \"big\"")), "keyboard", "unknown variant"),
        (with(&CONNECTION.repeat(2), ROUTE), "name", "stands here twice"),
    ] {
        assert!(problem.what.contains(words) && problem.key == key, "{problem}");
    }
    let kommo = CONNECTION.replace("account", "platform = \"kommo\"\naccount");
    let language = |desired: &Desired| desired.bots[0].routes[0].document.channel.as_ref().unwrap().language;
    assert_eq!(language(&file(&bot, &kommo, ROUTE)), Language::English);
    assert_eq!(language(&file(&bot, &kommo, &format!("{ROUTE}  language = \"ru\""))), Language::Russian);
    assert_eq!(language(&file(&bot, CONNECTION, ROUTE)), Language::Russian);
}

#[tokio::test]
async fn a_file_says_how_people_are_found_and_what_becomes_of_their_leads() {
    let shop = shop().await;
    let bot = shop.bot();
    let people = "  [connection.people]\n  telegram_id_field = 702102\n  double_notes = false\n";
    let route = format!(
        "{ROUTE}  pipeline = 7\n  stage = 71\n  responsible = 8\n  leads = \"leave\"\n  reopen_lost = true\n  \
         reopen_stage = 72\n  lead_check_minutes = 5\n  accept_unsorted = true\n  source_name = \"Shop\"\n  \
         start_first = [\"utm_source\", \"contact:702104\"]\n  start_latest = [\"lead:LATEST\", \"tag\"]\n  \
         close_talk_on_start = true\n"
    );
    let desired = file(&bot, &format!("{CONNECTION}{people}"), &route);
    assert_eq!(
        desired.connections[0].settings["people"],
        json!({"telegram_id_field": "702102", "double_notes": false})
    );
    let channel = desired.bots[0].routes[0].document.channel.clone().unwrap();
    let vendors = channel.for_vendor(id(&bot));
    for (key, value) in [
        ("pipeline", json!(7)),
        ("stage", json!(71)),
        ("responsible", json!(8)),
        ("leads", json!("leave")),
        ("reopen_lost", json!(true)),
        ("reopen_stage", json!(72)),
        ("accept_unsorted", json!(true)),
        ("source_name", json!("Shop")),
        ("start_first", json!(["utm_source", "contact:702104"])),
        ("start_latest", json!(["lead:LATEST", "tag"])),
        ("close_talk_on_start", json!(true)),
    ] {
        assert_eq!(vendors[key], value, "{key}");
    }
    assert_eq!(channel.lead_check_minutes, 5);
}

#[tokio::test]
async fn two_routes_into_one_account_are_refused_before_anything_is_done_unless_one_is_silent() {
    let shop = shop().await;
    let service = shop.stage.serve().await;
    let bot = shop.bot();
    let refused = async |desired: &Desired| {
        let applied = apply(&shop, &service, desired, ApplyMode::Execute, Others::Keep).await.unwrap();
        let refusal = applied.refused.into_iter().next().unwrap().refusal;
        assert!(service.store.find_bot(id(&bot)).await.unwrap().is_none(), "nothing was done at Telegram");
        refusal
    };
    let twice = format!("{ROUTE}{}", ROUTE.replace("name = \"amocrm\"", "name = \"second\""));
    let native = "  [[bot.route]]\n  name = \"old\"\n  kind = \"amocrm\"\n  mode = \"native\"\n  url = \"https://crm.example/\"\n";
    for routes in [twice.clone(), format!("{ROUTE}{native}")] {
        let refusal = refused(&file(&bot, CONNECTION, &routes)).await;
        assert_eq!(refusal.code, RefusalCode::Conflict);
        assert!(
            refusal.sentence.contains("twice") && refusal.what_to_do.contains("silent = true"),
            "{refusal:?}"
        );
    }
    for routes in [format!("{twice}  silent = true\n"), format!("{native}{ROUTE}  silent = true\n")] {
        let desired = file(&bot, CONNECTION, &routes);
        let plan = apply(&shop, &service, &desired, ApplyMode::Plan, Others::Keep).await.unwrap();
        assert_eq!(plan.refused, [], "{routes}");
    }
    service.stop().await;
}

#[tokio::test]
async fn what_cannot_work_is_refused_with_what_to_do() {
    let shop = shop().await;
    let service = shop.stage.serve().await;
    let bot = shop.bot();
    let refused = async |service: &Service, connection: &str, route: &str| {
        let desired = file(&bot, connection, route);
        let applied = apply(&shop, service, &desired, ApplyMode::Plan, Others::Keep).await;
        match applied {
            Ok(applied) => applied.refused.into_iter().map(|refused| refused.refusal.code).collect(),
            Err(refusal) => vec![refusal.code],
        }
    };
    let elsewhere = ROUTE.replace("\"shop\"", "\"shed\"");
    assert_eq!(refused(&service, CONNECTION, &elsewhere).await, [RefusalCode::NoSuchConnection]);
    let without_token = CONNECTION.replace("token_file = \"token\"", "");
    let codes = refused(&service, &without_token, ROUTE).await;
    assert!(codes.contains(&RefusalCode::BadRequest), "{codes:?}");
    service.stop().await;
    let service = shop.stage.serve_with(|config| config.public_url = None::<PublicUrl>, |_| {}).await;
    let codes = refused(&service, CONNECTION, ROUTE).await;
    assert!(codes.contains(&RefusalCode::NeedsPublicUrl), "{codes:?}");
    service.stop().await;
}
