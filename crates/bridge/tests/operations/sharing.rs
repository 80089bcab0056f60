//! Several apps on one bot: what each claims, owns, may do and is shown.

use serde_json::{Value, json};
use tandem_bridge::{
    Bridge,
    operations::{
        Allowed, AppSettings, AppView, Apply, ApplyMode, Others, Refusal, RefusalCode, Request, Response,
    },
};
use tandem_gateway::{ChatRule, MethodRule, Question, Sees};
use tandem_model::Event;

use crate::{
    people::{Shop, adopt, adopted},
    support::{Service, Stage},
};

async fn add(bridge: &Bridge, name: &str, settings: AppSettings) -> Result<AppView, Refusal> {
    match bridge.perform(Request::AddApp { bot: None, name: name.to_owned(), settings }).await? {
        Response::AppToken(app) => Ok(app.app),
        other => panic!("{other:?}"),
    }
}

async fn set(bridge: &Bridge, name: &str, settings: AppSettings) -> Result<AppView, Refusal> {
    match bridge.perform(Request::SetApp { bot: None, name: name.to_owned(), settings }).await? {
        Response::App(app) => Ok(app),
        other => panic!("{other:?}"),
    }
}

async fn own(bridge: &Bridge, question: Question, app: Option<&str>) -> Result<Vec<AppView>, Refusal> {
    let request = Request::ChooseOwner { bot: None, question, app: app.map(str::to_owned) };
    match bridge.perform(request).await? {
        Response::Apps { apps } => Ok(apps),
        other => panic!("{other:?}"),
    }
}

async fn apps(bridge: &Bridge) -> Vec<AppView> {
    match bridge.perform(Request::Apps { bot: None }).await.unwrap() {
        Response::Apps { apps } => apps,
        other => panic!("{other:?}"),
    }
}

fn claims(claims: &[&str]) -> AppSettings {
    AppSettings {
        claims: Some(claims.iter().map(|&claim| claim.to_owned()).collect()),
        ..AppSettings::default()
    }
}

/// The names of those that answer this question alone.
fn owners(apps: &[AppView], question: Question) -> Vec<&str> {
    apps.iter().filter(|app| app.owns.contains(&question)).map(|app| app.name.as_str()).collect()
}

async fn pushed(service: &Service, shop: &Shop, kind: &str, object: &Value) -> Event {
    let before = service.journal(&shop.bot).await.len();
    shop.bot.push(kind, object);
    service.bodies(&shop.bot, before + 1).await;
    service.journal(&shop.bot).await.pop().unwrap()
}

#[tokio::test]
async fn a_claim_is_had_by_one_app_and_what_comes_in_is_owned_by_it() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let bridge = &service.bridge;
    let shop = Shop::open(&stage, json!({})).await;
    adopted(bridge, adopt(&shop.bot)).await.unwrap();
    let orders = add(bridge, "orders", claims(&["order:"])).await.unwrap();
    assert_eq!(orders.claims, ["order:"]);
    let taken = add(bridge, "stock", claims(&["order:"])).await.unwrap_err();
    assert_eq!(taken.code, RefusalCode::Conflict);
    assert!(taken.sentence.contains("orders") && taken.sentence.contains("order:"), "{taken}");
    assert_eq!(set(bridge, "main", claims(&["x", "order:"])).await.unwrap_err().code, RefusalCode::Conflict);
    assert_eq!(set(bridge, "main", claims(&[""])).await.unwrap_err().code, RefusalCode::BadRequest);
    set(bridge, "main", claims(&["order:pay:"])).await.unwrap();

    let from = json!({"id": 5, "is_bot": false, "first_name": "Ann"});
    let message = json!({"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}});
    let press = |data: &str| json!({"id": "1", "from": from, "message": message, "data": data});
    let lanes = service.store.list_apps(crate::support::id(&shop.bot)).await.unwrap();
    let lane = |name: &str| lanes.iter().find(|app| app.name == name).unwrap().lane;
    for (data, owner) in [("order:1", Some("orders")), ("order:pay:1", Some("main")), ("other", None)] {
        let event = pushed(&service, &shop, "callback_query", &press(data)).await;
        assert_eq!(event.owner, owner.and_then(lane), "{data}");
    }
    service.stop().await;
}

#[tokio::test]
async fn an_owner_is_chosen_left_open_and_forgotten_with_its_app() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let bridge = &service.bridge;
    let shop = Shop::open(&stage, json!({})).await;
    adopted(bridge, adopt(&shop.bot)).await.unwrap();
    assert!(apps(bridge).await[0].owns.is_empty(), "there is nothing to share");
    add(bridge, "shop", AppSettings::default()).await.unwrap();
    assert_eq!(owners(&apps(bridge).await, Question::PreCheckout), ["main"]);
    let chosen = own(bridge, Question::PreCheckout, Some("shop")).await.unwrap();
    assert_eq!(owners(&chosen, Question::PreCheckout), ["shop"]);
    assert_eq!(owners(&chosen, Question::Inline), ["main"]);
    assert_eq!(own(bridge, Question::Inline, Some("gone")).await.unwrap_err().code, RefusalCode::NoSuchApp);
    let from = json!({"id": 5, "is_bot": false, "first_name": "Ann"});
    let query =
        json!({"id": "1", "from": from, "currency": "XTR", "total_amount": 1, "invoice_payload": "p"});
    let lanes = service.store.list_apps(crate::support::id(&shop.bot)).await.unwrap();
    let event = pushed(&service, &shop, "pre_checkout_query", &query).await;
    assert_eq!(event.owner, lanes.iter().find(|app| app.name == "shop").unwrap().lane);

    assert_eq!(
        owners(&own(bridge, Question::PreCheckout, None).await.unwrap(), Question::PreCheckout),
        ["main"]
    );
    own(bridge, Question::Shipping, Some("shop")).await.unwrap();
    bridge.perform(Request::RevokeApp { bot: None, name: "shop".to_owned() }).await.unwrap();
    add(bridge, "shop", AppSettings::default()).await.unwrap();
    assert_eq!(owners(&apps(bridge).await, Question::Shipping), ["main"], "a new app of an old name");
    service.stop().await;
}

