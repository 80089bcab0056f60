//! What people and the bot do in the story, again and again, and what is looked at after it.

use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::Show;
use crate::demo::{
    bonus_bot::BonusBot,
    entry::Who,
    stage::look_until,
    teller::{Holder, Teller},
    words::Words,
};

impl Show {
    pub(super) async fn start_bot(&mut self, words: &'static Words) -> anyhow::Result<()> {
        let (words, memory) = (&words.dialogue.bot, Arc::clone(&self.memory));
        let (starts, http) = (memory.started(), self.stage.http.clone());
        let bot = BonusBot::start(http, &self.tandem.gateway_url(), self.tandem.app_token(), words, memory);
        self.bot = Some(bot);
        let memory = &self.memory;
        look_until(async || Ok(memory.started()), |now| *now > starts).await.map(drop)
    }

    /// The bot is stopped once it has confirmed what it has answered: what it has not, it would rightly get again.
    pub(super) async fn bot_stops(&mut self) -> anyhow::Result<()> {
        self.bot_confirms().await?;
        self.bot = None;
        Ok(())
    }

    /// Waits until the bot is through with everything it was given.
    pub(super) async fn bot_confirms(&self) -> anyhow::Result<()> {
        let tandem = &self.tandem;
        let (met, _) = look_until(async || tandem.waits_for_apps().await, |waiting| *waiting == 0).await?;
        met.then_some(()).context("the bot does not get through with what it was given")
    }

    pub(super) async fn client_writes(
        &mut self,
        teller: &mut Teller<'_>,
        text: &'static str,
    ) -> anyhow::Result<()> {
        teller.line(Who::Client, text).await;
        self.stage.client("text", json!({ "text": text })).await?;
        self.note(text, text.to_owned());
        Ok(())
    }

    /// The client presses a button; gives what her phone says of it.
    pub(super) async fn client_presses(
        &mut self,
        teller: &mut Teller<'_>,
        button: &'static str,
        press: Value,
    ) -> anyhow::Result<Value> {
        let shown = format!("[{button}]");
        teller.line(Who::Client, shown.as_str()).await;
        let said = press["data"].as_str().unwrap_or(button).to_owned();
        let pressed = self.stage.client("press", press).await?;
        self.note(&said, shown);
        Ok(pressed)
    }

    pub(super) fn note(&mut self, said: &str, shown: String) {
        self.said.push(said.to_owned());
        self.last_shown = shown;
    }

    /// The client asks something, and the bot answers it.
    pub(super) async fn bot_answers_question(
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

    pub(super) async fn manager_answers(
        &mut self,
        teller: &mut Teller<'_>,
        text: &'static str,
    ) -> anyhow::Result<()> {
        let before = self.stage.phone().await?.len();
        self.stage.manager(text).await?;
        teller.passing(teller.words.passing.straight_from_amocrm).await;
        let expected = teller.words.expectations.client_sees_manager;
        teller.phone_shows(&self.stage, before, Who::Manager, text, expected).await
    }

    /// amoCRM's chat holds exactly what the client has done, in order; then what passed is shown.
    pub(super) async fn amocrm_catches_up(
        &mut self,
        teller: &mut Teller<'_>,
        expected: &'static str,
        holder: Holder,
    ) -> anyhow::Result<()> {
        let (stage, said) = (&self.stage, &self.said);
        let (met, seen) = look_until(async || stage.amocrm_sees().await, |seen| seen == said).await?;
        if self.bot.is_some() && holder != Holder::AmoCrm {
            self.bot_catches_up().await?;
        }
        teller.show_passing(&self.stage, &self.memory.given(), holder).await?;
        let last = if met { self.last_shown.clone() } else { seen.last().cloned().unwrap_or_default() };
        teller.line(Who::AmoCrm, format!("{}: {last}", teller.words.cast.client)).await;
        teller.expect(expected, met, if met { String::new() } else { format!("{seen:?}") }).await;
        Ok(())
    }

    /// What has passed, once it has come to everybody who is there.
    pub(super) async fn show_passing(&self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let (stage, said) = (&self.stage, &self.said);
        look_until(async || stage.amocrm_sees().await, |seen| seen == said).await?;
        self.bot_catches_up().await?;
        teller.show_passing(&self.stage, &self.memory.given(), Holder::Tandem).await
    }

    async fn bot_catches_up(&self) -> anyhow::Result<bool> {
        let since_it_is_there = self.said.iter().skip(self.missed_by_bot);
        let owed: Vec<&String> =
            since_it_is_there.filter(|said| !self.kept_from_bot.contains(&said.as_str())).collect();
        let (met, _) =
            look_until(async || Ok(self.given_to_bot()), |given| given.iter().eq(owed.iter().copied()))
                .await?;
        Ok(met)
    }

    fn given_to_bot(&self) -> Vec<String> {
        self.memory.given().into_iter().map(|given| given.said).collect()
    }

    /// The bot has been given exactly what the client has done since it was there first.
    pub(super) async fn bot_has_everything(&self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let met = self.bot_catches_up().await?;
        let seen = if met { String::new() } else { format!("{:?}", self.given_to_bot()) };
        teller.expect(teller.words.expectations.bot_has_everything, met, seen).await;
        Ok(())
    }

    /// Everything the client did is once in amoCRM and once at the bot, and she was answered as often as she should.
    pub(super) async fn nothing_twice(&self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let in_amocrm = self.stage.amocrm_sees().await?;
        let at_bot = self.given_to_bot();
        let phone = self.stage.phone().await?;
        let will_answer = teller.words.dialogue.bot.manager_will_answer;
        let questions = at_bot.iter().filter(|said| said.ends_with('?')).count();
        let answers = phone.iter().filter(|message| message.text == will_answer).count();
        let numbers: Vec<i64> = self.memory.given().iter().map(|given| given.update_id).collect();
        let met = in_amocrm == self.said
            && at_bot == self.said[self.missed_by_bot..]
            && answers == questions
            && numbers.is_sorted_by(|earlier, later| earlier < later);
        let seen = format!("amoCRM {}, {} {}", in_amocrm.len(), teller.words.passing.bot, at_bot.len());
        teller.expect(teller.words.expectations.nothing_twice, met, seen).await;
        Ok(())
    }
}
