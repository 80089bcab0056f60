//! amoCRM is connected again: learned, and taken back.

use serde_json::json;
use tandem_bridge::{GuardMark, GuardPolicy, GuardState, HolderKind, RouteDocument, UpstreamMode, secrets};
use tandem_journal::SecretOwner;

use crate::{
    guarded::{Guarded, to_amocrm},
    support::{assert_no_secret, id, until},
};

const BOTH: [UpstreamMode; 2] = [UpstreamMode::Polling, UpstreamMode::Webhook];

#[tokio::test]
async fn amocrm_that_is_connected_again_is_taken_back_and_goes_on_getting_everything() {
    for upstream in BOTH {
        let t = Guarded::new(upstream, GuardPolicy::Retake).await;
        t.tandem_hears("before").await;
        t.amocrm_is_connected_again(json!({})).await;
        let view = t.is_retaken(1).await;
        assert_eq!((view.guard.retakes_last_hour, view.guard.alerts), (1, 1));
        t.tandem_hears("after").await;
        let view = t.in_time("a guard that watches", |view| view.guard.state == GuardState::Watching).await;
        assert_eq!((view.routes.as_slice(), &view.trouble), (&["amocrm".to_owned()][..], &None));
        until("everything in amoCRM", async || {
            let chats = t.stage.look(&format!("/amocrm/{}/chats", t.bot.id())).await;
            (chats["chats"][0]["messages"].as_array().map_or(0, Vec::len) == 2).then_some(())
        })
        .await;
        let [GuardMark::Taken { by }, GuardMark::Retaken { nth: 1, route: None, .. }] = &t.marks().await[..]
        else {
            panic!("{:?}", t.marks().await)
        };
        assert_eq!((by.kind, by.host.as_deref()), (HolderKind::Amocrm, Some("127.0.0.1")));
        let info = t.stage.webhook_info(&t.bot).await;
        match upstream {
            UpstreamMode::Polling => assert_eq!(info["url"], ""),
            UpstreamMode::Webhook => {
                assert!(info["url"].as_str().unwrap().starts_with(&t.service.public), "{info}");
            }
        }
        assert_eq!(info["allowed_updates"].as_array().unwrap().len(), 27, "our own kinds are set again");
        t.service.stop().await;
    }
}

#[tokio::test]
async fn a_changed_address_is_learned_before_the_stream_is_taken_back() {
    for upstream in BOTH {
        let t = Guarded::new(upstream, GuardPolicy::Retake).await;
        t.tandem_hears("before").await;
        t.amocrm_is_connected_again(json!({"new_address": true})).await;
        let hook = t.hook().await;
        t.is_retaken(1).await;
        let vault = t.service.bridge.vault();
        let owner = SecretOwner::Route(id(&t.bot), "amocrm".to_owned());
        for (owner, name) in
            [(owner, secrets::ROUTE_URL), (SecretOwner::Bot(id(&t.bot)), secrets::HOLDER_URL)]
        {
            let kept = vault.get(&owner, name).await.unwrap();
            assert_eq!(secrecy::ExposeSecret::expose_secret(&kept), hook, "{name}");
        }
        t.tandem_hears("after").await;
        t.amocrm_hears(&["before", "after"]).await;
        let view = t.view().await;
        assert_eq!(view.routes, ["amocrm"], "one route, at its new address");
        let marks = t.marks().await;
        assert!(
            matches!(&marks[1], GuardMark::Retaken { route: Some(route), .. } if route == "amocrm"),
            "{marks:?}"
        );
        let path = hook.rsplit('/').next().unwrap().to_owned();
        assert_no_secret(&(marks, view, t.service.bridge.list_status()), &[t.bot.token(), path]);
        t.service.stop().await;
    }
}

#[tokio::test]
async fn what_waits_at_telegram_is_not_dropped_by_a_retake() {
    let t = Guarded::new(UpstreamMode::Polling, GuardPolicy::Retake).await;
    t.tandem_hears("before").await;
    t.stage
        .act(&format!("/amocrm/{}/faults", t.bot.id()), json!({"fault": {"kind": "status", "code": 503}}))
        .await;
    t.amocrm_is_connected_again(json!({})).await;
    crate::support::says(&t.bot, 8, "kept at Telegram");
    t.is_retaken(1).await;
    t.comes_in("kept at Telegram").await;
    assert_eq!(t.went_to_amocrm().len(), 0);
    assert_eq!(to_amocrm(&t.view().await), 0);
    t.service.stop().await;
}

#[tokio::test]
async fn kinds_that_amocrm_asks_for_are_its_routes_and_ours_are_not_taken_for_its_wish() {
    let t = Guarded::new(UpstreamMode::Polling, GuardPolicy::Retake).await;
    let kinds = async || {
        let routes = t.service.store.list_routes(id(&t.bot)).await.unwrap();
        routes[0].document.read::<RouteDocument>().unwrap().kinds
    };
    t.amocrm_is_connected_again(json!({})).await;
    t.is_retaken(1).await;
    assert_eq!(kinds().await, None, "Telegram keeps our kinds when none are named; they are not amoCRM's");
    t.amocrm_is_connected_again(json!({"allowed_updates": ["message"]})).await;
    t.is_retaken(2).await;
    assert_eq!(kinds().await, Some(vec!["message".to_owned()]));
    t.service.stop().await;
}

