//! Files of bots: read, planned, carried out, planned again.

use std::{collections::BTreeMap, io};

use serde_json::json;
use tandem_bridge::{
    apply::{Desired, parse},
    operations::{Applied, Apply, ApplyMode, Others, Refusal, RefusalCode, Request, Response, StepAction},
};
use tandem_gateway::DropPending;
use tandem_sandbox::telegram::CallRecord;

use crate::{
    people::{Shop, lane, while_time_passes},
    support::{Receiver, Service, Stage, id, says, until},
};

/// A file and the files it names.
struct Files(BTreeMap<String, String>);

impl Files {
    fn with(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect())
    }

    fn read(&self, text: &str) -> Desired {
        self.try_read(text).unwrap()
    }

    fn try_read(&self, text: &str) -> Result<Desired, tandem_bridge::apply::Problem> {
        parse("bots.toml", text, &|name| {
            self.0.get(name).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        })
    }
}

async fn apply(
    service: &Service,
    desired: &Desired,
    mode: ApplyMode,
    others: Others,
) -> Result<Applied, Refusal> {
    let asked = Apply { desired: desired.clone(), mode, others };
    match service.bridge.perform(Request::Apply(asked)).await? {
        Response::Applied(applied) => Ok(applied),
        other => panic!("{other:?}"),
    }
}

fn steps(applied: &Applied) -> Vec<(StepAction, &str)> {
    applied.steps.iter().map(|step| (step.action, step.what.as_str())).collect()
}

#[tokio::test]
async fn a_file_is_planned_carried_out_and_then_fulfilled() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    let mut receiver = Receiver::start().await;
    let files = Files::with(&[
        ("bot.token", &shop.bot.token()),
        ("copy.url", &receiver.url),
        ("copy.secret", "s3cret\n"),
    ]);
    let desired = files.read(
        r#"
        [[bot]]
        token_file = "bot.token"
          [[bot.app]]
          name = "main"
          drop_pending = "ignore"
          [[bot.app]]
          name = "orders"
          backlog = "48h"
          [[bot.route]]
          name = "shop"
          kind = "amocrm"
          mode = "native"
          [[bot.route]]
          name = "copy"
          kind = "relay"
          url_file = "copy.url"
          secret_file = "copy.secret"
          kinds = ["message"]
        "#,
    );
    let bot = format!("@{}", shop.bot.username());
    let expected = [
        (StepAction::Adopt, format!("bot {bot}")),
        (StepAction::Change, format!("app {bot}/main")),
        (StepAction::Add, format!("app {bot}/orders")),
        (StepAction::Add, format!("route {bot}/copy")),
    ];
    let expected: Vec<_> = expected.iter().map(|(action, what)| (*action, what.as_str())).collect();

    let plan = apply(&service, &desired, ApplyMode::Plan, Others::Keep).await.unwrap();
    assert_eq!(steps(&plan), expected);
    assert!(plan.steps[0].sentence.contains("from amoCRM at 127.0.0.1"), "{}", plan.steps[0].sentence);
    assert!(!plan.executed && service.store.find_bot(id(&shop.bot)).await.unwrap().is_none());

    let done = apply(&service, &desired, ApplyMode::Execute, Others::Keep).await.unwrap();
    assert!(done.executed);
    assert_eq!(steps(&done), expected);
    let tokens: Vec<bool> = done.steps.iter().map(|step| step.app_token.is_some()).collect();
    assert_eq!(tokens, [true, false, true, false]);

    for mode in [ApplyMode::Plan, ApplyMode::Execute] {
        let again = apply(&service, &desired, mode, Others::Prune).await.unwrap();
        assert_eq!(steps(&again), []);
    }
    shop.client_writes(&stage, "hello").await;
    shop.amocrm_has(&stage, &["hello"]).await;
    let delivery = receiver.next().await;
    assert_eq!(crate::people::secret_of(&delivery.head), Some("s3cret"));
    delivery.ok();
    service.stop().await;
}

#[tokio::test]
async fn what_the_file_leaves_out_stays_unless_pruning_is_asked_for() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let receiver = Receiver::start().await;
    let files = Files::with(&[("bot.token", &bot.token())]);
    let whole = format!(
        "[[bot]]\ntoken_file = \"bot.token\"\n[[bot.app]]\nname = \"orders\"\n[[bot.route]]\nname = \"copy\"\nkind = \"relay\"\nurl = \"{}\"\n",
        receiver.url
    );
    let whole = files.read(&whole);
    while_time_passes(&stage, apply(&service, &whole, ApplyMode::Execute, Others::Keep)).await.unwrap();
    let bare = files.read("[[bot]]\ntoken_file = \"bot.token\"\n");
    let kept = apply(&service, &bare, ApplyMode::Execute, Others::Keep).await.unwrap();
    assert_eq!(steps(&kept), []);
    let pruned = apply(&service, &bare, ApplyMode::Execute, Others::Prune).await.unwrap();
    let name = format!("@{}", bot.username());
    let (app, route) = (format!("app {name}/orders"), format!("route {name}/copy"));
    assert_eq!(steps(&pruned), [(StepAction::Remove, app.as_str()), (StepAction::Remove, route.as_str())]);
    assert!(service.store.list_routes(id(&bot)).await.unwrap().is_empty());
    let lanes = service.store.list_lanes(id(&bot), None, 10).await.unwrap();
    assert_eq!(lanes.len(), 1, "{lanes:?}");
    service.stop().await;
}

