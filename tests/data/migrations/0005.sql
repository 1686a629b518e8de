insert into tombstone (id, source_id, kind, gitlab_id, project_gitlab_id, path, iid, web_url,
    confidential, reason, gone_at)
select 1, min(id), 0, 90, 90, 'shop/old', 0, 'https://gitlab.example.com/shop/old', 0,
    'not_shown', 1000 from source;
insert into tombstone_path (path, tombstone_id) values ('shop/old', 1), ('shop/older', 1);
insert into suspected_drop (root_id, kind, cause, run, gone)
values (1, 'issues', 'not_listed', 1, 400), (1, 'issues', 'switched_off', 1, 7);
insert into pass_done (source_id, pass, began_at) select min(id), 'sync', 1000 from source;
