//! The story of the product: the unchanged aiogram bot of the bug's story, which starts by deleting the webhook with
//! everything pending, and amoCRM's built-in integration, both complete, on one token, through Tandem.
//!
//! Needs the Python environment of `scripts/setup`; without it the tests fail and say so.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

mod support;

use serde_json::json;
use support::{driver::chat::from_bot, poller::Poller, shop::Shop, until};
use tandem_bridge::{UpstreamMode, operations::Undelivered};
use tandem_gateway::DropPending;

/// What the bot says to a free text.
const WILL_ANSWER: &str = "Спасибо! Менеджер скоро ответит.";

#[tokio::test]
async fn a_client_writes_and_both_see_it_and_both_answer_though_tandem_is_killed_between_their_words()
-> anyhow::Result<()> {
    let mut shop = Shop::adopted(DropPending::Ignore).await?;
    let bot = shop.bot_starts().await?;

    shop.client_says("Вы открыты?").await?;
    shop.client_is_told(0, &[WILL_ANSWER]).await?;
    shop.amocrm_has(&["Вы открыты?"]).await?;

    // Dead when the manager answers, who needs nobody between; and when the client asks on.
    shop.tandem.kill().await?;
    shop.manager_answers("Да, до 22:00.").await?;
    shop.client_is_told(1, &["Да, до 22:00."]).await?;
    shop.client_says("А в воскресенье?").await?;
    shop.tandem.revive().await?;
    shop.client_is_told(2, &[WILL_ANSWER]).await?;
    shop.amocrm_has(&["Вы открыты?", "А в воскресенье?"]).await?;

    // Killed with a question in its journal that amoCRM has and the bot has not.
    shop.wire.cut();
    shop.client_says("И в праздники?").await?;
    shop.amocrm_has(&["Вы открыты?", "А в воскресенье?", "И в праздники?"]).await?;
    shop.tandem.kill().await?;
    shop.tandem.revive().await?;
    shop.wire.mend();
    shop.client_is_told(3, &[WILL_ANSWER]).await?;
    assert_eq!(shop.phone().await?.len(), 4);
    shop.amocrm_has(&["Вы открыты?", "А в воскресенье?", "И в праздники?"]).await?;

    // The first call of the bot's, which once took amoCRM's webhook away, has not reached Telegram.
    let dropped = shop.control.calls(shop.bot).await?.into_iter().filter(|call| {
        call["method"].as_str().is_some_and(|method| method.eq_ignore_ascii_case("deleteWebhook"))
            && call["params"].to_string().to_lowercase().contains("true")
    });
    assert_eq!(dropped.count(), 0);
    bot.stop().await?;
    Ok(())
}

