-- Rows of every table as they may stand in an index of schema 1. Loaded before later migrations
-- run. Texts are zstd frames; an empty text is an empty blob.

update generation set value = 41 where id = 1;

insert into source (id, name, url, complete_at, synced_at, outcome) values
    (1, 'main', 'https://gitlab.example.com', 1763800000000, 1763803600000,
        'incomplete'),
    (2, 'mirror', 'https://git.example.org/gitlab', null, null, 'failed');

insert into sync_run (id, source_id, started_at, finished_at, outcome) values
    (1, 1, 1763800000000, 1763800060000, 'complete'),
    (2, 1, 1763803600000, 1763803660000, 'incomplete'),
    (3, 1, 1763807200000, null, 'running'),
    (4, 2, 1763807200000, 1763807260000, 'failed');

insert into sync_stream (run_id, root, kind, watermark, done) values
    (3, 'group:shop', 'projects', null, 1),
    (3, 'group:shop', 'issues', 1763806000123, 0),
    (4, 'project:tools/cli', 'merge_requests', null, 0);

insert into sync_problem (source_id, subject, stream, reason, at, retry_at) values
    (1, 'shop/webshop', 'pipelines', 'GitLab answered 403', 1763803600000, 1763807200000);

insert into project (id, source_id, gitlab_id, path, name, description, web_url, default_branch,
    topics, visibility, archived, last_activity_at, path_key, name_key, fingerprint, seen_run,
    parts_run) values
    (1, 1, 7, 'shop/webshop', 'Webshop', 'Sells things', 'https://gitlab.example.com/shop/webshop',
        'main', '["service-webshop","team-platform"]', 'private', 0, 1763800000000, 'webshop',
        'webshop', x'0102', 2, 2),
    (2, 1, 8, 'Shop/empty', 'Empty', '', 'https://gitlab.example.com/Shop/empty', null, '[]', '',
        1, null, 'empty', 'empty', x'', 2, 0),
    (3, 2, 7, 'tools/cli', 'cli', '', 'https://git.example.org/gitlab/tools/cli', 'master', '[]',
        'public', 0, null, 'cli', 'cli', x'03', 4, 0);

insert into former_path (path, project_id) values ('store/front', 1), ('shop/front', 1);

insert into label (project_id, name, description) values
    (1, 'service::webshop', 'also web-shop'),
    (1, 'bug', '');

insert into template (project_id, kind, name, content) values
    (1, 1, 'Incident', x'28b52ffd2019c90000232320536572766963650a3c212d2d206e616d65202d2d3e0a'),
    (1, 2, 'Incident', x'');

insert into code_owners (project_id, place, content) values
    (1, '.gitlab/CODEOWNERS', x'28b52ffd20118900002a204073686f702f706c6174666f726d0a');

insert into pipeline (project_id, gitlab_id, status, git_ref, sha, web_url, created_at, updated_at)
values
    (1, 900, 'success', 'main', 'c0ffee', 'https://gitlab.example.com/shop/webshop/-/pipelines/900',
        1763800000000, 1763800060000),
    (3, 901, 'created', 'master', 'decade',
        'https://git.example.org/gitlab/tools/cli/-/pipelines/901', 1763800000000, null);

insert into item (id, source_id, project_id, kind, gitlab_id, iid, title, state, draft,
    confidential, issue_type, author, labels, source_branch, web_url, created_at, updated_at,
    closed_at, merged_at, notes_count, notes_read_at, fingerprint, seen_run) values
    (1, 1, 1, 1, 5001, 12, 'Checkout is down, see WEB-12', 'opened', 0, 1, 'incident', 'ann',
        '["severity::1"]', '', 'https://gitlab.example.com/shop/webshop/-/issues/12',
        1763790000000, 1763799000000, null, null, 2, 1763800000000, x'0a', 2),
    (2, 1, 1, 2, 5001, 42, 'Repair checkout', 'merged', 0, 0, '', '', '[]', 'web-12-checkout',
        'https://gitlab.example.com/shop/webshop/-/merge_requests/42', 1763790000000,
        1763799000000, null, 1763799000000, 1, null, x'0b', 2),
    (3, 2, 3, 1, 5001, 1, 'Nothing', 'closed', 0, 0, 'issue', 'bob', '[]', '',
        'https://git.example.org/gitlab/tools/cli/-/issues/1', 1763790000000, 1763790000000,
        1763790000000, null, 0, null, x'', 4);

