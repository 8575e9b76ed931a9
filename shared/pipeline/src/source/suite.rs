//! What every source of metrics promises, as a check that runs on any of them. It panics where a promise is broken,
//! and needs a source without points.

use scaling::sample::Period;
use scaling::units::{MinuteUtc, Minutes, Window};

use super::{Metrics, Query};

/// A metric of a load balancer that only the suite knows.
pub fn query(statistic: &'static str, load_balancer: &str) -> Query {
    Query {
        namespace: "AWS/ELB",
        metric: "RequestCount",
        dimensions: vec![("LoadBalancerName", load_balancer.to_owned())],
        statistic,
        period: Period::OneMinute,
    }
}

/// The points that the suite wants to be put as sums of `query("Sum", "suite")`, from `start` on: two a minute apart,
/// none in the third minute, one in the fourth.
pub fn points(start: MinuteUtc) -> Vec<(MinuteUtc, f64)> {
    vec![(start, 120.0), (start + Minutes(1), 0.0), (start + Minutes(3), 7.5)]
}

/// All promises, on a source that holds [`points`] from `start` on.
pub async fn run(metrics: &dyn Metrics, start: MinuteUtc) {
    let whole = Window { start, end: start + Minutes(5) };
    let (known, unknown) = (query("Sum", "suite"), query("Sum", "nobody's"));
    let answer = metrics.get(&[unknown.clone(), known.clone()], whole).await.expect("an answer");
    assert_eq!(
        answer.series,
        [vec![], points(start)],
        "in the order of the queries; oldest first; gaps stay gaps"
    );
    assert!(answer.calls > 0, "calls are counted");
    let part = Window { start: start + Minutes(1), end: start + Minutes(3) };
    let answer = metrics.get(std::slice::from_ref(&known), part).await.expect("an answer");
    assert_eq!(
        answer.series,
        [vec![(start + Minutes(1), 0.0)]],
        "the start is in the window, the end is not"
    );
    // More than one call can ask for.
    let mut many = vec![unknown; 501];
    many.push(known);
    let answer = metrics.get(&many, whole).await.expect("an answer");
    assert_eq!(answer.series.len(), many.len());
    assert_eq!(answer.series[501], points(start), "the last of many");
    let nothing = metrics.get(&[], whole).await.expect("an answer");
    assert_eq!(nothing.series.len(), 0, "nothing asked, nothing answered");
}
