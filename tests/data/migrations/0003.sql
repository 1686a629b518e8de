insert into root (id, source_id, name, origin, gitlab_id, path, found_at)
select 1, min(id), 'group:shop', 'configured', 3, 'shop', 1000 from source;
insert into stream (root_id, kind, watermark, total, walk_began_at, walk_run, read_at, whole_at)
values (1, 'issues', 1000, 2, null, null, 1000, 1000),
    (1, 'merge_requests', null, null, 1000, 1, null, null);
insert into stream_window (root_id, kind, lower, upper, position, done)
values (1, 'merge_requests', 0, 500, 200, 0), (1, 'merge_requests', 500, 1000, 1000, 1);
