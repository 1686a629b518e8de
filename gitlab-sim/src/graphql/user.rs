//! Users.

use super::node::{Look, Out};
use crate::world::UserId;

/// Answers a field of a user, of whatever type the user is shown as.
pub(super) fn field(look: &Look<'_>, id: UserId, name: &str) -> Out {
    let Some(user) = look.world.user(id) else {
        return Out::NULL;
    };
    let path = format!("/{}", user.username);
    match name {
        "id" => format!("gid://gitlab/User/{id}").into(),
        "name" => user.name.clone().into(),
        "username" => user.username.clone().into(),
        "webUrl" => look.url(&path).into(),
        "webPath" => path.into(),
        "avatarUrl" => Out::NULL,
        "bot" => user.bot.into(),
        "human" => (!user.bot).into(),
        "active" => true.into(),
        "state" => "active".into(),
        "type" => if user.bot { "PROJECT_BOT" } else { "HUMAN" }.into(),
        "publicEmail" => "".into(),
        "createdAt" => Out::time(user.created_at),
        "groupCount" => {
            own(look, id, look.world.groups().filter(|row| row.members.contains_key(&id)).count())
        }
        "projectCount" => {
            own(look, id, look.world.projects().filter(|row| row.members.contains_key(&id)).count())
        }
        _ => Out::Unknown,
    }
}

/// Shows a count to the user it is about and to administrators.
fn own(look: &Look<'_>, id: UserId, count: usize) -> Out {
    let allowed = look.caller.user().is_some_and(|user| user.id == id || user.admin);
    Out::maybe(allowed.then_some(count))
}
