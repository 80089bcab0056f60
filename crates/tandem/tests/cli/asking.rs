//! Commands as such: where they go, what they print, how they end.

use std::fs;

use crate::world::{World, tandem};

#[test]
fn a_backup_is_a_database_of_its_own_made_while_the_service_runs() {
    let world = World::new();
    let service = world.serve();
    world.adopt();
    let said = world.run(&["backup", "copy.db"]).done();
    assert!(said.contains("copy.db") && said.contains("tandem.key"), "{said}");
    let said = world.run(&["backup", "copy.db"]).refused();
    assert!(said.contains("copy.db"), "{said}");
    assert!(service.terminate().0.success());

    let store = ["--set", "store.url=sqlite:copy.db", "--set", "security.key_file=tandem.key"];
    let bots = world.run(&[["bots", "--json"].as_slice(), &store].concat()).json();
    assert_eq!(bots["bots"][0]["bot"], world.bot());
}

#[test]
fn two_commands_at_once_without_a_service_wait_for_each_other() {
    let world = World::new();
    let commands: Vec<_> = (0..4)
        .map(|_| world.command(&["bots", "--json"]).stdout(std::process::Stdio::piped()).spawn().unwrap())
        .collect();
    for command in commands {
        let output = command.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn what_is_asked_for_wrongly_ends_with_two_and_the_way_to_the_help() {
    let directory = tandem_testkit::folder();
    for arguments in [
        ["bots", "--nope"].as_slice(),
        &["nope"],
        &["held", "retry", "amocrm"],
        &["replay", "amocrm", "--from", "yesterday"],
        &["apps", "set", "main", "--backlog", "long"],
        &["apps", "set", "main"],
        &["apps", "limit", "main"],
        &["apps", "own", "inline"],
        &[],
    ] {
        let output = tandem(directory.path()).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("help") || said.contains("Usage"), "{said}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn every_command_has_help_with_an_example() {
    let directory = tandem_testkit::folder();
    let commands = [
        "serve", "adopt", "release", "apply", "status", "bots", "apps", "lanes", "held", "replay", "config",
        "backup", "demo",
    ];
    for command in commands {
        let output = tandem(directory.path()).args([command, "--help"]).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && said.contains("Examples:"), "{command}: {said}");
    }
}

#[test]
fn refusals_name_what_there_is_instead() {
    let world = World::new();
    let said = world.run(&["release"]).refused();
    assert!(said.contains("bot") && said.contains("adopt"), "{said}");
    world.adopt();
    for arguments in [
        ["lanes", "pause", "nope"].as_slice(),
        &["apps", "rotate", "nope"],
        &["lanes", "--bot", "@nope"],
        &["held", "skip", "main", "5"],
        &["apps", "add", "main"],
    ] {
        world.run(arguments).refused();
    }
}
