//! What made texts are made of.
//!
//! Paragraphs hold nothing that JSON would escape, so that a made text is rendered by copying.

/// Paragraphs of about 200 bytes. One line each, without quotes, backslashes and control
/// characters: a test checks it.
pub(super) const PARAGRAPHS: [&str; 24] = [
    "The queue in front of the payment workers grows during the evening peak and does not shrink before midnight. Consumers are healthy and idle for half of the time, so it is not their number that limits us.",
    "Steps to reproduce: open the basket with more than forty articles, change the country of delivery, go back with the button of the browser and press pay. The total is that of the country before.",
    "We rolled the service back to the version of last Thursday and the latency went down at once. The graph of the connection pool shows the same shape in both regions, only two minutes apart.",
    "- check that the alarm is silenced before the drill starts\n- restart one node at a time and wait for the rebalance\n- compare the number of open sessions before and after\n- write down what took longer than planned",
    "The migration adds a nullable column first, fills it in batches of ten thousand rows, and makes it mandatory in the release after that. No lock is held for longer than the time of one batch.",
    "Customers with a company account see the wrong currency on the second page of the invoice. The first page is right, as is the document that is sent by mail. Support has answered eleven of them so far.",
    "`GET /v2/stock` answers with an empty list when the warehouse is unknown, although the contract says that it is a 404. Two clients already depend on the empty list, so we need a flag for them.",
    "### Expected behaviour\n\nThe export contains every article once, in the order of the catalogue, and says in its last line how many there are. It is finished within ten minutes for the largest of our tenants.",
    "### Actual behaviour\n\nArticles that were moved to another category while the export was running are in it twice, and the last line counts them twice as well. Smaller tenants have not noticed anything.",
    "The certificate of the internal gateway ends in three weeks. The new one is in the vault; what is missing is the rollout to the edge nodes, which still read it from a file that nobody owns.",
    "After the upgrade of the runtime the service needs a third more memory at rest. Most of that is the cache of compiled templates, which had a limit before and has none in the new version.",
    "> It was fine on my machine and on staging, and it was fine in production until the first of the month. What happens on the first of the month is the billing run, and that reads the same table.",
    "We agreed in the review to keep the old endpoint for two more quarters. It answers from the new store, has a metric of its own, and writes a line to the log whenever somebody unknown asks.",
    "The dashboard shows requests by status, but it counts a request that was retried inside of the mesh as one. That is why the error rate looks smaller than what the clients see and tell us about.",
    "- [x] draft of the contract shared with the mobile team\n- [x] feature flag added, off by default\n- [ ] load test with the traffic of last November\n- [ ] page in the handbook of the people on call",
    "Search returns articles that were deleted up to an hour ago. The index is updated by a job that runs every hour, and the event that should remove a single document is dropped when its version is older.",
    "| region | before | after |\n|---|---|---|\n| Frankfurt | 240 ms | 95 ms |\n| Dublin | 310 ms | 120 ms |\n| Virginia | 280 ms | 130 ms |\n\nMeasured over one hour with the same mix of requests.",
    "The retry policy multiplies: the gateway tries three times, the client library tries three times, and the job that calls it tries five times. One slow dependency gets forty-five times the load it should.",
    "This change moves the parsing of addresses into a module of its own and adds the cases from the bug reports of this year as a table of tests. The behaviour of valid addresses does not change.",
    "The lock that guards the rate table is held while the rates are fetched. When the provider is slow, every request that needs a price waits behind it, and the health check is one of these requests.",
    "Nightly builds fail in one of five runs with a timeout while the browser starts. It is always the same runner, which was set up by hand a long time ago; the others come from the image.",
    "Für Kundinnen und Kunden in Österreich fehlt auf der Rechnung die Nummer der Firma. Die Vorlage kennt das Feld, es wird aber nur gefüllt, wenn das Konto nach dem Umzug angelegt wurde.",
    "The on-call engineer could not find the switch that turns the recommendation off, because it was renamed in spring and the page that describes it was not. Both names should work for a while.",
    "Once this is merged the nightly job can go away. It has copied the orders of the day into the warehouse since the very beginning, and nothing has read that copy since the event stream is there.",
];

/// Words that titles are made of.
pub(super) const SUBJECTS: [&str; 16] = [
    "Checkout",
    "Invoice export",
    "Stock service",
    "Search index",
    "Payment worker",
    "Gateway",
    "Price cache",
    "Customer import",
    "Mail delivery",
    "Login page",
    "Nightly job",
    "Mobile client",
    "Event stream",
    "Recommendation",
    "Warehouse sync",
    "Address parser",
];

/// What is said of the subject of a title.
pub(super) const PREDICATES: [&str; 16] = [
    "is slow in the evening",
    "loses rows under load",
    "needs a timeout",
    "shows the wrong total",
    "fails after the upgrade",
    "reads the old table",
    "retries too often",
    "has no owner",
    "answers with an empty list",
    "holds its lock too long",
    "should drop the old endpoint",
    "counts retries as one",
    "leaks connections",
    "needs a load test",
    "ignores the feature flag",
    "prints the wrong currency",
];
