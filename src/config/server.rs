//! `[server]`: the address that answers.
//!
//! It refuses an address that others can reach while there is no API key: the index holds titles
//! and names that GitLab shows to members only.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::Serialize;

use super::ApiKeys;
use super::section::Section;
use super::show::Toml;

/// The address without configuration: this machine only.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8420);

/// The section `[server]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Server {
    /// The address and port to listen on.
    pub listen: SocketAddr,
}

impl Default for Server {
    fn default() -> Self {
        Self { listen: DEFAULT_LISTEN }
    }
}

impl Server {
    /// Reads the section. The keys decide whether others may be let in.
    pub(super) fn read(section: &mut Section<'_>, keys: &ApiKeys) -> Self {
        let place = section.place_of("listen");
        let listen = section.parse("listen", parse_listen).unwrap_or(DEFAULT_LISTEN);
        if !listen.ip().to_canonical().is_loopback() && keys.is_empty() {
            section.report(
                "listen",
                place,
                format!(
                    "{listen} can be reached from other machines, so it needs an API key: make \
                     one with `xrefd key new NAME` and add the [[api_keys]] it prints, or listen \
                     on {DEFAULT_LISTEN}"
                ),
            );
        }
        Self { listen }
    }

    pub(super) fn show(&self, toml: &mut Toml) {
        toml.header("[server]");
        toml.text("listen", &self.listen.to_string());
    }
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let address = match text.strip_prefix("localhost:") {
        Some(port) => format!("{}:{port}", Ipv4Addr::LOCALHOST),
        None => text.to_owned(),
    };
    address.parse().map_err(|_| {
        "must be an IP address and a port, as in \"127.0.0.1:8420\" or \"[::1]:8420\"".to_owned()
    })
}
