//! An app's settings as they are asked for: what is left out stays.

use std::collections::BTreeMap;

use tandem_gateway::AppDocument;

use super::{AppSettings, Refusal, RefusalCode, apps::StoredApp, find::Found};
use crate::Bridge;

/// Longest data of a button (reference/telegram.md 6).
const DATA_BYTES: usize = 64;

impl AppSettings {
    /// Whether a document has all of this already.
    pub(crate) fn holds_in(&self, document: &AppDocument) -> bool {
        let mut changed = document.clone();
        self.put_into(&mut changed);
        changed == *document
    }

    /// What of this is different in a document, in words.
    pub(crate) fn differences(&self, document: &AppDocument) -> Vec<&'static str> {
        let mut changed = document.clone();
        self.put_into(&mut changed);
        [
            (changed.drop_pending != document.drop_pending, "drop_pending"),
            (changed.backlog_secs != document.backlog_secs, "backlog"),
            (changed.while_manager_talks != document.while_manager_talks, "while_manager_talks"),
            (changed.webhooks != document.webhooks, "webhooks"),
            (changed.claims != document.claims, "claims"),
            (changed.sees != document.sees, "sees"),
            (changed.limits.methods != document.limits.methods, "methods"),
            (changed.limits.chats != document.limits.chats, "chats"),
        ]
        .into_iter()
        .filter_map(|(differs, what)| differs.then_some(what))
        .collect()
    }

    /// Changes what is not left out.
    pub(crate) fn put_into(&self, document: &mut AppDocument) {
        let Self { drop_pending, backlog_secs, while_manager_talks, webhooks, claims, sees, methods, chats } =
            self;
        document.drop_pending = drop_pending.unwrap_or(document.drop_pending);
        document.backlog_secs = backlog_secs.unwrap_or(document.backlog_secs);
        document.while_manager_talks = while_manager_talks.unwrap_or(document.while_manager_talks);
        document.webhooks = webhooks.unwrap_or(document.webhooks);
        if let Some(claims) = claims {
            document.claims.clone_from(claims);
        }
        if let Some(sees) = sees {
            document.sees.clone_from(sees);
        }
        if let Some(methods) = methods {
            document.limits.methods = methods.rules();
        }
        if let Some(chats) = chats {
            document.limits.chats = chats.rules();
        }
    }

    /// Refuses claims that no data can begin with.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let misfit = self.claims.iter().flatten().find(|claim| claim.is_empty() || claim.len() > DATA_BYTES);
        match misfit {
            None => Ok(()),
            Some(claim) => Err(Refusal::new(
                RefusalCode::BadRequest,
                format!("No button's data begins with {claim:?}."),
                format!("Claim a beginning of 1 to {DATA_BYTES} bytes."),
            )),
        }
    }
}

/// Refuses a claim that two apps have. `apps`: their claims as they are to be.
pub(crate) fn refuse_double_claims<'a>(
    apps: impl IntoIterator<Item = (&'a str, &'a std::collections::BTreeSet<String>)>,
) -> Result<(), Refusal> {
    let mut claimed: BTreeMap<&str, &str> = BTreeMap::new();
    for (app, claims) in apps {
        for claim in claims {
            if let Some(other) = claimed.insert(claim, app) {
                return Err(Refusal::new(
                    RefusalCode::Conflict,
                    format!("Presses that begin with {claim:?} would be claimed by both {other} and {app}."),
                    format!(
                        "Let one of them claim it: `tandem apps set {other} --claim …` replaces what {other} claims."
                    ),
                ));
            }
        }
    }
    Ok(())
}

impl Bridge {
    /// Refuses settings with a claim that another app of the bot has.
    pub(super) async fn refuse_taken_claims(
        &self,
        found: &Found,
        name: &str,
        settings: &AppSettings,
    ) -> Result<(), Refusal> {
        settings.check()?;
        let Some(claims) = &settings.claims else { return Ok(()) };
        let apps = self.stored_apps(found.bot).await?;
        let others = apps.iter().filter(|app: &&StoredApp| app.row.name != name);
        let others = others.map(|app| (app.row.name.as_str(), &app.document.claims));
        refuse_double_claims(others.chain([(name, claims)]))
    }
}
