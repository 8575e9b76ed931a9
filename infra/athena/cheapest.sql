-- A row a policy that holds the ceiling, of each day's sweep: the 200 cheapest. Not of sweeps/, where other files lie
-- beside: Athena reads all that a folder holds.
create external table if not exists trellis_cheapest (
  upper_threshold              double,
  lower_threshold              double,
  upper_breach_scale_increment int,
  lower_breach_scale_increment int,
  period                       int,
  evaluation_periods           int,
  breach_duration              int,
  min_size                     int,
  max_size                     int,
  cooldown                     int,
  instance_hours               double,
  mean_cpu_percent             double,
  max_cpu_percent              double,
  minutes_over                 int,
  peak_instances               int,
  scale_outs                   int,
  scale_ins                    int
)
partitioned by (environment string, `date` string)
stored as parquet
location 's3://ARCHIVE_BUCKET/cheapest/'
tblproperties (
  'projection.enabled' = 'true',
  'projection.environment.type' = 'injected',
  'projection.date.type' = 'date',
  'projection.date.range' = '2026-01-01,NOW',
  'projection.date.format' = 'yyyy-MM-dd',
  'storage.location.template' = 's3://ARCHIVE_BUCKET/cheapest/environment=${environment}/date=${date}/'
);
