//! Account hooks (5.1): subscribed by an address that nobody else knows, looked after, and on again when amoCRM has
//! switched them off.
//!
//! The address is made here, once, and kept before anybody is told of it. A subscription is known by its address, so asking
//! for it again changes nothing; one that has another address of the same secret (the public address has changed) is taken
//! back.

use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tandem_model::{Blame, PauseReason, Rng};
use tandem_vendor::{
    Failure, FailureKind, Finding, FindingState, Hook, HookRefusal, Keep, Listening, Need, News,
};

use super::AmocrmAccount;
use crate::{
    document::secret,
    form::{AccountHook, WANTED},
    rest::{NotHad, Rest},
    wire::rest::WebhookInfo,
};

/// The first piece of the path; the second is the secret.
pub(super) const ACCOUNT: &str = "account";

/// How the account's hooks stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Hooks {
    /// Nobody has asked for them.
    #[default]
    Unasked,
    /// They come.
    On,
    /// They come again, and did not for a while.
    OnAgain,
    /// They do not, and that is missed.
    Missing(String),
    /// They do not, and nobody misses them much.
    Without(String),
}

/// What an account hears by.
pub(crate) struct Ears {
    keep: Arc<dyn Keep>,
    rng: Arc<dyn Rng>,
    /// The secret of the address, once there is one.
    secret: Mutex<Option<SecretString>>,
    hooks: Mutex<Hooks>,
    subscribing: tokio::sync::Mutex<()>,
}

