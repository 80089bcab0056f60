//! Leases and retention while the bridge runs.

use std::time::Duration;

use tandem_bridge::{Ownership, OwnershipError, UpstreamMode};
use tandem_journal::Retention;

use crate::support::{NewRoute, Receiver, Stage, id, says, until};

#[tokio::test]
async fn leases_are_renewed_while_it_runs_and_free_after_it_has_ended() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    // Past the time that a lease lasts, a renewal at a time.
    for _ in 0..12 {
        let ends = service.store.list_leases().await.unwrap()[0].ends_at;
        stage
            .in_time("a renewal", async || {
                (service.store.list_leases().await.unwrap()[0].ends_at > ends).then_some(())
            })
            .await;
    }
    let error = Ownership::take(&*service.store, "another").await.unwrap_err();
    assert!(matches!(error, OwnershipError::Taken { missing: 256 }));
    assert!(error.to_string().contains("another Tandem is using this database"), "{error}");
    service.stop().await;
    stage.serve().await.stop().await;
}

#[tokio::test]
async fn what_has_lived_its_time_goes_once_every_route_has_passed_it() {
    let stage = Stage::new().await;
    let hour = Duration::from_hours(1);
    let service = stage
        .serve_with(
            |config| {
                config.retention = Retention { keep: hour, at_most: 50 * hour, max_bytes: None };
                config.sweep_every = Duration::from_mins(10);
            },
            |_| {},
        )
        .await;
    let bot = stage.bot();
    let mut receiver = Receiver::start().await;
    service.add(&bot, UpstreamMode::Polling, &[NewRoute::relay("crm", &receiver.url)]).await;
    says(&bot, 7, "taken");
    receiver.next().await.ok();
    until("the progress", async || {
        let lanes = service.store.list_lanes(id(&bot), None, 9).await.unwrap();
        lanes.iter().any(|lane| lane.name == "route:crm" && lane.acked.get() == 1).then_some(())
    })
    .await;
    says(&bot, 8, "not taken");
    receiver.next().await.answer_with("503 Service Unavailable", "Retry-After: 3600\r\n");
    service.bodies(&bot, 2).await;
    // An app's backlog ends after a day; the route still wants the second.
    let left = until("the sweep", async || {
        stage.clock.advance(Duration::from_mins(10));
        if let Some(delivery) = receiver.arrived() {
            delivery.answer_with("503 Service Unavailable", "Retry-After: 3600\r\n");
        }
        let events = service.journal(&bot).await;
        (events.len() < 2).then_some(events)
    })
    .await;
    assert_eq!(crate::support::text_of(&left[0].body), "not taken");
    // A delivery may be under way, which an orderly end would wait for.
    service.kill().await;
}
