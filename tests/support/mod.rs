//! What the tests of the whole share: a configuration for a simulated GitLab, an index made from
//! it in this process, and questions to it over HTTP.
//!
//! It refuses to know what is right: that is for the tests, and for `facts`, which writes the
//! simulator's truth and an index in the same words.

#![allow(dead_code, reason = "every test binary uses a part of this")]

pub mod content;
pub mod daemon;
pub mod facts;
pub mod mischief;
pub mod shop;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use gitlab_sim::GitLab;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqliteRow};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use xrefd::clock::{Clock, SystemClock};
use xrefd::config::{Config, Environment, Loaded, Source};
use xrefd::crawl::{Crawler, Pass, Progress, Silent, Status, Summary};
use xrefd::lookup::{Lookup, Viewer};
use xrefd::serve::{self, App, HookSecrets};
use xrefd::store::Store;

/// A key that may see everything.
pub const MEMBER: &str = "xrefd_member-of-everything";

/// A key that may see what is not confidential.
pub const READER: &str = "xrefd_reader-of-everything";

/// What the webhooks of each source send as their token.
pub const HOOK_TOKEN: &str = "told-to-the-hooks";

/// What the webhooks of each source may sign with in its place.
pub const HOOK_SIGNING: &str = "signed-by-the-hooks";

/// The variable in which the configuration expects the token.
pub const TOKEN_VARIABLE: &str = "XREFD_TEST_TOKEN";

/// Returns the section that lets a key in. `more` are further lines of it.
pub fn api_key(name: &str, secret: &str, scopes: &str, more: &str) -> String {
    let hash = Sha256::digest(secret.as_bytes());
    let hash = hash.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    format!("[[api_keys]]\nname = \"{name}\"\nsha256 = \"{hash}\"\nscopes = [{scopes}]\n{more}\n")
}

/// Returns the sections for [`MEMBER`] and [`READER`].
pub fn both_keys() -> String {
    api_key("member", MEMBER, "\"read\", \"confidential\"", "")
        + &api_key("reader", READER, "\"read\"", "")
}

/// Returns the section that tells prefixes of bare keys, as the demo tells them.
pub fn prefixes(settings: &gitlab_sim::truth::Settings) -> String {
    let lines = settings.prefixes.iter().map(|(kind, names)| format!("{kind} = {names:?}\n"));
    lines.fold("[rules.prefixes]\n".to_owned(), |text, line| text + &line)
}

/// A configuration on disk, beside the index that it names.
pub struct Bench {
    folder: TempDir,
    token: String,
}