#[tokio::test]
async fn amocrms_buttons_and_the_bots_buttons_stay_out_of_each_others_way_though_tandem_is_killed_between()
-> anyhow::Result<()> {
    let mut shop = Shop::adopted(DropPending::Ignore).await?;
    shop.control.post(&format!("/amocrm/{}/salesbot", shop.bot), &json!({})).await?;
    let bot = shop.bot_starts().await?;

    // The bot's own: a reply keyboard, then an inline one, whose press is answered by the bot alone.
    let mut told = 0;
    for (act, with) in [
        ("start", json!({})),
        ("contact", json!({ "own": true })),
        ("text", json!({ "text": "Аня" })),
        ("press", json!({ "text": "Баланс" })),
        ("press", json!({ "text": "Заказать" })),
    ] {
        shop.client_acts(act, with).await?;
        told += 1;
        until("an answer", async || shop.phone().await, |phone| phone.len() == told).await?;
    }
    // Pressed while Tandem is dead, and killed again with the order half made.
    shop.tandem.kill().await?;
    shop.client_acts("press", json!({ "data": "product:beans", "wait_ms": 0 })).await?;
    shop.tandem.revive().await?;
    let changed = |phone: &Vec<String>| phone.last().is_some_and(|last| last.starts_with("Кофе в зёрнах"));
    until("the next question", async || shop.phone().await, changed).await?;
    until("the press to be answered", async || shop.answered("product:beans").await, |times| *times == 1)
        .await?;
    shop.tandem.kill().await?;
    shop.client_acts("text", json!({ "text": "2" })).await?;
    shop.tandem.revive().await?;
    until("the total", async || shop.phone().await, |phone| phone.len() == told + 1).await?;
    let pressed = shop.client_acts("press", json!({ "data": "order:1" })).await?;
    assert_eq!(pressed["answer"]["text"], "Заказ принят");

    // amoCRM's: its Salesbot answers, and the bot takes the words that started it for free text, as it always did.
    let before = shop.phone().await?.len();
    shop.client_acts("text", json!({ "text": "Выбрать услугу" })).await?;
    until("both", async || shop.phone().await, |phone| phone.len() == before + 2).await?;
    shop.tandem.kill().await?;
    let pressed = shop.client_acts("press", json!({ "data": "amo:1", "wait_ms": 0 })).await?;
    shop.tandem.revive().await?;
    let answers = |phone: &Vec<String>| phone.last().is_some_and(|last| last.starts_with("Ленина, 1"));
    until("the Salesbot's answer", async || shop.phone().await, answers).await?;
    assert!(pressed["callback_query_id"].is_string());

    let chat = shop.control.get(&format!("/users/{}/bots/{}/chat", shop.client, shop.bot)).await?;
    let texts: Vec<&str> =
        from_bot(&chat).iter().map(|message| message["text"].as_str().unwrap_or_default()).collect();
    let (mut texts, last) = (texts[..8].to_vec(), texts[8..].to_vec());
    // Nobody says who of the two is faster.
    texts[6..].sort_unstable();
    let of_the_bot = [
        "Здравствуйте! Чтобы копить бонусы, поделитесь номером телефона.",
        "Спасибо! Как к вам обращаться?",
        "Готово, Аня! Дарим вам 100 бонусов.",
        "На вашем счёте 100 бонусов.",
        "Кофе в зёрнах, 1 кг. Сколько штук?",
        "Заказ принят: Кофе в зёрнах, 1 кг × 2. Начислено 180 бонусов, на счёте 280.",
    ];
    assert_eq!(texts[..6], of_the_bot);
    assert_eq!(texts[6..], [WILL_ANSWER, "Что вас интересует?"]);
    assert_eq!(last, ["Ленина, 1. Открыты с 8 до 22."]);
    assert_eq!((shop.answered("product:beans").await?, shop.answered("order:1").await?), (1, 1));
    assert_eq!(shop.repeats().await?, 0);
    bot.stop().await?;
    Ok(())
}

#[tokio::test]
async fn amocrm_is_down_and_then_has_everything_in_order_though_tandem_was_killed_meanwhile()
-> anyhow::Result<()> {
    let mut shop = Shop::adopted(DropPending::Ignore).await?;
    let bot = shop.bot_starts().await?;
    let said: Vec<String> = (1..=8).map(|number| format!("Вопрос {number}")).collect();

    shop.client_says(&said[0]).await?;
    shop.amocrm_has(&said[..1]).await?;
    shop.amocrm_goes_down().await?;
    for (told, text) in said.iter().enumerate().skip(1).take(3) {
        shop.client_says(text).await?;
        // The bot does not wait for amoCRM.
        shop.client_is_told(told, &[WILL_ANSWER]).await?;
    }
    shop.tandem.kill().await?;
    for text in &said[4..6] {
        shop.client_says(text).await?;
    }
    shop.tandem.revive().await?;
    for text in &said[6..] {
        shop.client_says(text).await?;
    }
    shop.client_is_told(4, &[WILL_ANSWER; 4]).await?;
    assert_eq!(shop.amocrm_sees().await?, said[..1]);

    shop.amocrm_comes_up().await?;
    shop.amocrm_has(&said).await?;
    assert_eq!(shop.repeats().await?, 0);
    bot.stop().await?;
    Ok(())
}

#[tokio::test]
async fn the_bots_network_is_cut_and_then_it_has_everything_though_tandem_was_killed_meanwhile()
-> anyhow::Result<()> {
    let mut shop = Shop::adopted(DropPending::Ignore).await?;
    let bot = shop.bot_starts().await?;
    let said: Vec<String> = (1..=6).map(|number| format!("Вопрос {number}")).collect();

    shop.client_says(&said[0]).await?;
    shop.client_is_told(0, &[WILL_ANSWER]).await?;
    shop.wire.cut();
    for text in &said[1..3] {
        shop.client_says(text).await?;
    }
    // amoCRM does not wait for the bot.
    shop.amocrm_has(&said[..3]).await?;
    shop.tandem.kill().await?;
    for text in &said[3..] {
        shop.client_says(text).await?;
    }
    shop.tandem.revive().await?;
    shop.amocrm_has(&said).await?;
    assert_eq!(shop.phone().await?.len(), 1);

    shop.wire.mend();
    shop.client_is_told(1, &[WILL_ANSWER; 5]).await?;
    bot.stop().await?;
    Ok(())
}

