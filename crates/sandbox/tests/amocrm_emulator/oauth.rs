//! Codes, tokens, and what happens when an integration is switched off.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::channel::{Channel, Receiver};
use crate::rest_client::Rest;
use crate::stage::Stage;

struct Client<'a> {
    stage: &'a Stage,
    id: String,
    secret: String,
    redirect_uri: String,
}

impl<'a> Client<'a> {
    async fn new(stage: &'a Stage, fixture: Value) -> Self {
        let made = stage.act("/amocrm/integrations", fixture).await;
        let word = |name: &str| made[name].as_str().unwrap().to_owned();
        Self {
            stage,
            id: word("client_id"),
            secret: word("client_secret"),
            redirect_uri: word("redirect_uri"),
        }
    }

    async fn code(&self) -> String {
        let path = format!("/amocrm/integrations/{}/authorise", self.id);
        self.stage.act(&path, json!({"state": "s"})).await["code"].as_str().unwrap().to_owned()
    }

    async fn token(&self, changes: Value) -> (u16, Value) {
        let mut body =
            json!({"client_id": self.id, "client_secret": self.secret, "redirect_uri": self.redirect_uri});
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let address = format!("{}/oauth2/access_token", self.stage.sandbox.amocrm_url());
        let answer = self.stage.http.post(address).json(&body).send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null))
    }

    async fn hint(&self, changes: Value) -> String {
        let (status, answer) = self.token(changes).await;
        assert_eq!((status, &answer["status"]), (400, &json!(400)));
        answer["hint"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_code_becomes_tokens_and_a_refresh_is_good_once() {
    let stage = Stage::new().await;
    let client = Client::new(&stage, json!({})).await;
    let code = client.code().await;
    let by_code = json!({"grant_type": "authorization_code", "code": code});
    let (status, first) = client.token(by_code.clone()).await;
    assert_eq!((status, &first["expires_in"], &first["token_type"]), (200, &json!(86_400), &json!("Bearer")));
    assert_eq!(first["server_time"], 1_767_607_200);
    assert_eq!(client.hint(by_code).await, "Authorization code has been revoked");
    let rest = Rest { stage: &stage, token: first["access_token"].as_str().unwrap().to_owned() };
    assert_eq!(rest.get("account").await.0, 200);

    let refresh =
        |pair: &Value| json!({"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]});
    let (_, second) = client.token(refresh(&first)).await;
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(client.hint(refresh(&first)).await, "Token has been revoked");

    stage.sandbox.clock().advance(Duration::from_hours(24));
    assert_eq!(rest.get("account").await.0, 401, "a day is over");
    let address = format!("{}/oauth2/account/current/subdomain", stage.sandbox.amocrm_url());
    let token = second["refresh_token"].as_str().unwrap();
    let answer = stage.http.get(address).header("X-Refresh-Token", token).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap()["domain"], "sandbox.amocrm.ru");
    stage.sandbox.clock().advance(Duration::from_hours(24 * 92));
    assert_eq!(client.hint(refresh(&second)).await, "Token has been revoked", "three months without use");
}

#[tokio::test]
async fn every_mistake_has_its_hint() {
    let stage = Stage::new().await;
    let client = Client::new(&stage, json!({})).await;
    let code = json!({"grant_type": "authorization_code", "code": client.code().await});
    let with = |name: &str, value: Value| {
        let mut body = code.clone();
        body[name] = value;
        body
    };
    assert_eq!(client.hint(with("client_id", json!("x"))).await, "Check the `client_id` parameter");
    assert_eq!(client.hint(with("client_secret", json!("x"))).await, "Check the `client_secret` parameter");
    let elsewhere = with("redirect_uri", json!("https://elsewhere.example"));
    assert_eq!(client.hint(elsewhere).await, "Redirect URI is not associated with client");
    assert_eq!(client.hint(with("code", json!("x"))).await, "Cannot decrypt the authorization code");
    stage.sandbox.clock().advance(Duration::from_mins(20));
    assert_eq!(client.hint(code.clone()).await, "Authorization code has expired");
    let answer = stage
        .ask(Method::POST, "/amocrm/faults/oauth", Some(json!({"fault": {"kind": "ban"}, "times": 1})))
        .await;
    assert_eq!(answer.0, 200);
    assert_eq!(client.token(code.clone()).await, (403, Value::Null), "a ban covers the tokens too");
}

#[tokio::test]
async fn a_person_agrees_or_does_not() {
    let stage = Stage::new().await;
    let client = Client::new(&stage, json!({"name": "<Tandem>"})).await;
    let amocrm = stage.sandbox.amocrm_url();
    let page = format!("{amocrm}/oauth?client_id={}&state=a%26b&mode=popup", client.id);
    let page = stage.http.get(page).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("&lt;Tandem>"), "{page}");
    let follow = async |id: &str| {
        let link = page.split(&format!("id=\"{id}\" href=\"")).nth(1).unwrap().split('"').next().unwrap();
        let answer = stage.http.get(format!("{amocrm}{}", link.replace("&amp;", "&"))).send().await.unwrap();
        assert_eq!(answer.status(), 302);
        let to = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        to.query_pairs().into_owned().collect::<std::collections::BTreeMap<_, _>>()
    };
    let allowed = follow("allow").await;
    assert_eq!((allowed["state"].as_str(), allowed["platform"].as_str()), ("a&b", "1"));
    assert_eq!(format!("http://{}", allowed["referer"]), amocrm);
    let code = json!({"grant_type": "authorization_code", "code": allowed["code"]});
    assert_eq!(client.token(code).await.0, 200);
    assert_eq!(follow("deny").await["error"], "access_denied");
}

#[tokio::test]
async fn switching_an_integration_off_takes_everything_away_until_it_is_connected_again() {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    let fixture = json!({"disable_hook": format!("{}/off", receiver.address), "redirect_uri": format!("{}/oauth", receiver.address)});
    let client = Client::new(&stage, fixture).await;
    let channel =
        Channel::register(&stage, json!({"client_id": client.id, "hook_url": receiver.template()})).await;
    channel.connect(&stage).await;
    let (_, pair) =
        client.token(json!({"grant_type": "authorization_code", "code": client.code().await})).await;
    let rest = Rest { stage: &stage, token: pair["access_token"].as_str().unwrap().to_owned() };
    assert_eq!(rest.get("account").await.0, 200);

    let control = format!("/amocrm/integrations/{}", client.id);
    let off = stage.act(&format!("{control}/disable"), json!({})).await;
    assert_eq!(off["hook"]["status"], 200);
    let (uri, _, _) = receiver.hook(0).await;
    let told: std::collections::BTreeMap<_, _> =
        form_urlencoded::parse(uri.query().unwrap().as_bytes()).into_owned().collect();
    assert_eq!(
        (told["account_id"].as_str(), &told["client_uuid"], told["signature"].len()),
        ("31000001", &client.id, 64)
    );
    assert_eq!(rest.get("account").await.0, 401);
    assert_eq!(
        client.hint(json!({"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]})).await,
        "Token has been revoked"
    );
    let write =
        channel.call(&stage, Method::POST, &channel.scope(), json!({"event_type": "new_message"})).await;
    assert_eq!(write.0, 404, "the channel is disconnected");
    let connect = format!("{}/connect", channel.id);
    let body = json!({"account_id": channel.account, "hook_api_version": "v2"});
    assert_eq!(channel.call(&stage, Method::POST, &connect, body).await.0, 404, "and cannot be connected");

    let installed = stage.act(&format!("{control}/install"), json!({"widget": true})).await;
    assert_eq!(installed["redirect"]["status"], 200);
    let (uri, _, _) = receiver.hook(1).await;
    let told: std::collections::BTreeMap<_, _> =
        form_urlencoded::parse(uri.query().unwrap().as_bytes()).into_owned().collect();
    assert_eq!((uri.path(), told["from_widget"].as_str()), ("/oauth", "1"));
    let code = json!({"grant_type": "authorization_code", "code": told["code"]});
    assert_eq!(client.token(code).await.0, 200);
    let write =
        channel.call(&stage, Method::POST, &channel.scope(), json!({"event_type": "new_message"})).await;
    assert_eq!(write.0, 404, "still to be connected");
    channel.connect(&stage).await;
    assert_eq!(stage.act(&format!("{control}/revoke"), json!({})).await, Value::Null);
}
