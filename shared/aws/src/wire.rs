//! What no emulator shows: pages, orders, half answers, throttling and denial, as they come over the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudwatch::operation::get_metric_data::{GetMetricDataError, GetMetricDataOutput};
use aws_sdk_cloudwatch::types::{MessageData, MetricDataResult, StatusCode};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use bytes::Bytes;
use pipeline::archive::{Archive as _, ArchiveError, Environment, Expected, Key, Version};
use pipeline::service::{ServiceError, Trouble, trouble};
use pipeline::source::{Environments as _, LoadBalancer, Metrics as _, Query, Tag, Tier, suite};
use scaling::units::{MinuteUtc, Minutes, Window};

use crate::cloudwatch::CloudWatch;
use crate::connection::{Connection, LONGEST_CALL, timeouts, tries};
use crate::environments::AwsEnvironments;
use crate::s3::S3Archive;

/// 2026-11-02T00:00Z.
fn start() -> MinuteUtc {
    MinuteUtc::new(29_892_960).unwrap()
}

fn hour() -> Window {
    Window { start: start(), end: start() + Minutes(60) }
}

fn query() -> Query {
    suite::query("Sum", "web")
}

/// A connection whose every request `answer`s.
fn answered_by(answer: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> Connection {
    let http = infallible_client_fn(move |request: http::Request<SdkBody>| {
        let body = request.body().bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let (status, text) = answer(&format!("{} {}", request.uri(), body.unwrap_or_default()));
        http::Response::builder().status(status).body(text).unwrap()
    });
    let credentials = Credentials::new("id", "key", None, None, "test");
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http)
        .retry_config(tries())
        .timeout_config(timeouts())
        .sleep_impl(aws_sdk_s3::config::SharedAsyncSleep::new(TokioSleep))
        .build();
    Connection { sdk }
}

/// Sleeps on tokio's clock, which a test can advance.
#[derive(Debug)]
struct TokioSleep;

impl aws_sdk_s3::config::AsyncSleep for TokioSleep {
    fn sleep(&self, duration: Duration) -> aws_sdk_s3::config::Sleep {
        aws_sdk_s3::config::Sleep::new(tokio::time::sleep(duration))
    }
}

fn at(minute: u32) -> DateTime {
    DateTime::from_secs((start() + Minutes(minute)).start().as_second())
}

fn result(id: &str, points: &[(u32, f64)], status: StatusCode) -> MetricDataResult {
    MetricDataResult::builder()
        .id(id)
        .set_timestamps(Some(points.iter().map(|(minute, _)| at(*minute)).collect()))
        .set_values(Some(points.iter().map(|(_, value)| *value).collect()))
        .status_code(status)
        .build()
}

fn page(results: Vec<MetricDataResult>, next: Option<&str>) -> GetMetricDataOutput {
    let page = GetMetricDataOutput::builder().set_metric_data_results(Some(results));
    page.set_next_token(next.map(str::to_owned)).build()
}

#[tokio::test]
async fn pages_are_joined_by_id_whatever_their_order_even_after_an_empty_one() {
    let first = mock!(aws_sdk_cloudwatch::Client::get_metric_data)
        .match_requests(|request| request.next_token().is_none())
        .then_output(|| {
            let results = vec![
                result("q1", &[(3, 30.0), (2, 20.0)], StatusCode::PartialData),
                result("q0", &[(5, 5.0)], StatusCode::Complete),
            ];
            page(results, Some("empty"))
        });
    let empty = mock!(aws_sdk_cloudwatch::Client::get_metric_data)
        .match_requests(|request| request.next_token() == Some("empty"))
        .then_output(|| page(vec![], Some("last")));
    let last = mock!(aws_sdk_cloudwatch::Client::get_metric_data)
        .match_requests(|request| request.next_token() == Some("last"))
        .then_output(|| page(vec![result("q1", &[(1, 10.0)], StatusCode::Complete)], None));
    let client = mock_client!(aws_sdk_cloudwatch, RuleMode::MatchAny, [&first, &empty, &last]);
    let answer = CloudWatch::of(client).get(&[query(), query()], hour()).await.unwrap();
    let minute = |minute| start() + Minutes(minute);
    let second = vec![(minute(1), 10.0), (minute(2), 20.0), (minute(3), 30.0)];
    assert_eq!(answer.series, [vec![(minute(5), 5.0)], second]);
    assert_eq!(answer.calls, 3);
}

