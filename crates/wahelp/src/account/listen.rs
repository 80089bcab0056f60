//! Hearing: hooks, and the channels' messages where no hook tells of them (9, 13.6).

use std::time::Duration;

use tandem_model::Timestamp;
use tandem_vendor::{Failure, Hook, HookRefusal, News, Standing};

use super::WahelpAccount;
use crate::{
    api::Request,
    channels::Channel,
    envelope,
    hook::{self, Messages, Row},
    news::{self, Known},
    time,
};

/// How many messages of a channel are asked for.
const ROWS: usize = 50;
/// How long our subscription is believed.
const SUBSCRIPTION_HOLDS: Duration = Duration::from_mins(5);
/// By what event a listed message is known.
const LISTED: &str = "channel.message.created";

impl WahelpAccount {
    /// Reads a hook that is proved.
    pub(super) fn read(&self, hook: &Hook) -> Result<Vec<News>, HookRefusal> {
        let Messages(messages) = hook::read_hook(&hook.body)
            .ok_or_else(|| HookRefusal::Unreadable { reason: "it is no JSON object or list".to_owned() })?;
        let mut news = Vec::new();
        for (action, row) in &messages {
            news.extend(self.news_of(action, row));
        }
        self.count_words(&news);
        Ok(news)
    }

    fn news_of(&self, action: &str, row: &Row) -> Vec<News> {
        let now = self.clock.now();
        let known = Known {
            words: &self.document.words,
            offset: self.offset,
            telegram_id: self.document.telegram_id,
            now,
        };
        let mut news = news::of_message(&known, action, row, |channel, user| {
            self.known().sending.doubt(&news::chat(channel, user), now)
        });
        let probes = self.known().sending.probes.clone();
        news.retain(|news| !matches!(news, News::Spoken(spoken) if probes.contains(&spoken.fingerprint)));
        news
    }

    /// What was said in the channels that matter since then, oldest first. Also looks after our hook.
    pub(super) async fn look_through(&self, since: Timestamp) -> Result<Vec<News>, Failure> {
        let looked = self.known().hooked_at;
        let is_due = looked.is_none_or(|at| self.clock.now().since(at) >= SUBSCRIPTION_HOLDS);
        if self.public_url.is_some() && is_due {
            let link = match self.subscribe().await? {
                None => Standing::Connected,
                Some(sentence) => Standing::Impaired(sentence),
            };
            self.known().link = link;
        }
        let mut rows = Vec::new();
        for channel in self.listened() {
            rows.extend(self.rows_of(&channel, since).await?);
        }
        rows.sort_by_key(|row: &Row| row.id.as_deref().and_then(|id| id.parse::<u64>().ok()));
        let mut news: Vec<News> = rows.iter().flat_map(|row| self.news_of(LISTED, row)).collect();
        // What means nothing is counted where it comes by itself.
        news.retain(|news| !matches!(news, News::Ignored(_)));
        Ok(news)
    }

    async fn rows_of(&self, channel: &Channel, since: Timestamp) -> Result<Vec<Row>, Failure> {
        let path = self.api.in_project(&format!("/channels/{}/messages?limit={ROWS}", channel.uuid));
        let answer = self.api.ask(Request::get(path)).await?;
        let (list, _) = envelope::list(&answer);
        let listed = list.len();
        let mut rows: Vec<Row> = list.iter().map(Row::read).collect();
        rows.retain(|row| time::read(&row.at, self.offset).is_none_or(|at| at >= since));
        if listed >= ROWS && rows.len() == listed {
            tracing::warn!(
                "all {ROWS} messages of a channel of Wahelp project {} that were asked for are new: there may be more, \
                 which nobody heard of",
                self.document.project
            );
        }
        for row in &mut rows {
            // A list of one channel need not say which.
            row.channel.get_or_insert_with(|| channel.id.clone());
        }
        Ok(rows)
    }

    /// The channels that are listened to: those of routes and of the settings; all of the project where nobody named any.
    fn listened(&self) -> Vec<Channel> {
        let known = self.known();
        let is_named = |channel: &&Channel| {
            known.used.contains(&channel.uuid) || channel.document(&self.document.channels).is_some()
        };
        let named: Vec<Channel> = known.channels.list.iter().filter(is_named).cloned().collect();
        if named.is_empty() { known.channels.list.clone() } else { named }
    }
}
