//! TLS 1.3 with raw public keys (RFC 7250): both sides have an Ed25519 key and no certificate.
//!
//! No server name is sent (it would tell listeners who is called), nothing is resumed (a resumed
//! session skips the verifier), no early data. The name of the protocol (ALPN) is checked by both
//! sides after the handshake too: TLS lets through a side that names none.
//!
//! A client believes that it is connected before the server has judged its key. So nothing counts
//! as connected before the first frame of the other side.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use p2pchat_protocol::v2::{Fingerprint, PublicKey};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::{CryptoProvider, ring as provider, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme, version,
};
use thiserror::Error as ThisError;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::code::fingerprint;
use crate::key::SecretKey;

/// An Ed25519 public key in the form that TLS sends (RFC 8410): these bytes, then the key.
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// The key that the server must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whichever it has: the first contact.
    Any,
    /// This one.
    Key(PublicKey),
    /// The one with this fingerprint.
    Fingerprint(Fingerprint),
}

impl Expected {
    fn is(&self, key: &PublicKey) -> bool {
        match self {
            Self::Any => true,
            Self::Key(expected) => expected == key,
            Self::Fingerprint(expected) => *expected == fingerprint(key),
        }
    }
}

/// Why a connection could not be encrypted.
#[derive(Debug, ThisError)]
pub enum HandshakeError {
    /// The server has another key than the one that is expected.
    #[error("the server has another key, with the fingerprint {}", fingerprint(.0))]
    OtherKey(PublicKey),
    /// What the other side sent is not TLS.
    #[error("the other side does not answer encrypted")]
    NotEncrypted,
    /// The other side speaks another protocol over TLS, or has a key of another kind.
    #[error("the other side does not speak this protocol: {0}")]
    OtherProtocol(String),
    /// The connection broke.
    #[error(transparent)]
    Io(io::Error),
}

impl HandshakeError {
    fn new(error: io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        match inner {
            None => Self::Io(error),
            Some(Error::InvalidMessage(_)) => Self::NotEncrypted,
            Some(inner) => Self::OtherProtocol(inner.to_string()),
        }
    }
}

/// Encrypts connections as their server.
#[derive(Clone)]
pub struct Acceptor {
    acceptor: TlsAcceptor,
    protocol: &'static [u8],
}

impl Acceptor {
    /// A server with this key, for this protocol.
    #[must_use]
    pub fn new(key: &SecretKey, protocol: &'static [u8]) -> Self {
        let builder = ServerConfig::builder_with_provider(ring())
            .with_protocol_versions(&[&version::TLS13])
            .expect("ring has TLS 1.3");
        let resolver = AlwaysResolvesServerRawPublicKeys::new(certified(key));
        let mut config = builder
            .with_client_cert_verifier(Arc::new(Verifier::new(Expected::Any)))
            .with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = vec![protocol.to_vec()];
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Self {
            acceptor: Arc::new(config).into(),
            protocol,
        }
    }

    /// Carries out the handshake. The caller limits its time.
    ///
    /// # Errors
    /// If the client has no key, does not speak this protocol, or is gone.
    pub async fn accept<S>(&self, stream: S) -> Result<Secured<S>, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let accepted = self.acceptor.accept(stream).await;
        Secured::new(accepted.map_err(HandshakeError::new)?.into(), self.protocol)
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acceptor")
    }
}

/// Encrypts connections as their client.
#[derive(Clone)]
pub struct Connector {
    key: Arc<CertifiedKey>,
    protocol: &'static [u8],
}

impl Connector {
    /// A client with this key, for this protocol.
    #[must_use]
    pub fn new(key: &SecretKey, protocol: &'static [u8]) -> Self {
        Self {
            key: certified(key),
            protocol,
        }
    }

