//! What is sent reaches the client, as whose it was sent; who can be reached; what employees do.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::stage::{Channel, Stage, word};

async fn user_of(stage: &Stage, channel: &Channel, phone: &str) -> (u16, Value) {
    let body = json!({"phone": phone, "name": "Анна", "need_create": true});
    stage.post(&channel.api(stage, "/users"), body).await
}

#[tokio::test]
async fn what_is_sent_into_a_personal_account_lands_at_the_client_as_the_companys_words() {
    let stage = Stage::new().await;
    let channel = stage.personal().await;
    let client = channel.client(&stage, "Анна", "8 (999) 000-11-22").await;
    let (status, answer) = user_of(&stage, &channel, "+79990001122").await;
    assert_eq!((status, word(&answer["data"]["phone"])), (200, "79990001122"));
    let user = &answer["data"]["id"];
    assert_eq!(&user_of(&stage, &channel, "79990001122").await.1["data"]["id"], user, "again the same");

    // T1: his own words, put in by a bridge.
    let path = channel.api(&stage, &format!("/send_message/{user}"));
    let (status, sent) = stage.post(&path, json!({"text": "When are you open?"})).await;
    assert_eq!((status, &sent["success"]), (200, &json!(true)));
    assert_eq!(channel.phone(&stage, client).await, ["company: When are you open?"]);
    assert_eq!(channel.dialogue(&stage).await, ["from_operator: When are you open?"]);
    let shown = stage.get(&channel.api(&stage, &format!("/messages/{}", sent["data"]["id"]))).await;
    assert_eq!(
        (word(&shown["data"]["status"]), word(&shown["data"]["created_at"])),
        ("sent", "2026-01-05 13:00:00")
    );
    assert_eq!(&shown["data"]["user"]["id"], user);
}

#[tokio::test]
async fn a_message_may_be_json_a_form_or_parts_with_a_file() {
    let stage = Stage::new().await;
    let channel = stage.personal().await;
    let client = channel.client(&stage, "Анна", "79990001122").await;
    let (_, answer) = user_of(&stage, &channel, "79990001122").await;
    let path = channel.api(&stage, &format!("/send_message/{}", answer["data"]["id"]));
    let send = || stage.request(Method::POST, &path);
    let file = Part::bytes(b"%PDF".to_vec()).file_name("price.pdf").mime_str("application/pdf").unwrap();
    let parts = Form::new().text("text", "c").text("destination", "from_bot").part("attachment", file);
    for request in [
        send().json(&json!({"type": "text", "text": "a"})),
        send().form(&[("text", "b"), ("destination", "from_crm")]),
        send().multipart(parts),
    ] {
        let (status, answer) = stage.answered(request).await;
        assert_eq!(status, 200, "{answer}");
    }
    assert_eq!(channel.phone(&stage, client).await, ["company: a", "company: b", "company: c"]);
    assert_eq!(channel.dialogue(&stage).await, ["from_operator: a", "from_crm: b", "from_bot: c"]);
    let messages = stage.get(&channel.api(&stage, "/messages?limit=1")).await;
    let last = &messages["data"][0];
    assert_eq!(word(&last["message_type"]), "document");
    let download = stage.http.get(word(&last["file_url"])).send().await.unwrap();
    assert_eq!(download.headers()["content-type"], "application/pdf");
    assert_eq!(download.bytes().await.unwrap().as_ref(), b"%PDF", "nobody is asked who he is");
    assert_eq!(stage.post(&path, json!({})).await.0, 422, "nothing to send");
}

#[tokio::test]
async fn who_does_not_have_the_messenger_is_refused_in_the_known_words() {
    let stage = Stage::new().await;
    let channel = stage.personal().await;
    let nobody = user_of(&stage, &channel, "79990009999").await;
    let refusal = json!({"success": false, "message": "Мессенджер не подключен"});
    assert_eq!(nobody, (200, refusal.clone()));
    stage.switch(json!({"refusal_status": 422})).await;
    assert_eq!(user_of(&stage, &channel, "79990009999").await, (422, refusal.clone()));

    let by_phone = stage.of_project("/contacts/contact_by_phone");
    let ask = async |create: bool, phone: &str| {
        stage.post(&by_phone, json!({"phone": phone, "need_create": create})).await
    };
    assert_eq!(ask(false, "79990001122").await.0, 404);
    channel.client(&stage, "Анна", "79990001122").await;
    assert_eq!(ask(false, "79990001122").await.0, 404, "he has the messenger and is no user yet");
    let (status, found) = ask(true, "79990001122").await;
    assert_eq!((status, &found["data"]["users"][0]["channel_id"]), (200, &json!(channel.id)));
    assert_eq!(ask(false, "+7 999 000-11-22").await.1["data"], found["data"]);
    assert_eq!(ask(true, "79990009999").await, (422, refusal));

    let user = &found["data"]["users"][0]["id"];
    let path = channel.api(&stage, &format!("/send_message/{user}"));
    stage.act(&channel.control(""), json!({"status": "disconnected"})).await;
    assert_eq!(stage.post(&path, json!({"text": "?"})).await.1["success"], false);
    let stranger = channel.api(&stage, "/send_message/1");
    stage.act(&channel.control(""), json!({"status": "connected"})).await;
    assert_eq!(stage.post(&stranger, json!({"text": "?"})).await.0, 404);
}

#[tokio::test]
async fn employees_answer_in_the_service_or_on_the_phone_and_notes_stay_inside() {
    let stage = Stage::new().await;
    let channel = Channel::of(&stage.act("/wahelp/channels", json!({"type": "whatsapp"})).await);
    let client = channel.client(&stage, "Анна", "79990001122").await;
    let user = channel.client_says(&stage, client, "hello").await["user"].as_i64().unwrap();
    let say = channel.control(&format!("/users/{user}/say"));
    stage.act(&say, json!({"text": "by panel"})).await;
    stage.act(&say, json!({"text": "by phone", "in": "phone"})).await;
    let entry = channel.control(&format!("/users/{user}/entry"));
    stage.act(&entry, json!({"destination": "contact_in_work"})).await;
    stage.act(&entry, json!({"destination": "comment", "text": "a difficult one"})).await;
    stage.act(&channel.control(&format!("/clients/{client}/call")), json!({})).await;
    assert_eq!(
        channel.dialogue(&stage).await,
        [
            "from: hello",
            "from_operator: by panel",
            "from_whatsapp: by phone",
            "contact_in_work: ",
            "comment: a difficult one",
            "from: _Incoming call_",
        ]
    );
    assert_eq!(
        channel.phone(&stage, client).await,
        ["client: hello", "company: by panel", "company: by phone", "client: _Incoming call_"]
    );
    let read = stage.act(&channel.control(&format!("/clients/{client}/read")), json!({})).await;
    assert_eq!(read["read"].as_array().unwrap().len(), 2, "what the company wrote");
}
