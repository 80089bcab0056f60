//! Lists over REST: filters, links in batches, incoming leads of programs.

use std::time::Duration;

use serde_json::{Value, json};

use crate::rest_client::Rest;
use crate::stage::Stage;

/// The ids that a list gives.
fn ids(answer: &Value, name: &str) -> Vec<u64> {
    answer["_embedded"][name].as_array().into_iter().flatten().map(|it| it["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn filters_are_an_add_on_but_for_the_one_by_id() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let field = json!([{"name": "Telegram ID", "type": "text", "code": "TELEGRAM_ID"}]);
    let field =
        rest.post("contacts/custom_fields", field).await.1["_embedded"]["custom_fields"][0]["id"].clone();
    let with = |id: &str| json!([{"field_id": field, "values": [{"value": id}]}]);
    let body = json!([{"name": "Анна", "custom_fields_values": with("1001")}, {"name": "Олег", "custom_fields_values": with("10010")}]);
    let made = ids(&rest.post("contacts", body).await.1, "contacts");
    stage.sandbox.clock().advance(Duration::from_secs(100));
    rest.patch(&format!("contacts/{}", made[0]), json!({"name": "Анна К"})).await;
    let found = async |query: &str| ids(&rest.get(&format!("contacts?{query}")).await.1, "contacts");

    assert_eq!(found(&format!("filter[id][]={}", made[1])).await, [made[1]]);
    let by_field = format!("filter[custom_fields_values][{field}][]=1001");
    assert_eq!(rest.get(&format!("contacts?{by_field}")).await.0, 402, "not paid for");
    assert!(rest.get("account?with=is_api_filter_enabled").await.1["is_api_filter_enabled"] == false);
    stage.act("/amocrm/account", json!({"api_filter": true})).await;
    assert!(rest.get("account?with=is_api_filter_enabled").await.1["is_api_filter_enabled"] == true);
    assert_eq!(found(&by_field).await, [made[0]], "the whole value, not a part of it");
    assert_eq!(found("filter[name]=Олег").await, [made[1]]);
    assert_eq!(found("filter[updated_at][from]=1767607300").await, [made[0]]);
    assert_eq!(found("filter[updated_at][to]=1767607299").await, [made[1]]);
    assert_eq!(found("order[updated_at]=desc").await, made);
    assert_eq!(found("order[id]=desc").await, [made[1], made[0]]);

    let leads =
        json!([{"name": "a"}, {"name": "b", "status_id": 143}, {"name": "c", "pipeline_id": 7_100_002}]);
    let leads = ids(&rest.post("leads", leads).await.1, "leads");
    let found = async |query: &str| ids(&rest.get(&format!("leads?{query}")).await.1, "leads");
    let lost = "filter[statuses][0][pipeline_id]=7100001&filter[statuses][0][status_id]=143";
    assert_eq!(found(lost).await, [leads[1]]);
    assert_eq!(found("filter[pipeline_id][]=7100002").await, [leads[2]]);
    assert_eq!(found("with=only_deleted").await, [0; 0]);
}

#[tokio::test]
async fn a_lead_has_several_contacts_and_one_main_one() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let contacts = json!([{"name": "Анна"}, {"name": "Олег"}]);
    let contacts = ids(&rest.post("contacts", contacts).await.1, "contacts");
    let leads = ids(&rest.post("leads", json!([{"name": "a"}, {"name": "b"}])).await.1, "leads");
    let link = |lead: u64, contact: u64, main: bool| json!({"entity_id": lead, "to_entity_id": contact, "to_entity_type": "contacts", "metadata": {"is_main": main}});
    let mains = async |lead: u64| -> Vec<(u64, bool)> {
        let (_, shown) = rest.get(&format!("leads/{lead}?with=contacts")).await;
        let contacts = shown["_embedded"]["contacts"].as_array().unwrap();
        contacts.iter().map(|it| (it["id"].as_u64().unwrap(), it["is_main"].as_bool().unwrap())).collect()
    };
    let bulk = json!([
        link(leads[0], contacts[0], false),
        link(leads[0], contacts[1], false),
        link(leads[1], contacts[1], true)
    ]);
    let (status, made) = rest.post("leads/link", bulk).await;
    assert_eq!((status, &made["_total_items"]), (200, &json!(3)));
    assert_eq!(
        mains(leads[0]).await,
        [(contacts[0], true), (contacts[1], false)],
        "the first one is the main one"
    );
    rest.post(&format!("leads/{}/link", leads[0]), json!([link(leads[0], contacts[1], true)])).await;
    assert_eq!(mains(leads[0]).await, [(contacts[1], true), (contacts[0], false)]);
    let (_, of_both) = rest
        .get(&format!("leads/links?filter[entity_id][]={}&filter[entity_id][]={}", leads[0], leads[1]))
        .await;
    assert_eq!(of_both["_total_items"], 3);
    let (_, of_contact) = rest.get(&format!("contacts/{}/links", contacts[1])).await;
    assert_eq!(of_contact["_embedded"]["links"][1]["to_entity_id"], leads[1]);
    assert_eq!(
        rest.post(&format!("leads/{}/unlink", leads[0]), json!([link(0, contacts[1], false)])).await.0,
        204
    );
    assert_eq!(mains(leads[0]).await, [(contacts[0], true)], "the next one took its place");
    let (status, answer) = rest.post("leads/link", json!([link(5, contacts[0], false)])).await;
    assert_eq!((status, &answer["validation-errors"][0]["errors"][0]["path"]), (400, &json!("entity_id")));
    assert_eq!(rest.get("leads/links").await.0, 400);
}

#[tokio::test]
async fn programs_bring_incoming_leads_of_forms_and_calls() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let form = json!([{"source_uid": "x", "source_name": "Сайт", "metadata": {"form_id": 1}, "request_id": "r",
        "_embedded": {"leads": [{"name": "Заявка"}], "contacts": [{"name": "Анна"}]}}]);
    let (status, made) = rest.post("leads/unsorted/forms", form).await;
    let one = made["_embedded"]["unsorted"][0].clone();
    assert_eq!((status, &one["request_id"], &made["_total_items"]), (200, &json!("r"), &json!(1)));
    let uid = one["uid"].as_str().unwrap();
    let (_, shown) = rest.get(&format!("leads/unsorted/{uid}")).await;
    assert_eq!((&shown["category"], &shown["metadata"]["form_name"]), (&json!("forms"), &json!("Сайт")));
    assert_eq!(rest.get("leads/unsorted?filter[category][]=chats").await.0, 204);
    assert_eq!(rest.get("leads/unsorted/summary").await.1["categories"]["forms"]["total"], 1);
    let link = json!({"link": {"entity_id": 1, "entity_type": "leads"}});
    assert_eq!(rest.post(&format!("leads/unsorted/{uid}/link"), link).await.0, 400, "chats only");
    assert_eq!(rest.get("contacts").await.0, 204, "not accepted yet");
    assert_eq!(rest.post(&format!("leads/unsorted/{uid}/accept"), json!({})).await.0, 200);
    let lead = one["_embedded"]["leads"][0]["id"].clone();
    assert_eq!(rest.get(&format!("leads/{lead}?with=contacts")).await.1["name"], "Заявка");
    assert_eq!(rest.get("contacts").await.1["_embedded"]["contacts"][0]["name"], "Анна");
    let (status, answer) = rest.post("leads/unsorted/sip", json!([{"source_uid": "x"}])).await;
    let errors = answer["validation-errors"].as_array().unwrap();
    assert_eq!((status, errors.len()), (400, 2), "{answer}");
    let many: Vec<Value> = (0..251).map(|n| json!({"name": n.to_string()})).collect();
    assert_eq!(rest.post("contacts", json!(many)).await.0, 422);
}
