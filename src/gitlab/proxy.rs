//! The way out through a proxy, by the usual environment variables.
//!
//! `http_proxy`, `https_proxy` and `all_proxy` name the proxy for addresses of that scheme, or of
//! any; `no_proxy` names hosts that are reached without. Each may be written in capitals; the
//! lower-case one counts first, as with curl. The variables are those that `config` captured at the
//! start, not those of the process: so a test can set them, a mistake in one is said rather than
//! overlooked, and an error can name the proxy that was used. It refuses to show the user and
//! password that stand in an address, and asks no settings of a desktop.

use std::net::IpAddr;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::Error;
use crate::config::Environment;

/// The proxies that the environment names.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    http: Option<Variable>,
    https: Option<Variable>,
    all: Option<Variable>,
    /// Hosts that are reached without a proxy, as the variable lists them.
    without: String,
}

#[derive(Debug, Clone)]
struct Variable {
    name: &'static str,
    /// May hold a password.
    value: SecretString,
}

/// The proxy between us and one GitLab.
#[derive(Debug)]
pub(super) struct Proxy {
    /// With user and password, where it has them.
    address: SecretString,
    /// `http://proxy.example:3128 (https_proxy)`.
    shown: String,
    /// True when the way to the proxy itself is encrypted.
    pub(super) encrypted: bool,
}

impl Proxies {
    /// Takes the variables out of the captured environment.
    pub fn read(environment: &Environment) -> Self {
        let first = |names: [&'static str; 2]| {
            names.into_iter().find_map(|name| {
                let value = environment.find(name)?.trim();
                Some(Variable { name, value: value.into() })
            })
        };
        let without = environment.find("no_proxy").or_else(|| environment.find("NO_PROXY"));
        Self {
            http: first(["http_proxy", "HTTP_PROXY"]),
            https: first(["https_proxy", "HTTPS_PROXY"]),
            all: first(["all_proxy", "ALL_PROXY"]),
            without: without.unwrap_or_default().to_owned(),
        }
    }

    /// Finds the proxy on the way to an address.
    ///
    /// # Errors
    ///
    /// [`Error::Settings`] when the variable that counts holds no address of a proxy.
    pub(super) fn find(&self, url: &Url) -> Result<Option<Proxy>, Error> {
        let of_scheme = if url.scheme() == "https" { &self.https } else { &self.http };
        let Some(variable) = of_scheme.as_ref().or(self.all.as_ref()) else {
            return Ok(None);
        };
        if reached_without(&self.without, url) {
            return Ok(None);
        }
        Proxy::parse(variable).map(Some)
    }
}

impl Proxy {
    fn parse(variable: &Variable) -> Result<Self, Error> {
        let name = variable.name;
        // Never the value itself: it may hold a password.
        let refuse = |why: &str| Error::Settings { reason: format!("the variable {name} {why}") };
        let value = variable.value.expose_secret();
        // A name and port without a scheme is usual.
        let full = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        let url = Url::parse(&full).map_err(|_| {
            refuse("holds no address of a proxy, as \"http://proxy.example:3128\" is one")
        })?;
        let encrypted = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(refuse("names a proxy that is neither http nor https")),
        };
        let shown = format!("{} ({name})", url.origin().ascii_serialization());
        Ok(Self { address: full.into(), shown, encrypted })
    }

    /// Returns what the HTTP library goes by.
    pub(super) fn for_requests(&self) -> Result<reqwest::Proxy, Error> {
        reqwest::Proxy::all(self.address.expose_secret())
            .map_err(|source| Error::Build { source: source.without_url() })
    }

    /// Returns its address and the variable that named it, without user and password.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }
}

/// True when `no_proxy` lists the host of an address: `*` for all, a name for itself and all names
/// below it, an address, a network (`10.0.0.0/8`); each but the network perhaps with a port, which
/// must then be the one that is asked.
fn reached_without(list: &str, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches([']', '.']);
    let ip = host.parse::<IpAddr>().ok();
    list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let Some((network, length)) = entry.split_once('/') {
            return ip.is_some_and(|ip| lies_in(ip, network, length));
        }
        if let Ok(listed) = entry.trim_matches(['[', ']']).parse::<IpAddr>() {
            return ip == Some(listed);
        }
        let (name, port) = match entry.rsplit_once(':').map(|(name, port)| (name, port.parse())) {
            Some((name, Ok(port))) => (name, Some(port)),
            _ => (entry, None),
        };
        if port.is_some() && port != url.port_or_known_default() {
            return false;
        }
        let name = name.trim_start_matches("*.").trim_start_matches('.').trim_end_matches('.');
        // As the address is written: in lower case, and umlauts in their ASCII form.
        let name = Url::parse(&format!("http://{name}"))
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default();
        let name = name.trim_matches(['[', ']']);
        !name.is_empty()
            && (host == name
                || ip.is_none()
                    && host.strip_suffix(name).is_some_and(|front| front.ends_with('.')))
    })
}

/// True when an address lies in a network.
fn lies_in(ip: IpAddr, network: &str, length: &str) -> bool {
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else {
        return false;
    };
    let (ip, network, bits) = match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => {
            (u128::from(u32::from(ip)), u128::from(u32::from(network)), 32)
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) => (u128::from(ip), u128::from(network), 128),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
    };
    let Some(rest) = u32::checked_sub(bits, length) else {
        return false;
    };
    // All of them for a network of length 0.
    let cut = |address: u128| address.checked_shr(rest).unwrap_or_default();
    cut(ip) == cut(network)
}

#[cfg(test)]
mod tests;
