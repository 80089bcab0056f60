//! Login and tokens, lists and their pages, the spelling of paths.

use std::time::Duration;

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::stage::{Receiver, Stage, word};

#[tokio::test]
async fn a_token_lasts_until_it_expires_and_comes_in_either_shape() {
    let stage = Stage::new().await;
    let form = stage.look("/wahelp").await;
    let form = [("login", word(&form["login"])), ("password", word(&form["password"]))];
    let (status, answer) = stage.answered(stage.http.post(stage.address("/user/login")).form(&form)).await;
    assert_eq!((status, &answer["data"]["expires_in"]), (200, &json!(3600)), "a form does as well as JSON");
    assert_ne!(word(&answer["data"]["access_token"]), stage.token);

    let wrong = json!({"login": "owner@example.com", "password": "guess"});
    let (status, answer) = stage.answered(stage.http.post(stage.address("/user/login")).json(&wrong)).await;
    assert_eq!((status, &answer["success"]), (401, &json!(false)));

    let renewed = stage.get("/user/refresh-token").await;
    let second = word(&renewed["data"]["token"]["token"]).to_owned();
    assert_eq!(renewed["data"]["token"]["expires_in"], 3600);

    stage.sandbox.clock().advance(Duration::from_secs(3599));
    stage.get("/projects/").await;
    stage.sandbox.clock().advance(Duration::from_secs(1));
    let refused = stage.answered(stage.request(Method::GET, "/projects/")).await;
    assert_eq!(refused.0, 401);
    let expired = stage.http.get(stage.address("/user/refresh-token")).bearer_auth(&second);
    assert_eq!(stage.answered(expired).await.0, 401, "an expired token renews nothing");

    stage.switch(json!({"login_shape": "top", "tell_expires_in": false})).await;
    let (_, answer) = stage.login().await;
    assert!(answer["access_token"].is_string() && answer.get("expires_in").is_none(), "{answer}");
    let token = word(&answer["access_token"]).to_owned();
    let with = |path: &str| stage.http.get(stage.address(path)).bearer_auth(&token);
    assert_eq!(stage.answered(with("/user/")).await.0, 200);
    stage.act("/wahelp/tokens/expire", json!({})).await;
    assert_eq!(stage.answered(with("/user/")).await.0, 401, "before its time");
    stage.switch(json!({"refresh_expired": true, "refresh_shape": "data"})).await;
    let (status, answer) = stage.answered(with("/user/refresh-token")).await;
    assert_eq!((status, answer["data"]["access_token"].is_string()), (200, true));
}

#[tokio::test]
async fn projects_and_channels_are_listed_by_both_their_names() {
    let stage = Stage::new().await;
    let channel = stage.personal().await;
    assert_eq!(stage.get("/projects/").await["data"][0]["id"], stage.project);
    let listed = stage.get(&stage.of_project("/channels/")).await["data"].clone();
    let shown = json!({"id": channel.id, "uuid": channel.uuid, "name": "clients_tg", "type": "telegram",
        "active": true, "settings": {}});
    assert_eq!(listed, json!([shown]));
    assert_eq!(stage.get(&channel.api(&stage, "")).await["data"], shown);
    stage.act(&channel.control(""), json!({"active": false, "status": "qr"})).await;
    let status = stage.get(&channel.api(&stage, "/status")).await;
    assert_eq!(status["data"], json!({"status": "qr", "active": false}));

    let by_number = stage.of_project(&format!("/channels/{}", channel.id));
    assert_eq!(stage.answered(stage.request(Method::GET, &by_number)).await.0, 404);
    let elsewhere = stage.answered(stage.request(Method::GET, "/projects/1/channels/")).await;
    assert_eq!(elsewhere.0, 404, "not a project of the account");
    let nowhere = stage.answered(stage.request(Method::PUT, &stage.of_project("/hook"))).await;
    assert_eq!(nowhere.0, 404);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let stage = Stage::new().await;
    let channel = stage.personal().await;
    let client = channel.client(&stage, "Анна", "+79990001122").await;
    for n in 1..=3 {
        channel.client_says(&stage, client, &n.to_string()).await;
    }
    let page = async |query: &str| {
        let answer = stage.get(&channel.api(&stage, &format!("/messages{query}"))).await;
        let texts: Vec<String> = answer["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| word(&message["message"]).to_owned())
            .collect();
        (texts.concat(), answer["has_more"].as_bool().unwrap())
    };
    assert_eq!(page("").await, ("321".to_owned(), false));
    assert_eq!(page("?limit=2").await, ("32".to_owned(), true));
    assert_eq!(page("?limit=2&page=2").await, ("1".to_owned(), false));
    stage.switch(json!({"newest_first": false})).await;
    assert_eq!(page("?limit=2").await, ("12".to_owned(), true));
    let users = stage.get(&channel.api(&stage, "/users/?limit=50&page=1")).await;
    assert_eq!((users["data"].as_array().unwrap().len(), &users["has_more"]), (1, &json!(false)));
}

#[tokio::test]
async fn the_other_spelling_is_redirected_when_only_one_is_answered() {
    let stage = Stage::new().await;
    stage.get("/projects").await;
    stage.get("/projects/").await;
    stage.switch(json!({"slashes": "vendor", "redirect_status": 308})).await;
    let location = async |path: &str| {
        let answer = stage.request(Method::GET, path).send().await.unwrap();
        let location = answer.headers().get(header::LOCATION);
        (answer.status().as_u16(), location.map(|to| to.to_str().unwrap().to_owned()))
    };
    assert_eq!(location("/projects/").await, (200, None));
    assert_eq!(location("/projects?a=b").await, (308, Some(stage.address("/projects/?a=b"))));
    stage.switch(json!({"slashes": "never", "redirect_status": 301})).await;
    assert_eq!(location("/projects/").await, (301, Some(stage.address("/projects"))));
    let calls = stage.look("/wahelp/calls?endpoint=projects").await;
    assert_eq!(calls["calls"].as_array().unwrap().last().unwrap()["status"], 301);
}

#[tokio::test]
async fn webhooks_are_added_changed_and_removed() {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    let webhooks = stage.of_project("/webhooks/");
    stage.subscribe(&receiver).await;
    stage.subscribe(&receiver).await;
    let listed = stage.get(&webhooks).await["data"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 2, "the same address twice is two");
    let path = stage.of_project(&format!("/webhooks/{}", word(&listed[0]["uuid"])));
    let change = stage.request(Method::PUT, &path).json(&json!({"url": "http://203.0.113.7:8080/x"}));
    let (status, changed) = stage.answered(change).await;
    assert_eq!((status, word(&changed["data"]["url"])), (200, "http://203.0.113.7:8080/x"));
    assert_eq!(changed["data"]["entities"], json!(["channel.message"]), "what is not given stays");
    assert_eq!(stage.answered(stage.request(Method::DELETE, &path)).await.0, 200);
    assert_eq!(stage.answered(stage.request(Method::DELETE, &path)).await.0, 404);
    for nonsense in [json!({"url": "x", "entities": ["channel"]}), json!({"url": "http://x/"}), json!({})] {
        assert_eq!(stage.post(&webhooks, nonsense.clone()).await.0, 422, "{nonsense}");
    }
    assert_eq!(stage.get(&webhooks).await["data"].as_array().map(Vec::len), Some(1));
    let project = stage.look("/wahelp").await["projects"][0].clone();
    let kept: Vec<&Value> = project["webhooks"].as_object().unwrap().values().collect();
    assert_eq!(kept.len(), 1);
}
