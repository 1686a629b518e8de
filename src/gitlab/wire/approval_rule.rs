//! A rule that says who must approve a project's merge requests.

use serde::Deserialize;
use serde_json::Value;

use super::lenient::{UserName, flag, names, some_number, text};
use super::{Wire, absent};

/// An approval rule of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRule {
    /// GitLab's number of it.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// `regular`, `any_approver`, `code_owner` or `report_approver`.
    pub rule_type: String,
    /// How many approvals it asks for.
    pub approvals_required: u32,
    /// User names of those who are named.
    pub users: Vec<String>,
    /// Full paths of the groups that are named.
    pub groups: Vec<String>,
    /// User names of all who may approve, members of the groups included.
    pub eligible_approvers: Vec<String>,
    /// The branches that it is for, if it is not for all.
    pub protected_branches: Vec<String>,
    /// True when it names groups that this token does not see.
    pub contains_hidden_groups: bool,
}

/// The body of one.
#[derive(Debug, Deserialize)]
pub struct ApprovalRuleBody {
    #[serde(default, deserialize_with = "some_number")]
    id: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    name: String,
    #[serde(default, deserialize_with = "text")]
    rule_type: String,
    #[serde(default, deserialize_with = "some_number")]
    approvals_required: Option<i64>,
    #[serde(default)]
    users: Option<Vec<UserName>>,
    #[serde(default)]
    groups: Option<Vec<Value>>,
    #[serde(default)]
    eligible_approvers: Option<Vec<UserName>>,
    #[serde(default, deserialize_with = "names")]
    protected_branches: Vec<String>,
    #[serde(default, deserialize_with = "flag")]
    contains_hidden_groups: bool,
}

impl Wire for ApprovalRuleBody {
    type Model = ApprovalRule;

    fn into_model(self) -> Result<ApprovalRule, serde_json::Error> {
        let id = self.id.and_then(|id| u64::try_from(id).ok()).ok_or_else(|| absent("id"))?;
        let groups = self.groups.unwrap_or_default();
        Ok(ApprovalRule {
            id,
            name: self.name,
            rule_type: self.rule_type,
            approvals_required: u32::try_from(self.approvals_required.unwrap_or_default())
                .unwrap_or_default(),
            users: user_names(self.users),
            groups: groups.iter().filter_map(full_path).collect(),
            eligible_approvers: user_names(self.eligible_approvers),
            protected_branches: self.protected_branches,
            contains_hidden_groups: self.contains_hidden_groups,
        })
    }
}

fn user_names(users: Option<Vec<UserName>>) -> Vec<String> {
    let names = users.unwrap_or_default().into_iter().map(|user| user.0);
    names.filter(|name| !name.is_empty()).collect()
}

fn full_path(group: &Value) -> Option<String> {
    group.get("full_path").and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::decode_list;
    use super::*;

    #[test]
    fn a_rule_names_its_users_and_groups() {
        let body = r#"[{
            "id": 1, "name": "Storefront", "rule_type": "regular", "report_type": null,
            "eligible_approvers": [{"id": 5, "username": "ann"}, {"id": 6, "username": "bob"}],
            "approvals_required": 2, "users": [{"id": 5, "username": "ann", "state": "active"}],
            "groups": [{"id": 8, "path": "front", "full_path": "shop/front"}],
            "contains_hidden_groups": true,
            "protected_branches": [{"id": 1, "name": "main"}],
            "applies_to_all_protected_branches": false
        }]"#;
        let rules = decode_list::<ApprovalRuleBody>(body.as_bytes()).expect("it can be read");
        let expected = ApprovalRule {
            id: 1,
            name: "Storefront".to_owned(),
            rule_type: "regular".to_owned(),
            approvals_required: 2,
            users: vec!["ann".to_owned()],
            groups: vec!["shop/front".to_owned()],
            eligible_approvers: vec!["ann".to_owned(), "bob".to_owned()],
            protected_branches: vec!["main".to_owned()],
            contains_hidden_groups: true,
        };
        assert_eq!(rules, [expected]);
    }

    #[test]
    fn a_rule_of_another_version_lacks_what_it_may_lack() {
        let body = r#"[{"id": 9, "users": [null], "groups": null, "approvals_required": null}]"#;
        let rules = decode_list::<ApprovalRuleBody>(body.as_bytes()).expect("it can be read");
        assert_eq!((rules[0].id, rules[0].approvals_required), (9, 0));
        assert!(rules[0].users.is_empty() && rules[0].groups.is_empty());
        assert!(decode_list::<ApprovalRuleBody>(br#"[{"name": "x"}]"#).is_err());
    }
}
