-- What a project offers and holds, kept so that a sync in which nothing changed lists none of it.

-- GitLab's time of the project's last change, where it says so.
alter table project add column updated_at integer;
-- What is switched on, and the texts that new items begin with. NULL: not told since schema 4.
alter table project add column features text check (features is null or json_valid(features));
-- True when its files, labels, templates and pipeline are to be read by the next run.
alter table project add column details_due integer not null default 1 check (details_due in (0, 1));

create index project_by_details_due on project (source_id, id) where details_due = 1;

-- A pipeline that goes on moves no time of its project.
create index pipeline_by_unfinished on pipeline (project_id) where status not in ('success', 'failed', 'canceled', 'skipped', 'manual');

-- A reading of all details that is under way: a project that no run since this one has read is
-- still to be read.
create table details_walk (
    source_id integer primary key references source (id) on delete cascade,
    run integer not null
) strict;

-- GitLab's ids of contents: what has the same id is not read again.
alter table code_owners add column oid text;
alter table template add column oid text;

-- A file of a repository that describes the project, as it is.
create table catalog_file (
    project_id integer not null references project (id) on delete cascade,
    path text not null,
    oid text,
    content blob not null,
    primary key (project_id, path)
) strict;

-- A label keeps its number through a rename. NULL: not told since schema 4.
alter table label add column gitlab_id integer;

-- Names of labels that changed in GitLab, in this order, and that items may still carry in the
-- index. GitLab moves no item's time for it.
create table label_change (
    id integer primary key,
    project_id integer not null references project (id) on delete cascade,
    name text not null,
    -- NULL when the label is gone.
    new_name text
) strict;

create index label_change_by_project on label_change (project_id);

-- What GitLab last said about a source's token, without the token.
create table token_check (
    source_id integer primary key references source (id) on delete cascade,
    checked_at integer not null,
    -- When it is to be looked at again.
    again_at integer not null,
    findings text not null check (json_valid(findings))
) strict;
