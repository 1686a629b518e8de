//! A running daemon, asked instead of the database.

use anyhow::{Context, bail};
use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use super::output::Usage;
use crate::config::Environment;
use crate::serve::Problem;

/// Where a key for the daemon is taken from.
const KEY_VARIABLE: &str = "XREFD_API_KEY";

/// A running daemon.
pub struct Remote {
    base: Url,
    key: Option<SecretString>,
    http: reqwest::Client,
}

impl Remote {
    /// Prepares to ask the daemon at an address, with the key in `XREFD_API_KEY` if there is one.
    pub fn new(address: &str, environment: &Environment) -> anyhow::Result<Self> {
        let base = Url::parse(address)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                Usage(format!(
                    "`--server {address}` is no address: write it as http://127.0.0.1:8420"
                ))
            })?;
        let key = environment.find(KEY_VARIABLE).map(|key| SecretString::from(key.to_owned()));
        // The key goes to this address and no other.
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(std::time::Duration::from_secs(30))
            .build()
            .context("cannot set up HTTP")?;
        Ok(Self { base, key, http })
    }

    /// Asks a question; `None` when the daemon has nothing of that name.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> anyhow::Result<Option<T>> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Usage("`--server` is no address of a web server".to_owned()))?
            .pop_if_empty()
            .extend(path);
        url.query_pairs_mut().extend_pairs(query);
        let mut request = self.http.get(url);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose_secret());
        }
        let asked = format!("the daemon at {}", self.base);
        #[expect(
            clippy::disallowed_methods,
            reason = "the ban is for requests to GitLab, which need its pace; this is our own daemon"
        )]
        let response = request
            .send()
            .await
            .map_err(reqwest::Error::without_url)
            .with_context(|| format!("{asked} does not answer; is it running?"))?;
        let status = response.status();
        let body = response.bytes().await.map_err(reqwest::Error::without_url)?;
        if status.is_success() {
            let body = serde_json::from_slice(&body);
            return body.map(Some).with_context(|| format!("{asked} is no xrefd of this version"));
        }
        let problem: Option<Problem> = serde_json::from_slice(&body).ok();
        match (status, problem) {
            (StatusCode::NOT_FOUND, Some(_)) => Ok(None),
            (StatusCode::UNAUTHORIZED, Some(problem)) => {
                bail!("{asked} wants a key: {}; put it into {KEY_VARIABLE}", problem.detail)
            }
            (_, Some(problem)) => bail!("{asked} refused: {}", problem.detail),
            (_, None) => bail!("{asked} answered {status}; is that an xrefd?"),
        }
    }
}
