-- The index: what was read from GitLab, and what was made of it.
--
-- Instants are integer milliseconds since 1970 in UTC. NULL means "has not happened" or "GitLab
-- does not say", never "unknown to us". Kinds of item: 1 issue, 2 merge request.

-- Raised by every commit that changes what an answer may say; the HTTP ETag.
create table generation (
    id integer primary key check (id = 1),
    value integer not null
) strict;

insert into generation (id, value) values (1, 0);

create table source (
    id integer primary key,
    name text not null unique,
    url text not null,
    -- Start of the last sync that read everything, and of the last that was not a failure.
    complete_at integer,
    synced_at integer,
    -- How the last sync that ended did; empty before the first.
    outcome text not null check (outcome in ('', 'complete', 'incomplete', 'failed'))
) strict;

-- A sync of one source. One that was killed has no end, and is gone on with.
create table sync_run (
    id integer primary key,
    source_id integer not null references source (id) on delete cascade,
    started_at integer not null,
    finished_at integer,
    outcome text not null check (outcome in ('running', 'complete', 'incomplete', 'failed'))
) strict;

create index sync_run_by_source on sync_run (source_id, id);

-- How far a sync has come in one list (kind: projects, issues, merge_requests) of one root.
create table sync_stream (
    run_id integer not null references sync_run (id) on delete cascade,
    root text not null,
    kind text not null,
    -- Everything changed up to here was stored. NULL before the first page.
    watermark integer,
    done integer not null check (done in (0, 1)),
    primary key (run_id, root, kind)
) strict, without rowid;

-- A part that could not be read in the latest sync, and why.
create table sync_problem (
    source_id integer not null references source (id) on delete cascade,
    subject text not null,
    stream text not null,
    reason text not null,
    at integer not null,
    retry_at integer not null,
    primary key (source_id, subject, stream)
) strict, without rowid;

create table project (
    id integer primary key,
    source_id integer not null references source (id) on delete cascade,
    gitlab_id integer not null,
    path text not null,
    name text not null,
    description text not null,
    web_url text not null,
    default_branch text,
    topics text not null check (json_valid(topics)),
    visibility text not null,
    archived integer not null check (archived in (0, 1)),
    last_activity_at integer,
    -- Match keys of the last path segment and of the name, for evidence by name.
    path_key text not null,
    name_key text not null,
    -- Digest of everything above and of the rules it was read with.
    fingerprint blob not null,
    seen_run integer not null,
    -- The run that last read its labels, templates, CODEOWNERS and pipeline.
    parts_run integer not null,
    unique (source_id, gitlab_id)
) strict;

create index project_by_path on project (path);
-- GitLab compares paths without case.
create index project_by_folded_path on project (lower(path));
create index project_by_path_key on project (path_key);
create index project_by_name_key on project (name_key);

-- Paths that a project had before a rename or transfer.
create table former_path (
    path text not null,
    project_id integer not null references project (id) on delete cascade,
    primary key (path, project_id)
) strict, without rowid;

create index former_path_by_folded on former_path (lower(path));
create index former_path_by_project on former_path (project_id);

create table label (
    project_id integer not null references project (id) on delete cascade,
    name text not null,
    description text not null,
    primary key (project_id, name)
) strict, without rowid;

create table template (
    project_id integer not null references project (id) on delete cascade,
    kind integer not null check (kind in (1, 2)),
    name text not null,
    content blob not null,
    primary key (project_id, kind, name)
) strict;

create table code_owners (
    project_id integer primary key references project (id) on delete cascade,
    place text not null,
    content blob not null
) strict;

create table pipeline (
    project_id integer primary key references project (id) on delete cascade,
    gitlab_id integer not null,
    status text not null,
    git_ref text not null,
    sha text not null,
    web_url text not null,
    created_at integer not null,
    updated_at integer
) strict;

