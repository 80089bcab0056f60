//! `tandem apply`: a file, its plan, and what comes of it.

use std::fs;

use serde_json::json;

use crate::world::World;

const FILE: &str = "\
[[bot]]
token_file = 'bot.token'
  [[bot.app]]
  name = 'main'
  drop_pending = 'ignore'
  [[bot.app]]
  name = 'orders'
";

fn world() -> World {
    let world = World::new();
    fs::write(world.path("bot.token"), world.token()).unwrap();
    fs::write(world.path("bots.toml"), FILE).unwrap();
    world
}

#[test]
fn a_file_is_shown_first_then_done_and_the_second_time_changes_nothing() {
    let world = world();
    let service = world.serve();
    let said = world.run(&["apply", "bots.toml", "--dry-run"]).done();
    assert!(said.starts_with("To be done:") && said.contains("adopt"), "{said}");
    assert_eq!(world.run(&["bots", "--json"]).json()["bots"], json!([]), "a dry run changes nothing");

    let done = world.run(&["apply", "bots.toml", "--json"]).json();
    assert_eq!(done["executed"], true);
    let apps = world.run(&["apps", "--json"]).json();
    let names: Vec<_> = apps["apps"].as_array().unwrap().iter().map(|app| app["name"].clone()).collect();
    assert_eq!(names, ["main", "orders"]);
    assert_eq!(apps["apps"][0]["drop_pending"], "ignore");
    let steps = done["steps"].as_array().unwrap();
    let token = steps.iter().find(|step| step["what"].as_str().unwrap().contains("orders")).unwrap();
    assert_eq!(service.call(token["app_token"].as_str().unwrap(), "getUpdates")["ok"], true);

    assert_eq!(world.run(&["apply", "bots.toml"]).done(), "Everything is as the file says.\n");
}

#[test]
fn what_a_file_does_not_name_goes_only_when_that_is_asked_for() {
    let world = world();
    world.run(&["apply", "bots.toml"]).done();
    fs::write(world.path("bots.toml"), FILE.replace("orders", "stock")).unwrap();
    world.run(&["apply", "bots.toml"]).done();
    let names = || {
        let apps = world.run(&["apps", "--json"]).json();
        apps["apps"].as_array().unwrap().iter().map(|app| app["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(), ["main", "orders", "stock"]);
    let said = world.run(&["apply", "bots.toml", "--prune"]).done();
    assert!(said.contains("remove") && said.contains("orders"), "{said}");
    assert_eq!(names(), ["main", "stock"]);
}

#[test]
fn a_mistake_in_a_file_is_named_with_its_line() {
    let world = world();
    fs::write(world.path("bots.toml"), FILE.replace("drop_pending = 'ignore'", "drop_pending = 'maybe'"))
        .unwrap();
    let said = world.run(&["apply", "bots.toml"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(
        said.err.contains("bots.toml") && said.err.contains('5') && said.err.contains("ignore"),
        "{said:?}"
    );
    let said = world.run(&["apply", "none.toml"]);
    assert!(said.code == 2 && said.err.contains("none.toml"), "{said:?}");
}
