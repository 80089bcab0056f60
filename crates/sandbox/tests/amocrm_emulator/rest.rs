//! `/api/v4/webhooks` as a program of the account's owner uses it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::stage::Stage;

async fn rest(stage: &Stage, method: Method, query: &str, body: Value) -> (StatusCode, Value) {
    let token = stage.look("/amocrm").await["account"]["access_token"].as_str().unwrap().to_owned();
    call(stage, method, query, body, &token).await
}

async fn call(stage: &Stage, method: Method, query: &str, body: Value, token: &str) -> (StatusCode, Value) {
    let address = format!("{}/api/v4/webhooks{query}", stage.sandbox.amocrm_url());
    let answer = stage.http.request(method, address).bearer_auth(token).json(&body).send().await.unwrap();
    (answer.status(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null))
}

#[tokio::test]
async fn destinations_are_added_changed_listed_and_removed() {
    let stage = Stage::new().await;
    let (first, second) = ("https://bridge.example/amo/s3cret", "https://bridge.example/other");
    let (status, added) = rest(
        &stage,
        Method::POST,
        "",
        json!({"destination": first, "settings": ["add_message"], "sort": 10}),
    )
    .await;
    assert_eq!(status, StatusCode::CREATED);
    let account = stage.look("/amocrm").await["account"]["id"].clone();
    assert_eq!(
        added,
        json!({"id": added["id"], "destination": first, "created_at": 1_767_607_200, "updated_at": 1_767_607_200,
            "account_id": account, "created_by": 8_100_001, "sort": 10, "disabled": false, "settings": ["add_message"]})
    );
    let (_, changed) =
        rest(&stage, Method::POST, "", json!({"destination": first, "settings": ["add_unsorted"]})).await;
    assert_eq!((&changed["id"], &changed["settings"]), (&added["id"], &json!(["add_unsorted"])));
    rest(&stage, Method::POST, "", json!({"destination": second, "settings": ["add_talk"]})).await;

    let (status, all) = rest(&stage, Method::GET, "", json!({})).await;
    assert_eq!((status, &all["_total_items"]), (StatusCode::OK, &json!(2)));
    let filter = format!("?filter[destination]={second}");
    let (_, one) = rest(&stage, Method::GET, &filter, json!({})).await;
    assert_eq!(one["_embedded"]["webhooks"][0]["destination"], second);
    assert_eq!(one["_total_items"], 1);

    let (status, _) = rest(&stage, Method::DELETE, "", json!({"destination": first})).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = rest(&stage, Method::DELETE, "", json!({"destination": first})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_wrong_token_and_wrong_bodies_are_refused() {
    let stage = Stage::new().await;
    let good = json!({"destination": "https://bridge.example/", "settings": ["add_message"]});
    for method in [Method::GET, Method::POST, Method::DELETE] {
        let (status, answer) = call(&stage, method, "", good.clone(), "wrong").await;
        assert_eq!((status, &answer["title"]), (StatusCode::UNAUTHORIZED, &json!("Unauthorized")));
    }
    let (status, _) = rest(&stage, Method::POST, "", json!({"destination": 5})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, answer) = rest(
        &stage,
        Method::POST,
        "",
        json!({"destination": "https://bridge.example/", "settings": ["add_joy"]}),
    )
    .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer["detail"].as_str().unwrap().contains("add_joy"), "{answer}");
}