/// The bot is stopped, the client writes, Tandem is killed and restarted, the bot starts anew and asks to drop what
/// is pending. Gives what the client was told by it in the end, once there are so many answers.
async fn restart(drop_pending: DropPending, answers: usize) -> anyhow::Result<Vec<String>> {
    let mut shop = Shop::adopted(drop_pending).await?;
    let bot = shop.bot_starts().await?;
    shop.client_says("До").await?;
    shop.client_is_told(0, &[WILL_ANSWER]).await?;
    bot.stop().await?;

    let meanwhile = ["Пока бота нет, раз", "Пока бота нет, два", "Пока бота нет, три"];
    shop.client_says(meanwhile[0]).await?;
    shop.amocrm_has(&["До", meanwhile[0]]).await?;
    shop.tandem.kill().await?;
    shop.client_says(meanwhile[1]).await?;
    shop.tandem.revive().await?;
    shop.client_says(meanwhile[2]).await?;
    shop.amocrm_has(&["До", meanwhile[0], meanwhile[1], meanwhile[2]]).await?;

    let bot = shop.bot_starts().await?;
    shop.client_says("/cancel").await?;
    // aiogram handles what came in one batch at once, so that its answers may overtake each other.
    until("all answers", async || shop.phone().await, |phone| phone.len() >= answers).await?;
    bot.stop().await?;
    let mut phone = shop.phone().await?;
    phone.sort();
    Ok(phone)
}

#[tokio::test]
async fn a_restarted_bot_that_drops_what_is_pending_has_everything_where_that_is_ignored()
-> anyhow::Result<()> {
    let phone = restart(DropPending::Ignore, 5).await?;
    assert_eq!(phone, [WILL_ANSWER, WILL_ANSWER, WILL_ANSWER, WILL_ANSWER, "Хорошо, отменили."]);
    Ok(())
}

#[tokio::test]
async fn a_restarted_bot_that_drops_what_is_pending_has_what_telegram_would_give_where_that_is_obeyed()
-> anyhow::Result<()> {
    let phone = restart(DropPending::Obey, 2).await?;
    assert_eq!(phone, [WILL_ANSWER, "Хорошо, отменили."]);
    Ok(())
}

#[tokio::test]
async fn what_waited_at_telegram_when_the_bot_was_adopted_reaches_both() -> anyhow::Result<()> {
    let mut shop = Shop::open().await?;
    shop.client_says("amoCRM это ещё успела").await?;
    shop.amocrm_has(&["amoCRM это ещё успела"]).await?;
    shop.amocrm_goes_down().await?;
    let waiting = ["Это ждёт", "И это ждёт"];
    for text in waiting {
        shop.client_says(text).await?;
    }
    shop.adopt(DropPending::Ignore, UpstreamMode::Polling).await?;
    let poller = Poller::start(&shop.wire.url(), &shop.app_token);
    shop.amocrm_comes_up().await?;
    shop.amocrm_has(&["amoCRM это ещё успела", waiting[0], waiting[1]]).await?;
    until("both at the bot", async || Ok(poller.said()), |said| *said == waiting).await?;
    Ok(())
}

/// Killed again and again in the middle of everything.
#[tokio::test]
async fn nothing_is_lost_repeated_or_out_of_order_however_often_tandem_is_killed() -> anyhow::Result<()> {
    let mut shop = Shop::adopted(DropPending::Ignore).await?;
    let poller = Poller::start(&shop.wire.url(), &shop.app_token);
    let said: Vec<String> = (1..=60).map(|number| format!("{number}")).collect();
    for (number, text) in said.iter().enumerate() {
        shop.client_says(text).await?;
        match number % 12 {
            // At four points: just written, just read, amoCRM away, amoCRM back.
            5 => {
                shop.tandem.kill().await?;
                shop.tandem.revive().await?;
            }
            7 => shop.amocrm_goes_down().await?,
            9 => {
                shop.tandem.kill().await?;
                shop.amocrm_comes_up().await?;
            }
            11 => shop.tandem.revive().await?,
            _ => {}
        }
    }
    until("everything at the bot", async || Ok(poller.said()), |seen| *seen == said).await?;
    let numbers = poller.numbers();
    assert!(numbers.is_sorted_by(|earlier, later| earlier < later), "{numbers:?}");
    // A delivery under way when Tandem died is repeated with the same number and bytes: amoCRM's own view knows it.
    shop.amocrm_has(&said).await
}

