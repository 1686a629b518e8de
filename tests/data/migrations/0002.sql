-- Rows that schema 2 added, as they may stand in an index of it.

insert into learnt_limit (source_id, route, throttle, requests, interval_ms, learnt_at) values
    (1, '', 'throttle_authenticated_api', 5000, 3600000, 1763803600000),
    (1, '', 'throttle_authenticated_api', 100, 60000, 1763803600000),
    (1, '/groups/:x/issues', '', 190, 60000, 1763803660000);
