//! Account, users, contacts, leads, notes and fields over REST.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::rest_client::Rest;
use crate::stage::Stage;

#[tokio::test]
async fn the_account_shows_what_with_asks_for() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let (status, plain) = rest.get("account").await;
    assert_eq!((status, &plain["id"], &plain["subdomain"]), (200, &json!(31_000_001), &json!("sandbox")));
    assert!(
        ["amojo_id", "version", "drive_url", "_embedded"].iter().all(|name| plain.get(name).is_none()),
        "{plain}"
    );
    let (_, full) = rest.get("account?with=amojo_id,version,drive_url,users_groups,datetime_settings").await;
    assert_eq!(full["amojo_id"], stage.look("/amocrm").await["account"]["amojo_id"]);
    assert_eq!(full["_embedded"]["datetime_settings"]["timezone"], "Europe/Moscow");
    assert!(full["_embedded"].get("task_types").is_none());
    assert_eq!(rest.post("account", json!({})).await.0, 405);
    assert_eq!(rest.get("nowhere").await.0, 404);
    let answer = rest.send(Method::GET, "account", &Value::Null).await;
    assert!(answer.headers().contains_key("x-request-id"));
    assert_eq!(answer.headers()["date"], "Mon, 05 Jan 2026 10:00:00 GMT", "by the sandbox's clock");
}

#[tokio::test]
async fn users_are_for_administrators_and_not_for_external_integrations() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let (_, users) = rest.get("users?with=amojo_id").await;
    let users = users["_embedded"]["users"].as_array().unwrap().clone();
    assert_eq!(users.len(), 2);
    assert!(users[0]["amojo_id"].is_string() && users[0]["rights"]["is_admin"] == true);
    assert!(rest.get("users").await.1["_embedded"]["users"][0].get("amojo_id").is_none());
    assert_eq!(rest.get(&format!("users/{}", users[1]["id"])).await.1["id"], users[1]["id"]);
    let client = stage.look("/amocrm/integrations").await["integrations"][0]["client_id"].clone();
    let client = client.as_str().unwrap();
    let manager = Rest::of(&stage, client, users[1]["id"].as_u64().unwrap()).await;
    assert_eq!(manager.get("users").await.0, 403);
    assert_eq!(manager.get("account").await.1["current_user_id"], users[1]["id"]);
    stage.act(&format!("/amocrm/integrations/{client}"), json!({"kind": "external"})).await;
    assert_eq!(rest.get("users").await.0, 403);

    let acting = |user: String| {
        let address = format!("{}/api/v4/account", stage.sandbox.amocrm_url());
        stage.http.get(address).bearer_auth(&rest.token).header("X-Context-User-ID", user).send()
    };
    let answer: Value = acting(users[1]["id"].to_string()).await.unwrap().json().await.unwrap();
    assert_eq!(answer["current_user_id"], users[1]["id"]);
    assert_eq!(acting("5".to_owned()).await.unwrap().status(), 401);
}

