//! JUnit's XML as Surefire writes it and Jenkins reads it: a suite for each part, a case for each
//! thing that was looked at.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::{counted, place, tenants};
use crate::check::{Finding, Part, PartReport, Report, Waived};

pub(super) fn render(report: &Report) -> String {
    let parts = parts(report);
    let suites: Vec<_> = parts.iter().map(|part| Suite::of(report, part)).collect();
    let mut paper = Paper(Writer::new_with_indent(Vec::new(), b' ', 2));
    paper.put(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    let sum = |count: fn(&Suite<'_>) -> usize| suites.iter().map(count).sum::<usize>().to_string();
    paper.begin(
        "testsuites",
        &[
            ("name", "tubex check"),
            ("tests", &sum(|suite| suite.cases.len())),
            ("failures", &sum(|suite| suite.failures())),
            ("errors", "0"),
        ],
    );
    for suite in &suites {
        paper.suite(suite);
    }
    paper.end("testsuites");
    paper.text()
}

/// Parts that were asked for, and any other in which something was found all the same.
fn parts(report: &Report) -> Vec<PartReport> {
    let mut parts = report.parts.clone();
    let waived = report.waived.iter().map(|waived| &waived.finding);
    for finding in report.findings.iter().chain(waived) {
        let part = finding.code.part();
        if parts.iter().all(|one| one.part != part) {
            parts.push(PartReport {
                part,
                duration_ms: 0,
                examined: 0,
                skipped: None,
            });
        }
    }
    parts
}

/// A part.
struct Suite<'a> {
    part: &'a PartReport,
    cases: Vec<Case<'a>>,
}

/// Something that was looked at, and what was found there.
struct Case<'a> {
    name: String,
    findings: Vec<&'a Finding>,
    waived: Vec<&'a Waived>,
    skipped: Option<&'a str>,
}

impl<'a> Suite<'a> {
    fn of(report: &'a Report, part: &'a PartReport) -> Self {
        let mut cases = Vec::new();
        if matches!(part.part, Part::Lint | Part::Reversible | Part::Kind) && part.examined > 0 {
            let looked_at = report.migrations.iter().map(|one| one.name.as_str());
            cases.extend(looked_at.map(Case::named));
        }
        let is_here = |finding: &Finding| finding.code.part() == part.part;
        for finding in report.findings.iter().filter(|finding| is_here(finding)) {
            find(&mut cases, subject(finding)).findings.push(finding);
        }
        for waived in report.waived.iter().filter(|one| is_here(&one.finding)) {
            find(&mut cases, subject(&waived.finding))
                .waived
                .push(waived);
        }
        if let Some(why) = &part.skipped {
            find(&mut cases, part.part.title()).skipped = Some(why);
        } else if cases.is_empty() {
            // Roads, entities and tenants have no names where all is well; their number is told.
            let examined = usize::try_from(part.examined).unwrap_or(usize::MAX);
            let name = format!("{} ({})", part.part.title(), counted(examined, "thing"));
            cases.push(Case::named(&name));
        }
        Self { part, cases }
    }

    fn failures(&self) -> usize {
        self.cases.iter().filter(|case| case.is_failure()).count()
    }
}

impl Case<'_> {
    fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            findings: vec![],
            waived: vec![],
            skipped: None,
        }
    }

    fn is_failure(&self) -> bool {
        !self.findings.is_empty()
    }
}

/// The case of that name, made where it is missing.
fn find<'c, 'a>(cases: &'c mut Vec<Case<'a>>, name: &str) -> &'c mut Case<'a> {
    let at = cases.iter().position(|case| case.name == name);
    let at = at.unwrap_or_else(|| {
        cases.push(Case::named(name));
        cases.len() - 1
    });
    &mut cases[at]
}

/// What it was found at: a migration, else an object, else what it is called.
fn subject(finding: &Finding) -> &str {
    let named = finding.migration.as_deref().or(finding.object.as_deref());
    named.unwrap_or(finding.code.title())
}

/// XML on its way to memory, where writing can't fail.
struct Paper(Writer<Vec<u8>>);

