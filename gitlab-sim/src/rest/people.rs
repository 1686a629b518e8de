//! Users and members.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::groups::directed;
use super::shape::{Stamp, UserShape};
use super::{Call, issues, merge_requests, paging};
use crate::world::{AccessLevel, Group, Item, ItemKind, Project, User, UserId};

type Members = BTreeMap<UserId, AccessLevel>;

#[derive(Serialize)]
struct Member<'w> {
    #[serde(flatten)]
    user: UserShape<'w>,
    access_level: u64,
    created_at: Stamp,
    expires_at: Option<()>,
    membership_state: &'static str,
}

fn member<'w>(call: &Call<'w>, user: UserId, level: AccessLevel) -> Option<Member<'w>> {
    let row = call.world.user(user)?;
    Some(Member {
        user: UserShape::new(call, row),
        access_level: level.number(),
        created_at: Stamp(row.created_at),
        expires_at: None,
        membership_state: "active",
    })
}

fn raise(members: &mut Members, more: impl Iterator<Item = (UserId, AccessLevel)>) {
    for (user, level) in more {
        let known = members.entry(user).or_insert(level);
        *known = level.max(*known);
    }
}

fn group_members(call: &Call<'_>, group: &Group, all: bool) -> Members {
    if !all {
        return group.members.clone();
    }
    let mut members = Members::new();
    for row in call.world.lineage(group.id) {
        raise(&mut members, row.members.iter().map(|(user, level)| (*user, *level)));
        for (invited, most) in call.world.shares_of_group(row.id) {
            let invited = invited.members.iter();
            raise(&mut members, invited.map(|(user, level)| (*user, most.min(*level))));
        }
    }
    members
}

fn project_members(call: &Call<'_>, project: &Project, all: bool) -> Members {
    let mut members = project.members.clone();
    if all {
        if let Some(group) = call.world.group(project.group) {
            raise(&mut members, group_members(call, group, true).into_iter());
        }
        for (invited, most) in call.world.shares_of_project(project.id) {
            let invited = invited.members.iter();
            raise(&mut members, invited.map(|(user, level)| (*user, most.min(*level))));
        }
    }
    members
}

fn list(call: &Call<'_>, members: &Members, id: &str) -> Result<Answer, Failure> {
    call.signed_in()?;
    let words = call.query.filled("query").map(str::to_lowercase);
    let ids = call.query.numbers("user_ids")?;
    let rows: Vec<(UserId, AccessLevel)> = members
        .iter()
        .map(|(user, level)| (*user, *level))
        .filter(|(user, _)| ids.as_ref().is_none_or(|ids| ids.contains(&user.get())))
        .filter(|(user, _)| {
            words
                .as_ref()
                .is_none_or(|words| call.world.user(*user).is_some_and(|user| matches(user, words)))
        })
        .collect();
    paging::list(call, call.echo(&[], id), &rows, |(user, level)| member(call, *user, *level))
}

fn matches(user: &User, words: &str) -> bool {
    user.username.to_lowercase().contains(words) || user.name.to_lowercase().contains(words)
}

fn one_of(call: &Call<'_>, members: &Members, user: &str) -> Result<Answer, Failure> {
    call.signed_in()?;
    let id = UserId::new(user.parse().map_err(|_| super::query::is_invalid("user_id"))?);
    let level = members.get(&id).ok_or(Failure::NoRecord)?;
    Ok(Answer::json(&member(call, id, *level).ok_or(Failure::NoRecord)?))
}

/// `GET /groups/:id/members` and `…/members/all`
pub(super) fn of_group(
    call: &Call<'_>,
    group: &Group,
    id: &str,
    all: bool,
) -> Result<Answer, Failure> {
    list(call, &group_members(call, group, all), id)
}

/// `GET /groups/:id/members/:user_id`
pub(super) fn one_of_group(
    call: &Call<'_>,
    group: &Group,
    user: &str,
    all: bool,
) -> Result<Answer, Failure> {
    one_of(call, &group_members(call, group, all), user)
}

/// `GET /projects/:id/members` and `…/members/all`
pub(super) fn of_project(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    all: bool,
) -> Result<Answer, Failure> {
    list(call, &project_members(call, project, all), id)
}

/// `GET /projects/:id/members/:user_id`
pub(super) fn one_of_project(
    call: &Call<'_>,
    project: &Project,
    user: &str,
    all: bool,
) -> Result<Answer, Failure> {
    one_of(call, &project_members(call, project, all), user)
}

