//! The story of the bug, step by step.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::StoryError;
use super::bot_process::BotProcess;
use super::python;
use super::stage::Stage;
use super::texts::{Language, Text, in_words};
use super::transcript::{Entry, Outcome, Speaker};

/// What aiogram writes when somebody else took its stream.
const CONFLICT: &str = "TelegramConflictError";

/// With what the story is told.
#[derive(Debug, Clone)]
pub struct Bug {
    /// A Python that has aiogram.
    pub python: PathBuf,
    /// The folder of the bot: `examples/aiogram-bonus-bot`.
    pub bot: PathBuf,
    /// The language of the transcript.
    pub language: Language,
    /// The sandbox's seed.
    pub seed: u64,
    /// How long each thing that is to be seen may take; 20 seconds is much, even for a slow machine.
    pub patience: Duration,
}

/// Tells the story; every line goes to `out` as it happens.
pub async fn bug(setup: &Bug, out: &mut (dyn FnMut(&Entry) + Send)) -> Result<Outcome, StoryError> {
    let aiogram = python::check(&setup.python, &setup.bot).await?;
    let stage = Stage::set(setup.seed, setup.patience).await?;
    let mut teller = Teller { language: setup.language, out, step: 0, all_met: true };

    amocrm_is_connected(&mut teller, &stage).await?;
    let mut bot = the_bot_starts(&mut teller, &stage, setup, &aiogram).await?;
    amocrm_goes_silent(&mut teller, &stage, &bot).await?;
    amocrm_reconnects(&mut teller, &stage, &bot).await?;
    the_bot_is_deaf(&mut teller, &stage, &mut bot).await?;

    bot.stop().await;
    stage.end().await;
    Ok(teller.end())
}

async fn amocrm_is_connected(teller: &mut Teller<'_>, stage: &Stage) -> Result<(), StoryError> {
    teller.step(Text::StepAmoCrm);
    teller.line(Speaker::Owner, teller.words(Text::OwnerConnects));
    let connected = stage.act("/amocrm/connect", json!({"token": stage.token})).await?;
    let hook = connected["hook"].as_str().unwrap_or_default();
    teller.check_webhook(stage, hook).await?;

    let question = teller.words(Text::AskOpen);
    teller.line(Speaker::Client, question);
    stage.client_writes(question).await?;
    teller.check_amocrm_sees(stage, question).await?;

    let answer = teller.words(Text::ManagerAnswers);
    teller.line(Speaker::Manager, answer);
    stage.act(&format!("/amocrm/{}/reply", stage.bot), json!({"user": stage.client, "text": answer})).await?;
    let answers = stage.answers().await?;
    teller.check(Text::ClientGetsManager, answers.iter().any(|text| text == answer), &last(teller, &answers));
    Ok(())
}

async fn the_bot_starts(
    teller: &mut Teller<'_>,
    stage: &Stage,
    setup: &Bug,
    aiogram: &str,
) -> Result<BotProcess, StoryError> {
    teller.step(Text::StepBot);
    teller.line(Speaker::Owner, &format!("{} {aiogram}", teller.words(Text::OwnerStartsBot)));
    let bot = BotProcess::start(&setup.python, &setup.bot, &stage.token, &stage.telegram_url())?;
    let gone = stage.wait_for(async || Ok(stage.webhook().await?.is_empty().then_some(()))).await?;
    let seen = if gone.is_some() { teller.words(Text::NoWebhook).to_owned() } else { bot.log().tail(5) };
    teller.check(Text::WebhookIsGone, gone.is_some(), &seen);
    Ok(bot)
}

async fn amocrm_goes_silent(
    teller: &mut Teller<'_>,
    stage: &Stage,
    bot: &BotProcess,
) -> Result<(), StoryError> {
    teller.step(Text::StepSilence);
    let (before, updates) = (stage.answers().await?.len(), stage.updates_so_far().await?);
    let question = teller.words(Text::AskDelivery);
    // The bot drops what waited when it started, so the client writes once it polls.
    let polling = stage.wait_for(async || Ok(bot.log().find("Run polling"))).await?;
    teller.line(Speaker::Client, question);
    stage.client_writes(question).await?;
    let answer = stage.wait_for(async || Ok(stage.answers().await?.get(before).cloned())).await?;
    if let Some(answer) = &answer {
        teller.line(Speaker::Bot, answer);
    }
    let seen = answer.clone().unwrap_or_else(|| bot.log().tail(5));
    teller.check(Text::BotAnswers, polling.is_some() && answer.is_some(), &seen);

    let delivery = stage.wait_for(async || stage.delivery_after(updates).await).await?;
    let by_polling = delivery.as_deref() == Some("polling");
    teller.check(Text::TelegramGaveItTo, by_polling, delivery.as_deref().unwrap_or("-"));

    // Telegram delivers an update once: it went to the bot, so amoCRM will not get it later either.
    let seen = stage.amocrm_sees().await?;
    let shown =
        format!("{}; {} «{}»", teller.words(Text::NotThere), teller.words(Text::Last), last(teller, &seen));
    teller.check(Text::AmoCrmIsSilent, !seen.iter().any(|text| text == question), &shown);
    Ok(())
}

