-- Instance hours of each day, and the requests that one of them served.
select
  "date"                                        as day_utc,
  sum(in_service * period_seconds) / 3600       as instance_hours,
  sum(requests)                                 as requests,
  sum(requests) / nullif(sum(in_service * period_seconds) / 3600, 0) as requests_per_instance_hour,
  max(in_service)                               as most_instances
from trellis_samples
where environment = 'ENVIRONMENT'
group by "date"
order by "date";