#[tokio::test]
async fn amocrm_that_is_connected_to_a_bot_without_a_crm_is_kept_as_a_new_route() {
    for upstream in BOTH {
        let t = Guarded::held_by_nobody(upstream, GuardPolicy::Retake).await;
        t.stage.clock.advance(std::time::Duration::from_secs(2));
        t.stage.act("/amocrm/connect", json!({"token": t.bot.token()})).await;
        let view = t.is_retaken(1).await;
        assert_eq!(view.routes, ["amocrm"]);
        t.tandem_hears("hello").await;
        until("hello in amoCRM", async || {
            let raw = t.stage.look(&format!("/amocrm/{}/raw?after=0", t.bot.id())).await;
            raw.to_string().contains("hello").then_some(())
        })
        .await;
        t.service.stop().await;
    }
}

#[tokio::test]
async fn beside_another_crms_route_nothing_is_guessed() {
    let t = Guarded::new(UpstreamMode::Polling, GuardPolicy::Retake).await;
    t.stage.clock.advance(std::time::Duration::from_secs(2));
    // The sandbox does not deliver there: it only has to be set.
    let wahelp = json!({"url": "http://127.0.0.1:9/x", "ip_address": "127.0.0.1"});
    let rows = t.service.store.list_routes(id(&t.bot)).await.unwrap();
    let mut document: RouteDocument = rows[0].document.read().unwrap();
    document.kind = tandem_bridge::RouteKind::Wahelp;
    let row = tandem_journal::Route {
        document: tandem_journal::Document::of(&document).unwrap(),
        ..rows[0].clone()
    };
    let elsewhere = t.service.bridge.vault().put(
        SecretOwner::Route(id(&t.bot), "amocrm".to_owned()),
        secrets::ROUTE_URL,
        &wahelp["url"].as_str().unwrap().into(),
    );
    t.service
        .store
        .change_settings(None, vec![tandem_journal::SettingsChange::PutRoute(row), elsewhere])
        .await
        .unwrap();
    t.amocrm_is_connected_again(json!({})).await;
    let view = t.in_time("trouble", |view| view.trouble.is_some()).await;
    let advice = view.trouble.unwrap().what_to_do;
    assert!(advice.contains("the route amocrm already") && advice.contains("tandem adopt"), "{advice}");
    assert_eq!((view.guard.retakes, t.webhook().await), (0, t.hook().await));
    t.service.stop().await;
}

#[tokio::test]
async fn another_hosts_webhook_is_taken_back_and_gets_nothing() {
    for upstream in BOTH {
        let t = Guarded::new(upstream, GuardPolicy::Retake).await;
        t.stage.clock.advance(std::time::Duration::from_secs(2));
        t.stage.bot_api(&t.bot, "setWebhook", json!({"url": "http://127.0.0.1:9/hook"})).await;
        let view = t.is_retaken(1).await;
        assert_eq!(view.routes, ["amocrm"]);
        t.tandem_hears("ours").await;
        let marks = t.marks().await;
        assert!(matches!(&marks[0], GuardMark::Taken { by } if by.kind == HolderKind::Other), "{marks:?}");
        t.service.stop().await;
    }
}

#[tokio::test]
async fn our_webhook_that_somebody_takes_away_is_set_again() {
    let t = Guarded::new(UpstreamMode::Webhook, GuardPolicy::Retake).await;
    t.stage.clock.advance(std::time::Duration::from_secs(2));
    t.stage.bot_api(&t.bot, "deleteWebhook", json!({})).await;
    t.is_retaken(1).await;
    assert!(t.webhook().await.starts_with(&t.service.public));
    t.service.stop().await;
}

#[tokio::test]
async fn a_crash_between_learning_and_retaking_is_finished_by_the_next_start() {
    for upstream in BOTH {
        let t = Guarded::new(upstream, GuardPolicy::Retake).await;
        t.tandem_hears("before").await;
        let method = match upstream {
            UpstreamMode::Polling => "deleteWebhook",
            UpstreamMode::Webhook => "setWebhook",
        };
        // amoCRM's own call is not struck.
        t.amocrm_is_connected_again(json!({"new_address": true})).await;
        let fault = json!({"method": method, "fault": {"kind": "silence"}, "times": 1});
        t.stage.act(&format!("/bots/{}/faults", t.bot.id()), fault).await;
        let hook = t.hook().await;
        t.in_time("a retake that was decided", |view| view.guard.retakes == 1).await;
        let is_made = async || t.bot.calls_after(0).iter().any(|call| call.fault.is_some()).then_some(());
        until("the call that is not answered", is_made).await;
        assert_eq!(t.webhook().await, hook, "it is not done yet");
        let t = t.killed_and_started().await;
        let view = t.is_retaken(2).await;
        assert_eq!(view.routes, ["amocrm"]);
        t.tandem_hears("after").await;
        t.amocrm_hears(&["before", "after"]).await;
        t.service.stop().await;
    }
}
