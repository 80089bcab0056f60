//! What a bot stores and reads back.

use serde_json::{Value, json};

use crate::stage::Stage;

#[tokio::test]
async fn get_me_says_who_the_bot_is() {
    let stage = Stage::start().await;
    let me = stage.ok("getMe", json!({})).await;
    assert_eq!(
        (&me["id"], &me["is_bot"], &me["username"]),
        (&json!(stage.bot), &json!(true), &json!("bonus_bot"))
    );
    assert_eq!(me["can_read_all_group_messages"], false);
}

#[tokio::test]
async fn commands_are_kept_by_scope_and_language() {
    let stage = Stage::start().await;
    let commands = json!([{"command": "/start", "description": "Begin"}]);
    let kept = json!([{"command": "start", "description": "Begin"}]);
    stage.ok("setMyCommands", json!({"commands": commands, "language_code": "en"})).await;
    assert_eq!(stage.ok("getMyCommands", json!({"language_code": "en"})).await, kept);
    assert_eq!(stage.ok("getMyCommands", json!({})).await, json!([]));
    let scope = json!({"type": "all_private_chats"});
    stage.ok("setMyCommands", json!({"commands": commands, "scope": scope})).await;
    assert_eq!(stage.ok("getMyCommands", json!({"scope": scope})).await, kept);
    stage.ok("deleteMyCommands", json!({"scope": scope})).await;
    assert_eq!(stage.ok("getMyCommands", json!({"scope": scope})).await, json!([]));
    let bad = json!({"commands": [{"command": "Старт", "description": "x"}]});
    assert_eq!(stage.refused("setMyCommands", bad).await, "Bad Request: BOT_COMMAND_INVALID");
}

#[tokio::test]
async fn names_buttons_and_rights_are_read_back() {
    let stage = Stage::start().await;
    stage.ok("setMyName", json!({"name": "Zerno"})).await;
    assert_eq!(stage.ok("getMyName", json!({"language_code": "ru"})).await["name"], "Zerno");
    assert_eq!(stage.says("x").await["from"]["first_name"], "Zerno");
    stage.ok("setMyDescription", json!({"description": "Coffee"})).await;
    assert_eq!(stage.ok("getMyDescription", json!({})).await["description"], "Coffee");
    assert_eq!(stage.ok("getMyShortDescription", json!({})).await["short_description"], "");

    assert_eq!(
        stage.ok("getChatMenuButton", json!({"chat_id": stage.ann})).await,
        json!({"type": "commands"})
    );
    let button = json!({"type": "web_app", "text": "Shop", "web_app": {"url": "https://example.com/"}});
    stage.ok("setChatMenuButton", json!({"menu_button": button})).await;
    assert_eq!(stage.ok("getChatMenuButton", json!({"chat_id": stage.ann})).await, button);

    stage.ok("setMyDefaultAdministratorRights", json!({"rights": {"can_pin_messages": true}})).await;
    let rights = stage.ok("getMyDefaultAdministratorRights", json!({})).await;
    assert_eq!((&rights["can_pin_messages"], &rights["can_manage_chat"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn a_sticker_set_can_be_made_and_read() {
    let stage = Stage::start().await;
    let stickers = json!([{"sticker": "attach://s", "format": "static", "emoji_list": ["😀"]}]);
    let set = |name: &str| json!({"user_id": stage.ann, "name": name, "title": "Cats", "stickers": stickers});
    let file: [(&str, &str, &[u8]); 1] = [("s", "s.webp", b"RIFF....WEBPxxxx")];
    let refused = stage.upload("createNewStickerSet", set("cats"), &file).await;
    assert_eq!(refused["description"], "Bad Request: invalid sticker set name is specified");
    assert_eq!(stage.upload("createNewStickerSet", set("cats_by_bonus_bot"), &file).await["result"], true);
    let read = stage.ok("getStickerSet", json!({"name": "Cats_by_bonus_bot"})).await;
    assert_eq!(read["stickers"][0]["emoji"], "😀");
    let again = json!({"chat_id": stage.ann, "sticker": read["stickers"][0]["file_id"]});
    assert_eq!(
        stage.ok("sendSticker", again).await["sticker"]["file_unique_id"],
        read["stickers"][0]["file_unique_id"]
    );
    assert_eq!(
        stage.refused("getStickerSet", json!({"name": "dogs"})).await,
        "Bad Request: STICKERSET_INVALID"
    );
    let _: Value = stage.ok("deleteStickerSet", json!({"name": "cats_by_bonus_bot"})).await;
}