#[tokio::test]
async fn five_hundred_queries_go_into_a_call_and_the_rest_into_the_next() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let rule = mock!(aws_sdk_cloudwatch::Client::get_metric_data)
        .match_requests(move |request| {
            counted.fetch_add(1, Ordering::Relaxed);
            request.metric_data_queries().len() <= 500
        })
        .then_compute_output(|request| {
            let queries = request.metric_data_queries();
            page(
                queries.iter().map(|query| result(query.id().unwrap(), &[], StatusCode::Complete)).collect(),
                None,
            )
        });
    let client = mock_client!(aws_sdk_cloudwatch, RuleMode::MatchAny, [&rule]);
    let answer = CloudWatch::of(client).get(&vec![query(); 1201], hour()).await.unwrap();
    assert_eq!((answer.series.len(), answer.calls, calls.load(Ordering::Relaxed)), (1201, 3, 3));
}

#[tokio::test]
async fn what_cloudwatch_says_beside_its_answer_is_handed_on() {
    let rule = mock!(aws_sdk_cloudwatch::Client::get_metric_data).then_output(|| {
        let said = MessageData::builder().code("MaxMetricsExceeded").value("not all of them").build();
        let results = vec![result("q0", &[], StatusCode::Complete)];
        GetMetricDataOutput::builder().messages(said).set_metric_data_results(Some(results)).build()
    });
    let client = mock_client!(aws_sdk_cloudwatch, RuleMode::MatchAny, [&rule]);
    let answer = CloudWatch::of(client).get(&[query()], hour()).await.unwrap();
    assert_eq!(answer.messages, ["MaxMetricsExceeded: not all of them"]);
}

async fn refused(status: StatusCode) -> (ServiceError, usize) {
    let rule = mock!(aws_sdk_cloudwatch::Client::get_metric_data)
        .then_output(move || page(vec![result("q0", &[(1, 1.0)], status.clone())], None));
    let client = mock_client!(aws_sdk_cloudwatch, RuleMode::MatchAny, [&rule]);
    (CloudWatch::of(client).get(&[query()], hour()).await.unwrap_err(), rule.num_calls())
}

#[tokio::test]
async fn half_an_answer_is_tried_again_and_then_no_answer() {
    for status in [StatusCode::PartialData, StatusCode::InternalError] {
        let (error, calls) = refused(status).await;
        assert_eq!((error.trouble, calls), (Trouble::Unavailable, 3), "{error}");
    }
    let (error, calls) = refused(StatusCode::Forbidden).await;
    assert_eq!((error.trouble, calls), (Trouble::Denied, 1), "{error}");
}

#[tokio::test]
async fn a_half_answer_that_becomes_whole_is_whole() {
    let rule = mock!(aws_sdk_cloudwatch::Client::get_metric_data)
        .sequence()
        .output(|| page(vec![result("q0", &[(1, 1.0)], StatusCode::InternalError)], None))
        .output(|| page(vec![result("q0", &[(1, 1.0), (2, 2.0)], StatusCode::Complete)], None))
        .build();
    let client = mock_client!(aws_sdk_cloudwatch, RuleMode::Sequential, [&rule]);
    let answer = CloudWatch::of(client).get(&[query()], hour()).await.unwrap();
    assert_eq!((answer.series[0].len(), answer.calls), (2, 2), "nothing of the first try is left");
}

#[tokio::test]
async fn a_denied_action_is_named_with_what_helps() {
    let rule = mock!(aws_sdk_cloudwatch::Client::get_metric_data).then_error(|| {
        let metadata = ErrorMetadata::builder().code("AccessDenied").message("User is not authorized");
        GetMetricDataError::generic(metadata.build())
    });
    let client = mock_client!(aws_sdk_cloudwatch, RuleMode::MatchAny, [&rule]);
    let error = CloudWatch::of(client).get(&[query()], hour()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`cloudwatch:GetMetricData` is not allowed: grant it to the role or user that calls: \
         AccessDenied User is not authorized"
    );
}

