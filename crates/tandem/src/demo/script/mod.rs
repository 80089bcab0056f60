//! The story of the demo, scene by scene.
//!
//! Nothing in it is only said: a line on the client's phone is shown when it is on her phone, amoCRM's chat and the
//! bot are asked what they got, and each expectation is looked at in the sandbox, outside Tandem.

mod account;
mod acts;
mod companion;

use std::sync::Arc;

use serde_json::json;

use super::{
    bonus_bot::{BonusBot, Memory, PRODUCT},
    entry::Who,
    stage::Stage,
    tandem::Tandem,
    teller::{Holder, Teller},
};

/// The whole story; whether everything in it held.
pub(super) async fn tell(mut teller: Teller<'_>) -> anyhow::Result<bool> {
    let stage = Stage::set(teller.words).await?;
    let tandem = Tandem::prepare(&stage.telegram_url()).await?;
    let mut show = Show {
        stage,
        tandem,
        bot: None,
        memory: Arc::default(),
        route: String::new(),
        said: Vec::new(),
        last_shown: String::new(),
        missed_by_bot: 0,
        kept_from_bot: Vec::new(),
    };
    show.amocrm_holds_the_bot(&mut teller).await?;
    show.adopt(&mut teller).await?;
    show.the_bot_starts(&mut teller).await?;
    show.both_see_and_both_answer(&mut teller).await?;
    show.buttons(&mut teller).await?;
    show.amocrm_is_down(&mut teller).await?;
    show.the_bot_is_restarted(&mut teller).await?;
    show.tandem_is_killed(&mut teller).await?;
    show.amocrm_is_listened_to(&mut teller).await?;
    show.release(&mut teller).await?;
    show.stage.end().await;
    let next = teller.words.end.next;
    Ok(teller.end(next))
}

/// Everybody on the stage, and what the client has done so far.
struct Show {
    stage: Stage,
    tandem: Tandem,
    bot: Option<BonusBot>,
    memory: Arc<Memory>,
    /// The route as which amoCRM was kept.
    route: String,
    /// The client's words and presses, in order: what everybody has to have.
    said: Vec<String>,
    /// How the last of them looks to people.
    last_shown: String,
    /// How many of them were before the bot was there.
    missed_by_bot: usize,
    /// Which of them were said while a manager talked, and are not the bot's.
    kept_from_bot: Vec<&'static str>,
}

impl Show {
    async fn amocrm_holds_the_bot(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let words = teller.words;
        teller.scene(words.scenes.amocrm_holds_the_bot).await;
        teller.line(Who::Owner, words.asides.connects).await;
        let hook = self.stage.connect_amocrm().await?;
        let stage = &self.stage;
        let webhook = async || stage.webhook().await;
        teller.expect_soon(words.expectations.webhook_is_amocrms, webhook, |url| *url == hook).await?;
        self.client_writes(teller, words.dialogue.open_today).await?;
        self.amocrm_catches_up(teller, words.expectations.amocrm_sees, Holder::AmoCrm).await?;
        self.manager_answers(teller, words.dialogue.until_ten).await?;
        self.stage.give_salesbot(words).await
    }

    async fn adopt(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let words = teller.words;
        teller.scene(words.scenes.adopt).await;
        self.tandem.start().await?;
        teller.line(Who::Owner, words.asides.adopts).await;
        let adopted = self.tandem.adopt(&self.stage.token).await?;
        let sentence = words.asides.adopted.replace("{holder}", &adopted.holder);
        teller.line(Who::Tandem, sentence.replace("{route}", &adopted.route)).await;
        let recognised = adopted.holder == "amoCRM" && !adopted.route.is_empty();
        self.route = adopted.route;
        let seen = if recognised { String::new() } else { adopted.holder };
        teller.expect(words.expectations.holder_recognised, recognised, seen).await;
        let stage = &self.stage;
        let webhook = async || stage.webhook().await;
        teller.expect_soon(words.expectations.stream_is_ours, webhook, String::is_empty).await
    }

