//! A picture: two axes and what lies between them, drawn once for wide and once for narrow screens.

use maud::{Markup, PreEscaped, html};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::prelude::{
    Cartesian2d, ChartBuilder, ChartContext, Circle, DrawingArea, DrawingAreaErrorKind, EmptyElement,
    IntoDrawingArea as _, LabelAreaPosition, PathElement, Polygon, Text,
};
use plotters::style::{Color as _, IntoFont as _, TRANSPARENT, TextStyle};
use plotters_backend::text_anchor::{HPos, Pos, VPos};

use super::bands::{Band, bands};
use super::ink::{Ink, Svg};
use super::words::{day, number, time_of_day};

/// Two axes and what lies between them.
pub(super) struct Chart {
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) marks: Vec<Mark>,
    /// What it shows, for those who can't see it.
    pub(super) said: String,
}

/// An axis.
pub(super) struct Axis {
    from: f64,
    to: f64,
    kind: Kind,
    title: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Number,
    /// The places are powers of ten.
    Power,
    /// Minutes since 1970, UTC.
    Time,
}

/// What lies between the axes.
pub(super) enum Mark {
    /// A value a minute from a minute on: the mean, and a band from the least to the greatest where several minutes share a
    /// place.
    Minutes { from: f64, values: Vec<Option<f64>>, ink: Ink },
    /// The same, filled from zero on.
    Filled { from: f64, values: Vec<Option<f64>>, ink: Ink },
    /// Everything between two lines: places, their lower and their upper value.
    Area { points: Vec<(f64, f64, f64)>, ink: Ink },
    /// A line from point to point.
    Line { points: Vec<(f64, f64)>, ink: Ink },
    /// Points.
    Dots { points: Vec<(f64, f64)>, ink: Ink, radius: u32 },
    /// A level, with its name above or below.
    Across { at: f64, name: String, ink: Ink, above: bool },
    /// A place, with its name at the top.
    Down { at: f64, name: String, ink: Ink },
    /// The name of a point, beside it, so many lines higher.
    Name { at: (f64, f64), name: String, ink: Ink, line: u32 },
}

impl Axis {
    /// From zero, or less, to a bit over the greatest of `values`.
    pub(super) fn from_zero(title: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let most = values.into_iter().filter(|value| value.is_finite()).fold(0.0, f64::max);
        Self {
            from: 0.0,
            to: if most > 0.0 { most * 1.08 } else { 1.0 },
            kind: Kind::Number,
            title: title.to_owned(),
        }
    }

    /// Around all of `values`.
    pub(super) fn around(title: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let (least, most) =
            finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| (a.min(value), b.max(value)));
        if least > most {
            return Self::from_zero(title, []);
        }
        let room = ((most - least) * 0.08).max(most.abs() * 0.01).max(1e-9);
        Self { from: least - room, to: most + room, kind: Kind::Number, title: title.to_owned() }
    }

    /// Around the powers of ten of `values`, each of which is given by its logarithm.
    pub(super) fn powers(title: &str, logarithms: impl IntoIterator<Item = f64>) -> Self {
        Self { kind: Kind::Power, ..Self::around(title, logarithms) }
    }

    /// Minutes since 1970.
    pub(super) fn time(from: f64, to: f64) -> Self {
        Self { from, to: to.max(from + 1.0), kind: Kind::Time, title: "time, UTC".to_owned() }
    }

    pub(super) fn start(&self) -> f64 {
        self.from
    }

    pub(super) fn end(&self) -> f64 {
        self.to
    }

    /// About `most` places that are worth a line, in between.
    fn ticks(&self, most: usize) -> Vec<f64> {
        let step = match self.kind {
            Kind::Number => nice((self.to - self.from) / most as f64),
            Kind::Power => return self.power_ticks(),
            Kind::Time => time_step((self.to - self.from) / most as f64),
        };
        let first = (self.from / step - 1e-9).ceil();
        let count = ((self.to / step + 1e-9).floor() - first).max(0.0) as usize;
        (0..=count).map(|index| (first + index as f64) * step).collect()
    }

    fn power_ticks(&self) -> Vec<f64> {
        let powers = self.from.floor() as i32..=self.to.ceil() as i32;
        let of = |power: i32| [1.0_f64, 2.0, 5.0].map(|digit| digit.log10() + f64::from(power));
        powers.flat_map(of).filter(|place| self.from <= *place && *place <= self.to).collect()
    }

    fn label(&self, place: f64) -> String {
        match self.kind {
            Kind::Number => number(place),
            Kind::Power => number(10_f64.powf(place)),
            Kind::Time if self.to - self.from > 3.0 * 1440.0 => day(place),
            Kind::Time => time_of_day(place),
        }
    }
}

