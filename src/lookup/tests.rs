//! Tests of the questions, over a small index made by hand and read by the real reader.
//!
//! Two sources: `main` lives below a path and on a port, `mirror` has projects at the same paths.
//! `shop/webshop` was `store/front` before; `vault/safe` is what others may not see.

mod freshness;
mod questions;
mod resolving;

use std::sync::Arc;

use super::{Input, Lookup, Resolved, Viewer};
use crate::config::{Config, Environment};
use crate::correlate::{ProjectContext, Reader};
use crate::model::{Pipeline, PipelineId};
use crate::store::tests::build::{
    Index, ItemBuilder, ProjectBuilder, at, issue, merge_request, note, project,
};
use crate::store::{Outcome, ProjectKey, ProjectParts};

const CONFIG: &str = r#"
[[gitlab]]
name = "main"
url = "https://gitlab.example.com:8443/gitlab"
auth = "none"
projects = ["shop/webshop"]
[[gitlab]]
name = "mirror"
url = "https://git.example.org"
auth = "none"
projects = ["shop/webshop"]
[rules.prefixes]
jira = ["WEB", "SEC"]
[aliases.service]
webshop = ["shop-web", "cart"]
checkout = ["cart", "pay"]
[aliases.team]
platform = ["infra"]
"#;

const CODEOWNERS: &str = "* @shop/platform\n[Money][2]\n/pay/ @ann kim@acme.example\n!/pay/docs/\n";

const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:pay-worker";
const INCIDENT: &str = "https://acme.pagerduty.com/incidents/Q285NZXJG65XDH";

/// Everything may be seen.
fn all() -> Viewer {
    Viewer { confidential: true, groups: None }
}

/// What is confidential may not be seen.
fn public() -> Viewer {
    Viewer::default()
}

/// Only some groups may be seen, with all in them.
fn of_groups(groups: &[&str]) -> Viewer {
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    Viewer { confidential: true, groups: Some(groups) }
}

fn reader() -> Reader {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("xrefd.toml");
    std::fs::write(&path, CONFIG).unwrap();
    let loaded = Config::load(Some(&path), &Environment::default()).unwrap();
    loaded.config.reader().unwrap()
}

struct Shop {
    index: Index,
    lookup: Lookup,
}

impl Shop {
    async fn new() -> Self {
        let reader = reader();
        let index = Index::of("main", "https://gitlab.example.com:8443/gitlab").await;
        let at_main = |path: &str| format!("https://gitlab.example.com:8443/gitlab/{path}");
        let named = |id: i64, path: &str| project(id, path).at(&at_main(path));
        index.projects(&[named(1, "store/front")]).await;
        let projects = [
            named(1, "shop/webshop").topic("service", "webshop").topic("team", "platform"),
            named(2, "shop/checkout").topic("service", "checkout").topic("team", "platform"),
            named(3, "ops/infra"),
            named(4, "vault/safe").topic("service", "safe").topic("team", "guards"),
        ];
        index.projects(&projects).await;
        let read = |project: &ProjectBuilder, mut item: ItemBuilder| {
            let sigil = item.item.kind.as_str();
            item.item.web_url = format!("{}/-/{sigil}/{}", project.0.web_url, item.item.iid);
            let reading = reader.read_item(&ProjectContext::new(&project.0.path, []), &item.item);
            item.reading(reading)
        };
        let [webshop, checkout, infra, safe] = &projects;
        let talk = read(webshop, issue(12).titled("Checkout is down").described(INCIDENT).notes(2));
        let items = [
            (webshop, talk.clone()),
            (webshop, read(webshop, issue(13).described("SEC-1").confidential())),
            (webshop, read(webshop, merge_request(42).titled("Repair it, WEB-12").merged(400))),
            (checkout, read(checkout, merge_request(43).titled("WEB-12: the other half"))),
            (infra, read(infra, issue(50).described(&format!("about {ARN}, WEB-77")))),
            (safe, read(safe, issue(60).titled("SEC-2").described(INCIDENT))),
        ];
        for (project, item) in &items {
            let key = index.key_of(project.0.id).await;
            index.items(key, std::slice::from_ref(item)).await;
        }
        let notes = [note(77, false, &["WEB-12"]), note(78, true, &["SEC-3"])];
        index.notes(&talk, &notes, at(500)).await;
        let shop = index.key_of(webshop.0.id).await;
        index.store.apply_parts(&index.run, shop, &parts(), true).await.unwrap();

        let mirror =
            index.store.begin_sync("mirror", "https://git.example.org", at(5)).await.unwrap();
        let copy = project(1, "shop/webshop").at("https://git.example.org/shop/webshop");
        let page = [copy.topic("service", "mirrored").write()];
        let store = &index.store;
        store.apply_projects(&mirror, &page).await.unwrap();
        for run in [&index.run, &mirror] {
            store.settle_names(run).await.unwrap();
            store.finish_run(run, Outcome::Complete, &[], at(600)).await.unwrap();
        }
        let sources = vec!["main".to_owned(), "mirror".to_owned()];
        let lookup = Lookup::new(store.clone(), Arc::new(reader), sources);
        Self { index, lookup }
    }

    async fn resolve(&self, input: Input, viewer: &Viewer) -> Short {
        Short::from(self.lookup.resolve(input, viewer).await.unwrap())
    }
}

fn parts() -> ProjectParts {
    let pipeline = Pipeline {
        id: PipelineId::new(900),
        status: "failed".to_owned(),
        git_ref: "main".to_owned(),
        sha: "c0ffee".to_owned(),
        web_url: "https://gitlab.example.com:8443/gitlab/shop/webshop/-/pipelines/900".to_owned(),
        created_at: at(1),
        updated_at: None,
    };
    ProjectParts {
        labels: None,
        templates: None,
        code_owners: Some(Some(("docs/CODEOWNERS".to_owned(), CODEOWNERS.to_owned()))),
        pipeline: Some(Some(pipeline)),
        ..ProjectParts::default()
    }
}

/// An answer in short: what the input is, and what was found.
#[derive(Debug, PartialEq, Eq)]
struct Short {
    input: String,
    services: Vec<String>,
    projects: Vec<String>,
    items: Vec<String>,
}

impl From<Resolved> for Short {
    fn from(resolved: Resolved) -> Self {
        let id = resolved.input.id.map(|id| format!(" {id}")).unwrap_or_default();
        Self {
            input: format!("{}{id}", resolved.input.kind),
            services: resolved.services.into_iter().map(|service| service.name).collect(),
            projects: resolved
                .projects
                .into_iter()
                .map(|project| format!("{}:{}", project.source, project.path))
                .collect(),
            items: resolved.items.into_iter().map(|item| item.reference).collect(),
        }
    }
}

fn short(input: &str, services: &[&str], projects: &[&str], items: &[&str]) -> Short {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Short {
        input: input.to_owned(),
        services: owned(services),
        projects: owned(projects),
        items: owned(items),
    }
}

fn text(text: &str) -> Input {
    Input::Text(text.to_owned())
}
