//! Trying out what no documentation says, in a chat of its own: what `tandem doctor --probe amocrm` does.
//!
//! Everything is sent silently, in the name of a person who does not exist, into the chat `tandem-probe`; a contact or a
//! lead does not come of it. What is found is told as it came, so that whoever has an account can pass it on; nothing is
//! decided by it. The list of what is not known is in `docs/untried.md`.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tandem_model::Timestamp;
use tandem_vendor::{Finding, FindingState};

use super::AmocrmAccount;
use crate::{
    chats::Chats,
    http::unanswered,
    request::{self, ChatsRequest, Repeat},
    response::shortened,
};

/// Our name of the chat and of its only person.
const NAME: &str = "tandem-probe";

/// A signature lives for a quarter of an hour (1.2); these are outside of it.
const OUTSIDE: Duration = Duration::from_mins(20);

/// One probe.
struct Probe {
    step: &'static str,
    question: &'static str,
    request: ChatsRequest,
    /// When it pretends to be sent.
    at: Timestamp,
}

impl AmocrmAccount {
    pub(super) async fn probe_all(&self) -> Vec<Finding> {
        let (Some(chats), Some(scope)) = (&self.chats, self.facts().scope.clone()) else {
            let sentence =
                "The channel is not connected, so nothing can be tried out: run `tandem doctor` first.";
            let step = "channel";
            return vec![Finding { step, state: FindingState::Skipped, sentence: sentence.to_owned() }];
        };
        let now = chats.now();
        let mut findings = Vec::new();
        for probe in probes(&scope, now) {
            findings.push(ask(chats, probe).await);
        }
        findings
    }
}

fn probes(scope: &str, now: Timestamp) -> Vec<Probe> {
    let msgid = format!("{NAME}:{}", now.as_millis());
    let said = message(&msgid, "Tandem tries out what a repeat is answered", now);
    let mut wrong_type = message(&format!("{msgid}:type"), "a time that is a text", now);
    wrong_type["payload"]["timestamp"] = json!((now.as_millis() / 1000).to_string());
    let mut edited = message(&msgid, "and what an edit is answered", now);
    edited["event_type"] = json!("edit_message");
    let event = |body: &Value| ChatsRequest {
        method: Method::POST,
        path: format!("/v2/origin/custom/{scope}"),
        query: None,
        body: Bytes::from(body.to_string()),
        repeat: Repeat::Harmless,
    };
    let probe = |step, question, request| Probe { step, question, request, at: now };
    vec![
        probe("send", "a new message", event(&said)),
        probe("repeat", "the same msgid again (1.7.2)", event(&said)),
        probe("edit", "an edit (1.7.4)", event(&edited)),
        probe("types", "a number as a text (1.4)", event(&wrong_type)),
        Probe {
            at: now.minus(OUTSIDE),
            ..probe(
                "clock",
                "a date of 20 minutes ago (1.2)",
                event(&message(&format!("{msgid}:old"), "old", now)),
            )
        },
        Probe {
            at: now.plus(OUTSIDE),
            ..probe(
                "future",
                "a date in 20 minutes (1.2)",
                event(&message(&format!("{msgid}:new"), "new", now)),
            )
        },
        probe(
            "unknown chat",
            "the history of a chat that nobody has (1.9)",
            request::history(scope, super::check::NO_CHAT, 0),
        ),
    ]
}

fn message(msgid: &str, text: &str, at: Timestamp) -> Value {
    json!({
        "event_type": "new_message",
        "payload": {
            "timestamp": at.as_millis() / 1000,
            "msec_timestamp": at.as_millis(),
            "msgid": msgid,
            "conversation_id": NAME,
            "silent": true,
            "sender": { "id": NAME, "name": "Tandem" },
            "message": { "type": "text", "text": text },
        },
    })
}

async fn ask(chats: &Chats, Probe { step, question, request, at }: Probe) -> Finding {
    match chats.send_as_of(&request, at).await {
        Ok(answer) => {
            let body = String::from_utf8_lossy(&answer.body);
            let body = if body.trim().is_empty() { "no body".to_owned() } else { shortened(&body) };
            let sentence = format!("{question} is answered with {}: {body}", answer.status);
            Finding { step, state: FindingState::Good, sentence }
        }
        Err(no_answer) => {
            let words = unanswered(&no_answer, Repeat::Harmless, "the chat service").words;
            let sentence = format!("{question}: {words}");
            Finding { step, state: FindingState::Skipped, sentence }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_probe_goes_silently_into_the_chat_of_its_own_and_one_msgid_is_sent_twice() {
        let probes = probes("channel_account", Timestamp::from_secs(1_767_607_200));
        let mut msgids = Vec::new();
        for probe in probes.iter().filter(|probe| probe.request.method == Method::POST) {
            let body: Value = serde_json::from_slice(&probe.request.body).unwrap();
            assert_eq!(
                (&body["payload"]["silent"], &body["payload"]["conversation_id"]),
                (&json!(true), &json!(NAME))
            );
            msgids.push(body["payload"]["msgid"].as_str().unwrap().to_owned());
        }
        assert_eq!(msgids[0], msgids[1]);
        assert_eq!(
            probes.iter().map(|probe| probe.step).collect::<std::collections::BTreeSet<_>>().len(),
            probes.len()
        );
    }
}
