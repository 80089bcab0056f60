//! What is counted of apps' calls and of events that come into journals.

use http::StatusCode;
use tandem_journal::Appended;
use tandem_metrics::{Counter, Family, Gauge, Label, Metric, Registry};
use tandem_model::{EventKind, NewEvent, Upstream};
use tandem_telegram::{
    methods::{Act, Method},
    update::Kind,
    upstream::Target,
};

use crate::{Gateway, Recorder};

/// What is counted here.
pub const METRICS: &[Metric] = &[EVENTS, REPEATED, CALLS, WAITING, UNKEPT];

const EVENTS: Metric = Metric::counter(
    "tandem_events",
    "Events committed to journals",
    &[
        Label { name: "kind", values: "update, sent, reply, outcome, mark" },
        Label {
            name: "topic",
            values: "of an update: its kind in the Bot API or `unknown`; of a sent: what was done, as `send` or `edit`; \
                     else empty",
        },
    ],
);
const REPEATED: Metric = Metric::counter(
    "tandem_repeated_updates",
    "Updates that were in the journal already and were not stored again",
    &[],
);
const CALLS: Metric = Metric::counter(
    "tandem_calls",
    "Calls of apps that were answered, by us or by Telegram",
    &[
        Label {
            name: "method",
            values: "the Bot API's methods as documented, `file` for a download, `unknown` for any other, `none` for \
                     what is no call",
        },
        Label { name: "status", values: "the HTTP status, or `other` for an unusual one" },
    ],
);
const WAITING: Metric = Metric::gauge("tandem_long_polls", "Calls of getUpdates that wait for an event", &[]);
const UNKEPT: Metric = Metric::counter(
    "tandem_unkept_sends",
    "Calls that Telegram carried out and the journal could not take: the one hole of invariant 1",
    &[],
);

/// Statuses that are told apart.
const STATUSES: [(u16, &str); 18] = [
    (200, "200"),
    (206, "206"),
    (304, "304"),
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (409, "409"),
    (410, "410"),
    (413, "413"),
    (414, "414"),
    (416, "416"),
    (429, "429"),
    (500, "500"),
    (501, "501"),
    (502, "502"),
    (503, "503"),
    (504, "504"),
];

type Pair = [(&'static str, &'static str); 2];

/// Counters of the calls of apps.
#[derive(Debug, Default)]
pub(crate) struct CallMetrics {
    calls: Family<Pair, Counter>,
    pub(crate) waiting: Gauge,
    pub(crate) unkept: Counter,
}

impl CallMetrics {
    pub(crate) fn count(&self, method: &'static str, status: StatusCode) {
        let status =
            STATUSES.iter().find(|(code, _)| *code == status.as_u16()).map_or("other", |(_, name)| name);
        self.calls.get_or_create(&[("method", method), ("status", status)]).inc();
    }
}

/// What a call is counted as.
pub(crate) fn method_of(target: Target<'_>) -> &'static str {
    match target {
        Target::Method(path) => {
            let name = path.strip_prefix("test/").unwrap_or(path);
            Method::find(name).map_or("unknown", Method::name)
        }
        Target::File(_) => "file",
    }
}

/// Counters of what is recorded. Clones are the same counters.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecorderMetrics {
    events: Family<Pair, Counter>,
    repeated: Counter,
}

impl RecorderMetrics {
    pub(crate) fn count(&self, events: &[Recorded], appended: &[Appended]) {
        for (Recorded { kind, topic, .. }, appended) in events.iter().zip(appended) {
            match appended {
                Appended::New { .. } => {
                    self.events.get_or_create(&[("kind", kind.as_str()), ("topic", topic)]).inc();
                }
                Appended::Duplicate { .. } => {
                    self.repeated.inc();
                }
            }
        }
    }
}

/// What is counted and logged of an event.
pub(crate) struct Recorded {
    pub(crate) kind: EventKind,
    pub(crate) topic: &'static str,
    /// The number that its source gave it: Telegram's `update_id`.
    pub(crate) upstream: Option<Upstream>,
}

impl Recorded {
    pub(crate) fn of(event: &NewEvent) -> Self {
        let topic = match event.kind {
            EventKind::Update => Kind::of_topic(event.topic).name().unwrap_or("unknown"),
            EventKind::Sent => Act::from_topic(event.topic).map_or("", Act::as_str),
            EventKind::Reply | EventKind::Outcome | EventKind::Mark => "",
        };
        Self { kind: event.kind, topic, upstream: event.upstream }
    }
}

impl Gateway {
    /// Shows what is counted of the calls of apps.
    pub fn register_metrics(&self, registry: &mut Registry) {
        let metrics = &self.inner().metrics;
        registry.register(&CALLS, metrics.calls.clone());
        registry.register(&WAITING, metrics.waiting.clone());
        registry.register(&UNKEPT, metrics.unkept.clone());
    }
}

impl Recorder {
    /// Shows what is counted of events.
    pub fn register_metrics(&self, registry: &mut Registry) {
        registry.register(&EVENTS, self.metrics().events.clone());
        registry.register(&REPEATED, self.metrics().repeated.clone());
    }
}
