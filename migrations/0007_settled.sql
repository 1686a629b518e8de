-- What was worked out when nothing more was to be read: a sync in which nothing changed does not
-- work it out again, which would take time that grows with the index.
create table settled (
    source_id integer primary key references source (id) on delete cascade,
    -- Names are settled, and the counts are true, as of this generation.
    generation integer not null,
    projects integer not null,
    issues integer not null,
    merge_requests integer not null,
    -- Different things that the items of the source mention.
    mentioned integer not null
) strict;
