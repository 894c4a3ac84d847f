//! Part of an answer: only the fields that a client asked for.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::PartialSchema;
use utoipa::openapi::{RefOr, Schema};

use super::code::Code;
use super::problem::Problem;

/// The fields that are wanted; all of them where a client doesn't say.
#[derive(Debug, Clone, Default)]
pub struct Fields(Option<Vec<String>>);

impl Fields {
    /// Reads names with commas between. Those of `T`'s description are known, and no others.
    ///
    /// # Errors
    ///
    /// `query-invalid` with the names there are.
    pub fn parse<T: PartialSchema>(wanted: Option<&str>) -> Result<Self, Problem> {
        let Some(wanted) = wanted else {
            return Ok(Self(None));
        };
        let known = names_of::<T>();
        let wanted: Vec<_> = wanted.split(',').map(ToOwned::to_owned).collect();
        match wanted.iter().find(|name| !known.contains(name)) {
            None => Ok(Self(Some(wanted))),
            Some(_) => Err(Problem::new(Code::QueryInvalid)
                .detail(format!("fields may be some of {}", known.join(",")))),
        }
    }

    /// The same and these besides.
    pub fn and(self, names: impl Iterator<Item = &'static str>) -> Self {
        Self(self.0.map(|mut wanted| {
            wanted.extend(names.map(ToOwned::to_owned));
            wanted
        }))
    }

    /// What is told of a row.
    ///
    /// # Errors
    ///
    /// [`Problem::internal`] when it can't be written as JSON.
    pub fn of<T: Serialize>(&self, row: T) -> Result<Told<T>, Problem> {
        let Some(wanted) = &self.0 else {
            return Ok(Told::Whole(row));
        };
        match serde_json::to_value(row).map_err(Problem::internal)? {
            Value::Object(mut fields) => {
                fields.retain(|name, _| wanted.contains(name));
                Ok(Told::Part(fields))
            }
            other => Err(Problem::internal(format!("{other} has no fields"))),
        }
    }
}

/// A row, or what of it was wanted.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Told<T> {
    /// All of it.
    Whole(T),
    /// Some fields.
    Part(Map<String, Value>),
}

fn names_of<T: PartialSchema>() -> Vec<String> {
    match T::schema() {
        RefOr::T(Schema::Object(object)) => object.properties.keys().cloned().collect(),
        RefOr::T(_) | RefOr::Ref(_) => Vec::new(),
    }
}
