//! Who asks, by API key.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use secrecy::SecretString;

use super::{App, Problem};
use crate::config::Scope;
use crate::lookup::Viewer;

/// A caller that may read.
///
/// While no key is configured (which the configuration allows on a loopback address only) nobody
/// is asked for one, and nothing confidential is shown.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What the caller may see.
    pub viewer: Viewer,
    /// Name of the key; empty without one.
    pub key: String,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if app.keys.is_empty() {
            return Ok(Self { viewer: Viewer::default(), key: String::new() });
        }
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let secret = header
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, secret)| SecretString::from(secret.trim().to_owned()))
            .ok_or_else(Problem::unauthorized)?;
        let key = app.keys.find(&secret).ok_or_else(Problem::unauthorized)?;
        if !key.has(Scope::Read) {
            return Err(Problem::forbidden("read"));
        }
        let groups = key.groups.clone();
        let viewer = Viewer { confidential: key.has(Scope::Confidential), groups };
        Ok(Self { viewer, key: key.name.clone() })
    }
}
