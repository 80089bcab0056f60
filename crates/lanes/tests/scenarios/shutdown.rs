//! Stopping, and a store that does not take anything.

use tandem_lanes::PushSpec;

use crate::support::{Service, until};

#[tokio::test]
async fn a_service_that_is_stopped_finishes_what_is_under_way_and_notes_it() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec { max_in_flight: 1, ..PushSpec::route() }).await;
    crm.hang("1:slow");
    t.run();
    t.says(1, "slow").await;
    t.says(1, "next").await;
    t.says(2, "hi").await;
    until("it is under way", || crm.attempts().len() == 1).await;
    let desk = std::sync::Arc::clone(&crm);
    let lets_go = tokio::spawn(async move {
        tokio::task::yield_now().await;
        desk.let_go();
    });
    t.stop().await;
    lets_go.await.unwrap();
    assert_eq!(crm.received()[0], "1:slow");
    let done = crm.received().len();
    t.restart().await;
    assert!(t.held(lane).await.is_empty());
    t.run_due().await;
    assert_eq!(crm.received().len(), 3, "{done} before, the rest after, none twice");
}

#[tokio::test]
async fn a_store_that_is_closed_loses_nothing_of_what_it_had_noted() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    t.says(1, "a").await;
    t.run_due().await;
    t.says(1, "b").await;
    t.store.close().await;
    t.lanes.wake(lane.bot);
    t.run_due().await;
    assert_eq!(crm.received(), ["1:a"]);
    t.restart().await;
    t.run_due().await;
    assert_eq!(crm.received(), ["1:a", "1:b"]);
}
