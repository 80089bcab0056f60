//! What people do, by the sandbox's control API.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::http::{JSON, exchange, get, post};

/// Somebody with an account, in his private chat with the bot.
pub(crate) struct Person {
    pub(crate) id: i64,
    control: SocketAddr,
    bot: i64,
}

impl Person {
    /// Makes an account and starts the bot with it.
    pub(super) async fn meet(control: SocketAddr, bot: i64) -> Self {
        let created = act(control, "/users", &json!({"first_name": "Ann"})).await;
        let person = Self { id: created["id"].as_i64().unwrap(), control, bot };
        act(control, &person.path("start"), &json!({})).await;
        person
    }

    /// The control API's address of something he does.
    pub(crate) fn path(&self, act: &str) -> String {
        format!("/users/{}/bots/{}/{act}", self.id, self.bot)
    }

    /// The messages that he sees, oldest first.
    pub(crate) async fn sees(&self) -> Vec<Value> {
        let chat = exchange(self.control, &get(&self.path("chat"))).await.json();
        chat["messages"].as_array().unwrap().clone()
    }

    /// The last message that he sees.
    pub(crate) async fn last(&self) -> Value {
        self.sees().await.pop().unwrap()
    }
}

pub(super) async fn act(control: SocketAddr, path: &str, body: &Value) -> Value {
    let answer = exchange(control, &post(path, JSON, body.to_string())).await;
    assert_eq!(answer.status, 200, "{path} {body}: {answer:?}");
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}