impl Bench {
    /// Writes a configuration for one group of a simulated GitLab. `source` are further lines of
    /// its section, `more` are further sections.
    pub fn new(gitlab: &GitLab, group: &str, source: &str, more: &str) -> Self {
        // As a real one does: the crawl goes by GitLab's clock.
        gitlab.tell_world_time();
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let bench = Self { folder, token: gitlab.token().to_owned() };
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n\
             [database]\nurl = \"sqlite://{}\"\n\
             [[gitlab]]\nname = \"sim\"\nurl = \"{}\"\ntoken = {{ env = \"{TOKEN_VARIABLE}\" }}\n\
             groups = [\"{group}\"]\nrequests_per_minute = 600000\n{source}\n{more}\n",
            bench.database().display(),
            gitlab.url(),
        );
        bench.write_config(&text);
        bench
    }

    /// Takes another token than the bot's.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        token.clone_into(&mut self.token);
        self
    }

    /// Replaces the configuration.
    pub fn write_config(&self, text: &str) {
        std::fs::write(self.config(), text).expect("the configuration can be written");
    }

    /// Returns the configuration as it is written.
    pub fn config_text(&self) -> String {
        std::fs::read_to_string(self.config()).expect("the configuration can be read")
    }

    /// Returns the file of the configuration.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("xrefd.toml")
    }

    /// Returns the file of the index.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("xrefd.db")
    }

    /// Returns the token that GitLab takes.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns the sources as they are configured, and the environment with their token.
    pub fn sources(&self) -> (Vec<Source>, Environment) {
        let environment = Environment::from([(TOKEN_VARIABLE, self.token.as_str())]);
        let path = self.config();
        let Loaded { config, .. } = Config::load(Some(path.as_path()), &environment)
            .unwrap_or_else(|error| panic!("the configuration is valid: {error}"));
        (config.sources, environment)
    }

    /// Opens the index, making it if there is none.
    pub async fn open(&self) -> Index {
        self.open_with(|_| {}).await
    }

    /// Opens the index, with other limits of time and size than those of a daemon.
    pub async fn open_with(&self, adjust: fn(&mut xrefd::gitlab::Settings)) -> Index {
        self.open_by(Arc::new(SystemClock), adjust).await
    }

    /// Opens the index as [`Bench::open_with`] does, by another clock than the machine's.
    pub async fn open_by(
        &self,
        clock: Arc<dyn Clock>,
        adjust: fn(&mut xrefd::gitlab::Settings),
    ) -> Index {
        let environment = Environment::from([(TOKEN_VARIABLE, self.token.as_str())]);
        let path = self.config();
        let Loaded { config, .. } = Config::load(Some(path.as_path()), &environment)
            .unwrap_or_else(|error| panic!("the configuration is valid: {error}"));
        let reader = Arc::new(config.reader().expect("the rules are valid"));
        let store = Store::open(&config.database.url()).await.expect("the index opens");
        let silent: Arc<dyn Progress> = Arc::new(Silent);
        let mut crawlers = Vec::new();
        for source in &config.sources {
            let (store, reader) = (store.clone(), reader.clone());
            let (source, clock, silent) = (source.clone(), clock.clone(), silent.clone());
            let crawler =
                Crawler::with(source, &environment, store, reader, clock, silent, None, adjust)
                    .await;
            crawlers.push(crawler.expect("the token can be read"));
        }
        let names = config.sources.iter().map(|source| source.name.clone()).collect();
        let lookup = Lookup::new(store.clone(), reader, names);
        let keys = Arc::new(config.api_keys.clone());
        let app = App {
            lookup: lookup.clone(),
            keys,
            status: Status::of(&crawlers),
            hooks: Arc::new(config.sources.iter().map(hook_of).collect()),
            bodies: App::bodies(),
            start: 1,
        };
        let (router, document) = serve::router(app);
        let document = serde_json::to_value(document).expect("the document serialises");
        let rows = SqliteConnectOptions::new().filename(self.database()).read_only(true);
        let rows = SqlitePool::connect_with(rows).await.expect("the index opens to be read");
        Index { store, lookup, crawlers, router, document, rows }
    }
}

/// What the webhooks of a source send.
fn hook_of(source: &Source) -> (String, HookSecrets) {
    let (token, signing) = (Some(HOOK_TOKEN.into()), Some(HOOK_SIGNING.into()));
    (source.name.clone(), HookSecrets { token, signing })
}

/// An open index, with what fills it and what asks it.
pub struct Index {
    /// The database.
    pub store: Store,
    /// The read side.
    pub lookup: Lookup,
    /// What fills it, one for each source.
    pub crawlers: Vec<Crawler>,
    /// The HTTP API.
    pub router: Router,
    /// The document of the HTTP API.
    pub document: Value,
    rows: SqlitePool,
}

impl Index {
    /// Brings the index up to date, which must succeed wholly.
    pub async fn sync(&self) -> Summary {
        let summary = self.try_sync().await;
        assert!(summary.complete, "the sync is incomplete: {:#?}", summary.errors);
        summary
    }

    /// Brings the index up to date, and finds what GitLab does not announce; both must succeed
    /// wholly.
    pub async fn settle(&self) -> Summary {
        self.sync().await;
        let summary = self.run(Pass::Sweep).await;
        assert!(summary.complete, "the sweep is incomplete: {:#?}", summary.errors);
        summary
    }

    /// Brings the index up to date, as far as it goes.
    pub async fn try_sync(&self) -> Summary {
        self.run(Pass::Sync).await
    }

    /// Does a pass over all sources, as far as it goes.
    pub async fn run(&self, pass: Pass) -> Summary {
        let mut total: Option<Summary> = None;
        for crawler in &self.crawlers {
            let stop = CancellationToken::new();
            let summary = match crawler.sync(pass, &stop).await {
                Ok(summary) => summary,
                Err(error) => panic!("the sync failed: {error}: {:?}", error.hint()),
            };
            total = Some(match total {
                Some(total) => total.and(summary),
                None => summary,
            });
        }
        total.expect("there is a source")
    }

