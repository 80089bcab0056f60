//! What a channel needs of REST: links, sources, incoming leads, talks.

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};

use crate::channel::{Channel, Receiver};
use crate::rest_client::Rest;
use crate::stage::{Stage, eventually};

fn text(words: &str) -> Value {
    json!({"type": "text", "text": words})
}

async fn with_channel(stage: &Stage) -> (Arc<Receiver>, Channel) {
    let receiver = Receiver::start().await;
    let channel = Channel::connected(stage, &receiver).await;
    (receiver, channel)
}

#[tokio::test]
async fn a_chat_that_is_linked_first_lands_in_the_existing_card() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let (_receiver, channel) = with_channel(&stage).await;
    let body = json!({"conversation_id": "tg:7:1001", "user": {"id": "tg:1001", "name": "Анна"}});
    let (_, chat) = channel.call(&stage, Method::POST, &format!("{}/chats", channel.scope()), body).await;
    let anna =
        rest.post("contacts", json!([{"name": "Анна"}])).await.1["_embedded"]["contacts"][0]["id"].clone();
    let (status, linked) =
        rest.post("contacts/chats", json!([{"contact_id": anna, "chat_id": chat["id"]}])).await;
    assert_eq!((status, &linked["_total_items"]), (200, &json!(1)));
    assert_eq!(linked["_embedded"]["chats"][0]["request_id"], "0");
    channel.client_says(&stage, "1", text("да")).await;
    channel.line(&stage, "1").await;
    assert_eq!(stage.look("/amocrm/leads").await["leads"], json!([]), "no incoming lead");
    let talk = stage.look("/amocrm/talks").await["talks"][0].clone();
    assert_eq!((&talk["contact_id"], &talk["lead_id"]), (&anna, &Value::Null));
    let (_, shown) = rest.get(&format!("talks/{}", talk["id"])).await;
    assert_eq!((&shown["entity_type"], &shown["entity_id"]), (&json!("contact"), &anna));

    let (_, found) = rest.get(&format!("contacts/chats?contact_id[]={anna}")).await;
    assert_eq!(found["_embedded"]["chats"][0]["chat_id"], chat["id"]);
    assert!(found["_embedded"]["chats"][0].get("request_id").is_none());
    assert_eq!(rest.get("contacts/chats?contact_id=5").await.0, 204);
    assert_eq!(rest.get("contacts/chats").await.0, 400);

    let oleg =
        rest.post("contacts", json!([{"name": "Олег"}])).await.1["_embedded"]["contacts"][0]["id"].clone();
    let error = async |contact: &Value, chat: &Value| {
        let (status, answer) =
            rest.post("contacts/chats", json!([{"contact_id": contact, "chat_id": chat}])).await;
        assert_eq!(status, 400);
        answer["validation-errors"][0]["errors"][0].clone()
    };
    let exists = error(&oleg, &chat["id"]).await;
    assert_eq!((&exists["code"], &exists["entity_id"]), (&json!("AlreadyExists"), &anna));
    let nobody = error(&json!(5), &chat["id"]).await;
    assert_eq!((&nobody["code"], &nobody["path"]), (&json!("EntityNotFound"), &json!("contact_id")));
    let foreign = error(&oleg, &json!("6d5c4b3a-2918-4706-95f4-e3d2c1b0a998")).await;
    assert_eq!((&foreign["code"], &foreign["path"]), (&json!("EntityNotFound"), &json!("chat_id")));

    let other = stage.act("/amocrm/integrations", json!({"name": "Other"})).await;
    let stranger = Rest::of(&stage, other["client_id"].as_str().unwrap(), 8_100_001).await;
    let body = json!([{"contact_id": anna, "chat_id": chat["id"]}]);
    assert_eq!(stranger.post("contacts/chats", body).await.0, 400, "another integration's channel");
    let address = format!("{}/api/v4/contacts/chats?contact_id={anna}", stage.sandbox.amocrm_url());
    let with_cookies = stage.http.get(address).bearer_auth(&rest.token).header("Cookie", "session_id=1");
    assert_eq!(with_cookies.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn sources_have_their_rules_and_lead_to_their_pipelines() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let (receiver, channel) = with_channel(&stage).await;
    let code = stage.look(&channel.control("")).await["code"].clone();
    assert_eq!(rest.get("sources").await.0, 204);
    let body = json!([{"name": "Бот", "external_id": "bot_777", "pipeline_id": 7_100_002, "origin_code": code, "request_id": "x"}]);
    let (status, made) = rest.post("sources", body.clone()).await;
    let source = made["_embedded"]["sources"][0].clone();
    assert_eq!((status, &source["request_id"], &source["default"]), (200, &json!("x"), &json!(false)));
    let error = async |body: Value| {
        let (status, answer) = rest.post("sources", body).await;
        assert_eq!(status, 400);
        answer["validation-errors"][0]["errors"][0].clone()
    };
    assert_eq!(error(body).await["code"], "AlreadyExists");
    assert_eq!(error(json!([{"name": "a", "external_id": "x".repeat(37)}])).await["path"], "external_id");
    assert_eq!(error(json!([{"name": "a", "external_id": "имя"}])).await["path"], "external_id");
    assert_eq!(error(json!([{"external_id": "a"}])).await["path"], "name");
    assert_eq!(
        error(json!([{"name": "a", "external_id": "a", "pipeline_id": 5}])).await["path"],
        "pipeline_id"
    );

    let by_default = json!([{"name": "Общий", "external_id": "all", "default": true}]);
    let default = rest.post("sources", by_default).await.1["_embedded"]["sources"][0].clone();
    let path = format!("sources/{}", source["id"]);
    assert_eq!(rest.patch(&path, json!({"default": true})).await.0, 200);
    assert_eq!(rest.get(&format!("sources/{}", default["id"])).await.1["default"], false, "one at most");
    assert_eq!(rest.patch(&path, json!({"external_id": "other"})).await.0, 400, "it cannot be changed");
    assert_eq!(rest.get("sources?filter[external_id]=bot_777").await.1["_total_items"], 1);

    let payload = json!({"msgid": "1", "conversation_id": "c", "silent": false, "source": {"external_id": "bot_777"},
        "sender": {"id": "p", "name": "Анна"}, "message": text("да")});
    channel.event(&stage, "new_message", payload).await;
    channel.line(&stage, "1").await;
    let lead = stage.look("/amocrm/leads").await["leads"][0].clone();
    assert_eq!((&lead["pipeline_id"], &lead["source"]), (&json!(7_100_002), &json!("Бот")));
    channel.say(&stage, json!({"chat": "c", "text": "ответ"})).await;
    assert_eq!(receiver.json(0).await["message"]["source"], json!({"external_id": "bot_777"}));
    let payload = json!({"msgid": "2", "conversation_id": "c2", "silent": false, "source": {"external_id": "none"},
        "sender": {"id": "q", "name": "Олег"}, "message": text("да")});
    channel.event(&stage, "new_message", payload).await;
    channel.line(&stage, "2").await;
    assert_eq!(channel.complaints(&stage).await, ["source_unknown"]);
    assert_eq!(stage.look("/amocrm/leads").await["leads"][1]["source"], "Бот", "the default one");

    let (status, answer) = rest.delete("sources", json!([{"id": 1}])).await;
    assert_eq!((status, &answer["errors"][0]["errors"]["code"]), (400, &json!("EntityNotFound")));
    assert_eq!(rest.delete(&path, Value::Null).await.0, 204);
    assert_eq!(rest.delete(&path, Value::Null).await.0, 404);
    assert_eq!(rest.get(&path).await.0, 204);
    let client = stage.look("/amocrm/integrations").await["integrations"][0]["client_id"].clone();
    let client = format!("/amocrm/integrations/{}", client.as_str().unwrap());
    stage.act(&client, json!({"lead_sources": false})).await;
    assert_eq!(rest.get("sources").await.0, 403, "no archive that lists lead_sources");
    stage.act(&client, json!({"lead_sources": true, "kind": "external"})).await;
    assert_eq!(rest.get("sources").await.0, 403);
}