#[tokio::test]
async fn a_changed_route_goes_on_where_it_stood() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let (mut first, mut second) = (Receiver::start().await, Receiver::start().await);
    let files = Files::with(&[("bot.token", &bot.token())]);
    let file = |url: &str| {
        files.read(&format!(
            "[[bot]]\ntoken_file = \"bot.token\"\n[[bot.route]]\nname = \"copy\"\nkind = \"relay\"\nurl = \"{url}\"\n"
        ))
    };
    let made = file(&first.url);
    while_time_passes(&stage, apply(&service, &made, ApplyMode::Execute, Others::Keep)).await.unwrap();
    says(&bot, 7, "one");
    first.next().await.ok();
    let before = lane(&service.bridge, "route:copy").await.lane;
    let moved = file(&second.url);
    let done = apply(&service, &moved, ApplyMode::Execute, Others::Keep).await.unwrap();
    assert_eq!(done.steps[0].sentence, "Change where it goes.");
    says(&bot, 7, "two");
    let delivery = second.next().await;
    assert_eq!(delivery.text(), "two");
    delivery.ok();
    assert_eq!(lane(&service.bridge, "route:copy").await.lane, before);
    service.stop().await;
}

#[tokio::test]
async fn a_route_without_an_address_that_nobody_had_is_refused() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let files = Files::with(&[("bot.token", &bot.token())]);
    let desired = files.read(
        "[[bot]]\ntoken_file = \"bot.token\"\n[[bot.route]]\nname = \"amocrm\"\nkind = \"amocrm\"\nmode = \"native\"\n",
    );
    let refusal = apply(&service, &desired, ApplyMode::Plan, Others::Keep).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::BadRequest);
    assert!(refusal.sentence.contains("Route amocrm of"), "{refusal}");
    assert!(refusal.what_to_do.contains("url_file"));
    service.stop().await;
}

/// A file with all of these bots, by their tokens.
fn several(tokens: &[String]) -> Desired {
    let names: Vec<String> = (0..tokens.len()).map(|number| format!("{number}.token")).collect();
    let files: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(tokens.iter().map(String::as_str)).collect();
    let tables: Vec<String> =
        names.iter().map(|name| format!("[[bot]]\ntoken_file = \"{name}\"\n")).collect();
    let text = tables.concat();
    Files::with(&files).read(&text)
}

#[tokio::test]
async fn many_bots_are_taken_over_at_the_same_time() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let bots: Vec<_> = (0..12).map(|_| stage.bot()).collect();
    let desired = several(&bots.iter().map(|bot| bot.token()).collect::<Vec<_>>());
    let mut applying = Box::pin(apply(&service, &desired, ApplyMode::Execute, Others::Keep));
    // While no time passes, listening for another poller does not end: one after the other, nobody would get to the
    // second bot.
    let everybody_is_looked_at = until("all bots looked at", async || {
        let looked_at = |calls: &[CallRecord]| calls.iter().any(|call| call.method == "getWebhookInfo");
        bots.iter().all(|bot| looked_at(&bot.calls_after(0))).then_some(())
    });
    tokio::select! {
        done = &mut applying => panic!("time stands still: {done:?}"),
        () = everybody_is_looked_at => {}
    }
    let done = while_time_passes(&stage, applying).await.unwrap();
    assert_eq!((done.steps.len(), done.refused.len()), (12, 0));
    let again = while_time_passes(&stage, apply(&service, &desired, ApplyMode::Execute, Others::Keep));
    assert_eq!(again.await.unwrap().steps.len(), 0);
    service.stop().await;
}

