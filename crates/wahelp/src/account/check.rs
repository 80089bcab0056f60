//! A look at everything that has to be right, changing nothing (13.7).

use secrecy::ExposeSecret;
use serde_json::Value;
use tandem_vendor::{Failure, FailureKind, Finding, FindingState};

use super::{WahelpAccount, connect::ENTITY};
use crate::{
    api::Request,
    channels::{Channel, Channels},
    connection::Access,
    envelope,
};

use FindingState::{Bad, Good, Skipped, Warning};

pub(super) fn found(step: &'static str, state: FindingState, sentence: impl Into<String>) -> Finding {
    Finding { step, state, sentence: sentence.into() }
}

impl WahelpAccount {
    pub(super) async fn check_all(&self) -> Vec<Finding> {
        let projects = self.api.ask(Request::get("/app/projects/".to_owned())).await;
        let mut findings = vec![self.check_login(projects.as_ref().err()).await];
        if findings[0].state == Bad {
            let steps = ["project", "channels", "amocrm", "webhook"];
            findings.extend(steps.map(|step| found(step, Skipped, "without a login it cannot be looked at")));
            findings.extend(self.check_words());
            return findings;
        }
        findings.push(self.check_project(projects));
        findings.extend(self.check_channels().await);
        findings.push(self.check_amocrm().await);
        findings.push(self.check_webhook().await);
        findings.extend(self.check_words());
        findings
    }

    async fn check_login(&self, failure: Option<&Failure>) -> Finding {
        // A list that is refused or is not there says nothing of the login.
        if let Some(failure) = failure
            && (self.api.refusal().is_some()
                || !matches!(failure.kind, FailureKind::Refused | FailureKind::Gone))
        {
            return found("login", Bad, failure.words.clone());
        }
        let holds = self.api.tokens.holds().await.map_or(String::new(), |holds| {
            format!("; the token holds for another {} minutes", holds.as_secs() / 60)
        });
        let by = match self.api.tokens.access() {
            Access::Static(_) => "the token from the cabinet serves",
            Access::Login { .. } => "the login serves",
        };
        found("login", Good, format!("{by} at {}{holds}", self.api.base.host()))
    }

    fn check_project(&self, projects: Result<Value, Failure>) -> Finding {
        let list = match projects {
            Ok(answer) => envelope::list(&answer).0,
            Err(failure) => return found("project", Warning, failure.words),
        };
        let project = &self.api.project;
        let ours = list.iter().find(|one| envelope::id(&one["id"]).as_ref() == Some(project));
        match ours {
            Some(ours) => {
                let name = ours["name"].as_str().unwrap_or("without a name");
                found(
                    "project",
                    Good,
                    format!("project {project} ({name}), one of {} that are seen", list.len()),
                )
            }
            None => found("project", Bad, format!("the login does not see project {project}")),
        }
    }

    async fn check_channels(&self) -> Vec<Finding> {
        let channels = match self.api.ask(Request::get(self.api.in_project("/channels/"))).await {
            Ok(answer) => Channels::read(&answer),
            Err(failure) => return vec![found("channels", Bad, failure.words)],
        };
        let mut findings = Vec::new();
        for document in &self.document.channels {
            if channels.find(&document.uuid, &[]).is_err() {
                let words = format!("the project has no channel {} ({})", document.alias, document.uuid);
                findings.push(found("channels", Bad, words));
            }
        }
        if channels.list.is_empty() {
            findings.push(found("channels", Warning, "the project has no channels"));
        }
        for channel in &channels.list {
            findings.push(self.check_channel(channel).await);
        }
        findings
    }

