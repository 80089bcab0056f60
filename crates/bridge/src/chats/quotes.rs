//! What a message answers. A quote leads somewhere only if the CRM has the message: one that is not there yet is waited
//! for a little, by the clock, and then the message goes with an excerpt in its text instead.

use std::time::Duration;

use tandem_model::{
    Verdict,
    message::{Act, Body},
};
use tandem_vendor::{Found, Telling};

use super::{talk::Talk, verdict::unread};

/// How long a quoted message is waited for, from when the answer to it was appended.
const WAIT: Duration = Duration::from_secs(5);

impl Talk<'_> {
    /// The vendor's id of the message that is answered, where it was born there. Of a message that is not there the
    /// quote becomes part of the text, in time.
    pub(super) async fn quoted(&mut self, telling: &mut Telling) -> Result<Option<String>, Verdict> {
        let Act::Said(Body { quote: Some(quote), .. }) = &telling.told.act else { return Ok(None) };
        let Some(key) = quote.key.clone().filter(|key| !self.chat.told.has(key)) else { return Ok(None) };
        let born_there = self.route.names.find_message(self.route.store(), &key).await;
        if let Some(theirs) = born_there.map_err(|error| unread(&error))? {
            return Ok(Some(theirs));
        }
        match self.find_key(&telling.ids, &key).await? {
            Found::Yes(_) => self.chat.told.add(&key),
            Found::Unknowable => {}
            Found::No => {
                self.without_quote(telling)?;
            }
        }
        Ok(None)
    }

    /// Makes the quote part of the text, once it has been waited for. `false` where there is none.
    pub(super) fn without_quote(&self, telling: &mut Telling) -> Result<bool, Verdict> {
        let Act::Said(body) = &mut telling.told.act else { return Ok(false) };
        if body.quote.as_ref().is_none_or(|quote| quote.key.is_none()) {
            return Ok(false);
        }
        let until = self.event.appended_at.plus(WAIT);
        if self.route.now() < until {
            return Err(Verdict::Wait { until });
        }
        write_out(body);
        telling.quoted = None;
        Ok(true)
    }
}

/// Writes what is answered before the text.
pub(super) fn write_out(body: &mut Body) {
    let Some(quote) = body.quote.take() else { return };
    let line = match (quote.by, quote.text.trim()) {
        (_, "") => return,
        (Some(by), text) => format!("> {by}: {text}"),
        (None, text) => format!("> {text}"),
    };
    body.text = if body.text.is_empty() { line } else { format!("{line}\n{}", body.text) };
}
