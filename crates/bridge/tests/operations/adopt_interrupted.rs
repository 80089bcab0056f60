//! Taking over is cut off at every moment at which it waits for something, and finished later: nothing is missed,
//! nothing is given twice, and whoever held the bot can have it back.

use std::time::Duration;

use serde_json::json;
use tandem_bridge::{BotPhase, UpstreamMode, operations::Adopt};

use crate::{
    people::{Shop, adopt, adopted, cut_off_after, lane, release, released, while_time_passes},
    support::{Stage, id, until},
};

/// Who finishes it.
#[derive(Clone, Copy, PartialEq)]
enum Finisher {
    /// The operator, who runs it again.
    Operator,
    /// The service, if it had got so far that there is something to finish.
    Service,
}

async fn cut_off_everywhere(upstream: UpstreamMode, finisher: Finisher) -> usize {
    let stage = Stage::new().await;
    for waits in 1.. {
        let service = stage.serve().await;
        let shop = Shop::open(&stage, json!({"allowed_updates": ["message"], "max_connections": 5})).await;
        let held = stage.webhook_info(&shop.bot).await;
        // Telegram takes one webhook a second.
        stage.clock.advance(Duration::from_secs(2));
        shop.client_is_kept_waiting(&stage, "one").await;
        let asked = Adopt { upstream: Some(upstream), ..adopt(&shop.bot) };
        let done = cut_off_after(waits, adopted(&service.bridge, asked.clone())).await;
        service.kill().await;
        shop.client_writes(&stage, "two").await;

        let service = stage.serve().await;
        let known = service.bridge.status(id(&shop.bot)).is_some();
        if finisher == Finisher::Operator || !known {
            while_time_passes(&stage, adopted(&service.bridge, asked)).await.unwrap();
        } else {
            until("the end of the adoption", async || {
                let phase = service.bridge.status(id(&shop.bot))?.phase;
                (phase == BotPhase::Active).then_some(())
            })
            .await;
        }
        shop.amocrm_is_mended(&stage).await;
        shop.client_writes(&stage, "three").await;
        while_time_passes(&stage, shop.amocrm_has(&stage, &["one", "two", "three"])).await;
        while_time_passes(&stage, drained(&service.bridge)).await;
        assert_eq!(shop.repeats(&stage).await, 0, "after {waits} waits");

        let leave = tandem_bridge::operations::Undelivered::Leave;
        let asked = tandem_bridge::operations::Release { undelivered: leave, ..release() };
        let told = while_time_passes(&stage, released(&service.bridge, asked)).await.unwrap();
        assert!(told.restored, "{told:?}");
        let back = stage.webhook_info(&shop.bot).await;
        for field in ["url", "allowed_updates", "max_connections"] {
            assert_eq!(back[field], held[field], "{field} after {waits} waits");
        }
        service.stop().await;
        if done.is_some() {
            return waits;
        }
    }
    unreachable!("it ends")
}

async fn drained(bridge: &tandem_bridge::Bridge) {
    until("a drained route", async || (lane(bridge, "route:amocrm").await.lag.events == 0).then_some(()))
        .await;
}

#[tokio::test]
async fn an_interrupted_adoption_is_finished_by_running_it_again() {
    let moments = Box::pin(cut_off_everywhere(UpstreamMode::Polling, Finisher::Operator)).await;
    assert!(moments > 10, "only {moments} moments were tried");
}

#[tokio::test]
async fn an_interrupted_adoption_is_finished_by_the_service_that_starts() {
    let moments = Box::pin(cut_off_everywhere(UpstreamMode::Polling, Finisher::Service)).await;
    assert!(moments > 10, "only {moments} moments were tried");
}

#[tokio::test]
async fn an_interrupted_adoption_by_webhook_is_finished_by_running_it_again() {
    let moments = Box::pin(cut_off_everywhere(UpstreamMode::Webhook, Finisher::Operator)).await;
    assert!(moments > 10, "only {moments} moments were tried");
}
