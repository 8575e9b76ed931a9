-- The ten cheapest settings that hold, of the newest sweep.
select
  upper_threshold, lower_threshold, upper_breach_scale_increment, lower_breach_scale_increment,
  period, evaluation_periods, cooldown, min_size, max_size,
  instance_hours, mean_cpu_percent, max_cpu_percent, scale_outs + scale_ins as changes
from trellis_cheapest
where environment = 'ENVIRONMENT'
  and "date" = (select max("date") from trellis_cheapest where environment = 'ENVIRONMENT')
order by instance_hours, scale_outs + scale_ins, max_cpu_percent
limit 10;