    /// Carries out the handshake. The caller limits its time.
    ///
    /// # Errors
    /// If the server has another key, does not speak this protocol, or is gone.
    pub async fn connect<S>(
        &self,
        stream: S,
        expected: Expected,
    ) -> Result<Secured<S>, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let verifier = Arc::new(Verifier::new(expected));
        let builder = ClientConfig::builder_with_provider(ring())
            .with_protocol_versions(&[&version::TLS13])
            .expect("ring has TLS 1.3");
        let resolver = AlwaysResolvesClientRawPublicKeys::new(Arc::clone(&self.key));
        let mut config = builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<_>)
            .with_client_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = vec![self.protocol.to_vec()];
        config.enable_sni = false;
        config.resumption = Resumption::disabled();
        let connector = TlsConnector::from(Arc::new(config));
        // Not sent, and not looked at.
        let name = ServerName::IpAddress(IpAddr::V4(Ipv4Addr::UNSPECIFIED).into());
        match connector.connect(name, stream).await {
            Ok(stream) => Secured::new(stream.into(), self.protocol),
            Err(error) => Err(match verifier.refused.get() {
                Some(key) => HandshakeError::OtherKey(*key),
                None => HandshakeError::new(error),
            }),
        }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

/// An encrypted connection to the holder of a key.
///
/// What is written to it waits, encrypted, for the connection below to take it: at most 64 KiB,
/// then writing waits. A flush waits until all of it is taken. A side that is gone without a
/// shutdown is an [`io::ErrorKind::UnexpectedEof`] to the other.
#[derive(Debug)]
pub struct Secured<S> {
    stream: TlsStream<S>,
    peer: PublicKey,
}

impl<S> Secured<S> {
    fn new(stream: TlsStream<S>, protocol: &[u8]) -> Result<Self, HandshakeError> {
        let missing = |what: &str| HandshakeError::OtherProtocol(what.to_owned());
        let (_, connection) = stream.get_ref();
        if connection.alpn_protocol() != Some(protocol) {
            return Err(missing("it does not name it"));
        }
        let keys = connection.peer_certificates();
        let key = keys.and_then(|keys| public_key(keys.first()?));
        let peer = key.ok_or_else(|| missing("it has no key"))?;
        Ok(Self { stream, peer })
    }

    /// The key of the other side.
    #[must_use]
    pub fn peer(&self) -> PublicKey {
        self.peer
    }

    /// The connection below.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        self.stream.get_ref().0
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Secured<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Secured<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

fn ring() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(provider::default_provider())))
}

fn certified(key: &SecretKey) -> Arc<CertifiedKey> {
    let pkcs8 = key.to_pkcs8();
    let signing = provider::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(&pkcs8[..]));
    let signing = signing.expect("an Ed25519 key in PKCS #8");
    let spki = [&SPKI[..], &key.public().0].concat();
    Arc::new(CertifiedKey::new(vec![CertificateDer::from(spki)], signing))
}

/// The key in what TLS has of it.
fn public_key(spki: &CertificateDer<'_>) -> Option<PublicKey> {
    let key = spki.as_ref().strip_prefix(&SPKI)?;
    PublicKey::try_from(key).ok()
}

/// Accepts Ed25519 keys, and of a server only the expected one.
#[derive(Debug)]
struct Verifier {
    expected: Expected,
    /// The key that was not the expected one.
    refused: OnceLock<PublicKey>,
}

impl Verifier {
    fn new(expected: Expected) -> Self {
        Self {
            expected,
            refused: OnceLock::new(),
        }
    }

    /// RFC 8446 (4.4.2) allows one raw key, with nothing behind it.
    fn check(&self, spki: &CertificateDer<'_>, more: &[CertificateDer<'_>]) -> Result<(), Error> {
        let key = public_key(spki).filter(|_| more.is_empty());
        let key = key.ok_or(CertificateError::BadEncoding)?;
        if self.expected.is(&key) {
            return Ok(());
        }
        self.refused.get_or_init(|| key);
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn check_signature(
        message: &[u8],
        spki: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let spki = SubjectPublicKeyInfoDer::from(spki.as_ref());
        let algorithms = &ring().signature_verification_algorithms;
        verify_tls13_signature_with_raw_key(message, &spki, signature, algorithms)
    }
}

/// TLS 1.2 is not spoken.
fn no_tls_1_2() -> Result<HandshakeSignatureValid, Error> {
    Err(Error::General("TLS 1.3 only".to_owned()))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        key: &CertificateDer<'_>,
        more: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(key, more)
            .map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        no_tls_1_2()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::check_signature(message, key, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        key: &CertificateDer<'_>,
        more: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(key, more)
            .map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        no_tls_1_2()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::check_signature(message, key, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
