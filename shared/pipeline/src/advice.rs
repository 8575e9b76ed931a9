//! What a person reads: the subject and the text of a message. What matters most comes first: what to change, what it does,
//! how sure that is, how to apply it, how to undo it; then why.

mod act;
mod choice;
pub mod cost;
pub mod difference;
mod digest;
mod effects;
mod headline;
mod reasons;
mod refused;

use jiff::Timestamp;
use scaling::recommendation::Verdict;
use scaling::settings::Settings;
use scaling::sweep::Evaluated;
use sha2::{Digest, Sha256};

use crate::archive::{Environment, Key};
use crate::documents::{
    BackTestDocument, Kind, OptionDocument, PolicyDocument, PresentDocument, RecommendationDocument,
    TrustBefore, VerdictDocument, options,
};
use crate::hex::hex;
use crate::news::{News, Word, small_gain};
use crate::paste::shell_word;

pub use act::{apply, undo};
pub use digest::digest;
pub use headline::headline;
pub use refused::in_short;

/// A message to whoever runs the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// One line of printable ASCII, under 100 characters.
    pub subject: String,
    /// Plain text, lines of up to 72 characters but for names and addresses that are longer.
    pub body: String,
}

/// What a message says beside the news.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Frame {
    /// The address under which the archive's pages are served, without a slash at its end.
    pub pages: Option<String>,
    /// What the run cost on AWS, USD.
    pub run_usd: Option<f64>,
    /// Where the advice is kept.
    pub kept: Kept,
}

/// Where advice is kept, for the commands that a message quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Kept {
    /// Where `trellis` looks unless told.
    #[default]
    ByDefault,
    /// There: a directory, or `s3://bucket/prefix`.
    In(String),
    /// Nowhere: it was a rehearsal.
    Nowhere,
}

impl Kept {
    /// What `trellis` has to be told to look there.
    fn option(&self) -> String {
        match self {
            Self::In(place) => format!(" --archive {}", shell_word(place)),
            Self::ByDefault | Self::Nowhere => String::new(),
        }
    }
}

impl Frame {
    /// The address of the page about an advice.
    ///
    /// ```
    /// use pipeline::advice::page;
    ///
    /// let key = "sweeps/environment=web%20prod/date=2026-11-02/report.html";
    /// let address = "https://pages.example/sweeps/environment=web%2520prod/date=2026-11-02/report.html";
    /// assert_eq!(page("https://pages.example/", key), address);
    /// ```
    pub fn page(&self, recommendation: &RecommendationDocument) -> Option<String> {
        let environment = Environment::new(recommendation.environment.clone()).ok()?;
        let last = recommendation.traffic.window.window().ok()?.last_minute();
        let advice = Key::recommendation(&environment, last);
        let key = advice.as_str().replace("recommendation.json", "report.html");
        self.pages.as_deref().map(|pages| page(pages, &key))
    }
}

/// The address of an object of the archive, which is served under `pages`.
pub fn page(pages: &str, key: &str) -> String {
    // A key holds no other character that an address would not.
    format!("{}/{}", pages.trim_end_matches('/'), key.replace('%', "%25"))
}

/// The same for the same advice to the same environment and the same trust in it, whatever traffic it was found
/// on: 16 hexadecimal digits. `withheld` says why there is no verdict.
pub fn id(
    environment: &str,
    withheld: Option<VerdictDocument>,
    verdict: Option<&Verdict>,
    proof: Option<&BackTestDocument>,
) -> String {
    let (word, policy) = match verdict {
        Some(Verdict::Change(evaluated)) => ("change", Some(evaluated)),
        Some(Verdict::Keep(evaluated)) => ("keep", Some(evaluated)),
        Some(Verdict::NoneHolds { .. }) => ("none holds", None),
        None => ("withheld", None),
    };
    let policy = policy.map(|evaluated| evaluated.policy.options()).unwrap_or_default();
    let trust = proof.map(|proof| (proof.grade, proof.cause.as_deref()));
    let digest = Sha256::digest(format!("{environment:?} {withheld:?} {word} {policy:?} {trust:?}"));
    hex(&digest[..8])
}

