//! What a fit says, in sentences: what a request costs, how sure that is, and from which CPU on response time suffers.

use crate::documents::{
    BendDocument, CapacityDocument, CeilingDocument, ConfidenceDocument, DriftDocument, FitDocument,
    KneeDocument,
};

use super::{clock, digits};

/// All that `fit` says, the most important first.
pub fn sentences(fit: &FitDocument) -> Vec<String> {
    let all = [
        Some(cost(fit)),
        drift(fit),
        fit.capacity.map(|capacity| served(fit, &capacity)),
        fit.knee.as_ref().map(response_time),
        Some(quality(fit)),
        by_block(fit),
        ceiling(fit),
        fit.bend.map(|bend| bent(&bend)),
        lag(fit),
        uneven(fit),
    ];
    all.into_iter().flatten().collect()
}

/// What a request costs, with its interval.
pub fn cost(fit: &FitDocument) -> String {
    let (digits, intercept) = (digits(fit.coefficient), fit.intercept_percent);
    let coefficient = format!("{:.digits$}", fit.coefficient);
    let sure = fit.confidence.as_ref().map_or(String::new(), |confidence| {
        let ConfidenceDocument { coefficient, by, .. } = confidence;
        let (low, high) = (format!("{:.digits$}", coefficient.low), format!("{:.digits$}", coefficient.high));
        format!(" (95 times of 100 between {low} and {high}, by {by})")
    });
    let on_top = if intercept > 0.0 { format!(", on top of {intercept:.1} %") } else { String::new() };
    format!("A request per minute costs an instance {coefficient} % CPU{sure}{on_top}.")
}

/// Since when it costs that, if it cost something else before.
pub fn drift(fit: &FitDocument) -> Option<String> {
    let DriftDocument { since, exact, share, deployment } = fit.drift?;
    let when = if exact { "Since" } else { "Since some time after" };
    let cause = deployment.map_or(String::new(), |end| {
        format!("; a deployment that ended at {} UTC may be why", end.strftime("%H:%M"))
    });
    Some(format!("{when} {} UTC a request costs {} than before{cause}.", weekday(since), more(share)))
}

/// `37 % more`.
pub fn more(share: f64) -> String {
    format!("{:.0} % {}", share.abs() * 100.0, if share > 0.0 { "more" } else { "less" })
}

fn weekday(instant: jiff::Timestamp) -> String {
    instant.strftime("%A %Y-%m-%d %H:%M").to_string()
}

fn served(fit: &FitDocument, capacity: &CapacityDocument) -> String {
    let CapacityDocument { cpu_percent, requests_per_minute, interval, seen } = capacity;
    let beyond = if *seen {
        String::new()
    } else {
        format!(
            " CPU was never seen that high: this goes on from loads of up to {:.0}, and may be wrong beyond.",
            fit.load_range.1
        )
    };
    format!(
        "One instance serves {requests_per_minute:.0} requests per minute ({:.0} to {:.0}) at {} % CPU.{beyond}",
        interval.low,
        interval.high,
        (cpu_percent * 10.0).round() / 10.0
    )
}

/// From which CPU on users wait longer.
pub fn response_time(knee: &KneeDocument) -> String {
    let name = match knee.metric.as_str() {
        "latency_p50_seconds" => "median",
        "latency_p99_seconds" => "p99",
        _ => "p95",
    };
    let doubles = knee
        .doubles_at_percent
        .map_or(String::new(), |percent| format!(", and is twice that above {percent:.0} %"));
    format!(
        "Response time ({name}) departs from its base of {:.0} ms at {:.1} % CPU (95 times of 100 between {:.1} and \
         {:.1}){doubles}.",
        knee.base_seconds * 1e3,
        knee.departs_at_percent,
        knee.interval.low,
        knee.interval.high,
    )
}

