//! `tandem sandbox` as a person or a script runs it.
//!
//! The story needs the Python environment of `scripts/setup`; without it its test fails and says so.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

fn tandem(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.arg("sandbox").args(arguments).stdin(Stdio::null());
    command
}

const FREE_PORTS: [&str; 8] = [
    "--telegram",
    "127.0.0.1:0",
    "--amocrm",
    "127.0.0.1:0",
    "--wahelp",
    "127.0.0.1:0",
    "--control",
    "127.0.0.1:0",
];

fn start(arguments: &[&str]) -> Child {
    tandem(arguments).args(FREE_PORTS).stdout(Stdio::piped()).spawn().unwrap()
}

/// Ends it as a service manager would, and waits.
fn terminate(mut child: Child) -> std::process::ExitStatus {
    let killed = Command::new("sh").args(["-c", &format!("kill -TERM {}", child.id())]).status().unwrap();
    assert!(killed.success());
    child.wait().unwrap()
}

#[test]
fn it_prints_addresses_and_bots_as_json_and_ends_on_sigterm() {
    let tell = || {
        let mut child = start(&["--json", "--bots", "2", "--seed", "5"]);
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(terminate(child).success());
        serde_json::from_str::<Value>(&line).unwrap()
    };
    let (first, second) = (tell(), tell());
    for address in ["telegram", "amocrm", "control"] {
        assert!(first[address].as_str().unwrap().starts_with("http://127.0.0.1:"), "{first}");
    }
    assert_eq!(first["bots"].as_array().unwrap().len(), 2);
    assert_eq!(first["bots"], second["bots"], "one seed, the same bots");
}

#[test]
fn the_quick_start_names_the_addresses_in_the_asked_language() {
    for (language, words) in [("ru", "Побудьте его клиентом"), ("en", "Be its client")] {
        let mut child = start(&["--lang", language]);
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        // The last line says how to stop; after it nothing more comes.
        while !text.contains("Ctrl+C") {
            assert_ne!(output.read_line(&mut text).unwrap(), 0, "{text}");
        }
        assert!(terminate(child).success());
        output.read_to_string(&mut text).unwrap();
        assert!(text.contains(words) && text.contains("/amocrm/connect"), "{text}");
        assert!(!text.contains("{telegram}") && !text.contains("{bot"), "{text}");
    }
}

#[test]
fn a_taken_address_is_said_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = tandem(&["--telegram", &address]).output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(complaint.contains("--telegram") && complaint.contains(&address), "{complaint}");
}

#[test]
fn the_story_succeeds_only_if_the_bug_was_seen() {
    let Output { status, stdout, stderr } =
        tandem(&["--story", "bug", "--lang", "en", "--json"]).output().unwrap();
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(status.success(), "{stdout}\n{stderr}");
    let entries: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries[0]["title"], "The bot is connected to amoCRM: the manager sees clients");
    assert!(
        entries.iter().filter(|entry| entry["entry"] == "check").all(|check| check["met"] == true),
        "{stdout}"
    );
    assert_eq!(entries.last().unwrap()["outcome"], "reproduced");
}

#[test]
fn a_missing_python_is_said_with_the_command_that_installs_it() {
    let told = |language| {
        let mut command = tandem(&["--story", "bug", "--lang", language]);
        command.env("TANDEM_PYTHON", "/nonexistent/python").output().unwrap()
    };
    for (language, words) in [("en", "Python with aiogram is needed"), ("ru", "Нужен Python с aiogram")]
    {
        let output = told(language);
        assert!(!output.status.success());
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(complaint.contains("scripts/setup") && complaint.contains(words), "{complaint}");
        assert!(complaint.contains("/nonexistent/python"), "{complaint}");
    }
}
