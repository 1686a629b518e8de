//! Items of projects that the index does not know.
//!
//! The lists of a group show items of projects that came after the list of projects was read. Such
//! an item is not dropped: its project is asked for by its number, and when it is one of ours, it
//! gets a list of its own, which brings all its items. Projects that are left out on purpose are
//! known by their path, which stands in the item's own address.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::super::roots::Roots;
use super::super::{Crawler, Error, Report, unless_stopped};
use crate::gitlab;
use crate::model::{Item, ProjectId};
use crate::store::{Origin, Run};

impl Crawler {
    /// Looks up the projects of items that no project of the index has, and adds those that are
    /// ours as lists of their own. Says whether there were any.
    pub(in crate::crawl) async fn welcome_strangers(
        &self,
        run: &Run,
        roots: &mut Roots,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<bool, Error> {
        let strangers: BTreeMap<ProjectId, String> = report.take_strangers();
        let mut welcome = false;
        for (id, path) in strangers {
            if self.inner.source.excludes(&path) || self.is_held_elsewhere(id) {
                continue;
            }
            let found =
                match unless_stopped(stop, self.inner.client.project(&id.to_string())).await? {
                    Ok(found) => found,
                    // Hidden or gone since: its items are too.
                    Err(error) if error.is_absence() => continue,
                    Err(error) => {
                        self.survive(error, &path, "projects", report)?;
                        continue;
                    }
                };
            let ours = self.wants(&found.project)
                && (roots.covers(&found.project) || roots.membership.is_some());
            if !ours {
                continue;
            }
            let write = self.project_write(&found);
            self.inner.store.apply_projects(run, &[write]).await?;
            self.add_list(run, &found.project, Origin::Joined, roots).await?;
            roots.listed.insert(id, (found.project, found.features));
            welcome = true;
        }
        Ok(welcome)
    }
}

/// Returns the path of an item's project from the item's own address.
pub(in crate::crawl) fn project_path(item: &Item) -> String {
    let Ok(url) = gitlab::Url::parse(&item.web_url) else { return String::new() };
    let path = url.path().trim_matches('/');
    path.split_once("/-/").map_or(path, |(project, _)| project).to_owned()
}
