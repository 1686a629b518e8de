//! GraphQL against the simulated GitLab, against a stub that misbehaves, and against the schema.

use std::sync::Arc;

use gitlab_sim::{GitLab, Options, World};
use secrecy::SecretString;

use crate::clock::SystemClock;
use crate::gitlab::{Client, Credential, Settings};

mod files;
mod items;
mod links;
mod refusals;
mod schema;

/// Serves a world.
async fn serve(world: World, options: Options) -> GitLab {
    GitLab::start(world, options).await.expect("a free port")
}

/// Settings for a simulated GitLab.
fn settings(gitlab: &GitLab, credential: Credential) -> Settings {
    let mut settings = Settings::new(gitlab.url().parse().expect("an address"), credential);
    settings.requests_per_minute = 600_000;
    settings
}

/// A client with some credential.
fn client_with(gitlab: &GitLab, credential: Credential) -> Client {
    Client::new(settings(gitlab, credential), Arc::new(SystemClock)).expect("a client")
}

/// A client with the bot's token.
fn client(gitlab: &GitLab) -> Client {
    client_with(gitlab, Credential::PrivateToken(SecretString::from(gitlab.token())))
}
