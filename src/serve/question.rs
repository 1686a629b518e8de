//! Parameters of a question.
//!
//! A parameter that is not known is refused: a filter that is misspelt and so has no effect would
//! give an answer to another question.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jiff::Timestamp;
use utoipa::IntoParams;

use super::{App, Problem, cursor};
use crate::lookup::{
    Cursor, DEFAULT_LIMIT, Freshness, ItemCursor, ItemKind, ItemQuery, MAX_LIMIT, Sort,
};

/// The parameters as they came, and the question that a cursor is bound to.
#[derive(Debug, Clone)]
pub struct Question {
    /// Name and value of each, in order.
    pairs: Vec<(String, String)>,
    /// The address with all parameters but `cursor` and `limit`.
    canonical: String,
    /// How old the index was before anything was read: an answer must not look newer than it is.
    fresh: Freshness,
}

impl FromRequestParts<App> for Question {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let fresh = app.lookup.freshness().await?;
        let query = parts.uri.query().unwrap_or_default();
        let pairs: Vec<(String, String)> = form_urlencoded(query);
        let mut canonical = parts.uri.path().to_owned();
        let mut bound: Vec<&(String, String)> =
            pairs.iter().filter(|(name, _)| name != "cursor" && name != "limit").collect();
        bound.sort();
        for (name, value) in bound {
            canonical.push('\0');
            canonical.push_str(name);
            canonical.push('\0');
            canonical.push_str(value);
        }
        Ok(Self { pairs, canonical, fresh })
    }
}

