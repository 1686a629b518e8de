//! The way of one query: may it be sent, how much does it ask for, and what came back.
//!
//! A query that is too much is asked again in a smaller size, here, until it fits or nothing is left
//! to shrink. Whether GraphQL may be asked at all is decided before anything is sent.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::document::Document;
use super::reply::{Complaint, Envelope, Partial};
use super::standing::Kind;
use super::trouble::{GraphqlFailure, Trouble};
use crate::gitlab::Error;
use crate::gitlab::calls::undecodable;
use crate::gitlab::client::{Answer, Client};
use crate::gitlab::credential::Credential;
use crate::gitlab::features::{Feature, Lack, Unavailable};
use crate::gitlab::wire::{Undecodable, unmarked};

/// An answer that may say what its query cost.
pub(super) trait Costed {
    /// Returns the complexity and its limit.
    fn cost(&self) -> Option<(u64, u64)>;
}

/// What a query cost; absent where GitLab does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    pub(super) figures: Option<(u64, u64)>,
}

impl<'de> Deserialize<'de> for Cost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let figure = |name: &str| value.get(name).and_then(Value::as_u64);
        Ok(Self { figures: figure("score").zip(figure("limit")) })
    }
}

impl Client {
    /// Returns how many projects one question for files may name.
    pub fn files_at_once(&self) -> usize {
        usize::try_from(super::standing::PAGE_MAXIMUM).unwrap_or(1)
    }

    /// Sends a query in the present size of its kind, at most `most`, and smaller ones until one is
    /// answered. Returns the size of that one too.
    pub(super) async fn ask_in_size<T, V>(
        &self,
        document: &Document,
        most: u32,
        variables: impl Fn(u32) -> V,
    ) -> Result<(Partial<T>, u32), GraphqlFailure>
    where
        T: DeserializeOwned + Costed,
        V: Serialize,
    {
        let (kind, standing) = (document.kind, self.graphql());
        loop {
            let asked = standing.size(kind).min(most.max(1));
            let generation = self.may_ask(kind).await?;
            let message = match self.post::<T, V>(document, &variables(asked)).await {
                Ok(partial) => {
                    standing.went_well(kind, asked, partial.data.cost());
                    return Ok((partial, asked));
                }
                Err(Trouble::Complex { score, limit }) => {
                    tracing::debug!(
                        graphql.operation = document.name,
                        "the query {} for {asked} costs {score} of {limit}",
                        document.name,
                    );
                    if standing.too_complex(kind, asked, score, limit) {
                        continue;
                    }
                    let failure = GraphqlFailure::Complex { score, limit };
                    self.note_failure(document, &failure.to_string());
                    return Err(failure);
                }
                Err(Trouble::Heavy(message)) => {
                    tracing::debug!(
                        graphql.operation = document.name,
                        "the query {} for {asked} is too much: {message}",
                        document.name,
                    );
                    if standing.too_heavy(kind, asked) {
                        continue;
                    }
                    message
                }
                Err(Trouble::Lacks(message)) => {
                    if standing.lacks(kind, &message, self.now()) {
                        tracing::info!(
                            graphql.operation = document.name,
                            "this GitLab does not understand the query {}, and REST is used in \
                             its place: {message}",
                            document.name,
                        );
                    }
                    return Err(GraphqlFailure::Lacks { message });
                }
                Err(Trouble::Refused { sure, error }) => {
                    return Err(self.turned_away(document, generation, sure, &error));
                }
                Err(Trouble::Client(source)) => {
                    self.note_failure(document, &source.to_string());
                    return Err(GraphqlFailure::Client { source });
                }
            };
            self.note_failure(document, &message);
            return Err(GraphqlFailure::Heavy { message });
        }
    }

    /// Says whether a kind of query may be sent now, and returns the number of the key.
    async fn may_ask(&self, kind: Kind) -> Result<u64, GraphqlFailure> {
        let off = |reason: String| Err(GraphqlFailure::Off { reason });
        if !self.features().has(Feature::Graphql) {
            return off("it is not to be had".to_owned());
        }
        if !self.wants_graphql() {
            let reason = "the configuration says `transport = \"rest\"`".to_owned();
            self.lacks_graphql(Lack::Configuration, &reason);
            return off(reason);
        }
        let key = self.keyring().present().await;
        let key = key.map_err(|source| GraphqlFailure::Client { source })?;
        // GitLab takes a job token for a few routes of REST only.
        if matches!(key.credential, Credential::JobToken(_)) {
            let reason = "a job token does not reach it".to_owned();
            self.lacks_graphql(Lack::Credential, &reason);
            return off(reason);
        }
        if self.graphql().is_refused_key(key.generation) {
            return off("it refuses the token".to_owned());
        }
        match self.graphql().off(kind, self.now()) {
            Some(reason) => off(reason),
            None => Ok(key.generation),
        }
    }

    /// Remembers that GraphQL refuses us: the token, which may be good for REST; everybody, where
    /// GitLab says so; or whatever stands in front of it, for a time.
    fn turned_away(
        &self,
        document: &Document,
        generation: u64,
        sure: bool,
        error: &Error,
    ) -> GraphqlFailure {
        let reason = error.to_string();
        match error {
            Error::Unauthorized { .. } => {
                tracing::info!(
                    "GraphQL refuses the token, and REST is used in its place: {reason}"
                );
                self.graphql().refuse_key(generation);
            }
            Error::Forbidden { .. } => self.lacks_graphql(Lack::Credential, &reason),
            _ if sure => self.lacks_graphql(Lack::Instance, &reason),
            _ => self.rest(document, &reason),
        }
        GraphqlFailure::Off { reason }
    }

    fn lacks_graphql(&self, lack: Lack, reason: &str) {
        let unavailable = Unavailable {
            feature: Feature::Graphql,
            lack,
            reason: reason.to_owned(),
            since: self.now(),
        };
        if self.features().lacks(unavailable) {
            tracing::info!("GraphQL is not to be had, and REST is used in its place: {reason}");
        }
    }

    fn note_failure(&self, document: &Document, reason: &str) {
        if self.graphql().failed(document.kind) {
            self.rest(document, reason);
        }
    }

    /// Leaves a kind of query alone for a time.
    pub(super) fn rest(&self, document: &Document, reason: &str) {
        if self.graphql().rest(document.kind, reason, self.now()) {
            tracing::warn!(
                graphql.operation = document.name,
                "the query {} fails again and again, and REST is used in its place for an hour: \
                 {reason}",
                document.name,
            );
        }
    }

    async fn post<T: DeserializeOwned, V: Serialize>(
        &self,
        document: &Document,
        variables: &V,
    ) -> Result<Partial<T>, Trouble> {
        let body = json!({
            "query": document.text(),
            "operationName": document.name,
            "variables": variables,
        });
        let body = body.to_string().into_bytes();
        let read = |answer: Answer| {
            serde_json::from_slice::<Envelope<T>>(unmarked(&answer.body))
                .map_err(|source| undecodable(&answer, Undecodable { index: None, source }))
        };
        let target = self.base().graphql();
        match self.ask_with(&target, Some(&body), read).await {
            Ok(Envelope { data: Some(data), errors }) => {
                let failed = errors.into_iter().map(Complaint::into_failed).collect();
                Ok(Partial { data, failed })
            }
            Ok(Envelope { data: None, errors }) => Err(Trouble::of_complaints(&errors)),
            Err(error) => Err(Trouble::of_error(error)),
        }
    }
}
