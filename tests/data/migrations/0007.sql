insert into settled (source_id, generation, projects, issues, merge_requests, mentioned)
select min(id), 40, 1, 1, 1, 1 from source;
