//! What is told, and as what.

use serde_json::json;
use tandem_gateway::Author;
use tandem_model::{Conversation, Flags, LaneId};

use super::{ANN, Desk};

#[tokio::test]
async fn both_sides_are_told_in_order_with_times_of_their_own() {
    let mut desk = Desk::new().await;
    for number in 1..=20 {
        if number % 2 == 1 {
            desk.says(number, &format!("{number}")).await;
        } else {
            desk.sends(number, &format!("{number}")).await;
        }
    }
    let told = desk.told().await;
    let expected: Vec<_> =
        (1..=20)
            .map(|number| {
                if number % 2 == 1 {
                    format!("Ann: {number}")
                } else {
                    format!("(silent) bot/main: {number}")
                }
            })
            .collect();
    assert_eq!(told[1..], expected);
    let times = desk.crm.times();
    assert!(times.is_sorted_by(|a, b| a < b), "all within a second, and in order: {times:?}");
    // The same after a restart, for whatever comes next within that second.
    desk.restart().await;
    desk.says(21, "21").await;
    desk.told().await;
    let times = desk.crm.times();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
}

#[tokio::test]
async fn nobody_is_told_his_own_words_and_another_routes_manager_is_named() {
    let mut desk = Desk::new().await;
    desk.says(1, "hello").await;
    let manager = |route: &'static str| Author::Manager {
        route: route.into(),
        id: "5".into(),
        name: Some("Olga".into()),
    };
    let own = desk.sent("sendMessage", 2, "own", manager("crm"), desk.lane.lane);
    desk.append(own, Vec::new()).await;
    // A lane that was made anew is not the cause of what its route said before.
    let older = desk.sent("sendMessage", 3, "own, before", manager("crm"), LaneId::new(99).unwrap());
    desk.append(older, Vec::new()).await;
    let other =
        desk.sent("sendMessage", 4, "from the other CRM", manager("second"), LaneId::new(98).unwrap());
    desk.append(other, Vec::new()).await;
    assert_eq!(desk.told().await[1..], ["Ann: hello", "(silent) manager Olga: from the other CRM"]);
}

#[tokio::test]
async fn an_album_is_told_picture_by_picture_with_addresses() {
    let mut desk = Desk::new().await;
    for number in 1..=2 {
        let mut message = desk.message(number, "");
        message["photo"] =
            json!([{"file_id": format!("f{number}"), "file_unique_id": "u", "width": 1, "height": 1}]);
        message["media_group_id"] = json!("1");
        message.as_object_mut().unwrap().remove("text");
        desk.update("message", message, Flags::NONE).await;
    }
    let photo = |number: i64| {
        json!({"message_id": number, "date": 1_800_000_000, "chat": {"id": ANN, "type": "private"},
            "photo": [{"file_id": format!("f{number}"), "file_unique_id": "u", "width": 1, "height": 1}]})
    };
    let album = json!([photo(3), photo(4), photo(5)]);
    let event = desk.call(
        "sendMediaGroup",
        &[("chat_id", ANN.to_string())],
        &album,
        Author::App("main".into()),
        desk.app,
    );
    desk.append(event, Vec::new()).await;
    let told = desk.told().await;
    let expected = [
        "Ann: <media/f1> ",
        "Ann: <media/f2> ",
        "(silent) bot/main: <media/f3> ",
        "(silent) bot/main: <media/f4> ",
        "(silent) bot/main: <media/f5> ",
    ];
    assert_eq!(told[1..], expected);
    let times = desk.crm.times();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
}

#[tokio::test]
async fn an_edit_of_what_was_told_is_an_edit_and_of_anything_else_a_message_or_nothing() {
    let mut desk = Desk::new().await;
    desk.says(1, "hello").await;
    let edited = |desk: &Desk, number, text: &str, date: i64| {
        let mut message = desk.message(number, text);
        message["date"] = date.into();
        message["edit_date"] = desk.now_secs().into();
        message
    };
    let now = desk.now_secs();
    let message = edited(&desk, 1, "hello there", now);
    desk.update("edited_message", message, Flags::NONE).await;
    // It was a command, which is not told, and is something else now.
    let message = edited(&desk, 2, "not a command any more", now);
    desk.update("edited_message", message, Flags::NONE).await;
    // From before anything was told, and too old to be news.
    let message = edited(&desk, 3, "ancient", now - 90_000);
    desk.update("edited_message", message, Flags::NONE).await;
    let edit = desk.sent("editMessageText", 4, "menu", Author::App("main".into()), desk.app);
    desk.append(edit, Vec::new()).await;
    assert_eq!(
        desk.told().await[1..],
        ["Ann: hello", "Ann edits 1: hello there", "Ann: not a command any more", "(silent) bot/main: menu"]
    );
    assert!(desk.held().await.is_empty());
    // Told as new it is told: the next edit of it is one.
    let edit = desk.sent("editMessageText", 4, "another menu", Author::App("main".into()), desk.app);
    desk.append(edit, Vec::new()).await;
    assert_eq!(desk.told().await, ["(silent) bot/main edits 4: another menu"]);
}

