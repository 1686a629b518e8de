//! Which entries of the catalogue an address may belong to, by its host.
//!
//! Hosts of vendors are part of the catalogue; hosts of one's own are settings, written `host`,
//! `host:port` or `host/base`. An address is looked up here before any pattern runs, so the
//! hundred patterns of the catalogue cost nothing for an address of nobody's.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::address::{Address, split_port};

/// Hosts of vendors that hold no tenant: `(domain, first labels)`.
const NOT_TENANTS: [(&str, &[&str]); 9] = [
    ("freshdesk.com", &["developers", "support", "www"]),
    ("opsgenie.com", &["api", "docs", "support", "www"]),
    ("pagerduty.com", &["api", "developer", "events", "status", "support", "www"]),
    ("slack.com", &["api", "app", "files", "hooks", "status", "www"]),
    ("statuspage.io", &["api", "developer", "www"]),
    ("zendesk.com", &["developer", "support", "www"]),
    ("datadoghq.com", DATADOG),
    ("datadoghq.eu", DATADOG),
    ("ddog-gov.com", DATADOG),
];

const DATADOG: &[&str] = &["api", "ddstaging", "docs", "http-intake", "static", "trace", "www"];

/// A host of one's own, as the settings name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnHost {
    /// Lower-cased; `*.x` stands for every host below `x`.
    pub(super) host: String,
    /// The port, where the settings name one.
    pub(super) port: Option<u16>,
    /// The path under which the system lives, without a slash at its end; often empty.
    pub(super) base: String,
}

impl OwnHost {
    /// Reads `host`, `host:port`, `host/base`, or the address of the system.
    pub(super) fn parse(entry: &str) -> Option<Self> {
        let entry = entry.trim();
        let behind = entry.split_once("://").map_or(entry, |(_, behind)| behind);
        let end = behind.find(['/', '?', '#']).unwrap_or(behind.len());
        let (authority, base) = behind.split_at(end);
        let (host, port) = split_port(authority.rsplit_once('@').map_or(authority, |(_, h)| h));
        let host = host.trim_end_matches('.').to_lowercase();
        let base = base.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        (!host.is_empty()).then(|| Self { host, port, base: base.to_owned() })
    }

    /// Returns what stands behind this host in an address, or `None` when it is another's.
    fn rest<'a>(&self, address: &Address<'a>) -> Option<&'a str> {
        let same_host = match self.host.strip_prefix("*.") {
            Some(domain) => is_below(&address.host, domain),
            None => address.host == self.host,
        };
        if !same_host || self.port.is_some_and(|port| address.port != Some(port)) {
            return None;
        }
        let rest = address.rest.strip_prefix(self.base.as_str())?;
        (self.base.is_empty() || rest.is_empty() || rest.starts_with(['/', '?', '#']))
            .then_some(rest)
    }
}

/// Says whether a host stands below a domain: there must be a label and a dot before it.
fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .and_then(|label| label.strip_suffix('.'))
        .is_some_and(|l| !l.is_empty())
}

/// Rules about hosts, each with the numbers of the entries that hang on it.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    exact: HashMap<String, Vec<usize>>,
    below: HashMap<String, Vec<usize>>,
    one_label_below: HashMap<String, Vec<usize>>,
    any: Vec<usize>,
    families: BTreeMap<String, (Vec<OwnHost>, Vec<usize>)>,
}

impl Hosts {
    /// Starts from the hosts of each family.
    pub(super) fn new(families: &BTreeMap<String, Vec<OwnHost>>) -> Self {
        let families = families.iter().map(|(name, hosts)| {
            let mut hosts = hosts.clone();
            // The longest base counts when two entries share a host.
            hosts.sort_by_key(|host| std::cmp::Reverse((host.base.len(), host.port.is_some())));
            (name.clone(), (hosts, Vec::new()))
        });
        Self { families: families.collect(), ..Self::default() }
    }

    /// Hangs an entry on a rule of the catalogue: `x`, `*.x`, `?.x`, `*` or `@family`.
    pub(super) fn add(&mut self, rule: &str, entry: usize) {
        let entries = if rule == "*" {
            &mut self.any
        } else if let Some(family) = rule.strip_prefix('@') {
            &mut self.families.entry(family.to_owned()).or_default().1
        } else if let Some(domain) = rule.strip_prefix("*.") {
            self.below.entry(domain.to_owned()).or_default()
        } else if let Some(domain) = rule.strip_prefix("?.") {
            self.one_label_below.entry(domain.to_owned()).or_default()
        } else {
            self.exact.entry(rule.to_owned()).or_default()
        };
        entries.push(entry);
    }

