//! What GitLab says about a token, about the user of an OAuth token, and about the job of a job
//! token.
//!
//! All that is known of them is a help for people, so no absent field is an error: an answer
//! without anything known is an answer. The secret of a token stands in none of these.

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use super::Wire;
use super::lenient::{some_flag, some_names, some_number, some_text};

/// A personal, project or group token: `GET /personal_access_tokens/self`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its number.
    pub id: Option<u64>,
    /// Its name.
    pub name: Option<String>,
    /// The user that it acts as.
    pub user_id: Option<u64>,
    /// Its scopes; `None` when GitLab does not list them.
    pub scopes: Option<Vec<String>>,
    /// It expires at midnight UTC of that date.
    pub expires_on: Option<Date>,
    /// Whether it works.
    pub is_active: Option<bool>,
    /// Whether it is fine-grained: then the scopes alone do not say what it may do.
    pub is_fine_grained: bool,
}

/// A token as GitLab answers it.
#[derive(Debug, Deserialize)]
pub struct TokenBody {
    #[serde(default, deserialize_with = "some_number")]
    id: Option<i64>,
    #[serde(default, deserialize_with = "some_text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "some_number")]
    user_id: Option<i64>,
    #[serde(default, deserialize_with = "some_names")]
    scopes: Option<Vec<String>>,
    #[serde(default, deserialize_with = "some_text")]
    expires_at: Option<String>,
    #[serde(default, deserialize_with = "some_flag")]
    active: Option<bool>,
    #[serde(default, deserialize_with = "some_flag")]
    revoked: Option<bool>,
    #[serde(default)]
    granular_scopes: Option<Value>,
}

impl Wire for TokenBody {
    type Model = Token;

    fn into_model(self) -> Result<Token, serde_json::Error> {
        let is_active = match self.revoked {
            Some(true) => Some(false),
            Some(false) | None => self.active,
        };
        // The one is present on fine-grained tokens only, the other stands for all their rights.
        let is_fine_grained = self.granular_scopes.is_some_and(|scopes| !scopes.is_null())
            || self.scopes.iter().flatten().any(|scope| scope == "granular");
        Ok(Token {
            id: self.id.and_then(|id| id.try_into().ok()),
            name: self.name,
            user_id: self.user_id.and_then(|id| id.try_into().ok()),
            scopes: self.scopes,
            // A date, but a moment of it would begin alike.
            expires_on: self
                .expires_at
                .and_then(|text| text.get(..10).and_then(|date| date.parse().ok())),
            is_active,
            is_fine_grained,
        })
    }
}

/// The user of a token: `GET /user`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The user's number.
    pub id: Option<u64>,
}

/// The user of a token as GitLab answers it.
#[derive(Debug, Deserialize)]
pub struct BearerBody {
    #[serde(default, deserialize_with = "some_number")]
    id: Option<i64>,
}

impl Wire for BearerBody {
    type Model = Bearer;

    fn into_model(self) -> Result<Bearer, serde_json::Error> {
        Ok(Bearer { id: self.id.and_then(|id| id.try_into().ok()) })
    }
}

/// The job of a job token: `GET /job`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The job's number.
    pub id: Option<u64>,
    /// The user that the job runs for.
    pub user_id: Option<u64>,
    /// The project that the job runs in.
    pub project_id: Option<u64>,
}

/// The job of a job token as GitLab answers it.
#[derive(Debug, Deserialize)]
pub struct JobBody {
    #[serde(default, deserialize_with = "some_number")]
    id: Option<i64>,
    #[serde(default)]
    user: Value,
    #[serde(default)]
    pipeline: Value,
}

impl Wire for JobBody {
    type Model = Job;

    fn into_model(self) -> Result<Job, serde_json::Error> {
        Ok(Job {
            id: self.id.and_then(|id| id.try_into().ok()),
            user_id: self.user.get("id").and_then(Value::as_u64),
            project_id: self.pipeline.get("project_id").and_then(Value::as_u64),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;

    #[test]
    fn a_token_is_read_with_all_that_gitlab_says_of_it() {
        let body = br#"{"id":4,"name":"xrefd","description":null,"revoked":false,
            "created_at":"2026-01-01T10:00:00.000Z","scopes":["read_api","self_rotate"],
            "user_id":7,"last_used_at":null,"active":true,"expires_at":"2026-12-01"}"#;
        let token = decode::<TokenBody>(body).expect("a token");
        assert_eq!(
            token,
            Token {
                id: Some(4),
                name: Some("xrefd".to_owned()),
                user_id: Some(7),
                scopes: Some(vec!["read_api".to_owned(), "self_rotate".to_owned()]),
                expires_on: Some(jiff::civil::date(2026, 12, 1)),
                is_active: Some(true),
                is_fine_grained: false,
            }
        );
    }

    #[test]
    fn a_token_may_leave_out_everything_or_be_odd() {
        let token = decode::<TokenBody>(b"{}").expect("a token");
        assert_eq!((token.id, token.scopes, token.expires_on), (None, None, None));
        let odd = br#"{"id":-1,"scopes":"api","expires_at":"2026-\u00e9","revoked":true,
            "active":true,"granular_scopes":[]}"#;
        let token = decode::<TokenBody>(odd).expect("a token");
        assert_eq!((token.id, token.scopes, token.expires_on), (None, None, None));
        assert_eq!((token.is_active, token.is_fine_grained), (Some(false), true));
        let moment = br#"{"expires_at":"2026-12-01T00:00:00Z","granular_scopes":null}"#;
        let token = decode::<TokenBody>(moment).expect("a token");
        assert_eq!(token.expires_on, Some(jiff::civil::date(2026, 12, 1)));
        assert!(!token.is_fine_grained);
    }

    #[test]
    fn a_job_names_its_user_and_its_project() {
        let body = br#"{"id":9,"user":{"id":7,"username":"ann"},"pipeline":{"project_id":3}}"#;
        let job = decode::<JobBody>(body).expect("a job");
        assert_eq!(job, Job { id: Some(9), user_id: Some(7), project_id: Some(3) });
        let bare = decode::<JobBody>(b"{}").expect("a job");
        assert_eq!(bare, Job { id: None, user_id: None, project_id: None });
    }
}