/// The policy that a verdict is about.
pub fn recommended(verdict: &Verdict) -> Option<PolicyDocument> {
    let document = |evaluated: &Evaluated| PolicyDocument {
        options: options(&evaluated.policy),
        outcome: evaluated.outcome.into(),
    };
    match verdict {
        Verdict::Change(evaluated) | Verdict::Keep(evaluated) => Some(document(evaluated)),
        Verdict::NoneHolds { closest } => closest.as_ref().map(document),
    }
}

/// The message that says what `recommendation` says, to readers who were told nothing before.
pub fn message(recommendation: &RecommendationDocument) -> Message {
    message_in(recommendation, &Frame::default())
}

/// The same in a frame.
pub fn message_in(recommendation: &RecommendationDocument, frame: &Frame) -> Message {
    let word = Word::Advice(Box::new(recommendation.clone()));
    of_news(&News::of(word, None, 0.0), frame)
}

/// The message that tells `news`.
pub fn of_news(news: &News, frame: &Frame) -> Message {
    let parts = match &news.word {
        Word::Advice(advice) => of_advice(news, advice, frame),
        Word::Refused(refusal) => refused::parts(news, refusal),
    };
    Message { subject: headline::subject(news), body: joined(parts.into_iter().chain([foot(frame)])) }
}

fn joined(parts: impl IntoIterator<Item = String>) -> String {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n") + "\n"
}

fn of_advice(news: &News, advice: &RecommendationDocument, frame: &Frame) -> Vec<String> {
    vec![
        opening(news, advice),
        reasons::warning(advice),
        effects::settings(news, advice),
        effects::effects(news, advice),
        wrapped(&replayed(advice)),
        frame
            .page(advice)
            .map_or(String::new(), |page| format!("Pictures, and the tables behind them:\n{page}")),
        act::what_to_watch(news, advice),
        act::how_to_apply(news, advice, &frame.kept),
        act::how_to_undo(news, advice),
        // Of settings that are not shown, nothing is said.
        if is_shown(news, advice) { about_the_choice(advice) } else { String::new() },
        reasons::how_sure(advice),
        reasons::response_time(advice),
        wrapped(&reasons::proof(advice)),
    ]
}

/// Whether the message shows the settings that the advice is about.
fn is_shown(news: &News, advice: &RecommendationDocument) -> bool {
    advice.verdict != VerdictDocument::Change || acts(news, advice)
}

fn about_the_choice(advice: &RecommendationDocument) -> String {
    let parts = [
        reasons::why(advice),
        reasons::credits(advice),
        choice::beyond(advice),
        choice::to_choose(advice),
        reasons::alternative(advice),
    ];
    joined(parts).trim_end().to_owned()
}

/// An option that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    /// The option, with the value to give it.
    pub to: &'a OptionDocument,
    /// Its value now, if that is known: as it is set, else by default.
    pub from: Option<&'a str>,
    /// Whether that value is set, and not Beanstalk's default.
    pub is_set: bool,
    /// Whether the present settings are known.
    pub is_known: bool,
}

impl Change<'_> {
    /// Its value now, in a word or two.
    pub(crate) fn now(&self) -> &str {
        self.from.unwrap_or(if self.is_known { "not set" } else { "unknown" })
    }
}

/// What to change to get from what is really set to the recommended policy: all of it, if the present settings are not
/// known. What the replay made of these does not count: it takes no notice of a `Unit`, nor of a `BreachDuration` that
/// disagrees with the periods, and what Beanstalk makes of such is not known.
pub fn changes(recommendation: &RecommendationDocument) -> Vec<Change<'_>> {
    let recommended = recommendation.recommended.as_ref().map_or(&[][..], |policy| &policy.options);
    let present = recommendation.present.as_ref();
    let changes = recommended.iter().map(|to| change(present, to));
    changes.filter(Change::is_needed).collect()
}

impl Change<'_> {
    fn is_needed(&self) -> bool {
        self.from.is_none_or(|from| !means_the_same(from, &self.to.value))
    }
}

/// Early advice did not say what is set: there, as the replay had it.
fn change<'a>(present: Option<&'a PresentDocument>, to: &'a OptionDocument) -> Change<'a> {
    let Some(present) = present else { return Change { to, from: None, is_set: false, is_known: false } };
    match &present.given {
        Some(given) => change_in(given, to),
        None => {
            let from = value_of(&present.options, to);
            Change { to, from, is_set: from.is_some(), is_known: true }
        }
    }
}

