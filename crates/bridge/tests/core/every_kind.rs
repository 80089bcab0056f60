//! Every documented kind of update, two that Telegram sends and documents nowhere, and one of the future, on their
//! way from Telegram to a relay: byte for byte, however they came in.

use std::collections::BTreeSet;

use serde_json::Value;
use tandem_bridge::UpstreamMode;

use crate::support::{NewRoute, Receiver, Stage, id};

/// Odd spacing, escapes that stand for themselves, numbers that no machine type holds, text beyond ASCII and beyond
/// the BMP, unknown members, and another `update_id` further down.
const OBJECT: &str = "{ \"id\":\"42\" ,\t\"date\" : 1800000000,\"message_id\":7,\n\"chat\":{\"id\":7,\"type\":\"private\"}, \
    \"from\":{\"id\":7,\"is_bot\":false,\"first_name\":\"\\u0410\u{44f} \\ud83d\\ude00 \u{1f44b}\\/\\\"\"},\
    \"n\":-1.50E+1,\"big\":12345678901234567890123,\"deep\":[ {} , null,[ ]],\"update_id\":999999,\"\\u0078\":true }";

/// Delivered to who asks for them by name alone (reference/telegram.md 2.5).
const OPT_IN: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];
/// Nobody can ask for these by name.
const UNDOCUMENTED: [&str; 3] = ["custom_event", "custom_query", "hologram_event"];

/// From the published description, beside those who emulate it.
fn documented() -> BTreeSet<String> {
    let base: Value =
        serde_json::from_str(include_str!("../../../sandbox/data/telegram-bot-api.json")).unwrap();
    let overlay: Value =
        serde_json::from_str(include_str!("../../../sandbox/data/telegram-bot-api-overlay.json")).unwrap();
    let versions = overlay["versions"].as_array().unwrap().iter();
    let added = versions.map(|version| &version["type_fields_added"]["Update"]);
    let fields = [&base["types"]["Update"]["fields"]].into_iter().chain(added);
    let names = fields.flat_map(|fields| fields.as_array().into_iter().flatten());
    let mut kinds: BTreeSet<_> = names.map(|field| field["name"].as_str().unwrap().to_owned()).collect();
    kinds.remove("update_id");
    assert_eq!(kinds.len(), 27);
    kinds
}

/// Two foreign webhooks: one whose holder had asked for nothing, one whose holder had asked for every kind.
struct Relays {
    default: Receiver,
    named: Receiver,
    routes: [NewRoute; 2],
}

impl Relays {
    async fn start(kinds: &BTreeSet<String>) -> Self {
        let (default, named) = (Receiver::start().await, Receiver::start().await);
        let kinds: Vec<_> = kinds.iter().map(String::as_str).collect();
        let routes =
            [NewRoute::relay("default", &default.url), NewRoute::relay("named", &named.url).kinds(&kinds)];
        Self { default, named, routes }
    }

    /// Takes what must come, and nothing else comes.
    async fn get(mut self, sent: &[(String, String)]) {
        for (receiver, unwanted) in [(&mut self.default, OPT_IN), (&mut self.named, UNDOCUMENTED)] {
            let wanted = sent.iter().filter(|(kind, _)| !unwanted.contains(&kind.as_str()));
            let mut expected: Vec<_> = wanted.map(|(_, update)| update.clone()).collect();
            assert_eq!(expected.len(), 27);
            let mut got = Vec::new();
            while got.len() < expected.len() {
                let delivery = receiver.next().await;
                got.push(String::from_utf8(delivery.body.clone()).unwrap());
                delivery.ok();
            }
            // Families go side by side.
            got.sort();
            expected.sort();
            assert_eq!(got, expected);
            assert!(receiver.arrived().is_none());
        }
    }
}

#[tokio::test]
async fn every_kind_that_is_polled_reaches_a_relay_in_telegrams_own_bytes() {
    let stage = Stage::new().await;
    let (service, bot, documented) = (stage.serve().await, stage.bot(), documented());
    let relays = Relays::start(&documented).await;
    service.add(&bot, UpstreamMode::Polling, &relays.routes).await;
    // Every kind is asked for by name from here on.
    stage.is_asked().await;
    let mut sent = Vec::new();
    let kinds = documented.into_iter().chain(UNDOCUMENTED.map(str::to_owned));
    for (id, kind) in (5_000_000..).zip(kinds) {
        bot.push_raw(&format!("{{\"update_id\":{id},\"{kind}\":{OBJECT}}}")).unwrap();
        let update = format!("{{\"update_id\":{id},\n\"{kind}\":{OBJECT}}}");
        sent.push((kind, update));
    }
    relays.get(&sent).await;
    service.stop().await;
}

#[tokio::test]
async fn every_kind_that_is_posted_reaches_a_relay_in_the_very_bytes() {
    let stage = Stage::new().await;
    let (service, bot, documented) = (stage.serve().await, stage.bot(), documented());
    let relays = Relays::start(&documented).await;
    service.add(&bot, UpstreamMode::Webhook, &relays.routes).await;
    service.is_running(&bot).await;
    let secret = service.bridge.vault().hook_secret(id(&bot)).await.unwrap().unwrap();
    let mut sent = Vec::new();
    let kinds = documented.into_iter().chain(UNDOCUMENTED.map(str::to_owned));
    for (id, kind) in (5_000_000..).zip(kinds) {
        let update = match id % 3 {
            0 => format!("{{\"update_id\":{id},\n\"{kind}\":{OBJECT}}}"),
            1 => format!(" {{ \"update_id\" : {id} , \"{kind}\" :{OBJECT} ,\"new\":[1e2] }}\r\n"),
            _ => format!("{{\"{kind}\":\t{OBJECT},\"\\u0075pdate_id\":{id}\r\n}}"),
        };
        let post = stage.http.post(format!("{}/hooks/telegram/{}", service.public, bot.id()));
        let post = post.header("X-Telegram-Bot-Api-Secret-Token", secret.expose()).body(update.clone());
        assert_eq!(post.send().await.unwrap().status(), 200, "{kind}");
        sent.push((kind, update));
    }
    relays.get(&sent).await;
    service.stop().await;
}
