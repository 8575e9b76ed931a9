-- Response time against CPU, in steps of 5 %: from which CPU on do users wait?
select
  floor(cpu_percent / 5) * 5                    as cpu_percent_from,
  count(latency_p95_seconds)                    as minutes,
  approx_percentile(latency_p95_seconds, 0.5)   as median_p95_seconds,
  max(latency_p95_seconds)                      as worst_p95_seconds
from trellis_samples
where environment = 'ENVIRONMENT' and cpu_percent is not null and latency_p95_seconds is not null
group by floor(cpu_percent / 5) * 5
order by 1;
