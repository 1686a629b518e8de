//! The catalogue of addresses: which kind of identifier stands where, by host and pattern.
//!
//! The entries are data, in `catalogue.txt`; a further system is a further entry there. An
//! address is read whole: no identifier inside one is found by chance.

use std::collections::{BTreeMap, HashMap};

use regex::Regex;

use super::address::Address;
use super::host::{Hosts, OwnHost};
use super::id::{IdTemplate, Place};
use super::{Error, Settings};

const ENTRIES: &str = include_str!("catalogue.txt");

/// A UUID, as patterns name it.
const UUID: &str = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";

/// A segment of a GitLab path.
const SEGMENT: &str = "[A-Za-z0-9_.][A-Za-z0-9_.-]*";

/// The kind of an address that leads to a runbook.
const RUNBOOK: &str = "runbook_url";

/// Pages of a repository that is called `runbooks`: lists, not runbooks.
const LISTS: [&str; 12] = [
    "-",
    "issues",
    "pulls",
    "merge_requests",
    "pull",
    "tree",
    "commit",
    "commits",
    "branches",
    "releases",
    "tags",
    "actions",
];

/// Puts the parts that patterns share into a pattern.
pub(super) fn expanded(pattern: &str) -> String {
    pattern
        .replace("{UUID}", UUID)
        .replace("{GLPATH}?", &format!("{SEGMENT}(?:/{SEGMENT})+?"))
        .replace("{GLPATH1}?", &format!("{SEGMENT}(?:/{SEGMENT})*?"))
        .replace("{GLPATH}", &format!("{SEGMENT}(?:/{SEGMENT})+"))
        .replace("{GLPATH1}", &format!("{SEGMENT}(?:/{SEGMENT})*"))
}

#[derive(Debug)]
struct Entry {
    kind: &'static str,
    pattern: Regex,
    id: IdTemplate,
}

/// An identifier that an address holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) kind: &'static str,
    pub(super) id: String,
}

/// The compiled catalogue.
#[derive(Debug)]
pub(super) struct Catalogue {
    entries: Vec<Entry>,
    hosts: Hosts,
    /// Per kind, an address that holds the captures of an id.
    samples: Vec<(&'static str, usize, &'static str)>,
}

impl Catalogue {
    pub(super) fn new(settings: &Settings) -> Result<Self, Error> {
        let mut catalogue = Self {
            entries: Vec::new(),
            hosts: Hosts::new(&families(settings)),
            samples: Vec::new(),
        };
        let mut lines = ENTRIES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        while let (Some(head), Some(pattern)) = (lines.next(), lines.next()) {
            catalogue.add(head, pattern.trim())?;
        }
        Ok(catalogue)
    }

    fn add(&mut self, head: &'static str, pattern: &'static str) -> Result<(), Error> {
        let mut columns = head.split(" | ");
        let mut column = || columns.next().unwrap_or_default().trim();
        let (kind, hosts, id, sample) = (column(), column(), column(), column());
        let compiled = Regex::new(&expanded(pattern))
            .map_err(|source| Error::pattern(kind, pattern, source))?;
        let id = IdTemplate::parse(id, &BTreeMap::new(), compiled.captures_len())
            .map_err(|part| Error::id(kind, id, part))?;
        let index = self.entries.len();
        self.entries.push(Entry { kind, pattern: compiled, id });
        for host in hosts.split_whitespace() {
            self.hosts.add(host, index);
        }
        if !sample.is_empty() {
            self.samples.push((kind, index, sample));
        }
        Ok(())
    }

    /// Returns every identifier that an address holds.
    pub(super) fn read(&self, address: &Address<'_>) -> Vec<Found> {
        let place = Place { project: "", host: &address.host };
        let mut found: Vec<Found> = Vec::new();
        for (index, rest) in self.hosts.entries(address) {
            let entry = &self.entries[index];
            if found.iter().any(|known| known.kind == entry.kind) {
                continue;
            }
            let Some(captures) = entry.pattern.captures(rest) else { continue };
            let captures: Vec<_> = captures.iter().map(|c| c.map(|c| c.as_str())).collect();
            if let Some(id) = entry.id.fill(&captures, place) {
                found.push(Found { kind: entry.kind, id });
            }
        }
        if found.is_empty() {
            found.extend(self.runbook(address).map(|id| Found { kind: RUNBOOK, id }));
        }
        found
    }

