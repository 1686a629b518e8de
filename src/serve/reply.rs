//! The envelope of every answer: data, and how old and whole it is.

use axum::Json;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::question::Question;
use crate::lookup::{Freshness, Page};

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
    /// The oldest sync among the sources; null before the first has ended.
    pub as_of: Option<Timestamp>,
    /// False while a first sync runs, or when a part could not be read: `/v1/crawls` says why.
    pub complete: bool,
}

/// A single thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Single<T> {
    /// The thing.
    pub data: T,
    /// The oldest sync among the sources; null before the first has ended.
    pub as_of: Option<Timestamp>,
    /// False while a first sync runs, or when a part could not be read: `/v1/crawls` says why.
    pub complete: bool,
}

impl<T> List<T> {
    /// Wraps a page.
    pub fn new(data: Vec<T>, next_cursor: Option<String>, fresh: Freshness) -> Self {
        Self { data, next_cursor, as_of: fresh.as_of, complete: fresh.complete }
    }
}

impl<T> Single<T> {
    /// Wraps a thing.
    pub fn new(data: T, fresh: Freshness) -> Self {
        Self { data, as_of: fresh.as_of, complete: fresh.complete }
    }
}

impl<T: Serialize> IntoResponse for List<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

impl<T: Serialize> IntoResponse for Single<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// Answers with a page.
pub fn list<T>(question: &Question, page: Page<T>) -> List<T> {
    List::new(page.data, question.seal(page.next), question.fresh())
}

/// Answers with one thing.
pub fn single<T>(question: &Question, data: T) -> Single<T> {
    Single::new(data, question.fresh())
}
