-- Rows that schema 4 added, as they may stand in an index of it.

update project set updated_at = 1763800000000, details_due = 0, features =
    '{"issues_enabled":true,"merge_requests_enabled":true,"builds_enabled":true,"empty_repo":false,"repository_readable":true,"is_sketch":false,"issues_template":"","merge_requests_template":"Service:"}'
where id = 1;

insert into details_walk (source_id, run) values (1, 2);

update code_owners set oid = '6f7a' where project_id = 1;

insert into catalog_file (project_id, path, oid, content) values
    (1, 'catalog-info.yaml', '8c1e', x'28b52ffd20118900002a204073686f702f706c6174666f726d0a');

update label set gitlab_id = 31 where name = 'bug';

insert into label_change (project_id, name, new_name) values
    (1, 'crash', 'bug'),
    (1, 'late', null);

insert into token_check (source_id, checked_at, again_at, findings) values
    (1, 1763800000000, 1763886400000, '{}');
