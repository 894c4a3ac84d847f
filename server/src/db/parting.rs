//! What a transaction says last, in one message with its commit.

use std::sync::{Mutex, PoisonError};

use sea_orm::{DbBackend, DbErr, Statement, Value};

use super::failure::unstorable;
use crate::kernel::holds_nul;

/// Statements that were put down for the commit, one after the other, each with its end.
///
/// One message of several statements is a plain query, and takes no values beside its text: they are
/// written into it by SeaORM, whose literals know nothing of the session's settings.
#[derive(Default)]
pub(super) struct Parting(Mutex<String>);

impl Parting {
    /// Puts one down.
    ///
    /// No text in the database can hold a NUL. Within the message it would end it, and escaped it
    /// would be taken for the beginning of another character.
    pub(super) fn put(&self, sql: &'static str, values: Vec<Value>) -> Result<(), DbErr> {
        if values.iter().any(has_nul) {
            return Err(unstorable());
        }
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(&statement.to_string());
        text.push_str("; ");
        Ok(())
    }

    /// All of them, and the commit. The tag says whose they are.
    pub(super) fn with_commit(&mut self, tag: &str) -> String {
        let text = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        match text.is_empty() {
            true => "COMMIT".to_owned(),
            false => format!("{tag}{text}COMMIT"),
        }
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(Some(text)) => text.contains('\0'),
        Value::Char(Some(character)) => *character == '\0',
        Value::Json(Some(json)) => holds_nul(json),
        Value::Array(_, Some(all)) => all.iter().any(has_nul),
        // Numbers, times, ids and bytes: none of them is written as a text of ours.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn several_keep_their_order_before_the_commit() {
        let mut parting = Parting::default();
        assert_eq!(parting.with_commit("/*t_1*/ "), "COMMIT");

        parting.put("SELECT f($1)", vec![1.into()]).unwrap();
        parting.put("SELECT g($1)", vec!["x".into()]).unwrap();

        let expected = "/*t_1*/ SELECT f(1); SELECT g('x'); COMMIT";
        assert_eq!(parting.with_commit("/*t_1*/ "), expected);
    }

    #[test]
    fn values_are_not_looked_at_for_places_of_other_values() {
        let mut parting = Parting::default();

        let values = vec!["$2 ? $1".into(), "; COMMIT -- ' \\".into()];
        parting.put("SELECT f($1, $2)", values).unwrap();

        let expected = r"SELECT f('$2 ? $1', E'; COMMIT -- \' \\'); COMMIT";
        assert_eq!(parting.with_commit(""), expected);
    }

    #[test]
    fn what_no_text_can_hold_is_refused_wherever_it_is() {
        let mut parting = Parting::default();

        for value in [
            Value::from("a\x0041"),
            Value::from('\0'),
            json!({"deep": [["\0"]]}).into(),
            json!({"a\0": 1}).into(),
            vec!["x".to_owned(), "\0".to_owned()].into(),
        ] {
            let put = parting.put("SELECT f($1)", vec![value.clone()]);
            assert!(put.is_err(), "{value:?}");
        }

        assert_eq!(parting.with_commit(""), "COMMIT");
    }
}
