//! From a webhook to polling and back: nothing is lost, nothing that was confirmed comes again.

use std::time::Duration;

use tandem_lanes::PushSpec;
use tandem_model::{Blame, PauseReason};

use crate::support::{Service, desk::fails, until};

const FIRST: i64 = 1001;

#[tokio::test]
async fn what_a_webhook_did_not_take_is_polled_in_order_and_nothing_else() {
    let mut t = Service::start().await;
    let (lane, app) = t.desk("app", PushSpec::webhook()).await;
    app.always("1:a", fails(Blame::Event));
    app.always("2:b", fails(Blame::Event));
    t.says(1, "a").await;
    t.says(3, "taken").await;
    t.says(2, "b").await;
    t.says(1, "behind a").await;
    t.says(3, "taken too").await;
    t.run_due().await;
    t.detach(lane).await;
    t.says(3, "new").await;
    let pending = ["1:a", "2:b", "1:behind a", "3:new"];
    assert_eq!(t.lanes.pending_count(lane, crate::support::BACKLOG).await.unwrap(), 4);
    assert_eq!(t.pull(lane, 0).await, pending);
    assert_eq!(t.pull(lane, FIRST + 1).await, pending[1..]);
    assert_eq!(t.pull(lane, FIRST + 3).await, pending[2..], "what waits behind a row stays");
    t.restart().await;
    assert_eq!(t.pull(lane, 0).await, pending[2..]);
    app.is_well();
    app.forget();
    t.attach(lane, PushSpec::webhook(), &app);
    t.run_due().await;
    let mut received = app.received();
    received.sort();
    assert_eq!(received, ["1:behind a", "3:new"], "the webhook takes over what is left");
    t.detach(lane).await;
    assert!(t.pull(lane, 0).await.is_empty());
    assert!(t.held(lane).await.is_empty());
}

#[tokio::test]
async fn confirming_everything_clears_what_the_webhook_left() {
    let mut t = Service::start().await;
    let (lane, app) = t.desk("app", PushSpec::webhook()).await;
    app.everything(fails(Blame::Event));
    for customer in 0..6 {
        t.says(customer, "hi").await;
    }
    t.run_due().await;
    t.detach(lane).await;
    assert_eq!(t.pull(lane, 0).await.len(), 6);
    assert_eq!(t.pull(lane, -2).await, ["4:hi", "5:hi"]);
    assert_eq!(t.lanes.drop_pending(lane, crate::support::BACKLOG).await.unwrap(), 2);
    assert!(t.pull(lane, 0).await.is_empty());
    assert!(t.held(lane).await.is_empty());
    assert_eq!(t.state(lane).await.passed.skipped, 2);
}

#[tokio::test]
async fn a_webhook_that_is_in_the_middle_of_something_is_broken_off_and_the_rest_is_not_repeated() {
    let mut t = Service::start().await;
    let (lane, app) = t.desk("app", PushSpec::webhook()).await;
    app.hang("1:slow");
    t.run();
    t.says(1, "slow").await;
    t.says(2, "quick").await;
    until("the second is taken", || app.received() == ["2:quick"]).await;
    t.detach(lane).await;
    assert_eq!(t.pull(lane, 0).await, ["1:slow"], "it is seen again, and what was taken is not");
    t.stop().await;
}

#[tokio::test]
async fn a_webhook_that_is_down_leaves_everything_to_polling() {
    let mut t = Service::start().await;
    let (lane, app) = t.desk("app", PushSpec::webhook()).await;
    t.says(1, "taken").await;
    t.run_due().await;
    app.everything(fails(Blame::Destination));
    t.says(1, "a").await;
    t.says(2, "b").await;
    t.run_due().await;
    t.later(Duration::from_secs(2)).await;
    assert_eq!(t.paused(lane).await, Some(PauseReason::Down));
    t.detach(lane).await;
    assert_eq!(t.pull(lane, 0).await, ["1:a", "2:b"]);
}
