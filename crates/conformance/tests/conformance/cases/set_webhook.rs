//! Group 7: setting and deleting webhooks (3.1, 3.2).

use serde_json::{Value, json};

use crate::{
    stage::{
        Receiver, Stage,
        http::{MULTIPART, file, multipart, post, text},
        soon,
    },
    table::{Case, Settings, case},
};

pub(crate) const CASES: &[Case] = &[
    case!(
        the_four_texts,
        "3.2, 10.7",
        "`Webhook was set`, `is already set`, `was deleted`, `is already deleted`, each with `result: true`."
    ),
    case!(an_empty_address_deletes, "3.1", "`setWebhook` with an empty `url`, or none, is `deleteWebhook`."),
    case!(
        another_address_number_or_secret_is_another_webhook,
        "3.2",
        "A changed url, `max_connections`, `ip_address` or secret is set anew, the same once more is already set."
    ),
    case!(
        a_certificate_and_a_drop_are_never_already_set,
        "3.2",
        "With a certificate, and with `drop_pending_updates`, the same webhook is set anew."
    ),
    case!(
        twice_within_a_second_is_too_often,
        "3.2, 1.5, 10.7",
        "The second `setWebhook` within a second gets 429 with `retry_after` 1 and the header; after a second it does not."
    ),
    case!(
        deleting_is_never_too_often,
        "3.2",
        "Deleting, by either method, is not counted: setting and deleting within a second succeed."
    ),
    case!(
        a_webhook_is_set_without_a_test,
        "3.2",
        "Nothing is posted when a webhook is set, and one that answers 404 is set all the same."
    ),
    case!(an_address_without_scheme_is_https, "3.1", "`host:port/path` is connected to by TLS."),
    case!(
        user_info_becomes_basic_authorization,
        "3.1",
        "`http://user:pa%3Ass@…` is posted to with `Authorization: Basic`, and without it in the request line."
    ),
    case!(
        a_fixed_address_is_used_instead_of_the_name,
        "3.1, 3.2",
        "`ip_address` is connected to whatever the name is, and `getWebhookInfo` shows it."
    ),
    case!(max_connections_is_clamped, "3.1", "0 acts as 1, 1000 as 100, none is 40."),
    case!(
        a_secret_is_sent_with_every_update,
        "3.1",
        "`secret_token` comes as `X-Telegram-Bot-Api-Secret-Token`; 256 characters are allowed."
    ),
    case!(
        bad_secrets_are_refused_in_these_words,
        "1.5",
        "Over 256 characters, and other than `A-Za-z0-9_-`."
    ),
    case!(
        a_certificate_is_a_file,
        "3.1",
        "Uploaded in its own part or by `attach://`, it shows as `has_custom_certificate`."
    ),
    case!(a_certificate_over_3_mib_is_refused, "1.5, 1.3", "`certificate size is too big (N bytes)`."),
    case!(
        invalid_addresses_are_refused_in_these_words,
        "1.5",
        "What is no http or https address gets `invalid webhook URL specified`."
    ),
    case!(an_address_that_does_not_resolve_is_refused, "3.2", "`bad webhook: Failed to resolve host: …`."),
    case!(a_fixed_address_that_is_none_is_refused, "3.2", "`bad webhook: Invalid IP address specified`."),
    case!(local_servers_take_any_address, "3.2", "In local mode http, any port and any address are taken."),
    case!(
        the_cloud_wants_https_ports_and_public_addresses,
        "3.2",
        "Plain http, another port, IPv6 and reserved addresses are refused, each in its words."
    )
    .with(Settings::PublicWebhooks),
    case!(
        updates_survive_setting_and_deleting,
        "3.2",
        "What is pending when a webhook is set is posted, what is pending when it is deleted is polled."
    ),
    case!(
        an_update_in_flight_is_seen_again,
        "3.2",
        "What was being delivered when the webhook was deleted comes again by `getUpdates`."
    ),
    case!(
        another_webhook_gets_what_was_in_flight,
        "3.2",
        "What was being delivered when another webhook was set is posted there."
    ),
    case!(
        a_webhook_that_is_down_can_be_replaced,
        "3.2",
        "While two chats' attempts hang after failures, another webhook is set at once and gets both."
    ),
    case!(a_webhook_survives_a_restart, "3.2", "After a restart the webhook is set and gets what comes.")
        .sandbox_differs("keeps nothing across a restart: the bot itself is unknown"),
    case!(
        each_consumer_has_a_webhook_of_its_own,
        "8.2",
        "Setting and deleting change nothing for another consumer."
    ),
];

