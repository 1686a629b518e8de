-- What a project offers and holds, kept so that a sync in which nothing changed lists none of it.

-- What is switched on, and the texts that new items begin with. NULL: not told since schema 4.
alter table project add column features text check (features is null or json_valid(features));

-- True when its files, labels, templates and pipeline are to be read by the next run.
alter table project add column details_due integer not null default 1 check (details_due in (0, 1));

-- Digest of the paths and GitLab's ids of the files that were read. NULL: not known.
alter table project add column files_print blob;

-- A project of a root's list that the configuration leaves out: it is counted by GitLab, and is no
-- news when it changes.
create table passed_over (
    root_id integer not null references root (id) on delete cascade,
    gitlab_id integer not null,
    primary key (root_id, gitlab_id)
) strict, without rowid;

-- A file of a repository that describes the project, as it is.
create table catalog_file (
    project_id integer not null references project (id) on delete cascade,
    path text not null,
    -- GitLab's id of the content, where it says so.
    oid text,
    content blob not null,
    primary key (project_id, path)
) strict;

-- A group whose templates were asked for: those that it and the groups above lend to its projects.
create table lender (
    source_id integer not null references source (id) on delete cascade,
    namespace text not null,
    checked_at integer not null,
    primary key (source_id, namespace)
) strict, without rowid;

create table lent_template (
    source_id integer not null,
    namespace text not null,
    kind integer not null check (kind in (1, 2)),
    name text not null,
    content blob not null,
    primary key (source_id, namespace, kind, name),
    foreign key (source_id, namespace) references lender (source_id, namespace) on delete cascade
) strict;

-- A label keeps its number through a rename, and one that is made anew has another. A group and a
-- project may each have a label of one name, of which `label` shows one. None: not told since
-- schema 4.
create table label_number (
    project_id integer not null references project (id) on delete cascade,
    gitlab_id integer not null,
    name text not null,
    primary key (project_id, gitlab_id)
) strict, without rowid;

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