    async fn the_bot_starts(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let words = teller.words;
        teller.scene(words.scenes.the_bot_starts).await;
        teller.line(Who::Owner, words.asides.starts_bot).await;
        self.missed_by_bot = self.said.len();
        self.start_bot(words).await?;
        let before = self.stage.phone().await?.len();
        teller.line(Who::Client, "/start").await;
        self.stage.client("start", json!({})).await?;
        self.note("/start", "/start".to_owned());
        let welcome = words.dialogue.bot.welcome;
        teller.phone_shows(&self.stage, before, Who::Bot, welcome, words.expectations.bot_answers).await?;
        self.amocrm_catches_up(teller, words.expectations.amocrm_sees, Holder::Tandem).await?;
        let dropped = self.stage.calls_with("deleteWebhook", "drop_pending_updates").await?;
        teller.expect(words.expectations.dropping_touched_nobody, dropped == 0, "").await;
        Ok(())
    }

    async fn both_see_and_both_answer(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let words = teller.words;
        teller.scene(words.scenes.both_see_and_both_answer).await;
        self.bot_answers_question(teller, words.dialogue.delivery, words.expectations.bot_answers).await?;
        self.amocrm_catches_up(teller, words.expectations.amocrm_sees, Holder::Tandem).await?;
        self.manager_answers(teller, words.dialogue.delivery_is_free).await
    }

    async fn buttons(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let words = teller.words;
        let (bot, expected) = (&words.dialogue.bot, &words.expectations);
        teller.scene(words.scenes.buttons).await;
        let first = self.stage.phone().await?.len();
        for (button, answer) in [(bot.balance_button, bot.balance_before), (bot.order_button, bot.choose)] {
            let before = self.stage.phone().await?.len();
            self.client_presses(teller, button, json!({ "text": button })).await?;
            teller.phone_shows(&self.stage, before, Who::Bot, answer, expected.bots_button_works).await?;
            self.show_passing(teller).await?;
        }
        let before = self.stage.phone().await?.len();
        let pressed = self.client_presses(teller, bot.product_button, json!({ "data": PRODUCT })).await?;
        let toast = pressed["answer"]["text"].as_str().unwrap_or_default();
        teller.expect(expected.press_is_answered, toast == bot.ordered_toast, toast).await;
        teller.phone_shows(&self.stage, before, Who::Bot, bot.ordered, expected.bots_button_works).await?;
        self.show_passing(teller).await?;

        let before = self.stage.phone().await?.len();
        self.client_writes(teller, words.dialogue.menu_of_amocrm).await?;
        let asks = words.dialogue.salesbot_asks;
        teller.phone_shows(&self.stage, before, Who::Salesbot, asks, expected.salesbot_asks).await?;
        self.show_passing(teller).await?;
        let (button, answer) = words.dialogue.salesbot_buttons[0];
        let before = self.stage.phone().await?.len();
        self.client_presses(teller, button, json!({ "data": "amo:0" })).await?;
        teller
            .phone_shows(&self.stage, before, Who::Salesbot, answer, expected.salesbots_button_works)
            .await?;
        self.amocrm_catches_up(teller, expected.amocrm_sees, Holder::Tandem).await?;

        let phone = self.stage.phone().await?;
        let answers: Vec<&str> =
            phone[first..].iter().filter(|on| on.from == "bot").map(|on| on.text.as_str()).collect();
        let only = [bot.balance_before, bot.choose, bot.ordered, asks, answer];
        let seen = if answers == only { String::new() } else { answers.join(" | ") };
        teller.expect(expected.nobody_in_the_way, answers == only, seen).await;
        Ok(())
    }