#[tokio::test]
async fn incoming_leads_are_accepted_declined_and_linked() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let (_receiver, channel) = with_channel(&stage).await;
    let account_hooks = Receiver::start().await;
    let body = json!({"destination": format!("{}/hook", account_hooks.address),
        "settings": ["add_unsorted", "delete_unsorted", "add_message", "add_outgoing_message"]});
    rest.post("webhooks", body).await;
    let mut index = 0;
    let mut hooked = async |key: &str| {
        let hook = account_hooks.hook(index).await.2;
        index += 1;
        let fields: BTreeMap<String, String> = form_urlencoded::parse(&hook).into_owned().collect();
        fields.get(key).cloned().unwrap_or_else(|| panic!("{key} in {fields:?}"))
    };
    let unsorted = async |msgid: &str| {
        let payload = json!({"msgid": msgid, "conversation_id": msgid, "silent": false,
            "sender": {"id": msgid, "name": msgid}, "message": text("да")});
        channel.event(&stage, "new_message", payload).await;
        channel.line(&stage, msgid).await;
        account_hooks.hook(0).await;
        let (_, list) = rest.get("leads/unsorted?filter[category][]=chats&order[created_at]=desc").await;
        list["_embedded"]["unsorted"][0].clone()
    };
    let code = stage.look(&channel.control("")).await["code"].clone();
    let first = unsorted("a").await;
    assert_eq!((&first["category"], &first["metadata"]["service"]), (&json!("chats"), &code));
    assert_eq!(first["metadata"]["last_message_text"], "да");
    let uid = first["uid"].as_str().unwrap().to_owned();
    eventually("both hooks", async || (account_hooks.count() == 2).then_some(())).await;
    // The two hooks of one message may change places.
    let bodies = [account_hooks.hook(0).await.2, account_hooks.hook(1).await.2];
    let one_has =
        |key: &str| bodies.iter().any(|body| form_urlencoded::parse(body).any(|(name, _)| name == key));
    assert!(one_has("unsorted[add][0][uid]") && one_has("message[add][0][id]"));
    index_to(&mut hooked, 2).await;

    let contact = first["_embedded"]["contacts"][0]["id"].clone();
    assert_eq!(rest.get("contacts").await.0, 204, "not in the section yet");
    assert_eq!(rest.get(&format!("contacts/{contact}")).await.1["is_unsorted"], true);
    assert_eq!(rest.get(&format!("leads/unsorted/{uid}")).await.1["uid"], first["uid"]);
    let (status, _) =
        rest.post(&format!("leads/unsorted/{uid}/accept"), json!({"status_id": 61_000_003})).await;
    assert_eq!(status, 200);
    assert_eq!(hooked("unsorted[delete][0][action]").await, "accept");
    let lead = first["_embedded"]["leads"][0]["id"].clone();
    assert_eq!(rest.get(&format!("leads/{lead}")).await.1["status_id"], 61_000_003);
    assert_eq!(rest.get("contacts").await.1["_embedded"]["contacts"][0]["id"], contact);
    assert_eq!(rest.get(&format!("leads/unsorted/{uid}")).await.0, 404);

    let second = unsorted("b").await;
    let uid = second["uid"].as_str().unwrap();
    assert_eq!(rest.delete(&format!("leads/unsorted/{uid}/decline"), json!({})).await.0, 200);
    let third = unsorted("c").await;
    let uid = third["uid"].as_str().unwrap();
    let link =
        json!({"link": {"entity_id": lead, "entity_type": "leads", "metadata": {"contact_id": contact}}});
    assert_eq!(rest.post(&format!("leads/unsorted/{uid}/link"), link).await.0, 200);
    let chat = stage.look(&channel.control("/chats/c")).await;
    assert_eq!(chat["contact_id"], contact);
    let talk = rest.get(&format!("talks/{}", chat["talk_ids"][0])).await.1;
    assert_eq!((&talk["entity_id"], &talk["contact_id"]), (&lead, &contact));
    let (_, summary) = rest.get("leads/unsorted/summary").await;
    assert_eq!((&summary["accepted"], &summary["declined"]), (&json!(1), &json!(1)));
    assert_eq!(rest.get("leads/unsorted").await.0, 204);
}

