-- What was learnt of GitLab's limits: those that no header states beforehand. Kept so that a new
-- process does not have to be refused again to know them.
create table learnt_limit (
    source_id integer not null references source (id) on delete cascade,
    -- The route template that it holds for; '' for all requests.
    route text not null,
    -- GitLab's name of the throttle; '' where it has none.
    throttle text not null,
    requests integer not null check (requests > 0),
    interval_ms integer not null check (interval_ms > 0),
    learnt_at integer not null,
    primary key (source_id, route, throttle, interval_ms)
) strict, without rowid;
