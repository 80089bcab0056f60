//! Reading `bots.toml`. A wrong key or value is named with file, line, key and what is expected there.

use std::{collections::BTreeSet, fs, io, path::Path};

use tandem_gateway::{ChatRule, MethodRule};
use toml::Spanned;

use super::{
    Desired, DesiredApp, DesiredBot, DesiredRoute,
    written::{Lasting, Rule, Rules, Written, WrittenApp, WrittenBot, WrittenRoute},
};
use crate::{
    ChannelDocument, CompanionDocument, Language, RouteDocument, RouteKind, RouteMode,
    operations::{Allowed, AppSettings, Confidential},
    rules::{RuleDocument, RuleHistory, check},
};

/// Longest source (amocrm.md 1.12).
const SOURCE_BYTES: usize = 36;

/// Places for start payloads that are one word.
const START_WORDS: [&str; 6] = ["tag", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"];

/// Why a file cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error(transparent)]
    Wrong(#[from] Problem),
}

/// Something in a file that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}, {key}: {what}")]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The key, or the table.
    pub key: String,
    /// What is wrong and what is expected.
    pub what: String,
}

/// Reads a file, and the files with secrets that it names, which are looked for beside it.
pub fn load(path: &Path) -> Result<Desired, FileError> {
    let text = fs::read_to_string(path)
        .map_err(|source| FileError::Unreadable { path: path.display().to_string(), source })?;
    let beside = path.parent().unwrap_or(Path::new("."));
    let read = |name: &str| fs::read_to_string(beside.join(name));
    Ok(parse(&path.display().to_string(), &text, &read)?)
}

/// Reads a file's text; `read` gives the contents of the files it names.
pub fn parse(file: &str, text: &str, read: &dyn Fn(&str) -> io::Result<String>) -> Result<Desired, Problem> {
    let source = Source { file, text, read };
    let written: Written = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        source.problem(span.start, error.message())
    })?;
    let mut desired = Desired::default();
    let mut names = BTreeSet::new();
    for connection in written.connection {
        desired.connections.push(source.connection(connection, &mut names)?);
    }
    let mut bots = Vec::new();
    let abroad = |route: &DesiredRoute| {
        let name = route.connection.as_ref();
        let used = desired.connections.iter().find(|connection| Some(&connection.name) == name);
        used.is_some_and(|connection| connection.settings["platform"] == "kommo")
    };
    for written in written.bot {
        let unsaid: Vec<bool> = written.route.iter().map(|route| route.language.is_none()).collect();
        let mut bot = source.bot(written)?;
        for (route, unsaid) in bot.routes.iter_mut().zip(unsaid) {
            let is_abroad = abroad(route);
            if unsaid && is_abroad {
                if let Some(channel) = route.document.channel.as_mut() {
                    channel.language = Language::English;
                }
                if let Some(companion) = route.document.companion.as_mut() {
                    companion.language = Language::English;
                }
            }
        }
        bots.push(bot);
    }
    desired.bots = bots;
    Ok(desired)
}

pub(super) struct Source<'a> {
    file: &'a str,
    text: &'a str,
    read: &'a dyn Fn(&str) -> io::Result<String>,
}