#[tokio::test]
async fn an_edit_where_there_is_no_conversation_opens_one_only_for_a_client() {
    let mut desk = Desk::new().await;
    let edit = desk.sent("editMessageText", 1, "menu", Author::App("main".into()), desk.app);
    desk.append(edit, Vec::new()).await;
    assert!(desk.told().await.is_empty());
    let mut message = desk.message(2, "words at last");
    message["edit_date"] = desk.now_secs().into();
    desk.update("edited_message", message, Flags::NONE).await;
    assert_eq!(desk.told().await, ["opens tg:777:1001 with Ann", "Ann: words at last"]);
}

#[tokio::test]
async fn reactions_are_told_of_what_was_told() {
    let mut desk = Desk::new().await;
    desk.says(1, "hello").await;
    let reaction = |number: i64| {
        json!({"message_id": number, "date": 1_800_000_000, "chat": {"id": ANN, "type": "private"},
            "user": {"id": ANN, "is_bot": false, "first_name": "Ann"},
            "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "👍"}]})
    };
    desk.update("message_reaction", reaction(1), Flags::NONE).await;
    desk.update("message_reaction", reaction(99), Flags::NONE).await;
    assert_eq!(desk.told().await[1..], ["Ann: hello", "Ann on 1:  -> 👍"]);
    assert!(desk.held().await.is_empty());
}

#[tokio::test]
async fn a_press_of_a_managers_button_is_exactly_its_text() {
    let mut desk = Desk::new().await;
    desk.says(1, "hello").await;
    let press = json!({"id": "9", "from": {"id": ANN, "is_bot": false, "first_name": "Ann"}, "chat_instance": "1",
        "data": "m:1", "message": {"message_id": 5, "date": 1_800_000_000, "text": "Which one?",
        "chat": {"id": ANN, "type": "private", "first_name": "Ann"}, "from": {"id": 777, "is_bot": true, "first_name": "Shop"},
        "reply_markup": {"inline_keyboard": [[{"text": "Red", "callback_data": "m:0"}, {"text": "Blue", "callback_data": "m:1"}]]}}});
    desk.update("callback_query", press.clone(), Flags::MANAGERS_BUTTON).await;
    // A reply keyboard's comes as a message.
    let message = desk.message(6, "Blue");
    desk.update("message", message, Flags::MANAGERS_BUTTON | Flags::KNOWN_BUTTON).await;
    // An app's buttons stay in code.
    desk.update("callback_query", press, Flags::NONE).await;
    let message = desk.message(7, "Menu");
    desk.update("message", message, Flags::KNOWN_BUTTON).await;
    assert_eq!(desk.told().await[1..], ["Ann: hello", "Ann: Blue", "Ann: Blue"]);
}

#[tokio::test]
async fn a_route_for_a_while_notifies_nobody() {
    let mut desk = Desk::with(|channel| channel.silent = true).await;
    desk.says(1, "hello").await;
    assert_eq!(desk.told().await[1..], ["(silent) Ann: hello"]);
}

#[tokio::test]
async fn what_is_no_chat_and_what_is_a_group_is_not_told() {
    let mut desk = Desk::new().await;
    let mut message = desk.message(1, "to all");
    message["chat"] = json!({"id": -5, "type": "group", "title": "Shop"});
    desk.update("message", message, Flags::NONE).await;
    let query = json!({"id": "1", "from": {"id": ANN, "is_bot": false, "first_name": "Ann"}, "query": "x", "offset": ""});
    desk.update("inline_query", query, Flags::NONE).await;
    let event = super::NewEvent {
        conversation: Conversation::poll("7"),
        ..desk.sent("sendMessage", 1, "x", Author::App("main".into()), desk.app)
    };
    desk.append(event, Vec::new()).await;
    assert!(desk.told().await.is_empty() && desk.held().await.is_empty());
}
