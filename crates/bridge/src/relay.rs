//! Posting Telegram's bytes to a foreign webhook, as Telegram would (reference/telegram.md 3.3): routes of kind
//! `relay`, and vendors' built-in integrations, which hold such a webhook (amocrm.md 7).
//!
//! A receiver recognises a repeat by its `update_id`, as it must with Telegram. A call that stands in an answer is
//! not carried out: the bot's own code, not a CRM's, speaks for the bot; it is counted and logged so that it is seen
//! if a vendor ever uses it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use tandem_lanes::{Delivered, Destination, LaneAddress, OrderBy, PushSpec, Run};
use tandem_model::{Blame, ConnectionId, Event, EventKind, Verdict};
use tandem_telegram::{
    upstream::{AddressGuard, Roots, SetUpError},
    webhook::{
        DeliveryFailure, Received, ReplyCall, SecretToken, WebhookAddress, WebhookClient, WebhookPolicy,
        is_success, retry_after,
    },
};

use crate::{
    ConnectError, Connected, Connector, RouteDocument, RouteKind, RouteMode, RouteSetting,
    companion::Relayed,
    rules::{Decision, RouteRules},
    secrets,
};

/// Makes relays.
#[derive(Debug)]
pub(crate) struct Relays {
    roots: Roots,
    guard: Option<Arc<dyn AddressGuard>>,
    /// For all receivers that need nothing special: one pool of connections, one set of trusted certificates.
    client: WebhookClient,
    /// What companions recognise chats by.
    relayed: Arc<Relayed>,
}

impl Relays {
    pub(crate) fn new(
        roots: Roots,
        guard: Option<Arc<dyn AddressGuard>>,
        relayed: Arc<Relayed>,
    ) -> Result<Self, SetUpError> {
        let client = WebhookClient::new(&roots, guard.clone(), None)?;
        Ok(Self { roots, guard, client, relayed })
    }

    fn client_for(&self, route: &RouteSetting) -> Result<WebhookClient, SetUpError> {
        let certificate = route.secret(secrets::ROUTE_CERTIFICATE);
        let fixed = route.document.ip_address;
        match (certificate, fixed) {
            (None, None) => Ok(self.client.clone()),
            (None, fixed) => WebhookClient::new(&self.roots, self.guard.clone(), fixed),
            (Some(pem), fixed) => {
                let own = Roots::Only(pem.expose_secret().as_bytes().to_vec());
                WebhookClient::new(&own, self.guard.clone(), fixed)
            }
        }
    }
}

impl Connector for Relays {
    fn serves(&self, route: &RouteDocument) -> bool {
        match route.kind {
            RouteKind::Relay => true,
            RouteKind::Amocrm | RouteKind::Wahelp => route.mode == Some(RouteMode::Native),
        }
    }

    fn connect(&self, _lane: LaneAddress, route: &RouteSetting) -> Result<Connected, ConnectError> {
        let url = route.secret(secrets::ROUTE_URL).ok_or(ConnectError::Missing { name: "address" })?;
        let unusable = |name, problem: String| ConnectError::Unusable { name, problem };
        // Whether the address may be a private one is asked when it is connected to.
        let address = WebhookAddress::parse(url.expose_secret(), WebhookPolicy::Any)
            .map_err(|error| unusable("address", error.to_string()))?;
        let secret =
            route.secret(secrets::ROUTE_SECRET).map(|secret| SecretToken::parse(secret.expose_secret()));
        let secret = secret.transpose().map_err(|error| unusable("secret", error.to_string()))?;
        let relay = Relay {
            client: self.client_for(route)?,
            address,
            secret,
            receiver: route.document.kind,
            rules: RouteRules::of(&route.document.rules, route.document.audience()),
            name: route.name.clone(),
            calls: AtomicU64::new(0),
            companion: route.companion().and(route.connection).map(|at| (at, Arc::clone(&self.relayed))),
        };
        Ok(Connected { spec: spec(&route.document), destination: Arc::new(relay) })
    }
}

/// A CRM is told of one conversation in one order; to anybody else families are as independent as at Telegram.
fn spec(route: &RouteDocument) -> PushSpec {
    let order = match route.kind {
        RouteKind::Relay => OrderBy::ConversationAndFamily,
        RouteKind::Amocrm | RouteKind::Wahelp => OrderBy::Conversation,
    };
    PushSpec { order, max_in_flight: route.connections(), ..PushSpec::route() }
}

/// A foreign webhook.
struct Relay {
    client: WebhookClient,
    address: WebhookAddress,
    secret: Option<SecretToken>,
    receiver: RouteKind,
    /// What it is not to be told.
    rules: RouteRules,
    name: String,
    /// Answers that asked for a method.
    calls: AtomicU64,
    /// The account of its companion, and what is noted for it.
    companion: Option<(ConnectionId, Arc<Relayed>)>,
}

#[async_trait]
impl Destination for Relay {
    async fn deliver(&self, run: &Run) -> Delivered {
        for (taken, event) in run.events.iter().enumerate() {
            match self.post(run, event).await {
                Verdict::Done => {}
                verdict => return Delivered { taken, verdict, facts: Vec::new() },
            }
        }
        Delivered::all(run)
    }
}

impl Relay {
    async fn post(&self, run: &Run, event: &Event) -> Verdict {
        // The lane's filter lets nothing else through; what is no update has no bytes of Telegram's.
        if event.kind != EventKind::Update {
            return Verdict::Done;
        }
        if !self.rules.is_empty() && self.rules.decide(event).decision == Decision::Skip {
            return Verdict::Done;
        }
        if let Some((connection, relayed)) = &self.companion {
            // Before it goes: the account may tell of it before the receiver has answered.
            relayed.note(*connection, event.bot, &event.body);
        }
        match self.client.post(&self.address, self.secret.as_ref(), event.body.clone()).await {
            Ok(received) if is_success(received.status) => {
                self.note_call(run, &received);
                Verdict::Done
            }
            Ok(received) => {
                let failure = received.failure();
                retry(retry_after(&received.headers), Blame::Unclear, &failure)
            }
            Err(failure) => retry(None, blame(&failure), &failure),
        }
    }

    /// Whether this vendor answers with a method is unknown (amocrm.md 7.4): it shows here if it ever does.
    fn note_call(&self, run: &Run, received: &Received) {
        let Some(call) = ReplyCall::of_answer(&received.headers, &received.body) else { return };
        let calls = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let method: String = call.method.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
        let Self { receiver, name, .. } = self;
        if calls.is_power_of_two() {
            tracing::warn!(
                bot.id = %run.lane.bot, route.name = name, route.kind = receiver.as_str(),
                telegram.method = method, calls,
                "route {name} answered an update with a call of {method}, which is not carried out ({calls} such answers so far)"
            );
        }
    }
}

fn retry(after: Option<Duration>, blame: Blame, failure: &DeliveryFailure) -> Verdict {
    let reason = match failure {
        DeliveryFailure::NotAllowed => {
            format!("{failure}; security.allow_private_addresses = true allows them")
        }
        failure => failure.to_string(),
    };
    Verdict::Retry { after, blame, reason }
}

fn blame(failure: &DeliveryFailure) -> Blame {
    match failure {
        DeliveryFailure::Refused
        | DeliveryFailure::ConnectTimeout
        | DeliveryFailure::Tls(_)
        | DeliveryFailure::NotAllowed
        | DeliveryFailure::CannotConnect => Blame::Destination,
        DeliveryFailure::Status { .. } | DeliveryFailure::ReadTimeout | DeliveryFailure::Reset => {
            Blame::Unclear
        }
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay")
            .field("name", &self.name)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
