//! `tandem adopt` and what comes after it, with and without a running service.

use std::fs;

use serde_json::json;

use crate::world::{Said, World, until};

#[test]
fn a_bot_is_adopted_while_the_service_runs_and_its_program_polls_through_it() {
    let world = World::with_amocrm();
    let service = world.serve();
    let said = world.run_with_input(&["adopt"], &format!("{}\n", world.token())).done();
    assert!(said.contains("held before   amoCRM"), "{said}");
    assert!(said.contains(&service.gateway), "the line to change names the gateway's address: {said}");
    for library in ["aiogram", "python-telegram-bot", "pyTelegramBotAPI", "telegraf", "grammY", "teloxide"] {
        assert!(said.contains(library), "{library} is missing: {said}");
    }
    let token = said.lines().find_map(|line| line.trim().strip_prefix(&format!("{}:", world.bot()))).unwrap();
    let token = format!("{}:{token}", world.bot());

    world.client_says("are you open?");
    until("the program", || {
        service.call(&token, "getUpdates?timeout=1")["result"][0]["message"]["text"] == "are you open?"
    });
    until("amoCRM", || world.amocrm_chats().contains("are you open?"));

    let lanes = world.run(&["lanes"]).done();
    assert!(
        lanes.starts_with("BOT") && lanes.contains("app:main") && lanes.contains("route:amocrm"),
        "{lanes}"
    );
    until("both lanes", || {
        let lanes = world.run(&["lanes", "--json"]).json();
        let lanes = lanes["lanes"].as_array().unwrap().clone();
        lanes.iter().any(|lane| lane["serves"] == "route" && lane["acked"] == 1)
    });
    assert_eq!(world.run(&["held", "list"]).done(), "Nothing is held.\n");
    let counted = world.run(&["replay", "amocrm", "--from", "1", "--dry-run"]).done();
    assert_eq!(counted, "1 event from 1 to 1 would be delivered again.\n");
}

#[test]
fn a_bot_is_adopted_without_a_service_which_then_serves_it() {
    let world = World::with_amocrm();
    let token = world.adopt();
    let apps = world.run(&["apps", "--json"]).json();
    assert_eq!(apps["apps"][0]["name"], "main");
    let bots = world.run(&["bots"]).done();
    assert!(bots.contains("active") && bots.contains("amocrm"), "{bots}");

    let service = world.serve();
    world.client_says("hello");
    until("the program", || {
        service.call(&token, "getUpdates?timeout=1")["result"][0]["message"]["text"] == "hello"
    });
    until("amoCRM", || world.amocrm_chats().contains("hello"));
}

#[test]
fn the_token_comes_from_a_file_the_environment_or_standard_input_and_never_from_an_argument() {
    let file = |world: &World| {
        fs::write(world.path("bot.token"), format!("  {}\n", world.token())).unwrap();
        world.run(&["adopt", "--json", "--token-file", "bot.token"])
    };
    let environment = |world: &World| {
        let mut command = world.command(&["adopt", "--json"]);
        Said::of(command.env("TANDEM_BOT_TOKEN", world.token()).output().unwrap())
    };
    let dash =
        |world: &World| world.run_with_input(&["adopt", "--json", "--token-file", "-"], &world.token());
    let ways: [&dyn Fn(&World) -> Said; 3] = [&file, &environment, &dash];
    for way in ways {
        let world = World::new();
        assert_eq!(way(&world).json()["bot"], world.bot());
    }
    let world = World::new();
    let said = world.run(&["adopt", &world.token()]);
    assert_eq!(said.code, 2, "{said:?}");
    let said = world.run_with_input(&["adopt"], "");
    assert!(said.code == 2 && said.err.contains("standard input is empty"), "{said:?}");
}

#[test]
fn a_wrong_token_is_refused_in_words_and_as_json_and_is_not_repeated() {
    let world = World::new();
    let wrong = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0";
    for token in ["not a token", wrong] {
        let said = world.run_with_input(&["adopt", "--json"], token);
        let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(json["refused"]["code"], "bad_token");
        let words = said.refused();
        assert!(!words.contains(token), "{words}");
    }
    assert_eq!(world.run(&["bots"]).done(), "There are no bots yet. Take one over with `tandem adopt`.\n");
}

#[test]
fn an_app_is_added_changed_rotated_and_revoked_while_the_service_runs() {
    let world = World::new();
    let service = world.serve();
    world.adopt();
    let added = world.run(&["apps", "add", "orders", "--backlog", "3d", "--json"]).json();
    let first = added["token"].as_str().unwrap().to_owned();
    assert_eq!(added["app"]["backlog_secs"], 3 * 24 * 3600);
    assert_eq!(service.call(&first, "getUpdates")["ok"], true);

    let said = world.run(&["apps", "set", "orders", "--drop-pending", "ignore"]).done();
    assert!(said.contains("ignore") && said.contains("3 days"), "{said}");

    let second =
        world.run(&["apps", "rotate", "orders", "--json"]).json()["token"].as_str().unwrap().to_owned();
    assert_eq!(
        service.call(&first, "getUpdates"),
        json!({"ok": false, "error_code": 401, "description": "Unauthorized"})
    );
    assert_eq!(service.call(&second, "getUpdates")["ok"], true);

    world.run(&["apps", "revoke", "orders"]).done();
    assert_eq!(service.call(&second, "getUpdates")["error_code"], 401);
    let said = world.run(&["apps", "revoke", "orders"]).refused();
    assert!(said.contains("orders"), "{said}");
}

#[test]
fn a_lane_is_paused_and_resumed_and_what_waits_is_shown() {
    let world = World::with_amocrm();
    let service = world.serve();
    let token = world.adopt();
    let said = world.run(&["lanes", "pause", "amocrm"]).done();
    assert!(said.contains("paused (operator)"), "{said}");
    world.client_says("is anybody there?");
    until("the program", || service.call(&token, "getUpdates?timeout=1")["result"][0].is_object());
    let lanes = world.run(&["lanes", "--json"]).json();
    let route =
        lanes["lanes"].as_array().unwrap().iter().find(|lane| lane["serves"] == "route").unwrap().clone();
    assert_eq!(route["lag"]["events"], 1);
    assert!(!world.amocrm_chats().contains("is anybody there?"));
    world.run(&["lanes", "resume", "amocrm"]).done();
    until("amoCRM", || world.amocrm_chats().contains("is anybody there?"));
}

#[test]
fn a_released_bot_is_amocrms_again() {
    let world = World::with_amocrm();
    let service = world.serve();
    let token = world.adopt();
    world.run(&["lanes", "pause", "amocrm"]).done();
    world.client_says("not delivered yet");
    until("the update", || service.call(&token, "getUpdates?timeout=1")["result"][0].is_object());
    let said = world.run(&["release", "--wait", "0s"]).refused();
    assert!(said.contains("amocrm") && said.contains("(--leave-undelivered)"), "{said}");
    world.run(&["lanes", "resume", "amocrm"]).done();
    until("amoCRM", || world.amocrm_chats().contains("not delivered yet"));
    let last = service.call(&token, "getUpdates")["result"][0]["update_id"].as_i64().unwrap();
    service.call(&token, &format!("getUpdates?offset={}", last + 1));
    // Telegram takes one setWebhook a second from a bot, and adopt was just there.
    until("the release", || world.run(&["release"]).out.contains("is back with amoCRM"));
    world.client_says("still here?");
    until("amoCRM", || world.amocrm_chats().contains("still here?"));
    assert_eq!(service.call(&token, "getUpdates")["error_code"], 401);
}
