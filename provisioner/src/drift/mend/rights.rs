//! Rights: given and taken one by one, until they are as they should be.

use std::collections::BTreeSet;

use super::{Line, Mending, Work, own, quoted, table};
use crate::fingerprint::{Facts, OWN, ObjectKind, ObjectName, Rights};

pub(super) fn bind(work: &Work<'_>, to: &mut Mending) {
    for one in &work.missing {
        if let Some(what) = what(&one.name, &one.facts) {
            // The sequence of an identity is there when its column has become one.
            let to = match one.facts.says("of_identity") {
                true => &mut to.prove,
                false => &mut to.bind,
            };
            // Default rights may have given more than was asked for.
            what.take_all(to);
            what.change(&Rights::new(), &one.facts.rights(), to);
        }
    }
    for one in &work.changed {
        if let Some(what) = what(one.name, one.should) {
            what.change(&one.is.rights(), &one.should.rights(), &mut to.bind);
        }
    }
    for one in work.extra(ObjectKind::DefaultRights) {
        if let Some(what) = what(&one.name, &one.facts) {
            what.change(&one.facts.rights(), &Rights::new(), &mut to.bind);
        }
    }
}

/// What rights are given on.
struct What {
    /// `ALTER DEFAULT PRIVILEGES IN SCHEMA …`, or nothing.
    before: String,
    /// The column, in brackets.
    column: String,
    /// `ON TABLE …`
    on: String,
}

fn what(name: &ObjectName, facts: &Facts) -> Option<What> {
    let plain = |on: String| What {
        before: String::new(),
        column: String::new(),
        on,
    };
    Some(match name.kind {
        ObjectKind::Column => What {
            column: format!(" ({})", quoted(&name.name)),
            ..plain(format!("TABLE {}", table(name)))
        },
        ObjectKind::Function => {
            let word = facts.text("routine").unwrap_or("FUNCTION");
            plain(format!("{word} {}", name.name))
        }
        ObjectKind::Sequence => plain(format!("SEQUENCE {}", own(&name.name))),
        ObjectKind::Schema => plain(format!("SCHEMA {OWN}")),
        ObjectKind::DefaultRights if !name.name.contains(' ') => What {
            before: format!("ALTER DEFAULT PRIVILEGES IN SCHEMA {OWN} "),
            ..plain(name.name.clone())
        },
        ObjectKind::Table
        | ObjectKind::PartitionedTable
        | ObjectKind::View
        | ObjectKind::MaterializedView => plain(format!("TABLE {}", own(&name.name))),
        _ => return None,
    })
}

impl What {
    fn take_all(&self, to: &mut Vec<Line>) {
        if self.before.is_empty() && self.column.is_empty() {
            let sql = format!("REVOKE ALL ON {} FROM PUBLIC, {OWN}", self.on);
            to.push(Line::Sql(sql));
        }
    }

    fn change(&self, is: &Rights, should: &Rights, to: &mut Vec<Line>) {
        let everybody: BTreeSet<_> = is.keys().chain(should.keys()).collect();
        for who in everybody {
            let (mut is, mut should) = (set(is.get(who)), set(should.get(who)));
            let grantee = match who.as_str() {
                // What the owner lacks is the opposite of what it has.
                "owner lacks" => {
                    std::mem::swap(&mut is, &mut should);
                    "CURRENT_USER".to_owned()
                }
                "public" => "PUBLIC".to_owned(),
                role => match role.strip_prefix("role ").unwrap_or(role) {
                    own if own.starts_with(OWN) => own.to_owned(),
                    other => quoted(other),
                },
            };
            for right in is.difference(&should) {
                let sql = match right.strip_suffix('*') {
                    Some(right) if should.contains(right) => self.say(
                        &format!("REVOKE GRANT OPTION FOR {right}"),
                        &format!("FROM {grantee}"),
                    ),
                    Some(right) => self.say(&format!("REVOKE {right}"), &format!("FROM {grantee}")),
                    None if should.contains(format!("{right}*").as_str()) => continue,
                    None => self.say(&format!("REVOKE {right}"), &format!("FROM {grantee}")),
                };
                to.push(Line::Sql(sql));
            }
            for right in should.difference(&is) {
                let sql = match right.strip_suffix('*') {
                    Some(right) => self.say(
                        &format!("GRANT {right}"),
                        &format!("TO {grantee} WITH GRANT OPTION"),
                    ),
                    None if is.contains(format!("{right}*").as_str()) => continue,
                    None => self.say(&format!("GRANT {right}"), &format!("TO {grantee}")),
                };
                to.push(Line::Sql(sql));
            }
        }
    }

    fn say(&self, right: &str, whom: &str) -> String {
        let Self { before, column, on } = self;
        format!("{before}{right}{column} ON {on} {whom}")
    }
}

fn set(rights: Option<&Vec<String>>) -> BTreeSet<&str> {
    rights.into_iter().flatten().map(String::as_str).collect()
}
