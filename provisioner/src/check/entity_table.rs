//! What an entity believes of its table.

use sea_orm::sea_query::ColumnType;
use sea_orm::{ColumnTrait as _, EntityTrait, Iden, Iterable as _, PrimaryKeyToColumn as _};

/// A table as an entity sees it.
#[derive(Clone, Debug)]
pub struct EntityTable {
    /// The table's name, without a schema.
    pub name: String,
    /// Its columns.
    pub columns: Vec<EntityColumn>,
    /// The columns of its primary key, in their order.
    pub key: Vec<String>,
}

/// A column as an entity sees it.
#[derive(Clone, Debug)]
pub struct EntityColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ColumnType,
    /// Whether it may be empty.
    pub is_nullable: bool,
}

impl EntityTable {
    /// What `E` believes.
    pub fn of<E: EntityTrait + Default>() -> Self {
        let column = |column: E::Column| {
            let definition = column.def();
            EntityColumn {
                name: Iden::to_string(&column),
                kind: definition.get_column_type().clone(),
                is_nullable: definition.is_null(),
            }
        };
        let key = |key: E::PrimaryKey| Iden::to_string(&key.into_column());
        Self {
            name: E::default().table_name().to_owned(),
            columns: E::Column::iter().map(column).collect(),
            key: E::PrimaryKey::iter().map(key).collect(),
        }
    }
}
