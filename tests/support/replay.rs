//! A small HTTP server that gives recorded answers of gitlab.com again.
//!
//! It knows no GitLab: it looks for the record whose address fits and sends its status, headers and
//! body. What was never recorded is answered as GitLab answers what is not there. It makes nothing
//! up, with three exceptions that are named where they are: [`Replay::list_single_objects`],
//! [`Record::made`], and an update of a project, which GitLab answers with the project as it is and
//! which therefore stands in for a question that was not recorded.

#![allow(dead_code, reason = "every test binary uses a part of this")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use serde_json::{Value, json};

/// Headers that belong to a connection or to the form of a body, not to an answer.
const NOT_REPLAYED: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Parameters of an address.
type Query = Vec<(String, String)>;

/// A recorded exchange.
#[derive(Debug, Clone)]
pub struct Record {
    method: String,
    /// Decoded segments below `/api/v4/`.
    path: Vec<String>,
    query: Query,
    status: u16,
    headers: Vec<(String, String)>,
    /// The body; a text is sent as it is.
    pub body: Value,
}

impl Record {
    /// Makes a record of a question to `address`, below the API, that was not recorded as an
    /// exchange.
    pub fn made(address: &str, body: Value) -> Self {
        let (path, query) = taken_apart(address);
        let kind = if body.is_string() { "text/plain" } else { "application/json" };
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        Self { method: "GET".to_owned(), path, query, status: 200, headers, body }
    }

    fn read(exchange: &Value) -> Option<Self> {
        let (_, address) = exchange["url"].as_str()?.split_once("/api/v4/")?;
        let (path, query) = taken_apart(address);
        let status = &exchange["status"];
        let status = status.as_u64().or_else(|| status.as_str()?.parse().ok())?;
        let headers = exchange["headers"].as_object().into_iter().flatten();
        Some(Self {
            method: exchange["method"].as_str()?.to_owned(),
            path,
            query,
            status: u16::try_from(status).ok()?,
            headers: headers
                .filter_map(|(name, value)| Some((name.to_lowercase(), value.as_str()?.to_owned())))
                .filter(|(name, _)| !NOT_REPLAYED.contains(&name.as_str()))
                .collect(),
            body: exchange["body"].clone(),
        })
    }

    /// Returns the path below the API as written in records, such as `projects/7/issues`.
    pub fn path(&self) -> String {
        self.path.join("/")
    }

    /// True for a question, and for what stands in for one.
    fn answers_a_question(&self) -> bool {
        let updated_project = self.method == "PUT" && self.status == 200 && self.path.len() == 2;
        self.method == "GET" || updated_project
    }

    fn page(&self) -> u64 {
        page_of(&self.query)
    }

    /// Says how badly this record fits a question; the least is best.
    fn misfit(&self, query: &Query) -> impl Ord {
        let same = query.iter().filter(|pair| self.query.contains(pair)).count();
        // One that says the same twice is stranger than one that says it once.
        let strange = self.query.len();
        let rows = self.body.as_array().map_or(0, Vec::len);
        let method = self.method != "GET";
        // Of equals the fullest: a list was often recorded before and after something was added.
        (self.page(), method, usize::MAX - same, strange, usize::MAX - rows)
    }
}

/// Reads the records of a file below `../shared/gitlab`, or says that they are not there.
#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
pub fn records(file: &str) -> Option<Vec<Record>> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/gitlab")).join(file);
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: ../shared is not beside this checkout");
        return None;
    };
    let parsed: Value = serde_json::from_str(&text).expect("a record file is JSON");
    Some(match &parsed {
        Value::Array(exchanges) => exchanges.iter().filter_map(Record::read).collect(),
        Value::Object(bodies) => bodies
            .iter()
            .filter(|(address, _)| !address.starts_with("query "))
            .map(|(address, body)| Record::made(address, body.clone()))
            .collect(),
        other => panic!("no records: {other}"),
    })
}

/// A request that came in.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Path and query below the API, or the whole path where it is not below it.
    pub address: String,
    /// What was in the header `private-token`.
    pub token: Option<String>,
    /// What was answered.
    pub status: u16,
}