#[tokio::test]
async fn contacts_are_made_changed_found_and_paged() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    assert_eq!(rest.get("contacts").await, (204, Value::Null), "an empty list");
    assert_eq!(rest.get("contacts/5").await, (204, Value::Null), "no such contact");
    let phone = json!({"field_code": "PHONE", "values": [{"value": "+7 999 000-11-22", "enum_code": "MOB"}]});
    let body = json!([{"name": "Анна К", "custom_fields_values": [phone], "request_id": "tg-1",
        "tags_to_add": [{"name": "vip"}]}, {"first_name": "Олег", "last_name": "Н"}]);
    let (status, made) = rest.post("contacts", body).await;
    let made = made["_embedded"]["contacts"].as_array().unwrap().clone();
    assert_eq!((status, &made[0]["request_id"], &made[1]["request_id"]), (200, &json!("tg-1"), &json!("1")));
    let anna = format!("contacts/{}", made[0]["id"]);
    let (_, shown) = rest.get(&anna).await;
    assert_eq!(shown["name"], "Анна К");
    assert_eq!(shown["custom_fields_values"][0]["field_code"], "PHONE");
    assert_eq!(shown["custom_fields_values"][0]["values"][0]["enum_code"], "MOB");
    assert_eq!(shown["_embedded"]["tags"][0]["name"], "vip");
    assert_eq!(stage.look("/amocrm/contacts").await["contacts"][0]["phone"], "79990001122");

    for query in ["9990001122", "+7+999+000-11-22", "анна"] {
        let (_, found) = rest.get(&format!("contacts?query={query}")).await;
        assert_eq!(found["_embedded"]["contacts"][0]["id"], made[0]["id"], "{query}");
        assert_eq!(found["_embedded"]["contacts"].as_array().unwrap().len(), 1, "{query}");
    }
    assert_eq!(rest.get("contacts?query=nobody").await.0, 204);

    stage.sandbox.clock().advance(Duration::from_secs(5));
    let change =
        json!({"custom_fields_values": [{"field_code": "PHONE", "values": [{"value": "+79995550011"}]}]});
    let (status, changed) = rest.patch(&anna, change).await;
    assert_eq!((status, &changed["updated_at"]), (200, &json!(1_767_607_205)));
    let (_, shown) = rest.get(&anna).await;
    let values = shown["custom_fields_values"][0]["values"].as_array().unwrap().clone();
    assert_eq!((values.len(), &values[0]["value"]), (1, &json!("+79995550011")), "replaced as a whole");
    let (status, answer) = rest.patch("contacts", json!([{"id": 1, "name": "x"}])).await;
    assert_eq!(
        (status, &answer["validation-errors"][0]["errors"][0]["code"]),
        (400, &json!("EntityNotFound"))
    );

    let (_, page) = rest.get("contacts?limit=1&page=1").await;
    assert_eq!((&page["_page"], page["_embedded"]["contacts"].as_array().unwrap().len()), (&json!(1), 1));
    let next = page["_links"]["next"]["href"].as_str().unwrap();
    let next: Value =
        stage.http.get(next).bearer_auth(&rest.token).send().await.unwrap().json().await.unwrap();
    assert_eq!(next["_embedded"]["contacts"][0]["name"], "Олег Н");
    assert!(next["_links"].get("next").is_none() && next["_links"]["prev"].is_object());
    assert_eq!(
        rest.get("contacts?limit=251").await,
        (
            422,
            json!({"title": "Unprocessable Entity",
        "type": "https://httpstatus.es/422", "status": 422, "detail": "Limit 250 per page"})
        )
    );

    let (status, answer) = rest.post("contacts", json!([])).await;
    assert_eq!((status, &answer["detail"]), (400, &json!("Request data can not be empty")));
    let bad = json!([{"name": "x", "custom_fields_values": [{"field_id": 1, "values": [{"value": "1"}]}]}]);
    let (status, answer) = rest.post("contacts", bad).await;
    assert_eq!(status, 400);
    assert_eq!(
        answer["validation-errors"],
        json!([{"request_id": "0", "errors": [{"code": "NotSupportedChoice", "path": "custom_fields_values.0.field_id",
            "detail": "The value you selected is not a valid choice."}]}])
    );
    assert_eq!(rest.delete(&anna, Value::Null).await.0, 405);
}

#[tokio::test]
async fn fields_are_made_and_used() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let (_, there) = rest.get("contacts/custom_fields").await;
    assert_eq!(there["_embedded"]["custom_fields"].as_array().unwrap().len(), 2, "phone and e-mail");
    let new = json!([{"name": "Telegram ID", "type": "text", "code": "TELEGRAM_ID", "is_api_only": true}]);
    let (status, made) = rest.post("contacts/custom_fields", new.clone()).await;
    let field = made["_embedded"]["custom_fields"][0].clone();
    assert_eq!((status, &field["code"], &field["is_api_only"]), (201, &json!("TELEGRAM_ID"), &json!(true)));
    assert_eq!(rest.post("contacts/custom_fields", new).await.0, 400, "the code is used");
    let body = json!([{"name": "A", "custom_fields_values": [{"field_id": field["id"], "values": [{"value": "1001"}]}]}]);
    rest.post("contacts", body).await;
    let (_, found) = rest.get("contacts?query=1001").await;
    assert_eq!(found["_embedded"]["contacts"][0]["custom_fields_values"][0]["field_code"], "TELEGRAM_ID");
    assert_eq!(rest.post("leads/custom_fields", json!([{"name": "x", "type": "no"}])).await.0, 400);
}

