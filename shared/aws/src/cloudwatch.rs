//! Metrics from CloudWatch: GetMetricData, 500 queries a call, every page, joined by id.

use async_trait::async_trait;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataOutput;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode,
};
use pipeline::service::{ServiceError, Trouble};
use pipeline::source::{Answer, Metrics, Query};
use scaling::units::{MinuteUtc, Window};

use crate::calls::{failed, minute, to_sdk};
use crate::connection::Connection;

const ACTION: &str = "cloudwatch:GetMetricData";
const QUERIES_PER_CALL: usize = 500;
/// A page that can't answer for a series is asked for once more, and no oftener.
const TRIES_OF_A_SERIES: usize = 3;

/// CloudWatch.
#[derive(Debug, Clone)]
pub struct CloudWatch {
    client: Client,
}

impl CloudWatch {
    /// CloudWatch of the connection's Region.
    pub fn new(connection: &Connection) -> Self {
        Self::of(Client::new(&connection.sdk))
    }

    pub(crate) fn of(client: Client) -> Self {
        Self { client }
    }

    /// All pages of up to 500 queries, tried again while CloudWatch can't answer for one of them.
    async fn pages(
        &self,
        queries: &[Query],
        window: Window,
        answer: &mut Answer,
    ) -> Result<(), ServiceError> {
        let mut tries = 1;
        loop {
            let mut taken = Taken::of(queries.len());
            match self.try_pages(queries, window, &mut taken).await {
                Err(error) if tries < TRIES_OF_A_SERIES && error.is_partial() => tries += 1,
                done => {
                    answer.calls += taken.calls;
                    done.map_err(PageError::into_service)?;
                    answer.messages.extend(taken.messages);
                    answer.series.extend(taken.series.into_iter().map(sorted));
                    return Ok(());
                }
            }
            answer.calls += taken.calls;
        }
    }

    async fn try_pages(&self, queries: &[Query], window: Window, taken: &mut Taken) -> Result<(), PageError> {
        let request = self
            .client
            .get_metric_data()
            .set_metric_data_queries(Some(queries.iter().enumerate().map(asked).collect()))
            .start_time(to_sdk(window.start.start()))
            .end_time(to_sdk(window.end.start()))
            .scan_by(ScanBy::TimestampAscending);
        let mut token = None;
        loop {
            let page = request.clone().set_next_token(token).send().await;
            taken.calls += 1;
            let page = page.map_err(failed(ACTION)).map_err(PageError::Service)?;
            token = page.next_token.clone().filter(|token| !token.is_empty());
            taken.add(page, window)?;
            if token.is_none() {
                return taken.complete();
            }
        }
    }
}

#[async_trait]
impl Metrics for CloudWatch {
    async fn get(&self, queries: &[Query], window: Window) -> Result<Answer, ServiceError> {
        let mut answer = Answer::default();
        for queries in queries.chunks(QUERIES_PER_CALL) {
            self.pages(queries, window, &mut answer).await?;
        }
        Ok(answer)
    }
}

/// Why a call's pages were not all taken.
enum PageError {
    /// The call did not succeed.
    Service(ServiceError),
    /// It did, and a series is not whole.
    Partial(ServiceError),
}

impl PageError {
    fn is_partial(&self) -> bool {
        matches!(self, Self::Partial(_))
    }

    fn into_service(self) -> ServiceError {
        let (Self::Service(error) | Self::Partial(error)) = self;
        error
    }
}

fn not_whole(trouble: Trouble, said: String) -> PageError {
    let error = ServiceError { action: ACTION, trouble, said };
    if trouble == Trouble::Unavailable { PageError::Partial(error) } else { PageError::Service(error) }
}

/// What the pages of a call have said so far.
struct Taken {
    series: Vec<Vec<(MinuteUtc, f64)>>,
    whole: Vec<bool>,
    messages: Vec<String>,
    calls: usize,
}

impl Taken {
    fn of(queries: usize) -> Self {
        Self { series: vec![vec![]; queries], whole: vec![true; queries], messages: vec![], calls: 0 }
    }

    fn add(&mut self, page: GetMetricDataOutput, window: Window) -> Result<(), PageError> {
        let said = |message: aws_sdk_cloudwatch::types::MessageData| {
            format!("{}: {}", message.code.unwrap_or_default(), message.value.unwrap_or_default())
        };
        self.messages.extend(page.messages.unwrap_or_default().into_iter().map(said));
        for result in page.metric_data_results.unwrap_or_default() {
            let index = result.id().and_then(index).filter(|index| *index < self.series.len());
            let unknown = || {
                not_whole(Trouble::Refused, format!("a series `{:?}` that was not asked for", result.id()))
            };
            let index = index.ok_or_else(unknown)?;
            self.messages.extend(result.messages().iter().cloned().map(said));
            self.whole[index] = whole(&result)?;
            let points = result.timestamps().iter().zip(result.values());
            let points = points.filter_map(|(time, value)| Some((minute(time)?, *value)));
            // With a period of five minutes, CloudWatch answers from the boundary before the start.
            self.series[index].extend(points.filter(|(minute, _)| window.contains(*minute)));
        }
        Ok(())
    }

    /// Refuses series whose last page said that there is more, and no page followed.
    fn complete(&self) -> Result<(), PageError> {
        match self.whole.iter().position(|whole| !whole) {
            None => Ok(()),
            Some(index) => Err(not_whole(
                Trouble::Unavailable,
                format!("series {index} ends with PartialData and no next page"),
            )),
        }
    }
}

/// Whether a result is the last of its series; refuses one that CloudWatch could not answer for.
fn whole(result: &MetricDataResult) -> Result<bool, PageError> {
    let id = result.id().unwrap_or_default();
    match result.status_code() {
        None | Some(StatusCode::Complete) => Ok(true),
        Some(StatusCode::PartialData) => Ok(false),
        Some(StatusCode::Forbidden) => Err(not_whole(Trouble::Denied, format!("series `{id}` is forbidden"))),
        Some(other) => Err(not_whole(Trouble::Unavailable, format!("series `{id}` has status {other}"))),
    }
}

fn sorted(mut points: Vec<(MinuteUtc, f64)>) -> Vec<(MinuteUtc, f64)> {
    points.sort_by_key(|(minute, _)| *minute);
    points
}

fn id(index: usize) -> String {
    format!("q{index}")
}

fn index(id: &str) -> Option<usize> {
    id.strip_prefix('q')?.parse().ok()
}

fn asked((index, query): (usize, &Query)) -> MetricDataQuery {
    let dimension = |(name, value): &(&str, String)| Dimension::builder().name(*name).value(value).build();
    let metric = Metric::builder()
        .namespace(query.namespace)
        .metric_name(query.metric)
        .set_dimensions(Some(query.dimensions.iter().map(dimension).collect()))
        .build();
    let seconds = i32::try_from(query.period.seconds().0).expect("a period is 60 or 300 seconds");
    let stat = MetricStat::builder().metric(metric).period(seconds).stat(query.statistic).build();
    MetricDataQuery::builder().id(id(index)).metric_stat(stat).return_data(true).build()
}
