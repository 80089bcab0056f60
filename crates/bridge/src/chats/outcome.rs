//! Telling a CRM what became of its manager's reply, and learning from it where managers write.

use tandem_model::{
    Verdict,
    message::{OutcomeDocument, ReplyOrigin, ReplyResult},
};
use tandem_vendor::{ChatIds, FailureKind};

use super::{
    known::Standing,
    talk::Talk,
    verdict::{unread, verdict},
};
use crate::connections::{chat_ids, where_is};

impl Talk<'_> {
    /// Reports. Of what nobody can say no status is reported: it is written onto the card, where there is a way to.
    pub(super) async fn report(&mut self, outcome: &OutcomeDocument) -> Result<(), Verdict> {
        let ids = self.follow(&outcome.origin).await?;
        match &outcome.result {
            ReplyResult::Unknown { words } => {
                let line = self.route.reading.language.pick(
                    format!("Неизвестно, получил ли клиент сообщение менеджера. {words}"),
                    format!("Nobody can say whether the client has got the manager's message. {words}"),
                );
                match self.account.note(&ids, line.trim_end()).await {
                    Err(failure) if !matches!(failure.kind, FailureKind::Refused | FailureKind::Gone) => {
                        Err(verdict(failure))
                    }
                    Ok(_) | Err(_) => Ok(()),
                }
            }
            // Typing and the like: there is nothing that could have a status.
            ReplyResult::Sent { .. } | ReplyResult::Failed { .. } if outcome.origin.message.is_empty() => {
                Ok(())
            }
            result @ (ReplyResult::Sent { .. } | ReplyResult::Failed { .. }) => {
                self.account.report(&outcome.origin, result).await.map_err(verdict)
            }
        }
    }

    /// What is told next goes to the chat that a manager used last. One that nothing was told in gets its past now.
    async fn follow(&mut self, origin: &ReplyOrigin) -> Result<ChatIds, Verdict> {
        if let Standing::Open { ids } = &self.chat.standing
            && (origin.chat.is_empty() || ids.chat.as_deref() == Some(origin.chat.as_str()))
        {
            return Ok(ids.clone());
        }
        if origin.chat.is_empty() {
            return self.open().await;
        }
        let ids = self.names_of(origin).await?;
        if let Standing::Open { .. } = self.chat.standing {
            self.chat.standing = Standing::Open { ids: ids.clone() };
            self.chat.noted_at = None;
            self.note_use(&ids);
            return Ok(ids);
        }
        let done = match &self.chat.standing {
            Standing::Importing { ids: begun, lines, .. } if begun.chat == ids.chat => *lines,
            _ => 0,
        };
        if self.chat.client.is_none() {
            self.chat.client = Some(self.nobody());
        }
        self.import(ids, done).await
    }

    /// The names of the chat that a reply came from.
    async fn names_of(&self, origin: &ReplyOrigin) -> Result<ChatIds, Verdict> {
        let (store, names, key) = (self.route.store(), self.route.names, &self.chat.key);
        let bot = names.lane.bot;
        let last = chat_ids(store, bot, names.connection, key).await.map_err(|error| unread(&error))?;
        if let Some(last) = last.filter(|last| last.chat.as_deref() == Some(origin.chat.as_str())) {
            return Ok(last);
        }
        let name =
            where_is(store, bot, names.connection, &origin.chat).await.map_err(|error| unread(&error))?;
        Ok(ChatIds {
            ours: name.filter(|name| name.key == *key).and_then(|name| name.further()),
            chat: Some(origin.chat.clone()),
            person: origin.person.clone(),
        })
    }
}