impl Paper {
    fn suite(&mut self, suite: &Suite<'_>) {
        let milliseconds = suite.part.duration_ms;
        let skipped = suite.cases.iter().filter(|case| case.skipped.is_some());
        self.begin(
            "testsuite",
            &[
                ("name", suite.part.part.name()),
                ("tests", &suite.cases.len().to_string()),
                ("failures", &suite.failures().to_string()),
                ("errors", "0"),
                ("skipped", &skipped.count().to_string()),
                (
                    "time",
                    &format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000),
                ),
            ],
        );
        for case in &suite.cases {
            self.case(suite.part.part, case);
        }
        self.end("testsuite");
    }

    fn case(&mut self, part: Part, case: &Case<'_>) {
        let class = format!("tubex.check.{}", part.name());
        self.begin("testcase", &[("name", &case.name), ("classname", &class)]);
        for finding in &case.findings {
            let kind = ("type", finding.code.name());
            self.begin("failure", &[kind, ("message", &finding.message)]);
            self.words(&told(finding));
            self.end("failure");
        }
        if let Some(why) = case.skipped {
            self.begin("skipped", &[("message", why)]);
            self.end("skipped");
        }
        for waived in &case.waived {
            self.begin("system-out", &[]);
            let code = waived.finding.code.name();
            let seen = told(&waived.finding);
            self.words(&format!("waived {code}: {}\n{seen}", waived.reason));
            self.end("system-out");
        }
        self.end("testcase");
    }

    fn begin(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let mut tag = BytesStart::new(name);
        for (name, value) in attributes {
            tag.push_attribute((*name, allowed(value).as_str()));
        }
        self.put(Event::Start(tag));
    }

    fn words(&mut self, text: &str) {
        self.put(Event::Text(BytesText::new(&allowed(text))));
    }

    fn end(&mut self, name: &str) {
        self.put(Event::End(BytesEnd::new(name)));
    }

    fn put(&mut self, event: Event<'_>) {
        self.0.write_event(event).expect("memory takes all");
    }

    fn text(self) -> String {
        String::from_utf8(self.0.into_inner()).expect("it was made of text") + "\n"
    }
}

fn told(finding: &Finding) -> String {
    let facts = [
        ("seen", Some(finding.message.clone())),
        ("object", finding.object.clone()),
        ("statement", finding.statement.clone()),
        ("written", place(finding)),
        ("tenants", tenants(finding)),
        ("instead", Some(finding.code.remedy().to_owned())),
        (
            "more",
            Some(format!("tubex explain {}", finding.code.name())),
        ),
    ];
    let lines = facts
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}: {}", value?)));
    lines.collect::<Vec<_>>().join("\n")
}

/// XML 1.0 can't hold most control characters, not even escaped.
fn allowed(text: &str) -> String {
    let is_forbidden = |c: char| match c {
        '\t' | '\n' | '\r' => false,
        '\u{fffe}' | '\u{ffff}' => true,
        c => c < ' ',
    };
    text.replace(is_forbidden, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use quick_xml::Reader;

    use super::super::sample;
    use super::*;

    #[test]
    fn each_part_is_a_suite_and_each_migration_a_case_of_it() {
        let text = render(&sample::report());

        for piece in [
            r#"<testsuites name="tubex check" tests="9" failures="4" errors="0">"#,
            r#"<testsuite name="lint" tests="3" failures="3" errors="0" skipped="0" time="1.250">"#,
            r#"<testsuite name="kind" tests="2" failures="0" errors="0" skipped="0" time="1.250">"#,
            r#"<testcase name="w0010_colour_idx" classname="tubex.check.kind">"#,
            r#"<testcase name="entities match their tables (7 things)""#,
            r#"<skipped message="no fleet">"#,
        ] {
            assert!(text.contains(piece), "{piece} is not in {text}");
        }
        assert_eq!(text.matches("<failure ").count(), 6);
    }

    #[test]
    fn nothing_is_lost_with_a_part_that_nobody_asked_for() {
        let mut report = sample::report();
        report.parts.clear();

        let text = render(&report);

        assert_eq!(text.matches("<failure ").count(), report.findings.len());
        assert_eq!(text.matches("<system-out>").count(), report.waived.len());
    }

    #[test]
    fn odd_words_are_read_back_as_they_were() {
        let text = render(&sample::report());

        let mut reader = Reader::from_str(&text);
        let mut seen = Vec::new();
        loop {
            match reader.read_event().expect("it is well-formed") {
                Event::Eof => break,
                Event::Start(tag) if tag.name().as_ref() == b"failure" => {
                    let message = tag.try_get_attribute("message").unwrap().unwrap();
                    let message =
                        quick_xml::escape::unescape(std::str::from_utf8(&message.value).unwrap());
                    seen.push(message.unwrap().into_owned());
                }
                _ => {}
            }
        }
        assert!(seen.contains(&allowed(sample::ODD)), "{seen:?}");
        assert!(!text.contains('\u{1}'));
    }
}
