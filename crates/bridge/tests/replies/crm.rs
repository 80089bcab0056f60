//! A CRM that takes whatever it is told and keeps it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tandem_bridge::{ConnectError, Connected, Connector, RouteDocument, RouteMode, RouteSetting};
use tandem_lanes::{Delivered, Destination, LaneAddress, PushSpec, Run};
use tandem_model::Event;

/// What was told.
#[derive(Clone, Default)]
pub(crate) struct Crm(Arc<Mutex<Vec<Arc<Event>>>>);

impl Crm {
    pub(crate) fn told(&self) -> Vec<Arc<Event>> {
        self.0.lock().unwrap().clone()
    }
}

impl Connector for Crm {
    fn serves(&self, route: &RouteDocument) -> bool {
        route.mode == Some(RouteMode::Channel)
    }

    fn connect(&self, _lane: LaneAddress, _route: &RouteSetting) -> Result<Connected, ConnectError> {
        Ok(Connected { spec: PushSpec::route(), destination: Arc::new(self.clone()) })
    }
}

#[async_trait]
impl Destination for Crm {
    async fn deliver(&self, run: &Run) -> Delivered {
        self.0.lock().unwrap().extend(run.events.iter().cloned());
        Delivered::all(run)
    }
}
