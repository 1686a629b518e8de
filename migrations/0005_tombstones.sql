-- What is gone, and why: an old address still leads to an answer. Nothing of the content is kept.

create table tombstone (
    id integer primary key,
    source_id integer not null references source (id) on delete cascade,
    -- 0 a project, 1 an issue, 2 a merge request.
    kind integer not null check (kind in (0, 1, 2)),
    gitlab_id integer not null,
    project_gitlab_id integer not null,
    -- The project's path when it went.
    path text not null,
    -- 0 for a project.
    iid integer not null,
    web_url text not null,
    confidential integer not null check (confidential in (0, 1)),
    reason text not null check (reason in
        ('not_shown', 'outside_roots', 'excluded', 'archived', 'root_removed')),
    gone_at integer not null,
    unique (source_id, kind, gitlab_id)
) strict;

create index tombstone_by_item on tombstone (source_id, project_gitlab_id, kind, iid);

-- The paths that a project had, the last one too, in small letters: GitLab compares them so.
create table tombstone_path (
    path text not null,
    tombstone_id integer not null references tombstone (id) on delete cascade,
    primary key (path, tombstone_id)
) strict, without rowid;

create index tombstone_path_by_tombstone on tombstone_path (tombstone_id);

-- How much a list would lose at once, where that is too much to believe the first time. A list that
-- was begun by a later run and shows no more gone confirms it.
create table suspected_drop (
    root_id integer not null references root (id) on delete cascade,
    -- projects, issues, merge_requests
    kind text not null,
    -- not_listed: the list does not show it. switched_off: its project says that it has none.
    cause text not null check (cause in ('not_listed', 'switched_off')),
    -- The run that found it.
    run integer not null,
    gone integer not null,
    primary key (root_id, kind, cause, run)
) strict, without rowid;

-- A list of a single project goes with the project.
create index root_by_gitlab_id on root (source_id, gitlab_id);

-- When each pass last ended that was not a failure: a tick that was missed is made up for once.
create table pass_done (
    source_id integer not null references source (id) on delete cascade,
    -- sync, files, reconcile, sweep
    pass text not null,
    began_at integer not null,
    primary key (source_id, pass)
) strict, without rowid;
