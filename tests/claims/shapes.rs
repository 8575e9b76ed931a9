//! Traffic as it was on a day, or as it might be with a crowd: what that changes, and what a sweep makes of it.

use pipeline::advice::message;
use pipeline::archive::memory::MemoryArchive;
use pipeline::documents::{OptionDocument, RecommendationDocument};
use pipeline::ingest::{self, IngestRequest, LEAVE_OPEN};
use pipeline::recorded::Recording;
use pipeline::sweep::{Day, Replayed, SweepError, SweepReport, SweepRequest};
use proptest::prelude::*;
use scaling::sample::{Metric, Sample};
use scaling::traffic::{Crowd, CrowdError, Traffic};
use scaling::units::{MinuteUtc, Minutes, RequestsPerMinute, Window};

use crate::stages::{at, environment, options, refit, sweep, sweep_request, two_days};
use crate::{block_on, option, stages};

fn traffic(start: i64, rates: &[Option<f64>]) -> Traffic {
    let rate = |rate: &Option<f64>| rate.map(|rate| RequestsPerMinute::new(rate).unwrap());
    Traffic { start: MinuteUtc::new(start).unwrap(), requests_per_minute: rates.iter().map(rate).collect() }
}

fn rates(traffic: &Traffic) -> Vec<Option<f64>> {
    traffic.requests_per_minute.iter().map(|rate| rate.map(RequestsPerMinute::get)).collect()
}

fn crowd(at: MinuteUtc, height: f64, ramp: u32, hold: u32) -> Crowd {
    Crowd::new(at, height, Minutes(ramp), Minutes(hold)).unwrap()
}

#[test]
fn a_crowd_is_higher_than_the_traffic_and_up_to_100_times_as_high() {
    let is_one = |height| Crowd::new(MinuteUtc::new(0).unwrap(), height, Minutes(5), Minutes(20)).is_ok();
    let heights = [1.0, 1.01, 100.0, 100.1, f64::NAN];
    assert_eq!(heights.map(is_one), [false, true, true, false, false]);
}

#[test]
fn a_crowd_comes_in_a_straight_line_stays_and_goes() {
    let before = traffic(0, &[Some(100.0); 9]);
    let after = before.with_crowd(crowd(MinuteUtc::new(1).unwrap(), 3.0, 2, 3)).unwrap();
    let expected = [100.0, 200.0, 300.0, 300.0, 300.0, 300.0, 200.0, 100.0, 100.0];
    assert_eq!(rates(&after), expected.map(Some));
}

#[test]
fn a_crowd_without_a_ramp_is_there_at_once() {
    let after = traffic(0, &[Some(10.0), None, Some(30.0), Some(40.0)]);
    let after = after.with_crowd(crowd(MinuteUtc::new(1).unwrap(), 2.0, 0, 2)).unwrap();
    assert_eq!(rates(&after), [Some(10.0), None, Some(60.0), Some(40.0)]);
}

#[test]
fn a_crowd_outside_of_the_traffic_or_on_nothing_is_refused() {
    let known = traffic(100, &[Some(1.0), None, None, Some(1.0)]);
    let put = |at: i64, ramp, hold| known.with_crowd(crowd(MinuteUtc::new(at).unwrap(), 2.0, ramp, hold));
    assert!(matches!(put(99, 0, 2), Err(CrowdError::Outside { .. })));
    assert!(matches!(put(102, 1, 1), Err(CrowdError::Outside { .. })));
    assert!(matches!(put(101, 0, 2), Err(CrowdError::Unknown(_))));
    assert!(put(100, 1, 2).is_ok());
}

prop_compose! {
    /// Traffic of up to three days with gaps, and a crowd that lies within it.
    fn crowded()(
        start in -5000..5000_i64,
        rates in proptest::collection::vec(proptest::option::weighted(0.9, 0.0..1e6_f64), 30..4000),
        height in 1.001..100.0_f64,
        ramp in 0..10_u32,
        hold in 1..10_u32,
        place in 0.0..1.0_f64,
    ) -> (Traffic, Crowd, f64) {
        let room = rates.len() - (2 * ramp + hold) as usize;
        let at = MinuteUtc::new(start).unwrap() + Minutes((room as f64 * place) as u32);
        (traffic(start, &rates), crowd(at, height, ramp, hold), height)
    }
}

