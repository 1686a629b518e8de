//! What can be seen on this machine, without a request.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::Finding;
use crate::cli::build::Parts;
use crate::store::{Error, Lock, Store};
use crate::telemetry::chain;

/// A check of this machine.
type Check = fn(&Parts) -> BoxFuture<'_, Vec<Finding>>;

/// The checks, in the order of their findings.
pub(super) const CHECKS: [Check; 3] = [
    |parts| Box::pin(database(parts)),
    |parts| Box::pin(space(parts)),
    |parts| Box::pin(async { ways_out(parts) }),
];

/// Below so much free space a sync may fill the disk: an index of a hundred thousand items, with
/// what SQLite writes beside it.
const LITTLE_SPACE_BYTES: u64 = 512 << 20;

/// How long a tool of the system may take.
const PATIENCE: Duration = Duration::from_secs(5);

async fn database(parts: &Parts) -> Vec<Finding> {
    const CHECK: &str = "database";
    let database = &parts.config.database;
    let (url, path) = (database.url(), database.path().display().to_string());
    let opened = match Store::open_existing(&url).await {
        Ok(store) => {
            store.close().await;
            Finding::ok(CHECK, format!("{path} opens, and its schema is this version's"))
        }
        Err(Error::Missing { .. }) => fresh(database.path()),
        Err(error @ Error::Older { .. }) => Finding::ok(CHECK, chain(&error)),
        Err(error) => Finding::error(CHECK, format!("{path} cannot be opened"))
            .because(chain(&error))
            .then("name another file with [database] url, or give this user access"),
    };
    let lock = match Lock::is_taken(&url) {
        Ok(false) => None,
        Ok(true) => Some(Finding::ok(CHECK, "another xrefd syncs into it just now")),
        Err(error) => Some(
            Finding::error(CHECK, "the lock beside it cannot be looked at")
                .because(chain(&error))
                .then("give this user access to the folder of the database"),
        ),
    };
    std::iter::once(opened).chain(lock).collect()
}

/// There is no database yet: its folder must be there.
fn fresh(path: &Path) -> Finding {
    const CHECK: &str = "database";
    let folder = folder_of(path);
    match std::fs::metadata(&folder) {
        Ok(found) if found.is_dir() && !found.permissions().readonly() => Finding::ok(
            CHECK,
            format!("there is none yet; the first sync makes {}", path.display()),
        ),
        Ok(_) => Finding::error(CHECK, format!("{} cannot be written to", folder.display()))
            .then("name a file in another folder with [database] url, or give this user access"),
        Err(error) => Finding::error(CHECK, format!("there is no folder {}", folder.display()))
            .because(error.to_string())
            .then("make it, or name a file in another with [database] url"),
    }
}

fn folder_of(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_path_buf()
}

/// Looks at the free space where the database is. The standard library has no such question, and
/// every Unix has `df`; where it says nothing, nothing is said.
async fn space(parts: &Parts) -> Vec<Finding> {
    let folder = folder_of(parts.config.database.path());
    let told = tokio::process::Command::new("df")
        .arg("-Pk")
        .arg(&folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let Ok(Ok(told)) = tokio::time::timeout(PATIENCE, told).await else { return Vec::new() };
    let Some(free_bytes) = free_bytes(&String::from_utf8_lossy(&told.stdout)) else {
        return Vec::new();
    };
    let free = format!("{} MB are free in {}", free_bytes >> 20, folder.display());
    vec![if free_bytes < LITTLE_SPACE_BYTES {
        Finding::warning("space", free).then("make room: a full disk ends a sync")
    } else {
        Finding::ok("space", free)
    }]
}

/// Reads the fourth column of the second line, which POSIX fixes.
fn free_bytes(told: &str) -> Option<u64> {
    let blocks: u64 = told.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(blocks.saturating_mul(1024))
}

/// Says by which way requests leave, as far as the environment decides it.
fn ways_out(parts: &Parts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
    {
        if let Some(value) = parts.environment.find(name) {
            let what = match without_password(value) {
                Some(address) => format!("{name} sends requests by way of {address}"),
                None => format!("{name} is set, and is no address"),
            };
            findings.push(Finding::ok("proxy", what));
        }
    }
    for name in ["NO_PROXY", "no_proxy"] {
        if let Some(value) = parts.environment.find(name) {
            findings.push(Finding::ok("proxy", format!("{name} leaves out {value}")));
        }
    }
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        let Some(value) = parts.environment.find(name) else { continue };
        findings.push(match std::fs::metadata(value) {
            Ok(_) => Finding::ok("certificates", format!("{name} names {value}")),
            Err(error) => Finding::warning(
                "certificates",
                format!("{name} names {value}, which cannot be read"),
            )
            .because(error.to_string())
            .then("correct it or unset it"),
        });
    }
    findings
}

/// Returns scheme, host and port of a proxy: its user and password are nobody's business.
fn without_password(value: &str) -> Option<String> {
    let address = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let url = reqwest::Url::parse(&address).ok()?;
    let port = url.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{}{port}", url.scheme(), url.host_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_without_its_password() {
        for (value, shown) in [
            ("http://ann:hunter2@proxy.example.com:3128", "http://proxy.example.com:3128"),
            ("ann:hunter2@proxy.example.com:3128", "http://proxy.example.com:3128"),
            ("proxy.example.com", "http://proxy.example.com:80"),
        ] {
            assert_eq!(without_password(value).as_deref(), Some(shown));
        }
        assert_eq!(without_password("http://"), None);
    }

    #[test]
    fn free_space_is_read_as_posix_has_it() {
        let told = "Filesystem 1024-blocks Used Available Capacity Mounted on\n\
                    /dev/sda1 1000 400 600 40% /\n";
        assert_eq!(free_bytes(told), Some(600 * 1024));
        assert_eq!(free_bytes("df: no such file\n"), None);
    }

    #[test]
    fn a_database_that_is_not_there_yet_needs_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let there = fresh(&folder.path().join("xrefd.db"));
        assert_eq!(there.severity, super::super::Severity::Ok);
        let missing = fresh(&folder.path().join("no/xrefd.db"));
        assert_eq!(missing.severity, super::super::Severity::Error);
        assert!(missing.next_step.is_some());
    }
}
