//! Every documented method, in every form, through the gateway to the sandbox: what arrives there, read by a reader
//! that shares no code with ours, is what was said. What the sandbox carried out is what the journal has.

use serde_json::Value;
use tandem_sandbox::{
    Config, Sandbox,
    telegram::{CallRecord, NewBot},
};

use crate::{
    documentation::Documentation,
    every_method::VIRTUAL,
    forms::{Call, FILE, Form, understood},
    support::{REAL, Stage, http::send, server::Server},
};

#[tokio::test]
async fn every_method_arrives_with_the_parameters_that_it_was_given_in_every_form() {
    let sandbox = Sandbox::start(Config::default()).await.unwrap();
    let bot = NewBot { token: Some(REAL.to_owned()), ..NewBot::default() };
    let bot = sandbox.telegram().create_bot(bot).unwrap();
    let address = sandbox.telegram_url().trim_start_matches("http://").parse().unwrap();
    let t = Stage::start_before(Server::at(address)).await;
    let documentation = Documentation::read();
    let mut seen = 0;
    let mut carried_out = 0;
    for method in documentation.methods().filter(|method| !VIRTUAL.contains(method)) {
        let parameters = documentation.given(method);
        for form in Form::ALL {
            let call = Call::new(form, &parameters);
            for verb in ["GET", "POST"] {
                let answer = send(t.address, &call.request(verb, &t.main().path(method))).await;
                let what = format!("{verb} {method} as {form:?}");
                let calls = bot.calls_after(seen);
                let [arrived] = &calls[..] else { panic!("{what}: {} calls arrived", calls.len()) };
                seen = arrived.n;
                assert_eq!((arrived.method.as_str(), arrived.ok), (method, answer.status == 200), "{what}");
                assert_eq!(answer.json()["description"].as_str(), arrived.description.as_deref(), "{what}");
                same(arrived, understood(form, &parameters), &what);
                carried_out += usize::from(arrived.ok);
            }
        }
    }
    assert_eq!(seen, 179 * 8);
    assert!(carried_out > 0, "some need nothing that made-up parameters lack");
    sandbox.stop().await;
}

/// The record shows numbers, objects and arrays as what they are, and files by name and size.
fn same(arrived: &CallRecord, (texts, files): (Value, Vec<String>), what: &str) {
    let mut expected = texts.as_object().unwrap().clone();
    let file = format!("<cat.png, {} bytes>", FILE.len());
    expected.extend(files.into_iter().map(|name| (name, file.clone().into())));
    let names = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&arrived.params), names(&expected), "{what}");
    for (name, seen) in &arrived.params {
        let given = expected[name].as_str().unwrap();
        if seen.is_string() {
            assert_eq!(seen, given, "{what}: {name}");
        } else {
            assert_eq!(*seen, serde_json::from_str::<Value>(given).unwrap(), "{what}: {name}");
        }
    }
}