create table item (
    id integer primary key,
    source_id integer not null references source (id) on delete cascade,
    project_id integer not null references project (id) on delete cascade,
    kind integer not null check (kind in (1, 2)),
    gitlab_id integer not null,
    iid integer not null,
    title text not null,
    state text not null,
    draft integer not null check (draft in (0, 1)),
    confidential integer not null check (confidential in (0, 1)),
    issue_type text not null,
    author text not null,
    labels text not null check (json_valid(labels)),
    source_branch text not null,
    web_url text not null,
    created_at integer not null,
    updated_at integer not null,
    closed_at integer,
    merged_at integer,
    notes_count integer not null,
    -- GitLab's time when the comments were read; NULL when they are still to be read.
    notes_read_at integer,
    -- Digest of everything that the derived rows depend on.
    fingerprint blob not null,
    seen_run integer not null,
    unique (source_id, kind, gitlab_id)
) strict;

create index item_by_project on item (project_id, kind, iid);
create index item_by_notes_due on item (source_id, id) where notes_read_at is null;

-- Descriptions and comments, compressed with zstd: kept so that a change of rules can be applied
-- without asking GitLab.
create table item_text (
    item_id integer primary key references item (id) on delete cascade,
    description blob not null
) strict;

create table note (
    id integer primary key,
    item_id integer not null references item (id) on delete cascade,
    gitlab_id integer not null,
    author text not null,
    system integer not null check (system in (0, 1)),
    internal integer not null check (internal in (0, 1)),
    created_at integer not null,
    updated_at integer not null,
    body blob not null,
    unique (item_id, gitlab_id)
) strict;

-- Names: one row for all spellings with one match key.
create table tag (
    id integer primary key,
    key text not null,
    match_key text not null,
    -- The spelling that is shown.
    value text not null,
    unique (key, match_key)
) strict;

create table project_tag (
    project_id integer not null references project (id) on delete cascade,
    tag_id integer not null references tag (id),
    ordinal integer not null,
    spelling text not null,
    via text not null,
    location text not null,
    text text not null,
    rule text not null,
    primary key (project_id, tag_id, ordinal)
) strict, without rowid;

create index project_tag_by_tag on project_tag (tag_id, project_id);

-- What a project hands down to its items: keys of which it carries exactly one value.
create table project_inheritance (
    project_id integer not null references project (id) on delete cascade,
    tag_id integer not null references tag (id),
    primary key (project_id, tag_id)
) strict, without rowid;

create index project_inheritance_by_tag on project_inheritance (tag_id);

-- Why an item itself carries a tag.
create table item_tag_evidence (
    item_id integer not null references item (id) on delete cascade,
    tag_id integer not null references tag (id),
    ordinal integer not null,
    spelling text not null,
    via text not null,
    location text not null,
    text text not null,
    rule text not null,
    primary key (item_id, tag_id, ordinal)
) strict, without rowid;

create index item_tag_evidence_by_tag on item_tag_evidence (tag_id, spelling);

-- The tags of an item, its own and inherited, in the order in which they are listed.
create table item_tag (
    tag_id integer not null references tag (id),
    kind integer not null,
    updated_at integer not null,
    item_id integer not null references item (id) on delete cascade,
    own integer not null check (own in (0, 1)),
    inherited integer not null check (inherited in (0, 1)),
    primary key (tag_id, kind, updated_at desc, item_id desc)
) strict, without rowid;

create index item_tag_by_item on item_tag (item_id, tag_id);

create table reference (
    id integer primary key,
    kind text not null,
    ref text not null,
    unique (kind, ref)
) strict;

-- Case folds: what a person pastes may be in any case.
create index reference_by_folded on reference (lower(ref));

create table reference_evidence (
    item_id integer not null references item (id) on delete cascade,
    reference_id integer not null references reference (id),
    -- 0 for the item's own text, else GitLab's id of the comment.
    note_gitlab_id integer not null,
    ordinal integer not null,
    location text not null,
    text text not null,
    rule text not null,
    internal integer not null check (internal in (0, 1)),
    primary key (item_id, note_gitlab_id, reference_id, ordinal)
) strict, without rowid;

create index reference_evidence_by_reference on reference_evidence (reference_id, item_id);

-- The items that mention a reference, in the order in which they are listed.
create table item_reference (
    reference_id integer not null references reference (id),
    kind integer not null,
    updated_at integer not null,
    item_id integer not null references item (id) on delete cascade,
    -- True when only internal comments mention it.
    internal integer not null check (internal in (0, 1)),
    primary key (reference_id, updated_at desc, item_id desc)
) strict, without rowid;

create index item_reference_by_item on item_reference (item_id, reference_id);
