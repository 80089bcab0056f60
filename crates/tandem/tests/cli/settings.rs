//! Settings as the program takes them: files, variables, flags, and what it says of wrong ones.

use std::fs;

use crate::world::{Said, tandem};

fn run(files: &[(&str, &str)], environment: &[(&str, &str)], arguments: &[&str]) -> Said {
    let directory = tandem_testkit::folder();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let mut command = tandem(directory.path());
    Said::of(command.envs(environment.iter().copied()).args(arguments).output().unwrap())
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let file = [(
        "tandem.toml",
        "[server]\ngateway = '127.0.0.1:1'\npublic = '127.0.0.1:2'\n[log]\nfilter = 'warn'\n",
    )];
    let environment = [("TANDEM_SERVER__PUBLIC", "127.0.0.1:3"), ("TANDEM_LOG__FILTER", "debug")];
    let shown = run(&file, &environment, &["config", "show", "--json", "--set", "log.filter=error"]).json();
    assert_eq!(shown["server"]["gateway"], "127.0.0.1:1");
    assert_eq!(shown["server"]["public"], "127.0.0.1:3");
    assert_eq!(shown["log"]["filter"], "error");
}

#[test]
fn a_wrong_setting_is_named_with_its_place_and_what_is_expected() {
    let other = [("other.toml", "[server]\n\ngateway = 'localhost'\n")];
    for arguments in [["serve"].as_slice(), &["bots"], &["config", "check"]] {
        let arguments = [arguments, &["--config", "other.toml"]].concat();
        let said = run(&other, &[], &arguments);
        assert_eq!(said.code, 2);
        assert!(
            said.err.starts_with("tandem: other.toml line 3, server.gateway: expected an address"),
            "{}",
            said.err
        );
        assert_eq!(said.err.lines().count(), 2, "{}", said.err);
    }
    let said = run(&[], &[("TANDEM_STORE__URL", "mysql://x")], &["bots"]);
    assert!(said.code == 2 && said.err.starts_with("tandem: TANDEM_STORE__URL: expected"), "{}", said.err);
    let said = run(&[], &[], &["bots", "--set", "server.gate=1"]);
    assert!(said.code == 2 && said.err.contains("--set server.gate: unknown field"), "{}", said.err);
    let said = run(&[], &[], &["bots", "--config", "none.toml"]);
    assert!(
        said.code == 2 && said.err.contains("none.toml") && said.err.contains("is there"),
        "{}",
        said.err
    );
    let said = run(&[], &[], &["serve", "--set", "log.filter=tandem=loud"]);
    assert!(said.code == 2 && said.err.contains("log.filter"), "{}", said.err);
}

#[test]
fn the_example_can_be_used_as_it_is() {
    let example = run(&[], &[], &["config", "example"]).done();
    let shown = run(&[("tandem.toml", &example)], &[], &["config", "show"]).done();
    assert_eq!(shown, run(&[], &[], &["config", "show"]).done());
    run(&[("tandem.toml", &example)], &[], &["config", "check"]).done();
}

#[test]
fn a_check_says_what_cannot_work_without_making_anything() {
    let check = |set: &str| run(&[], &[], &["config", "check", "--set", set]);
    let said = check("store.url=sqlite:/nonexistent/tandem.db").refused();
    assert!(said.contains("/nonexistent") && said.contains("does not exist"), "{said}");
    let said = check("telegram.upstream=webhook");
    assert!(said.code == 2 && said.err.contains("server.public_url"), "{said:?}");
}

#[test]
fn a_proxys_password_is_shown_by_nothing() {
    let file = [("tandem.toml", "[telegram]\nproxy = 'socks5://me:pa55w0rd@127.0.0.1:1080'\n")];
    for arguments in [["config", "show"].as_slice(), &["config", "show", "--json"], &["config", "check"]] {
        let said = run(&file, &[], arguments);
        assert!(said.code == 0 && !format!("{said:?}").contains("pa55w0rd"), "{said:?}");
    }
    let wrong = [("tandem.toml", "[telegram]\nproxy = 'ftp://me:pa55w0rd@127.0.0.1'\n")];
    let said = run(&wrong, &[], &["bots"]);
    assert!(said.code == 2 && !format!("{said:?}").contains("pa55w0rd"), "{said:?}");
}
