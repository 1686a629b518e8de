//! Connections that can be broken on purpose.
//!
//! Real trouble happens below HTTP: a connection is reset, or nothing ever comes. The listener here
//! hands out connections with a [`Line`], by which whoever answers a request can break the
//! connection it came on; and it ends all of them when the simulator stops and its patience is over.
//! Everything else is left to axum.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Listens for connections that can be broken.
pub(super) struct Lines {
    listener: TcpListener,
    /// Cancelled when connections that still live are to be cut.
    cut: CancellationToken,
}

impl Lines {
    /// Takes over a listener. Once `cut` is cancelled, all its connections fail.
    pub(super) fn new(listener: TcpListener, cut: CancellationToken) -> Self {
        Self { listener, cut }
    }
}

impl Listener for Lines {
    type Io = Wire;
    type Addr = Peer;

    async fn accept(&mut self) -> (Wire, Peer) {
        // axum's own implementation deals with errors of the accept call.
        let (stream, address) = Listener::accept(&mut self.listener).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
        let line = Line::default();
        let cut = Box::pin(self.cut.clone().cancelled_owned());
        (Wire { stream, line: line.clone(), cut }, Peer { address, line })
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer { address: self.listener.local_addr()?, line: Line::default() })
    }
}

/// The other end of a connection, and the means to break it.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// Where the client is.
    pub(crate) address: SocketAddr,
    /// The connection.
    pub(crate) line: Line,
}

impl Connected<IncomingStream<'_, Lines>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        stream.remote_addr().clone()
    }
}

/// A handle on a connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line(Arc<AtomicBool>);

impl Line {
    /// Breaks the connection: the next byte written or read fails, and the client gets a reset
    /// instead of an orderly end.
    pub(crate) fn reset(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_broken(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// One connection.
pub(super) struct Wire {
    stream: TcpStream,
    line: Line,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Wire {
    /// Fails when the connection is to break.
    fn check(&self) -> io::Result<()> {
        if self.line.is_broken() { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }

    /// Lets waiting end when all connections are cut.
    fn or_cut<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_pending() && self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        polled
    }
}

impl Drop for Wire {
    /// Lingering for no time makes the close a reset.
    fn drop(&mut self) {
        if self.line.is_broken()
            && let Err(error) = self.stream.set_zero_linger()
        {
            tracing::debug!(%error, "a connection ends in order although it should be reset");
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        let polled = Pin::new(&mut self.stream).poll_read(cx, into);
        self.or_cut(cx, polled)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.or_cut(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.or_cut(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.or_cut(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.or_cut(cx, polled)
    }
}