/// Records that are served.
pub struct Replay {
    records: Vec<Record>,
    /// Numbers of projects and groups by their paths: to GitLab both name the same.
    numbers: BTreeMap<String, String>,
    asked: Mutex<Vec<Asked>>,
}

impl Replay {
    /// Prepares records to be served.
    pub fn of(records: Vec<Record>) -> Self {
        let mut replay =
            Self { records: Vec::new(), numbers: BTreeMap::new(), asked: Mutex::default() };
        // A path may have had several numbers; the answer to a question for the path counts most.
        let (direct, others): (Vec<_>, Vec<_>) =
            records.iter().partition(|record| record.method == "GET" && record.path.len() == 2);
        for record in others.into_iter().chain(direct) {
            replay.learn_numbers(&record.body);
        }
        replay.records = records
            .into_iter()
            .filter(Record::answers_a_question)
            .map(|record| Record { path: replay.canonical(record.path), ..record })
            .collect();
        replay
    }

    /// Lists, in one page each, every issue and merge request that was recorded in any answer: in
    /// its newest state, whatever list or question showed it. Recorded lists of them are replaced.
    pub fn list_single_objects(mut self) -> Self {
        let mut newest: BTreeMap<(String, i64), Value> = BTreeMap::new();
        for record in &self.records {
            let [scope, _, kind, rest @ ..] = record.path.as_slice() else { continue };
            let items = ["issues", "merge_requests"].contains(&kind.as_str());
            if scope != "projects" || !items || rest.len() > 1 {
                continue;
            }
            for item in objects(&record.body) {
                let Some(iid) = item["iid"].as_i64() else { continue };
                // Of equally new ones the fullest: some lists show fewer fields.
                let age = |item: &Value| {
                    let updated = item["updated_at"].as_str().map(str::to_owned);
                    (updated, item.as_object().map_or(0, serde_json::Map::len))
                };
                let key = (record.path[..3].join("/"), iid);
                if newest.get(&key).is_none_or(|known| age(known) < age(item)) {
                    newest.insert(key, item.clone());
                }
            }
        }
        let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for ((list, _), item) in newest {
            lists.entry(list).or_default().push(item);
        }
        self.records.retain(|record| !lists.contains_key(&record.path()));
        for (list, mut items) in lists {
            items.sort_by_key(|item| item["updated_at"].as_str().map(str::to_owned));
            self.records.push(Record::made(&list, Value::Array(items)));
        }
        self
    }

    /// Returns the objects on the recorded pages of a list, from the one that answers a query on.
    fn listed(&self, path: &[String], mut query: Query) -> Vec<Value> {
        let mut rows = Vec::new();
        while let Some(record) = self.find(path, &query) {
            rows.extend(objects(&record.body).cloned());
            let next =
                record.headers.iter().find(|(name, _)| name == "link").and_then(|(_, links)| {
                    let next = links.split(", ").find(|link| link.ends_with("rel=\"next\""))?;
                    let (_, address) = next.split_once("/api/v4/")?;
                    Some(taken_apart(address.split_once('>')?.0))
                });
            let Some((_, next)) = next else { break };
            query = next;
        }
        rows
    }

    fn learn_numbers(&mut self, body: &Value) {
        for object in objects(body) {
            let path =
                ["path_with_namespace", "full_path"].iter().find_map(|key| object[key].as_str());
            if let (Some(path), Some(number)) = (path, object["id"].as_i64()) {
                self.numbers.insert(path.to_owned(), number.to_string());
            }
        }
    }

    /// Names projects and groups by number where it is known.
    fn canonical(&self, mut path: Vec<String>) -> Vec<String> {
        if let [scope, name, ..] = path.as_mut_slice()
            && ["projects", "groups"].contains(&scope.as_str())
            && let Some(number) = self.numbers.get(name)
        {
            name.clone_from(number);
        }
        path
    }

    /// Finds the record that fits a question best. A further page is only given as it was
    /// recorded; the first one may be any, with the earliest page that there is.
    fn find(&self, path: &[String], query: &Query) -> Option<&Record> {
        let page = page_of(query);
        self.records
            .iter()
            .filter(|record| record.path == path && (page == 1 || record.page() == page))
            .min_by_key(|record| record.misfit(query))
    }

