//! What is to be told of a row of a price file.

use sea_orm::entity::prelude::*;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_row")]
pub struct Model {
    /// The import.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_id: Uuid,
    /// What became of the row: rejected, superseded, taken with a warning, or its item kept by an undo.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// In the order of the file.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// Physical line, from 1.
    pub line: i64,
    /// The column to blame.
    pub column_name: Option<String>,
    /// What stands there.
    pub value: String,
    /// What is wrong, for programs.
    pub code: String,
    /// How to mend it.
    pub hint: String,
    /// The row as a line of CSV, where it was not taken.
    pub raw: Option<String>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
