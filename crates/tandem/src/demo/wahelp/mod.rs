//! The story of Wahelp: its bot channel, linked to amoCRM, beside the owner's bot; and the arrangement that Tandem
//! refuses. As in the other stories, what is shown was looked at in the sandbox, outside Tandem.

mod house;

use std::sync::Arc;

use anyhow::Context as _;
use serde_json::json;

use self::house::House;
use super::{
    bonus_bot::{BonusBot, Memory},
    entry::Who,
    stage::{Stage, look_until},
    tandem::Tandem,
    teller::Teller,
    words::Words,
};

/// The whole story; whether everything in it held.
pub(super) async fn tell(mut teller: Teller<'_>) -> anyhow::Result<bool> {
    let stage = Stage::set(teller.words).await?;
    let mut tandem = Tandem::prepare(&stage.telegram_url()).await?;
    tandem.is_reachable()?;
    tandem.recognises_wahelp_at(&stage.wahelp_url())?;
    let house = House::open(&stage).await?;
    let mut show = Show { stage, tandem, house, bot: None, memory: Arc::default(), chat: Vec::new() };
    show.wahelp_holds_the_bot(&mut teller).await?;
    show.adopt(&mut teller).await?;
    show.the_bot_starts(&mut teller).await?;
    show.both_answer(&mut teller).await?;
    show.wahelp_is_down(&mut teller).await?;
    show.tandem_is_killed(&mut teller).await?;
    show.release(&mut teller).await?;
    show.a_personal_account_is_refused(&mut teller).await?;
    show.tandem.stop().await?;
    show.stage.end().await;
    let next = teller.words.wahelp.next;
    Ok(teller.end(next))
}

/// Everybody on the stage, and what amoCRM's chat has to hold.
struct Show {
    stage: Stage,
    tandem: Tandem,
    house: House,
    bot: Option<BonusBot>,
    memory: Arc<Memory>,
    /// As `speaker: text`.
    chat: Vec<String>,
}

impl Show {
    async fn wahelp_holds_the_bot(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let (words, wahelp) = (teller.words, &teller.words.wahelp);
        teller.scene(wahelp.scenes.holds).await;
        teller.line(Who::Owner, wahelp.asides.connects).await;
        let hook = self.house.connect_bot(&self.stage).await?;
        let stage = &self.stage;
        let webhook = async || stage.webhook().await;
        teller.expect_soon(wahelp.expectations.webhook_is_wahelps, webhook, |url| *url == hook).await?;
        self.client_writes(teller, words.dialogue.open_today).await?;
        self.catches_up(teller, wahelp.expectations.amocrm_sees).await?;
        self.manager_answers(teller, words.dialogue.until_ten).await
    }

    async fn adopt(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let (words, wahelp) = (teller.words, &teller.words.wahelp);
        teller.scene(wahelp.scenes.adopt).await;
        self.tandem.start().await?;
        teller.line(Who::Owner, words.asides.adopts).await;
        let adopted = self.tandem.adopt(&self.stage.token).await?;
        let sentence = words.asides.adopted.replace("{holder}", &adopted.holder);
        teller.line(Who::Tandem, sentence.replace("{route}", &adopted.route)).await;
        let recognised = adopted.holder == "Wahelp" && !adopted.route.is_empty();
        let seen = if recognised { String::new() } else { adopted.holder };
        teller.expect(wahelp.expectations.holder_recognised, recognised, seen).await;
        let stage = &self.stage;
        let webhook = async || stage.webhook().await;
        teller.expect_soon(words.expectations.stream_is_ours, webhook, String::is_empty).await
    }

    async fn the_bot_starts(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let (words, wahelp) = (teller.words, &teller.words.wahelp);
        teller.scene(wahelp.scenes.the_bot_starts).await;
        teller.line(Who::Owner, words.asides.starts_bot).await;
        self.start_bot(words).await?;
        let before = self.stage.phone().await?.len();
        teller.line(Who::Client, "/start").await;
        self.stage.client("start", json!({})).await?;
        self.chat.push("client: /start".to_owned());
        let welcome = words.dialogue.bot.welcome;
        teller.phone_shows(&self.stage, before, Who::Bot, welcome, words.expectations.bot_answers).await?;
        self.catches_up(teller, wahelp.expectations.amocrm_sees).await
    }

    async fn both_answer(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let (words, wahelp) = (teller.words, &teller.words.wahelp);
        teller.scene(wahelp.scenes.both_answer).await;
        self.bot_answers_question(teller, words.dialogue.delivery, words.expectations.bot_answers).await?;
        self.catches_up(teller, wahelp.expectations.amocrm_sees).await?;
        self.manager_answers(teller, words.dialogue.delivery_is_free).await
    }

    async fn wahelp_is_down(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let (words, wahelp) = (teller.words, &teller.words.wahelp);
        teller.scene(wahelp.scenes.down).await;
        self.house.goes(&self.stage).await?;
        teller.line(Who::Wahelp, words.asides.amocrm_goes).await;
        let had = self.chat.clone();
        for question in words.dialogue.questions_while_amocrm_is_down {
            self.bot_answers_question(teller, question, wahelp.expectations.bot_does_not_wait).await?;
        }
        let seen = self.house.chat(&self.stage).await?;
        teller.expect(words.expectations.amocrm_is_behind, seen == had, "").await;
        self.house.returns(&self.stage).await?;
        teller.line(Who::Wahelp, words.asides.amocrm_returns).await;
        self.catches_up(teller, words.expectations.amocrm_has_everything).await?;
        self.manager_answers(teller, words.dialogue.about_those).await
    }

