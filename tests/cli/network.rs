//! The way to GitLab through the real binary: proxies and authorities by configuration and
//! environment.

use std::path::PathBuf;
use std::sync::Arc;

use gitlab_sim::GitLab;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::support::Bench;
use crate::support::daemon::{self, Output};
use crate::{NEVER, shop_bench};

/// Runs a sync with more variables.
async fn synced_with(bench: &Bench, variables: &[(&str, &str)]) -> Output {
    let mut command = daemon::command(bench, &["sync"]);
    command.envs(variables.iter().copied());
    daemon::finish(command).await
}

/// What stands before a GitLab and speaks TLS for it, as nginx does; ends with the value.
struct Front {
    url: String,
    authority: PathBuf,
    task: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Front {
    #[expect(clippy::disallowed_methods, reason = "the server is aborted with its handle")]
    async fn before(gitlab: &GitLab) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider knows them")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("key and certificate fit");
        let acceptor = TlsAcceptor::from(Arc::new(config));

        let folder = tempfile::tempdir().expect("a folder");
        let authority = folder.path().join("corp.pem");
        std::fs::write(&authority, pem).expect("a file");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("https://{}", listener.local_addr().expect("an address"));
        let behind = gitlab.url().trim_start_matches("http://").to_owned();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                connections.spawn(async move {
                    // Who does not like the certificate ends the connection, and so may either side.
                    let Ok(mut near) = acceptor.accept(near).await else { return };
                    let mut far = TcpStream::connect(behind).await.expect("GitLab is there");
                    tokio::io::copy_bidirectional(&mut near, &mut far).await.ok();
                });
            }
        });
        Self { url, authority, task, _folder: folder }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn authority_is_believed_by_configuration_and_by_the_usual_variable() {
    let (gitlab, bench) = shop_bench(NEVER).await;
    let front = Front::before(&gitlab).await;
    let url = ("XREFD__GITLAB__0__URL", front.url.as_str());
    let file = front.authority.to_str().expect("a path in Unicode");

    // An authority that has signed nothing here.
    let stranger = Front::before(&gitlab).await;
    let other = stranger.authority.to_str().expect("a path in Unicode");
    for variables in [
        [url, ("SSL_CERT_FILE", other), ("A", "")],
        [url, ("SSL_CERT_FILE", other), ("XREFD__GITLAB__0__CA_FILE", other)],
    ] {
        let output = synced_with(&bench, &variables).await;
        assert_ne!(output.code, Some(0), "{output:#?}");
        assert!(output.stderr.contains("`ca_file`"), "{output:#?}");
    }
    for variables in [
        [url, ("SSL_CERT_FILE", file), ("A", "")],
        // Beside the others, not in their place.
        [url, ("SSL_CERT_FILE", other), ("XREFD__GITLAB__0__CA_FILE", file)],
    ] {
        let output = synced_with(&bench, &variables).await;
        assert_eq!(output.code, Some(0), "{output:#?}");
    }
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_of_the_environment_is_used_and_named_without_its_password() {
    let (gitlab, bench) = shop_bench(NEVER).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = closed.local_addr().expect("an address");
    drop(closed);
    let proxy = format!("http://me:hunter2@{address}");
    let output = synced_with(&bench, &[("HTTP_PROXY", &proxy), ("RUST_LOG", "trace")]).await;
    assert_ne!(output.code, Some(0), "{output:#?}");
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(said.contains(&format!("through the proxy http://{address} (HTTP_PROXY)")), "{said}");
    assert!(!said.contains("hunter2"), "{said}");

    let around = [("HTTP_PROXY", proxy.as_str()), ("no_proxy", "gitlab.example, 127.0.0.1")];
    let output = synced_with(&bench, &around).await;
    assert_eq!(output.code, Some(0), "{output:#?}");

    let output = synced_with(&bench, &[("HTTP_PROXY", "socks5://me:hunter2@a.example")]).await;
    assert_ne!(output.code, Some(0), "{output:#?}");
    assert!(output.stderr.contains("HTTP_PROXY names a proxy that is neither"), "{output:#?}");
    assert!(!output.stderr.contains("hunter2"), "{output:#?}");
    gitlab.stop().await;
}
