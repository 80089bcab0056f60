//! The story of a channel of the owner's own: the client's and the bot's words in amoCRM, managers' answers on her
//! phone. As in the other story, what is shown was looked at in the sandbox, outside Tandem.

mod crm;

use std::sync::Arc;

use anyhow::Context as _;
use serde_json::json;

use self::crm::{Crm, Line};
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
    let crm = Crm::register(&stage, &tandem.public_url()).await?;
    let mut show = Show { stage, tandem, crm, bot: None, memory: Arc::default(), chat: Vec::new() };
    show.connects(&mut teller).await?;
    show.begins(&mut teller).await?;
    show.a_manager_answers(&mut teller).await?;
    show.buttons(&mut teller).await?;
    show.pictures(&mut teller).await?;
    show.amocrm_is_down(&mut teller).await?;
    show.tandem_is_killed(&mut teller).await?;
    show.she_blocks_the_bot(&mut teller).await?;
    show.tandem.stop().await?;
    show.stage.end().await;
    let next = teller.words.channel.next;
    Ok(teller.end(next))
}

/// Everybody on the stage, and what amoCRM's chat has to hold.
struct Show {
    stage: Stage,
    tandem: Tandem,
    crm: Crm,
    bot: Option<BonusBot>,
    memory: Arc<Memory>,
    chat: Vec<Line>,
}

impl Show {
    async fn connects(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let words = &teller.words.channel;
        teller.scene(words.scenes.connects).await;
        teller.line(Who::AmoCrm, words.asides.registers).await;
        self.tandem.start().await?;
        teller.line(Who::Owner, words.asides.applies).await;
        let file = self.crm.write_settings(self.tandem.folder(), &self.stage.token)?;
        for done in self.tandem.apply(&file).await? {
            teller.line(Who::Tandem, done).await;
        }
        let (crm, stage) = (&self.crm, &self.stage);
        let connected = async || crm.is_connected(stage).await;
        teller.expect_soon(words.expectations.connected, connected, |connected| *connected).await
    }

    async fn begins(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let (words, channel) = (teller.words, &teller.words.channel);
        teller.scene(channel.scenes.begins).await;
        self.start_bot(words).await?;
        let before = self.stage.phone().await?.len();
        teller.line(Who::Client, "/start").await;
        self.stage.client("start", json!({})).await?;
        let welcome = words.dialogue.bot.welcome;
        teller.phone_shows(&self.stage, before, Who::Bot, welcome, words.expectations.bot_answers).await?;
        self.bot_confirms().await?;
        let lines = self.crm.lines(&self.stage).await?;
        teller.expect(channel.expectations.no_chat_yet, lines.is_empty(), format!("{}", lines.len())).await;

        let before = self.stage.phone().await?.len();
        let question = words.dialogue.delivery;
        teller.line(Who::Client, question).await;
        self.stage.client("text", json!({ "text": question })).await?;
        let answer = words.dialogue.bot.manager_will_answer;
        teller.phone_shows(&self.stage, before, Who::Bot, answer, words.expectations.bot_answers).await?;
        let buttons =
            format!("[{}] [{}]", words.dialogue.bot.balance_button, words.dialogue.bot.order_button);
        self.chat_has("bot", format!("{welcome}\n{buttons}"));
        self.chat_has("client", question);
        self.chat_has("bot", answer);
        self.catches_up(teller, channel.expectations.whole_talk).await
    }

    async fn a_manager_answers(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let (words, channel) = (teller.words, &teller.words.channel);
        teller.scene(channel.scenes.manager).await;
        self.manager_says(teller, channel.dialogue.when, json!({})).await?;
        // In the middle of their talk she asks something that the bot would answer.
        let given = self.memory.given().len();
        let question = words.dialogue.questions_while_tandem_is_down[0];
        teller.line(Who::Client, question).await;
        self.stage.client("text", json!({ "text": question })).await?;
        self.chat_has("client", question);
        self.catches_up(teller, words.expectations.amocrm_sees).await?;
        self.bot_confirms().await?;
        let silent = self.memory.given().len() == given;
        teller.expect(channel.expectations.bot_is_silent, silent, "").await;

        let before = self.stage.phone().await?.len();
        let balance = words.dialogue.bot.balance_button;
        teller.line(Who::Client, format!("[{balance}]")).await;
        self.stage.client("text", json!({ "text": balance })).await?;
        let answer = words.dialogue.bot.balance_before;
        teller
            .phone_shows(&self.stage, before, Who::Bot, answer, channel.expectations.own_button_works)
            .await?;
        self.chat_has("bot", answer);
        self.catches_up(teller, words.expectations.amocrm_sees).await
    }

    async fn buttons(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let (words, channel) = (teller.words, &teller.words.channel);
        let dialogue = &channel.dialogue;
        teller.scene(channel.scenes.buttons).await;
        let rows = json!([[{ "text": dialogue.morning }, { "text": dialogue.evening }]]);
        self.manager_says(teller, words.dialogue.about_those, json!({ "buttons": rows })).await?;
        let given = self.memory.given().len();
        teller.line(Who::Client, format!("[{}]", dialogue.evening)).await;
        self.stage.client("press", json!({ "text": dialogue.evening })).await?;
        self.chat_has("client", dialogue.evening);
        self.catches_up(teller, words.expectations.amocrm_sees).await?;
        self.bot_confirms().await?;
        let kept = self.memory.given().len() == given;
        teller.expect(channel.expectations.press_is_words, kept, "").await;
        Ok(())
    }

