//! Clients that post to apps' webhooks. Most webhooks share one, and with it its connections and its trusted
//! authorities, which take memory and time to read.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tandem_telegram::{
    upstream::{AddressGuard, Roots, SetUpError},
    webhook::{WebhookClient, WebhookPolicy, is_reserved},
};

/// The clients that are shared: one for each policy, made when it is first needed.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    any: Mutex<Option<WebhookClient>>,
    public: Mutex<Option<WebhookClient>>,
}

/// Lets nobody be connected to but public hosts, whatever a name resolves to by then.
#[derive(Debug)]
struct PublicOnly;

impl AddressGuard for PublicOnly {
    fn allows(&self, address: IpAddr) -> bool {
        !is_reserved(address)
    }
}

impl Clients {
    /// The client for a webhook: one of its own when it has a fixed address or a certificate.
    pub(super) fn client(
        &self,
        policy: WebhookPolicy,
        fixed: Option<IpAddr>,
        certificate: Option<String>,
    ) -> Result<WebhookClient, SetUpError> {
        let (shared, guard): (_, Option<Arc<dyn AddressGuard>>) = match policy {
            WebhookPolicy::Any => (&self.any, None),
            WebhookPolicy::PublicHttps => (&self.public, Some(Arc::new(PublicOnly))),
        };
        if fixed.is_some() || certificate.is_some() {
            let roots = certificate.map_or(Roots::Platform, |pem| Roots::Only(pem.into_bytes()));
            return WebhookClient::new(&roots, guard, fixed);
        }
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*shared {
            return Ok(client.clone());
        }
        let client = WebhookClient::new(&Roots::Platform, guard, None)?;
        *shared = Some(client.clone());
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tandem_telegram::webhook::{DeliveryFailure, WebhookAddress};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_name_that_stands_for_a_private_address_by_now_is_not_connected_to() {
        let private = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}/", private.local_addr().unwrap().port());
        let address = WebhookAddress::parse(&url, WebhookPolicy::Any).unwrap();
        for fixed in [None, Some([127, 0, 0, 1].into())] {
            let client = Clients::default().client(WebhookPolicy::PublicHttps, fixed, None).unwrap();
            let failure = client.post(&address, None, Bytes::new()).await.unwrap_err();
            assert_eq!(failure, DeliveryFailure::NotAllowed, "{fixed:?}");
        }
        let nobody_came = std::time::Duration::from_millis(1);
        assert!(tokio::time::timeout(nobody_came, private.accept()).await.is_err());
    }
}