proptest! {
    #[test]
    fn outside_of_a_crowd_nothing_changes_and_within_it_there_is_no_less((before, crowd, height) in crowded()) {
        let after = match before.with_crowd(crowd) {
            Err(CrowdError::Unknown(_)) => return Ok(()),
            after => after.unwrap(),
        };
        prop_assert_eq!((after.start, after.len()), (before.start, before.len()));
        let there = crowd.window();
        for (place, (then, now)) in rates(&before).into_iter().zip(rates(&after)).enumerate() {
            prop_assert_eq!(then.is_some(), now.is_some(), "missing minutes stay missing");
            let (Some(then), Some(now)) = (then, now) else { continue };
            let minute = before.start + Minutes(place as u32);
            let factor = crowd.factor(minute);
            prop_assert!((1.0..=height + 1e-9).contains(&factor));
            let expected = if there.contains(minute) { then * factor } else { then };
            prop_assert_eq!(now.to_bits(), expected.to_bits());
        }
    }

    #[test]
    fn a_crowd_rises_holds_its_height_and_falls((_, crowd, height) in crowded()) {
        let there = crowd.window();
        let minutes = there.end.epoch_minutes() - there.start.epoch_minutes();
        let factors: Vec<f64> =
            (0..minutes).map(|minute| crowd.factor(there.start + Minutes(minute as u32))).collect();
        let top = factors.iter().copied().fold(0.0, f64::max);
        let first = factors.iter().position(|factor| top <= *factor).unwrap();
        let last = factors.iter().rposition(|factor| top <= *factor).unwrap();
        prop_assert!((top - height).abs() < 1e-9);
        prop_assert!(factors[..=first].is_sorted() && factors[last..].iter().rev().is_sorted());
        prop_assert!(factors[first..=last].iter().all(|factor| top <= *factor));
    }

    #[test]
    fn no_day_has_more_requests_than_the_busiest((traffic, ..) in crowded()) {
        let all = rates(&traffic);
        let of_day = |day: MinuteUtc| -> f64 {
            let within = |place: &usize| Window::day_of(day).contains(traffic.start + Minutes(*place as u32));
            (0..all.len()).filter(within).filter_map(|place| all[place]).sum()
        };
        let Some(busiest) = traffic.busiest_day() else { return Ok(()) };
        prop_assert!(traffic.window().days().all(|day| of_day(day) <= of_day(busiest)));
    }
}

#[test]
fn of_equal_days_the_first_is_the_busiest_and_of_nothing_none_is() {
    let three_days = traffic(0, &[Some(5.0); 3 * 1440]);
    assert_eq!(three_days.busiest_day(), MinuteUtc::new(0).ok());
    assert_eq!(traffic(0, &[None; 3]).busiest_day(), None);
}

/// Two days, the second with half as many requests again.
fn busier_second() -> Vec<Sample> {
    let mut samples = two_days();
    for sample in &mut samples[1440..] {
        let requests = 1.5 * sample.get(Metric::Requests).unwrap();
        let cpu = 2.0 + (sample.get(Metric::CpuPercent).unwrap() - 2.0) * 1.5;
        sample.set(Metric::Requests, requests).unwrap();
        sample.set(Metric::CpuPercent, cpu).unwrap();
    }
    samples
}

fn archived() -> MemoryArchive {
    let archive = MemoryArchive::default();
    stages::ingest(&archive, busier_second()).unwrap();
    refit(&archive).unwrap();
    archive
}

fn swept(archive: &MemoryArchive, replayed: Replayed) -> Result<SweepReport, SweepError> {
    sweep(archive, SweepRequest { replayed, ..sweep_request() })
}

/// What a sweep of it answers, which keeps nothing.
fn answer(replayed: Replayed) -> RecommendationDocument {
    let archive = archived();
    let puts = archive.puts();
    let report = swept(&archive, replayed).unwrap();
    assert!(report.keys.is_none() && archive.puts() == puts, "a what-if keeps nothing");
    report.document
}

fn in_one_line(document: &RecommendationDocument) -> String {
    crate::in_one_line(&message(document).body)
}

#[test]
fn a_day_is_replayed_by_itself_from_the_instances_that_were_there() {
    let document = answer(Replayed::Day(Day::Of(at(700))));
    let traffic = &document.traffic;
    assert_eq!((traffic.shape.as_deref(), traffic.recorded), (Some("2026-11-02"), false));
    assert_eq!((traffic.minutes, traffic.window.start), (1440, at(0).start()));
    // Of a fixed group of three, a day's hours.
    assert!((document.present.as_ref().unwrap().outcome.as_ref().unwrap().instance_hours - 72.0).abs() < 0.1);
    let said = in_one_line(&document);
    assert!(
        said.contains("Replayed: 1440 minutes of 2026-11-02 (what if), up to 9000 requests per"),
        "{said}"
    );
    assert!(said.contains("What holds in a what-if need not hold in other traffic."), "{said}");
}

#[test]
fn the_busiest_day_is_found_and_named() {
    let document = answer(Replayed::Day(Day::Busiest));
    assert_eq!(document.traffic.shape.as_deref(), Some("the busiest day, 2026-11-03"));
    assert_eq!(document.traffic.window.start, at(1440).start());
    assert!((document.traffic.peak_requests_per_minute - 13_500.0).abs() < 1e-9);
}

