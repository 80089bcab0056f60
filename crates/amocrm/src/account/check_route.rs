//! Whether what a route's settings name exists in the account, changing nothing.

use serde_json::Value;
use tandem_vendor::{Finding, FindingState};

use super::AmocrmAccount;
use crate::{
    people::{FieldRef, StartTarget},
    rest::{Card, NotHad, Rest},
    tell::RouteSettings,
    wire::people::FieldInfo,
};

use FindingState::{Bad, Good, Skipped, Warning};

fn found(step: &'static str, state: FindingState, sentence: impl Into<String>) -> Finding {
    Finding { step, state, sentence: sentence.into() }
}

impl AmocrmAccount {
    pub(super) async fn check_settings(&self, route: &Value) -> Vec<Finding> {
        let route = match RouteSettings::read(route) {
            Ok(route) => route,
            Err(error) => {
                let why = std::error::Error::source(&error).map(|why| format!(": {why}")).unwrap_or_default();
                return vec![found("settings", Bad, format!("{error}{why}"))];
            }
        };
        let Some(rest) = &self.rest else {
            let words =
                "without a token nobody is looked for, and leads are amoCRM's own: give the connection one";
            return vec![found("people", Warning, words)];
        };
        let mut findings = vec![self.check_id_field(rest).await];
        findings.extend(self.check_places(rest, &route).await);
        findings.extend(self.check_responsible(rest, &route).await);
        findings.extend(self.check_targets(rest, &route).await);
        findings
    }

    async fn check_id_field(&self, rest: &Rest) -> Finding {
        let wanted = &self.connection.people.telegram_id_field;
        match self.find_id_field(rest).await {
            Ok(Some(field)) => found(
                "people",
                Good,
                format!("contacts have field {wanted} for Telegram ids (number {})", field.id),
            ),
            Ok(None) if wanted.parse::<u64>().is_ok() => found(
                "people",
                Bad,
                format!("contacts have no field {wanted}: correct people.telegram_id_field"),
            ),
            Ok(None) => found(
                "people",
                Good,
                format!("contacts have no field {wanted} yet; it is made with the first client"),
            ),
            Err(not_had) => found("people", Warning, not_had.failure.words),
        }
    }

    async fn check_places(&self, rest: &Rest, route: &RouteSettings) -> Vec<Finding> {
        let stages = [("stage", route.stage), ("reopen_stage", route.reopen_stage)];
        if route.pipeline.is_none() && stages.iter().all(|(_, stage)| stage.is_none()) {
            return Vec::new();
        }
        let pipelines = match rest.pipelines().await {
            Ok(pipelines) => pipelines,
            Err(not_had) => return vec![skipped("pipeline", not_had)],
        };
        let mut findings = Vec::new();
        if let Some(id) = route.pipeline {
            findings.push(if pipelines.has(id) {
                found("pipeline", Good, format!("pipeline {id} is there"))
            } else {
                found(
                    "pipeline",
                    Bad,
                    format!("the account has no pipeline {id}: leads come into the main one"),
                )
            });
        }
        for (name, stage) in stages {
            let Some(stage) = stage else { continue };
            findings.push(match pipelines.place(stage, route.pipeline) {
                None => found("stage", Bad, format!("no pipeline has a stage {stage} ({name})")),
                Some(place) if name == "stage" && route.pipeline.is_some_and(|wanted| wanted != place) => {
                    found(
                        "stage",
                        Warning,
                        format!("stage {stage} is in pipeline {place}, not in the route's: leads come there"),
                    )
                }
                Some(_) => found("stage", Good, format!("stage {stage} is there")),
            });
        }
        findings
    }

    async fn check_responsible(&self, rest: &Rest, route: &RouteSettings) -> Option<Finding> {
        let id = route.responsible?;
        Some(match rest.user_ids().await {
            Ok(users) if users.contains(&id) => found("responsible", Good, format!("user {id} is there")),
            Ok(_) => found("responsible", Bad, format!("the account has no user {id}")),
            Err(not_had) => skipped("responsible", not_had),
        })
    }

    async fn check_targets(&self, rest: &Rest, route: &RouteSettings) -> Vec<Finding> {
        let mut findings = Vec::new();
        let targets = || route.start_first.iter().chain(&route.start_latest);
        for card in [Card::Contacts, Card::Leads] {
            let mut wanted: Vec<_> = targets().filter_map(|target| field_on(target, card)).collect();
            wanted.dedup();
            if wanted.is_empty() {
                continue;
            }
            match rest.fields(card).await {
                Ok(fields) => {
                    findings.extend(wanted.into_iter().map(|field| check_field(field, card, &fields)));
                }
                Err(not_had) => findings.push(skipped("start", not_had)),
            }
        }
        findings
    }
}

fn check_field(wanted: &FieldRef, card: Card, fields: &[FieldInfo]) -> Finding {
    let (shown, there) = match wanted {
        FieldRef::Id(id) => (id.to_string(), fields.iter().any(|field| field.id == *id)),
        FieldRef::Code(code) => (code.clone(), fields.iter().any(|field| field.code.as_ref() == Some(code))),
    };
    let whose = match card {
        Card::Contacts => "contacts",
        Card::Leads => "leads",
    };
    if there {
        found("start", Good, format!("{whose} have field {shown} for start payloads"))
    } else {
        found("start", Bad, format!("{whose} have no field {shown}: start payloads are not written there"))
    }
}

fn field_on(target: &StartTarget, card: Card) -> Option<&FieldRef> {
    match (target, card) {
        (StartTarget::Lead(field), Card::Leads) | (StartTarget::Contact(field), Card::Contacts) => {
            Some(field)
        }
        (StartTarget::Tag | StartTarget::Lead(_) | StartTarget::Contact(_), _) => None,
    }
}

fn skipped(step: &'static str, not_had: NotHad) -> Finding {
    found(step, Skipped, not_had.failure.words)
}
