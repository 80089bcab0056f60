//! A linked project: dialogues in the sandbox's amoCRM, and what managers answer there.

use serde_json::{Value, json};

use crate::stage::{Channel, Receiver, Stage, eventually, word};

/// A linked channel and its channel in amoCRM.
async fn linked(stage: &Stage) -> (Channel, String) {
    let channel = stage.personal().await;
    let linkage = stage.act(&channel.control("/link"), json!({})).await;
    (channel, word(&linkage["channel"]).to_owned())
}

/// The chats of amoCRM as `speaker: text`, once there are so many lines.
async fn lines(stage: &Stage, amocrm: &str, count: usize) -> Vec<String> {
    eventually("lines in amoCRM", async || {
        let chats = stage.look(&format!("/amocrm/channels/{amocrm}/chats")).await;
        let chats = chats["chats"].as_array().unwrap().iter();
        let lines = chats.flat_map(|chat| chat["messages"].as_array().unwrap());
        let lines: Vec<String> =
            lines.map(|line| format!("{}: {}", word(&line["speaker"]), word(&line["text"]))).collect();
        (lines.len() >= count).then_some(lines)
    })
    .await
}

#[tokio::test]
async fn a_dialogue_is_seen_in_amocrm_and_the_managers_answer_reaches_the_client() {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    stage.subscribe(&receiver).await;
    let (channel, amocrm) = linked(&stage).await;
    let client = channel.client(&stage, "Анна", "79990001122").await;
    let said = channel.client_says(&stage, client, "hello").await;
    let user = said["user"].as_i64().unwrap();
    assert_eq!(lines(&stage, &amocrm, 1).await, ["client: hello"]);
    let shown = stage.look(&format!("/amocrm/channels/{amocrm}")).await;
    assert_eq!((word(&shown["code"]), word(&shown["name"])), ("wahelp.whatbot", "WAhelp"));

    let chat = stage.look(&format!("/amocrm/channels/{amocrm}/chats/{user}")).await;
    assert_eq!(word(&chat["person"]["phone"]), "79990001122", "the chat has the user's number for its name");
    let say = json!({"chat": user.to_string(), "text": "good day"});
    let answer = stage.act(&format!("/amocrm/channels/{amocrm}/say"), say).await;
    let id = word(&answer["messages"][0]).to_owned();
    let hooks = receiver.when(2).await;
    assert_eq!(
        (word(&hooks[1]["payload"]["destination"]), word(&hooks[1]["payload"]["message"])),
        ("from_operator", "good day")
    );
    assert_eq!(channel.phone(&stage, client).await, ["client: hello", "company: good day"]);
    let line = format!("/amocrm/channels/{amocrm}/messages/{id}");
    eventually("the delivery in amoCRM", async || {
        let line = stage.look(&line).await;
        (line["delivery_status"] == "delivered").then_some(())
    })
    .await;
    stage.act(&channel.control(&format!("/clients/{client}/read")), json!({})).await;
    eventually("the reading in amoCRM", async || {
        let line = stage.look(&line).await;
        (line["delivery_status"] == "read").then_some(())
    })
    .await;
    let complaints = stage.look(&format!("/amocrm/channels/{amocrm}/complaints")).await;
    assert_eq!(complaints["complaints"], json!([]), "an integration that does it right");
}

#[tokio::test]
async fn what_employees_and_the_api_say_is_shown_as_the_one_technical_account() {
    let stage = Stage::new().await;
    let (channel, amocrm) = linked(&stage).await;
    let client = channel.client(&stage, "Анна", "79990001122").await;
    let user = channel.client_says(&stage, client, "hello").await["user"].clone();
    let say = channel.control(&format!("/users/{user}/say"));
    stage.act(&say, json!({"text": "by panel"})).await;
    stage.act(&say, json!({"text": "by phone", "in": "phone"})).await;
    let send = channel.api(&stage, &format!("/send_message/{user}"));
    stage.post(&send, json!({"text": "by api"})).await;
    stage.switch(json!({"mirror_api": false})).await;
    stage.post(&send, json!({"text": "unseen"})).await;
    let file = json!({"text": "a photo", "file": {"name": "a.jpg", "content_type": "image/jpeg"}});
    stage.act(&channel.control(&format!("/clients/{client}/say")), file).await;
    assert_eq!(
        lines(&stage, &amocrm, 5).await,
        ["client: hello", "bot: by panel", "bot: by phone", "bot: by api", "client: a photo"]
    );
    let project = stage.look("/wahelp").await["projects"][0].clone();
    assert_eq!(project["amocrm"]["refused"], json!([]));
}

