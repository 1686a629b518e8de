//! Which proxy is used, and that it is, against real ones.

use std::error::Error as _;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;
use crate::gitlab::stub::tls::{Authority, Validity};
use crate::gitlab::stub::{Stub, client, json, settings};
use crate::gitlab::{Client, Verdict};

const VERSION: &str = r#"{"version":"19.0.0-pre","revision":"3b95b4c0792"}"#;

/// A proxy that leads every name to one server: it forwards requests, and opens tunnels.
struct ProxyServer {
    address: String,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for ProxyServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ProxyServer {
    #[expect(clippy::disallowed_methods, reason = "the server is aborted with its handle")]
    async fn to(stub: &Stub) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let target = stub.url.rsplit('/').next().expect("host and port").to_owned();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heads);
        let task = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(near.read_u8().await.expect("a request"));
                }
                let mut far = TcpStream::connect(&target).await.expect("the server is there");
                let text = String::from_utf8(head).expect("a head in ASCII");
                if text.starts_with("CONNECT ") {
                    near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("the client is there");
                } else {
                    far.write_all(text.as_bytes()).await.expect("the server is there");
                }
                log.lock().expect("not poisoned").push(text);
                // One after the other will do; either side may end it.
                tokio::io::copy_bidirectional(&mut near, &mut far).await.ok();
            }
        });
        Self { address, heads, task }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("not poisoned").clone()
    }
}

fn behind(url: &str, variables: &[(&str, &str)]) -> Client {
    let mut settings = settings(url);
    settings.proxies = proxies(variables);
    client(settings)
}

fn proxies(variables: &[(&str, &str)]) -> Proxies {
    let environment: Environment =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Proxies::read(&environment)
}

/// `me:hunter2`, as it is sent.
const CREDENTIALS: &str = "proxy-authorization: Basic bWU6aHVudGVyMg==";

