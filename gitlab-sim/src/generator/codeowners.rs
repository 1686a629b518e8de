//! CODEOWNERS files, with the owners of some paths.
//!
//! The files are written by hand together with their answers, and only the names of owners change:
//! the rules are too subtle to let a program derive the answers it is to be compared with.

use crate::truth::{Owner, PathOwners, SectionOwners};

/// What CODEOWNERS a project has.
pub(crate) struct Codeowners {
    /// All files to write, with what they say: the second one is hidden by the first.
    pub(crate) files: Vec<(&'static str, String, Vec<PathOwners>)>,
}

/// Who owns things in a project.
pub(crate) struct Owners<'n> {
    pub(crate) team: &'n str,
    pub(crate) first: &'n str,
    pub(crate) second: &'n str,
}

impl Codeowners {
    /// Returns the files of a variant. Every fourth project has none.
    pub(crate) fn of(variant: usize, owners: &Owners<'_>) -> Option<Self> {
        match variant % 4 {
            0 => Some(in_root(owners)),
            1 => Some(in_docs(owners)),
            2 => Some(in_gitlab(owners)),
            _ => None,
        }
    }
}

fn owner(name: &str) -> Owner {
    let kind = match name.as_bytes() {
        [b'@', b'@', ..] => "role",
        [b'@', ..] => "name",
        _ => "email",
    };
    Owner { kind, name: name.to_owned() }
}

fn section(name: &'static str, owners: &[&str]) -> SectionOwners {
    SectionOwners {
        section: name,
        optional: false,
        approvals: 0,
        owners: owners.iter().map(|name| owner(name)).collect(),
    }
}

fn path(path: &'static str, sections: Vec<SectionOwners>) -> PathOwners {
    PathOwners { path, sections }
}

/// Entries before the first heading, a section with defaults and a number, an optional section.
fn in_root(Owners { team, first, second }: &Owners<'_>) -> Codeowners {
    let text = format!(
        "# Who is asked about what\n\
         * @acme/{team}\n\
         *.md @{first} docs@acme.example\n\
         /src/ @acme/{team} @{second}\n\
         \n\
         [Database][2] @acme/database-people\n\
         /migrations/\n\
         /src/db/*.sql @{first}\n\
         \n\
         ^[Documentation] @acme/writers\n\
         docs/\n\
         README.md\n"
    );
    let hidden = "* @acme/nobody-any-more\n".to_owned();
    let nobody = vec![path("README.md", vec![section("codeowners", &["@acme/nobody-any-more"])])];
    let team = format!("@acme/{team}");
    let (first, second) = (format!("@{first}"), format!("@{second}"));
    let plain = |owners: &[&str]| section("codeowners", owners);
    let database = |name: &str| SectionOwners { approvals: 2, ..section("Database", &[name]) };
    let documentation =
        || SectionOwners { optional: true, ..section("Documentation", &["@acme/writers"]) };
    let owners = vec![
        path("Cargo.toml", vec![plain(&[&team])]),
        path("src/main.rs", vec![plain(&[&team, &second])]),
        path("README.md", vec![plain(&[&first, "docs@acme.example"]), documentation()]),
        path("docs/guide/setup.md", vec![plain(&[&first, "docs@acme.example"]), documentation()]),
        path("migrations/0001_init.sql", vec![plain(&[&team]), database("@acme/database-people")]),
        path("src/db/totals.sql", vec![plain(&[&team, &second]), database(&first)]),
    ];
    Codeowners { files: vec![("CODEOWNERS", text, owners), (".gitlab/CODEOWNERS", hidden, nobody)] }
}

/// Sections only: an exclusion, a role, and a heading that continues an earlier section.
fn in_docs(Owners { team, first, second }: &Owners<'_>) -> Codeowners {
    let text = format!(
        "[Backend] @acme/{team}\n\
         /api/\n\
         !/api/generated/\n\
         /worker/ @@maintainer\n\
         \n\
         [Frontend] @{first}\n\
         /web/\n\
         *.css @{second}\n\
         \n\
         [backend] @{second}\n\
         /jobs/\n"
    );
    let team = format!("@acme/{team}");
    let (first, second) = (format!("@{first}"), format!("@{second}"));
    let owners = vec![
        path("api/routes.rb", vec![section("Backend", &[&team])]),
        path("api/generated/client.rb", Vec::new()),
        path("worker/run.rb", vec![section("Backend", &["@@maintainer"])]),
        path("web/app.ts", vec![section("Frontend", &[&first])]),
        path("web/site.css", vec![section("Frontend", &[&second])]),
        path("jobs/nightly.rb", vec![section("Backend", &[&second])]),
        path("LICENSE", Vec::new()),
    ];
    Codeowners { files: vec![("docs/CODEOWNERS", text, owners)] }
}

/// An escaped space, two stars that reach one level only, a role beside a group.
fn in_gitlab(Owners { team, first, .. }: &Owners<'_>) -> Codeowners {
    let text = format!(
        "# the last match of a section wins\n\
         * @{first}\n\
         config\\ files/ @acme/{team}\n\
         /deploy/** @acme/paved-road\n\
         \n\
         [Security]\n\
         /auth/ @acme/trust-desk @@owner\n"
    );
    let team = format!("@acme/{team}");
    let first = format!("@{first}");
    let plain = |name: &str| section("codeowners", &[name]);
    let owners = vec![
        path("main.go", vec![plain(&first)]),
        path("config files/eu/limits.yml", vec![plain(&team)]),
        path("deploy/prod.yml", vec![plain("@acme/paved-road")]),
        path("deploy/eu/prod.yml", vec![plain(&first)]),
        path(
            "auth/login.go",
            vec![plain(&first), section("Security", &["@acme/trust-desk", "@@owner"])],
        ),
    ];
    Codeowners { files: vec![(".gitlab/CODEOWNERS", text, owners)] }
}
