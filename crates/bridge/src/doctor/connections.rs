//! Each connection: what its account says of itself, step by step.

use tandem_vendor::Account;

use super::{FindingView, Section};
use crate::{Bridge, connections::LiveConnection};

impl Bridge {
    /// Whether anything is set that vendors must reach us for.
    pub(super) fn needs_public_address(&self) -> bool {
        !self.connections().list().is_empty()
    }

    pub(super) async fn examine_connections(&self) -> Vec<Section> {
        let mut sections = Vec::new();
        for live in self.connections().list() {
            let mut findings = Vec::new();
            let state = live.state();
            match state.sentence(live.name()) {
                None => findings.push(FindingView::good("state", format!("It is {}.", state.as_str()))),
                Some(sentence) if live.is_usable() => findings.push(FindingView::warning("state", sentence)),
                Some(sentence) => findings.push(FindingView::bad("state", sentence)),
            }
            if let Some(account) = live.account() {
                findings.extend(account.check().await.into_iter().map(FindingView::from));
            }
            sections.push(Section { about: format!("connection {}", live.name()), findings });
            if let Some(account) = live.account().filter(|_| live.is_usable()) {
                sections.extend(self.examine_routes(&live, &**account).await);
            }
        }
        sections
    }

    /// Whether what the routes of a connection name exists in its account.
    async fn examine_routes(&self, live: &LiveConnection, account: &dyn Account) -> Vec<Section> {
        let mut sections = Vec::new();
        for route in self.connections().routes_of(live.id()) {
            let findings = account.check_route(&route.channel.for_vendor(route.bot)).await;
            if !findings.is_empty() {
                let findings = findings.into_iter().map(FindingView::from).collect();
                let about = format!("route {} of bot {}", route.name, route.bot);
                sections.push(Section { about, findings });
            }
        }
        sections
    }

    /// Tries out what no documentation says. To somebody something is sent only when he is named.
    pub(super) async fn probe(&self, vendor: &str, to: Option<&str>) -> Vec<Section> {
        let mut sections = Vec::new();
        for live in self.connections().list().iter().filter(|live| live.vendor() == vendor) {
            let Some(account) = live.account() else { continue };
            let mut found = account.probe().await;
            if let Some(to) = to {
                found.extend(account.probe_to(to).await);
            }
            let mut findings: Vec<FindingView> = found.into_iter().map(FindingView::from).collect();
            if findings.is_empty() {
                let nothing = match to {
                    Some(_) => "There is nothing to try out here.",
                    None => {
                        "What is not known here is seen only by sending somebody something: name him with --to."
                    }
                };
                findings.push(FindingView::skipped("probe", nothing));
            }
            sections.push(Section { about: format!("probe {}", live.name()), findings });
        }
        sections
    }
}
