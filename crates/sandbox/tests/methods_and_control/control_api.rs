//! The control API itself: bots, people, raw updates, records, faults, clock, errors, the OpenAPI file.

use serde_json::{Value, json};

use crate::stage::{START, Stage, id};

#[tokio::test]
async fn every_path_takes_exactly_the_verbs_of_the_openapi_file() {
    let stage = Stage::start().await;
    let file = stage.look("/openapi.json").await;
    assert_eq!(file["openapi"], "3.1.0");
    let paths = file["paths"].as_object().unwrap();
    assert!(paths.len() > 60);
    for (path, listed) in paths {
        let address: String = path
            .split('/')
            .map(|part| if part.starts_with('{') { "1" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        for verb in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let (status, answer) = stage.control_raw(verb, &address, "{}".to_owned()).await;
            let routed = status != 405 && answer["error"] != "there is no such route";
            let is_listed = listed.get(verb.to_lowercase()).is_some();
            assert_eq!(routed, is_listed, "{verb} {path}: {status} {answer}");
        }
    }
}

#[tokio::test]
async fn every_reference_of_the_openapi_file_leads_somewhere() {
    let file: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    let text = file.to_string();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().unwrap();
        assert!(file.pointer(pointer).is_some(), "{pointer}");
    }
}

#[tokio::test]
async fn errors_say_what_was_expected() {
    let stage = Stage::start().await;
    let cases = [
        ("POST", "/nowhere".to_owned(), "", 404, "there is no such route"),
        ("DELETE", "/bots".to_owned(), "", 405, "this route has no such method"),
        ("POST", "/amocrm/nowhere/at/all".to_owned(), "", 404, "there is no such route"),
        ("PUT", "/amocrm/connect".to_owned(), "", 405, "this route has no such method"),
        ("POST", "/amocrm/connect".to_owned(), " ", 400, "missing field `token` at line 1 column 2"),
        ("GET", "/amocrm/7".to_owned(), "", 404, "bot 7 is not connected"),
        ("POST", "/users".to_owned(), "{", 400, "EOF while parsing an object at line 1 column 1"),
        ("POST", "/users".to_owned(), "{}", 400, "missing field `first_name` at line 1 column 2"),
        ("GET", "/bots/7/calls".to_owned(), "", 404, "there is no bot 7"),
        ("POST", format!("/users/7/bots/{}/text", stage.bot), "{\"text\":\"x\"}", 404, "there is no user 7"),
        ("POST", stage.act_path("text"), "{}", 400, "missing field `text`"),
        (
            "POST",
            stage.act_path("text"),
            "{\"txt\":1}",
            400,
            "unknown field `txt`, expected `text` or `reply_to`",
        ),
        ("POST", "/clock".to_owned(), "{}", 400, "the clock takes one change at a time"),
        (
            "POST",
            "/bots".to_owned(),
            "{\"token\":\"x\"}",
            400,
            "expected a token like 123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0 (digits, a colon, at least 24 characters of A-Z a-z 0-9 _ -)",
        ),
        ("POST", format!("/bots/{}/faults", stage.bot), "{\"method\":\"*\"}", 400, "missing field `fault`"),
        (
            "POST",
            format!("/bots/{}/faults", stage.bot),
            "{\"method\":\"sendMesage\",\"fault\":{\"kind\":\"reset\"}}",
            400,
            "the Bot API has no method sendMesage",
        ),
        (
            "POST",
            format!("/bots/{}/updates", stage.bot),
            "[]",
            400,
            "expected an update object like {\"message\": {…}}",
        ),
    ];
    for (verb, path, body, status, error) in cases {
        let (got, answer) = stage.control_raw(verb, &path, body.to_owned()).await;
        assert_eq!((got, answer["error"].as_str().unwrap()), (status, error), "{verb} {path} {body}");
        assert!(answer["expected"].is_string(), "{answer}");
    }
}

#[tokio::test]
async fn a_raw_update_makes_its_chat_and_its_query_answerable() {
    let stage = Stage::start().await;
    let ann = json!({"id": 77, "is_bot": false, "first_name": "Zoe"});
    let message = json!({"message_id": 5, "date": START, "chat": {"id": 77, "type": "private", "first_name": "Zoe"}, "from": ann, "text": "hi", "new_field": [1]});
    let path = format!("/bots/{}/updates", stage.bot);
    let pushed = stage.control(&path, json!({"update_id": 1_500_000_000, "message": message})).await;
    assert_eq!(pushed, json!({"update_id": 1_500_000_000}));
    assert_eq!(stage.update("message").await["new_field"], json!([1]));
    let copy = json!({"chat_id": 77, "from_chat_id": 77, "message_id": 5});
    stage.ok("copyMessage", copy).await;
    let query = json!({"callback_query": {"id": "9", "from": ann, "message": message, "chat_instance": "1", "data": "d"}});
    stage.control(&path, query).await;
    stage.ok("answerCallbackQuery", json!({"callback_query_id": "9"})).await;
    let chat = stage.look(&format!("/users/77/bots/{}/chat", stage.bot)).await;
    assert_eq!(chat["messages"].as_array().unwrap().len(), 2);

    let old =
        json!({"message": {"message_id": 6, "date": START - 90_000, "chat": {"id": 77, "type": "private"}}});
    assert_eq!(stage.control(&path, old).await["not_stored"], "its lifetime, counted from its date, is over");
    stage.ok("getUpdates", json!({"allowed_updates": ["message"]})).await;
    let poll = json!({"poll": {"id": "1"}});
    assert_eq!(
        stage.control(&path, poll).await["not_stored"],
        "the bot's allowed_updates do not have this kind"
    );
}

