insert into item_link (item_id, origin, kind, inward, target_kind, target_id, target_project,
    target_path, target_iid, note_gitlab_id, internal)
select min(id), 0, 'moved_to', 0, 1, 900, 0, '', 0, 0, 0 from item
union all select min(id), 1, 'closes', 0, 1, 0, 0, 'shop/old', 3, 0, 0 from item
union all select min(id), 0, 'duplicate_of', 0, 1, 0, 90, '', 4, 0, 0 from item;
