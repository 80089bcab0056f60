//! TLS to webhooks: the system's roots, or exactly the certificate that `setWebhook` brought.

use std::{io, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::target::Target;

/// Shakes hands; the error is a text for `last_error_message`.
pub(super) async fn connect(stream: TcpStream, target: &Target) -> Result<TlsStream<TcpStream>, String> {
    let name =
        ServerName::try_from(target.address.server_name()).map_err(|error| ssl_error(&error.to_string()))?;
    let config = config(target.wish.certificate.as_deref()).map_err(|error| ssl_error(&error.to_string()))?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| failed(&error))
}

fn config(certificate: Option<&[u8]>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let Some(pem) = certificate else {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(builder.with_root_certificates(roots).with_no_client_auth());
    };
    let certificate = CertificateDer::from_pem_slice(pem).map_err(|error| {
        rustls::Error::General(format!("the certificate of the webhook is no PEM: {error}"))
    })?;
    let pinned = Arc::new(Pinned { certificate, provider });
    Ok(builder.dangerous().with_custom_certificate_verifier(pinned).with_no_client_auth())
}

fn failed(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_)) => {
            ssl_error("error:0A000086:SSL routines::certificate verify failed")
        }
        Some(error) => ssl_error(&error.to_string()),
        None => super::link::describe(error),
    }
}

fn ssl_error(what: &str) -> String {
    format!("SSL error {{{what}}}")
}

/// Trusts one certificate, whatever it says about itself: bots upload self-signed ones, which no verifier of
/// chains accepts as a server's.
#[derive(Debug)]
struct Pinned {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.certificate {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