    async fn check_channel(&self, channel: &Channel) -> Finding {
        let documents = &self.document.channels;
        let name = channel.shown(documents);
        let path = self.api.in_project(&format!("/channels/{}/status", channel.uuid));
        let status = match self.api.ask(Request::get(path)).await {
            Ok(status) => shortened(&status),
            Err(failure) => format!("could not be asked ({failure})"),
        };
        let active = match channel.active {
            Some(true) => ", active",
            Some(false) => ", not active",
            None => "",
        };
        let kind = if channel.kind.is_empty() { "unknown" } else { channel.kind.as_str() };
        let what = format!(
            "channel {name}: number {}, {}, type {kind}{active}; its status: {status}",
            channel.id, channel.uuid
        );
        let is_ours = channel.document(documents).is_some() || self.known().used.contains(&channel.uuid);
        if channel.active == Some(false) {
            return found("channels", Warning, format!("{what}. It sends nothing while it is not active"));
        }
        if is_ours && channel.is_account(documents) {
            let warning = "A PERSONAL ACCOUNT: whatever a route of mode \"api\" tells there goes to the client as a message \
                           from that account, so that he receives his own words; such a route stands still until it has \
                           personal_account = \"confirmed\"";
            return found("channels", Warning, format!("{what}. {warning}"));
        }
        found("channels", Good, what)
    }

    async fn check_amocrm(&self) -> Finding {
        let linked = self.api.ask(Request::get(self.api.in_project("/integrations/amocrm/channels"))).await;
        match linked {
            Ok(answer) => {
                let mut list = envelope::list(&answer).0;
                // Whether those that could be linked are listed too is not known; where it says so, they are not.
                list.retain(|channel| channel["connected"] != false);
                if list.is_empty() {
                    return found(
                        "amocrm",
                        Warning,
                        "no channel is linked to amoCRM: managers see nothing there",
                    );
                }
                let channels = self.channels();
                let name = |value: &Value| {
                    let id = envelope::id(&value["channel_id"]).or_else(|| envelope::id(&value["id"]))?;
                    let known = channels.by_id(&id).map(|channel| channel.shown(&self.document.channels));
                    Some(known.map_or(id.clone(), str::to_owned))
                };
                let names: Vec<String> = list.iter().filter_map(name).collect();
                found("amocrm", Good, format!("linked to amoCRM: {}", names.join(", ")))
            }
            Err(failure) => found(
                "amocrm",
                Skipped,
                format!("it could not be asked which channels are linked: {failure}"),
            ),
        }
    }

    async fn check_webhook(&self) -> Finding {
        let list = match self.api.ask(Request::get(self.api.in_project("/webhooks/"))).await {
            Ok(answer) => envelope::list(&answer).0,
            Err(failure) => return found("webhook", Warning, failure.words),
        };
        let others = format!("the project has {} hooks", list.len());
        let secret = self.known().hook_secret.clone();
        let (Some(public_url), Some(secret)) = (&self.public_url, secret) else {
            let words = format!(
                "{others}, none of them ours: without server.public_url managers' messages are asked for"
            );
            return found("webhook", Warning, words);
        };
        let end = format!("/hooks/wahelp/{}", secret.expose_secret());
        let ours: Vec<&Value> =
            list.iter().filter(|hook| hook["url"].as_str().is_some_and(|url| url.ends_with(&end))).collect();
        let at = ours
            .iter()
            .filter(|hook| hook["url"].as_str().is_some_and(|url| url.starts_with(public_url.as_str())));
        let is_whole = |hook: &&&Value| {
            let entities = hook["entities"].as_array();
            entities.is_none_or(|entities| entities.iter().any(|entity| entity == ENTITY))
        };
        match (ours.len(), at.filter(is_whole).count()) {
            (0, _) => found(
                "webhook",
                Warning,
                format!("{others}, and ours is not among them: Tandem subscribes it when it runs"),
            ),
            (1, 1) => found("webhook", Good, format!("{others}, ours is among them")),
            (some, right) => found(
                "webhook",
                Warning,
                format!(
                    "{others}, {some} of them ours and {right} as it should be: remove the others in the cabinet"
                ),
            ),
        }
    }

    /// Words that nobody here knows; there may be none.
    fn check_words(&self) -> Option<Finding> {
        let known = self.known();
        let strange: Vec<String> = known
            .words
            .iter()
            .filter(|(word, _)| {
                ["destination=", "status=", "message_type="].iter().any(|known| word.starts_with(known))
            })
            .map(|(word, times)| format!("{word} ({times})"))
            .collect();
        let sentence =
            format!("hooks had words that mean nothing here since the start: {}", strange.join(", "));
        (!strange.is_empty()).then(|| found("words", Warning, sentence))
    }
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 120 { text } else { text.chars().take(119).chain(['…']).collect() }
}
