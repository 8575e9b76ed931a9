-- A row an activity: launches, terminations, deployments.
create external table if not exists trellis_activities (
  activity_id string,
  kind        string,
  start_utc   timestamp,
  end_utc     timestamp,
  successful  boolean,
  cause       string
)
partitioned by (environment string, `date` string)
stored as parquet
location 's3://ARCHIVE_BUCKET/activities/'
tblproperties (
  'projection.enabled' = 'true',
  'projection.environment.type' = 'injected',
  'projection.date.type' = 'date',
  'projection.date.range' = '2026-01-01,NOW',
  'projection.date.format' = 'yyyy-MM-dd',
  'storage.location.template' = 's3://ARCHIVE_BUCKET/activities/environment=${environment}/date=${date}/'
);
