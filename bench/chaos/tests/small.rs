//! A small run of everything, as a process of its own: every kind of fault happens once, and the judge finds nothing.
//!
//! `TANDEM_CHAOS_SEED` gives it another plan.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

use std::process::Command;

use serde_json::Value;

#[test]
fn everything_goes_wrong_once_and_every_promise_is_kept() {
    #[expect(clippy::disallowed_methods, reason = "which run to repeat is told by the environment")]
    let seed = std::env::var("TANDEM_CHAOS_SEED").unwrap_or_else(|_| "7".to_owned());
    let kept = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_chaos"))
        .args(["--small", "--json", "--seed", &seed, "--keep"])
        .arg(kept.path())
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    let verdict: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no verdict ({error}): {complaint}"));
    let log = std::fs::read_to_string(kept.path().join("tandem.log")).unwrap_or_default();
    assert_eq!(verdict["clean"], true, "{verdict:#}\n{log}");
    assert!(output.status.success());
    assert!(verdict["faults"].as_object().unwrap().values().all(|times| times.as_u64() >= Some(1)));
    // Whoever finds nothing because nothing happened has shown nothing.
    let counted = |name: &str| verdict["counts"][name].as_u64().unwrap();
    assert_eq!(counted("kills"), 5);
    for something in ["updates confirmed", "messages in the journal", "app:main: confirmed"] {
        assert!(counted(something) >= 20, "{something}: {verdict:#}");
    }
}