/// 1, 2 or 5 times a power of ten, at least `step`.
fn nice(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power);
    steps.into_iter().find(|nice| step <= *nice * 1.000_001).unwrap_or(step)
}

/// Whole minutes, hours or days.
fn time_step(step: f64) -> f64 {
    const STEPS: [f64; 16] = [
        1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 180.0, 360.0, 720.0, 1440.0, 2880.0, 4320.0, 5760.0, 7200.0,
        10_080.0, 20_160.0,
    ];
    STEPS.into_iter().find(|nice| step <= *nice).unwrap_or(40_320.0)
}

/// An axis with the places that have a line and a name.
struct Scale {
    from: f64,
    to: f64,
    ticks: Vec<f64>,
}

impl Ranged for Scale {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (value - self.from) / (self.to - self.from);
        first + (f64::from(last - first) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.from..self.to
    }
}

/// A width and a height in pixels of the page, and places on the axes.
struct Size {
    class: &'static str,
    width: u32,
    height: u32,
    ticks: (usize, usize),
}

const SIZES: [Size; 2] = [
    Size { class: "wide", width: 960, height: 300, ticks: (14, 6) },
    Size { class: "narrow", width: 340, height: 260, ticks: (4, 5) },
];

/// Units of a picture to a pixel of the page, so that whole units are fine enough.
const UNITS: u32 = 2;
/// Pixels of the page.
const LETTERS: f64 = 13.0;
/// A text's height by the plotting library, which estimates more than a browser takes.
const HEIGHT_OF_LETTERS: f64 = 1.24;
const LEFT: u32 = 52;
const BELOW: u32 = 38;
const ABOVE: u32 = 24;

type Place<'a, 'b> = ChartContext<'a, Svg<'b>, Cartesian2d<Scale, Scale>>;
type Drawn = Result<(), DrawingAreaErrorKind<std::convert::Infallible>>;

impl Chart {
    /// Both sizes; the page shows the one that fits.
    pub(super) fn markup(&self) -> Markup {
        html! { @for size in &SIZES { (self.sized(size)) } }
    }

    fn sized(&self, size: &Size) -> Markup {
        let (width, height) = (size.width * UNITS, size.height * UNITS);
        let mut drawn = String::new();
        {
            let area = Svg::new(&mut drawn, (width, height)).into_drawing_area();
            self.draw(&area, size)
                .expect("text takes all that is drawn, and the picture is larger than its margins");
        }
        html! {
            svg class={ "chart " (size.class) } viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(self.said) {
                (PreEscaped(drawn))
            }
        }
    }

    fn draw(&self, area: &DrawingArea<Svg<'_>, Shift>, size: &Size) -> Drawn {
        let axis = |axis: &Axis, most| Scale { from: axis.from, to: axis.to, ticks: axis.ticks(most) };
        let mut place = ChartBuilder::on(area)
            .margin_right(8 * UNITS)
            .margin_top(ABOVE * UNITS)
            .set_label_area_size(LabelAreaPosition::Left, LEFT * UNITS)
            .set_label_area_size(LabelAreaPosition::Bottom, BELOW * UNITS)
            .build_cartesian_2d(axis(&self.x, size.ticks.0), axis(&self.y, size.ticks.1))?;
        place
            .configure_mesh()
            .bold_line_style(Ink::Grid.place())
            .light_line_style(TRANSPARENT)
            .axis_style(Ink::Axis.place())
            .label_style(letters(Ink::Words, HPos::Center, VPos::Center))
            .x_label_formatter(&|at| self.x.label(*at))
            .y_label_formatter(&|at| self.y.label(*at))
            .draw()?;
        let corner = (2, (ABOVE * UNITS) as i32 - 12);
        area.draw_text(&self.y.title, &letters(Ink::Words, HPos::Left, VPos::Bottom), corner)?;
        if self.x.kind != Kind::Time {
            let right = ((size.width * UNITS) as i32 - 8, (size.height * UNITS) as i32 - 2);
            area.draw_text(&self.x.title, &letters(Ink::Words, HPos::Right, VPos::Bottom), right)?;
        }
        let pixels = place.plotting_area().dim_in_pixel().0 / UNITS;
        self.marks.iter().try_for_each(|mark| self.mark(&mut place, mark, pixels as usize))?;
        area.present()
    }