    /// Returns the canonical address of a runbook. A page of a runbook host is one, and a page
    /// below a folder of runbooks; the folder itself names none.
    fn runbook(&self, address: &Address<'_>) -> Option<String> {
        let path = address.path();
        let own = self.hosts.of_family("runbook", address);
        let is_page = own.is_some_and(|rest| {
            let page = rest.split(['?', '#']).next().unwrap_or_default();
            !page.trim_matches('/').is_empty()
        });
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let folder = segments.by_ref().find(|segment| {
            ["runbook", "runbooks", "playbook", "playbooks"]
                .iter()
                .any(|name| segment.eq_ignore_ascii_case(name))
        });
        let is_below = folder.is_some() && is_document(&segments.collect::<Vec<_>>());
        (is_page || is_below).then(|| format!("https://{}{path}", address.host))
    }

    /// Returns the kinds of which a bare text may be the whole canonical id: those whose sample
    /// address, with the id put in, reads back to the same id.
    pub(super) fn kinds_of(&self, id: &str) -> Vec<&'static str> {
        let mut kinds = Vec::new();
        for (kind, index, sample) in &self.samples {
            let Some(values) = self.entries[*index].id.split(id) else { continue };
            let mut address = (*sample).to_owned();
            for (name, value) in &values {
                address = address.replace(&format!("{{{name}}}"), value);
            }
            if let Some(host) = self.hosts.first("kibana") {
                address = address.replace("{@kibana}", &host);
            }
            // What was put in must not have changed where the address ends.
            let is_one = address.chars().all(|c| !c.is_whitespace() && !c.is_control());
            let read = Address::parse(&address).filter(|_| is_one).map(|a| self.read(&a));
            if read.is_some_and(|all| all.iter().any(|f| f.kind == *kind && f.id == id)) {
                kinds.push(*kind);
            }
        }
        kinds
    }

    /// Says whether an address can be of a kind.
    pub(super) fn has_kind(&self, kind: &str) -> bool {
        kind == RUNBOOK || self.entries.iter().any(|entry| entry.kind == kind)
    }

    /// Returns the kinds that addresses can be of.
    #[cfg(test)]
    pub(super) fn kinds(&self) -> std::collections::BTreeSet<&'static str> {
        self.entries.iter().map(|entry| entry.kind).collect()
    }
}

/// Says whether what follows a folder of runbooks is a document.
fn is_document(segments: &[&str]) -> bool {
    match segments {
        [] => false,
        ["-", "blob" | "raw" | "wikis", _, ..] => true,
        [first, ..] => !LISTS.contains(first),
    }
}

/// Returns the hosts of each family of systems.
fn families(settings: &Settings) -> BTreeMap<String, Vec<OwnHost>> {
    let mut families: BTreeMap<String, Vec<OwnHost>> = BTreeMap::new();
    let gitlab = settings.gitlab_hosts.iter().map(|entry| ("gitlab", entry));
    let others = settings.hosts.iter();
    let others =
        others.flat_map(|(family, hosts)| hosts.iter().map(|host| (family.as_str(), host)));
    for (family, entry) in gitlab.chain(others) {
        let hosts = families.entry(family.to_owned()).or_default();
        hosts.extend(OwnHost::parse(entry));
    }
    families
}

/// Kinds whose ids are keys, `WEB-12`, so that their addresses prove a prefix.
pub(super) const KEY_KINDS: [&str; 3] = ["jira", "linear", "youtrack"];

/// A map from prefix to the kinds that use it.
pub(super) type Prefixes = HashMap<String, Vec<String>>;
