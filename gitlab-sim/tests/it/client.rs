//! A plain HTTP client that shows everything it gets.

use gitlab_sim::GitLab;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use serde_json::Value;

/// An answer with all that tests look at.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    /// Returns the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Returns a header, or nothing when it was not sent.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Returns the address of a `Link` relation.
    pub fn link(&self, relation: &str) -> Option<String> {
        let wanted = format!("; rel=\"{relation}\"");
        self.header("link")?
            .split(", ")
            .find_map(|link| link.strip_suffix(&wanted))
            .map(|link| link.trim_matches(['<', '>']).to_owned())
    }

    /// Returns one field of all elements of a list.
    pub fn column(&self, field: &str) -> Vec<Value> {
        let rows = self.json();
        let rows = rows.as_array().unwrap_or_else(|| panic!("a list, not {}", self.text));
        rows.iter().map(|row| row[field].clone()).collect()
    }

    /// Returns a numeric field of all elements of a list.
    pub fn numbers(&self, field: &str) -> Vec<u64> {
        self.column(field).iter().map(|value| value.as_u64().unwrap()).collect()
    }

    /// Returns a text field of all elements of a list.
    pub fn texts(&self, field: &str) -> Vec<String> {
        self.column(field).iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    }
}

/// Asks for a path below `/api/v4` with the bot's token.
pub async fn get(gitlab: &GitLab, path: &str) -> Reply {
    get_as(gitlab, Some(gitlab.token()), path).await
}

/// Asks without a token.
pub async fn get_anonymously(gitlab: &GitLab, path: &str) -> Reply {
    get_as(gitlab, None, path).await
}

/// Asks with a token.
pub async fn get_as(gitlab: &GitLab, token: Option<&str>, path: &str) -> Reply {
    let headers: Vec<(&str, &str)> =
        token.map(|token| ("private-token", token)).into_iter().collect();
    fetch(&format!("{}/api/v4{path}", gitlab.url()), &headers).await
}

/// Asks for an address with headers. Redirects are not followed.
#[expect(clippy::disallowed_methods, reason = "this client exists to be unpaced")]
pub async fn fetch(url: &str, headers: &[(&str, &str)]) -> Reply {
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let mut request = client.get(url).header("user-agent", "gitlab-sim tests");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

/// Serves a world with default options.
pub async fn serve(world: gitlab_sim::World) -> GitLab {
    GitLab::start(world, gitlab_sim::Options::default()).await.unwrap()
}