impl Ears {
    pub(crate) fn new(keep: Arc<dyn Keep>, rng: Arc<dyn Rng>, secret: Option<SecretString>) -> Self {
        Self {
            keep,
            rng,
            secret: Mutex::new(secret),
            hooks: Mutex::default(),
            subscribing: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn hooks(&self) -> Hooks {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, hooks: Hooks) {
        *self.hooks.lock().unwrap_or_else(PoisonError::into_inner) = hooks;
    }

    fn known_secret(&self) -> Option<SecretString> {
        self.secret.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The secret of the address; made, and kept before it is used, where there is none.
    async fn secret(&self) -> Result<SecretString, Failure> {
        if let Some(secret) = self.known_secret() {
            return Ok(secret);
        }
        let mut random = [0; 32];
        self.rng.fill(&mut random);
        let made = SecretString::from(hex::encode(random));
        self.keep.keep(vec![(secret::HOOK_SECRET, made.clone())]).await.map_err(|error| {
            let kind = FailureKind::Later { after: None, blame: Blame::Unclear };
            Failure::new(kind, error.to_string())
        })?;
        *self.secret.lock().unwrap_or_else(PoisonError::into_inner) = Some(made.clone());
        Ok(made)
    }
}

impl AmocrmAccount {
    pub(super) async fn listen_for_hooks(&self, need: Need) -> Result<Listening, Failure> {
        let _one_at_a_time = self.ears.subscribing.lock().await;
        let Some(rest) = &self.rest else {
            self.ears.set(without(need, "there is no token to subscribe to the account's hooks with"));
            return Ok(Listening::NotHere);
        };
        let Some(public) = self.connection.public_url.clone() else {
            self.ears.set(without(
                need,
                "the account's hooks need a public address: set server.public_url and start the service again",
            ));
            return Ok(Listening::NotHere);
        };
        let secret = self.ears.secret().await?;
        match subscribe(rest, &public, secret.expose_secret()).await {
            Ok(listening) => {
                // That they had been off is to be seen until the service starts again.
                match (listening, self.ears.hooks()) {
                    (Listening::OnAgain, _) | (_, Hooks::OnAgain) => self.ears.set(Hooks::OnAgain),
                    (Listening::Subscribed | Listening::NotHere, _) => self.ears.set(Hooks::On),
                }
                Ok(listening)
            }
            Err(not_had) => {
                let words = why_not(&not_had);
                let passes =
                    matches!(not_had.failure.kind, FailureKind::Later { .. } | FailureKind::Lost { .. });
                // What passes says nothing about hooks that came a moment ago.
                if !passes || !matches!(self.ears.hooks(), Hooks::On | Hooks::OnAgain) {
                    self.ears.set(without(need, &words));
                }
                let kind = if passes { not_had.failure.kind } else { FailureKind::Refused };
                Err(Failure::new(kind, words))
            }
        }
    }

    /// Whether a path is that of this account's hooks. How far it fits takes no time that could be measured.
    pub(super) fn owns_account_path(&self, path: &[String]) -> bool {
        let [first, shown] = path else { return false };
        first == ACCOUNT
            && self
                .ears
                .known_secret()
                .is_some_and(|secret| secret.expose_secret().as_bytes().ct_eq(shown.as_bytes()).into())
    }

    /// Reads a hook of the account. Its address has proved it.
    pub(super) fn hear_account(&self, hook: &Hook) -> Result<Vec<News>, HookRefusal> {
        if hook.method != http::Method::POST || !self.owns_account_path(&hook.path) {
            return Err(HookRefusal::Unproven);
        }
        let read = AccountHook::read(&hook.body)
            .map_err(|error| HookRefusal::Unreadable { reason: error.to_string() })?;
        let ours = self.facts().number;
        if ours.zip(read.account).is_some_and(|(ours, theirs)| ours != theirs) {
            return Ok(vec![News::Ignored("a hook of another account".to_owned())]);
        }
        Ok(read.news())
    }

    /// What a person should know of the hooks, changing nothing.
    pub(super) async fn check_hooks(&self, rest: &Rest) -> Finding {
        let found = |state, sentence: String| Finding { step: "hooks", state, sentence };
        let (Some(secret), Some(public)) = (self.ears.known_secret(), &self.connection.public_url) else {
            let words = match self.ears.hooks() {
                Hooks::Missing(words) => return found(FindingState::Bad, words),
                Hooks::Without(words) => words,
                Hooks::Unasked | Hooks::On | Hooks::OnAgain => {
                    "no route has asked for the account's hooks: a native route with this connection does"
                        .to_owned()
                }
            };
            return found(FindingState::Skipped, words);
        };
        let worse = match self.ears.hooks() {
            Hooks::Missing(_) => FindingState::Bad,
            Hooks::Unasked | Hooks::On | Hooks::OnAgain | Hooks::Without(_) => FindingState::Warning,
        };
        match rest.webhook(&address(public, secret.expose_secret())).await {
            Ok(Some(hook)) if hook.disabled => found(
                worse,
                "amoCRM has switched the account's hooks off, because they were not answered: the service switches \
                 them on again by itself within the hour"
                    .to_owned(),
            ),
            Ok(Some(hook)) if !hook.has_all() => {
                found(worse, "the account's hooks do not tell everything: the service asks for it again".to_owned())
            }
            Ok(Some(_)) if self.ears.hooks() == Hooks::OnAgain => found(
                FindingState::Warning,
                "the account's hooks come; amoCRM had switched them off since the service started, and what managers \
                 wrote meanwhile was not heard"
                    .to_owned(),
            ),
            Ok(Some(_)) => found(FindingState::Good, "the account's hooks come to a secret address".to_owned()),
            Ok(None) => {
                found(worse, "the account's hooks are not subscribed: the service does it when it runs".to_owned())
            }
            Err(not_had) => found(worse, why_not(&not_had)),
        }
    }
}

fn without(need: Need, words: &str) -> Hooks {
    match need {
        Need::Required => Hooks::Missing(words.to_owned()),
        Need::Welcome => Hooks::Without(words.to_owned()),
    }
}

async fn subscribe(rest: &Rest, public: &str, secret: &str) -> Result<Listening, NotHad> {
    let destination = address(public, secret);
    let before = rest.webhook(&destination).await?;
    let was_off = match &before {
        Some(hook) if !hook.disabled && hook.has_all() => return Ok(Listening::Subscribed),
        Some(hook) => hook.disabled,
        None => false,
    };
    let mut made = rest.subscribe(&destination, &WANTED).await?;
    if made.disabled {
        // Whether asking again switches it on is not documented; a new one is on.
        rest.unsubscribe(&destination).await?;
        made = rest.subscribe(&destination, &WANTED).await?;
    }
    if made.disabled {
        let words = "amoCRM has switched the account's hooks off: an administrator switches them on in the account's settings";
        return Err(NotHad::refused(words));
    }
    if before.is_none() {
        let ours = address("", secret);
        for other in rest.webhooks().await? {
            if other.destination.ends_with(&ours) && other.destination != destination {
                rest.unsubscribe(&other.destination).await?;
            }
        }
    }
    Ok(if was_off { Listening::OnAgain } else { Listening::Subscribed })
}

fn address(public: &str, secret: &str) -> String {
    format!("{public}/hooks/{ACCOUNT}/{secret}")
}

impl WebhookInfo {
    /// Whether it tells everything that is wanted.
    fn has_all(&self) -> bool {
        WANTED.iter().all(|wanted| self.settings.iter().any(|told| told == wanted))
    }
}

/// For people: what the hooks need.
fn why_not(not_had: &NotHad) -> String {
    let is = |status: StatusCode| not_had.status == Some(status.as_u16());
    if is(StatusCode::PAYMENT_REQUIRED) || is(StatusCode::FORBIDDEN) {
        return format!(
            "the account does not let us hear what managers write ({}): its hooks need the plan Advanced or Professional \
             and a token of an administrator",
            not_had.failure.words
        );
    }
    if let FailureKind::Stop(PauseReason::Refused) = not_had.failure.kind {
        return not_had.failure.words.clone();
    }
    format!("the account's hooks could not be subscribed to: {}", not_had.failure.words)
}
