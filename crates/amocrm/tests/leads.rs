//! What becomes of a client's leads, by what his route says; where he came from; sources; and what `doctor` says of wrong
//! settings. Against the emulator.

mod support;

use http::Method;
use serde_json::{Value, json};
use tandem_vendor::{FindingState, Occasion};

use self::support::{
    cards::{Cards, FIRST_STAGE, LATER_STAGE, LOST, OTHER_FIRST_STAGE, OTHER_PIPELINE, WON, values},
    opening,
};

/// The only lead of whoever is nobody yet.
async fn new_lead(cards: &Cards, route: Value) -> Value {
    let contact = cards.opens_for(&opening(None, route)).await;
    let leads = cards.leads_of(contact).await;
    assert_eq!(leads.len(), 1);
    cards.lead_card(leads[0]).await
}

#[tokio::test]
async fn a_new_lead_comes_where_the_route_says() {
    let manager = {
        let cards = Cards::open().await;
        cards.look("users").await["_embedded"]["users"][0]["id"].clone()
    };
    for (route, pipeline, stage) in [
        (json!({"pipeline": OTHER_PIPELINE}), OTHER_PIPELINE, OTHER_FIRST_STAGE),
        (json!({"stage": LATER_STAGE}), OTHER_PIPELINE - 1, LATER_STAGE),
        (json!({"stage": OTHER_FIRST_STAGE}), OTHER_PIPELINE, OTHER_FIRST_STAGE),
        (json!({"responsible": manager}), OTHER_PIPELINE - 1, FIRST_STAGE),
        // What is gone from the account is left out rather than the lead.
        (json!({"pipeline": 1, "stage": 2, "responsible": 3}), OTHER_PIPELINE - 1, FIRST_STAGE),
    ] {
        let cards = Cards::open().await;
        let lead = new_lead(&cards, route.clone()).await;
        assert_eq!((&lead["pipeline_id"], &lead["status_id"]), (&json!(pipeline), &json!(stage)), "{route}");
        if route["responsible"] == manager {
            assert_eq!(lead["responsible_user_id"], manager);
        }
    }
}

#[tokio::test]
async fn an_open_lead_is_used_a_lost_one_opened_again_and_a_won_one_followed_by_a_new_one() {
    let again = json!({"reopen_lost": true});
    let further = json!({"reopen_lost": true, "reopen_stage": LATER_STAGE});
    // The stage of its lead, the route, the stage afterwards, how many there are then.
    for (before, route, after, count) in [
        (LATER_STAGE, json!(null), LATER_STAGE, 1),
        (LOST, again.clone(), FIRST_STAGE, 1),
        (LOST, further, LATER_STAGE, 1),
        (LOST, json!(null), LOST, 2),
        (WON, again.clone(), WON, 2),
        (WON, json!({"leads": "leave"}), WON, 1),
    ] {
        let cards = Cards::open().await;
        let ann = cards.contact_of_user("Анна", "1001").await;
        let lead = cards.lead(ann, before).await;
        cards.opens_for(&opening(None, route.clone())).await;
        assert_eq!(cards.lead_card(lead).await["status_id"], after, "{before} {route}");
        assert_eq!(cards.leads_of(ann).await.len(), count, "{before} {route}");
    }
}

#[tokio::test]
async fn a_lead_that_is_closed_while_the_client_is_away_is_looked_at_when_he_writes_again() {
    let cards = Cards::open().await;
    let route = json!({"reopen_lost": true});
    let opened = cards.opens(&opening(None, route.clone())).await;
    let ann: u64 = opened.contact.clone().unwrap().parse().unwrap();
    let lead = cards.leads_of(ann).await[0];
    let lost = json!({"status_id": LOST});
    cards.api(Method::PATCH, &format!("leads/{lead}"), Some(lost.clone())).await;
    let known = opening(Some(&ann.to_string()), route.clone());
    assert_eq!(cards.tends(&known, &opened.ids, Occasion::Silence).await, Some(ann));
    assert_eq!(cards.lead_card(lead).await["status_id"], FIRST_STAGE);
    assert_eq!(cards.leads_of(ann).await, [lead]);
    // As the route says otherwise.
    cards.api(Method::PATCH, &format!("leads/{lead}"), Some(lost)).await;
    let known = opening(Some(&ann.to_string()), json!(null));
    cards.tends(&known, &opened.ids, Occasion::Silence).await;
    assert_eq!(cards.leads_of(ann).await.len(), 2);
}

#[tokio::test]
async fn a_lead_whose_answer_was_lost_is_not_made_twice() {
    let cards = Cards::open().await;
    cards.fails("leads", json!({"kind": "reset", "taken": true})).await;
    cards.emulator.account.open_chat(&opening(None, json!(null))).await.unwrap_err();
    let ann = cards.opens_for(&opening(None, json!(null))).await;
    assert_eq!((cards.contacts().await, cards.leads_of(ann).await.len()), (vec![ann], 1));
}