    fn mark(&self, place: &mut Place<'_, '_>, mark: &Mark, pixels: usize) -> Drawn {
        match mark {
            Mark::Minutes { from, values, ink } => minutes(place, *from, values, *ink, pixels),
            Mark::Filled { from, values, ink } => {
                for run in bands(values, places(values.len(), pixels)) {
                    let ground: Vec<_> = run.iter().map(|band| (from + band.middle, 0.0, band.low)).collect();
                    area(place, &ground, *ink)?;
                }
                minutes(place, *from, values, *ink, pixels)
            }
            Mark::Area { points, ink } => area(place, points, *ink),
            Mark::Line { points, ink } => line(place, points.clone(), *ink),
            Mark::Dots { points, ink, radius } => {
                let dot = |at: &(f64, f64)| Circle::new(*at, radius * UNITS, ink.place().filled());
                place.draw_series(points.iter().map(dot)).map(|_| ())
            }
            Mark::Across { at, name, ink, above } => {
                line(place, vec![(self.x.from, *at), (self.x.to, *at)], *ink)?;
                let v_pos = if *above { VPos::Bottom } else { VPos::Top };
                words(
                    place,
                    (self.x.to, *at),
                    (0, if *above { -4 } else { 4 }),
                    name,
                    letters(*ink, HPos::Right, v_pos),
                )
            }
            Mark::Down { at, name, ink } => {
                line(place, vec![(*at, self.y.from), (*at, self.y.to)], *ink)?;
                let (h_pos, off) = self.beside(*at, name, 6, pixels);
                words(place, (*at, self.y.to), (off, 4), name, letters(*ink, h_pos, VPos::Top))
            }
            Mark::Name { at, name, ink, line } => {
                let (h_pos, off) = self.beside(at.0, name, 14, pixels);
                let up = -4 - (*line * UNITS) as i32 * 16;
                words(place, *at, (off, up), name, letters(*ink, h_pos, VPos::Bottom))
            }
        }
    }
}

/// Pixels of a letter, or a bit more.
const WIDTH_OF_LETTER: f64 = 7.5;

impl Chart {
    /// On which side of a place its name goes, and how far: the right one where there is room.
    fn beside(&self, at: f64, name: &str, off: i32, pixels: usize) -> (HPos, i32) {
        let room = (self.x.to - at) / (self.x.to - self.x.from) * pixels as f64;
        let fits = name.chars().count() as f64 * WIDTH_OF_LETTER <= room;
        if fits { (HPos::Left, off) } else { (HPos::Right, -off) }
    }
}

fn letters(ink: Ink, h_pos: HPos, v_pos: VPos) -> TextStyle<'static> {
    let font = ("sans-serif", LETTERS * f64::from(UNITS) * HEIGHT_OF_LETTERS).into_font();
    TextStyle { font, color: ink.place().to_backend_color(), pos: Pos::new(h_pos, v_pos) }
}

fn words(
    place: &mut Place<'_, '_>,
    at: (f64, f64),
    off: (i32, i32),
    name: &str,
    style: TextStyle<'static>,
) -> Drawn {
    let element = EmptyElement::at(at) + Text::new(name.to_owned(), off, style);
    place.draw_series([element]).map(|_| ())
}

fn line(place: &mut Place<'_, '_>, points: Vec<(f64, f64)>, ink: Ink) -> Drawn {
    place.draw_series([PathElement::new(points, ink.place())]).map(|_| ())
}

fn area(place: &mut Place<'_, '_>, points: &[(f64, f64, f64)], ink: Ink) -> Drawn {
    let lower = points.iter().map(|(x, low, _)| (*x, *low));
    let upper = points.iter().rev().map(|(x, _, high)| (*x, *high));
    place
        .draw_series([Polygon::new(lower.chain(upper).collect::<Vec<_>>(), ink.place().filled())])
        .map(|_| ())
}

/// A place for each pixel; or half a one, where that is enough for every value to have its own.
fn places(values: usize, pixels: usize) -> usize {
    let finest = pixels * UNITS as usize;
    if values <= finest { finest } else { pixels }
}

fn minutes(place: &mut Place<'_, '_>, from: f64, values: &[Option<f64>], ink: Ink, pixels: usize) -> Drawn {
    for run in bands(values, places(values.len(), pixels)) {
        let at = |band: &Band| from + band.middle;
        if run.iter().any(|band| band.low < band.high) {
            area(place, &run.iter().map(|band| (at(band), band.low, band.high)).collect::<Vec<_>>(), ink)?;
        }
        line(place, run.iter().map(|band| (at(band), band.mean)).collect(), ink)?;
    }
    Ok(())
}
