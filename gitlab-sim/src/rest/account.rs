//! Who is asking, and what the instance is.

use jiff::civil::Date;
use serde::Serialize;
use serde_json::json;

use super::Call;
use super::answer::{Answer, Failure};
use super::shape::{Stamp, UserShape};
use crate::server::Tier;

/// The revision that the simulator claims to be.
const REVISION: &str = "5f1a7c0e9bd";

/// `GET /version`
pub(super) fn version(call: &Call<'_>) -> Result<Answer, Failure> {
    metadata(call)
}

/// `GET /metadata`
pub(super) fn metadata(call: &Call<'_>) -> Result<Answer, Failure> {
    call.signed_in()?;
    Ok(Answer::json(&json!({
        "version": call.site.version,
        "revision": REVISION,
        "kas": {
            "enabled": false,
            "externalUrl": null,
            "externalK8sProxyUrl": null,
            "version": null,
        },
        "enterprise": call.site.tier != Tier::Community,
    })))
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the shape is GitLab's")]
struct Account<'w> {
    #[serde(flatten)]
    user: UserShape<'w>,
    created_at: Stamp,
    bio: &'static str,
    location: &'static str,
    skype: &'static str,
    linkedin: &'static str,
    twitter: &'static str,
    discord: &'static str,
    website_url: &'static str,
    organization: &'static str,
    job_title: &'static str,
    pronouns: Option<&'static str>,
    bot: bool,
    work_information: Option<&'static str>,
    local_time: Option<&'static str>,
    confirmed_at: Stamp,
    theme_id: u64,
    color_scheme_id: u64,
    email: String,
    commit_email: String,
    two_factor_enabled: bool,
    external: bool,
    private_profile: bool,
    can_create_group: bool,
    can_create_project: bool,
    projects_limit: u64,
    last_sign_in_at: Option<Stamp>,
    current_sign_in_at: Option<Stamp>,
    last_activity_on: Option<Date>,
    identities: [(); 0],
    scim_identities: [(); 0],
    followers: u64,
    following: u64,
    shared_runners_minutes_limit: Option<u64>,
    extra_shared_runners_minutes_limit: Option<u64>,
    /// Shown to administrators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_admin: Option<bool>,
}

/// `GET /user`
pub(super) fn user(call: &Call<'_>) -> Result<Answer, Failure> {
    let user = call.caller.user().ok_or(Failure::Unauthorized)?;
    let email = format!("{}@users.noreply.acme.example", user.username);
    Ok(Answer::json(&Account {
        user: UserShape::new(call, user),
        created_at: Stamp(user.created_at),
        bio: "",
        location: "",
        skype: "",
        linkedin: "",
        twitter: "",
        discord: "",
        website_url: "",
        organization: "",
        job_title: "",
        pronouns: None,
        bot: user.bot,
        work_information: None,
        local_time: None,
        confirmed_at: Stamp(user.created_at),
        theme_id: 3,
        color_scheme_id: 1,
        commit_email: email.clone(),
        email,
        two_factor_enabled: false,
        external: false,
        private_profile: false,
        can_create_group: !user.bot,
        can_create_project: !user.bot,
        projects_limit: 100_000,
        last_sign_in_at: None,
        current_sign_in_at: None,
        last_activity_on: None,
        identities: [],
        scim_identities: [],
        followers: 0,
        following: 0,
        shared_runners_minutes_limit: None,
        extra_shared_runners_minutes_limit: None,
        is_admin: user.admin.then_some(true),
    }))
}