/// From what is in force where `set` is all that is set.
fn change_in<'a>(set: &'a [OptionDocument], to: &'a OptionDocument) -> Change<'a> {
    Change { to, from: in_force(set, to), is_set: value_of(set, to).is_some(), is_known: true }
}

/// What of `wanted` is in force otherwise, or not at all, where `set` is all that is set.
pub(crate) fn lacking<'a>(wanted: &'a [OptionDocument], set: &'a [OptionDocument]) -> Vec<Change<'a>> {
    wanted.iter().map(|to| change_in(set, to)).filter(Change::is_needed).collect()
}

/// The value of an option as it is set, else by default.
fn in_force<'a>(set: &'a [OptionDocument], of: &OptionDocument) -> Option<&'a str> {
    value_of(set, of).or_else(|| Settings::default_of(&of.namespace, &of.option_name))
}

/// `, but for Unit (Bytes, not Percent)`: options that were left otherwise than they were advised, if some were.
pub(crate) fn but_for(lacking: &[Change<'_>]) -> String {
    let left = lacking
        .iter()
        .map(|change| format!("{} ({}, not {})", change.to.option_name, change.now(), change.to.value));
    let left = left.collect::<Vec<_>>().join(", ");
    if left.is_empty() { left } else { format!(", but for {left}") }
}

/// What `options` set it to. As Beanstalk reads them: the last one counts, and an empty one sets nothing.
fn value_of<'a>(options: &'a [OptionDocument], of: &OptionDocument) -> Option<&'a str> {
    let same = |now: &&OptionDocument| now.namespace == of.namespace && now.option_name == of.option_name;
    let last = options.iter().rfind(same)?;
    Some(last.value.as_str()).filter(|value| !value.trim().is_empty())
}

/// Whether two values are one, however they are written: `05` is 5.
fn means_the_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    let number = |text: &str| text.parse::<f64>().ok();
    match number(one).zip(number(other)) {
        Some((one, other)) => one.total_cmp(&other).is_eq(),
        None => one == other,
    }
}

/// Whether `news` asks for something to be changed.
pub(crate) fn acts(news: &News, advice: &RecommendationDocument) -> bool {
    let asks = matches!(news.kind, Kind::Change | Kind::InvalidSettings);
    asks && advice.verdict == VerdictDocument::Change && !changes(advice).is_empty()
}

/// Any text as a subject that SNS takes: one line of printable ASCII that starts with a letter, digit or
/// punctuation, under 100 characters, never empty.
///
/// ```
/// use pipeline::advice::subject_line;
///
/// assert_eq!(subject_line("Advice for étude\nprod"), "Advice for ?tude prod");
/// assert_eq!(subject_line("  "), "Scaling advice from Trellis");
/// ```
pub fn subject_line(text: &str) -> String {
    let printable = |c: char| match c {
        c if c.is_whitespace() || c.is_control() => ' ',
        c if c.is_ascii() => c,
        _ => '?',
    };
    let line: String = text.trim().chars().map(printable).take(MOST_OF_SUBJECT).collect();
    let line = line.trim();
    if line.is_empty() { "Scaling advice from Trellis".to_owned() } else { line.to_owned() }
}

const MOST_OF_SUBJECT: usize = 99;

/// What settings are asked to keep CPU under, in words: `50 %`, or `50 % in all but 3 minutes`.
pub(crate) fn ceiling(advice: &RecommendationDocument) -> String {
    format!("{} %{}", advice.cpu_ceiling_percent, in_all_but(advice))
}

/// Where settings with more room were taken in place of the cheapest.
fn nearly(advice: &RecommendationDocument) -> String {
    advice.over_cheapest.map_or(String::new(), |over| format!(" to within {:.1} %", over * 100.0))
}

/// Where the closest hold the traffic as it was, and no more.
fn nearly_held(advice: &RecommendationDocument) -> String {
    advice.closest_fails_with.first().map_or(String::new(), |first| {
        format!(
            " in all that they have to bear: the closest do in the traffic as it was, and not {}",
            reasons::with(first)
        )
    })
}