    fn answer(&self, address: &str) -> Response<Body> {
        let Some((_, below)) = address.split_once("/api/v4/") else {
            return not_there(&json!({"error": "404 Not Found"}));
        };
        let (path, query) = taken_apart(below);
        let path = self.canonical(path);
        let Some(record) = self.find(&path, &query) else {
            return not_there(&match path.first().map(String::as_str) {
                Some("projects" | "groups") if path.len() > 1 => {
                    json!({"message": "404 Not found"})
                }
                _ => json!({"error": "404 Not Found"}),
            });
        };
        let mut body = record.body.clone();
        // The one filter without which an answer would say something wrong: whose pipelines.
        if let (Some((_, wanted)), Value::Array(rows)) =
            (query.iter().find(|(key, _)| key == "ref"), &mut body)
        {
            rows.retain(|row| row["ref"].as_str().is_none_or(|git_ref| git_ref == wanted));
        }
        let bytes = match body {
            Value::String(text) => text.into_bytes(),
            other => other.to_string().into_bytes(),
        };
        let mut response = Response::builder().status(record.status);
        for (name, value) in &record.headers {
            response = response.header(name, value);
        }
        response.body(Body::from(bytes)).expect("recorded headers are valid")
    }

    /// Serves on a free port of the loopback address.
    #[expect(clippy::disallowed_methods, reason = "the server ends with the test's runtime")]
    pub async fn start(self) -> Replaying {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound port"));
        let replay = Arc::new(self);
        let router = Router::new().fallback(handle).with_state(Arc::clone(&replay));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Replaying { replay, url }
    }
}

/// Records that are being served.
pub struct Replaying {
    /// What is served.
    pub replay: Arc<Replay>,
    /// The address of the start page.
    pub url: String,
}

impl Replaying {
    /// Returns the objects of a list, such as `projects/7/issues`, that a client sees who asks as
    /// it was first asked and then turns every page.
    pub fn listed(&self, list: &str) -> Vec<Value> {
        let wanted = self.replay.canonical(taken_apart(list).0);
        let asked = self.asked();
        let first = asked.iter().find_map(|asked| {
            let (_, address) = asked.address.split_once("/api/v4/")?;
            let (path, query) = taken_apart(address);
            (self.replay.canonical(path) == wanted).then_some(query)
        });
        first.map(|query| self.replay.listed(&wanted, query)).unwrap_or_default()
    }

    /// Returns the requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.replay.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn handle(State(replay): State<Arc<Replay>>, request: Request) -> Response<Body> {
    let address = request.uri().path_and_query().map_or("", |address| address.as_str()).to_owned();
    let token = request.headers().get("private-token").and_then(|value| value.to_str().ok());
    let response = replay.answer(&address);
    replay.asked.lock().unwrap_or_else(PoisonError::into_inner).push(Asked {
        address,
        token: token.map(str::to_owned),
        status: response.status().as_u16(),
    });
    response
}

fn not_there(body: &Value) -> Response<Body> {
    Response::builder()
        .status(404)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .expect("a valid answer")
}

/// Returns the objects in a body: one, or those of a list.
fn objects(body: &Value) -> impl Iterator<Item = &Value> {
    let rows = match body {
        Value::Array(rows) => rows.as_slice(),
        other => std::slice::from_ref(other),
    };
    rows.iter().filter(|row| row.is_object())
}

fn page_of(query: &Query) -> u64 {
    let page = query.iter().find(|(key, _)| key == "page");
    page.and_then(|(_, page)| page.parse().ok()).unwrap_or(1)
}

/// Takes an address below the API apart, decoded.
fn taken_apart(address: &str) -> (Vec<String>, Query) {
    let (path, _) = address.split_once('?').unwrap_or((address, ""));
    let url = reqwest::Url::parse(&format!("http://gitlab/{address}")).expect("an address");
    let path = path.split('/').map(decoded).collect();
    (path, url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect())
}

/// Decodes percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut parts = text.split('%');
    bytes.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(part[2..].bytes());
            }
            None => bytes.extend(format!("%{part}").bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
