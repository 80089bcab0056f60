//! The commands of `docs/sandbox.md`, `docs/sandbox-amocrm.md` and `docs/sandbox-wahelp.md` do what the guides say.
//!
//! A shell reads the commands, so that their quoting is tried too; in place of curl it has a function that prints
//! its arguments, and the requests are made from here.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::stage::{START, Stage, id};

const SANDBOX: &str = include_str!("../../../../docs/sandbox.md");
const AMOCRM: &str = include_str!("../../../../docs/sandbox-amocrm.md");
const WAHELP: &str = include_str!("../../../../docs/sandbox-wahelp.md");

/// Each curl call as one line, its arguments parted by a byte that no argument has.
const CURL: &str = r#"curl() { printf '%s\001' "$@"; echo; }"#;

struct Request {
    verb: String,
    path: String,
    body: String,
}

/// The shell commands of a guide, without those that start programs.
fn commands(guide: &str) -> Vec<&str> {
    let blocks = guide.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let programs = ["cargo ", "tandem ", "scripts/"];
    lines.filter(|line| !programs.iter().any(|program| line.starts_with(program))).collect()
}

/// What the commands ask of the control API.
fn requests(script: &str, control: &str) -> Vec<Request> {
    let output = Command::new("bash").args(["-euc", script]).output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().filter_map(|line| read(line, control)).collect()
}

/// Reads curl's arguments; `None` for a request to somebody else.
fn read(line: &str, control: &str) -> Option<Request> {
    let (mut verb, mut path, mut body) = (None, None, None);
    let mut arguments = line.trim_end_matches('\u{1}').split('\u{1}');
    while let Some(argument) = arguments.next() {
        match argument {
            "-s" => {}
            "-H" => drop(arguments.next()),
            "-X" => verb = arguments.next(),
            "-d" | "--json" => body = arguments.next(),
            address => path = address.strip_prefix(control),
        }
    }
    let verb = verb.unwrap_or(if body.is_some() { "POST" } else { "GET" });
    Some(Request { verb: verb.to_owned(), path: path?.to_owned(), body: body.unwrap_or_default().to_owned() })
}

/// Makes every request; what needs a moment, as a message on its way to amoCRM, is tried until it goes.
async fn all_succeed(stage: &Stage, requests: Vec<Request>) {
    for Request { verb, path, body } in requests {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let (status, answer) = stage.control_raw(&verb, &path, body.clone()).await;
            if (200..300).contains(&status) && answer["not_stored"].is_null() {
                break;
            }
            assert!(Instant::now() < deadline, "{verb} {path} {body}: {status} {answer}");
            if answer["retry_after"].is_i64() {
                // Telegram takes one webhook a second, and nobody types faster.
                stage.clock.advance(Duration::from_secs(1));
            }
        }
    }
}

#[tokio::test]
async fn the_commands_of_the_sandboxs_guide_succeed() {
    let stage = Stage::start().await;
    let keyboard = json!({"inline_keyboard": [[{"text": "Yes", "callback_data": "order:yes"}]]});
    let question = json!({"chat_id": stage.ann, "text": "Sure?", "reply_markup": keyboard});
    stage.ok("sendMessage", question).await;
    let group = json!({"title": "Old", "type": "group", "users": [stage.ann]});
    let group: Value = stage.control("/groups", group).await;

    let control = stage.sandbox.control_url();
    let script = [&[CURL][..], &commands(SANDBOX)].concat().join("\n");
    let script = script
        .replace("http://127.0.0.1:9080", &control)
        .replace("B=1234567890 U=5111222333", &format!("B={} U={}", stage.bot, stage.ann))
        .replace("-4123456789", &id(&group).to_string())
        .replace("$(date +%s)", &START.to_string())
        // Nobody answers the press.
        .replace(r#"{"data": "order:yes"}"#, r#"{"data": "order:yes", "wait_ms": 0}"#);
    let requests = requests(&script, &control);
    assert!(requests.len() > 20, "{}", requests.len());
    all_succeed(&stage, requests).await;
}

#[tokio::test]
async fn the_commands_of_amocrms_guide_succeed() {
    let stage = Stage::start().await;
    let control = stage.sandbox.control_url();
    let (token, bot, ann) = (&stage.token, stage.bot, stage.ann);
    let variables = format!(
        "CONTROL={control} TOKEN='{token}' BOT={bot} USER_ID={ann} AMOCRM=elsewhere ACCESS_TOKEN=unused \
         CHANNEL=0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0"
    );
    let script = [&[CURL, &variables][..], &commands(AMOCRM)].concat().join("\n");
    let requests = requests(&script, &control);
    assert_eq!(requests.len(), 14);
    all_succeed(&stage, requests).await;
    let chats = stage.look(&format!("/amocrm/{bot}/chats")).await;
    let texts: Vec<&Value> =
        chats["chats"][0]["messages"].as_array().unwrap().iter().map(|message| &message["text"]).collect();
    assert_eq!(texts, [&json!("Hello"), &json!("Good day")]);
}

#[tokio::test]
async fn the_commands_of_wahelps_guide_succeed() {
    let stage = Stage::start().await;
    let control = stage.sandbox.control_url();
    let (token, bot, ann) = (&stage.token, stage.bot, stage.ann);
    let variables = format!(
        "CONTROL={control} TOKEN='{token}' BOT={bot} USER_ID={ann} CHANNEL=31001 CLIENT=1 USER=5550001 \
         WAHELP=elsewhere PROJECT=48213 UUID=unused ACCESS_TOKEN=unused LOGIN=unused PASSWORD=unused"
    );
    let script = [&[CURL, &variables][..], &commands(WAHELP)].concat().join("\n");
    let requests = requests(&script, &control);
    assert_eq!(requests.len(), 11);
    all_succeed(&stage, requests).await;
    let client: Value = stage.look("/wahelp/channels/31001/clients/1").await;
    let texts: Vec<&Value> =
        client["chat"].as_array().unwrap().iter().map(|message| &message["text"]).collect();
    assert_eq!(texts, [&json!("Hello"), &json!("Good day"), &json!("From my phone")]);
}
