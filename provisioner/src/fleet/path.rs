//! The way from one version to another, in pieces that can each be cut anywhere: what goes into
//! one message, and what cannot be part of a transaction.

use super::RunError;
use super::course::{Course, Step};
use crate::{Kind, SchemaName, Way};

/// One class of advisory locks for all schemas, so that two who are at one schema queue up.
const SCHEMA_LOCK: i32 = 0x7ab3;

/// Whether anybody uses the schemas that are to be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Traffic {
    /// Everything happens beside requests.
    Live,
    /// Nobody does: all can be done at once, in the plain form.
    None,
}

/// From one version to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) segments: Vec<Segment>,
}

/// A piece of the way; a tenant stands at `to` when it is over, and never within.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) to: String,
    pub(crate) work: Work,
    /// Changes the schema's own history.
    pub(crate) ledger: Vec<String>,
}

/// What is done in a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Statements for one message and one transaction, the history's among them.
    Message(Vec<String>),
    /// An index built beside traffic.
    Index { name: String, statement: String },
    /// Rows changed batch by batch.
    Fill { statement: String },
}

impl Path {
    /// Forwards, to a later version.
    pub(crate) fn forth(
        course: &Course,
        from: &str,
        to: &str,
        traffic: Traffic,
    ) -> Result<Self, RunError> {
        let (first, last) = (place(course, from)? + 1, place(course, to)?);
        let mut segments: Vec<Segment> = vec![];
        for step in course.steps.get(first..=last).unwrap_or_default() {
            let way = match traffic {
                Traffic::Live => &step.declared.way,
                Traffic::None => &Way::Transaction,
            };
            let line = line_of(course, step);
            let work = match way {
                Way::Transaction => {
                    let statements = replayable(step)?;
                    // Its lock stops nobody; those of what goes before, held until it is done, would.
                    let is_apart = traffic == Traffic::Live && proves_rows(&statements);
                    if let Some(Segment {
                        to,
                        work: Work::Message(message),
                        ledger,
                    }) = segments.last_mut()
                        && !is_apart
                    {
                        message.extend(statements);
                        ledger.push(line);
                        step.name.clone_into(to);
                        continue;
                    }
                    Work::Message(statements)
                }
                Way::Index { name, statement } => Work::Index {
                    name: name.clone(),
                    statement: statement.clone(),
                },
                Way::Fill { statement } => Work::Fill {
                    statement: statement.clone(),
                },
            };
            segments.push(Segment {
                to: step.name.clone(),
                work,
                ledger: vec![line],
            });
        }
        Ok(Self { segments })
    }

    /// Backwards, to an earlier version, in one message.
    pub(crate) fn back(course: &Course, from: &str, to: &str) -> Result<Self, RunError> {
        let (last, first) = (place(course, from)?, place(course, to)? + 1);
        let mut statements = vec![];
        let mut ledger = vec![];
        for step in course
            .steps
            .get(first..=last)
            .unwrap_or_default()
            .iter()
            .rev()
        {
            let one_way = |reason: String| RunError::OneWay {
                migration: step.name.clone(),
                reason,
            };
            if let Kind::Contract { .. } = step.declared.kind {
                return Err(one_way("it is a contract".to_owned()));
            }
            let down = step
                .down
                .as_ref()
                .map_err(|reason| one_way(reason.clone()))?;
            if let Some(question) = &down.question {
                return Err(one_way(format!("its way back asks {question:?}")));
            }
            statements.extend(down.statements.iter().cloned());
            ledger.push(format!(
                "DELETE FROM {} WHERE version = {}",
                quoted(&course.ledger, '"'),
                quoted(&step.name, '\'')
            ));
        }
        let segment = Segment {
            to: to.to_owned(),
            work: Work::Message(statements),
            ledger,
        };
        Ok(Self {
            segments: vec![segment],
        })
    }
}

impl Segment {
    /// The text that takes these schemas through this piece, within a transaction.
    pub(crate) fn message(&self, schemas: &[SchemaName]) -> String {
        let statements: &[String] = match &self.work {
            Work::Message(statements) => statements,
            Work::Index { .. } | Work::Fill { .. } => &[],
        };
        let mut text = String::new();
        for schema in schemas {
            text.push_str(&format!(
                "SELECT pg_advisory_xact_lock({SCHEMA_LOCK}, hashtext('{schema}'));\n\
                 SET LOCAL search_path = {schema}, shared, pg_temp;\n"
            ));
            for statement in statements.iter().chain(&self.ledger) {
                text.push_str(statement.trim_end().trim_end_matches(';'));
                text.push_str(";\n");
            }
        }
        text
    }
}

/// Whether statements read whole tables to prove a rule that was added NOT VALID.
fn proves_rows(statements: &[String]) -> bool {
    let says = |statement: &String| {
        let words: Vec<String> = statement
            .split_whitespace()
            .map(str::to_ascii_lowercase)
            .collect();
        words
            .windows(2)
            .any(|pair| pair == ["validate", "constraint"])
    };
    statements.iter().any(says)
}

fn replayable(step: &Step) -> Result<Vec<String>, RunError> {
    match &step.up.question {
        Some(question) => Err(RunError::DependsOnRows {
            migration: step.name.clone(),
            question: question.clone(),
        }),
        None => Ok(step.up.statements.clone()),
    }
}

fn place(course: &Course, version: &str) -> Result<usize, RunError> {
    course
        .position(version)
        .ok_or_else(|| RunError::UnknownVersion(version.to_owned()))
}

fn line_of(course: &Course, step: &Step) -> String {
    format!(
        "INSERT INTO {} (version, applied_at) VALUES ({}, extract(epoch FROM now())::bigint)",
        quoted(&course.ledger, '"'),
        quoted(&step.name, '\'')
    )
}

/// A name or a text, in quotes.
fn quoted(text: &str, quote: char) -> String {
    let doubled = text.replace(quote, &format!("{quote}{quote}"));
    format!("{quote}{doubled}{quote}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::recorder::Recording;
    use crate::{Declared, Kind};

    fn step(name: &str, statement: &str) -> Step {
        Step {
            name: name.to_owned(),
            declared: Declared::new(Kind::Expand, Way::Transaction),
            up: Recording {
                statements: vec![statement.to_owned()],
                question: None,
            },
            down: Err("nobody has looked".to_owned()),
            reference: None,
        }
    }

    #[test]
    fn a_rule_is_proven_in_a_transaction_that_holds_no_stronger_lock() {
        let course = Course {
            steps: vec![
                step("m1", "CREATE TABLE a ()"),
                step("m2", "ALTER TABLE a ADD CHECK (true) NOT VALID"),
                step("m3", "ALTER TABLE a\n VALIDATE CONSTRAINT a_check"),
                step("m4", "CREATE TABLE b ()"),
            ],
            ledger: "history".to_owned(),
        };
        let ends = |traffic| {
            let path = Path::forth(&course, "m1", "m4", traffic).unwrap();
            let ends = path.segments.iter().map(|segment| segment.to.clone());
            ends.collect::<Vec<_>>()
        };

        assert_eq!(ends(Traffic::Live), ["m2", "m4"]);
        assert_eq!(ends(Traffic::None), ["m4"], "nobody waits for a spare");
    }
}
