//! Approvals and their rules, by tier.
//!
//! The summary of a merge request answers on every tier; rules and their state have no address in
//! the community edition, are forbidden without a licence, and are served with one.

use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::projects::rule_shape;
use super::shape::Stamp;
use super::{Call, merge_requests, paging};
use crate::server::Tier;
use crate::world::{ApprovalRule, Project};

/// Asks for a licence, with the refusals that GitLab has for each tier.
pub(super) fn licensed(call: &Call<'_>) -> Result<(), Failure> {
    match call.site.tier {
        Tier::Community => Err(Failure::NoRoute),
        Tier::Free => Err(Failure::Forbidden),
        Tier::Premium => call.signed_in(),
    }
}

fn required(call: &Call<'_>, project: &Project) -> u64 {
    match call.site.tier {
        Tier::Community | Tier::Free => 0,
        Tier::Premium => project.approval_rules.iter().map(|rule| rule.approvals_required).sum(),
    }
}

/// `GET /projects/:id/approvals`
pub(super) fn settings(call: &Call<'_>, project: &Project) -> Result<Answer, Failure> {
    licensed(call)?;
    Ok(Answer::json(&json!({
        "approvers": [],
        "approver_groups": [],
        "approvals_before_merge": required(call, project),
        "reset_approvals_on_push": true,
        "selective_code_owner_removals": false,
        "disable_overriding_approvers_per_merge_request": false,
        "merge_requests_author_approval": false,
        "merge_requests_disable_committers_approval": false,
        "require_password_to_approve": false,
        "require_reauthentication_to_approve": false,
    })))
}

/// `GET …/merge_requests/:iid/approvals`
pub(super) fn of_merge_request(
    call: &Call<'_>,
    project: &Project,
    iid: &str,
) -> Result<Answer, Failure> {
    call.signed_in()?;
    let row = merge_requests::find(call, project, iid)?;
    let required = required(call, project);
    let mut shape = json!({
        "id": row.item.id,
        "iid": row.item.iid,
        "project_id": project.id,
        "title": row.item.title,
        "description": row.item.description.as_ref().map(|text| super::shape::long_text(call, text)),
        "state": row.state(),
        "created_at": Stamp(row.item.created_at),
        "updated_at": Stamp(row.item.updated_at),
        "merge_status": "can_be_merged",
        "approved": required == 0,
        "user_has_approved": false,
        "user_can_approve": false,
        "approved_by": [],
    });
    let licensed = json!({
        "approvals_required": required,
        "approvals_left": required,
        "require_password_to_approve": false,
        "suggested_approvers": [],
        "approvers": [],
        "approver_groups": [],
        "approval_rules_left": [],
        "has_approval_rules": !project.approval_rules.is_empty(),
        "merge_request_approvers_available": call.site.tier == Tier::Premium,
        "multiple_approval_rules_available": call.site.tier == Tier::Premium,
        "invalid_approvers_rules": [],
    });
    if call.site.tier != Tier::Community
        && let (Value::Object(shape), Value::Object(more)) = (&mut shape, licensed)
    {
        shape.extend(more);
    }
    Ok(Answer::json(&shape))
}

fn with_state(call: &Call<'_>, rule: &ApprovalRule) -> Value {
    let mut shape = rule_shape(call, rule);
    shape["source_rule"] = Value::Null;
    shape["overridden"] = json!(false);
    shape["section"] = Value::Null;
    shape["code_owner"] = json!(rule.rule_type == "code_owner");
    shape["approved"] = json!(rule.approvals_required == 0);
    shape["approved_by"] = json!([]);
    shape
}

/// `GET …/merge_requests/:iid/approval_state`
pub(super) fn state(call: &Call<'_>, project: &Project, iid: &str) -> Result<Answer, Failure> {
    if call.site.tier == Tier::Community {
        return Err(Failure::NoRoute);
    }
    call.signed_in()?;
    merge_requests::find(call, project, iid)?;
    let rules: Vec<Value> = match call.site.tier {
        Tier::Community | Tier::Free => Vec::new(),
        Tier::Premium => project.approval_rules.iter().map(|rule| with_state(call, rule)).collect(),
    };
    Ok(Answer::json(&json!({"approval_rules_overwritten": false, "rules": rules})))
}

/// `GET …/merge_requests/:iid/approval_rules`
pub(super) fn rules(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    iid: &str,
) -> Result<Answer, Failure> {
    licensed(call)?;
    merge_requests::find(call, project, iid)?;
    let mut echo = call.echo(&[], id);
    echo.set("merge_request_iid", iid);
    paging::list(call, echo, &project.approval_rules, |rule| rule_shape(call, rule))
}
