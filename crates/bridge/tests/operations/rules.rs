//! Rules of routes: given by a file, in force from then on, tried on the past.

use serde_json::json;
use tandem_bridge::{
    apply::{Desired, parse},
    operations::{
        Apply, ApplyMode, Others, Point, RefusalCode, Request, Response, RouteRulesView, TriedRules, TryRules,
    },
    rules::{Audience, RuleDocument},
};
use tandem_model::Seq;

use crate::{
    people::{Shop, adopt, adopted},
    support::{Service, Stage},
};

/// The file of a shop whose amoCRM has these rules.
fn file(shop: &Shop, rules: &str) -> Result<Desired, tandem_bridge::apply::Problem> {
    let text = format!(
        "[[bot]]\ntoken_file = \"bot.token\"\n  [[bot.route]]\n  name = \"amocrm\"\n  kind = \"amocrm\"\n  \
         mode = \"native\"\n  {rules}\n"
    );
    parse("bots.toml", &text, &|_| Ok(shop.bot.token()))
}

/// Gives the route rules; what was changed.
async fn gives(service: &Service, shop: &Shop, rules: &str) -> Vec<String> {
    let desired = file(shop, rules).unwrap();
    let asked = Apply { desired, mode: ApplyMode::Execute, others: Others::Keep };
    match service.bridge.perform(Request::Apply(asked)).await.unwrap() {
        Response::Applied(applied) => applied.steps.into_iter().map(|step| step.sentence).collect(),
        other => panic!("{other:?}"),
    }
}

async fn shown(service: &Service) -> RouteRulesView {
    let asked = Request::Rules { bot: None, route: Some("amocrm".to_owned()) };
    match service.bridge.perform(asked).await.unwrap() {
        Response::Rules { routes } => routes.into_iter().next().unwrap(),
        other => panic!("{other:?}"),
    }
}

fn trial(rules: Option<serde_json::Value>) -> TryRules {
    TryRules {
        bot: None,
        route: "amocrm".to_owned(),
        rules: rules.map(|rules| serde_json::from_value::<Vec<RuleDocument>>(rules).unwrap()),
        since: Point::Seq(Seq::ZERO),
        only_changed: false,
        limit: None,
    }
}

async fn tries(service: &Service, asked: TryRules) -> TriedRules {
    match service.bridge.perform(Request::TryRules(asked)).await.unwrap() {
        Response::RulesTried(tried) => *tried,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_list_holds_for_what_comes_after_it_and_a_replay_goes_by_what_held_then() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    shop.client_writes(&stage, "/start").await;
    shop.client_writes(&stage, "Вы открыты?").await;
    shop.amocrm_has(&stage, &["/start", "Вы открыты?"]).await;

    let skipping = r#"rules = [{ when = { command = true }, do = "skip" }]"#;
    assert_eq!(gives(&service, &shop, skipping).await, ["Change its rules."]);
    assert!(gives(&service, &shop, skipping).await.is_empty(), "the second time nothing is to be done");
    shop.client_writes(&stage, "/order").await;
    shop.client_writes(&stage, "Спасибо").await;
    shop.amocrm_has(&stage, &["/start", "Вы открыты?", "Спасибо"]).await;
    // What the file leaves out stays, also over a start.
    assert!(gives(&service, &shop, "").await.is_empty());
    service.stop().await;
    let service = stage.serve().await;
    shop.client_writes(&stage, "/balance").await;
    shop.client_writes(&stage, "Ещё вопрос").await;
    shop.amocrm_has(&stage, &["/start", "Вы открыты?", "Спасибо", "Ещё вопрос"]).await;

    assert_eq!(gives(&service, &shop, "rules = []").await, ["Change its rules."]);
    shop.client_writes(&stage, "/cancel").await;
    shop.amocrm_has(&stage, &["/start", "Вы открыты?", "Спасибо", "Ещё вопрос", "/cancel"]).await;
    let view = shown(&service).await;
    assert_eq!(view.defaults, Audience::Everything);
    assert_eq!(view.versions.iter().map(|version| version.rules.len()).collect::<Vec<_>>(), [1, 0]);

    // By the lists that held, and by another one.
    let then = tries(&service, trial(None)).await;
    let skipped: Vec<&str> =
        then.listed.iter().filter(|event| event.decision == "skip").map(|event| &*event.text).collect();
    assert_eq!((skipped, then.shown, then.changed, then.more), (vec!["/order", "/balance"], 5, 0, false));
    let before = service.store.revision().await.unwrap();
    let list = json!([{"when": {"text": "*вопрос*"}, "do": "skip"}]);
    let tried = tries(&service, TryRules { only_changed: true, ..trial(Some(list)) }).await;
    let changed: Vec<_> =
        tried.listed.iter().map(|event| (&*event.text, &*event.decision, &*event.by)).collect();
    let everything = "default: everything is passed on";
    let expected =
        [("/order", "show", everything), ("/balance", "show", everything), ("Ещё вопрос", "skip", "rule 1")];
    // In the order of the journal.
    assert_eq!(changed, [expected[0], expected[1], expected[2]]);
    assert_eq!((tried.events, tried.shown, tried.skipped, tried.changed), (7, 6, 1, 3));
    assert_eq!(tried.listed[2].then.as_deref(), Some("show"));
    assert_eq!(service.store.revision().await.unwrap(), before, "nothing was changed");
    shop.amocrm_has(&stage, &["/start", "Вы открыты?", "Спасибо", "Ещё вопрос", "/cancel"]).await;
    service.stop().await;
}

#[tokio::test]
async fn rules_that_cannot_be_used_change_nothing_and_say_why() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    for (rules, words) in [
        (r#"rules = [{ do = "show_as", as = "x" }]"#, "this one passes Telegram's updates on unchanged"),
        (r#"rules = [{ when = { kind = "phto" }, do = "skip" }]"#, "\"phto\" is not a kind"),
        (r#"rules = [{ do = "skip" }, { do = "show" }]"#, "it has no condition"),
    ] {
        let problem = file(&shop, rules).unwrap_err();
        assert!(problem.line == 7 && problem.what.contains(words), "{problem}");
    }
    // The same of who speaks to the socket himself.
    let mut desired = file(&shop, "").unwrap();
    let list = json!([{"do": "show_as", "as": "x"}]);
    desired.bots[0].routes[0].rules = Some(serde_json::from_value(list.clone()).unwrap());
    let asked = Apply { desired, mode: ApplyMode::Execute, others: Others::Keep };
    let refusal = service.bridge.perform(Request::Apply(asked)).await.unwrap_err();
    assert!(refusal.sentence.contains("The rules of route amocrm cannot be used: rule 1"), "{refusal:?}");
    let refusal = service.bridge.perform(Request::TryRules(trial(Some(list)))).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::BadRequest);
    let none = TryRules { route: "none".to_owned(), ..trial(None) };
    let refusal = service.bridge.perform(Request::TryRules(none)).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::NoSuchLane);
    assert!(shown(&service).await.versions.is_empty());
    service.stop().await;
}