async fn say(t: &Stage, method: &str, params: Value) -> String {
    t.later(2).await;
    let answer = t.app.call(method, params).await;
    assert_eq!(answer.result(), true);
    answer.description()
}

async fn the_four_texts(t: &mut Stage) {
    let receiver = Receiver::start().await;
    let url = json!({"url": receiver.url});
    assert_eq!(say(t, "deleteWebhook", json!({})).await, "Webhook is already deleted");
    assert_eq!(say(t, "setWebhook", url.clone()).await, "Webhook was set");
    assert_eq!(say(t, "setWebhook", url.clone()).await, "Webhook is already set");
    assert_eq!(say(t, "deleteWebhook", json!({})).await, "Webhook was deleted");
    assert_eq!(say(t, "deleteWebhook", json!({})).await, "Webhook is already deleted");
    let other = t.app.call("getWebhookInfo", json!({})).await;
    assert!(other.json().get("description").is_none(), "no other method has a description");
}

async fn an_empty_address_deletes(t: &mut Stage) {
    for params in [json!({"url": ""}), json!({})] {
        let _receiver = t.receiver().await;
        assert_eq!(say(t, "setWebhook", params.clone()).await, "Webhook was deleted", "{params}");
        assert_eq!(say(t, "setWebhook", params.clone()).await, "Webhook is already deleted", "{params}");
        assert_eq!(t.webhook_info().await["url"], "");
    }
}

async fn another_address_number_or_secret_is_another_webhook(t: &mut Stage) {
    let receiver = Receiver::start().await;
    let url = receiver.url.as_str();
    for params in [
        json!({"url": url}),
        json!({"url": format!("{url}/2")}),
        json!({"url": url, "max_connections": 5}),
        json!({"url": url, "max_connections": 5, "secret_token": "abc"}),
        json!({"url": url, "max_connections": 5, "secret_token": "abd"}),
        json!({"url": url, "max_connections": 5}),
        json!({"url": url, "max_connections": 5, "ip_address": "127.0.0.1"}),
        json!({"url": url}),
    ] {
        assert_eq!(say(t, "setWebhook", params.clone()).await, "Webhook was set", "{params}");
        assert_eq!(say(t, "setWebhook", params.clone()).await, "Webhook is already set", "{params}");
    }
    let clamped = json!({"url": url, "max_connections": 40});
    assert_eq!(say(t, "setWebhook", clamped).await, "Webhook is already set", "40 is what none means");
}

const PEM: &[u8] = include_bytes!("certificate.pem");

async fn set_with_certificate(t: &Stage, url: &str) -> String {
    t.later(2).await;
    let body = multipart(&[text("url", url), file("certificate", "own.pem", PEM)]);
    let answer = t.app.send(post(&t.app.path("setWebhook"), MULTIPART, body)).await;
    assert_eq!(answer.result(), true);
    answer.description()
}

async fn a_certificate_and_a_drop_are_never_already_set(t: &mut Stage) {
    let url = "https://127.0.0.1:8443/hook";
    for _ in 0..2 {
        assert_eq!(set_with_certificate(t, url).await, "Webhook was set");
    }
    assert_eq!(say(t, "setWebhook", json!({"url": url})).await, "Webhook was set", "one had a certificate");
    assert_eq!(say(t, "setWebhook", json!({"url": url})).await, "Webhook is already set");
    let dropping = json!({"url": url, "drop_pending_updates": true});
    assert_eq!(say(t, "setWebhook", dropping).await, "Webhook was set");
}

async fn twice_within_a_second_is_too_often(t: &mut Stage) {
    let receiver = t.receiver().await;
    t.later_ms(999).await;
    let url = json!({"url": receiver.url});
    let refused = t.app.call("setWebhook", url.clone()).await;
    refused.is_refusal(429, "Too Many Requests: retry after 1");
    assert_eq!(refused.json()["parameters"], json!({"retry_after": 1}));
    assert_eq!(refused.header("retry-after"), Some("1"));
    t.later_ms(1).await;
    assert_eq!(t.app.call("setWebhook", url).await.description(), "Webhook is already set");
}

