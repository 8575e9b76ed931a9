-- The ten busiest hours: requests, CPU and instances. Put the environment's name for ENVIRONMENT.
select
  date_trunc('hour', minute_utc) as hour_utc,
  sum(requests)                  as requests,
  avg(cpu_percent)               as mean_cpu_percent,
  max(cpu_percent)               as max_cpu_percent,
  avg(in_service)                as mean_instances
from trellis_samples
where environment = 'ENVIRONMENT'
group by date_trunc('hour', minute_utc)
order by sum(requests) desc nulls last
limit 10;
