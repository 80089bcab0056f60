//! Tells the demo: shows each line, waits where people read, and counts what held.

use std::{collections::BTreeMap, fmt::Debug, time::Duration};

use super::{
    bonus_bot::Given,
    entry::{Entry, Who},
    stage::{OnPhone, Stage, look_until},
    words::Words,
};

/// How fast the demo goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// So that people can read along.
    Live,
    /// As fast as everything happens.
    AtOnce,
}

/// Who gets what Telegram has for the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    AmoCrm,
    Tandem,
    /// Tandem, while a manager talks: what is said to him is not the bot's.
    TandemForManager,
}

/// The teller, and what has been shown so far.
pub(super) struct Teller<'a> {
    pub(super) words: &'static Words,
    pace: Pace,
    out: &'a mut (dyn FnMut(&Entry) + Send),
    scene: u32,
    looked: usize,
    held: usize,
    shown: Shown,
}

/// How much of what passed has been shown.
#[derive(Default)]
struct Shown {
    generated: u64,
    hooked: u64,
    given: usize,
    kinds: BTreeMap<i64, String>,
}

/// Where an update has come since it was looked last.
#[derive(Default)]
struct Passed {
    new: bool,
    to_amocrm: bool,
    to_bot: bool,
}

impl<'a> Teller<'a> {
    pub(super) fn new(words: &'static Words, pace: Pace, out: &'a mut (dyn FnMut(&Entry) + Send)) -> Self {
        Self { words, pace, out, scene: 0, looked: 0, held: 0, shown: Shown::default() }
    }

    pub(super) async fn scene(&mut self, title: &'static str) {
        self.scene += 1;
        self.pace.pause(900).await;
        (self.out)(&Entry::Scene { number: self.scene, title });
        self.pace.pause(900).await;
    }

    pub(super) async fn line(&mut self, who: Who, text: impl Into<String>) {
        let text = text.into();
        let reading = 500 + 22 * u64::try_from(text.chars().count()).unwrap_or(0);
        (self.out)(&Entry::Line { who, text });
        self.pace.pause(reading).await;
    }

    pub(super) async fn passing(&mut self, what: impl Into<String>) {
        (self.out)(&Entry::Passing { what: what.into() });
        self.pace.pause(500).await;
    }

    /// Shows whether something is as expected; `seen` says what is to be seen, where that is not plain.
    pub(super) async fn expect(&mut self, expected: &'static str, met: bool, seen: impl Into<String>) {
        self.looked += 1;
        self.held += usize::from(met);
        (self.out)(&Entry::Expectation { scene: self.scene, expected, met, seen: seen.into() });
        self.pace.pause(500).await;
    }

    /// Looks until something is as expected, and shows whether it came to that.
    pub(super) async fn expect_soon<T: Debug>(
        &mut self,
        expected: &'static str,
        look: impl AsyncFnMut() -> anyhow::Result<T>,
        as_expected: impl Fn(&T) -> bool,
    ) -> anyhow::Result<()> {
        let (met, seen) = look_until(look, as_expected).await?;
        self.expect(expected, met, if met { String::new() } else { format!("{seen:?}") }).await;
        Ok(())
    }

    /// A message appears on the client's phone after the first `before`; it is shown there.
    pub(super) async fn phone_shows(
        &mut self,
        stage: &Stage,
        before: usize,
        who: Who,
        text: &'static str,
        expected: &'static str,
    ) -> anyhow::Result<()> {
        let on_phone = |phone: &Vec<OnPhone>| {
            phone.iter().skip(before).any(|message| message.from == "bot" && message.text == text)
        };
        let (met, phone) = look_until(async || stage.phone().await, on_phone).await?;
        if met {
            self.line(who, text).await;
        }
        let last = phone.last().map(|message| message.text.clone()).unwrap_or_default();
        self.expect(expected, met, if met { String::new() } else { last }).await;
        Ok(())
    }

    /// Shows where every update has come since this was called last.
    pub(super) async fn show_passing(
        &mut self,
        stage: &Stage,
        given: &[Given],
        holder: Holder,
    ) -> anyhow::Result<()> {
        let mut passed: BTreeMap<i64, Passed> = BTreeMap::new();
        for update in stage.generated_after(self.shown.generated).await? {
            self.shown.generated = update.n;
            self.shown.kinds.insert(update.update_id, update.kind);
            passed.entry(update.update_id).or_default().new = true;
        }
        for delivery in stage.hooked_after(self.shown.hooked).await? {
            self.shown.hooked = delivery.n;
            passed.entry(delivery.update_id).or_default().to_amocrm = true;
        }
        for update in given.iter().skip(self.shown.given) {
            passed.entry(update.update_id).or_default().to_bot = true;
        }
        self.shown.given = given.len();
        for (update_id, passed) in passed {
            let kind = self.shown.kinds.get(&update_id).map_or("", String::as_str);
            let way = self.way(&passed, holder);
            self.passing(format!("{kind} {update_id}: {way}")).await;
        }
        Ok(())
    }

    fn way(&self, passed: &Passed, holder: Holder) -> String {
        let words = &self.words.passing;
        if holder == Holder::AmoCrm {
            return "Telegram → amoCRM".to_owned();
        }
        let from = if passed.new { "Telegram → Tandem" } else { "Tandem" };
        let (bot, later) = (words.bot, words.later);
        match (passed.to_amocrm, passed.to_bot, passed.new) {
            (true, false, _) if holder == Holder::TandemForManager => {
                format!("{from} → amoCRM; {bot} {}", words.is_spared)
            }
            (true, true, _) => format!("{from} → amoCRM, {bot}"),
            (true, false, true) => format!("{from} → amoCRM; {bot} {later}"),
            (true, false, false) => format!("{from} → amoCRM"),
            (false, true, true) => format!("{from} → {bot}; amoCRM {later}"),
            (false, true, false) => format!("{from} → {bot}"),
            (false, false, _) => format!("Telegram; Tandem {later}"),
        }
    }

    /// Ends the story; whether everything held.
    /// `next`: what the reader can do now.
    pub(super) fn end(self, next: &'static str) -> bool {
        let (held, of) = (self.held, self.looked);
        (self.out)(&Entry::End { held, of, next });
        held == of
    }
}

impl Pace {
    /// Lets people read.
    async fn pause(self, ms: u64) {
        match self {
            Self::Live => tokio::time::sleep(Duration::from_millis(ms)).await,
            Self::AtOnce => {}
        }
    }
}
