//! Webhooks over https: the certificate that `setWebhook` brought is trusted, an unknown one is not.

use tokio_rustls::rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::stage::{Receiver, Stage, soon};

const CERTIFICATE: &[u8] = include_bytes!("tls/certificate.pem");
/// Made for this test; protects nothing.
const KEY: &[u8] = include_bytes!("tls/throwaway-key.pem");

async fn receiver() -> Receiver {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Receiver::start_tls(config).await
}

#[tokio::test]
async fn an_uploaded_certificate_is_trusted_and_shown() {
    let stage = Stage::start().await;
    let mut receiver = receiver().await;
    let part = "--b\r\nContent-Disposition: form-data; name=\"certificate\"; filename=\"c.pem\"\r\n\r\n";
    let body = [part.as_bytes(), CERTIFICATE, b"\r\n--b--\r\n"].concat();
    let path = format!("/bot{}/setWebhook?url={}", stage.token(), receiver.url);
    assert_eq!(stage.post(&path, "multipart/form-data; boundary=b", body).await.status, 200);
    assert_eq!(stage.webhook_info().await["has_custom_certificate"], true);
    let id = stage.message(1, "over TLS");
    let delivery = receiver.next().await;
    assert_eq!(delivery.update_id(), id);
    delivery.ok();
}

#[tokio::test]
async fn an_unknown_certificate_shows_up_only_in_webhook_info() {
    let stage = Stage::start().await;
    let mut receiver = receiver().await;
    let set = stage.call("setWebhook", &format!("url={}", receiver.url)).await;
    assert_eq!(set.json()["description"], "Webhook was set");
    stage.message(1, "never arrives");
    soon("the error", async {
        let expected = "SSL error {error:0A000086:SSL routines::certificate verify failed}";
        while stage.webhook_info().await["last_error_message"] != expected {}
    })
    .await;
    assert!(receiver.arrived().is_none());
}
