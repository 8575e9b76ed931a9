-- A row a period: what CloudWatch said. Name an environment in `where`; its days are found without a crawler.
create external table if not exists trellis_samples (
  minute_utc          timestamp,
  period_seconds      int,
  requests            double,
  cpu_percent         double,
  cpu_percent_max     double,
  in_service          double,
  latency_p50_seconds double,
  latency_p95_seconds double,
  latency_p99_seconds double,
  http_5xx            double
)
partitioned by (environment string, `date` string)
stored as parquet
location 's3://ARCHIVE_BUCKET/samples/'
tblproperties (
  'projection.enabled' = 'true',
  'projection.environment.type' = 'injected',
  'projection.date.type' = 'date',
  'projection.date.range' = '2026-01-01,NOW',
  'projection.date.format' = 'yyyy-MM-dd',
  'storage.location.template' = 's3://ARCHIVE_BUCKET/samples/environment=${environment}/date=${date}/'
);
