//! A part of the page: what it says, its pictures or why there are none, and the tables behind them.

use maud::{Markup, html};

use super::chart::Chart;
use super::ink::Ink;

/// A part of the page.
#[derive(Default)]
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) said: Vec<String>,
    pub(super) pictures: Vec<Picture>,
    pub(super) missing: Vec<Missing>,
    pub(super) tables: Vec<Table>,
}

/// A picture, and what its colours are of.
pub(super) struct Picture {
    pub(super) title: String,
    pub(super) legend: Vec<(Ink, String)>,
    pub(super) chart: Chart,
}

/// What a picture lacks, and how to get it.
pub(super) struct Missing {
    pub(super) what: String,
    pub(super) how: String,
}

/// Rows, of which the first cell is the name.
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Missing {
    pub(super) fn new(what: impl Into<String>, how: impl Into<String>) -> Self {
        Self { what: what.into(), how: how.into() }
    }
}

impl Table {
    pub(super) fn new(caption: impl Into<String>, head: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self { caption: caption.into(), head: head.iter().map(|&name| name.to_owned()).collect(), rows }
    }

    /// The rows; a narrow screen scrolls them sideways.
    pub(super) fn markup(&self) -> Markup {
        html! {
            div.rows tabindex="0" role="region" aria-label=(self.caption) {
                table {
                    caption { (self.caption) }
                    thead { tr { @for name in &self.head { th scope="col" { (name) } } } }
                    tbody { @for row in &self.rows { (cells(row)) } }
                }
            }
        }
    }

    fn folded(&self) -> Markup {
        html! { details { summary { "Table: " (self.caption) } (self.markup()) } }
    }
}

/// Text in which a number and its unit stay on one line, and what stands in backticks is what to type.
pub(super) fn prose(text: &str) -> Markup {
    let text = unbroken(text);
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn unbroken(text: &str) -> String {
    text.replace(" %", "\u{a0}%").replace(" ms", "\u{a0}ms")
}

fn cells(row: &[String]) -> Markup {
    html! {
        tr {
            @if let Some((name, values)) = row.split_first() {
                th scope="row" { (name) }
                @for value in values { td { (value) } }
            }
        }
    }
}

impl Section {
    pub(super) fn markup(&self) -> Markup {
        html! {
            section id=(self.id) aria-labelledby={ (self.id) "-title" } {
                h2 id={ (self.id) "-title" } { (self.title) }
                @for said in &self.said { p { (prose(said)) } }
                @for picture in &self.pictures { (picture.markup()) }
                @for missing in &self.missing {
                    p.missing { strong { "Not shown: " } (prose(&missing.what)) ". " (prose(&missing.how)) "." }
                }
                @for table in self.tables.iter().filter(|table| !table.rows.is_empty()) { (table.folded()) }
            }
        }
    }
}

impl Picture {
    fn markup(&self) -> Markup {
        html! {
            figure {
                figcaption {
                    @if !self.title.is_empty() { span.title { (self.title) } }
                    ul.legend {
                        @for (ink, name) in &self.legend {
                            li { span class={ "swatch " (ink.class()) } {} (name) }
                        }
                    }
                }
                (self.chart.markup())
            }
        }
    }
}
