//! Bot channels: the webhook at the sandbox's Telegram, what comes to it, what goes out with the bot's token.

use serde_json::{Value, json};

use crate::stage::{Channel, Receiver, Stage, eventually, word};

/// A bot channel, its bot and a client of that bot.
struct OfBot {
    channel: Channel,
    bot: i64,
    token: String,
    client: i64,
}

impl OfBot {
    async fn new(stage: &Stage) -> Self {
        let (bot, token) = stage.bot();
        let channel = stage.act("/wahelp/channels", json!({"token": token, "name": "bot"})).await;
        let client = stage.act("/users", json!({"first_name": "Анна", "phone": "+79990001122"})).await;
        Self { channel: Channel::of(&channel), bot, token, client: client["id"].as_i64().unwrap() }
    }

    async fn acts(&self, stage: &Stage, act: &str, with: Value) -> Value {
        stage.act(&format!("/users/{}/bots/{}/{act}", self.client, self.bot), with).await
    }

    async fn sees(&self, stage: &Stage) -> Vec<Value> {
        let chat = stage.look(&format!("/users/{}/bots/{}/chat", self.client, self.bot)).await;
        chat["messages"].as_array().unwrap().clone()
    }

    async fn dialogue_when(&self, stage: &Stage, count: usize) -> Vec<String> {
        eventually("the dialogue", async || {
            Some(self.channel.dialogue(stage).await).filter(|said| said.len() >= count)
        })
        .await
    }

    async fn webhook(&self, stage: &Stage) -> String {
        let address = format!("{}/bot{}/getWebhookInfo", stage.sandbox.telegram_url(), self.token);
        let (_, info) = stage.answered(stage.http.get(address)).await;
        word(&info["result"]["url"]).to_owned()
    }
}

#[tokio::test]
async fn a_bot_channel_takes_the_webhook_and_shows_what_clients_write() {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    stage.subscribe(&receiver).await;
    let of_bot = OfBot::new(&stage).await;
    let expected = format!("{}/telegram/{}", stage.sandbox.wahelp_url(), of_bot.channel.uuid);
    assert_eq!(of_bot.webhook(&stage).await, expected);
    of_bot.acts(&stage, "text", json!({"text": "hello"})).await;
    of_bot.dialogue_when(&stage, 1).await;
    of_bot.acts(&stage, "photo", json!({"caption": "look"})).await;
    assert_eq!(of_bot.dialogue_when(&stage, 2).await, ["from: hello", "from: look"]);
    let hooks = receiver.when(2).await;
    assert_eq!(hooks[0]["payload"]["user"]["uid"], json!(of_bot.client.to_string()));
    assert_eq!(hooks[0]["payload"]["user"]["phone"], "", "a bot is not shown it");
    let photo = &hooks[1]["payload"];
    assert_eq!(word(&photo["message_type"]), "image");
    assert!(stage.http.get(word(&photo["file_url"])).send().await.unwrap().status().is_success());

    let contact = of_bot.acts(&stage, "contact", json!({})).await;
    of_bot.dialogue_when(&stage, 3).await;
    let users = stage.look(&of_bot.channel.control("/users")).await;
    assert_eq!(users["users"][0]["phone"], "79990001122", "{contact}");
    let stored = stage.look("/wahelp/calls?endpoint=telegram").await;
    assert_eq!(stored["calls"].as_array().unwrap().len(), 3, "every delivery as it came");
}

#[tokio::test]
async fn what_the_api_sends_reaches_the_bots_chat_and_a_blocked_bot_is_a_failure() {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    stage.subscribe(&receiver).await;
    let of_bot = OfBot::new(&stage).await;
    of_bot.acts(&stage, "text", json!({"text": "hello"})).await;
    of_bot.dialogue_when(&stage, 1).await;
    let users = stage.look(&of_bot.channel.control("/users")).await;
    let user = users["users"][0]["id"].clone();
    let path = of_bot.channel.api(&stage, &format!("/send_message/{user}"));
    for text in ["one", "two"] {
        assert_eq!(stage.post(&path, json!({"text": text})).await.0, 200);
    }
    let seen = eventually("both in the bot's chat", async || {
        Some(of_bot.sees(&stage).await).filter(|seen| seen.len() == 3)
    })
    .await;
    assert_eq!((word(&seen[1]["text"]), word(&seen[2]["text"])), ("one", "two"));

    of_bot.acts(&stage, "block", json!({})).await;
    let (code, sent) = stage.post(&path, json!({"text": "three"})).await;
    assert_eq!((code, &sent["success"]), (200, &json!(true)), "taken, and failed later");
    let failed = eventually("the failure", async || {
        let hooks = receiver.all();
        hooks.into_iter().find(|hook| hook["payload"]["status"] == "failed")
    })
    .await;
    assert_eq!(failed["payload"]["id"], sent["data"]["id"]);
    let by_phone = json!({"phone": "+79990001122", "need_create": true});
    let (_, refused) = stage.post(&of_bot.channel.api(&stage, "/users"), by_phone).await;
    assert_eq!(refused["success"], false, "a bot reaches nobody by number");
}

#[tokio::test]
async fn the_webhook_can_be_taken_back_and_given_up() {
    let stage = Stage::new().await;
    let of_bot = OfBot::new(&stage).await;
    let address = format!("{}/bot{}/deleteWebhook", stage.sandbox.telegram_url(), of_bot.token);
    stage.answered(stage.http.get(address)).await;
    assert_eq!(of_bot.webhook(&stage).await, "");
    // Telegram changes a webhook once a second at most.
    stage.sandbox.clock().advance(std::time::Duration::from_secs(2));
    let again = stage.act(&of_bot.channel.control("/reconnect"), json!({})).await;
    assert_eq!(of_bot.webhook(&stage).await, word(&again["webhook"]));
    stage.sandbox.clock().advance(std::time::Duration::from_secs(2));
    let control = format!("{}{}", stage.sandbox.control_url(), of_bot.channel.control(""));
    assert_eq!(stage.answered(stage.http.delete(control)).await.0, 204);
    assert_eq!(of_bot.webhook(&stage).await, "");
}

#[tokio::test]
async fn an_update_that_comes_again_is_shown_once() {
    let stage = Stage::new().await;
    let of_bot = OfBot::new(&stage).await;
    let update = json!({"update_id": 7, "message": {"message_id": 5, "date": 1_767_607_200, "text": "relayed",
        "from": {"id": of_bot.client, "is_bot": false, "first_name": "Анна"},
        "chat": {"id": of_bot.client, "type": "private", "first_name": "Анна"}}});
    let hook = of_bot.webhook(&stage).await;
    for _ in 0..2 {
        assert_eq!(stage.answered(stage.http.post(&hook).json(&update)).await.0, 200);
    }
    assert_eq!(of_bot.channel.dialogue(&stage).await, ["from: relayed"]);
    assert_eq!(stage.answered(stage.http.post(&hook).json(&json!({}))).await.0, 400);
    let nowhere = format!("{}/telegram/nobody", stage.sandbox.wahelp_url());
    assert_eq!(stage.answered(stage.http.post(nowhere).json(&update)).await.0, 404);
}
