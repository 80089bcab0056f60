//! Presses of inline buttons that a manager showed.

use serde_json::{Value, json};
use tandem_bridge::button_of;
use tandem_model::{
    EventKind,
    message::{Keyboard, KeyboardButton, KeyboardKind, ReplyAct},
};

use crate::{
    desk::Desk,
    support::{id, until},
};

#[tokio::test]
async fn a_press_is_answered_by_us_and_is_the_routes_with_what_stood_on_the_button() {
    let desk = Desk::open().await;
    let long = "Перезвоните мне, пожалуйста, завтра утром после девяти";
    let button = |text: &str| KeyboardButton { text: text.to_owned(), url: None };
    let keyboard = Keyboard { kind: KeyboardKind::Inline, rows: vec![vec![button("Yes"), button(long)]] };
    let act = ReplyAct::Say {
        text: "well?".to_owned(),
        file: None,
        keyboard: Some(keyboard),
        quote: None,
        album: None,
    };
    desk.does("m1", act).await;
    desk.outcome("m1").await;
    let (bot, route) = (id(&desk.bot), desk.lane("route:crm").await.id);
    for text in ["Yes", long] {
        let path = format!("/users/{}/bots/{bot}/press", desk.client);
        desk.stage.act(&path, json!({"text": text})).await;
        let press = until("the press", async || {
            let events = desk.service.journal(&desk.bot).await;
            let press =
                events.into_iter().rfind(|event| event.kind == EventKind::Update && event.owner.is_some())?;
            (button_of(&press.body).as_deref() == Some(text)).then_some(press)
        })
        .await;
        assert_eq!(press.owner, Some(route));
    }
    until("two answers", async || {
        let calls = desk.bot.calls_after(0);
        let answers = calls.iter().filter(|call| call.ok && call.method == "answerCallbackQuery").count();
        (answers == 2).then_some(())
    })
    .await;
    let told = until("the presses at the CRM", async || {
        let told = desk.crm.told();
        let presses = told.iter().filter_map(|event| button_of(&event.body)).collect::<Vec<_>>();
        (presses.len() == 2).then_some(presses)
    })
    .await;
    assert_eq!(told, ["Yes", long]);
    desk.service.stop().await;
}

#[tokio::test]
async fn an_apps_own_buttons_stay_the_apps() {
    let desk = Desk::open().await;
    let markup = json!({"inline_keyboard": [[{"text": "Order", "callback_data": "order:7"}]]});
    let parameters = json!({"chat_id": desk.client, "text": "menu", "reply_markup": markup});
    let sent: Value = desk.stage.bot_api(&desk.bot, "sendMessage", parameters).await;
    let path = format!("/users/{}/bots/{}/press", desk.client, id(&desk.bot));
    desk.stage.act(&path, json!({"message_id": sent["result"]["message_id"], "text": "Order"})).await;
    let press = until("the press", async || {
        let events = desk.service.journal(&desk.bot).await;
        events.into_iter().find(|event| String::from_utf8_lossy(&event.body).contains("order:7"))
    })
    .await;
    assert_eq!((press.owner, button_of(&press.body)), (None, None));
    let answered = desk.bot.calls_after(0).iter().any(|call| call.method == "answerCallbackQuery");
    assert!(!answered);
    desk.service.stop().await;
}