async fn amocrm_reconnects(
    teller: &mut Teller<'_>,
    stage: &Stage,
    bot: &BotProcess,
) -> Result<(), StoryError> {
    teller.step(Text::StepReconnect);
    teller.line(Speaker::Owner, teller.words(Text::OwnerReconnects));
    let path = format!("/amocrm/{}/reconnect", stage.bot);
    // Telegram takes one setWebhook a second; amoCRM's user would press the button again.
    let connected = stage
        .wait_for(async || match stage.act(&path, json!({})).await {
            Err(StoryError::Refused { answer, .. }) if answer.contains("retry_after") => Ok(None),
            answered => answered.map(Some),
        })
        .await?;
    let hook = connected.as_ref().and_then(|connected| connected["hook"].as_str()).unwrap_or_default();
    teller.check_webhook(stage, hook).await?;

    let conflict = stage.wait_for(async || Ok(bot.log().find(CONFLICT))).await?;
    if let Some(line) = &conflict {
        teller.line(Speaker::Log, without_time(line));
    }
    let refusals = stage.refusals("getUpdates", 409).await?;
    let seen = if conflict.is_some() { CONFLICT.to_owned() } else { bot.log().tail(5) };
    teller.check(Text::PollingDies, conflict.is_some() && refusals > 0, &seen);
    Ok(())
}

async fn the_bot_is_deaf(
    teller: &mut Teller<'_>,
    stage: &Stage,
    bot: &mut BotProcess,
) -> Result<(), StoryError> {
    teller.step(Text::StepDeaf);
    let (answers_before, refusals_before) =
        (stage.answers().await?.len(), stage.refusals("getUpdates", 409).await?);
    let question = teller.words(Text::AskBalance);
    teller.line(Speaker::Client, question);
    stage.client_writes(question).await?;
    teller.check_amocrm_sees(stage, question).await?;

    // The bot asked for updates once more, after the client wrote, and got none: it had its chance.
    let refused = stage
        .wait_for(async || Ok((stage.refusals("getUpdates", 409).await? > refusals_before).then_some(())))
        .await?;
    let answers = stage.answers().await?;
    let silent = answers.len() == answers_before && refused.is_some();
    let seen = if silent { teller.words(Text::NoAnswer).to_owned() } else { last(teller, &answers) };
    teller.check(Text::BotIsSilent, silent, &seen);

    let running = bot.is_running();
    teller.check(Text::BotIsAlive, running, teller.words(if running { Text::Running } else { Text::Ended }));
    Ok(())
}

/// Writes the transcript and remembers whether all was as expected.
struct Teller<'a> {
    language: Language,
    out: &'a mut (dyn FnMut(&Entry) + Send),
    step: u32,
    all_met: bool,
}

impl Teller<'_> {
    fn words(&self, text: Text) -> &'static str {
        in_words(self.language, text)
    }

    fn step(&mut self, title: Text) {
        self.step += 1;
        let title = self.words(title).to_owned();
        (self.out)(&Entry::Step { number: self.step, title });
    }

    fn line(&mut self, speaker: Speaker, text: &str) {
        (self.out)(&Entry::Line { speaker, text: text.to_owned() });
    }

    fn check(&mut self, expected: Text, met: bool, seen: &str) {
        self.all_met &= met;
        let expected = self.words(expected).to_owned();
        (self.out)(&Entry::Check { expected, met, seen: seen.to_owned() });
    }

    async fn check_webhook(&mut self, stage: &Stage, hook: &str) -> Result<(), StoryError> {
        let webhook = stage.webhook().await?;
        // The address ends with the token, which has no business in a transcript.
        let shown = webhook.replace(&stage.token, "…");
        self.check(Text::WebhookIsAmoCrms, !hook.is_empty() && webhook == hook, &shown);
        Ok(())
    }

    async fn check_amocrm_sees(&mut self, stage: &Stage, text: &str) -> Result<(), StoryError> {
        let seen = stage
            .wait_for(async || {
                let seen = stage.amocrm_sees().await?;
                Ok((seen.last().map(String::as_str) == Some(text)).then_some(seen))
            })
            .await?;
        let met = seen.is_some();
        let all = if let Some(seen) = seen { seen } else { stage.amocrm_sees().await? };
        let shown = format!("«{}»", last(self, &all));
        self.check(Text::AmoCrmSees, met, &shown);
        Ok(())
    }

    fn end(self) -> Outcome {
        let (outcome, text) = if self.all_met {
            (Outcome::Reproduced, Text::Reproduced)
        } else {
            (Outcome::NotReproduced, Text::NotReproduced)
        };
        let text = self.words(text).to_owned();
        (self.out)(&Entry::End { outcome, text });
        outcome
    }
}

fn last(teller: &Teller<'_>, texts: &[String]) -> String {
    texts.last().cloned().unwrap_or_else(|| teller.words(Text::Nothing).to_owned())
}

/// A log line without its date and time.
fn without_time(line: &str) -> &str {
    line.find("ERROR").map_or(line, |at| &line[at..])
}
