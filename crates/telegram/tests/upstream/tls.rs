//! Over TLS, with a certificate made for these tests.

use std::{sync::Arc, time::Duration};

use tandem_telegram::{
    params::Params,
    upstream::{CallError, NotSent, Roots, ServerBase, SetUpError, Settings, Upstream},
    webhook::{DeliveryFailure, WebhookAddress, WebhookClient, WebhookPolicy},
};
use tokio::io::AsyncWriteExt;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use super::server::{Server, json, quick, read_request, token};

const CERTIFICATE: &[u8] = include_bytes!("cert.pem");
/// As Telegram's guide to webhooks has it made, with the same key.
const SELF_SIGNED: &[u8] = include_bytes!("self-signed.pem");

fn settings(port: u16, roots: Roots) -> Settings {
    let base = ServerBase::parse(&format!("https://localhost:{port}")).unwrap();
    Settings { roots, ..quick(Settings::for_server(base)) }
}

async fn tls_server() -> Server {
    tls_server_with(CERTIFICATE).await
}

async fn tls_server_with(certificate: &[u8]) -> Server {
    let certificate = CertificateDer::from_pem_slice(certificate).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Server::start(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            while read_request(&mut stream).await.is_some() {
                stream.write_all(json("200 OK", r#"{"ok":true,"result":7}"#).as_bytes()).await.unwrap();
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_certificate_of_a_trusted_authority_is_believed_and_no_other() {
    let server = tls_server().await;
    let port = server.address.port();
    let upstream = Upstream::new(settings(port, Roots::Only(CERTIFICATE.to_vec()))).unwrap();
    assert_eq!(upstream.call(&token(), "getMe", &Params::of([])).await.unwrap(), "7");

    match Upstream::new(settings(port, Roots::Platform)) {
        Ok(upstream) => {
            let error = upstream.call(&token(), "getMe", &Params::of([])).await.unwrap_err();
            let CallError::NotSent(NotSent::Transport(error)) = error else { panic!("{error:?}") };
            assert!(error.chain().contains("certificate"), "{}", error.chain());
        }
        // A machine without any certificates is told so at once.
        Err(error) => assert!(matches!(error, SetUpError::NoRoots)),
    }
    let error = Upstream::new(settings(port, Roots::Only(b"nonsense".to_vec()))).unwrap_err();
    assert!(matches!(error, SetUpError::BadRoots));
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_got_nothing() {
    let server = Server::start(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let mut settings = settings(server.address.port(), Roots::Only(CERTIFICATE.to_vec()));
    settings.limits.connect = Duration::from_millis(100);
    let upstream = Upstream::new(settings).unwrap();
    let error = upstream.call(&token(), "getMe", &Params::of([])).await.unwrap_err();
    let CallError::NotSent(NotSent::Transport(error)) = error else { panic!("{error:?}") };
    assert!(error.chain().contains("no connection within 100ms"), "{}", error.chain());
}

#[tokio::test]
async fn a_webhooks_own_certificate_is_believed_though_it_signed_itself_and_no_other_is() {
    let server = tls_server_with(SELF_SIGNED).await;
    let url = format!("https://127.0.0.1:{}/hook", server.address.port());
    let address = WebhookAddress::parse(&url, WebhookPolicy::Any).unwrap();
    let client = |pem: &[u8]| WebhookClient::new(&Roots::Only(pem.to_vec()), None, None);
    let update = bytes::Bytes::from_static(b"{\"update_id\":1}");
    let received = client(SELF_SIGNED).unwrap().post(&address, None, update.clone()).await.unwrap();
    assert_eq!(received.status, 200);
    let failure = client(CERTIFICATE).unwrap().post(&address, None, update).await.unwrap_err();
    assert!(matches!(failure, DeliveryFailure::Tls(_)), "{failure:?}");
    assert!(matches!(client(b"no certificate"), Err(SetUpError::BadRoots)));
}
