//! Which projects the organisation has, before a word is written.
//!
//! The first eight projects are one of each kind, so that a small organisation has them all; after
//! them the kinds come back at fixed steps.

use super::dice::Dice;
use super::mention::Event;
use super::names::{DOMAINS, Domain, LIBRARIES, PEOPLE, PLAIN_TOPICS, SUFFIXES};

/// The top-level group.
pub(crate) const GROUP: &str = "acme";

/// The project whose first issue all merge request templates mention.
pub(crate) const HANDBOOK: &str = "acme/platform/handbook";

/// A service that has no topic anywhere: labels in the first project make it known.
pub(crate) const LABELLED_ONLY: &str = "gift-cards";

/// Where the domains of the first and of the shared projects stand in [`DOMAINS`].
const SHOP: usize = 0;
const PLATFORM: usize = 5;

/// What a project is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// One service, by a topic.
    Service,
    /// Two services, by topics.
    Monorepo,
    /// No topic, but the path is that of a service known elsewhere.
    Namesake,
    /// No service at all.
    Library,
    /// Archived, with the topic of a service that lives elsewhere.
    Archived,
    /// Nothing in it.
    Empty,
}

/// A project to be written.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) role: Role,
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) domain: &'static Domain,
    /// Its services by topic.
    pub(crate) services: Vec<String>,
    /// Its team by topic.
    pub(crate) team: Option<&'static str>,
    pub(crate) topics: Vec<String>,
    /// What the topics mean, by topic.
    pub(crate) topic_tags: Vec<(String, &'static str, String)>,
    /// The service that its items mostly speak of.
    pub(crate) home: String,
    /// Picks the shape of templates and CODEOWNERS.
    pub(crate) variant: usize,
    pub(crate) branch: &'static str,
    pub(crate) issues: u64,
    pub(crate) merge_requests: u64,
    pub(crate) people: Vec<&'static str>,
    pub(crate) events: Vec<Event>,
}

/// The whole organisation.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) projects: Vec<Planned>,
    /// Services that a topic of a living project makes known.
    pub(crate) services: Vec<String>,
}

impl Planned {
    /// Plans a project that is added when the organisation is already there.
    pub(crate) fn later(dice: &mut Dice, number: usize) -> Self {
        let domain = &DOMAINS[number % DOMAINS.len()];
        let home = domain.services[dice.below(domain.services.len())].to_owned();
        let mut planned = Self {
            role: Role::Library,
            path: format!("{GROUP}/{}/annex-{number}", domain.path),
            name: format!("Annex {number}"),
            domain,
            services: if dice.chance(50) { vec![home.clone()] } else { Vec::new() },
            team: None,
            topics: Vec::new(),
            topic_tags: Vec::new(),
            home: home.clone(),
            variant: number,
            branch: "main",
            issues: 0,
            merge_requests: 0,
            people: (0..4).map(|_| dice.pick(&PEOPLE)).collect(),
            events: (0..3).map(|_| Event::new(dice, &home)).collect(),
        };
        add_topics(dice, &mut planned, number);
        planned
    }

    /// Gives the project other topics. Its services stay what they were planned to be.
    pub(crate) fn retopic(&mut self, dice: &mut Dice, services: &[String]) {
        self.topics.clear();
        self.topic_tags.clear();
        let count = dice.below(3).min(services.len());
        let picked = (0..count).map(|_| services[dice.below(services.len())].clone()).collect();
        let own = std::mem::replace(&mut self.services, picked);
        let index = dice.below(2);
        add_topics(dice, self, index);
        self.services = own;
    }
}

/// Returns the name and domain of the service of a rank.
fn service(rank: usize) -> (String, &'static Domain) {
    let domain = &DOMAINS[rank % DOMAINS.len()];
    let round = rank / DOMAINS.len();
    let base = domain.services[round % domain.services.len()];
    let series = round / domain.services.len();
    let suffix = SUFFIXES[series % SUFFIXES.len()];
    let name = match series / SUFFIXES.len() {
        0 => format!("{base}{suffix}"),
        generation => format!("{base}{suffix}-{}", generation + 1),
    };
    (name, domain)
}

fn role(index: usize) -> Role {
    match index {
        0 | 2 => Role::Service,
        1 => Role::Library,
        3 | 7 => Role::Namesake,
        4 => Role::Monorepo,
        5 => Role::Archived,
        6 => Role::Empty,
        _ if index.is_multiple_of(17) => Role::Namesake,
        _ if index.is_multiple_of(19) => Role::Archived,
        _ if index.is_multiple_of(23) => Role::Empty,
        _ if index.is_multiple_of(13) => Role::Library,
        _ => Role::Service,
    }
}

