//! The vocabulary of the made-up organisation.
//!
//! Service names are made of two words that no title and no sentence puts together, so that prose
//! never names a service by accident: what an item is about is said by labels and fields alone.

/// A part of the organisation: a subgroup with its services and teams.
#[derive(Debug)]
pub(crate) struct Domain {
    pub(crate) path: &'static str,
    /// The prefix of its Jira keys.
    pub(crate) jira: &'static str,
    pub(crate) teams: [&'static str; 2],
    pub(crate) services: [&'static str; 6],
}

pub(crate) const DOMAINS: [Domain; 8] = [
    Domain {
        path: "shop",
        jira: "SHOP",
        teams: ["storefront-crew", "order-flow"],
        services: [
            "web-shop",
            "product-catalog",
            "price-engine",
            "order-desk",
            "stock-keeper",
            "review-wall",
        ],
    },
    Domain {
        path: "payments",
        jira: "PAY",
        teams: ["money-movers", "risk-office"],
        services: [
            "card-gateway",
            "payout-runner",
            "invoice-mill",
            "fraud-guard",
            "ledger-core",
            "refund-desk",
        ],
    },
    Domain {
        path: "logistics",
        jira: "LOGI",
        teams: ["parcel-people", "depot-squad"],
        services: [
            "parcel-tracker",
            "route-planner",
            "depot-manager",
            "return-portal",
            "label-printer",
            "customs-agent",
        ],
    },
    Domain {
        path: "identity",
        jira: "IDN",
        teams: ["front-door", "trust-desk"],
        services: [
            "login-front",
            "session-keeper",
            "profile-store",
            "consent-book",
            "access-broker",
            "audit-trail",
        ],
    },
    Domain {
        path: "growth",
        jira: "GRO",
        teams: ["mail-room", "experiment-lab"],
        services: [
            "mail-composer",
            "coupon-press",
            "referral-tree",
            "survey-box",
            "segment-builder",
            "push-sender",
        ],
    },
    Domain {
        path: "platform",
        jira: "PLAT",
        teams: ["paved-road", "runtime-guild"],
        services: [
            "deploy-pilot",
            "flag-board",
            "message-bus",
            "job-runner",
            "edge-proxy",
            "secret-vault",
        ],
    },
    Domain {
        path: "data",
        jira: "DAT",
        teams: ["lake-keepers", "insight-desk"],
        services: [
            "event-pipeline",
            "metric-lake",
            "report-builder",
            "query-router",
            "schema-hub",
            "export-crane",
        ],
    },
    Domain {
        path: "support",
        jira: "SUP",
        teams: ["help-crew", "voice-team"],
        services: [
            "help-portal",
            "chat-desk",
            "ticket-router",
            "voice-bridge",
            "macro-kit",
            "mood-meter",
        ],
    },
];

/// What is put behind a service's name when there are more projects than names.
pub(crate) const SUFFIXES: [&str; 7] =
    ["", "-api", "-worker", "-admin", "-sync", "-archiver", "-simulator"];

/// Projects that are no service and have no topic.
pub(crate) const LIBRARIES: [&str; 6] =
    ["ui-kit", "build-tools", "lint-rules", "proto-files", "test-data", "style-guide"];

pub(crate) const PEOPLE: [&str; 12] =
    ["ann", "ben", "cleo", "dara", "eli", "fay", "gus", "hana", "ivo", "june", "kofi", "lena"];

pub(crate) const COMPONENTS: [&str; 6] =
    ["api", "worker", "database", "frontend", "queue", "cache"];

pub(crate) const ENVIRONMENTS: [&str; 3] = ["production", "staging", "development"];

pub(crate) const LEVELS: [&str; 4] = ["critical", "high", "medium", "low"];

/// What goes wrong. In lower case, so that a title may put something before it.
pub(crate) const PROBLEMS: [&str; 24] = [
    "totals are rounded twice",
    "the page hangs after a double click",
    "empty results for names with an apostrophe",
    "the export misses its last row",
    "a retry storm follows every short outage",
    "the wrong time zone is shown in mails",
    "the cache keeps stale entries after a deployment",
    "slow statements during the nightly run",
    "uploads above five megabytes fail",
    "the back button loses what was typed",
    "memory grows until the process is restarted",
    "old clients cannot connect any more",
    "a duplicate row after a timeout",
    "the queue grows faster than it is drained",
    "certificates are read only at start",
    "numbers are cut off on small screens",
    "the health check answers before the database is there",
    "connections are not given back after an error",
    "dates before the epoch are refused",
    "the total number of pages is one too high",
    "a lock is held while mail is sent",
    "requests pile up behind one slow tenant",
    "translations are missing on the last page",
    "the nightly import stops at the first bad line",
];

/// What is to be done.
pub(crate) const TASKS: [&str; 16] = [
    "add a timeout to outgoing calls",
    "measure how long the import takes",
    "split the large table by month",
    "show the reason of a refusal",
    "drop the unused columns",
    "read settings again on a signal",
    "write a test for the empty case",
    "make the retry wait longer each time",
    "move the schedule out of the code",
    "log the tenant with every error",
    "cut the start-up time in half",
    "replace the hand-written parser",
    "warn before the disk is full",
    "let the reader choose the order",
    "remove the old form",
    "keep the last good answer",
];

pub(crate) const SENTENCES: [&str; 18] = [
    "It happens a few times a day, mostly in the morning.",
    "We saw it on two machines, never on the third.",
    "A restart helps for about an hour.",
    "Nothing changed on our side that week.",
    "The graphs show a step at the time of the last deployment.",
    "Customers notice, but can go on.",
    "The log has nothing useful before the first error.",
    "I could reproduce it with a fresh database.",
    "The fix is small, the test is not.",
    "Encoding is UTF-8 everywhere, so that is not it.",
    "The checksum is SHA-256, and it is right.",
    "Dates are ISO-8601 in both directions.",
    "The proxy answers HTTP-404 although the page is there.",
    "Latency doubles at the 99th percentile, the median stays.",
    "Version 2.14.1 does not show it, 2.15.0 does.",
    "It takes 10-15 minutes until it recovers.",
    "Keys are AES-256, rotated every 90 days.",
    "This was postponed twice already.",
];

pub(crate) const REMARKS: [&str; 14] = [
    "Looks good to me.",
    "Can we have a test for that?",
    "I would rather not add another setting.",
    "Seen again this morning.",
    "Could you explain the second change?",
    "Thanks, that was quick!",
    "Not before the freeze, please.",
    "We talked about it, let us keep it simple.",
    "UTF-8 is fine here.",
    "The name could be clearer.",
    "Works on my machine, and on the test system.",
    "Let us see how it looks on Monday.",
    "Rebased.",
    "I can take this one.",
];

/// Labels that look like more than they are.
pub(crate) const PLAIN_LABELS: [&str; 10] = [
    "bug",
    "documentation",
    "service-desk",
    "customer-service",
    "S3-migration",
    "P2P",
    "type::feature",
    "workflow::in dev",
    "needs-review",
    "good first issue",
];

/// Topics that look like more than they are.
pub(crate) const PLAIN_TOPICS: [&str; 6] =
    ["services", "teamwork", "tier-1", "rust", "backend", "servicemesh"];