async fn deleting_is_never_too_often(t: &mut Stage) {
    let _receiver = t.receiver().await;
    for (method, said) in [
        ("deleteWebhook", "Webhook was deleted"),
        ("setWebhook", "Webhook is already deleted"),
        ("deleteWebhook", "Webhook is already deleted"),
    ] {
        assert_eq!(t.app.call(method, json!({})).await.description(), said, "{method}");
    }
}

async fn a_webhook_is_set_without_a_test(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.settles().await;
    assert!(receiver.arrived().is_none());
    let info = t.webhook_info().await;
    assert!(info.get("last_error_message").is_none());
    t.says(7, "hello").await;
    receiver.next().await.status("404 Not Found");
    receiver.next().await.ok();
    let found = t.webhook_info().await["last_error_message"].clone();
    assert_eq!(found, "Wrong response from the webhook: 404 Not Found");
}

async fn an_address_without_scheme_is_https(t: &mut Stage) {
    use tokio::io::AsyncReadExt as _;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("{}/hook", listener.local_addr().unwrap());
    assert_eq!(t.set_webhook(json!({"url": url})).await, "Webhook was set");
    t.says(7, "hello").await;
    let (mut stream, _) = soon("a connection", listener.accept()).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 0x16, "the greeting of TLS");
}

async fn user_info_becomes_basic_authorization(t: &mut Stage) {
    let mut receiver = Receiver::start().await;
    let url = receiver.url.replace("http://", "http://us%40er:pa%3Ass@");
    assert_eq!(t.set_webhook(json!({"url": url})).await, "Webhook was set");
    t.says(7, "hello").await;
    let delivery = receiver.next().await;
    // us@er:pa:ss
    assert_eq!(delivery.header("authorization"), Some("Basic dXNAZXI6cGE6c3M="));
    assert!(delivery.head.starts_with("POST /hook HTTP/1.1\r\n"), "{}", delivery.head);
    assert!(!delivery.header("host").unwrap().contains('@'));
    delivery.ok();
}

async fn a_fixed_address_is_used_instead_of_the_name(t: &mut Stage) {
    let mut receiver = Receiver::start().await;
    let url = receiver.url.replace("127.0.0.1", "nowhere.invalid");
    assert_eq!(t.set_webhook(json!({"url": url, "ip_address": "127.0.0.1"})).await, "Webhook was set");
    assert_eq!(t.webhook_info().await["ip_address"], "127.0.0.1");
    t.says(7, "hello").await;
    let delivery = receiver.next().await;
    assert!(delivery.header("host").unwrap().starts_with("nowhere.invalid:"), "{}", delivery.head);
    delivery.ok();
}

async fn max_connections_is_clamped(t: &mut Stage) {
    let receiver = Receiver::start().await;
    for (asked, shown) in
        [(json!(0), 1), (json!(-1), 1), (json!(7), 7), (json!("7"), 7), (json!(1000), 100), (json!(""), 40)]
    {
        t.set_webhook(json!({"url": receiver.url, "max_connections": asked})).await;
        assert_eq!(t.webhook_info().await["max_connections"], shown, "{asked}");
    }
    t.set_webhook(json!({"url": receiver.url})).await;
    assert_eq!(t.webhook_info().await["max_connections"], 40);
}

async fn a_secret_is_sent_with_every_update(t: &mut Stage) {
    let mut receiver = Receiver::start().await;
    let secret = "aZ09_-".repeat(42) + "abcd";
    assert_eq!(secret.len(), 256);
    let said = t.set_webhook(json!({"url": receiver.url, "secret_token": secret})).await;
    assert_eq!(said, "Webhook was set");
    for text in ["one", "two"] {
        t.says(7, text).await;
        let delivery = receiver.next().await;
        assert_eq!(delivery.header("X-Telegram-Bot-Api-Secret-Token"), Some(secret.as_str()));
        delivery.ok();
    }
    t.set_webhook(json!({"url": receiver.url})).await;
    t.says(7, "three").await;
    let delivery = receiver.next().await;
    assert_eq!(delivery.header("X-Telegram-Bot-Api-Secret-Token"), None);
    delivery.ok();
}

