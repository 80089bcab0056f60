//! The scenes in which Tandem hears what managers do in amoCRM: the bot keeps silent while one talks, and what it said
//! stands on the client's card.

use anyhow::Context as _;
use serde_json::json;

use super::{Show, account::Account};
use crate::demo::{
    entry::Who,
    stage::look_until,
    teller::{Holder, Teller},
};

impl Show {
    pub(super) async fn amocrm_is_listened_to(&mut self, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let account = Account::of(&self.stage).await?;
        self.connect(&account, teller).await?;
        self.a_manager_talks(&account, teller).await?;
        self.the_bots_words_are_noted(&account, teller).await
    }

    async fn connect(&mut self, account: &Account, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let (words, own) = (teller.words, &teller.words.companion);
        teller.scene(own.scenes.listens).await;
        self.bot_confirms().await?;
        self.tandem.stop().await?;
        self.tandem.is_reachable()?;
        self.tandem.start().await?;
        teller.line(Who::Owner, own.asides.gives_address).await;
        teller.line(Who::Owner, own.asides.applies).await;
        let (folder, token) = (self.tandem.folder(), &self.stage.token);
        let file = account.write_settings(folder, token, &self.route, own.language)?;
        for done in self.tandem.apply(&file).await? {
            teller.line(Who::Tandem, done).await;
        }
        let stage = &self.stage;
        let addresses = async || account.addresses(stage).await;
        teller.expect_soon(own.expectations.listens, addresses, |addresses| *addresses == 1).await?;

        // Her chat was there before anybody listened: by these words it is recognised.
        let told = account.has_told(&self.stage, "add_message").await?;
        self.bot_answers_question(teller, own.dialogue.second_pack, words.expectations.bot_answers).await?;
        self.amocrm_catches_up(teller, words.expectations.amocrm_sees, Holder::Tandem).await?;
        let stage = &self.stage;
        let heard = async || account.has_told(stage, "add_message").await;
        let (met, _) = look_until(heard, |heard| *heard > told).await?;
        met.then_some(()).context("amoCRM does not tell of what the client wrote")
    }

    async fn a_manager_talks(&mut self, account: &Account, teller: &mut Teller<'_>) -> anyhow::Result<()> {
        let (words, own) = (teller.words, &teller.words.companion);
        teller.scene(own.scenes.manager_talks).await;
        let marks = self.marks().await?;
        self.manager_answers(teller, own.dialogue.ground_too).await?;
        self.another_mark(marks).await?;
        // She answers the manager; and it is a question, which the bot would answer too.
        let (given, before) = (self.memory.given().len(), self.stage.phone().await?.len());
        self.kept_from_bot.push(own.dialogue.as_beans);
        self.client_writes(teller, own.dialogue.as_beans).await?;
        self.amocrm_catches_up(teller, words.expectations.amocrm_sees, Holder::TandemForManager).await?;
        self.bot_confirms().await?;
        let said = self.stage.phone().await?.iter().skip(before).filter(|on| on.from == "bot").count();
        let seen = format!("{:?}", self.memory.given().get(given..).unwrap_or_default());
        let is_silent = self.memory.given().len() == given && said == 0;
        let seen = if is_silent { String::new() } else { seen };
        teller.expect(own.expectations.bot_is_silent, is_silent, seen).await;

        let balance = words.dialogue.bot.balance_button;
        let before = self.stage.phone().await?.len();
        self.client_presses(teller, balance, json!({ "text": balance })).await?;
        let (answer, expected) = (words.dialogue.bot.balance_after, own.expectations.bots_button_works);
        teller.phone_shows(&self.stage, before, Who::Bot, answer, expected).await?;
        self.show_passing(teller).await?;

        let marks = self.marks().await?;
        account.close_talk(&self.stage).await?;
        teller.line(Who::Manager, own.asides.closes_talk).await;
        self.another_mark(marks).await?;
        self.bot_answers_question(teller, own.dialogue.how_long, own.expectations.bot_answers_again).await?;
        self.amocrm_catches_up(teller, words.expectations.amocrm_sees, Holder::Tandem).await
    }

    /// All that the bot has said since somebody listens becomes notes; how many is up to how fast it was said.
    async fn the_bots_words_are_noted(
        &self,
        account: &Account,
        teller: &mut Teller<'_>,
    ) -> anyhow::Result<()> {
        let (bot, own) = (&teller.words.dialogue.bot, &teller.words.companion);
        teller.scene(own.scenes.notes).await;
        let is_whole = |notes: &Vec<String>| {
            let all = notes.join("\n");
            all.matches(bot.manager_will_answer).count() >= 2
                && all.contains(bot.balance_after)
                && notes.iter().all(|note| note.starts_with(own.note_begins))
                && !all.contains(own.dialogue.ground_too)
        };
        let stage = &self.stage;
        let (met, notes) = look_until(async || account.notes(stage).await, is_whole).await?;
        for note in &notes {
            teller
                .line(Who::AmoCrm, format!("{}: {}", own.asides.on_the_card, note.replace('\n', " ")))
                .await;
        }
        teller.expect(own.expectations.noted, met, if met { String::new() } else { notes.join(" | ") }).await;
        Ok(())
    }

    /// How many marks are in the journal: of hand-offs begun and ended, here.
    async fn marks(&self) -> anyhow::Result<u64> {
        let metrics = self.stage.http.text(&format!("{}/metrics", self.tandem.gateway_url())).await?;
        let counted = r#"tandem_events_total{kind="mark",topic=""} "#;
        let marks = metrics.lines().find_map(|line| line.strip_prefix(counted));
        Ok(marks.map(str::parse).transpose()?.unwrap_or_default())
    }

    /// Waits until a hand-off has begun or ended.
    async fn another_mark(&self, before: u64) -> anyhow::Result<()> {
        let (met, _) = look_until(async || self.marks().await, |marks| *marks > before).await?;
        met.then_some(()).context("Tandem does not learn what the manager does")
    }
}