    async fn tandem_is_killed(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let (words, wahelp) = (teller.words, &teller.words.wahelp);
        teller.scene(wahelp.scenes.killed).await;
        let [first, second] = words.dialogue.questions_while_tandem_is_down;
        self.bot_answers_question(teller, first, words.expectations.bot_answers).await?;
        self.bot_confirms().await?;
        self.tandem.kill().await;
        teller.line(Who::Tandem, words.asides.kills_tandem).await;
        self.client_writes(teller, second).await?;
        let before = self.stage.phone().await?.len();
        self.tandem.start().await?;
        teller.line(Who::Tandem, words.asides.starts_tandem).await;
        let answer = words.dialogue.bot.manager_will_answer;
        teller.phone_shows(&self.stage, before, Who::Bot, answer, words.expectations.bot_answers).await?;
        self.catches_up(teller, words.expectations.amocrm_has_everything).await
    }

    async fn release(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let (words, wahelp) = (teller.words, &teller.words.wahelp);
        teller.scene(wahelp.scenes.release).await;
        teller.line(Who::Owner, words.asides.stops_bot_for_good).await;
        self.bot_confirms().await?;
        self.bot = None;
        let holder = self.tandem.release().await?;
        teller.line(Who::Tandem, words.asides.released.replace("{holder}", &holder)).await;
        let restored = self.stage.webhook().await?.starts_with(&self.stage.wahelp_url());
        teller.expect(wahelp.expectations.webhook_is_wahelps_again, restored, "").await;
        self.client_writes(teller, words.dialogue.goodbye).await?;
        self.catches_up(teller, wahelp.expectations.works_without_us).await?;
        self.manager_answers(teller, words.dialogue.see_you).await
    }

    /// What the owner wanted first: another bot of his, whose clients' words are pushed into a personal account.
    async fn a_personal_account_is_refused(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let (words, wahelp) = (teller.words, &teller.words.wahelp);
        teller.scene(wahelp.scenes.refused).await;
        teller.line(Who::Owner, wahelp.asides.applies).await;
        let other = self.house.other_bot(&self.stage).await?;
        let file = self.house.write_settings(self.tandem.folder(), &other)?;
        for done in self.tandem.apply(&file).await? {
            teller.line(Who::Tandem, done).await;
        }
        teller.line(Who::Client, words.dialogue.delivery).await;
        self.house.client_writes_to(&self.stage, &other, words.dialogue.delivery).await?;
        let tandem = &self.tandem;
        let refusal = async || tandem.refusal_of_route(house::ROUTE).await;
        let (met, seen) = look_until(refusal, |said| said.contains("personal account")).await?;
        teller.line(Who::Tandem, seen.as_str()).await;
        teller.expect(wahelp.expectations.refused, met, "").await;
        let sent = self.house.sent_by_the_account(&self.stage).await?;
        let seen = if sent == 0 { String::new() } else { sent.to_string() };
        teller.expect(wahelp.expectations.nothing_sent, sent == 0, seen).await;
        Ok(())
    }

    async fn client_writes(&mut self, teller: &mut Teller<'_>, text: &'static str) -> anyhow::Result<()> {
        teller.line(Who::Client, text).await;
        self.stage.client("text", json!({ "text": text })).await?;
        self.chat.push(format!("client: {text}"));
        Ok(())
    }

    /// The client asks something, and the bot answers it.
    async fn bot_answers_question(
        &mut self,
        teller: &mut Teller<'_>,
        question: &'static str,
        expected: &'static str,
    ) -> anyhow::Result<()> {
        let before = self.stage.phone().await?.len();
        self.client_writes(teller, question).await?;
        let answer = teller.words.dialogue.bot.manager_will_answer;
        teller.phone_shows(&self.stage, before, Who::Bot, answer, expected).await
    }

    async fn manager_answers(&mut self, teller: &mut Teller<'_>, text: &'static str) -> anyhow::Result<()> {
        let before = self.stage.phone().await?.len();
        self.house.manager_says(&self.stage, text).await?;
        self.chat.push(format!("manager: {text}"));
        teller.passing(teller.words.wahelp.asides.straight).await;
        let expected = teller.words.expectations.client_sees_manager;
        teller.phone_shows(&self.stage, before, Who::Manager, text, expected).await
    }

    /// amoCRM's chat holds exactly what was said, in order.
    async fn catches_up(&self, teller: &mut Teller<'_>, expected: &'static str) -> anyhow::Result<()> {
        let (house, stage, chat) = (&self.house, &self.stage, &self.chat);
        let (met, seen) = look_until(async || house.chat(stage).await, |seen| seen == chat).await?;
        teller.passing(teller.words.wahelp.asides.passing).await;
        teller.line(Who::AmoCrm, seen.last().cloned().unwrap_or_default()).await;
        teller.expect(expected, met, if met { String::new() } else { format!("{seen:?}") }).await;
        Ok(())
    }

    async fn start_bot(&mut self, words: &'static Words) -> anyhow::Result<()> {
        let (words, memory) = (&words.dialogue.bot, Arc::clone(&self.memory));
        let (starts, http) = (memory.started(), self.stage.http.clone());
        let token = self.tandem.app_token();
        self.bot = Some(BonusBot::start(http, &self.tandem.gateway_url(), token, words, memory));
        let memory = &self.memory;
        look_until(async || Ok(memory.started()), |now| *now > starts).await.map(drop)
    }

    /// Waits until the bot is through with everything it was given.
    async fn bot_confirms(&self) -> anyhow::Result<()> {
        let tandem = &self.tandem;
        let (met, _) = look_until(async || tandem.waits_for_apps().await, |waiting| *waiting == 0).await?;
        met.then_some(()).context("the bot does not get through with what it was given")
    }
}
