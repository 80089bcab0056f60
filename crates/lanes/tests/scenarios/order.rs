//! Order: per conversation, or per conversation and family; runs.

use tandem_lanes::PushSpec;
use tandem_model::Blame;

use crate::support::{Service, desk::fails, until, update};

#[tokio::test]
async fn conversations_are_delivered_in_order_and_side_by_side() {
    let mut t = Service::start().await;
    let (_, crm) = t.desk("crm", PushSpec::route()).await;
    crm.hang("1:hello");
    t.run();
    t.says(1, "hello").await;
    t.says(1, "anybody?").await;
    for n in 0..20 {
        t.says(2, &format!("question {n}")).await;
    }
    until("the other customer is served", || crm.received_of(2).len() == 20).await;
    assert!(crm.received_of(1).is_empty());
    crm.let_go();
    until("then the first one is", || crm.received_of(1).len() == 2).await;
    assert_eq!(crm.received_of(1), ["1:hello", "1:anybody?"]);
    let expected: Vec<String> = (0..20).map(|n| format!("2:question {n}")).collect();
    assert_eq!(crm.received_of(2), expected);
    t.stop().await;
}

#[tokio::test]
async fn families_of_a_webhook_do_not_wait_for_each_other() {
    let mut t = Service::start().await;
    let (_, app) = t.desk("app", PushSpec::webhook()).await;
    let (_, crm) = t.desk("crm", PushSpec::route()).await;
    app.once("1:message", fails(Blame::Event));
    app.once("1:message", fails(Blame::Event));
    crm.once("1:message", fails(Blame::Event));
    crm.once("1:message", fails(Blame::Event));
    t.append(update(1, 0, "1:message")).await;
    t.append(update(1, 3, "1:press")).await;
    t.run_due().await;
    assert_eq!(app.received(), ["1:press"], "a press may overtake its message");
    assert!(crm.received().is_empty(), "a CRM gets a conversation in order");
    t.later(std::time::Duration::from_secs(2)).await;
    assert_eq!(app.received(), ["1:press", "1:message"]);
    assert_eq!(crm.received(), ["1:message", "1:press"]);
}

#[tokio::test]
async fn a_run_takes_consecutive_events_of_a_conversation_together() {
    let mut t = Service::start().await;
    let (_, crm) = t.desk("crm", PushSpec { run_events: 3, max_in_flight: 1, ..PushSpec::route() }).await;
    for text in ["a", "b", "c", "d"] {
        t.says(1, text).await;
        t.says(2, text).await;
    }
    t.run_due().await;
    let runs: Vec<Vec<String>> =
        crm.attempts().into_iter().map(|one| one.texts).filter(|texts| texts[0].starts_with("1:")).collect();
    assert_eq!(runs, [vec!["1:a", "1:b", "1:c"], vec!["1:d"]]);
}

#[tokio::test]
async fn what_was_taken_of_a_run_is_not_sent_again() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec { run_events: 10, ..PushSpec::route() }).await;
    crm.once("1:b", fails(Blame::Event));
    crm.once("1:b", fails(Blame::Event));
    for text in ["a", "b", "c"] {
        t.says(1, text).await;
    }
    t.run_due().await;
    assert_eq!(crm.received(), ["1:a"]);
    assert_eq!(t.held(lane).await.len(), 1, "one row stands for the rest of the run");
    t.later(std::time::Duration::from_secs(2)).await;
    assert_eq!(crm.received(), ["1:a", "1:b", "1:c"]);
    assert!(t.held(lane).await.is_empty());
}
