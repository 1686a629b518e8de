//! Shapes that several bodies share: times, users, projects, labels, commits.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Scene;
use crate::world::{Label, LabelId, LabelOwner, Project, Text, User, UserId, Visibility};

/// What GitLab shows instead of an address that its owner keeps private.
pub(super) const HIDDEN_EMAIL: &str = "[REDACTED]";

/// Returns a time as the database prints it: `2026-11-22 10:00:00 UTC`.
pub(super) fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Returns a time in ISO 8601, to the second: `2026-11-22T10:00:00Z`.
pub(super) fn iso(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Returns a time as commits carry it: `2026-11-22T10:00:00+00:00`.
pub(super) fn with_offset(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// Returns the number of a visibility.
pub(super) const fn visibility_level(visibility: Visibility) -> u64 {
    match visibility {
        Visibility::Private => 0,
        Visibility::Internal => 10,
        Visibility::Public => 20,
    }
}

/// Returns a long text, or null.
pub(super) fn long_text(text: Option<&Text>) -> Value {
    text.map_or(Value::Null, |text| json!(text.read()))
}

impl Scene<'_> {
    /// Returns the page of a project.
    pub(super) fn page(&self, project: &Project) -> String {
        format!("{}/{}", self.url, project.full_path)
    }

    /// Returns the address of a repository for SSH.
    fn ssh(&self, project: &Project) -> String {
        let host = self.url.split_once("://").map_or(self.url, |(_, host)| host);
        let host = host.split([':', '/']).next().unwrap_or(host);
        format!("git@{host}:{}.git", project.full_path)
    }

    /// Returns who did it.
    pub(super) fn actor(&self) -> Value {
        self.user(self.event.by)
    }

    /// Returns a user, or null.
    pub(super) fn user(&self, id: UserId) -> Value {
        self.world.user(id).map_or(Value::Null, |user| self.known_user(user))
    }

    fn known_user(&self, user: &User) -> Value {
        json!({
            "id": user.id,
            "name": user.name,
            "username": user.username,
            "avatar_url": self.avatar(user),
            "email": HIDDEN_EMAIL,
        })
    }

    /// Returns the address of a user's picture.
    pub(super) fn avatar(&self, user: &User) -> String {
        format!("{}/uploads/-/system/user/avatar/{}/avatar.png", self.url, user.id)
    }

    /// Returns a project as most bodies show it.
    pub(super) fn project(&self, project: &Project) -> Value {
        let (page, ssh) = (self.page(project), self.ssh(project));
        let mut shape = self.short_project(project);
        shape["homepage"] = json!(page);
        shape["url"] = json!(ssh);
        shape["ssh_url"] = json!(ssh);
        shape["http_url"] = json!(format!("{page}.git"));
        shape
    }

    /// Returns a project without the fields that are kept for old receivers only.
    pub(super) fn short_project(&self, project: &Project) -> Value {
        let page = self.page(project);
        json!({
            "id": project.id,
            "name": project.name,
            "description": project.description,
            "web_url": page,
            "avatar_url": null,
            "git_ssh_url": self.ssh(project),
            "git_http_url": format!("{page}.git"),
            "namespace": self.world.group(project.group).map(|group| &group.name),
            "visibility_level": visibility_level(project.visibility),
            "path_with_namespace": project.full_path,
            "default_branch": project.default_branch,
            "ci_config_path": null,
        })
    }

    /// Returns the repository of a project as items show it.
    pub(super) fn repository(&self, project: &Project) -> Value {
        json!({
            "name": project.name,
            "url": self.ssh(project),
            "description": project.description,
            "homepage": self.page(project),
        })
    }

    /// Returns the repository of a project as pushes show it.
    pub(super) fn full_repository(&self, project: &Project) -> Value {
        let mut shape = self.repository(project);
        shape["git_http_url"] = json!(format!("{}.git", self.page(project)));
        shape["git_ssh_url"] = json!(self.ssh(project));
        shape["visibility_level"] = json!(visibility_level(project.visibility));
        shape
    }

    /// Returns labels in the order of their titles.
    pub(super) fn labels(&self, labels: &[LabelId]) -> Value {
        let mut rows: Vec<&Label> = labels.iter().filter_map(|id| self.world.label(*id)).collect();
        rows.sort_unstable_by(|a, b| a.title.cmp(&b.title));
        rows.into_iter().map(|label| self.label(label)).collect()
    }

    /// Returns a label. The world keeps no times of labels: they are as old as their place.
    fn label(&self, label: &Label) -> Value {
        let (kind, project, group) = match label.owner {
            LabelOwner::Project(project) => ("ProjectLabel", Some(project), None),
            LabelOwner::Group(group) => ("GroupLabel", None, Some(group)),
        };
        let made = project
            .and_then(|id| self.world.project(id))
            .map(|row| row.created_at)
            .or_else(|| Some(self.world.group(group?)?.created_at))
            .map(utc);
        json!({
            "id": label.id,
            "title": label.title,
            "color": label.color,
            "project_id": project,
            "created_at": made,
            "updated_at": made,
            "template": false,
            "description": label.description,
            "type": kind,
            "group_id": group,
        })
    }

    /// Returns a commit without its files.
    pub(super) fn commit(
        &self,
        project: &Project,
        sha: &str,
        message: &str,
        by: UserId,
        at: Timestamp,
    ) -> Value {
        json!({
            "id": sha,
            "message": message,
            "title": message.lines().next().unwrap_or_default(),
            "timestamp": with_offset(at),
            "url": format!("{}/-/commit/{sha}", self.page(project)),
            "author": {
                "name": self.world.user(by).map(|user| &user.name),
                "email": HIDDEN_EMAIL,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_in_three_formats() {
        let time: Timestamp = "2026-11-22T10:00:00.987654Z".parse().unwrap();
        assert_eq!(utc(time), "2026-11-22 10:00:00 UTC");
        assert_eq!(iso(time), "2026-11-22T10:00:00Z");
        assert_eq!(with_offset(time), "2026-11-22T10:00:00+00:00");
    }
}
