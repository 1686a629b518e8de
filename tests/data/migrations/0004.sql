-- Rows that schema 4 added, as they may stand in an index of it.

update project set details_due = 0, files_print = x'0a0b', features =
    '{"issues_enabled":true,"merge_requests_enabled":true,"builds_enabled":true,"empty_repo":false,"repository_readable":true,"is_sketch":false,"issues_template":"","merge_requests_template":"Service:"}'
where id = 1;

insert into catalog_file (project_id, path, oid, content) values
    (1, 'catalog-info.yaml', '8c1e', x'28b52ffd20118900002a204073686f702f706c6174666f726d0a');

insert into label_number (project_id, gitlab_id, name) values (1, 31, 'bug'), (1, 32, 'bug');

insert into label_change (project_id, name, new_name) values
    (1, 'crash', 'bug'),
    (1, 'late', null);

insert into token_check (source_id, checked_at, again_at, findings) values
    (1, 1763800000000, 1763886400000, '{}');

insert into lender (source_id, namespace, checked_at) values (1, 'shop', 1763800000000), (1, 'tools', 1763800000000);

insert into lent_template (source_id, namespace, kind, name, content) values
    (1, 'shop', 1, 'Outage', x''), (1, 'shop', 2, 'Default', x'');

insert into passed_over (root_id, gitlab_id) values (1, 9);