/// `GET /projects/:id/users`
pub(super) fn users_of_project(
    call: &Call<'_>,
    project: &Project,
    id: &str,
) -> Result<Answer, Failure> {
    let words = call.query.filled("search").map(str::to_lowercase);
    let rows: Vec<&User> = project_members(call, project, true)
        .keys()
        .filter_map(|user| call.world.user(*user))
        .filter(|user| words.as_ref().is_none_or(|words| matches(user, words)))
        .collect();
    paging::list(call, call.echo(&[], id), &rows, |user| UserShape::new(call, user))
}

/// `GET /projects/:id/{issues,merge_requests}/:iid/participants`
pub(super) fn participants(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    kind: ItemKind,
    iid: &str,
) -> Result<Answer, Failure> {
    let item = item(call, project, kind, iid)?;
    let mut users = vec![item.author];
    let writers = item
        .notes
        .iter()
        .filter(|note| !note.system && call.world.sees_note(call.caller, project, note));
    for user in item.assignees.iter().copied().chain(writers.map(|note| note.author)) {
        if !users.contains(&user) {
            users.push(user);
        }
    }
    paging::list(call, call.echo(&[], id), &users, |user| UserShape::find(call, *user))
}

/// Finds a visible issue or merge request by the number in a path.
pub(super) fn item<'w>(
    call: &Call<'_>,
    project: &'w Project,
    kind: ItemKind,
    iid: &str,
) -> Result<&'w Item, Failure> {
    Ok(match kind {
        ItemKind::Issue => &issues::find(call, project, iid)?.item,
        ItemKind::MergeRequest => &merge_requests::find(call, project, iid)?.item,
    })
}

/// What lists of users can be sorted by.
const ORDERS: [&str; 5] = ["id", "name", "username", "created_at", "updated_at"];

/// Where a user stands in a list: by the column, then by the id.
type UserKey = (String, u64);

type UserRow<'w> = (UserKey, &'w User);

fn user_shape<'w>(call: &Call<'w>, (_, user): &UserRow<'w>) -> UserShape<'w> {
    UserShape::new(call, user)
}

fn user_key(order: &str, user: &User) -> UserKey {
    let column = match order {
        "name" => user.name.clone(),
        "username" => user.username.clone(),
        // Users do not change here, so that both times are one; microseconds sort as text.
        "created_at" | "updated_at" => format!("{:.6}", user.created_at),
        _ => String::new(),
    };
    (column, user.id.get())
}

/// `GET /users`
pub(super) fn users(call: &Call<'_>) -> Result<Answer, Failure> {
    let query = &call.query;
    let username = query.filled("username").map(str::to_lowercase);
    let words = query.filled("search").map(str::to_lowercase);
    if call.caller.user().is_none() && username.is_none() {
        return Err(Failure::Forbidden);
    }
    let order = query.one_of("order_by", &ORDERS)?.unwrap_or("id");
    let descending = query.descending(true)?;
    let mut rows: Vec<UserRow<'_>> = call
        .world
        .users()
        .filter(|user| username.as_ref().is_none_or(|name| user.username.to_lowercase() == *name))
        .filter(|user| words.as_ref().is_none_or(|words| matches(user, words)))
        .map(|user| (user_key(order, user), user))
        .collect();
    rows.sort_unstable_by(|(a, _), (b, _)| directed(a.cmp(b), descending));
    if query.text("pagination") != Some("keyset") {
        return paging::capped(call, query.clone(), &rows, "User", |row| user_shape(call, row));
    }
    if let Some(text) = query.filled("cursor") {
        let cursor: UserKey = URL_SAFE_NO_PAD
            .decode(text.trim_end_matches('='))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| super::query::is_invalid("cursor"))?;
        rows.retain(|(key, _)| directed(key.cmp(&cursor), descending).is_gt());
    }
    let cursor = |(key, _): &UserRow<'_>| URL_SAFE_NO_PAD.encode(json!(key).to_string());
    paging::cursor(call, query.clone(), &rows, cursor, |row| user_shape(call, row))
}

/// `GET /users/:id`
pub(super) fn user(call: &Call<'_>, id: &str) -> Result<Answer, Failure> {
    let id = id.parse().map_err(|_| super::query::is_invalid("id"))?;
    let user = call.world.user(UserId::new(id)).ok_or(Failure::NotFound("User"))?;
    let mut shape = serde_json::to_value(UserShape::new(call, user)).unwrap_or_default();
    let more = json!({
        "created_at": Stamp(user.created_at),
        "bio": "",
        "location": "",
        "linkedin": "",
        "twitter": "",
        "discord": "",
        "website_url": "",
        "github": "",
        "job_title": "",
        "pronouns": null,
        "organization": "",
        "bot": user.bot,
        "work_information": null,
        "followers": 0,
        "following": 0,
        "is_followed": false,
        "local_time": null,
    });
    if let (Value::Object(shape), Value::Object(more)) = (&mut shape, more) {
        shape.extend(more);
    }
    Ok(Answer::json(&shape))
}
