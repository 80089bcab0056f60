//! `bots.toml` as it is written, key by key, before anything of it is understood.

use std::{collections::BTreeSet, net::IpAddr};

use serde::Deserialize;
use tandem_gateway::{DropPending, Owners, Sees, WebhookPolicy, WhileManagerTalks};
use tandem_model::message::KeyboardKind;
use toml::Spanned;

use super::connection_file::WrittenConnection;
use crate::{
    CompanionDocument, GuardPolicy, Language, NewLeads, PersonalAccount, RouteMode, UpstreamMode,
    WahelpDocument, WahelpEncoding, WahelpFiles, WithoutRest, rules::RuleDocument,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    #[serde(default)]
    pub(super) connection: Vec<WrittenConnection>,
    #[serde(default)]
    pub(super) bot: Vec<WrittenBot>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenBot {
    pub(super) token_file: Spanned<String>,
    pub(super) upstream: Option<UpstreamMode>,
    pub(super) guard: Option<GuardPolicy>,
    #[serde(default)]
    pub(super) owners: Owners,
    #[serde(default)]
    pub(super) app: Vec<WrittenApp>,
    #[serde(default)]
    pub(super) route: Vec<WrittenRoute>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenApp {
    pub(super) name: Spanned<String>,
    pub(super) drop_pending: Option<DropPending>,
    pub(super) backlog: Option<Spanned<Lasting>>,
    pub(super) while_manager_talks: Option<WhileManagerTalks>,
    pub(super) webhooks: Option<WebhookPolicy>,
    pub(super) claims: Option<BTreeSet<String>>,
    pub(super) sees: Option<BTreeSet<Sees>>,
    pub(super) methods: Option<Spanned<Rules>>,
    pub(super) chats: Option<Spanned<Rules>>,
}

/// `"any"`, or a list of names and numbers.
#[derive(Deserialize)]
#[serde(untagged, expecting = "\"any\", or a list")]
pub(super) enum Rules {
    Word(String),
    List(Vec<Rule>),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a name or a number")]
pub(super) enum Rule {
    Number(i64),
    Name(String),
}

/// `"36h"`, or seconds.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a time like \"36h\", \"90m\" or \"2d\", or a number of seconds")]
pub(super) enum Lasting {
    Seconds(u64),
    Text(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRoute {
    pub(super) name: Spanned<String>,
    pub(super) kind: Spanned<String>,
    pub(super) mode: Option<Spanned<String>>,
    pub(super) connection: Option<Spanned<String>>,
    pub(super) url_file: Option<Spanned<String>>,
    pub(super) url: Option<String>,
    pub(super) secret_file: Option<Spanned<String>>,
    pub(super) certificate_file: Option<Spanned<String>>,
    pub(super) kinds: Option<Vec<String>>,
    pub(super) max_connections: Option<u32>,
    pub(super) ip_address: Option<IpAddr>,
    pub(super) pipeline: Option<u64>,
    pub(super) stage: Option<u64>,
    pub(super) responsible: Option<u64>,
    pub(super) source: Option<Spanned<String>>,
    pub(super) source_name: Option<String>,
    pub(super) leads: Option<NewLeads>,
    pub(super) reopen_lost: Option<bool>,
    pub(super) reopen_stage: Option<u64>,
    pub(super) lead_check_minutes: Option<Spanned<u32>>,
    pub(super) accept_unsorted: Option<bool>,
    pub(super) start_first: Option<Spanned<Vec<String>>>,
    pub(super) start_latest: Option<Spanned<Vec<String>>>,
    pub(super) close_talk_on_start: Option<bool>,
    pub(super) talk_minutes: Option<u32>,
    pub(super) without_rest: Option<WithoutRest>,
    pub(super) keyboard: Option<KeyboardKind>,
    pub(super) language: Option<Language>,
    pub(super) silent: Option<bool>,
    pub(super) channel: Option<Spanned<String>>,
    pub(super) destination: Option<String>,
    pub(super) encoding: Option<WahelpEncoding>,
    pub(super) files: Option<WahelpFiles>,
    pub(super) personal_account: Option<PersonalAccount>,
    pub(super) notes: Option<bool>,
    pub(super) notes_after_secs: Option<u32>,
    pub(super) rules: Option<Spanned<Vec<RuleDocument>>>,
}

impl WrittenRoute {
    /// Whether a companion stands beside the built-in integration.
    pub(super) fn is_companion(&self, mode: Option<RouteMode>) -> bool {
        mode == Some(RouteMode::Native)
            && ["amocrm", "wahelp"].contains(&self.kind.get_ref().as_str())
            && self.connection.is_some()
    }

    /// What a companion of a built-in integration may be told.
    pub(super) fn companion(&self) -> CompanionDocument {
        let default = CompanionDocument::default();
        CompanionDocument {
            talk_minutes: self.talk_minutes.unwrap_or(default.talk_minutes),
            notes: self.notes.unwrap_or(default.notes),
            notes_after_secs: self.notes_after_secs.unwrap_or(default.notes_after_secs),
            language: self.language.unwrap_or(default.language),
        }
    }

    /// Keys of routes of the mode `channel` that mean nothing to a companion.
    pub(super) fn has_keys_of_channels_only(&self) -> bool {
        self.has_lead_keys()
            || self.has_wahelp_keys()
            || self.source.is_some()
            || self.without_rest.is_some()
            || self.keyboard.is_some()
            || self.silent.is_some()
    }

    pub(super) fn has_channel_keys(&self) -> bool {
        self.has_lead_keys()
            || self.has_wahelp_keys()
            || self.source.is_some()
            || self.talk_minutes.is_some()
            || self.without_rest.is_some()
            || self.keyboard.is_some()
            || self.language.is_some()
            || self.silent.is_some()
    }

    /// Keys about people's cards in a CRM.
    pub(super) fn has_lead_keys(&self) -> bool {
        let numbers = [self.pipeline, self.stage, self.responsible, self.reopen_stage];
        let switches = [self.reopen_lost, self.accept_unsorted, self.close_talk_on_start];
        numbers.iter().any(Option::is_some)
            || switches.iter().any(Option::is_some)
            || [&self.start_first, &self.start_latest].iter().any(|targets| targets.is_some())
            || self.source_name.is_some()
            || self.leads.is_some()
            || self.lead_check_minutes.is_some()
    }

    pub(super) fn has_wahelp_keys(&self) -> bool {
        self.channel.is_some()
            || self.destination.is_some()
            || self.encoding.is_some()
            || self.files.is_some()
            || self.personal_account.is_some()
    }

    /// Keys of routes that speak message by message which mean nothing at Wahelp.
    pub(super) fn has_keys_foreign_to_wahelp(&self) -> bool {
        self.has_lead_keys() || self.source.is_some() || self.without_rest.is_some() || self.silent.is_some()
    }

    /// What belongs to a route to Wahelp alone.
    pub(super) fn wahelp(&self) -> Option<Box<WahelpDocument>> {
        Some(Box::new(WahelpDocument {
            channel: self.channel.as_ref()?.get_ref().clone(),
            destination: self.destination.clone(),
            encoding: self.encoding.unwrap_or_default(),
            files: self.files.unwrap_or_default(),
            personal_account: self.personal_account,
        }))
    }
}