#[tokio::test]
async fn limits_and_what_is_seen_are_set_shown_and_taken_away() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let bridge = &service.bridge;
    let shop = Shop::open(&stage, json!({})).await;
    adopted(bridge, adopt(&shop.bot)).await.unwrap();
    let settings = AppSettings {
        methods: Some(Allowed::Only([MethodRule::parse("send").unwrap()].into())),
        chats: Some(Allowed::Only([ChatRule::parse("-1001").unwrap()].into())),
        sees: Some([Sees::Sent].into()),
        ..AppSettings::default()
    };
    let orders = add(bridge, "orders", settings).await.unwrap();
    assert_eq!(
        serde_json::to_value(&orders.limits).unwrap(),
        json!({"methods": ["send"], "chats": ["-1001"]})
    );
    assert_eq!((orders.sees.as_slice(), orders.waiting.unwrap().events), ([Sees::Sent].as_slice(), 0));
    let any = AppSettings {
        methods: Some(Allowed::Any),
        chats: Some(Allowed::Any),
        sees: Some([].into()),
        ..AppSettings::default()
    };
    let orders = set(bridge, "orders", any).await.unwrap();
    assert_eq!((serde_json::to_value(&orders.limits).unwrap(), orders.sees.len()), (json!({}), 0));
    shop.client_writes(&stage, "one").await;
    service.bodies(&shop.bot, 1).await;
    assert_eq!(apps(bridge).await.iter().map(|app| app.waiting.unwrap().events).collect::<Vec<_>>(), [1, 1]);
    service.stop().await;
}

const FILE: &str = r#"
    [[bot]]
    token_file = "bot.token"
      [bot.owners]
      inline = "finder"
      [[bot.app]]
      name = "main"
      claims = ["m:"]
      [[bot.app]]
      name = "finder"
      claims = ["f:"]
      sees = ["sent"]
      methods = ["answer", "getFile"]
      chats = [-1001, "@shop"]
"#;

async fn apply(service: &Service, shop: &Shop, file: &str) -> Result<Vec<String>, Refusal> {
    let token = shop.bot.token();
    let desired = tandem_bridge::apply::parse("bots.toml", file, &|_| Ok(token.clone())).unwrap();
    let asked = Apply { desired, mode: ApplyMode::Execute, others: Others::Keep };
    match service.bridge.perform(Request::Apply(asked)).await? {
        Response::Applied(applied) => {
            Ok(applied.steps.into_iter().map(|step| format!("{}: {}", step.what, step.sentence)).collect())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_says_it_all_and_is_fulfilled_the_second_time() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    let steps = apply(&service, &shop, FILE).await.unwrap();
    assert!(
        steps.iter().any(|step| step.contains("owners of") && step.contains("inline to finder")),
        "{steps:?}"
    );
    assert!(apply(&service, &shop, FILE).await.unwrap().is_empty());
    let apps = apps(&service.bridge).await;
    assert_eq!(owners(&apps, Question::Inline), ["finder"]);
    assert_eq!(apps[0].claims, ["f:"]);
    assert_eq!(
        serde_json::to_value(&apps[0].limits).unwrap(),
        json!({"methods": ["answer", "getFile"], "chats": ["-1001", "@shop"]})
    );
    // Apps exchange what they claim in one go, but never have the same.
    let exchanged = FILE.replace("m:", "x:").replace("f:", "m:").replace("x:", "f:");
    apply(&service, &shop, &exchanged).await.unwrap();
    let double = apply(&service, &shop, &FILE.replace("m:", "f:")).await.unwrap_err();
    assert_eq!(double.code, RefusalCode::Conflict);
    let nobody = apply(&service, &shop, &FILE.replace("\"finder\"\n      [[", "\"nobody\"\n      [[")).await;
    assert_eq!(nobody.unwrap_err().code, RefusalCode::NoSuchApp);
    service.stop().await;
}

#[test]
fn a_rule_that_names_nothing_is_named_with_its_line() {
    let read = |file: &str| tandem_bridge::apply::parse("bots.toml", file, &|_| Ok("42:x".to_owned()));
    let problem = read(&FILE.replace("\"answer\"", "\"anser\"")).unwrap_err();
    assert_eq!((problem.line, problem.key.as_str()), (13, "methods"));
    assert!(problem.what.contains("anser"), "{problem}");
    let problem = read(&FILE.replace("@shop", "shop")).unwrap_err();
    assert_eq!((problem.line, problem.key.as_str()), (14, "chats"));
    assert!(read(&FILE.replace("inline =", "inlin =")).is_err());
}