#[tokio::test]
async fn where_the_client_came_from_stands_in_fields_and_tags_and_the_first_time_is_not_overwritten() {
    let cards = Cards::open().await;
    let field = |name: &str, code: &str| json!([{"name": name, "type": "text", "code": code}]);
    for (entity, code) in [("leads", "UTM_SOURCE"), ("leads", "LATEST"), ("contacts", "CAME_BY")] {
        cards.api(Method::POST, &format!("{entity}/custom_fields"), Some(field(code, code))).await;
    }
    let route =
        json!({"start_first": ["utm_source", "contact:CAME_BY"], "start_latest": ["lead:LATEST", "tag"]});
    let mut first = opening(None, route.clone());
    first.starts = vec!["ad_vk".to_owned()];
    let opened = cards.opens(&first).await;
    let ann: u64 = opened.contact.clone().unwrap().parse().unwrap();
    let lead = cards.leads_of(ann).await[0];
    let shown = |card: &Value| {
        (values(card, "UTM_SOURCE"), values(card, "LATEST"), card["_embedded"]["tags"].to_string())
    };
    let (source, latest, tags) = shown(&cards.lead_card(lead).await);
    assert_eq!((source, latest), (vec!["ad_vk".to_owned()], vec!["ad_vk".to_owned()]));
    assert!(tags.contains("ad_vk"), "{tags}");
    assert_eq!(cards.values(ann, "CAME_BY").await, ["ad_vk"]);
    // He presses a link of another campaign.
    let mut again = opening(Some(&ann.to_string()), route);
    again.starts = vec!["ad_vk".to_owned(), "spring".to_owned()];
    cards.tends(&again, &opened.ids, Occasion::Started).await;
    let (source, latest, tags) = shown(&cards.lead_card(lead).await);
    assert_eq!((source, latest), (vec!["ad_vk".to_owned()], vec!["spring".to_owned()]));
    assert!(tags.contains("ad_vk") && tags.contains("spring"), "{tags}");
    assert_eq!(cards.leads_of(ann).await, [lead]);
}

#[tokio::test]
async fn a_field_that_is_not_there_keeps_no_lead_from_being_made() {
    let cards = Cards::open().await;
    let mut opening = opening(None, json!({"start_first": ["lead:NO_SUCH"], "stage": LATER_STAGE}));
    opening.starts = vec!["ad".to_owned()];
    let ann = cards.opens_for(&opening).await;
    assert_eq!(cards.lead_card(cards.leads_of(ann).await[0]).await["status_id"], LATER_STAGE);
}

#[tokio::test]
async fn every_bot_has_a_source_of_its_own_that_leads_where_its_route_says() {
    let cards = Cards::open().await;
    let sources = async || cards.look_as_we("sources").await["_embedded"]["sources"].clone();
    let route = |pipeline: u64| json!({"source": "bot_777", "source_name": "Магазин", "pipeline": pipeline});
    let first = opening(None, route(OTHER_PIPELINE));
    let opened = cards.opens(&first).await;
    cards.writes(&opened.ids, 41).await;
    let shown = sources().await.to_string();
    assert!(
        shown.contains("bot_777") && shown.contains("Магазин") && shown.contains("amo.ext.shop"),
        "{shown}"
    );
    assert!(cards.emulator.complaints().await.is_empty());
    // The route is changed: the source follows, and no second one is made.
    cards.opens(&opening(None, route(OTHER_PIPELINE - 1))).await;
    let shown = sources().await.to_string();
    assert_eq!(shown.matches("bot_777").count(), 1, "{shown}");
    assert!(shown.contains(&(OTHER_PIPELINE - 1).to_string()), "{shown}");
}

#[tokio::test]
async fn without_a_right_to_sources_everything_goes_on() {
    let cards = Cards::open().await;
    cards
        .fails(
            "sources",
            json!({"kind": "status", "code": 403, "body": "{\"title\":\"Forbidden\",\"status\":403}"}),
        )
        .await;
    let lead = new_lead(&cards, json!({"source": "bot_777"})).await;
    assert_eq!(lead["status_id"], FIRST_STAGE);
}

#[tokio::test]
async fn doctor_says_which_pipeline_stage_user_or_field_does_not_exist() {
    let cards = Cards::open().await;
    let account = &cards.emulator.account;
    let right = json!({"pipeline": OTHER_PIPELINE, "stage": OTHER_FIRST_STAGE, "reopen_stage": LATER_STAGE});
    let findings = account.check_route(&right).await;
    assert!(findings.iter().all(|finding| finding.state == FindingState::Good), "{findings:?}");
    let wrong =
        json!({"pipeline": 1, "stage": 2, "responsible": 3, "start_first": ["utm_source", "contact:4"]});
    let findings = account.check_route(&wrong).await;
    let bad: Vec<_> = findings.iter().filter(|finding| finding.state == FindingState::Bad).collect();
    let says = |words: &str| bad.iter().any(|finding| finding.sentence.contains(words));
    for words in ["no pipeline 1", "a stage 2", "no user 3", "no field UTM_SOURCE", "no field 4"] {
        assert!(says(words), "{words}: {findings:?}");
    }
    let elsewhere = account.check_route(&json!({"pipeline": OTHER_PIPELINE, "stage": LATER_STAGE})).await;
    assert!(elsewhere.iter().any(|finding| finding.state == FindingState::Warning), "{elsewhere:?}");
    let unreadable = account.check_route(&json!({"start_first": ["nowhere"]})).await;
    assert!(unreadable[0].sentence.contains("nowhere"), "{unreadable:?}");
}