/// The same where Telegram posts the updates to Tandem's public address.
#[tokio::test]
async fn updates_by_webhook_are_as_complete_and_release_takes_the_webhook_down() -> anyhow::Result<()> {
    let mut shop = Shop::open().await?;
    let hook = shop.hook().await?;
    shop.adopt(DropPending::Ignore, UpstreamMode::Webhook).await?;
    assert!(shop.webhook().await?.starts_with(&shop.tandem.public_url()));
    let poller = Poller::start(&shop.wire.url(), &shop.app_token);
    let said: Vec<String> = (1..=12).map(|number| format!("{number}")).collect();
    for (number, text) in said.iter().enumerate() {
        shop.client_says(text).await?;
        match number {
            3 => shop.tandem.kill().await?,
            6 => shop.tandem.revive().await?,
            _ => {}
        }
    }
    until("everything at the bot", async || Ok(poller.said()), |seen| *seen == said).await?;
    shop.amocrm_has(&said).await?;
    let released = shop.tandem.release(Undelivered::Refuse).await?;
    assert!(released.restored, "{released:?}");
    assert_eq!(shop.webhook().await?, hook);
    Ok(())
}

/// Both ways of giving it back are cut off at the call that does it, and begun anew.
#[tokio::test]
async fn release_gives_the_bot_back_and_amocrm_works_without_tandem_though_it_is_killed_in_the_middle()
-> anyhow::Result<()> {
    for when in ["before", "after"] {
        let mut shop = Shop::adopted(DropPending::Ignore).await?;
        let hook = shop.hook().await?;
        assert_eq!(shop.webhook().await?, "");
        let bot = shop.bot_starts().await?;
        shop.client_says("Через Tandem").await?;
        shop.client_is_told(0, &[WILL_ANSWER]).await?;
        bot.stop().await?;

        shop.telegram_is_silent_about("setWebhook", when).await?;
        let hanging = async {
            until("the webhook's return", async || shop.calls_of("setWebhook").await, |calls| *calls == 2)
                .await
        };
        tokio::select! {
            released = shop.tandem.release(Undelivered::Refuse) => panic!("without an answer: {released:?}"),
            hanging = hanging => drop(hanging?),
        }
        shop.tandem.kill().await?;
        shop.client_says("Посреди").await?;
        shop.tandem.revive().await?;
        let released = shop.tandem.release(Undelivered::Refuse).await?;
        assert!(released.restored && released.undelivered.is_empty(), "{released:?}");
        assert_eq!(shop.webhook().await?, hook);
        shop.tandem.stop().await?;

        shop.client_says("Без Tandem").await?;
        shop.amocrm_has(&["Через Tandem", "Посреди", "Без Tandem"]).await?;
        shop.manager_answers("Слышу вас").await?;
        shop.client_is_told(1, &["Слышу вас"]).await?;
        assert_eq!(shop.repeats().await?, 0);
    }
    Ok(())
}

/// The same for taking it: whoever held the bot has everything, whenever Tandem dies.
#[tokio::test]
async fn adopt_loses_nothing_though_tandem_is_killed_in_the_middle() -> anyhow::Result<()> {
    for when in ["before", "after"] {
        let mut shop = Shop::open().await?;
        shop.client_says("До").await?;
        shop.amocrm_has(&["До"]).await?;
        shop.telegram_is_silent_about("deleteWebhook", when).await?;
        let hanging = async {
            until("the taking", async || shop.calls_of("deleteWebhook").await, |calls| *calls == 1).await
        };
        tokio::select! {
            adopted = shop.tandem.adopt(&shop.token, DropPending::Ignore, UpstreamMode::Polling) =>
                panic!("without an answer: {adopted:?}"),
            hanging = hanging => drop(hanging?),
        }
        shop.tandem.kill().await?;
        shop.client_says("Посреди").await?;
        shop.tandem.revive().await?;
        shop.tandem.adopt(&shop.token, DropPending::Ignore, UpstreamMode::Polling).await?;
        // The app's own token went with the answer that nobody got; the bot's means the app `main` as well.
        let poller = Poller::start(&shop.wire.url(), &shop.token);
        shop.client_says("После").await?;
        shop.amocrm_has(&["До", "Посреди", "После"]).await?;
        until("the bot's share", async || Ok(poller.said()), |said| said.ends_with(&["После".to_owned()]))
            .await?;
        assert_eq!(shop.repeats().await?, 0);
    }
    Ok(())
}