#[tokio::test]
async fn request_in_plain_text_is_forwarded_by_the_proxy() {
    let stub = Stub::start(|_, _| json(200, VERSION)).await;
    let proxy = ProxyServer::to(&stub).await;
    let address = format!("http://me:hunter2@{}", proxy.address);
    let client = behind("http://gitlab.example/gl", &[("HTTP_PROXY", &address)]);
    client.version().await.expect("a version");
    let head = proxy.heads().pop().expect("a request");
    assert!(head.starts_with("GET http://gitlab.example/gl/api/v4/version HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().contains(&CREDENTIALS.to_lowercase()), "{head}");
    assert!(!format!("{client:?}{:?}", proxies(&[("HTTP_PROXY", &address)])).contains("hunter2"));
}

#[tokio::test]
async fn encrypted_request_goes_through_a_tunnel_that_does_not_see_the_token() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("gitlab.example", Validity::Present, &["h2", "http/1.1"]);
    let stub = Stub::start_tls(acceptor, |_, _| json(200, VERSION)).await;
    let proxy = ProxyServer::to(&stub).await;
    let mut settings = settings("https://gitlab.example:8443");
    let address = format!("me:hunter2@{}", proxy.address);
    settings.proxies = proxies(&[("https_proxy", &address), ("HTTP_PROXY", "http://127.0.0.1:1")]);
    settings.ca_file = Some(authority.file());
    client(settings).version().await.expect("a version");
    let head = proxy.heads().pop().expect("a request");
    assert!(head.starts_with("CONNECT gitlab.example:8443 HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().contains(&CREDENTIALS.to_lowercase()), "{head}");
    assert!(!head.contains(crate::gitlab::stub::TOKEN), "{head}");
    assert_eq!(stub.asked()[0].headers["private-token"], crate::gitlab::stub::TOKEN);
}

#[tokio::test]
async fn host_that_needs_no_proxy_is_asked_directly() {
    let stub = Stub::start(|_, _| json(200, VERSION)).await;
    let proxy = ProxyServer::to(&stub).await;
    let variables = [("ALL_PROXY", proxy.address.as_str()), ("NO_PROXY", "a.example, 127.0.0.1")];
    behind(&stub.url, &variables).version().await.expect("a version");
    assert_eq!(proxy.heads().len(), 0);
    assert_eq!(stub.asked()[0].uri, "/api/v4/version");
    behind(&stub.url, &variables[..1]).version().await.expect("a version");
    assert_eq!(proxy.heads().len(), 1);
}

#[tokio::test]
async fn proxy_that_is_not_there_is_named_without_its_password() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    for url in ["http://gitlab.example", "https://gitlab.example"] {
        let mut settings = settings(url);
        let authority = Authority::new();
        settings.ca_file = Some(authority.file());
        settings.proxies = proxies(&[("all_proxy", &format!("http://me:hunter2@{address}"))]);
        let error = client(settings).version().await.expect_err("no proxy");
        assert_eq!(error.verdict(), Verdict::Abort);
        let mut text = format!("{error} {error:?} {}", error.hint().expect("a next step"));
        let mut cause = error.source();
        while let Some(error) = cause {
            write!(text, " {error} {error:?}").expect("a String takes every write");
            cause = error.source();
        }
        assert!(text.contains(&format!("{url} through the proxy http://{address} (all_proxy)")));
        assert!(text.contains("the proxy variables"), "{text}");
        assert!(!text.contains("hunter2") && !text.contains("bWU6aHVudGVyMg"), "{text}");
    }
}

#[test]
fn proxy_is_chosen_by_the_scheme_of_the_address() {
    let all = [
        ("http_proxy", "http://a.example:1"),
        ("HTTP_PROXY", "http://b.example:2"),
        ("HTTPS_PROXY", "https://c.example"),
        ("ALL_PROXY", "d.example:4"),
    ];
    for (variables, url, shown) in [
        (&all[..], "http://g.example", Some("http://a.example:1 (http_proxy)")),
        (&all[1..], "http://g.example", Some("http://b.example:2 (HTTP_PROXY)")),
        (&all, "https://g.example", Some("https://c.example (HTTPS_PROXY)")),
        (&all[2..], "http://g.example", Some("http://d.example:4 (ALL_PROXY)")),
        (&all[..2], "https://g.example", None),
        (&[("http_proxy", " ")], "http://g.example", None),
        (&[], "http://g.example", None),
    ] {
        let url = Url::parse(url).expect("an address");
        let proxy = proxies(variables).find(&url).expect("no mistake");
        assert_eq!(proxy.as_ref().map(Proxy::shown), shown, "{variables:?}");
    }
}

#[test]
fn mistake_in_a_variable_is_said_without_its_value() {
    let url = Url::parse("https://g.example").expect("an address");
    for value in ["socks5://me:hunter2@p.example", "http://me:hunter2@", "http://me:hunter2@a b"] {
        let error = proxies(&[("HTTPS_PROXY", value)]).find(&url).expect_err("a mistake");
        let text = format!("{error} {error:?}");
        assert!(text.contains("HTTPS_PROXY") && !text.contains("hunter2"), "{text}");
        let unused = proxies(&[("HTTP_PROXY", value)]).find(&url).expect("it does not count");
        assert!(unused.is_none());
    }
}

#[test]
fn hosts_without_a_proxy_are_listed_by_name_address_or_network() {
    for (list, url, direct) in [
        ("*", "https://g.example", true),
        ("g.example", "https://g.example", true),
        ("G.Example.", "https://g.example", true),
        ("example", "https://g.example", true),
        (".example", "https://g.example", true),
        ("*.example", "https://g.example", true),
        (".g.example", "https://g.example", true),
        ("a.example,g.example", "https://g.example:8443", true),
        ("a.example  g.example", "https://g.example", true),
        ("g.example:443", "https://g.example", true),
        ("g.example:8443", "https://g.example", false),
        ("größe.example", "https://xn--gre-6ka8i.example", true),
        ("ample", "https://g.example", false),
        ("g.example.org", "https://g.example", false),
        ("x.g.example", "https://g.example", false),
        ("", "https://g.example", false),
        (",, .", "https://g.example", false),
        ("10.0.0.0/8", "http://10.1.2.3:8080", true),
        ("10.0.0.0/8", "http://11.1.2.3", false),
        ("0.0.0.0/0", "http://11.1.2.3", true),
        ("10.0.0.0/33", "http://10.0.0.0", false),
        ("10.0.0.0/x", "http://10.0.0.0", false),
        ("10.0.0.0/8", "http://g.example", false),
        ("10.1.2.3", "http://10.1.2.3:8080", true),
        ("10.1.2.3:8080", "http://10.1.2.3:8080", true),
        ("10.1.2.3:8081", "http://10.1.2.3:8080", false),
        ("2.3", "http://10.1.2.3", false),
        ("::1", "http://[::1]:8080", true),
        ("[::1]", "http://[::1]:8080", true),
        ("[::1]:8080", "http://[::1]:8080", true),
        ("[::1]:8081", "http://[::1]:8080", false),
        ("fd00::/8", "http://[fd12::1]", true),
        ("::/0", "http://[fd12::1]", true),
        ("::/0", "http://10.1.2.3", false),
    ] {
        let url = Url::parse(url).expect("an address");
        assert_eq!(reached_without(list, &url), direct, "{list} {url}");
    }
}
