//! The table: the fifteen groups of the reference's section 10.

mod addresses;
mod allowed;
mod bodies;
mod clamping;
mod crashes;
mod deliveries;
mod dropping;
mod errors;
mod mirror;
mod offsets;
mod polls;
mod redeliveries;
mod replies;
mod set_webhook;
mod webhook_info;

use crate::table::Group;

pub(crate) static GROUPS: [Group; 15] = [
    Group { title: "Addresses, request forms and sizes", cases: &[addresses::CASES, bodies::CASES] },
    Group { title: "Clamping of numbers", cases: &[clamping::CASES] },
    Group { title: "The offset table and lifetimes", cases: &[offsets::CASES] },
    Group { title: "Concurrent polls", cases: &[polls::CONCURRENT] },
    Group { title: "Repeated polls", cases: &[polls::REPEATED] },
    Group { title: "Polling and webhooks", cases: &[polls::WEBHOOKS] },
    Group { title: "Setting and deleting webhooks", cases: &[set_webhook::CASES] },
    Group { title: "Allowed updates", cases: &[allowed::CASES] },
    Group { title: "Dropping what is pending", cases: &[dropping::CASES] },
    Group { title: "WebhookInfo", cases: &[webhook_info::CASES] },
    Group {
        title: "Deliveries to webhooks",
        cases: &[deliveries::REQUESTS, deliveries::ORDER, redeliveries::CASES, replies::CASES],
    },
    Group { title: "Crashes and restarts", cases: &[crashes::CRASHES] },
    Group { title: "Ids that begin anew", cases: &[crashes::REBASED] },
    Group { title: "Errors and the envelope", cases: &[errors::TOKENS, errors::ENVELOPE, errors::TEXTS] },
    Group { title: "The mirror of what is said", cases: &[mirror::CASES] },
];