fn in_all_but(advice: &RecommendationDocument) -> String {
    match advice.minutes_over_allowed {
        0 => String::new(),
        minutes => format!(" in all but {}", plural(u64::from(minutes), "minute")),
    }
}

fn opening(news: &News, advice: &RecommendationDocument) -> String {
    let ceiling = ceiling(advice);
    let more = match news.kind {
        Kind::Change => match advice.over_cheapest {
            None => format!("These are the cheapest settings that keep CPU under {ceiling}."),
            Some(over) => format!(
                "These settings keep CPU under {ceiling} for {:.1} % more than the cheapest that do, and bear more traffic.",
                over * 100.0
            ),
        },
        Kind::Keep => small_gain(advice, f64::INFINITY).map_or_else(
            || {
                format!(
                    "The present settings hold CPU under {ceiling}, and nothing that was tried would do so for clearly less."
                )
            },
            |gain| {
                format!(
                    "The present settings hold CPU under {ceiling}. The cheapest that do would save {:.1} % of the instance \
                     hours, which is less than is worth a change.",
                    gain * 100.0
                )
            },
        ),
        Kind::NoneHolds => format!(
            "None of the settings that were tried keep CPU under {ceiling}{}. Nothing is recommended. {}",
            nearly_held(advice),
            choice::would_hold(advice.would_hold.as_ref())
        ),
        Kind::NotApplicable => "It has no load balancer, no group and no trigger, so that advice on scaling does not apply \
             to it. Nothing is recommended."
            .to_owned(),
        Kind::NotTrusted | Kind::TrustLost if advice.verdict == VerdictDocument::NotTrusted => {
            not_trusted(news, advice)
        }
        Kind::TrustLost => trust_lost(news, advice),
        Kind::InvalidSettings => invalid(advice),
        Kind::NotTrusted | Kind::NoAdvice => String::new(),
    };
    let hard = match news.kind {
        Kind::Change | Kind::Keep => {
            choice::hard_minutes(advice).map_or(String::new(), |hard| format!(" {hard}"))
        }
        _ => String::new(),
    };
    format!("{}\n\n{}", wrapped(&headline(news)), wrapped(&format!("{more}{hard}")))
}

fn not_trusted(news: &News, advice: &RecommendationDocument) -> String {
    let cause = advice.back_test.as_ref().and_then(|proof| proof.cause.as_deref());
    let before = news.trust_before.map_or(String::new(), |TrustBefore { confidence: was, at }| {
        format!(
            " It was {} when you were last told, on {}: what was advised then is no longer backed by it.",
            was.word(),
            day(at)
        )
    });
    format!(
        "No setting is recommended: replayed, the present settings do not come close to what really happened. Most likely \
         {}.{before} To get advice again: have deployments, scheduled actions and changes by hand in the record (the ingest \
         fetches them from AWS), or wait until they have left the window.",
        cause.unwrap_or("something is missing in the record")
    )
}

fn trust_lost(news: &News, advice: &RecommendationDocument) -> String {
    let ceiling = ceiling(advice);
    let still = match advice.verdict {
        VerdictDocument::NoneHolds => format!(
            "By what is known now, none of the settings that were tried keep CPU under {ceiling}. {}",
            choice::would_hold(advice.would_hold.as_ref())
        ),
        _ => format!("By what is known now, the present settings hold CPU under {ceiling} all the same."),
    };
    let back_test = news.trust_before.map_or(String::new(), |TrustBefore { confidence: was, at }| {
        format!(
            " The back-test was {} when you were last told, on {}, and is {} now: take every number for that much less.",
            was.word(),
            day(at),
            news.confidence.said()
        )
    });
    format!("{still}{back_test}")
}

fn invalid(advice: &RecommendationDocument) -> String {
    // The headline says the first.
    let more: String =
        advice.broken().iter().skip(1).map(|finding| format!("{}. ", capital(finding))).collect();
    let so = match advice.verdict {
        VerdictDocument::Change => {
            format!(
                "The settings below work, and keep CPU under {} at the least cost{}.",
                ceiling(advice),
                nearly(advice)
            )
        }
        _ => "Correct that first; then there can be advice.".to_owned(),
    };
    format!("{more}{so}")
}

pub(crate) fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or(String::new(), |first| first.to_uppercase().chain(rest).collect())
}