fn xml_error(code: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    )
}

#[tokio::test(start_paused = true)]
async fn throttling_for_good_ends_within_the_longest_call_and_passes() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let connection = answered_by(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        (400, xml_error("Throttling"))
    });
    let began = tokio::time::Instant::now();
    let web = Environment::new("web").unwrap();
    let error = AwsEnvironments::new(&connection).describe(&web).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Throttled, "{error}");
    assert_eq!(calls.load(Ordering::Relaxed), 8);
    assert!(began.elapsed() <= LONGEST_CALL, "{:?}", began.elapsed());
}

#[test]
fn no_function_ends_in_the_midst_of_its_longest_call() {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
    let template = std::fs::read_to_string(template).unwrap();
    let timeouts = template.lines().filter_map(|line| line.trim().strip_prefix("Timeout: "));
    let timeouts: Vec<Duration> =
        timeouts.map(|seconds| Duration::from_secs(seconds.parse().unwrap())).collect();
    assert_eq!(timeouts.len(), 4, "one of each function");
    // What comes before the call, and the report of its error after it, have as long again.
    assert!(timeouts.iter().all(|timeout| LONGEST_CALL * 2 < *timeout), "{timeouts:?}");
}

#[tokio::test(start_paused = true)]
async fn throttling_that_passes_is_not_noticed() {
    let calls = AtomicUsize::new(0);
    let connection = answered_by(move |_| match calls.fetch_add(1, Ordering::Relaxed) {
        0..5 => (400, xml_error("Throttling")),
        _ => (200, environments(&[])),
    });
    let web = Environment::new("web").unwrap();
    assert_eq!(AwsEnvironments::new(&connection).describe(&web).await.unwrap(), None);
}

/// What DescribeEnvironments says: names, ids and statuses.
fn environments(named: &[(&str, &str, &str)]) -> String {
    let member = |(name, id, status): &(&str, &str, &str)| {
        format!(
            "<member><EnvironmentName>{name}</EnvironmentName><EnvironmentId>{id}</EnvironmentId>\
             <ApplicationName>shop</ApplicationName><Status>{status}</Status>\
             <EnvironmentArn>arn:aws:elasticbeanstalk:eu-central-1:1:environment/shop/{name}</EnvironmentArn>\
             <Tier><Name>WebServer</Name></Tier></member>"
        )
    };
    let members: String = named.iter().map(member).collect();
    format!(
        "<DescribeEnvironmentsResponse><DescribeEnvironmentsResult><Environments>{members}</Environments>\
         </DescribeEnvironmentsResult></DescribeEnvironmentsResponse>"
    )
}

fn resources(load_balancer: &str) -> String {
    format!(
        "<DescribeEnvironmentResourcesResponse><DescribeEnvironmentResourcesResult><EnvironmentResources>\
         <AutoScalingGroups><member><Name>web-group</Name></member></AutoScalingGroups>\
         <LoadBalancers><member><Name>{load_balancer}</Name></member></LoadBalancers>\
         </EnvironmentResources></DescribeEnvironmentResourcesResult></DescribeEnvironmentResourcesResponse>"
    )
}

const SETTINGS: &str = "<DescribeConfigurationSettingsResponse><DescribeConfigurationSettingsResult>\
    <ConfigurationSettings>\
    <member><DeploymentStatus>pending</DeploymentStatus><OptionSettings><member><Namespace>aws:autoscaling:asg</Namespace>\
    <OptionName>MaxSize</OptionName><Value>9</Value></member></OptionSettings></member>\
    <member><DeploymentStatus>deployed</DeploymentStatus><OptionSettings><member><Namespace>aws:autoscaling:asg</Namespace>\
    <OptionName>MaxSize</OptionName><Value>6</Value></member><member><Namespace>aws:autoscaling:asg</Namespace>\
    <OptionName>Custom Availability Zones</OptionName></member></OptionSettings></member>\
    </ConfigurationSettings></DescribeConfigurationSettingsResult></DescribeConfigurationSettingsResponse>";

