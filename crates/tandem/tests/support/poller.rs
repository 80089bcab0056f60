//! The plainest polling bot: it keeps its offset, writes down what it was given, and answers nothing.
//!
//! Where a test asks for "nothing lost, nothing twice, nothing out of order", this is who can tell.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::task::AbortHandle;

/// A running poller. Dropping it ends it.
pub(crate) struct Poller {
    given: Arc<Mutex<Vec<(i64, String)>>>,
    polling: AbortHandle,
}

impl Poller {
    /// Begins to poll, whatever state its server is in.
    pub(crate) fn start(api_base: &str, token: &str) -> Self {
        let given = Arc::new(Mutex::new(Vec::new()));
        let polling = tokio::spawn(poll(format!("{api_base}/bot{token}"), Arc::clone(&given)));
        Self { given, polling: polling.abort_handle() }
    }

    /// The numbers of the updates it was given, in order of arrival.
    pub(crate) fn numbers(&self) -> Vec<i64> {
        self.given.lock().unwrap().iter().map(|(number, _)| *number).collect()
    }

    /// The texts and button data it was given, in order of arrival.
    pub(crate) fn said(&self) -> Vec<String> {
        self.given.lock().unwrap().iter().map(|(_, said)| said.clone()).collect()
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.polling.abort();
    }
}

async fn poll(call_base: String, given: Arc<Mutex<Vec<(i64, String)>>>) {
    let http = reqwest::Client::new();
    let mut offset = 0;
    loop {
        let question = http.get(format!("{call_base}/getUpdates?timeout=20&offset={offset}"));
        let answer = async { question.send().await?.json::<Value>().await };
        let Ok(answer) = answer.await else {
            tokio::time::sleep(Duration::from_millis(30)).await;
            continue;
        };
        for update in answer["result"].as_array().into_iter().flatten() {
            let number = update["update_id"].as_i64().unwrap();
            offset = number + 1;
            let said = update["message"]["text"].as_str().or(update["callback_query"]["data"].as_str());
            given.lock().unwrap().push((number, said.unwrap_or_default().to_owned()));
        }
        if answer["ok"] != true {
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
}
