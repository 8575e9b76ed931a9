//! What a minute over the ceiling buys: the frontier of cost and minutes over, brought down to what can be read.

use std::collections::BTreeSet;

/// The step of a frontier from which on more minutes over buy little: the one that lies farthest below the straight line
/// from its first step to its last, both axes taken as long as each other. `steps` are (minutes over, cost), minutes rising
/// and cost falling; `None` where there are fewer than three.
pub fn knee(steps: &[(f64, f64)]) -> Option<usize> {
    let [(x0, y0), .., (x1, y1)] = *steps else { return None };
    let below = |(x, y): (f64, f64)| 1.0 - (x - x0) / (x1 - x0) - (y - y1) / (y0 - y1);
    let inner = (1..steps.len() - 1).map(|step| (step, below(steps[step])));
    inner.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).map(|(step, _)| step)
}

/// Which of the `steps` to keep, in order: all where there are at most `most`; else the first, the last and the
/// [`knee`], and in between every so many steps, alike.
///
/// ```
/// use scaling::frontier::thinned;
///
/// let steps: Vec<(f64, f64)> = (0..9).map(|over| (f64::from(over), 100.0 / f64::from(over + 1))).collect();
/// assert_eq!(thinned(&steps, 4), [0, 2, 4, 8]);
/// assert_eq!(thinned(&steps, 9).len(), 9);
/// ```
pub fn thinned(steps: &[(f64, f64)], most: usize) -> Vec<usize> {
    if steps.len() <= most {
        return (0..steps.len()).collect();
    }
    let (last, spaces) = (steps.len() - 1, most.saturating_sub(2).max(1));
    let alike = (0..=spaces).map(|space| space * last / spaces);
    let kept: BTreeSet<usize> = alike.chain(knee(steps)).collect();
    kept.into_iter().collect()
}