const GROUP: &str = "<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult><AutoScalingGroups><member>\
    <AutoScalingGroupName>web-group</AutoScalingGroupName><MinSize>2</MinSize><MaxSize>6</MaxSize>\
    <DesiredCapacity>3</DesiredCapacity><DefaultCooldown>360</DefaultCooldown>\
    <TargetGroupARNs><member>arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/web/0123456789abcdef</member></TargetGroupARNs>\
    <SuspendedProcesses><member><ProcessName>AZRebalance</ProcessName></member></SuspendedProcesses>\
    </member></AutoScalingGroups></DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>";

fn beanstalk(named: &'static [(&str, &str, &str)], load_balancer: &'static str) -> AwsEnvironments {
    AwsEnvironments::new(&answered_by(move |request| {
        let answer = if request.contains("Action=DescribeEnvironmentResources") {
            resources(load_balancer)
        } else if request.contains("Action=DescribeEnvironments") {
            environments(named)
        } else if request.contains("Action=DescribeConfigurationSettings") {
            SETTINGS.to_owned()
        } else if request.contains("Action=ListTagsForResource") {
            let value = if request.contains("prod") { "prod" } else { "test" };
            format!(
                "<ListTagsForResourceResponse><ListTagsForResourceResult><ResourceTags><member><Key>stage</Key>\
                 <Value>{value}</Value></member></ResourceTags></ListTagsForResourceResult></ListTagsForResourceResponse>"
            )
        } else {
            GROUP.to_owned()
        };
        (200, answer)
    }))
}

const APPLICATION: &str = "arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/app/web/fedcba9876543210";

#[tokio::test]
async fn an_environment_is_the_living_one_of_its_name_with_its_deployed_options() {
    let named = &[("web", "e-old", "Terminated"), ("web", "e-new", "Ready")];
    let web = Environment::new("web").unwrap();
    let described = beanstalk(named, APPLICATION).describe(&web).await.unwrap().unwrap();
    assert_eq!((described.id.as_str(), described.tier), ("e-new", Tier::Web));
    let options: Vec<(&str, &str)> =
        described.options.iter().map(|option| (option.option_name.as_str(), option.value.as_str())).collect();
    assert_eq!(options, [("MaxSize", "6")], "those that are pending, or have no value, don't count");
    let group = described.group.unwrap();
    let limits = (group.document.min_size, group.document.max_size, group.document.default_cooldown_seconds);
    assert_eq!((limits, group.suspended), ((2, 6, 360), vec!["AZRebalance".to_owned()]));
    let expected = LoadBalancer::Application {
        load_balancer: "app/web/fedcba9876543210".into(),
        target_groups: vec!["targetgroup/web/0123456789abcdef".into()],
    };
    assert_eq!(described.load_balancer, expected);
}

#[tokio::test]
async fn load_balancers_are_told_apart_by_their_names() {
    let web = Environment::new("web").unwrap();
    let named = &[("web", "e-new", "Ready")];
    let classic = beanstalk(named, "awseb-e-n-AWSEBLoa-1A2B").describe(&web).await.unwrap().unwrap();
    assert_eq!(classic.load_balancer, LoadBalancer::Classic("awseb-e-n-AWSEBLoa-1A2B".into()));
    let network = "arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/net/web/1";
    let network = beanstalk(named, network).describe(&web).await.unwrap().unwrap();
    assert_eq!(network.load_balancer, LoadBalancer::Other("a network load balancer".into()));
}

#[tokio::test]
async fn a_name_of_only_terminated_environments_is_nobodys() {
    let web = Environment::new("web").unwrap();
    let gone = beanstalk(&[("web", "e-old", "Terminated"), ("web", "e-older", "Terminating")], APPLICATION);
    assert_eq!(gone.describe(&web).await.unwrap(), None);
}

#[tokio::test]
async fn a_fleet_by_tag_is_those_that_bear_it() {
    let all = beanstalk(&[("web-prod", "e-1", "Ready"), ("web-test", "e-2", "Ready")], APPLICATION);
    assert_eq!(all.names(None).await.unwrap(), ["web-prod", "web-test"]);
    let tag = Tag { key: "stage".into(), value: "prod".into() };
    assert_eq!(all.names(Some(&tag)).await.unwrap(), ["web-prod"]);
}

