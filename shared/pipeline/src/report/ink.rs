//! SVG whose colours are the page's: what is drawn says what it is of, as a class, and the page's style says which colour
//! that is, by day and by night.

use std::collections::HashSet;
use std::convert::Infallible;
use std::fmt::Write as _;

use plotters::style::RGBColor;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontTransform,
};

/// What something in a picture is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Axis,
    Grid,
    Words,
    Recorded,
    /// Recorded, below what is replayed.
    Under,
    Present,
    Recommended,
    Bound,
    Limit,
    Line,
    LeftOut,
    Event,
}

impl Ink {
    const ALL: [(Self, &str); 12] = [
        (Self::Axis, "axis"),
        (Self::Grid, "grid"),
        (Self::Words, "words"),
        (Self::Recorded, "recorded"),
        (Self::Under, "under"),
        (Self::Present, "present"),
        (Self::Recommended, "recommended"),
        (Self::Bound, "bound"),
        (Self::Limit, "limit"),
        (Self::Line, "fitted"),
        (Self::LeftOut, "left-out"),
        (Self::Event, "event"),
    ];

    /// Its class in the page's style.
    pub(super) fn class(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Its place in the palette, which is all that a plot knows of it.
    pub(super) fn place(self) -> RGBColor {
        RGBColor(self as u8, 0, 0)
    }

    fn at(color: BackendColor) -> Self {
        Self::ALL.get(color.rgb.0 as usize).map_or(Self::Axis, |(ink, _)| *ink)
    }
}

/// Draws into text.
pub(super) struct Svg<'a> {
    out: &'a mut String,
    size: (u32, u32),
    /// Dots of one ink that wait to be drawn at once, by cell: those at the same place are drawn once.
    dots: Option<(Ink, u32, Vec<BackendCoord>, HashSet<BackendCoord>)>,
}

/// Dots nearer to each other than this are at the same place.
const CELL: i32 = 4;

impl<'a> Svg<'a> {
    pub(super) fn new(out: &'a mut String, size: (u32, u32)) -> Self {
        Self { out, size, dots: None }
    }

    fn flush(&mut self) {
        let Some((ink, radius, dots, _)) = self.dots.take() else { return };
        let mut path = Path::default();
        dots.into_iter().for_each(|dot| path.dot(dot));
        let (class, width, path) = (ink.class(), 2 * radius, path.0);
        let _ = write!(self.out, r#"<path class="{class} dots" stroke-width="{width}" d="{path}"/>"#);
    }

    fn path(&mut self, ink: Ink, kind: &str, path: &str) {
        self.flush();
        let _ = write!(self.out, r#"<path class="{} {kind}" d="{path}"/>"#, ink.class());
    }
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Svg<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        self.flush();
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Drawn {
        self.draw_circle(point, 1, &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
        if fill { self.fill_polygon(corners, style) } else { self.draw_path(corners, style) }
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        points: I,
        style: &S,
    ) -> Drawn {
        if style.color().alpha > 0.0 {
            self.path(Ink::at(style.color()), "line", &Path::through(points).0);
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Drawn {
        if style.color().alpha > 0.0 {
            self.path(Ink::at(style.color()), "area", &(Path::through(corners).0 + "z"));
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        _: bool,
    ) -> Drawn {
        let ink = Ink::at(style.color());
        if self.dots.as_ref().is_some_and(|(other, size, ..)| (*other, *size) != (ink, radius)) {
            self.flush();
        }
        let (.., dots, taken) = self.dots.get_or_insert_with(|| (ink, radius, Vec::new(), HashSet::new()));
        if taken.insert((center.0.div_euclid(CELL), center.1.div_euclid(CELL))) {
            dots.push(center);
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, (x, y): BackendCoord) -> Drawn {
        self.flush();
        let anchor = match style.anchor().h_pos {
            HPos::Left => "start",
            HPos::Center => "middle",
            HPos::Right => "end",
        };
        let down = match style.anchor().v_pos {
            VPos::Top => "0.76em",
            VPos::Center => "0.36em",
            VPos::Bottom => "-0.24em",
        };
        let turned = match style.transform() {
            FontTransform::None => String::new(),
            FontTransform::Rotate90 => format!(r#" transform="rotate(90 {x} {y})""#),
            FontTransform::Rotate180 => format!(r#" transform="rotate(180 {x} {y})""#),
            FontTransform::Rotate270 => format!(r#" transform="rotate(270 {x} {y})""#),
        };
        let class = Ink::at(style.color()).class();
        // Text of others may be in it.
        let text = maud::html! { (text) }.into_string();
        let _ = write!(
            self.out,
            r#"<text class="{class}" x="{x}" y="{y}" dy="{down}" text-anchor="{anchor}"{turned}>{text}</text>"#
        );
        Ok(())
    }
}

/// The `d` of a path, in as few letters as it takes: steps from point to point, and steps on along an axis joined.
#[derive(Default)]
struct Path(String);

impl Path {
    fn through(points: impl IntoIterator<Item = BackendCoord>) -> Self {
        let mut path = Self::default();
        let mut points = points.into_iter();
        let Some(first) = points.next() else { return path };
        let _ = write!(path.0, "M{} {}l", first.0, first.1);
        let (mut at, mut step) = (first, (0, 0));
        for point in points {
            let more = (point.0 - at.0, point.1 - at.1);
            at = point;
            if is_further(step, more) {
                step = (step.0 + more.0, step.1 + more.1);
            } else {
                path.step(std::mem::replace(&mut step, more));
            }
        }
        path.step(step);
        if path.0.ends_with('l') {
            path.0.push_str("0 0");
        }
        path
    }

    fn step(&mut self, (right, down): (i32, i32)) {
        if (right, down) == (0, 0) {
            return;
        }
        if right >= 0 && !self.0.ends_with('l') {
            self.0.push(' ');
        }
        let gap = if down >= 0 { " " } else { "" };
        let _ = write!(self.0, "{right}{gap}{down}");
    }

    fn dot(&mut self, (x, y): BackendCoord) {
        let _ = write!(self.0, "M{x} {y}h0");
    }
}

/// Whether a step goes on in the direction of the one before, along an axis, or nowhere.
fn is_further(step: (i32, i32), more: (i32, i32)) -> bool {
    let along =
        |still: (i32, i32), moving: (i32, i32)| still == (0, 0) && moving.0.signum() == moving.1.signum();
    more == (0, 0) || along((step.1, more.1), (step.0, more.0)) || along((step.0, more.0), (step.1, more.1))
}
