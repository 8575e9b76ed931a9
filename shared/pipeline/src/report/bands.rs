//! More minutes than a picture has places for: of those that share a place, the least, the greatest and the mean are
//! kept, so that no peak is lost, however short.

/// Minutes of one place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// The place of its middle, in minutes from the first.
    pub middle: f64,
    /// Least value.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
    /// Mean of those that are known.
    pub mean: f64,
}

/// `values` of equally many minutes to a place, at most `places` of them; each run of places without a gap by itself. A
/// place without any value is a gap.
///
/// ```
/// use pipeline::report::bands::bands;
///
/// let values = [Some(1.0), Some(9.0), None, None, Some(2.0), Some(2.0)];
/// let runs = bands(&values, 3);
/// assert_eq!(runs.len(), 2);
/// assert_eq!((runs[0][0].low, runs[0][0].high, runs[0][0].mean), (1.0, 9.0, 5.0));
/// ```
pub fn bands(values: &[Option<f64>], places: usize) -> Vec<Vec<Band>> {
    let size = values.len().div_ceil(places.max(1)).max(1);
    let of = |(index, minutes): (usize, &[Option<f64>])| {
        let known = || minutes.iter().copied().flatten();
        let count = known().count();
        (count > 0).then(|| Band {
            middle: (index * size) as f64 + minutes.len() as f64 / 2.0,
            low: known().fold(f64::INFINITY, f64::min),
            high: known().fold(f64::NEG_INFINITY, f64::max),
            mean: known().sum::<f64>() / count as f64,
        })
    };
    let bands: Vec<Option<Band>> = values.chunks(size).enumerate().map(of).collect();
    let runs = bands.split(Option::is_none).map(|run| run.iter().copied().flatten().collect());
    runs.filter(|run: &Vec<Band>| !run.is_empty()).collect()
}