#[tokio::test]
async fn activities_are_taken_page_by_page_until_they_are_too_old() {
    let member = |id: &str, at: &str| {
        format!(
            "<member><ActivityId>{id}</ActivityId><Description>Launching a new EC2 instance: i-1</Description>\
             <Cause>alarm</Cause><StartTime>{at}</StartTime><EndTime>{at}</EndTime><StatusCode>Successful</StatusCode></member>"
        )
    };
    let pages = AtomicUsize::new(0);
    let connection = answered_by(move |request| {
        let page = pages.fetch_add(1, Ordering::Relaxed);
        assert!(page < 2, "a third page would be too old: {request}");
        let members = match page {
            0 => member("newest", "2026-11-02T00:30:00Z") + &member("new", "2026-11-02T00:20:00Z"),
            _ => member("middle", "2026-11-02T00:10:00Z") + &member("old", "2026-11-01T23:00:00Z"),
        };
        let answer = format!(
            "<DescribeScalingActivitiesResponse><DescribeScalingActivitiesResult><Activities>{members}</Activities>\
             <NextToken>more</NextToken></DescribeScalingActivitiesResult></DescribeScalingActivitiesResponse>"
        );
        (200, answer)
    });
    let activities = AwsEnvironments::new(&connection).activities("g", start().start()).await.unwrap();
    let ids: Vec<&str> = activities.iter().map(|activity| activity.id.as_str()).collect();
    assert_eq!(ids, ["middle", "new", "newest"]);
}

fn key() -> Key {
    Key::fit(&Environment::new("web prod").unwrap(), start())
}

fn s3_error(code: &str) -> String {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>")
}

async fn put_answered(status: u16, code: &'static str, expected: Expected<'_>) -> Result<(), ArchiveError> {
    let connection = answered_by(move |_| (status, s3_error(code)));
    S3Archive::of_bucket(&connection, "archive").put(&key(), Bytes::from("{}"), expected).await
}

#[tokio::test(start_paused = true)]
async fn a_put_whose_condition_is_not_met_says_that_another_was_faster() {
    let version = Version("\"tag\"".into());
    let lost = [
        (412, "PreconditionFailed", Expected::Absent),
        (409, "ConditionalRequestConflict", Expected::Absent),
        (404, "NoSuchKey", Expected::Version(&version)),
    ];
    for (status, code, expected) in lost {
        let error = put_answered(status, code, expected).await.unwrap_err();
        assert!(matches!(error, ArchiveError::Changed { .. }), "{code}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_s3_that_refuses_is_told_with_the_object_and_the_action() {
    for (status, code, expected) in
        [(403, "AccessDenied", Trouble::Denied), (503, "SlowDown", Trouble::Throttled)]
    {
        let error = put_answered(status, code, Expected::Absent).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "writing `s3://archive/fits/environment=web%20prod/date=2026-11-02/fit.json`"
        );
        assert_eq!(trouble(&error), Some(expected));
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.starts_with("`s3:PutObject`"), "{cause}");
    }
}

#[tokio::test]
async fn an_absent_object_is_no_error_and_a_denied_one_is() {
    let absent = answered_by(|_| (404, s3_error("NoSuchKey")));
    assert_eq!(S3Archive::of_bucket(&absent, "archive").get(&key()).await.unwrap(), None);
    let gone = answered_by(|_| (404, s3_error("NoSuchBucket")));
    let error = S3Archive::of_bucket(&gone, "archive").get(&key()).await.unwrap_err();
    assert_eq!(trouble(&error), Some(Trouble::Refused), "{error:?}");
}

#[test]
fn an_address_is_a_bucket_and_perhaps_a_prefix() {
    let connection = answered_by(|_| (200, String::new()));
    for wrong in ["bucket", "s3://", "https://bucket", "s3:///prefix"] {
        assert!(S3Archive::at(&connection, wrong).is_err(), "`{wrong}`");
    }
    for right in ["s3://bucket", "s3://bucket/", "s3://bucket/some/prefix/"] {
        assert!(S3Archive::at(&connection, right).is_ok(), "`{right}`");
    }
}