    async fn amocrm_is_down(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let words = teller.words;
        teller.scene(words.scenes.amocrm_is_down).await;
        self.stage.amocrm_goes().await?;
        teller.line(Who::AmoCrm, words.asides.amocrm_goes).await;
        let had = self.said.len();
        for question in words.dialogue.questions_while_amocrm_is_down {
            self.bot_answers_question(teller, question, words.expectations.bot_does_not_wait).await?;
        }
        let in_amocrm = self.stage.amocrm_sees().await?;
        let behind = in_amocrm[..] == self.said[..had];
        let seen = if behind { String::new() } else { format!("{in_amocrm:?}") };
        teller.expect(words.expectations.amocrm_is_behind, behind, seen).await;
        teller.show_passing(&self.stage, &self.memory.given(), Holder::Tandem).await?;
        self.stage.amocrm_returns().await?;
        teller.line(Who::AmoCrm, words.asides.amocrm_returns).await;
        self.amocrm_catches_up(teller, words.expectations.amocrm_has_everything, Holder::Tandem).await?;
        self.manager_answers(teller, words.dialogue.about_those).await
    }

    async fn the_bot_is_restarted(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let words = teller.words;
        teller.scene(words.scenes.the_bot_is_restarted).await;
        teller.line(Who::Owner, words.asides.stops_bot).await;
        self.bot_stops().await?;
        self.client_writes(teller, words.dialogue.question_while_bot_is_down).await?;
        let balance = words.dialogue.bot.balance_button;
        self.client_presses(teller, balance, json!({ "text": balance })).await?;
        self.amocrm_catches_up(teller, words.expectations.amocrm_sees, Holder::Tandem).await?;
        teller.line(Who::Owner, words.asides.starts_bot).await;
        let before = self.stage.phone().await?.len();
        self.start_bot(words).await?;
        for answer in [words.dialogue.bot.manager_will_answer, words.dialogue.bot.balance_after] {
            teller.phone_shows(&self.stage, before, Who::Bot, answer, words.expectations.bot_answers).await?;
        }
        self.bot_has_everything(teller).await?;
        self.show_passing(teller).await
    }

    async fn tandem_is_killed(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let words = teller.words;
        teller.scene(words.scenes.tandem_is_killed).await;
        let [first, second] = words.dialogue.questions_while_tandem_is_down;
        // The bot has answered the first when it happens: an answer under way might have come twice, as it might
        // with Telegram itself. Whether amoCRM has it by then is left to chance.
        self.bot_answers_question(teller, first, words.expectations.bot_answers).await?;
        self.bot_confirms().await?;
        self.tandem.kill().await;
        teller.line(Who::Tandem, words.asides.kills_tandem).await;
        self.client_writes(teller, second).await?;
        let stage = &self.stage;
        let waiting = async || stage.waiting_at_telegram().await;
        teller.expect_soon(words.expectations.told_to_wait, waiting, |waiting| *waiting > 0).await?;
        let before = self.stage.phone().await?.len();
        self.tandem.start().await?;
        teller.line(Who::Tandem, words.asides.starts_tandem).await;
        let answer = words.dialogue.bot.manager_will_answer;
        teller.phone_shows(&self.stage, before, Who::Bot, answer, words.expectations.bot_answers).await?;
        self.bot_has_everything(teller).await?;
        self.amocrm_catches_up(teller, words.expectations.amocrm_has_everything, Holder::Tandem).await?;
        self.nothing_twice(teller).await
    }

    async fn release(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let words = teller.words;
        teller.scene(words.scenes.release).await;
        teller.line(Who::Owner, words.asides.stops_bot_for_good).await;
        self.bot_stops().await?;
        let holder = self.tandem.release().await?;
        teller.line(Who::Tandem, words.asides.released.replace("{holder}", &holder)).await;
        let url = self.stage.webhook().await?;
        let restored = url.contains("/~external/hooks/telegram") && url.contains(&self.stage.token);
        teller.expect(words.expectations.webhook_is_amocrms_again, restored, "").await;
        self.tandem.stop().await?;
        teller.line(Who::Tandem, words.asides.tandem_ends).await;
        self.client_writes(teller, words.dialogue.goodbye).await?;
        self.amocrm_catches_up(teller, words.expectations.amocrm_works_without_us, Holder::AmoCrm).await?;
        self.manager_answers(teller, words.dialogue.see_you).await
    }
}