/// Passes over hooks that were looked at already.
async fn index_to(hooked: &mut impl AsyncFnMut(&str) -> String, count: usize) {
    for _ in 0..count {
        hooked("account[id]").await;
    }
}

#[tokio::test]
async fn events_name_messages_and_say_none_of_their_words() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let (_receiver, channel) = with_channel(&stage).await;
    channel.client_says(&stage, "1", text("да")).await;
    let line = channel.line(&stage, "1").await;
    let (_, events) = rest.get("events?filter[type][]=incoming_chat_message").await;
    let event = events["_embedded"]["events"][0].clone();
    assert_eq!(event["value_after"], json!([{"message": {"id": line["id"]}}]));
    assert!(!event.to_string().contains("да"));
    assert_eq!(event["entity_type"], "lead", "reported where its talk belongs");
    let contact = event["_embedded"]["entity"]["linked_talk_contact_id"].clone();
    let of = async |query: String| rest.get(&format!("events?{query}")).await.0;
    assert_eq!(of(format!("filter[entity]=contact&filter[entity_id][]={contact}")).await, 200);
    assert_eq!(of("filter[entity]=lead".to_owned()).await, 204, "which a filter does not know");
    assert_eq!(of("filter[type]=outgoing_chat_message".to_owned()).await, 204);
    assert_eq!(of("limit=101".to_owned()).await, 422);
    assert_eq!(of("filter[entity_id]=1".to_owned()).await, 400);
}

#[tokio::test]
async fn talks_are_shown_and_closed_once() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let (_receiver, channel) = with_channel(&stage).await;
    channel.client_says(&stage, "1", text("да")).await;
    channel.line(&stage, "1").await;
    let id = stage.look("/amocrm/talks").await["talks"][0]["id"].clone();
    let path = format!("talks/{id}");
    let (_, talk) = rest.get(&path).await;
    assert_eq!(
        (&talk["talk_id"], &talk["is_in_work"], &talk["entity_type"]),
        (&id, &json!(true), &json!("lead"))
    );
    assert_eq!(rest.post(&format!("{path}/close"), json!({"force_close": true})).await, (202, Value::Null));
    assert_eq!(rest.post(&format!("{path}/close"), json!({"force_close": true})).await.0, 422);
    assert_eq!(rest.get("talks/5").await.0, 404);
    assert_eq!(rest.get("talks?filter[only_in_work]=1").await.0, 204);
    channel.client_says(&stage, "2", text("снова")).await;
    channel.line(&stage, "2").await;
    assert_eq!(rest.get("talks").await.1["_embedded"]["talks"].as_array().unwrap().len(), 2);
}