#[test]
fn a_day_before_the_window_is_replayed_too_and_one_without_requests_is_refused() {
    let archive = archived();
    let window = Window { start: at(1440), end: at(2877) };
    let of = |minute: u32| {
        let replayed = Replayed::Day(Day::Of(at(minute)));
        sweep(&archive, SweepRequest { window, replayed, ..sweep_request() })
    };
    assert_eq!(of(0).unwrap().document.traffic.shape.as_deref(), Some("2026-11-02"));
    let refused = of(5 * 1440).unwrap_err().to_string();
    assert!(refused.contains("has no requests from 2026-11-07T00:00Z to 2026-11-08T00:00Z"), "{refused}");
}

#[test]
fn a_day_before_the_window_has_its_scheduled_actions_and_stages_have_none() {
    let scheduled = |name: &str, value: &str| OptionDocument {
        resource_name: Some("Night".into()),
        ..option("aws:autoscaling:scheduledaction", name, value)
    };
    // One action, on the day before the window. What it asks for is the alarms' the day after, as limits would not be.
    let night = vec![scheduled("Recurrence", "0 1 2 11 *"), scheduled("DesiredCapacity", "5")];
    let archive = MemoryArchive::default();
    let request = IngestRequest {
        environment: environment(),
        recording: Recording { samples: busier_second(), notes: vec![] },
        options: Some([options(), night].concat()),
        activities: vec![],
        group: None,
        load_balancer_reported: None,
        leave_open: LEAVE_OPEN,
        fetched_until: None,
    };
    block_on(ingest::run(&archive, request)).unwrap();
    refit(&archive).unwrap();
    let window = Window { start: at(1440), end: at(2877) };
    let most = |replayed: Replayed| {
        let report = sweep(&archive, SweepRequest { window, replayed, ..sweep_request() }).unwrap();
        report.document.present.unwrap().outcome.unwrap().peak_instances
    };
    assert_eq!((most(Replayed::Recorded), most(Replayed::Day(Day::Of(at(0))))), (3, 5));
    let hour = traffic(at(0).epoch_minutes(), &[Some(3000.0); 120]);
    assert_eq!(most(Replayed::Staged(hour)), 3);
}

#[test]
fn a_crowd_on_top_of_the_window_or_a_day_asks_for_more() {
    // At the noon of the wave there are 9000 requests a minute.
    let noon = crowd(at(345), 3.0, 5, 20);
    let alone = answer(Replayed::Day(Day::Of(at(0))));
    let (day, whole) =
        (answer(Replayed::Crowd(noon, Some(Day::Of(at(0))))), answer(Replayed::Crowd(noon, None)));
    assert_eq!((day.traffic.minutes, whole.traffic.minutes), (1440, 2877));
    for document in [&day, &whole] {
        assert!((document.traffic.peak_requests_per_minute - 27_000.0).abs() < 1e-6);
    }
    let most =
        |document: &RecommendationDocument| document.recommended.as_ref().unwrap().outcome.peak_instances;
    assert!(most(&alone) < most(&day), "{} {}", most(&alone), most(&day));
    let named = "a crowd of 3 times the traffic from 2026-11-02T05:45Z on, there within 5 min and for 20 min";
    assert_eq!(day.traffic.shape, Some(format!("2026-11-02, with {named}")));
    assert_eq!(whole.traffic.shape, Some(format!("the recorded traffic, with {named}")));
    assert!(
        in_one_line(&day).contains(&format!("1440 minutes of 2026-11-02, with {named} (what if), up to"))
    );
}

#[test]
fn a_crowd_that_the_day_asked_for_does_not_bear_is_refused_with_both_times() {
    let refused = swept(&archived(), Replayed::Crowd(crowd(at(1430), 3.0, 5, 20), Some(Day::Of(at(0)))));
    let SweepError::Crowd(source) = refused.unwrap_err() else { panic!("it lies over midnight") };
    assert_eq!(
        source.to_string(),
        "the crowd, 2026-11-02T23:50Z to 2026-11-03T00:20Z, does not lie within the traffic, which is known from \
         2026-11-02T00:00Z to 2026-11-03T00:00Z"
    );
}

#[test]
fn advice_of_before_shapes_had_names_still_reads() {
    let mut document = serde_json::to_value(answer(Replayed::Day(Day::Busiest))).unwrap();
    document["traffic"].as_object_mut().unwrap().remove("shape").unwrap();
    let document: RecommendationDocument = serde_json::from_value(document).unwrap();
    assert!(in_one_line(&document).contains("minutes of traffic made from stages (what if)"));
}