insert into item_text (item_id, description) values
    (1, x'28b52ffd2049490200736572766963653a2077656273686f700a5365652068747470733a2f2f61636d652e7061676572647574792e636f6d2f696e636964656e74732f513238354e5a584a4736355844480a'),
    (2, x''),
    (3, x'');

insert into note (id, item_id, gitlab_id, author, system, internal, created_at, updated_at, body)
values
    (1, 1, 77, 'bob', 0, 0, 1763791000000, 1763791000000, x'28b52ffd200b590000616c736f205745422d3133'),
    (2, 1, 78, 'ann', 0, 1, 1763792000000, 1763793000000, x'28b52ffd20139900005745422d31342c20646f206e6f742074656c6c'),
    (3, 1, 79, '', 1, 0, 1763792000000, 1763792000000, x'28b52ffd201ef100006d656e74696f6e656420696e206d65726765207265717565737420213432');

insert into tag (id, key, match_key, value) values
    (1, 'service', 'webshop', 'Web-Shop'),
    (2, 'team', 'platform', 'platform'),
    (3, 'severity', '1', '1');

insert into project_tag (project_id, tag_id, ordinal, spelling, via, location, text, rule) values
    (1, 1, 0, 'webshop', 'topic', 'topics', 'service-webshop', 'topic:service'),
    (1, 1, 1000000, 'webshop', 'name', 'title', 'shop/webshop', 'name:service'),
    (1, 2, 1, 'platform', 'topic', 'topics', 'team-platform', 'topic:team');

insert into project_inheritance (project_id, tag_id) values (1, 1), (1, 2);

insert into item_tag_evidence (item_id, tag_id, ordinal, spelling, via, location, text, rule) values
    (1, 1, 1, 'webshop', 'field', 'description', 'service: webshop', 'field:service'),
    (1, 3, 0, '1', 'label', 'labels', 'severity::1', 'label:severity');

insert into item_tag (tag_id, kind, updated_at, item_id, own, inherited) values
    (1, 1, 1763799000000, 1, 1, 1),
    (2, 1, 1763799000000, 1, 0, 1),
    (3, 1, 1763799000000, 1, 1, 0),
    (1, 2, 1763799000000, 2, 0, 1),
    (2, 2, 1763799000000, 2, 0, 1);

insert into reference (id, kind, ref) values
    (1, 'jira', 'WEB-12'),
    (2, 'pagerduty_incident', 'Q285NZXJG65XDH'),
    (3, 'jira', 'WEB-13'),
    (4, 'jira', 'WEB-14'),
    (5, 'cve', 'CVE-2021-44228');

insert into reference_evidence (item_id, reference_id, note_gitlab_id, ordinal, location, text,
    rule, internal) values
    (1, 1, 0, 0, 'title', 'Checkout is down, see WEB-12', 'jira:key', 0),
    (1, 2, 0, 1, 'description', 'See https://acme.pagerduty.com/incidents/Q285NZXJG65XDH',
        'pagerduty:url', 0),
    (1, 3, 77, 0, 'comment', 'also WEB-13', 'jira:key', 0),
    (1, 4, 78, 0, 'comment', 'WEB-14, do not tell', 'jira:key', 1),
    (2, 1, 0, 0, 'branch', 'web-12-checkout', 'jira:key', 0);

insert into item_reference (reference_id, kind, updated_at, item_id, internal) values
    (1, 1, 1763799000000, 1, 0),
    (1, 2, 1763799000000, 2, 0),
    (2, 1, 1763799000000, 1, 0),
    (3, 1, 1763799000000, 1, 0),
    (4, 1, 1763799000000, 1, 1);
