//! Every status and every broken transport, really served: what came of each is written down.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::gitlab::stub::{Stub, answer, client, json, settings};
use crate::gitlab::{Client, Settings};

const VERSION: &str = r#"{"version":"19.0.0","revision":"0"}"#;

/// The shapes of a refusal that GitLab and what stands in front of it are known for.
const SHAPES: [(&str, &str, &str); 9] = [
    ("message", "application/json", r#"{"message":"a reason"}"#),
    ("object", "application/json", r#"{"message":{"name":["is taken","is odd"]}}"#),
    ("arrays", "application/json", r#"{"message":["one","two"]}"#),
    ("error", "application/json", r#"{"error":"a reason"}"#),
    (
        "oauth",
        "application/json",
        r#"{"error":"insufficient_scope","error_description":"more is needed","scope":"api"}"#,
    ),
    ("graphql", "application/json", r#"{"errors":[{"message":"a reason"}]}"#),
    ("html", "text/html", "<html><body>no</body></html>"),
    ("plain", "text/plain", "Retry later\n"),
    ("empty", "text/plain", ""),
];

/// Asks once, and says what came of it: how often it was sent, and what follows.
async fn outcome(client: &Client, sent: impl Fn() -> usize) -> String {
    let before = sent();
    let error = client.group("shop").await.expect_err("it is refused");
    let requests = sent() - before;
    let look = error.look_again().as_mins();
    let verdict = match error.verdict() {
        Verdict::Abort => "all stops".to_owned(),
        Verdict::Skip | Verdict::Retry { .. } => format!("skipped, again in {look} min"),
    };
    let less = if error.asks_for_less() { ", lists ask for less" } else { "" };
    let kind = match &error {
        Error::TooManyRetries { source, .. } | Error::Barred { source, .. } => name(source),
        other => name(other),
    };
    format!("{kind}: sent {requests} times, {verdict}{less}")
}

fn name(error: &Error) -> String {
    let text = format!("{error:?}");
    text.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}

/// Writes `300..=303, 305` for numbers.
fn ranges(of: &[u16]) -> String {
    let mut text = String::new();
    for run in of.chunk_by(|a, b| a + 1 == *b) {
        let (first, last) = (run[0], run[run.len() - 1]);
        let glue = if text.is_empty() { "" } else { ", " };
        let run = if first == last { format!("{first}") } else { format!("{first}..={last}") };
        write!(text, "{glue}{run}").expect("a String takes every write");
    }
    text
}

fn patient(url: &str) -> Settings {
    let mut settings = settings(url);
    settings.backoff = Duration::from_millis(1);
    settings.patience = Duration::from_secs(20);
    settings.first_patience = Duration::from_secs(20);
    settings.requests_per_minute = 10_000_000;
    settings
}

/// Serves the statuses in one shape, and groups them by what came of it.
async fn statuses(shape: &str, content_type: &'static str, body: &'static str) -> String {
    let (status, sent) = (Arc::new(AtomicUsize::new(300)), Arc::new(AtomicUsize::new(0)));
    let stub = Stub::start({
        let (status, sent) = (Arc::clone(&status), Arc::clone(&sent));
        move |asked, _| {
            if !asked.uri.contains("/groups/") {
                return json(200, VERSION);
            }
            sent.fetch_add(1, Ordering::SeqCst);
            let status = u16::try_from(status.load(Ordering::SeqCst)).expect("a status");
            answer(status, &[("content-type", content_type)], body)
        }
    })
    .await;
    let client = client(patient(&stub.url));
    let mut groups: BTreeMap<String, Vec<u16>> = BTreeMap::new();
    // 429 is the pacer's: it waits for a second at least.
    for number in (300..600).filter(|number| *number != 429) {
        client.version().await.expect("the host lives");
        status.store(usize::from(number), Ordering::SeqCst);
        let came = outcome(&client, || sent.load(Ordering::SeqCst)).await;
        groups.entry(came).or_default().push(number);
    }
    let mut lines: Vec<(u16, String)> = groups
        .iter()
        .map(|(came, of)| (of[0], format!("{shape:>8} | {} | {came}\n", ranges(of))))
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

#[tokio::test]
async fn every_status_in_every_shape_has_its_verdict() {
    let mut table = String::new();
    for (shape, content_type, body) in SHAPES {
        table += &statuses(shape, content_type, body).await;
    }
    insta::assert_snapshot!(table);
}

/// What a connection does after it was asked.
#[derive(Clone, Copy)]
enum Line {
    Bytes(&'static [u8]),
    ResetAfter(&'static [u8]),
    StallAfter(&'static [u8]),
    EndlessAfter(&'static [u8], &'static [u8]),
    DripAfter(&'static [u8]),
    GzipBomb,
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

async fn misbehave(line: Line, mut socket: TcpStream) -> std::io::Result<()> {
    match line {
        Line::Bytes(bytes) => socket.write_all(bytes).await?,
        Line::ResetAfter(bytes) => {
            socket.write_all(bytes).await?;
            socket.set_zero_linger()?;
            return Ok(());
        }
        Line::StallAfter(bytes) => {
            socket.write_all(bytes).await?;
            let mut rest = Vec::new();
            socket.read_to_end(&mut rest).await?;
        }
        Line::EndlessAfter(bytes, piece) => {
            socket.write_all(bytes).await?;
            loop {
                socket.write_all(piece).await?;
            }
        }
        Line::DripAfter(bytes) => {
            socket.write_all(bytes).await?;
            loop {
                socket.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Line::GzipBomb => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                        content-encoding: gzip\r\nconnection: close\r\n\r\n";
            socket.write_all(head.as_bytes()).await?;
            socket.write_all(&gzip_of_blanks()).await?;
        }
    }
    socket.shutdown().await
}

/// Packs blanks without a compressor: one stored block a thousand times over would be large, so
/// each block says "the same again" as DEFLATE's fixed codes do.
fn gzip_of_blanks() -> Vec<u8> {
    // Bits, least significant first: a final block of fixed codes; ' ' (0x20 is 8 bits: 0x50), then
    // matches of length 258 (code 285: 8 bits, 0xC5) at distance 1 (5 bits, 0), then the end.
    let mut bits: Vec<bool> = vec![true, true, false];
    let code = |value: u32, length: u32, bits: &mut Vec<bool>| {
        bits.extend((0..length).rev().map(|bit| value >> bit & 1 == 1));
    };
    code(0x50, 8, &mut bits);
    for _ in 0..2_000 {
        code(0xC5, 8, &mut bits);
        code(0, 5, &mut bits);
    }
    code(0, 7, &mut bits);
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    for eight in bits.chunks(8) {
        let byte = eight.iter().enumerate().fold(0, |byte, (at, bit)| byte | u8::from(*bit) << at);
        bytes.push(byte);
    }
    // Checksum and size are not reached.
    bytes.extend([0; 8]);
    bytes
}

/// Serves one kind of trouble to what the test asks, and a good answer to all else.
#[expect(clippy::disallowed_methods, reason = "it ends with the runtime of the test")]
async fn troubled(line: Line) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                let mut asked = vec![0; 4096];
                let size = socket.read(&mut asked).await.unwrap_or(0);
                if !String::from_utf8_lossy(&asked[..size]).contains("/groups/") {
                    let good = format!(
                        "{HEAD}content-length: {}\r\nconnection: close\r\n\r\n{VERSION}",
                        VERSION.len()
                    );
                    socket.write_all(good.as_bytes()).await.ok();
                    return;
                }
                count.fetch_add(1, Ordering::SeqCst);
                misbehave(line, socket).await.ok();
            });
        }
    });
    (url, sent)
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table")]
async fn every_broken_transport_has_its_verdict() {
    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
        transfer-encoding: chunked\r\n\r\n";
    const LONG: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
        content-length: 900\r\n\r\n{\"id\":";
    // One chunk of 4,096 blanks, again and again.
    const ENDLESS: &[u8] = &{
        let mut piece = [b' '; 4_104];
        (piece[0], piece[1], piece[2], piece[3]) = (b'1', b'0', b'0', b'0');
        (piece[4], piece[5], piece[4_102], piece[4_103]) = (b'\r', b'\n', b'\r', b'\n');
        piece
    };
    let mut table = String::new();
    for (what, line) in [
        ("reset before the head", Line::ResetAfter(b"")),
        ("closed before the head", Line::Bytes(b"")),
        ("reset after the head", Line::ResetAfter(LONG)),
        ("cut with a length", Line::Bytes(LONG)),
        (
            "cut in a chunk",
            Line::Bytes(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                  transfer-encoding: chunked\r\n\r\n5\r\n{\"id\r\n",
            ),
        ),
        ("stalls before the head", Line::StallAfter(b"")),
        ("stalls in the head", Line::StallAfter(b"HTTP/1.1 200 OK\r\ncontent-")),
        ("stalls in the body", Line::StallAfter(LONG)),
        ("drips", Line::DripAfter(LONG)),
        ("endless headers", Line::EndlessAfter(b"HTTP/1.1 200 OK\r\n", b"x-more: and more\r\n")),
        ("endless body", Line::EndlessAfter(CHUNKED, ENDLESS)),
        (
            "oversized by its length",
            Line::StallAfter(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                  content-length: 999999999\r\n\r\n{",
            ),
        ),
        ("gzip bomb", Line::GzipBomb),
        ("not HTTP", Line::Bytes(b"SSH-2.0-OpenSSH_9.2\r\n")),
        (
            "truncated JSON",
            Line::Bytes(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                  content-length: 6\r\nconnection: close\r\n\r\n{\"id\":",
            ),
        ),
        (
            "empty success",
            Line::Bytes(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                  content-length: 0\r\nconnection: close\r\n\r\n",
            ),
        ),
        (
            "JSON of another shape",
            Line::Bytes(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                  content-length: 2\r\nconnection: close\r\n\r\n{}",
            ),
        ),
        (
            "sign-in page",
            Line::Bytes(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\
                  content-length: 6\r\nconnection: close\r\n\r\n<html>",
            ),
        ),
        (
            "redirect to a sign-in page",
            Line::Bytes(
                b"HTTP/1.1 302 Found\r\nlocation: /users/sign_in\r\n\
                  content-length: 0\r\nconnection: close\r\n\r\n",
            ),
        ),
        (
            "redirect elsewhere",
            Line::Bytes(
                b"HTTP/1.1 302 Found\r\nlocation: http://other.example/api/v4/groups/shop\r\n\
                  content-length: 0\r\nconnection: close\r\n\r\n",
            ),
        ),
        (
            "throttled without end",
            Line::Bytes(
                b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: text/plain\r\nretry-after: 0\r\n\
                  content-length: 6\r\nconnection: close\r\n\r\nlater\n",
            ),
        ),
        (
            "redirect in a circle",
            Line::Bytes(
                b"HTTP/1.1 302 Found\r\nlocation: /api/v4/groups/shop?again\r\n\
                  content-length: 0\r\nconnection: close\r\n\r\n",
            ),
        ),
    ] {
        let (url, sent) = troubled(line).await;
        let mut settings = patient(&url);
        settings.head_timeout = Duration::from_millis(150);
        settings.idle_timeout = Duration::from_millis(150);
        settings.request_timeout = Duration::from_millis(300);
        settings.max_body_bytes = 100_000;
        // "Retry-After: 0" says nothing of an interval.
        settings.unstated_pause = Duration::from_millis(300);
        let client = client(settings);
        client.version().await.expect("the host lives");
        let came = outcome(&client, || sent.load(Ordering::SeqCst)).await;
        writeln!(table, "{what} | {came}").expect("a String takes every write");
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn a_right_answer_of_a_wrong_type_or_with_a_byte_order_mark_is_taken() {
    for (content_type, mark) in [
        ("text/plain", ""),
        ("application/octet-stream", ""),
        ("application/json", "\u{feff}"),
        ("text/html", "\u{feff}"),
    ] {
        let body = format!("{mark}{VERSION}");
        let stub =
            Stub::start(move |_, _| answer(200, &[("content-type", content_type)], &body)).await;
        stub.client().version().await.expect("a version");
        assert_eq!(stub.asked().len(), 1);
    }
}

/// Prints the rows of the table as the documentation has them.
#[test]
fn the_documentation_says_the_same() {
    let path = || "/groups/shop".to_owned();
    let eof = || serde_json::from_str::<u8>("").expect_err("it is empty");
    let shape = || serde_json::from_str::<u8>("{}").expect_err("it is no number");
    let refused = |status: u16, is_gitlab| Error::Refused {
        status: StatusCode::from_u16(status).expect("a status"),
        path: path(),
        message: String::new(),
        is_gitlab,
        retry_after: None,
    };
    let origin = || "https://gitlab.example.com".to_owned();
    let doubted = |is_final| Error::Unauthorized {
        path: path(),
        reason: crate::gitlab::CredentialFault::Invalid,
        is_final,
    };
    let limit = crate::gitlab::TimeLimit::Head(Duration::ZERO);
    let rows = [
        ("429", Error::Throttled { path: path(), retry_after: None }),
        ("401, and GitLab refuses the token itself", doubted(true)),
        ("401 of one route", doubted(false)),
        (
            "403 in GitLab's words",
            Error::Forbidden { path: path(), reason: String::new(), missing_scope: None },
        ),
        ("403 by something in front of GitLab", Error::Blocked { path: path() }),
        ("404 in GitLab's words", Error::NotFound { path: path(), what: Missing::Record }),
        (
            "404 by something in front of GitLab",
            Error::NotFound { path: path(), what: Missing::Page },
        ),
        ("408, 500, 502 to 504, 520 to 529 in GitLab's words", refused(500, true)),
        ("409 in GitLab's words", refused(409, true)),
        ("408, 409, 500, 502 to 504, 520 to 529 as a page", refused(502, false)),
        ("Any other status", refused(400, true)),
        (
            "GraphQL refuses a query, in its own shape",
            Error::Query { status: StatusCode::UNPROCESSABLE_ENTITY, message: String::new() },
        ),
        (
            "No answer in time, or too slow",
            Error::TooSlow { origin: origin(), path: path(), limit },
        ),
        ("Body beyond the limit", Error::BodyTooLarge { path: path(), limit_bytes: 0 }),
        ("200, empty or cut", Error::Decode { path: path(), index: None, source: eof() }),
        (
            "200, JSON of another shape",
            Error::Decode { path: path(), index: None, source: shape() },
        ),
        ("A file of another length", Error::Garbled { path: path(), expected_bytes: 1, bytes: 0 }),
        ("200, a page", Error::NotGitLab { path: path(), content_type: String::new() }),
        ("Redirect to another host", Error::ForeignRedirect { path: path(), origin: origin() }),
        ("Redirect in a circle", Error::RedirectLoop { path: path() }),
        ("Link to another place", Error::ForeignLink { path: path(), target: origin() }),
        ("Link to the same page", Error::LoopingLink { path: path() }),
    ];
    let Ok(document) = std::fs::read_to_string("docs/troubles.md") else {
        panic!("docs/troubles.md is missing");
    };
    let mut missing = String::new();
    for (what, error) in rows {
        let row = error.trouble();
        let counted = match row.whose {
            Whose::GitLab => "lives",
            Whose::Host => "fails",
            Whose::Front => "is hidden",
            Whose::Nobody => "—",
        };
        let then = match row.then {
            Verdict::Abort => "all stops",
            Verdict::Skip | Verdict::Retry { .. } => "goes on",
        };
        let look = match row.look_again.as_hours() {
            0 => "next sync",
            1 => "an hour",
            _ => "a day",
        };
        let line =
            format!("| {what} | {} | {counted} | {then} | {look} | {} |", row.tries, row.why);
        if !document.contains(&line) {
            writeln!(missing, "{line}").expect("a String takes every write");
        }
    }
    assert!(missing.is_empty(), "docs/troubles.md lacks these rows:\n{missing}");
}
