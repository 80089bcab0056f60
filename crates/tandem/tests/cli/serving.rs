//! `tandem serve`: starting, listening, being asked to end.

use std::{
    fs,
    io::Write as _,
    net::TcpStream,
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::world::{World, exchange, http, tandem, until};

#[test]
fn a_second_service_on_one_database_is_refused_with_the_first_ones_process() {
    let world = World::new();
    let service = world.serve();
    let said = world.run(&["serve"]).refused();
    assert!(said.contains("tandem.db is in use by another process"), "{said}");
    assert!(said.contains(&format!("({})", service.id())), "{said}");
    assert!(said.contains("everything twice"), "{said}");
    // The first has not noticed.
    assert_eq!(world.run(&["bots", "--json"]).json()["bots"], Value::Array(Vec::new()));
}

#[test]
fn a_taken_address_is_said_with_the_setting_that_changes_it() {
    let world = World::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("server.public={}", taken.local_addr().unwrap());
    let said = world.run(&["serve", "--set", &address, "--set", "log.filter=off"]).refused();
    assert!(said.contains("server.public") && said.contains("in use") && said.contains("--set"), "{said}");
    assert!(!world.path("tandem.db.sock").exists(), "nothing is left behind");
    world.serve();
}

#[test]
fn sigterm_answers_waiting_polls_with_nothing_and_ends_well_within_ten_seconds() {
    let world = World::new();
    let token = world.adopt();
    let service = world.serve();
    let poll = || {
        let (gateway, call) = (service.gateway.clone(), format!("/bot{token}/getUpdates?timeout=50"));
        thread::spawn(move || http(&gateway, "GET", &call, ""))
    };
    // Of two polls one ends when the other begins to wait: then it is known that one waits.
    let polls = [poll(), poll()];
    until("one of two polls to end", || polls.iter().any(thread::JoinHandle::is_finished));
    // A connection on which nothing is asked must not keep it either.
    let _idle = TcpStream::connect(&service.gateway).unwrap();
    let (status, took, log) = service.terminate();
    assert!(status.success(), "{log:#?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(log.last().unwrap().contains("stopped"), "{log:#?}");
    let mut answers = polls.map(|poll| poll.join().unwrap());
    answers.sort();
    assert_eq!(answers[0], (200, r#"{"ok":true,"result":[]}"#.to_owned()));
    assert_eq!(answers[1].0, 409);
    assert!(!world.path("tandem.db.sock").exists());
    assert!(!world.path("tandem.db-wal").exists(), "the database was closed");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let world = World::new();
    let mut service = world.serve();
    // A request whose body never comes holds the graceful end up.
    let mut stream = TcpStream::connect(&service.gateway).unwrap();
    let call = format!("/bot{}/sendMessage", world.token());
    write!(stream, "POST {call} HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n").unwrap();
    service.call(&world.token(), "getMe");
    service.signal("TERM");
    service.wait_for("stopping");
    let (status, took, log) = service.terminate();
    assert!(status.success() && took < Duration::from_secs(5), "{took:?} {log:#?}");
}

#[test]
fn every_line_of_the_json_log_parses_and_none_holds_a_token() {
    let world = World::with_amocrm();
    let mut command = world.serve_with(&["--set", "log.filter=trace"]);
    let token = world.adopt();
    world.client_says("hello");
    until("the update", || command.call(&token, "getUpdates?timeout=1")["result"][0].is_object());
    until("amoCRM", || world.amocrm_chats().contains("hello"));
    command.signal("TERM");
    command.wait_for("stopped");
    let (_, _, log) = command.terminate();
    assert!(log.len() > 20, "{log:#?}");
    for line in &log {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
        let line = line.to_string();
        for token in [&token, &world.token()] {
            let secret = token.split_once(':').unwrap().1;
            assert!(!line.contains(secret), "{line}");
        }
    }
}

#[test]
fn the_files_are_for_the_user_alone_and_the_socket_too() {
    let world = World::new();
    let _service = world.serve();
    for name in ["tandem.db", "tandem.key", "tandem.db.sock"] {
        let mode = fs::metadata(world.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}: {mode:o}");
    }
}

#[test]
fn what_is_no_operation_is_refused_on_the_socket_and_does_no_harm() {
    let world = World::new();
    let _service = world.serve();
    let ask = |path: &str, body: &str| {
        exchange(&mut UnixStream::connect(world.path("tandem.db.sock")).unwrap(), "POST", path, body)
    };
    assert_eq!(ask("/nothing", "{}").0, 404);
    for body in ["", "{", r#"{"do": "dance"}"#, "\u{0}"] {
        let (status, refusal) = ask("/perform", body);
        assert_eq!(status, 422, "{refusal}");
        let refusal: Value = serde_json::from_str(&refusal).unwrap();
        assert_eq!(refusal["code"], "bad_request");
    }
    assert_eq!(ask("/perform", &"x".repeat(17 << 20)).0, 413);
    assert_eq!(ask("/perform", r#"{"do":"bots"}"#).0, 200);
}

#[test]
fn a_socket_that_a_killed_service_left_behind_is_no_obstacle() {
    let world = World::new();
    let service = world.serve();
    service.signal("KILL");
    drop(service);
    assert!(world.path("tandem.db.sock").exists());
    assert_eq!(world.run(&["bots", "--json"]).json()["bots"], Value::Array(Vec::new()));
    let again = world.serve();
    assert_eq!(world.run(&["status", "--json"]).json()["store"]["health"]["state"], "good");
    let summary = world.run(&["status", "--summary", "--json"]).json();
    assert_eq!((&summary["store"]["health"]["state"], &summary["bots"]), (&"good".into(), &0.into()));
    assert!(summary["tasks"].as_u64().unwrap() > 0, "{summary}");
    assert!(again.terminate().0.success());
}

#[test]
fn the_public_listener_gives_nothing_to_strangers() {
    let world = World::new();
    let service = world.serve();
    assert_eq!(http(&service.public, "GET", "/healthz", ""), (200, "ok\n".to_owned()));
    assert_eq!(http(&service.public, "POST", &format!("/hooks/telegram/{}", world.bot()), "{}").0, 401);
    assert_eq!(http(&service.public, "GET", &format!("/bot{}/getMe", world.token()), "").0, 404);
    assert_eq!(http(&service.public, "GET", "/", "").0, 404);
}

#[test]
fn a_database_in_a_place_that_is_not_there_is_said_before_anything_is_made() {
    let directory = tandem_testkit::folder();
    let mut command = tandem(directory.path());
    command.args(["serve", "--set", "store.url=sqlite:nowhere/tandem.db"]);
    let said = crate::world::Said::of(command.output().unwrap());
    assert_eq!(said.code, 1);
    assert!(said.err.contains("nowhere/tandem.db") && said.err.contains("directory"), "{said:?}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