/// How well the line describes CPU.
pub fn quality(fit: &FitDocument) -> String {
    let FitDocument { r_squared, residual_spread_percent, usable, outlying, .. } = fit;
    let outlying = match outlying {
        0 => String::new(),
        1 => " One of them lies so far off (another job, most likely) that it counts for nothing.".to_owned(),
        count => {
            format!(" {count} of them lie so far off (other jobs, most likely) that they count for nothing.")
        }
    };
    let held_out = fit.confidence.as_ref().and_then(|confidence| confidence.held_out_error_percent);
    let held_out =
        held_out.map_or(String::new(), |error| format!(", and {error:.1} from lines that had not seen them"));
    format!(
        "That line explains {:.0} % of how CPU moved over {usable} periods (R² {r_squared:.3}); single periods stray \
         from it by {residual_spread_percent:.1} points (standard deviation){held_out}.{outlying}",
        r_squared * 100.0
    )
}

/// More than this share up or down is worth a word.
const WORTH_TELLING: f64 = 0.1;

/// How far the cost moved from day to day, where it did.
pub fn by_block(fit: &FitDocument) -> Option<String> {
    let ConfidenceDocument { coefficient_by_block, by, .. } = fit.confidence.as_ref()?;
    let (low, high) = (coefficient_by_block.low, coefficient_by_block.high);
    let moved = high - fit.coefficient > WORTH_TELLING * fit.coefficient
        || fit.coefficient - low > WORTH_TELLING * fit.coefficient;
    let digits = digits(fit.coefficient);
    moved.then(|| format!("Taken one by one, those {by} have it between {low:.digits$} and {high:.digits$}."))
}

/// The level that CPU does not pass.
pub fn ceiling(fit: &FitDocument) -> Option<String> {
    if let Some(CeilingDocument { level_percent, from_load, periods, for_a_while }) = fit.ceiling {
        let why = if for_a_while {
            "CPU credits ran out, most likely"
        } else {
            "one busy thread, or a limit on CPU"
        };
        let thresholds = if for_a_while {
            ""
        } else {
            " A threshold over that is never reached, and none is recommended."
        };
        return Some(format!(
            "CPU stays near {level_percent:.0} % from {from_load:.0} requests per minute and instance on, however many \
             there are ({why}); the line is of what lies below, and {periods} periods were left out.{thresholds}"
        ));
    }
    let saturated = fit.knee.as_ref()?.saturates_at_percent?;
    Some(format!(
        "At {saturated:.0} % CPU response time has grown tenfold: instances have no more to give, whatever CPU says. A \
         threshold over that comes too late, and none is recommended."
    ))
}

/// That CPU is no line.
pub fn bent(bend: &BendDocument) -> String {
    let BendDocument { at_top_percent, interval } = bend;
    let (way, why) = match at_top_percent {
        above if *above > 0.0 => ("above", "contention makes the last request dearer than the first"),
        _ => ("below", "caches make the last request cheaper than the first"),
    };
    format!(
        "CPU is no line: at the greatest loads it lies {:.1} points {way} it ({:.1} to {:.1}); {why}. Beyond what was seen \
         it can't be foretold.",
        at_top_percent.abs(),
        interval.low.abs().min(interval.high.abs()),
        interval.low.abs().max(interval.high.abs()),
    )
}

fn lag(fit: &FitDocument) -> Option<String> {
    let minutes = match fit.lag_minutes {
        0 => return None,
        1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    };
    Some(format!("CPU shows {minutes} after the requests that it was for."))
}

fn uneven(fit: &FitDocument) -> Option<String> {
    let share = fit.unevenness.filter(|share| *share > WORTH_TELLING)?;
    Some(format!(
        "The busiest instance is {:.0} % above the average, which the trigger looks at: load is not spread evenly.",
        share * 100.0
    ))
}

/// When the fit was made of.
pub fn when(fit: &FitDocument) -> String {
    format!("{} to {} UTC", clock(fit.window.start), clock(fit.window.end))
}