async fn bad_secrets_are_refused_in_these_words(t: &mut Stage) {
    let receiver = Receiver::start().await;
    for (secret, words) in [
        ("a".repeat(257), "Bad Request: secret token is too long"),
        ("a b".to_owned(), "Bad Request: secret token contains unallowed characters"),
        ("пароль".to_owned(), "Bad Request: secret token contains unallowed characters"),
        ("a.b".to_owned(), "Bad Request: secret token contains unallowed characters"),
    ] {
        t.later(2).await;
        let params = json!({"url": receiver.url, "secret_token": secret});
        t.app.call("setWebhook", params).await.is_refusal(400, words);
    }
    assert_eq!(t.webhook_info().await["url"], "");
}

async fn a_certificate_is_a_file(t: &mut Stage) {
    let url = "https://127.0.0.1:8443/hook";
    set_with_certificate(t, url).await;
    assert_eq!(t.webhook_info().await["has_custom_certificate"], true);
    t.later(2).await;
    let parts = [text("url", url), text("certificate", "attach://pem"), file("pem", "own.pem", PEM)];
    t.app.send(post(&t.app.path("setWebhook"), MULTIPART, multipart(&parts))).await.result();
    assert_eq!(t.webhook_info().await["has_custom_certificate"], true);
    t.set_webhook(json!({"url": url})).await;
    assert_eq!(t.webhook_info().await["has_custom_certificate"], false);
}

async fn a_certificate_over_3_mib_is_refused(t: &mut Stage) {
    let pem = [PEM, &vec![b'\n'; 3 << 20]].concat();
    let parts = [text("url", "https://127.0.0.1:8443/"), file("certificate", "own.pem", &pem)];
    let answer = t.app.send(post(&t.app.path("setWebhook"), MULTIPART, multipart(&parts))).await;
    let words = format!("Bad Request: certificate size is too big ({} bytes)", pem.len());
    answer.is_refusal(400, &words);
}

async fn invalid_addresses_are_refused_in_these_words(t: &mut Stage) {
    for url in ["ftp://example.org/", "https://", "https://exa mple.org/", "http://:80/"] {
        t.later(2).await;
        let refused = t.app.call("setWebhook", json!({"url": url})).await;
        refused.is_refusal(400, "Bad Request: invalid webhook URL specified");
    }
}

async fn an_address_that_does_not_resolve_is_refused(t: &mut Stage) {
    let refused = t.app.call("setWebhook", json!({"url": "https://nowhere.invalid/"})).await;
    assert_eq!(refused.status, 400);
    let words = refused.description();
    assert!(words.starts_with("Bad Request: bad webhook: Failed to resolve host: "), "{words}");
}

async fn a_fixed_address_that_is_none_is_refused(t: &mut Stage) {
    let params = json!({"url": "https://example.org/", "ip_address": "nonsense"});
    let words = "Bad Request: bad webhook: Invalid IP address specified";
    t.app.call("setWebhook", params).await.is_refusal(400, words);
}

async fn local_servers_take_any_address(t: &mut Stage) {
    for url in ["http://127.0.0.1:9/", "http://10.0.0.1/", "https://192.168.1.1:12345/", "http://[::1]:80/"] {
        assert_eq!(t.set_webhook(json!({"url": url})).await, "Webhook was set", "{url}");
    }
}

async fn the_cloud_wants_https_ports_and_public_addresses(t: &mut Stage) {
    for (url, ip, reason) in [
        ("http://8.8.8.8/", "", "An HTTPS URL must be provided for webhook"),
        ("https://8.8.8.8:8080/", "", "Webhook can be set up only on ports 80, 88, 443 or 8443"),
        ("https://[2001:4860:4860::8888]/", "", "IPv6-only addresses are not allowed"),
        ("https://127.0.0.1/", "", "IP address 127.0.0.1 is reserved"),
        ("https://10.1.2.3:8443/", "", "IP address 10.1.2.3 is reserved"),
        ("https://8.8.8.8/", "192.168.0.1", "IP address 192.168.0.1 is reserved"),
        ("https://8.8.8.8/", "nonsense", "Invalid IP address specified"),
    ] {
        t.later(2).await;
        let params = json!({"url": url, "ip_address": ip});
        let words = format!("Bad Request: bad webhook: {reason}");
        t.app.call("setWebhook", params).await.is_refusal(400, &words);
    }
    for url in ["https://8.8.8.8/", "https://8.8.8.8:88/x", "https://8.8.8.8:8443", "8.8.8.8:80"] {
        assert_eq!(t.set_webhook(json!({"url": url})).await, "Webhook was set", "{url}");
    }
}

