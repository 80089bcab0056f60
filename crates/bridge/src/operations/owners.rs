//! Choosing the app that answers what only one can answer.

use tandem_gateway::Question;

use super::{BotRef, Refusal, Response};
use crate::Bridge;

impl Bridge {
    pub(super) async fn choose_owner(
        &self,
        named: Option<&BotRef>,
        question: Question,
        app: Option<String>,
    ) -> Result<Response, Refusal> {
        let mut found = self.bot_meant(named).await?;
        if let Some(app) = &app {
            let apps = self.parts().store.list_apps(found.bot).await?;
            if !apps.iter().any(|row| row.name == *app) {
                return Err(self.no_such_app(&found, app).await?);
            }
        }
        let choose = |document: &mut crate::BotDocument| document.owners.choose(question, app.clone());
        found.document = self.change_bot(found.bot, &[], choose).await?;
        self.sync(found.bot).await?;
        Ok(Response::Apps { apps: self.app_views(&found).await? })
    }
}