impl Source<'_> {
    fn bot(&self, bot: WrittenBot) -> Result<DesiredBot, Problem> {
        let mut names = BTreeSet::new();
        let apps = bot.app.into_iter().map(|app| self.app(app, &mut names)).collect::<Result<_, _>>()?;
        let mut names = BTreeSet::new();
        let routes =
            bot.route.into_iter().map(|route| self.route(route, &mut names)).collect::<Result<_, _>>()?;
        let token = self.secret(&bot.token_file)?;
        Ok(DesiredBot { token, upstream: bot.upstream, owners: bot.owners, guard: bot.guard, apps, routes })
    }

    fn app(&self, app: WrittenApp, names: &mut BTreeSet<String>) -> Result<DesiredApp, Problem> {
        let name = self.name(&app.name, names)?;
        let backlog_secs = app.backlog.map(|backlog| self.seconds(&backlog)).transpose()?;
        let methods = app.methods.map(|rules| self.rules(&rules, MethodRule::parse)).transpose()?;
        let chats = app.chats.map(|rules| self.rules(&rules, ChatRule::parse)).transpose()?;
        let WrittenApp { drop_pending, while_manager_talks, webhooks, claims, sees, .. } = app;
        let settings = AppSettings {
            drop_pending,
            backlog_secs,
            while_manager_talks,
            webhooks,
            claims,
            sees,
            methods,
            chats,
        };
        Ok(DesiredApp { name, settings })
    }

    fn route(&self, route: WrittenRoute, names: &mut BTreeSet<String>) -> Result<DesiredRoute, Problem> {
        let name = self.name(&route.name, names)?;
        let (kind, mode) = self.kind(&route)?;
        let channel = self.channel(&route, mode)?;
        let companion = self.companion(&route, mode)?;
        let connection = route.connection.as_ref().map(|name| name.get_ref().clone());
        let url = match (route.url, &route.url_file) {
            (Some(_), Some(file)) => {
                return Err(self.problem(file.span().start, "url and url_file: give one of them"));
            }
            (Some(url), None) => Some(Confidential::new(url)),
            (None, file) => file.as_ref().map(|file| self.secret(file)).transpose()?,
        };
        let secret = route.secret_file.as_ref().map(|file| self.secret(file)).transpose()?;
        let certificate = route.certificate_file.as_ref().map(|file| self.contents(file)).transpose()?;
        let document = RouteDocument {
            kind,
            mode,
            kinds: route.kinds,
            max_connections: route.max_connections,
            ip_address: route.ip_address,
            channel,
            companion,
            rules: RuleHistory::default(),
        };
        let rules = route.rules.map(|rules| self.route_rules(rules, &document)).transpose()?;
        Ok(DesiredRoute { name, connection, document, rules, url, secret, certificate })
    }

    fn route_rules(
        &self,
        rules: Spanned<Vec<RuleDocument>>,
        route: &RouteDocument,
    ) -> Result<Vec<RuleDocument>, Problem> {
        let at = rules.span().start;
        let rules = rules.into_inner();
        check(&rules, route.audience()).map_err(|problem| self.problem(at, problem.to_string()))?;
        Ok(rules)
    }

    fn kind(&self, route: &WrittenRoute) -> Result<(RouteKind, Option<RouteMode>), Problem> {
        let at = route.kind.span().start;
        let kind = match route.kind.get_ref().as_str() {
            "relay" => RouteKind::Relay,
            "amocrm" => RouteKind::Amocrm,
            "wahelp" => RouteKind::Wahelp,
            other => {
                let what = format!(
                    "routes of kind {other:?} do not exist; expected \"relay\", \"amocrm\" or \"wahelp\""
                );
                return Err(self.problem(at, what));
            }
        };
        match (kind, &route.mode) {
            (RouteKind::Relay, None) => match &route.connection {
                None => Ok((kind, None)),
                Some(connection) => {
                    Err(self.problem(connection.span().start, "a relay has no connection: leave it out"))
                }
            },
            (RouteKind::Amocrm, Some(mode)) if mode.get_ref() == "channel" => {
                if route.connection.is_none() {
                    let what = "the route has no connection; expected the name of a [[connection]]";
                    return Err(self.problem(at, what));
                }
                Ok((kind, Some(RouteMode::Channel)))
            }
            (RouteKind::Wahelp, Some(mode)) if mode.get_ref() == "api" => {
                let missing = match (&route.connection, &route.channel) {
                    (None, _) => "no connection; expected the name of a [[connection]]",
                    (_, None) => "no channel; expected its name in the connection, or its uuid",
                    (Some(_), Some(_)) => return Ok((kind, Some(RouteMode::Api))),
                };
                Err(self.problem(at, format!("the route has {missing}")))
            }
            (RouteKind::Relay, Some(mode)) => {
                Err(self.problem(mode.span().start, "a relay has no mode: leave it out"))
            }
            (RouteKind::Amocrm | RouteKind::Wahelp, Some(mode)) if mode.get_ref() == "native" => {
                Ok((kind, Some(RouteMode::Native)))
            }
            (RouteKind::Amocrm | RouteKind::Wahelp, Some(mode)) => {
                let expected = match kind {
                    RouteKind::Amocrm => "\"native\" or \"channel\"",
                    RouteKind::Relay | RouteKind::Wahelp => "\"native\" or \"api\"",
                };
                let what =
                    format!("mode {:?} does not exist in this version; expected {expected}", mode.get_ref());
                Err(self.problem(mode.span().start, what))
            }
            (RouteKind::Amocrm | RouteKind::Wahelp, None) => {
                let or = if kind == RouteKind::Amocrm { " or \"channel\"" } else { " or \"api\"" };
                Err(self.problem(at, format!("the route has no mode; expected mode = \"native\"{or}")))
            }
        }
    }

    /// What only routes of the modes `channel` and `api` have.
    fn channel(
        &self,
        route: &WrittenRoute,
        mode: Option<RouteMode>,
    ) -> Result<Option<Box<ChannelDocument>>, Problem> {
        let default = ChannelDocument::default();
        let document = ChannelDocument {
            pipeline: route.pipeline,
            stage: route.stage,
            responsible: route.responsible,
            source: route.source.as_ref().map(|source| source.get_ref().clone()),
            source_name: route.source_name.clone(),
            leads: route.leads.unwrap_or(default.leads),
            reopen_lost: route.reopen_lost.unwrap_or(default.reopen_lost),
            reopen_stage: route.reopen_stage,
            lead_check_minutes: self
                .minutes(route.lead_check_minutes.as_ref(), default.lead_check_minutes)?,
            accept_unsorted: route.accept_unsorted.unwrap_or(default.accept_unsorted),
            start_first: self.start_targets(route.start_first.as_ref())?,
            start_latest: self.start_targets(route.start_latest.as_ref())?,
            close_talk_on_start: route.close_talk_on_start.unwrap_or(default.close_talk_on_start),
            talk_minutes: route.talk_minutes.unwrap_or(default.talk_minutes),
            without_rest: route.without_rest.unwrap_or(default.without_rest),
            keyboard: route.keyboard.unwrap_or(default.keyboard),
            language: route.language.unwrap_or(default.language),
            silent: route.silent.unwrap_or(default.silent),
            wahelp: route.wahelp(),
        };
        if let Some(source) = &route.source
            && (source.get_ref().len() > SOURCE_BYTES
                || !source.get_ref().bytes().all(|byte| byte.is_ascii_graphic()))
        {
            let what = format!("a source has at most {SOURCE_BYTES} letters, digits and signs of ASCII");
            return Err(self.problem(source.span().start, what));
        }
        let foreign = match mode {
            Some(RouteMode::Channel) if route.has_wahelp_keys() => {
                Some("channel, destination, encoding, files and personal_account belong to mode = \"api\"")
            }
            Some(RouteMode::Api) if route.has_keys_foreign_to_wahelp() => Some(
                "keys about leads, sources and starts, without_rest and silent mean nothing at Wahelp: leave them out",
            ),
            _ => None,
        };
        if let Some(what) = foreign {
            return Err(self.problem(route.kind.span().start, what));
        }
        match mode {
            Some(RouteMode::Channel | RouteMode::Api) => Ok(Some(Box::new(document))),
            Some(RouteMode::Native) if route.is_companion(mode) && !route.has_keys_of_channels_only() => {
                Ok(None)
            }
            Some(RouteMode::Native) | None if route.has_channel_keys() => {
                let what = "pipeline, stage, responsible, source, source_name, leads, lead_check_minutes, reopen_lost, \
                            reopen_stage, accept_unsorted, start_first, start_latest, close_talk_on_start, talk_minutes, \
                            without_rest, keyboard, language and silent belong to mode = \"channel\"; channel, \
                            destination, encoding, files and personal_account to mode = \"api\"";
                Err(self.problem(route.kind.span().start, what))
            }
            Some(RouteMode::Native) | None => Ok(None),
        }
    }

    fn minutes(&self, minutes: Option<&Spanned<u32>>, default: u32) -> Result<u32, Problem> {
        match minutes {
            Some(minutes) if *minutes.get_ref() == 0 => {
                Err(self.problem(minutes.span().start, "expected at least 1 minute"))
            }
            minutes => Ok(minutes.map_or(default, |minutes| *minutes.get_ref())),
        }
    }

    /// Where start payloads go. Whether the account has such fields is for `doctor` to say.
    fn start_targets(&self, targets: Option<&Spanned<Vec<String>>>) -> Result<Vec<String>, Problem> {
        let Some(targets) = targets else { return Ok(Vec::new()) };
        let is_field = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        let is_target = |target: &str| {
            START_WORDS.contains(&target)
                || ["lead:", "contact:"].iter().any(|card| target.strip_prefix(card).is_some_and(is_field))
        };
        match targets.get_ref().iter().find(|target| !is_target(target)) {
            Some(wrong) => {
                let what = format!(
                    "{wrong:?} is no place for a start payload; expected \"tag\", \"utm_source\" and its like, \
                     \"lead:<field>\" or \"contact:<field>\", where a field is its number or its code"
                );
                Err(self.problem(targets.span().start, what))
            }
            None => Ok(targets.get_ref().clone()),
        }
    }

    /// What only routes of the mode `native` have that have a connection.
    fn companion(
        &self,
        route: &WrittenRoute,
        mode: Option<RouteMode>,
    ) -> Result<Option<Box<CompanionDocument>>, Problem> {
        let has_notes = route.notes.is_some() || route.notes_after_secs.is_some();
        if has_notes && route.kind.get_ref() == "wahelp" {
            let what = "Wahelp has no notes: leave notes and notes_after_secs out";
            return Err(self.problem(route.kind.span().start, what));
        }
        if route.is_companion(mode) {
            return Ok(Some(Box::new(route.companion())));
        }
        if has_notes {
            let what = "notes and notes_after_secs belong to mode = \"native\" with a connection";
            return Err(self.problem(route.kind.span().start, what));
        }
        Ok(None)
    }

    pub(super) fn name(
        &self,
        name: &Spanned<String>,
        names: &mut BTreeSet<String>,
    ) -> Result<String, Problem> {
        let at = name.span().start;
        let name = name.get_ref();
        crate::operations::apps::check_name(name)
            .map_err(|refusal| self.problem(at, format!("{} {}", refusal.sentence, refusal.what_to_do)))?;
        if !names.insert(name.clone()) {
            return Err(self.problem(at, format!("the name {name:?} stands here twice")));
        }
        Ok(name.clone())
    }

    fn rules<T: Ord, E: std::fmt::Display>(
        &self,
        rules: &Spanned<Rules>,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Allowed<T>, Problem> {
        let at = rules.span().start;
        match rules.get_ref() {
            Rules::Word(word) if word == "any" => Ok(Allowed::Any),
            Rules::Word(word) => Err(self.problem(at, format!("{word:?}: expected \"any\", or a list"))),
            Rules::List(list) => {
                let read = |rule: &Rule| match rule {
                    Rule::Number(number) => read(&number.to_string()),
                    Rule::Name(name) => read(name),
                };
                let rules = list.iter().map(read).collect::<Result<_, E>>();
                rules.map(Allowed::Only).map_err(|error| self.problem(at, error.to_string()))
            }
        }
    }

    fn seconds(&self, lasting: &Spanned<Lasting>) -> Result<u64, Problem> {
        let text = match lasting.get_ref() {
            Lasting::Seconds(seconds) => return Ok(*seconds),
            Lasting::Text(text) => text,
        };
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        let each = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            _ => 0,
        };
        let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(each));
        seconds.filter(|_| each > 0).ok_or_else(|| {
            let what = format!("{text:?} is no time; expected one like \"36h\", \"90m\" or \"2d\"");
            self.problem(lasting.span().start, what)
        })
    }

    /// The first line of a file with a secret.
    pub(super) fn secret(&self, file: &Spanned<String>) -> Result<Confidential, Problem> {
        let contents = self.contents(file)?;
        let line = contents.lines().map(str::trim).find(|line| !line.is_empty());
        line.map(Confidential::new).ok_or_else(|| {
            self.problem(
                file.span().start,
                format!("the file {:?} is empty; expected a secret", file.get_ref()),
            )
        })
    }

    fn contents(&self, file: &Spanned<String>) -> Result<String, Problem> {
        (self.read)(file.get_ref()).map_err(|error| {
            self.problem(file.span().start, format!("the file {:?} cannot be read: {error}", file.get_ref()))
        })
    }

    /// A problem at a byte of the text; the key is what stands at the beginning of its line.
    pub(super) fn problem(&self, at: usize, what: impl AsRef<str>) -> Problem {
        let at = at.min(self.text.len());
        let begin =
            self.text.as_bytes()[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let line = self.text.get(begin..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let key = line.split('=').next().unwrap_or_default().trim();
        self.named(at, key, what.as_ref())
    }

    fn named(&self, at: usize, key: &str, what: &str) -> Problem {
        let line = self.text.get(..at).unwrap_or(self.text).matches('\n').count() + 1;
        Problem { file: self.file.to_owned(), line, key: key.to_owned(), what: what.to_owned() }
    }
}