/// Plans an organisation.
pub(crate) fn plan(dice: &mut Dice, projects: usize, issues: usize, merge_requests: usize) -> Plan {
    let mut plan = Plan { projects: Vec::with_capacity(projects), services: Vec::new() };
    let mut rank = 0;
    let mut living: Vec<(String, &'static Domain)> = Vec::new();
    for index in 0..projects {
        let role = role(index);
        let (name, domain) = match role {
            Role::Service | Role::Monorepo | Role::Empty => {
                rank += 1;
                service(rank - 1)
            }
            Role::Namesake | Role::Archived | Role::Library => {
                living.get(index % living.len().max(1)).cloned().unwrap_or_else(|| service(0))
            }
        };
        let mut planned = Planned {
            role,
            path: String::new(),
            name: titled(&name),
            domain,
            services: Vec::new(),
            team: None,
            topics: Vec::new(),
            topic_tags: Vec::new(),
            home: name.clone(),
            variant: index,
            branch: if index % 5 == 3 { "master" } else { "main" },
            issues: u64::try_from(issues).unwrap_or(u64::MAX),
            merge_requests: u64::try_from(merge_requests).unwrap_or(u64::MAX),
            people: (0..4).map(|_| dice.pick(&PEOPLE)).collect(),
            events: (0..3).map(|_| Event::new(dice, &name)).collect(),
        };
        place(&mut planned, index, &name);
        add_topics(dice, &mut planned, index);
        match role {
            Role::Service => {
                living.push((name.clone(), domain));
                plan.services.push(name);
            }
            Role::Monorepo => plan.services.extend(planned.services.iter().cloned()),
            Role::Namesake | Role::Library | Role::Archived | Role::Empty => {}
        }
        plan.projects.push(planned);
    }
    plan
}

/// Decides where a project lies, what it is called and which services it has.
fn place(planned: &mut Planned, index: usize, name: &str) {
    let folder = planned.domain.path;
    match planned.role {
        Role::Service => {
            planned.path = if index % 7 == 4 {
                format!("{GROUP}/{folder}/core/{name}")
            } else {
                format!("{GROUP}/{folder}/{name}")
            };
            planned.services = vec![name.to_owned()];
        }
        Role::Monorepo => {
            planned.path = format!("{GROUP}/{folder}/mono-{name}");
            planned.name = format!("Monorepo {}", titled(name));
            planned.services = vec![format!("{name}-front"), format!("{name}-back")];
            planned.home = format!("{name}-front");
        }
        Role::Namesake if index == 7 => {
            planned.path = format!("{GROUP}/shop/{LABELLED_ONLY}");
            planned.name = titled(LABELLED_ONLY);
            LABELLED_ONLY.clone_into(&mut planned.home);
            planned.domain = &DOMAINS[SHOP];
        }
        Role::Namesake => planned.path = format!("{GROUP}/rollout/wave-{index}/{name}"),
        Role::Library if index == 1 => {
            HANDBOOK.clone_into(&mut planned.path);
            planned.domain = &DOMAINS[PLATFORM];
            "Handbook".clone_into(&mut planned.name);
        }
        Role::Library => {
            planned.domain = &DOMAINS[PLATFORM];
            let library = LIBRARIES[index % LIBRARIES.len()];
            planned.path = format!("{GROUP}/platform/libraries/{library}-{index}");
            planned.name = format!("{} {index}", titled(library));
        }
        Role::Archived => {
            planned.path = format!("{GROUP}/{folder}/attic-{index}-{name}");
            planned.name = format!("Attic {index}");
            planned.services = vec![name.to_owned()];
        }
        Role::Empty => {
            planned.path = format!("{GROUP}/{folder}/blank-{index}");
            planned.name = format!("Blank {index}");
            planned.issues = 0;
            planned.merge_requests = 0;
        }
    }
}

fn add_topics(dice: &mut Dice, planned: &mut Planned, index: usize) {
    for name in &planned.services {
        let prefix = dice.pick(&["service-", "service-", "svc-", "service:", "service::", "svc_"]);
        let spelling = match dice.below(3) {
            0 => name.replace('-', "_"),
            _ => name.clone(),
        };
        let topic = format!("{prefix}{spelling}");
        planned.topic_tags.push((topic.clone(), "service", name.clone()));
        planned.topics.push(topic);
    }
    let team = planned.domain.teams[index % 2];
    let has_team = match planned.role {
        Role::Service | Role::Monorepo | Role::Archived | Role::Library => dice.chance(70),
        Role::Namesake | Role::Empty => dice.chance(40),
    };
    if has_team {
        planned.team = Some(team);
        let prefix = dice.pick(&["team-", "team-", "squad-", "team::", "team_"]);
        let topic = format!("{prefix}{team}");
        planned.topic_tags.push((topic.clone(), "team", team.to_owned()));
        planned.topics.push(topic);
    }
    if dice.chance(60) {
        let topic = dice.pick(&PLAIN_TOPICS);
        if let Some(tier) = topic.strip_prefix("tier-") {
            planned.topic_tags.push((topic.to_owned(), "tier", tier.to_owned()));
        }
        planned.topics.push(topic.to_owned());
    }
}

/// Writes a name as a title: `web-shop` becomes `Web Shop`.
pub(crate) fn titled(name: &str) -> String {
    name.split('-').map(capitalised).collect::<Vec<_>>().join(" ")
}

/// Puts the first letter in upper case.
pub(crate) fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::truth::match_key;

    #[test]
    fn service_names_differ_by_match_key_in_the_largest_organisation() {
        let keys: BTreeSet<String> = (0..2000).map(|rank| match_key(&service(rank).0)).collect();
        assert_eq!(keys.len(), 2000);
    }

    #[test]
    fn a_small_organisation_has_a_project_of_each_kind() {
        let plan = plan(&mut Dice::new(1), 8, 1, 1);
        for role in [
            Role::Service,
            Role::Monorepo,
            Role::Namesake,
            Role::Library,
            Role::Archived,
            Role::Empty,
        ] {
            assert!(plan.projects.iter().any(|project| project.role == role), "{role:?}");
        }
        let paths: BTreeSet<&str> = plan.projects.iter().map(|row| row.path.as_str()).collect();
        assert_eq!(paths.len(), 8);
    }
}