/// What was replayed.
fn replayed(advice: &RecommendationDocument) -> String {
    let traffic = &advice.traffic;
    let of_them = |minutes: usize, are: &str| match minutes {
        0 => String::new(),
        minutes => format!(", {minutes} of them {are}"),
    };
    let asleep = of_them(traffic.minutes_asleep, "asleep by schedule");
    let missing = asleep + &of_them(traffic.minutes_missing, "unknown");
    let when = if traffic.recorded {
        let (start, end) = (clock(traffic.window.start), clock(traffic.window.end));
        format!("recorded traffic from {start} to {end} UTC ({} minutes{missing})", traffic.minutes)
    } else {
        let shape = traffic.shape.as_deref().unwrap_or(crate::sweep::STAGED);
        format!("{} minutes of {shape} (what if{missing})", traffic.minutes)
    };
    let peak = traffic.peak_requests_per_minute;
    format!("Replayed: {when}, up to {peak:.0} requests per minute.{}", costless(&traffic.costless))
}

/// Minutes of which CPU says otherwise than their requests.
fn costless(minutes: &[Timestamp]) -> String {
    let [first, rest @ ..] = minutes else { return String::new() };
    let first = clock(*first);
    let (which, these) = match rest.len() {
        0 => (format!("One minute, {first} UTC,"), "that minute is"),
        more => (format!("{} minutes, the first of them {first} UTC,", more + 1), "they are"),
    };
    format!(
        " {which} had far more, and CPU did not rise with them though it could have: {these} replayed by CPU."
    )
}

fn foot(frame: &Frame) -> String {
    frame.run_usd.map_or(String::new(), |usd| match usd {
        0.0 => "This run asked nothing of AWS, and cost nothing.".to_owned(),
        usd if usd < 0.000_05 => "This run cost less than 0.0001 USD on AWS.".to_owned(),
        usd => format!("This run cost about {usd:.4} USD on AWS (list prices, before free tiers)."),
    })
}

const COLUMNS: usize = 72;

/// Lines that a mail client shows whole. A number stays with its percent sign.
fn wrapped(paragraph: &str) -> String {
    filled(paragraph, lines())
}

fn filled(paragraph: &str, lines: textwrap::Options<'_>) -> String {
    // Counted as one column, as every character before U+1100 is.
    const TOGETHER: &str = "\u{1f}";
    textwrap::fill(&paragraph.replace(" %", &format!("{TOGETHER}%")), lines).replace(TOGETHER, " ")
}

/// Words stay whole, and dates with them.
fn lines() -> textwrap::Options<'static> {
    textwrap::Options::new(COLUMNS)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false)
}

/// The same below a heading in a terminal: the first line indented by two, those after by four.
pub fn indented(paragraph: &str) -> String {
    filled(paragraph, lines().initial_indent("  ").subsequent_indent("    "))
}

/// A paragraph in lines of at most so many columns.
pub fn fitted(paragraph: &str, columns: usize) -> String {
    let mut lines = lines();
    lines.width = columns;
    filled(paragraph, lines)
}

fn clock(instant: jiff::Timestamp) -> String {
    instant.strftime("%Y-%m-%d %H:%M").to_string()
}

fn day(instant: jiff::Timestamp) -> String {
    instant.strftime("%Y-%m-%d").to_string()
}

fn plural(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The same after a colon.
fn one_sentence_of(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or(String::new(), |first| first.to_lowercase().chain(rest).collect())
}

/// 1,204,224.
pub(crate) fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let grouped: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    grouped.join(",")
}

/// To two decimals, but not up to the ceiling that it stays under.
fn hundredths_below(percent: f64, ceiling: f64) -> String {
    let up = (percent * 100.0).round() / 100.0;
    let down = (percent * 100.0).floor() / 100.0;
    format!("{:.2}", if percent < ceiling && ceiling <= up { down } else { up })
}

/// Four significant digits.
fn significant(value: f64) -> String {
    let digits = digits(value);
    format!("{value:.digits$}")
}

/// Digits after the point that show four significant ones; a value a hair below a power of ten counts as it.
fn digits(value: f64) -> usize {
    (3.0 - (value.abs() * 1.000_05).log10().floor()).clamp(0.0, 12.0) as usize
}
