-- How long launches took, from the decision to the end of the activity, and how many failed.
select
  "date"                                                             as day_utc,
  count(*)                                                           as launches,
  sum(case when successful then 0 else 1 end)                        as failed,
  avg(date_diff('second', start_utc, end_utc))                       as mean_seconds,
  max(date_diff('second', start_utc, end_utc))                       as longest_seconds
from trellis_activities
where environment = 'ENVIRONMENT' and kind = 'launch'
group by "date"
order by "date";
