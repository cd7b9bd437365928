//! Clients and servers that are not ours, and not always honest.

use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, ResolvesClientCert};
use rustls::crypto::{CryptoProvider, ring as provider};
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName as Name, UnixTime,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, Error, HandshakeKind, ServerConfig,
    SignatureScheme, version,
};
use tokio::io::{AsyncReadExt, DuplexStream};
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor, TlsConnector};

/// The key that a side authenticates with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key {
    /// One as it should be.
    Raw,
    /// None, and no word of raw keys.
    None,
    /// A certificate.
    X509,
    /// It can show raw keys, and shows none.
    Nothing,
    /// One of another kind.
    P256,
    /// One of another kind, with a signature as by Ed25519.
    ShownP256,
    /// The public key of someone else.
    Stolen,
    /// Two at once.
    Two,
}

impl Key {
    fn certified(self) -> Arc<CertifiedKey> {
        let own = ed25519();
        let pkcs8 = match self {
            Self::P256 => p256(),
            _ => own.clone_key(),
        };
        let key = provider::sign::any_supported_type(&PrivateKeyDer::Pkcs8(pkcs8)).unwrap();
        let spki = |pkcs8| {
            let key = provider::sign::any_supported_type(&PrivateKeyDer::Pkcs8(pkcs8)).unwrap();
            CertificateDer::from(key.public_key().unwrap().to_vec())
        };
        let shown = match self {
            Self::P256 | Self::ShownP256 => vec![spki(p256())],
            Self::Stolen => vec![spki(ed25519())],
            Self::Two => vec![spki(own.clone_key()), spki(own)],
            _ => vec![spki(own)],
        };
        Arc::new(CertifiedKey::new(shown, key))
    }
}

fn ed25519() -> PrivatePkcs8KeyDer<'static> {
    let random = ring::rand::SystemRandom::new();
    let pkcs8 = ring::signature::Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    PrivatePkcs8KeyDer::from(pkcs8.as_ref().to_vec())
}

fn p256() -> PrivatePkcs8KeyDer<'static> {
    let random = ring::rand::SystemRandom::new();
    let algorithm = &ring::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
    let pkcs8 = ring::signature::EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    PrivatePkcs8KeyDer::from(pkcs8.as_ref().to_vec())
}

fn ring() -> Arc<CryptoProvider> {
    Arc::new(provider::default_provider())
}

/// Whether raw keys are asked for; whatever is shown is taken.
#[derive(Debug)]
struct Gullible {
    raw: bool,
}

/// A client that takes every server.
pub(crate) struct Client {
    config: ClientConfig,
}

/// It can show raw keys, and shows none.
#[derive(Debug)]
struct ShowsNothing;

impl ResolvesClientCert for ShowsNothing {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn only_raw_public_keys(&self) -> bool {
        true
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Shows a certificate.
#[derive(Debug)]
struct ShowsX509(Arc<CertifiedKey>);

impl ResolvesClientCert for ShowsX509 {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ResolvesServerCert for ShowsX509 {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

impl Client {
    pub(crate) fn new(key: Key) -> Self {
        let builder = ClientConfig::builder_with_provider(ring())
            .with_protocol_versions(&[&version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Gullible { raw: true }));
        let resolver: Arc<dyn ResolvesClientCert> = match key {
            Key::None => {
                return Self::with(builder.with_no_client_auth());
            }
            Key::Nothing => Arc::new(ShowsNothing),
            Key::X509 => Arc::new(ShowsX509(key.certified())),
            _ => Arc::new(AlwaysResolvesClientRawPublicKeys::new(key.certified())),
        };
        Self::with(builder.with_client_cert_resolver(resolver))
    }

    fn with(mut config: ClientConfig) -> Self {
        config.alpn_protocols = vec![super::PROTOCOL.to_vec()];
        Self { config }
    }

    pub(crate) fn without_protocol(mut self) -> Self {
        self.config.alpn_protocols.clear();
        self
    }

    async fn connect(
        &self,
        stream: DuplexStream,
    ) -> io::Result<tokio_rustls::client::TlsStream<DuplexStream>> {
        let name = Name::try_from("p2pchat.test").unwrap();
        let connector = TlsConnector::from(Arc::new(self.config.clone()));
        connector.connect(name, stream).await
    }

    /// Connects, and reads all that the server sends.
    pub(crate) async fn read(self, stream: DuplexStream) -> io::Result<Vec<u8>> {
        let mut read = Vec::new();
        let mut stream = self.connect(stream).await?;
        stream.read_to_end(&mut read).await?;
        Ok(read)
    }

    /// Connects, and tells whether it did so without an earlier session.
    pub(crate) async fn is_full(&self, stream: DuplexStream) -> bool {
        let mut stream = self.connect(stream).await.unwrap();
        // A ticket would come now.
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Full)
    }
}

/// A server that takes every client.
pub(crate) struct Server {
    config: ServerConfig,
}

impl Server {
    pub(crate) fn new(key: Key) -> Self {
        let raw = !matches!(key, Key::X509);
        let builder = ServerConfig::builder_with_provider(ring())
            .with_protocol_versions(&[&version::TLS13])
            .unwrap()
            .with_client_cert_verifier(Arc::new(Gullible { raw }));
        let resolver: Arc<dyn ResolvesServerCert> = if raw {
            Arc::new(AlwaysResolvesServerRawPublicKeys::new(key.certified()))
        } else {
            Arc::new(ShowsX509(key.certified()))
        };
        let mut config = builder.with_cert_resolver(resolver);
        config.alpn_protocols = vec![super::PROTOCOL.to_vec()];
        Self { config }
    }

    pub(crate) fn without_protocol(mut self) -> Self {
        self.config.alpn_protocols.clear();
        self
    }

    /// Carries out the handshake, and waits.
    pub(crate) async fn accept(self, stream: DuplexStream) {
        let _accepted = TlsAcceptor::from(Arc::new(self.config))
            .accept(stream)
            .await;
        std::future::pending::<()>().await;
    }
}

/// What a client tells everyone on the way.
pub(crate) struct ServerName {
    pub(crate) name: Option<String>,
    pub(crate) protocols: Vec<Vec<u8>>,
}

impl ServerName {
    pub(crate) async fn of_hello(stream: DuplexStream) -> Self {
        let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
        let start = start.await.unwrap();
        let hello = start.client_hello();
        let protocols = hello.alpn().into_iter().flatten();
        Self {
            name: hello.server_name().map(str::to_owned),
            protocols: protocols.map(<[u8]>::to_vec).collect(),
        }
    }
}

impl ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &Name<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ED25519,
            SignatureScheme::ECDSA_NISTP256_SHA256,
        ]
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.raw
    }
}

impl ClientCertVerifier for Gullible {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ED25519,
            SignatureScheme::ECDSA_NISTP256_SHA256,
        ]
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.raw
    }
}
