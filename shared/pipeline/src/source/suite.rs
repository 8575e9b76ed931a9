//! What every source of metrics and of environments promises, as checks that run on any of them. They panic where a
//! promise is broken, and need a source that holds what they name, and nothing else of those names.

use jiff::Timestamp;
use scaling::sample::Period;
use scaling::units::{MinuteUtc, Minutes, Window};

use super::{Environments, Metrics, Query, Tag};
use crate::archive::Environment;

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

/// What every source of metrics promises, on one that holds [`points`] from `start` on.
pub async fn metrics(metrics: &dyn Metrics, start: MinuteUtc) {
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

/// The environments that [`environments`] wants to find: `suite-a`, which bears the tag, has a group with one activity
/// at [`ACTIVITY`] and one deployment from [`DEPLOYMENT`] on; and `suite-b`, which bears none and has neither.
pub const NAMES: [&str; 2] = ["suite-a", "suite-b"];
/// When the activity of `suite-a` began.
pub const ACTIVITY: &str = "2026-11-02T00:30:00Z";
/// When the deployment of `suite-a` began.
pub const DEPLOYMENT: &str = "2026-11-02T00:40:00Z";

/// The tag of `suite-a`.
pub fn tag() -> Tag {
    Tag { key: "stage".to_owned(), value: "suite".to_owned() }
}

/// What every source of environments promises, on one that holds [`NAMES`].
pub async fn environments(environments: &dyn Environments) {
    let named = |name: &str| Environment::new(name).expect("the suite's names are names");
    let nobody = environments.describe(&named("suite-nobody")).await.expect("an answer");
    assert_eq!(nobody, None, "a name that nobody has");
    let all = environments.names(None).await.expect("an answer");
    assert!(all.is_sorted() && NAMES.iter().all(|name| all.contains(&(*name).to_owned())), "{all:?}");
    assert_eq!(
        environments.names(Some(&tag())).await.expect("an answer"),
        [NAMES[0]],
        "those that bear the tag"
    );
    let first = environments.describe(&named(NAMES[0])).await.expect("an answer").expect("it is there");
    let second = environments.describe(&named(NAMES[1])).await.expect("an answer").expect("it is there");
    assert_ne!(first.id, second.id);
    let group = first.group.expect("it has a group").document.name;
    let at: Timestamp = ACTIVITY.parse().expect("an instant");
    let after = Timestamp::from_second(at.as_second() + 60).expect("an instant");
    assert_eq!(environments.activities(&group, at).await.expect("an answer").len(), 1);
    assert_eq!(environments.activities(&group, after).await.expect("an answer"), [], "what began before");
    let minute = MinuteUtc::containing(DEPLOYMENT.parse().expect("an instant")).expect("a minute");
    let hour = Window { start: minute, end: minute + Minutes(60) };
    let before = Window { start: minute - Minutes(60), end: minute };
    assert_eq!(environments.deployments(&first.id, hour).await.expect("an answer").len(), 1);
    assert_eq!(environments.deployments(&first.id, before).await.expect("an answer"), [], "what began later");
    assert_eq!(environments.deployments(&second.id, hour).await.expect("an answer"), [], "another's");
}
