//! What GraphQL says of the instance and of whoever asks.

use serde::{Deserialize, Serialize};

use super::document::INSTANCE;
use super::global_id;
use super::query::{Cost, Costed};
use super::trouble::GraphqlFailure;
use crate::gitlab::client::Client;
use crate::gitlab::wire::Version;
use crate::gitlab::wire::lenient::text;

/// The instance, whoever asks, and what one query may cost them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Version and edition; `None` for those who are not signed in.
    pub version: Option<Version>,
    /// Id of the user that asks; `None` without a token.
    pub user_id: Option<u64>,
    /// User name of the user that asks; `None` without a token.
    pub username: Option<String>,
    /// The largest complexity of a query, where GitLab says it.
    pub complexity_limit: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Variables {}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(default)]
    metadata: Option<Version>,
    #[serde(default)]
    current_user: Option<UserRow>,
    #[serde(default)]
    query_complexity: Cost,
}

#[derive(Debug, Deserialize)]
struct UserRow {
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default, deserialize_with = "text")]
    username: String,
}

impl Costed for Data {
    fn cost(&self) -> Option<(u64, u64)> {
        self.query_complexity.figures
    }
}

impl Client {
    /// Asks which GitLab this is, who asks, and what one query may cost. A version that is shown is
    /// remembered in [`super::super::Capabilities`].
    ///
    /// # Errors
    ///
    /// Any [`GraphqlFailure`].
    pub async fn graphql_instance(&self) -> Result<Instance, GraphqlFailure> {
        let (partial, _) = self.ask_in_size::<Data, _>(&INSTANCE, 1, |_| Variables {}).await?;
        let data = partial.data;
        let version = data.metadata.filter(|version| !version.version.is_empty());
        if let Some(version) = &version {
            self.features().is_version(version.clone());
        }
        let user_id = data.current_user.as_ref().and_then(|user| global_id::read(&user.id));
        Ok(Instance {
            version,
            user_id: user_id.and_then(|id| u64::try_from(id).ok()),
            username: data.current_user.map(|user| user.username),
            complexity_limit: data.query_complexity.figures.map(|(_, limit)| limit),
        })
    }
}