    /// Serves the API at a free port of this machine while the future that is returned runs.
    pub async fn served(&self) -> (String, impl Future<Output = ()> + use<>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let router = self.router.clone();
        (url, async move { axum::serve(listener, router).await.expect("it serves") })
    }

    /// Reads what events mark, for as long as it is polled.
    pub async fn read_marks(&self) {
        let each = self.crawlers.iter().map(|crawler| crawler.read_marks(CancellationToken::new()));
        futures_util::future::join_all(each).await;
    }

    /// Returns the API as the holder of a key sees it.
    pub fn api(&self, key: Option<&str>) -> Api {
        Api { router: self.router.clone(), key: key.map(str::to_owned) }
    }

    /// Returns who [`MEMBER`] and [`READER`] are to the read side.
    pub fn viewer(key: &str) -> Viewer {
        Viewer { confidential: key == MEMBER, groups: None }
    }

    /// Reads rows of the database itself, for what no endpoint lists.
    pub async fn rows(&self, sql: &'static str) -> Vec<SqliteRow> {
        sqlx::query(sql).fetch_all(&self.rows).await.expect("the statement fits the schema")
    }

    /// Changes rows of the database itself, into what no answer of GitLab leads to.
    pub async fn tamper(&self, sql: &'static str) {
        let options = (*self.rows.connect_options()).clone().read_only(false);
        let mut writer = options.connect().await.expect("the file is there");
        sqlx::query(sql).execute(&mut writer).await.expect("the statement fits the schema");
    }

    /// Closes the index.
    pub async fn close(self) {
        self.rows.close().await;
        self.store.close().await;
    }
}

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub bytes: Vec<u8>,
    /// The body as JSON; null when it is none.
    pub body: Value,
}

impl Answer {
    /// Returns a header, empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns the rows of a list.
    pub fn data(&self) -> &[Value] {
        self.body["data"].as_array().map(Vec::as_slice).unwrap_or_default()
    }
}

/// The HTTP API, asked with a key.
#[derive(Clone)]
pub struct Api {
    router: Router,
    key: Option<String>,
}

impl Api {
    /// Asks for an address, path and query.
    pub async fn get(&self, address: &str) -> Answer {
        self.send(Request::get(address)).await
    }

    /// Sends a request without a body.
    pub async fn send(&self, request: axum::http::request::Builder) -> Answer {
        let request = match &self.key {
            Some(key) => request.header(header::AUTHORIZATION, format!("Bearer {key}")),
            None => request,
        };
        let request = request.body(Body::empty()).expect("the address is one");
        let Ok(response) = self.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("the body is in memory");
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Answer { status: parts.status, headers: parts.headers, bytes: bytes.into(), body }
    }

    /// Asks for something that must be there.
    pub async fn single(&self, address: &str) -> Value {
        let mut answer = self.get(address).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}: {}", answer.body);
        answer.body["data"].take()
    }

    /// Reads all pages of a list.
    pub async fn list(&self, address: &str) -> Vec<Value> {
        let glue = if address.contains('?') { '&' } else { '?' };
        let (mut rows, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = match &cursor {
                None => address.to_owned(),
                Some(cursor) => format!("{address}{glue}cursor={cursor}"),
            };
            let answer = self.get(&page).await;
            assert_eq!(answer.status, StatusCode::OK, "{page}: {}", answer.body);
            rows.extend_from_slice(answer.data());
            let next = answer.body["next_cursor"].as_str().map(str::to_owned);
            assert!(next.is_none() || next != cursor, "{page} leads to itself");
            cursor = next;
            if cursor.is_none() {
                return rows;
            }
        }
    }
}

/// Writes an address of the API, with every segment escaped.
pub fn address(segments: &[&str]) -> String {
    let mut url = reqwest::Url::parse("http://localhost/").expect("an address");
    url.path_segments_mut().expect("it has a path").clear().extend(segments);
    url.path().to_owned()
}

/// Escapes the value of a parameter.
pub fn escaped(value: &str) -> String {
    let mut url = reqwest::Url::parse("http://localhost/").expect("an address");
    url.query_pairs_mut().append_pair("v", value);
    url.query().and_then(|query| query.strip_prefix("v=")).unwrap_or_default().to_owned()
}