#[tokio::test]
async fn a_bot_channel_linked_to_amocrm_answers_through_the_bot() {
    let stage = Stage::new().await;
    let (bot, token) = stage.bot();
    let channel = Channel::of(&stage.act("/wahelp/channels", json!({"token": token})).await);
    let linkage = stage.act(&channel.control("/link"), json!({})).await;
    let amocrm = word(&linkage["channel"]).to_owned();
    let client = stage.act("/users", json!({"first_name": "Анна"})).await["id"].clone();
    stage.act(&format!("/users/{client}/bots/{bot}/text"), json!({"text": "hello"})).await;
    assert_eq!(lines(&stage, &amocrm, 1).await, ["client: hello"]);
    let chats = stage.look(&format!("/amocrm/channels/{amocrm}/chats")).await;
    let chat = chats["chats"][0]["id"].clone();
    let photo = json!({"chat": chat, "text": "good day", "media": "picture"});
    stage.act(&format!("/amocrm/channels/{amocrm}/say"), photo).await;
    let seen = eventually("the answer", async || {
        let chat = stage.look(&format!("/users/{client}/bots/{bot}/chat")).await;
        chat["messages"].as_array().unwrap().get(1).cloned()
    })
    .await;
    assert_eq!(word(&seen["kind"]), "photo");
    assert_eq!(word(&seen["caption"]), "good day");
}

#[tokio::test]
async fn the_link_is_made_and_undone_by_the_api_too() {
    let stage = Stage::new().await;
    let channel = stage.personal().await;
    let list = stage.of_project("/integrations/amocrm/channels");
    assert_eq!(stage.get(&list).await["data"][0]["connected"], false);
    assert_eq!(stage.get(&stage.of_project("/config/amo")).await["data"]["active"], false);
    let connect = stage.of_project(&format!("/integrations/amocrm/channels/{}/connect", channel.id));
    let (status, answer) = stage.post(&connect, json!({})).await;
    assert_eq!((status, &answer["data"][0]["connected"]), (200, &json!(true)));
    assert_eq!(stage.get(&stage.of_project("/config/amo")).await["data"]["active"], true);
    let other = Channel::of(&stage.act("/wahelp/channels", json!({"type": "whatsapp"})).await);
    stage.act(&other.control("/link"), json!({})).await;
    let channels = stage.look("/amocrm/channels").await["channels"].as_array().unwrap().len();
    assert_eq!(channels, 1, "one channel in amoCRM, one source for each of Wahelp's");
    let disconnect = stage.of_project(&format!("/integrations/amocrm/channels/{}/disconnect", channel.uuid));
    assert_eq!(stage.post(&disconnect, json!({})).await.1["data"][0]["connected"], false);
    let (client, stranger) = (
        channel.client(&stage, "Анна", "79990001122").await,
        other.client(&stage, "Борис", "79990003344").await,
    );
    channel.client_says(&stage, client, "unseen").await;
    other.client_says(&stage, stranger, "seen").await;
    let amocrm: Value = stage.look("/amocrm/channels").await["channels"][0]["id"].clone();
    assert_eq!(lines(&stage, word(&amocrm), 1).await, ["client: seen"]);
}

#[tokio::test]
async fn a_manager_may_write_first_to_whoever_has_the_messenger() {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    stage.subscribe(&receiver).await;
    let (channel, amocrm) = linked(&stage).await;
    let client = channel.client(&stage, "Анна", "79990001122").await;
    let first = json!({"phone": "+79990001122", "source": channel.uuid, "text": "your order is ready"});
    stage.act(&format!("/amocrm/channels/{amocrm}/write-first"), first).await;
    receiver.when(1).await;
    assert_eq!(channel.phone(&stage, client).await, ["company: your order is ready"]);
    channel.client_says(&stage, client, "thank you").await;
    assert_eq!(
        lines(&stage, &amocrm, 2).await,
        ["manager: your order is ready", "client: thank you"],
        "in the same chat"
    );
    let chats = stage.look(&format!("/amocrm/channels/{amocrm}/chats")).await;
    assert_eq!(chats["chats"].as_array().unwrap().len(), 1);
}
