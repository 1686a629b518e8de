-- What is crawled of a source, and how far each of its lists was read. These outlive the runs: a
-- sync goes on from where the last one came, whether that ended or was killed.
--
-- Instants are of GitLab's clock where they are compared with what GitLab prints.

drop table sync_stream;

-- A group or project whose lists are walked. Found by its path once, and by its number after.
create table root (
    -- Never used again: who still holds the key of one that went must not meet another.
    id integer primary key autoincrement,
    source_id integer not null references source (id) on delete cascade,
    -- `group:shop`, `project:tools/cli`, `membership`; `project 7` for one below another root.
    name text not null,
    -- configured: named by the configuration. member: a project that only membership leads to.
    -- joined: a project that came below a root after that root was read, until its older items are.
    origin text not null check (origin in ('configured', 'member', 'joined')),
    -- NULL for `membership`, and until it was found.
    gitlab_id integer,
    -- As GitLab spells it now.
    path text not null,
    -- When it was last looked up by its path.
    found_at integer,
    unique (source_id, name)
) strict;

-- A list of a root. Kinds: projects, issues, merge_requests.
create table stream (
    root_id integer not null references root (id) on delete cascade,
    kind text not null,
    -- Everything that changed before this was read. NULL until the first walk over all has ended.
    watermark integer,
    -- How many things GitLab counted in the list when it was last read.
    total integer,
    -- A walk over all that is under way: when it began, and the run whose number marks what it saw.
    walk_began_at integer,
    walk_run integer,
    -- When the list was last read to its end, and when all of it was.
    read_at integer,
    whole_at integer,
    primary key (root_id, kind),
    check ((walk_began_at is null) = (walk_run is null))
) strict, without rowid;

-- A span of creation times that a walk over all reads on its own. Times of creation do not move.
create table stream_window (
    root_id integer not null,
    kind text not null,
    -- Both inclusive.
    lower integer not null,
    upper integer not null,
    -- Everything created before this was stored; at first the lower end.
    position integer not null,
    done integer not null check (done in (0, 1)),
    primary key (root_id, kind, lower),
    foreign key (root_id, kind) references stream (root_id, kind) on delete cascade
) strict, without rowid;

-- When GitLab was asked for what is stored of an item.
alter table item add column read_at integer not null default 0;

-- Digest of the comments as they were read.
alter table item add column notes_fingerprint blob;

-- A comment within a minute of another change does not move an item's time, and a change may be
-- seen late: comments read within three minutes of the item's time are read once more.
create index item_by_second_look on item (source_id, updated_at)
    where notes_read_at < updated_at + 180000;