#[tokio::test]
async fn the_records_tell_what_became_of_updates_and_calls() {
    let stage = Stage::start().await;
    let updates = format!("/bots/{}/updates", stage.bot);
    let seen = stage.look(&updates).await.as_array().unwrap().len();
    stage.acts("text", json!({"text": "x"})).await;
    let after = stage.look(&format!("{updates}?after={seen}")).await;
    assert_eq!(
        (&after[0]["kind"], &after[0]["delivered"], &after[0]["confirmed"]),
        (&json!("message"), &Value::Null, &json!(false))
    );
    stage.updates().await;
    let after = stage.look(&format!("{updates}?after={seen}")).await;
    assert_eq!((&after[0]["delivered"], &after[0]["confirmed"]), (&json!("polling"), &json!(true)));

    stage.refused("sendMessage", json!({"chat_id": 1, "text": "x"})).await;
    let calls = stage.look(&format!("/bots/{}/calls?after=0", stage.bot)).await;
    let last = calls.as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["method"], &last["ok"], &last["error_code"]),
        (&json!("sendMessage"), &json!(false), &json!(400))
    );
    assert_eq!(last["params"], json!({"chat_id": "1", "text": "x"}));
    let rebased = stage.control(&format!("/bots/{}/rebase", stage.bot), json!({"next_update_id": 500})).await;
    assert_eq!(rebased["next_update_id"], 500);
    stage.acts("text", json!({"text": "y"})).await;
    let all = stage.look(&updates).await;
    assert_eq!(all.as_array().unwrap().last().unwrap()["update_id"], 500);
}

#[tokio::test]
async fn tokens_rotate_and_faults_strike_so_often_as_they_were_told() {
    let stage = Stage::start().await;
    let new = stage.control(&format!("/bots/{}/token", stage.bot), json!({})).await;
    let old = stage.call("getMe", json!({})).await;
    assert_eq!((&old["error_code"], &old["description"]), (&json!(401), &json!("Unauthorized")));
    let token = new["token"].as_str().unwrap();
    let fault =
        json!({"method": "getMe", "fault": {"kind": "status", "code": 429, "retry_after": 3}, "times": 1});
    stage.control(&format!("/bots/{}/faults", stage.bot), fault).await;
    let answer = stage.call_as(token, "getMe", json!({})).await;
    assert_eq!(answer["parameters"]["retry_after"], 3);
    assert_eq!(stage.call_as(token, "getMe", json!({})).await["ok"], true);
    let lasting = json!({"method": "*", "fault": {"kind": "unauthorized"}});
    stage.control(&format!("/bots/{}/faults", stage.bot), lasting).await;
    assert_eq!(stage.call_as(token, "getMe", json!({})).await["error_code"], 401);
    let (status, _) =
        stage.control_raw("DELETE", &format!("/bots/{}/faults", stage.bot), String::new()).await;
    assert_eq!(status, 200);
    assert_eq!(stage.call_as(token, "getMe", json!({})).await["ok"], true);
    let calls = stage.look(&format!("/bots/{}/calls", stage.bot)).await;
    let seen: Vec<_> =
        calls.as_array().unwrap().iter().map(|call| (&call["ok"], &call["fault"]["kind"])).collect();
    let (yes, no, none) = (json!(true), json!(false), json!(null));
    let (status, unauthorized) = (json!("status"), json!("unauthorized"));
    assert_eq!(seen[seen.len() - 4..], [(&no, &status), (&yes, &none), (&no, &unauthorized), (&yes, &none)]);
}

#[tokio::test]
async fn the_clock_can_be_read_moved_and_let_go() {
    let stage = Stage::start().await;
    let shown = stage.look("/clock").await;
    assert_eq!(shown["mode"], "manual");
    let now = shown["now_ms"].as_i64().unwrap();
    assert_eq!(stage.control("/clock", json!({"advance_ms": 1500})).await["now_ms"], now + 1500);
    assert_eq!(stage.control("/clock", json!({"now_ms": now + 9000})).await["now_ms"], now + 9000);
    let (status, answer) = stage.control_raw("POST", "/clock", json!({"now_ms": now}).to_string()).await;
    assert_eq!(
        (status, answer["expected"].as_str().unwrap()),
        (400, format!("now_ms of at least {}", now + 9000).as_str())
    );
    assert_eq!(stage.control("/clock", json!({"mode": "system"})).await["mode"], "system");
}

#[tokio::test]
async fn people_and_groups_are_listed_and_changed() {
    let stage = Stage::start().await;
    let bob = stage.new_user("Bob").await;
    assert!(bob > i64::from(u32::MAX), "ids have more than 32 bits");
    stage.control(&format!("/users/{bob}"), json!({"first_name": "Rob", "phone": "+1"})).await;
    assert_eq!(stage.look(&format!("/users/{bob}")).await["first_name"], "Rob");
    assert_eq!(stage.look("/users").await.as_array().unwrap().len(), 2);
    let bots = stage.look("/bots").await;
    assert_eq!((id(&bots[0]), &bots[0]["username"]), (stage.bot, &json!("bonus_bot")));
    let group = stage.control("/groups", json!({"title": "G", "users": [bob], "bots": [stage.bot]})).await;
    assert_eq!(stage.look("/groups").await[0]["id"], group["id"]);
    let (status, answer) =
        stage.control_raw("POST", "/groups", json!({"title": "G", "users": []}).to_string()).await;
    assert_eq!((status, &answer["error"]), (400, &json!("a group has no owner")));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_world() {
    let tokens = async || {
        let stage = Stage::start().await;
        stage.acts("photo", json!({})).await;
        let photo = stage.update("message").await["photo"].clone();
        (stage.token.clone(), stage.new_user("Bob").await, photo)
    };
    assert_eq!(tokens().await, tokens().await);
}