    async fn pictures(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let channel = &teller.words.channel;
        let dialogue = &channel.dialogue;
        teller.scene(channel.scenes.pictures).await;
        teller.line(Who::Client, channel.asides.picture).await;
        self.stage.client("photo", json!({ "size": 20_000, "caption": dialogue.like_this })).await?;
        self.chat_has("client", format!("[picture] {}", dialogue.like_this));
        self.catches_up(teller, teller.words.expectations.amocrm_sees).await?;
        let (crm, stage) = (&self.crm, &self.stage);
        let fetched = async || crm.files_fetched(stage).await;
        teller
            .expect_soon(channel.expectations.picture_in_crm, fetched, |(files, complaints)| {
                *files == 1 && complaints.is_empty()
            })
            .await?;
        teller.line(Who::AmoCrm, channel.asides.picture).await;
        let said = json!({ "text": dialogue.this_one, "media": "picture" });
        let message = self.crm.says(&self.stage, said).await?;
        self.chat_has("manager", format!("[picture] {}", dialogue.this_one));
        let (crm, stage) = (&self.crm, &self.stage);
        let pictures = async || stage.pictures_of_the_bot().await;
        teller.expect_soon(channel.expectations.picture_on_phone, pictures, |seen| *seen == 1).await?;
        let delivery = async || crm.delivery(stage, &message).await;
        teller.expect_soon(channel.expectations.delivered, delivery, |seen| seen.status == "delivered").await
    }

    async fn amocrm_is_down(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let words = teller.words;
        teller.scene(words.channel.scenes.down).await;
        self.stage.amocrm_goes().await?;
        teller.line(Who::AmoCrm, words.asides.amocrm_goes).await;
        for question in words.dialogue.questions_while_amocrm_is_down {
            teller.line(Who::Client, question).await;
            self.stage.client("text", json!({ "text": question })).await?;
            self.chat_has("client", question);
        }
        self.stage.amocrm_returns().await?;
        teller.line(Who::AmoCrm, words.asides.amocrm_returns).await;
        self.catches_up(teller, words.expectations.amocrm_has_everything).await
    }

    async fn tandem_is_killed(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let (words, channel) = (teller.words, &teller.words.channel);
        teller.scene(channel.scenes.killed).await;
        let text = channel.dialogue.on_its_way;
        let before = self.stage.phone().await?.len();
        let message = self.crm.says(&self.stage, json!({ "text": text })).await?;
        self.chat_has("manager", text);
        let (crm, stage) = (&self.crm, &self.stage);
        let taken = async || crm.hook_was_taken(stage, &message).await;
        let (met, _) = look_until(taken, |taken| *taken).await?;
        self.tandem.kill().await;
        teller.line(Who::Tandem, words.asides.kills_tandem).await;
        teller.expect(channel.expectations.hook_taken, met, "").await;
        self.tandem.start().await?;
        teller.line(Who::Tandem, words.asides.starts_tandem).await;
        // Had it begun to send when it was killed, it says so and does not send again.
        let (tandem, stage) = (&self.tandem, &self.stage);
        let settled = async || {
            let phone = stage.phone().await?;
            let on_phone = phone.iter().skip(before).filter(|on| on.text == text).count();
            Ok((on_phone, tandem.unknown_replies().await?))
        };
        let (_, (on_phone, unknown)) = look_until(settled, |(phone, unknown)| phone + unknown > 0).await?;
        if on_phone > 0 {
            teller.line(Who::Manager, text).await;
        }
        let met = on_phone == 1 || (on_phone == 0 && unknown == 1);
        teller.expect(channel.expectations.once, met, format!("{on_phone}, unknown {unknown}")).await;
        Ok(())
    }

    async fn she_blocks_the_bot(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let channel = &teller.words.channel;
        teller.scene(channel.scenes.blocked).await;
        teller.line(Who::Client, channel.asides.blocks).await;
        self.stage.client("block", json!({})).await?;
        let message = self.crm.says(&self.stage, json!({ "text": channel.dialogue.come_back })).await?;
        let (crm, stage) = (&self.crm, &self.stage);
        let delivery = async || crm.delivery(stage, &message).await;
        let (met, seen) =
            look_until(delivery, |seen| seen.status == "failed" && seen.error.contains("blocked")).await?;
        teller.expect(channel.expectations.failed, met, format!("{}: {}", seen.status, seen.error)).await;
        Ok(())
    }

    async fn manager_says(
        &mut self,
        teller: &mut Teller<'_>,
        text: &'static str,
        mut what: serde_json::Value,
    ) -> anyhow::Result<()> {
        let words = teller.words;
        what["text"] = json!(text);
        let before = self.stage.phone().await?.len();
        let message = self.crm.says(&self.stage, what).await?;
        self.chat_has("manager", text);
        let seen = words.expectations.client_sees_manager;
        teller.phone_shows(&self.stage, before, Who::Manager, text, seen).await?;
        let (crm, stage) = (&self.crm, &self.stage);
        let delivery = async || crm.delivery(stage, &message).await;
        let expected = words.channel.expectations.delivered;
        teller.expect_soon(expected, delivery, |seen| seen.status == "delivered").await
    }

    fn chat_has(&mut self, speaker: &str, shown: impl Into<String>) {
        self.chat.push(Line { speaker: speaker.to_owned(), shown: shown.into() });
    }

    /// amoCRM's chat holds exactly what was said, in order.
    async fn catches_up(&self, teller: &mut Teller<'_>, expected: &'static str) -> anyhow::Result<()> {
        let (crm, stage, chat) = (&self.crm, &self.stage, &self.chat);
        let (met, seen) = look_until(async || crm.lines(stage).await, |seen| seen == chat).await?;
        let last = seen.last().map(|line| line.shown.replace('\n', " ")).unwrap_or_default();
        teller.line(Who::AmoCrm, last).await;
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
