//! Good answers that travel badly: slowly, in part, without end.
//!
//! A body here is a stream that pauses before it does harm, so that what was promised before has
//! left the machine. Whatever waits, waits no longer than the simulator runs.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{self, HeaderValue};
use axum::http::{Response, response};
use futures_util::stream::{self, Stream, StreamExt};
use tokio_util::sync::CancellationToken;

use super::kind::FaultKind;
use crate::server::wire::Line;

/// How many pieces of a slow body come in a second.
const PIECES_PER_SECOND: u64 = 10;

/// The size of a piece of filling, in bytes.
const FILLING: usize = 16 * 1024;

/// How an answer leaves.
pub(crate) struct Way {
    /// The connection it takes.
    pub(crate) line: Line,
    /// Cancelled when the simulator stops.
    pub(crate) stopping: CancellationToken,
}

impl Way {
    /// Sends an answer as a fault will have it.
    pub(crate) fn send(
        self,
        kind: &FaultKind,
        mut parts: response::Parts,
        body: Bytes,
    ) -> Response<Body> {
        let half = body.slice(..body.len() / 2);
        let body = match kind {
            FaultKind::Slow { bytes_per_second } => {
                promise(&mut parts, body.len() as u64);
                Body::from_stream(slowly(body, *bytes_per_second, self))
            }
            FaultKind::Cut => {
                // More is promised than comes, even of an empty body.
                promise(&mut parts, body.len().max(1) as u64);
                Body::from_stream(once(half).chain(failure()))
            }
            FaultKind::CutChunked => {
                parts.headers.remove(header::CONTENT_LENGTH);
                Body::from_stream(once(half).chain(failure()))
            }
            FaultKind::ResetAfterHead => {
                promise(&mut parts, body.len().max(1) as u64);
                Body::from_stream(once(half).chain(breaking(self.line)))
            }
            FaultKind::StallInBody => {
                promise(&mut parts, body.len().max(1) as u64);
                Body::from_stream(once(half).chain(silence(self)))
            }
            FaultKind::Endless => {
                parts.headers.remove(header::CONTENT_LENGTH);
                Body::from_stream(once(body).chain(filling(u64::MAX, self)))
            }
            FaultKind::Oversized { bytes } => {
                let whole = (body.len() as u64).max(*bytes);
                promise(&mut parts, whole);
                let rest = whole - body.len() as u64;
                Body::from_stream(once(body).chain(filling(rest, self)))
            }
            _ => Body::from(body),
        };
        Response::from_parts(parts, body)
    }

    /// Never answers. Ends, with a broken connection, when the simulator stops.
    pub(crate) async fn stall(self) {
        self.stopping.cancelled().await;
        self.line.reset();
    }
}

fn promise(parts: &mut response::Parts, bytes: u64) {
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
}

type Piece = io::Result<Bytes>;

/// Sends bytes, and then lets the connection write them out.
fn once(bytes: Bytes) -> impl Stream<Item = Piece> + Send + 'static {
    stream::once(async { Ok(bytes) }).chain(stream::once(async {
        tokio::task::yield_now().await;
        Ok(Bytes::new())
    }))
}

/// Ends the connection in order, but in the middle of a body.
fn failure() -> impl Stream<Item = Piece> + Send + 'static {
    stream::once(async { Err(io::ErrorKind::UnexpectedEof.into()) })
}

/// Breaks the connection.
fn breaking(line: Line) -> impl Stream<Item = Piece> + Send + 'static {
    stream::once(async move {
        line.reset();
        Err(io::ErrorKind::ConnectionReset.into())
    })
}

/// Sends nothing more.
fn silence(way: Way) -> impl Stream<Item = Piece> + Send + 'static {
    stream::once(async move {
        way.stall().await;
        Err(io::ErrorKind::ConnectionReset.into())
    })
}

/// Sends so many bytes of white space.
fn filling(bytes: u64, way: Way) -> impl Stream<Item = Piece> + Send + 'static {
    let piece = Bytes::from(vec![b' '; FILLING]);
    stream::unfold((bytes, way), move |(left, way)| {
        let piece = piece.clone();
        async move {
            if left == 0 {
                return None;
            }
            if way.stopping.is_cancelled() {
                way.line.reset();
                return Some((Err(io::ErrorKind::ConnectionReset.into()), (0, way)));
            }
            let size = usize::try_from(left).unwrap_or(FILLING).min(FILLING);
            // The reader of an endless body must not keep others from their turn.
            tokio::task::yield_now().await;
            Some((Ok(piece.slice(..size)), (left - size as u64, way)))
        }
    })
}

/// Sends bytes a few at a time.
fn slowly(
    bytes: Bytes,
    bytes_per_second: u64,
    way: Way,
) -> impl Stream<Item = Piece> + Send + 'static {
    let speed = bytes_per_second.max(1);
    let size = usize::try_from((speed / PIECES_PER_SECOND).max(1)).unwrap_or(FILLING);
    let share = u128::from(size as u64) * 1_000_000 / u128::from(speed);
    let pause = Duration::from_micros(u64::try_from(share).unwrap_or(u64::MAX));
    stream::unfold((bytes, way), move |(mut left, way)| async move {
        if left.is_empty() {
            return None;
        }
        let piece = left.split_to(size.min(left.len()));
        tokio::select! {
            () = tokio::time::sleep(pause) => Some((Ok(piece), (left, way))),
            () = way.stopping.cancelled() => {
                way.line.reset();
                Some((Err(io::ErrorKind::ConnectionReset.into()), (Bytes::new(), way)))
            }
        }
    })
}
