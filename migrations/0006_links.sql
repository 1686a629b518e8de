-- How items stand to each other. The far end is kept as GitLab or a text names it, and looked up
-- when it is asked for, so it may come later, move, or go.

-- 1 where GitLab's fields show all that the item relates to, blocks or waits for.
alter table item add column relations_shown integer not null default 0
check (relations_shown in (0, 1));

create table item_link (
    item_id integer not null references item (id) on delete cascade,
    -- 0 GitLab's own fields, 1 title and description, 2 comments and system notes.
    origin integer not null check (origin in (0, 1, 2)),
    kind text not null check (kind in
        ('closes', 'relates_to', 'blocks', 'is_blocked_by', 'mentions', 'moved_to',
        'duplicate_of')),
    -- 1 where the other stands so to this item.
    inward integer not null check (inward in (0, 1)),
    target_kind integer not null check (target_kind in (1, 2)),
    -- GitLab's id of the other; 0 where only its place is known.
    target_id integer not null,
    -- GitLab's id of the other's project, or its path in small letters; 0 and '' where not known.
    target_project integer not null,
    target_path text not null,
    target_iid integer not null,
    -- The comment that says so; 0 for none.
    note_gitlab_id integer not null,
    -- 1 where only an internal comment says so.
    internal integer not null check (internal in (0, 1)),
    primary key (item_id, origin, kind, inward, target_kind, target_id, target_project,
        target_path, target_iid)
) strict, without rowid;

create index item_link_by_id on item_link (target_id, target_kind) where target_id <> 0;
create index item_link_by_number on item_link (target_project, target_kind, target_iid)
where target_project <> 0;
create index item_link_by_path on item_link (target_path, target_kind, target_iid)
where target_path <> '';