#[tokio::test]
async fn a_bot_that_is_refused_keeps_no_other_from_being_taken_over() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let (first, gone, last) = (stage.bot(), stage.bot(), stage.bot());
    let desired = several(&[first.token(), gone.token(), last.token()]);
    stage.act(&format!("/bots/{}/token", gone.id()), json!({})).await;
    let applying = apply(&service, &desired, ApplyMode::Execute, Others::Keep);
    let done = while_time_passes(&stage, applying).await.unwrap();
    // Their apps' tokens are shown, which happens only once.
    assert_eq!(done.steps.iter().filter(|step| step.app_token.is_some()).count(), 2);
    assert_eq!(done.refused.len(), 1);
    assert!(done.refused[0].bot.contains(&gone.id().to_string()), "{:?}", done.refused);
    assert_eq!(done.refused[0].refusal.code, RefusalCode::BadToken);
    service.stop().await;
}

#[test]
fn settings_of_apps_are_read() {
    let files = Files::with(&[("t", "42:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0\n")]);
    let desired = files.read(
        "[[bot]]\ntoken_file = \"t\"\n[[bot.app]]\nname = \"a\"\ndrop_pending = \"obey\"\nbacklog = \"90m\"\n[[bot.app]]\nname = \"b\"\nbacklog = 60\n",
    );
    let apps = &desired.bots[0].apps;
    assert_eq!(apps[0].settings.drop_pending, Some(DropPending::Obey));
    assert_eq!((apps[0].settings.backlog_secs, apps[1].settings.backlog_secs), (Some(5400), Some(60)));
    assert!(!format!("{desired:?}").contains("AAHdqTcv"));
}

#[test]
fn whatever_is_wrong_is_named_with_file_line_key_and_what_is_expected() {
    let files = Files::with(&[("t", "42:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"), ("empty", "\n")]);
    let bot = "[[bot]]\ntoken_file = \"t\"\n";
    let route = "[[bot]]\ntoken_file = \"t\"\n[[bot.route]]\nname = \"r\"\n";
    for (text, line, key, words) in [
        ("[[bots]]\n".to_owned(), 1, "[[bots]]", "unknown field `bots`, expected `connection` or `bot`"),
        ("[[bot]]\n".to_owned(), 1, "[[bot]]", "missing field `token_file`"),
        ("[[bot]]\ntoken = \"x\"\n".to_owned(), 2, "token", "expected one of `token_file`"),
        ("[[bot]]\ntoken_file = 5\n".to_owned(), 2, "token_file", "expected a string"),
        ("[[bot]]\ntoken_file = \"gone\"\n".to_owned(), 2, "token_file", "cannot be read"),
        ("[[bot]]\ntoken_file = \"empty\"\n".to_owned(), 2, "token_file", "is empty"),
        (format!("{bot}upstream = \"carrier pigeon\"\n"), 3, "upstream", "expected `polling` or `webhook`"),
        (format!("{bot}[[bot.app]]\nname = \"A b\"\n"), 4, "name", "cannot be a name"),
        (format!("{bot}[[bot.app]]\nname = \"a\"\n[[bot.app]]\nname = \"a\"\n"), 6, "name", "twice"),
        (
            format!("{bot}[[bot.app]]\nname = \"a\"\ndrop_pending = \"sometimes\"\n"),
            5,
            "drop_pending",
            "expected `obey` or `ignore`",
        ),
        (format!("{bot}[[bot.app]]\nname = \"a\"\nbacklog = \"soon\"\n"), 5, "backlog", "like \"36h\""),
        (format!("{bot}[[bot.app]]\nname = \"a\"\nbacklog = []\n"), 5, "backlog", "like \"36h\""),
        (
            format!("{bot}[[bot.app]]\nname = \"a\"\ndrop_pendin = \"obey\"\n"),
            5,
            "drop_pendin",
            "expected one of",
        ),
        (format!("{route}kind = \"icq\"\n"), 5, "kind", "expected \"relay\", \"amocrm\" or \"wahelp\""),
        (format!("{route}kind = \"amocrm\"\n"), 5, "kind", "mode = \"native\""),
        (
            format!("{route}kind = \"amocrm\"\nmode = \"cloud\"\n"),
            6,
            "mode",
            "does not exist in this version",
        ),
        (format!("{route}kind = \"relay\"\nmode = \"native\"\n"), 6, "mode", "leave it out"),
        (format!("{route}kind = \"relay\"\nconnection = \"shop\"\n"), 6, "connection", "leave it out"),
        (format!("{route}kind = \"relay\"\nurl = \"a\"\nurl_file = \"t\"\n"), 7, "url_file", "one of them"),
        ("# accounts\n\n[[connection]]\nname = \"shop\"\n".to_owned(), 3, "[[connection]]", "missing field"),
        ("[[bot]\n".to_owned(), 1, "[[bot]", ""),
    ] {
        let problem = files.try_read(&text).unwrap_err();
        assert_eq!((problem.file.as_str(), problem.line), ("bots.toml", line), "{text}{problem}");
        assert_eq!(problem.key, key, "{text}{problem}");
        assert!(problem.what.contains(words), "{text}{problem}");
    }
}
