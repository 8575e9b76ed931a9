-- CPU against requests per minute per instance, in steps of 250: the line that Trellis fits, and how far CPU strays from it.
-- All is brought to five minutes, so that it also holds with basic monitoring.
with fives as (
  select
    date_trunc('hour', minute_utc)   as hour_utc,
    floor(minute(minute_utc) / 5.0)  as five,
    sum(requests) / 5 / avg(in_service) as requests_per_instance,
    avg(cpu_percent)                 as cpu_percent
  from trellis_samples
  where environment = 'ENVIRONMENT'
  group by date_trunc('hour', minute_utc), floor(minute(minute_utc) / 5.0)
  having count(requests) = 5 and avg(in_service) > 0 and count(cpu_percent) > 0
)
select
  floor(requests_per_instance / 250) * 250 as requests_per_instance_from,
  count(*)                                 as five_minutes,
  avg(cpu_percent)                         as mean_cpu_percent,
  stddev_samp(cpu_percent)                 as spread_cpu_percent,
  max(cpu_percent)                         as max_cpu_percent
from fives
group by floor(requests_per_instance / 250) * 250
order by 1;