#[tokio::test]
async fn leads_pipelines_links_and_notes() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let (_, pipelines) = rest.get("leads/pipelines").await;
    let pipelines = pipelines["_embedded"]["pipelines"].as_array().unwrap().clone();
    let statuses = pipelines[0]["_embedded"]["statuses"].as_array().unwrap();
    assert_eq!((&statuses[0]["type"], pipelines[0]["is_main"].as_bool()), (&json!(1), Some(true)));
    assert_eq!(
        statuses.iter().rev().take(2).map(|it| it["id"].as_u64().unwrap()).collect::<Vec<_>>(),
        [143, 142]
    );

    let contact =
        rest.post("contacts", json!([{"name": "Анна"}])).await.1["_embedded"]["contacts"][0]["id"].clone();
    let body = json!([{"name": "Заказ", "price": 500, "_embedded": {"contacts": [{"id": contact, "is_main": true}]}}]);
    let (_, made) = rest.post("leads", body).await;
    let lead = format!("leads/{}", made["_embedded"]["leads"][0]["id"]);
    let (_, shown) = rest.get(&format!("{lead}?with=contacts")).await;
    assert_eq!((&shown["price"], &shown["status_id"]), (&json!(500), &statuses[1]["id"]));
    assert_eq!(shown["_embedded"]["contacts"][0]["id"], contact);
    assert_eq!(
        rest.get(&format!("contacts/{contact}?with=leads")).await.1["_embedded"]["leads"][0]["id"],
        shown["id"]
    );
    rest.patch(&lead, json!({"status_id": 142})).await;
    let (_, won) = rest.get(&lead).await;
    assert!(won["closed_at"].is_i64(), "{won}");
    assert_eq!(rest.patch(&lead, json!({"status_id": 5})).await.0, 400);
    assert_eq!(rest.get("leads/1").await.0, 204);
    assert_eq!(rest.delete(&lead, Value::Null).await.0, 405);

    let other =
        rest.post("contacts", json!([{"name": "Олег"}])).await.1["_embedded"]["contacts"][0]["id"].clone();
    let link = json!([{"to_entity_id": other, "to_entity_type": "contacts", "metadata": {"is_main": true}}]);
    assert_eq!(rest.post(&format!("{lead}/link"), link.clone()).await.0, 200);
    assert_eq!(rest.get(&format!("{lead}/links")).await.1["_embedded"]["links"][0]["to_entity_id"], other);
    assert_eq!(rest.post(&format!("{lead}/unlink"), link).await.0, 204);
    assert_eq!(rest.get(&format!("{lead}/links")).await.1["_embedded"]["links"][0]["to_entity_id"], contact);

    let complex =
        json!([{"name": "Сразу", "request_id": "a", "_embedded": {"contacts": [{"first_name": "Ира"}]}}]);
    let (_, answer) = rest.post("leads/complex", complex).await;
    assert_eq!((&answer[0]["request_id"], &answer[0]["merged"]), (&json!(["a"]), &json!(false)));
    assert!(answer[0]["contact_id"].is_u64());

    let notes = format!("{lead}/notes");
    assert_eq!(rest.get(&notes).await.0, 204);
    let (status, made) =
        rest.post(&notes, json!([{"note_type": "common", "params": {"text": "заметка"}}])).await;
    assert_eq!((status, &made["_embedded"]["notes"][0]["request_id"]), (200, &json!("0")));
    let (_, shown) = rest.get(&notes).await;
    assert_eq!(shown["_embedded"]["notes"][0]["params"]["text"], "заметка");
    let (status, answer) = rest.post(&notes, json!([{"note_type": "common", "params": {}}])).await;
    assert_eq!((status, &answer["validation-errors"][0]["errors"][0]["path"]), (400, &json!("params.text")));
    let bulk = json!([{"entity_id": contact, "note_type": "service_message", "params": {"service": "Tandem", "text": "t"}}]);
    assert_eq!(rest.post("contacts/notes", bulk).await.0, 200);
    assert_eq!(
        rest.post("contacts/5/notes", json!([{"note_type": "common", "params": {"text": "x"}}])).await.0,
        400
    );
}

#[tokio::test]
async fn seven_requests_a_second_are_taken() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    stage.act("/amocrm/account", json!({"rate_limit": true})).await;
    for _ in 0..7 {
        assert_eq!(rest.get("account").await.0, 200);
    }
    let answer = rest.send(Method::GET, "account", &Value::Null).await;
    assert_eq!(answer.status(), 429);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(
        body,
        json!({"title": "Too Many Requests", "type": "https://httpstatus.es/429", "status": 429,
        "detail": "Request limit exceeded", "retry_after": 1})
    );
    stage.sandbox.clock().advance(Duration::from_secs(1));
    assert_eq!(rest.get("account").await.0, 200);
}

#[tokio::test]
async fn rest_fails_as_it_is_told() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let plan =
        async |fault: Value| stage.act("/amocrm/faults/rest", json!({"fault": fault, "times": 1})).await;
    plan(json!({"kind": "status", "code": 429, "retry_after": 300})).await;
    let (status, answer) = rest.get("account").await;
    assert_eq!((status, &answer["retry_after"]), (429, &json!(300)));
    for code in [401, 402, 403, 500, 503] {
        plan(json!({"kind": "status", "code": code})).await;
        assert_eq!(rest.get("account").await.0, code);
    }
    plan(json!({"kind": "ban"})).await;
    let banned = rest.send(Method::GET, "account", &Value::Null).await;
    assert_eq!(
        (banned.status().as_u16(), &banned.headers()["content-type"]),
        (403, &"text/html".parse().unwrap())
    );
    assert!(banned.text().await.unwrap().contains("<center>nginx</center>"));
    let only_contacts = json!({"fault": {"kind": "status", "code": 500}, "endpoint": "contacts"});
    stage.act("/amocrm/faults/rest", only_contacts).await;
    assert_eq!(rest.get("account").await.0, 200);
    assert_eq!(rest.post("contacts", json!([{"name": "x"}])).await.0, 500);
    stage.ask(Method::DELETE, "/amocrm/faults/rest", None).await;
    plan(json!({"kind": "status", "code": 504, "taken": true})).await;
    assert_eq!(rest.post("contacts", json!([{"name": "Дважды"}])).await.0, 504);
    assert_eq!(
        rest.get("contacts").await.1["_embedded"]["contacts"].as_array().unwrap().len(),
        1,
        "it was taken"
    );
    let calls = stage.look("/amocrm/calls?on=rest").await;
    assert!(calls["calls"].as_array().unwrap().iter().any(|call| call["fault"]["kind"] == "ban"));
}