/// Takes a query apart, as forms are sent.
fn form_urlencoded(query: &str) -> Vec<(String, String)> {
    // `Url` has the one parser of this format that we ship already.
    let Ok(mut url) = reqwest::Url::parse("http://localhost/") else { return Vec::new() };
    url.set_query(Some(query));
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// Parameters of every list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that `Question` reads")]
pub struct PageParameters {
    /// Rows at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Parameters of lists of items.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that `Question` reads")]
pub struct ItemParameters {
    /// `opened`, `closed`, `merged`, `locked` or `all`.
    state: Option<String>,
    /// Changed at or after this instant.
    updated_after: Option<Timestamp>,
    /// Changed at or before this instant.
    updated_before: Option<Timestamp>,
    /// Merged at or after this instant.
    merged_after: Option<Timestamp>,
    /// Merged at or before this instant.
    merged_before: Option<Timestamp>,
    /// Carrying a label of this title.
    label: Option<String>,
    /// Carrying this tag, as `key:value`; may be repeated.
    tag: Option<Vec<String>>,
    /// Written by this user.
    author: Option<String>,
    /// `false` leaves out items that have the tag from their project only.
    inherited: Option<bool>,
    /// `updated_desc`, `updated_asc`, `created_desc` or `merged_desc`.
    #[param(default = "updated_desc")]
    sort: Option<String>,
}

/// The names of [`ItemParameters`].
const ITEM_PARAMETERS: &[&str] = &[
    "state",
    "updated_after",
    "updated_before",
    "merged_after",
    "merged_before",
    "label",
    "tag",
    "author",
    "inherited",
    "sort",
];

impl Question {
    /// Refuses parameters that are not among `known`, and any that is given twice but `tag`.
    fn check(&self, known: &[&[&str]]) -> Result<(), Problem> {
        for (at, (name, _)) in self.pairs.iter().enumerate() {
            if !known.iter().any(|names| names.contains(&name.as_str())) {
                let names: Vec<&str> =
                    known.iter().flat_map(|names| names.iter().copied()).collect();
                return Err(Problem::bad_parameter(format!(
                    "there is no parameter `{name}` here; known are: {}",
                    names.join(", ")
                )));
            }
            if name != "tag" && self.pairs[..at].iter().any(|(other, _)| other == name) {
                return Err(Problem::bad_parameter(format!("`{name}` is given twice")));
            }
        }
        Ok(())
    }

    /// Returns a parameter's value, when there is one and it is not empty.
    pub fn value(&self, name: &str) -> Option<&str> {
        let pair = self.pairs.iter().find(|(other, _)| other == name);
        pair.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Reads the parameters of a question that is no list.
    pub fn only(&self, known: &[&str]) -> Result<(), Problem> {
        self.check(&[known])
    }

    /// Reads the parameters of a list that knows no filters.
    pub fn page(&self) -> Result<(usize, Option<Cursor>), Problem> {
        self.check(&[&["limit", "cursor"]])?;
        Ok((self.limit()?, self.cursor()?))
    }

    /// Reads the parameters of a list of items; `more` are known besides.
    pub fn items(&self, more: &[&str]) -> Result<ItemQuery, Problem> {
        self.check(&[ITEM_PARAMETERS, &["limit", "cursor"], more])?;
        let mut query = ItemQuery { limit: self.limit()?, ..ItemQuery::default() };
        query.cursor = match self.cursor()? {
            Some(Cursor::At(at, key)) => Some(ItemCursor { at, key }),
            Some(Cursor::After(_)) => {
                return Err(Problem::bad_parameter("`cursor` is not one of a list of items"));
            }
            None => None,
        };
        query.sort = match self.value("sort") {
            None | Some("updated_desc") => Sort::UpdatedDesc,
            Some("updated_asc") => Sort::UpdatedAsc,
            Some("created_desc") => Sort::CreatedDesc,
            Some("merged_desc") => Sort::MergedDesc,
            Some(other) => {
                return Err(Problem::bad_parameter(format!(
                    "`sort` is updated_desc, updated_asc, created_desc or merged_desc, not `{other}`"
                )));
            }
        };
        let filter = &mut query.filter;
        filter.state = match self.value("state") {
            None | Some("all") => None,
            Some(state @ ("opened" | "closed" | "merged" | "locked")) => Some(state.to_owned()),
            Some(other) => {
                return Err(Problem::bad_parameter(format!(
                    "`state` is opened, closed, merged, locked or all, not `{other}`"
                )));
            }
        };
        filter.updated_after = self.instant("updated_after")?;
        filter.updated_before = self.instant("updated_before")?;
        filter.merged_after = self.instant("merged_after")?;
        filter.merged_before = self.instant("merged_before")?;
        filter.label = self.value("label").map(str::to_owned);
        filter.author = self.value("author").map(|name| name.trim_start_matches('@').to_owned());
        filter.own_only = !self.flag("inherited", true)?;
        for (_, tag) in self.pairs.iter().filter(|(name, _)| name == "tag") {
            let (key, value) = tag
                .split_once(':')
                .filter(|(key, value)| !key.is_empty() && !value.is_empty())
                .ok_or_else(|| {
                    Problem::bad_parameter(format!("`tag` is key:value, not `{tag}`"))
                })?;
            query.tags.push((key.to_lowercase(), value.to_owned()));
        }
        Ok(query)
    }

    /// Reads `item_kind`.
    pub fn item_kind(&self) -> Result<Option<ItemKind>, Problem> {
        match self.value("item_kind") {
            None => Ok(None),
            Some("issue") => Ok(Some(ItemKind::Issue)),
            Some("merge_request") => Ok(Some(ItemKind::MergeRequest)),
            Some(other) => Err(Problem::bad_parameter(format!(
                "`item_kind` is issue or merge_request, not `{other}`"
            ))),
        }
    }

    /// Reads a truth value.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, Problem> {
        match self.value(name) {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => {
                Err(Problem::bad_parameter(format!("`{name}` is true or false, not `{other}`")))
            }
        }
    }

    /// Returns how old the answer is.
    pub fn fresh(&self) -> Freshness {
        self.fresh
    }

    /// Writes the cursor of the next page.
    pub fn seal(&self, next: Option<Cursor>) -> Option<String> {
        next.map(|next| cursor::seal(next, &self.canonical))
    }

    fn limit(&self) -> Result<usize, Problem> {
        let Some(text) = self.value("limit") else { return Ok(DEFAULT_LIMIT) };
        text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or_else(|| {
            Problem::bad_parameter(format!(
                "`limit` is a number from 1 to {MAX_LIMIT}, not `{text}`"
            ))
        })
    }

    fn cursor(&self) -> Result<Option<Cursor>, Problem> {
        self.value("cursor").map(|text| cursor::open(text, &self.canonical)).transpose()
    }

    fn instant(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = self.value(name) else { return Ok(None) };
        // A `+` that was not encoded arrives as a space.
        text.replace(' ', "+").parse().map(Some).map_err(|_| {
            Problem::bad_parameter(format!(
                "`{name}` is an instant such as 2026-11-22T10:00:00Z, not `{text}`"
            ))
        })
    }
}
