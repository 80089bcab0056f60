//! Every documented kind of update, two that Telegram sends and documents nowhere, and one of the future: what an app
//! gets, polling and by webhook, are the bytes that came in, under a virtual `update_id`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    documentation::Documentation,
    support::{
        Stage,
        http::{get, send},
        server::Server,
    },
};

/// Delivered to who asks for them by name alone (reference/telegram.md 2.5).
const OPT_IN: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];
/// Nobody can ask for these by name.
const UNDOCUMENTED: [&str; 3] = ["custom_event", "custom_query", "голограмма"];

/// What all of them carry: odd spacing, escapes that stand for themselves, numbers that no machine type holds, text
/// beyond ASCII and beyond the BMP, unknown members, and another `update_id` further down.
const OBJECT: &str = "{ \"id\":\"42\" ,\t\"date\" : 1800000000,\"message_id\":7,\n\"chat\":{\"id\":7,\"type\":\"private\"}, \
    \"from\":{\"id\":7,\"is_bot\":false,\"first_name\":\"\\u0410\u{44f} \\ud83d\\ude00 \u{1f44b}\\/\\\"\"},\
    \"n\":-1.50E+1,\"big\":12345678901234567890123,\"deep\":[ {} , null,[ ]],\"update_id\":999999,\"\\u0078\":true }";

/// An update of this kind under this number, in one of the ways in which it can be written.
fn update(number: usize, kind: &str, id: i64) -> String {
    match number % 3 {
        0 => format!("{{\"update_id\":{id},\n\"{kind}\":{OBJECT}}}"),
        1 => format!("{{ \"update_id\" : {id} , \"{kind}\" :{OBJECT} ,\"new\":[1e2] }}"),
        _ => format!("{{\"{kind}\":\t{OBJECT},\"\\u0075pdate_id\":{id}\r\n}}"),
    }
}

fn kinds(documentation: &Documentation) -> Vec<&str> {
    documentation.kinds.iter().map(String::as_str).chain(UNDOCUMENTED).collect()
}

/// The kinds come in, one update each, under Telegram's numbers.
async fn come_in(t: &Stage, kinds: &[&str]) {
    let updates: Vec<_> = kinds
        .iter()
        .enumerate()
        .map(|(number, kind)| update(number, kind, 5000 + i64::try_from(number).unwrap()))
        .collect();
    t.append_all(&updates).await;
}

/// The virtual number of an update.
fn id(update: &Value) -> i64 {
    update["update_id"].as_i64().unwrap()
}

/// What an app asks for, and what it does not get then. It is the bot's only one: questions have one owner.
fn askers(documentation: &Documentation) -> [(Value, [&'static str; 3]); 2] {
    [(json!({}), OPT_IN), (json!({ "allowed_updates": documentation.kinds }), UNDOCUMENTED)]
}

#[tokio::test]
async fn every_kind_reaches_a_poll_in_telegrams_own_bytes() {
    let documentation = Documentation::read();
    let kinds = kinds(&documentation);
    for (asks, unwanted) in askers(&documentation) {
        let t = Stage::start().await;
        t.main().result("getUpdates", asks).await;
        // A poll repeated at once would get one update.
        t.clock.advance(Duration::from_secs(5));
        come_in(&t, &kinds).await;
        let answer = send(t.address, &get(&t.main().path("getUpdates"))).await;
        let got = answer.json();
        let mut ids = got["result"].as_array().unwrap().iter().map(id);
        let wanted = kinds.iter().enumerate().filter(|(_, kind)| !unwanted.contains(kind));
        let expected: Vec<_> =
            wanted.map(|(number, kind)| update(number, kind, ids.next().expect(kind))).collect();
        assert_eq!(expected.len(), 27);
        assert_eq!(answer.text(), format!("{{\"ok\":true,\"result\":[{}]}}", expected.join(",")));
    }
}

#[tokio::test]
async fn every_kind_reaches_a_webhook_in_telegrams_own_bytes() {
    let documentation = Documentation::read();
    let kinds = kinds(&documentation);
    for (mut asks, unwanted) in askers(&documentation) {
        let (t, receiver) = (Stage::start().await, Server::start().await);
        asks["url"] = format!("http://{}/hook", receiver.address).into();
        t.main().result("setWebhook", asks).await;
        come_in(&t, &kinds).await;
        t.run_due().await;
        let mut got: Vec<(i64, String)> = receiver
            .seen()
            .into_iter()
            .map(|asked| (id(&serde_json::from_slice(&asked.body).unwrap()), asked.text().to_owned()))
            .collect();
        // Families go side by side.
        got.sort();
        let wanted = kinds.iter().enumerate().filter(|(_, kind)| !unwanted.contains(kind));
        let expected: Vec<_> =
            wanted.zip(&got).map(|((number, kind), (id, _))| update(number, kind, *id)).collect();
        assert_eq!(expected.len(), 27);
        assert_eq!(got.into_iter().map(|(_, body)| body).collect::<Vec<_>>(), expected);
    }
}
