//! The same server over TLS, with certificates made on the fly.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::serve::Listener;
use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// An authority that signs certificates for tests, with the file that `ca_file` may name.
pub(in crate::gitlab) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(in crate::gitlab) pem: String,
    directory: tempfile::TempDir,
}

/// For how long a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::gitlab) enum Validity {
    Present,
    Past,
}

impl Authority {
    pub(in crate::gitlab) fn new() -> Self {
        Self::named("Corp Root")
    }

    pub(in crate::gitlab) fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("ca.pem"), &pem).expect("a file");
        Self { issuer: Issuer::new(params, key), pem, directory }
    }

    /// Returns the file that holds its certificate.
    pub(in crate::gitlab) fn file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// Makes what a server of this name answers handshakes with.
    pub(in crate::gitlab) fn acceptor(
        &self,
        name: &str,
        validity: Validity,
        protocols: &[&str],
    ) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        if validity == Validity::Past {
            params.not_before = rcgen::date_time_ymd(2001, 1, 1);
            params.not_after = rcgen::date_time_ymd(2002, 1, 1);
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        accept_with(&certificate, &key, protocols)
    }
}

/// Makes what a server answers handshakes with that vouches for itself, and its certificate.
pub(in crate::gitlab) fn self_signed(name: &str) -> (TlsAcceptor, String) {
    let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    (accept_with(&certificate, &key, &["http/1.1"]), certificate.pem())
}

fn accept_with(certificate: &Certificate, key: &KeyPair, protocols: &[&str]) -> TlsAcceptor {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows them")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("key and certificate fit");
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// Takes in connections whose handshake succeeds.
pub(super) struct TlsListener {
    pub(super) tcp: TcpListener,
    pub(super) acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.tcp.accept().await else {
                continue;
            };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}