    /// Returns the entries that an address may belong to, in the order of the catalogue, each
    /// with what stands behind the host.
    pub(super) fn entries<'a>(&self, address: &Address<'a>) -> Vec<(usize, &'a str)> {
        let mut found = BTreeSet::new();
        let mut add = |entries: &[usize], rest: &'a str| {
            found.extend(entries.iter().map(|entry| (*entry, rest)));
        };
        add(&self.any, address.rest);
        if let Some(entries) = self.exact.get(&address.host) {
            add(entries, address.rest);
        }
        let (label, parent) = address.host.split_once('.').unwrap_or((&address.host, ""));
        let mut domain = parent;
        while !domain.is_empty() {
            if let Some(entries) = self.below.get(domain)
                && is_tenant(label, domain)
            {
                add(entries, address.rest);
            }
            domain = domain.split_once('.').map_or("", |(_, domain)| domain);
        }
        if let Some(entries) = self.one_label_below.get(parent)
            && is_tenant(label, parent)
        {
            add(entries, address.rest);
        }
        for (hosts, entries) in self.families.values() {
            if let Some(rest) = hosts.iter().find_map(|host| host.rest(address)) {
                add(entries, rest);
            }
        }
        found.into_iter().collect()
    }

    /// Returns what stands behind the host if an address is of a family.
    pub(super) fn of_family<'a>(&self, family: &str, address: &Address<'a>) -> Option<&'a str> {
        self.families.get(family)?.0.iter().find_map(|host| host.rest(address))
    }

    /// Returns the first host of a family, for an address made up to read an id back.
    pub(super) fn first(&self, family: &str) -> Option<String> {
        let host = self.families.get(family)?.0.first()?;
        let port = host.port.map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("{}{port}{}", host.host.replace("*.", "x."), host.base))
    }
}

fn is_tenant(label: &str, domain: &str) -> bool {
    !NOT_TENANTS.iter().any(|(known, labels)| *known == domain && labels.contains(&label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(entry: &str) -> OwnHost {
        OwnHost::parse(entry).expect("the entry is valid")
    }

    fn rest<'a>(own: &str, address: &'a str) -> Option<&'a str> {
        entry(own).rest(&Address::parse(address).expect("the address is valid"))
    }

    #[test]
    fn own_host_matches_by_port_and_base_where_it_names_them() {
        let cases = [
            ("git.x", "https://git.x/a", Some("/a")),
            ("git.x", "https://git.x:8443/a", Some("/a")),
            ("GIT.x", "https://git.X/a", Some("/a")),
            ("git.x:8929", "http://git.x:8929/a", Some("/a")),
            ("git.x:8929", "http://git.x/a", None),
            ("git.x:443", "https://git.x/a", Some("/a")),
            ("git.x/gitlab", "https://git.x/gitlab/a", Some("/a")),
            ("git.x/gitlab/", "https://git.x/gitlab?x", Some("?x")),
            ("git.x/gitlab", "https://git.x/gitlabs/a", None),
            ("git.x/gitlab", "https://git.x/a", None),
            ("https://git.x:1/b/", "https://git.x:1/b/a", Some("/a")),
            ("*.x", "https://git.x/a", Some("/a")),
            ("*.x", "https://x/a", None),
            ("127.0.0.1:8929", "http://127.0.0.1:8929/a", Some("/a")),
        ];
        for (own, address, expected) in cases {
            assert_eq!(rest(own, address), expected, "{own} {address}");
        }
        assert_eq!(OwnHost::parse("  "), None);
    }

    #[test]
    fn vendor_host_needs_a_tenant_before_it() {
        let mut hosts = Hosts::new(&BTreeMap::new());
        hosts.add("*.pagerduty.com", 0);
        hosts.add("?.datadoghq.com", 1);
        hosts.add("sentry.io", 2);
        hosts.add("*", 3);
        let cases: [(&str, &[usize]); 9] = [
            ("acme.pagerduty.com", &[0, 3]),
            ("acme.eu.pagerduty.com", &[0, 3]),
            ("support.pagerduty.com", &[3]),
            ("pagerduty.com", &[3]),
            ("notpagerduty.com", &[3]),
            ("app.datadoghq.com", &[1, 3]),
            ("docs.datadoghq.com", &[3]),
            ("a.b.datadoghq.com", &[3]),
            ("sentry.io", &[2, 3]),
        ];
        for (host, expected) in cases {
            let address = format!("https://{host}/x");
            let address = Address::parse(&address).expect("the address is valid");
            let entries: Vec<_> = hosts.entries(&address).into_iter().map(|(e, _)| e).collect();
            assert_eq!(entries, expected, "{host}");
        }
    }
}