async fn updates_survive_setting_and_deleting(t: &mut Stage) {
    t.says(7, "one").await;
    let mut receiver = t.receiver().await;
    let delivery = receiver.next().await;
    assert_eq!(delivery.text(), "one");
    delivery.ok();
    t.says(7, "two").await;
    t.says(7, "three").await;
    receiver.next().await.ok();
    let hanging = receiver.next().await;
    assert_eq!(hanging.text(), "three");
    assert_eq!(say(t, "deleteWebhook", json!({})).await, "Webhook was deleted");
    assert_eq!(t.texts(json!({})).await, ["three"]);
}

async fn an_update_in_flight_is_seen_again(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "hello").await;
    let hanging = receiver.next().await;
    let id = hanging.update_id();
    t.app.call("deleteWebhook", json!({})).await.result();
    hanging.abandoned().await;
    let updates = t.updates(json!({})).await;
    assert_eq!(updates[0]["update_id"], id, "under the same id");
}

async fn another_webhook_gets_what_was_in_flight(t: &mut Stage) {
    let mut first = t.receiver().await;
    t.says(7, "hello").await;
    let hanging = first.next().await;
    let mut second = t.receiver().await;
    hanging.abandoned().await;
    let delivery = second.next().await;
    assert_eq!(delivery.text(), "hello");
    delivery.ok();
    t.settles().await;
    assert!(first.arrived().is_none() && second.arrived().is_none());
}

async fn a_webhook_that_is_down_can_be_replaced(t: &mut Stage) {
    let mut first = t.receiver().await;
    t.says(7, "of 7").await;
    t.says(8, "of 8").await;
    for _ in 0..4 {
        first.next().await.status("500 Internal Server Error");
    }
    t.sleeps_ms(2000).await;
    t.later(2).await;
    let hanging = first.next().await;
    let mut second = Receiver::start().await;
    let answer = t.app.call("setWebhook", json!({"url": second.url})).await;
    assert_eq!(answer.description(), "Webhook was set");
    hanging.abandoned().await;
    let mut texts = Vec::new();
    for _ in 0..2 {
        let delivery = second.next().await;
        texts.push(delivery.text());
        delivery.ok();
        t.later(2).await;
    }
    texts.sort_unstable();
    assert_eq!(texts, ["of 7", "of 8"]);
}

async fn a_webhook_survives_a_restart(t: &mut Stage) {
    let mut receiver = Receiver::start().await;
    t.set_webhook(json!({"url": receiver.url, "secret_token": "s3cret", "max_connections": 9})).await;
    let before = t.webhook_info().await;
    t.restart().await;
    if t.differs() {
        t.app.call("getWebhookInfo", json!({})).await.is_refusal(401, "Unauthorized");
        return;
    }
    assert_eq!(t.webhook_info().await, before);
    t.says(7, "hello").await;
    let delivery = receiver.next().await;
    assert_eq!(delivery.header("X-Telegram-Bot-Api-Secret-Token"), Some("s3cret"));
    delivery.ok();
}

async fn each_consumer_has_a_webhook_of_its_own(t: &mut Stage) {
    let (other, _) = t.another().await;
    let (ours, theirs) = (t.receiver().await, Receiver::start().await);
    other.call("setWebhook", json!({"url": theirs.url, "max_connections": 3})).await.result();
    assert_eq!(t.webhook_info().await["url"], ours.url.as_str());
    t.app.call("deleteWebhook", json!({})).await.result();
    let info = other.call("getWebhookInfo", json!({})).await.result();
    assert_eq!((&info["url"], &info["max_connections"]), (&json!(theirs.url), &json!(3)));
    other.call("deleteWebhook", json!({})).await.result();
}
