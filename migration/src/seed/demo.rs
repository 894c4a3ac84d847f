//! The demonstration catalogue: written for this project, embedded in the binary.

use std::collections::HashMap;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseTransaction, sea_query::ArrayType};
use uuid::Uuid;

use super::execute;

/// Columns: `sku,name,description,group,unit,price,price_per,barcode,status`.
const CATALOGUE: &str = include_str!("../demo/catalogue.csv");

/// Loads the whole catalogue, priced in `currency`, with three statements.
pub(super) async fn insert(tx: &DatabaseTransaction, currency: &str) -> Result<(), DbErr> {
    let mut groups = Groups::default();
    let mut items = Items::default();
    let mut reader = csv::Reader::from_reader(CATALOGUE.as_bytes());
    for record in reader.records() {
        let record = record.map_err(|error| DbErr::Custom(format!("demo catalogue: {error}")))?;
        let cell = |index: usize| record.get(index).unwrap_or_default().to_owned();
        let group = groups.id_of(&cell(3));
        items.push(group, cell);
    }
    groups.insert(tx).await?;
    items.insert(tx, currency).await
}

/// Groups in the order in which they were met, so that a parent stands before its children.
#[derive(Default)]
struct Groups {
    by_path: HashMap<String, Uuid>,
    ids: Vec<Value>,
    parents: Vec<Value>,
    names: Vec<Value>,
}

impl Groups {
    fn id_of(&mut self, path: &str) -> Uuid {
        if let Some(id) = self.by_path.get(path) {
            return *id;
        }
        let (parent, name) = match path.rsplit_once(" > ") {
            Some((parent, name)) => (Some(self.id_of(parent)), name),
            None => (None, path),
        };
        let id = Uuid::now_v7();
        self.ids.push(id.into());
        // An array holds no nulls on its way to the database, so a root says it in words.
        self.parents
            .push(parent.map_or_else(String::new, |id| id.to_string()).into());
        self.names.push(name.into());
        self.by_path.insert(path.to_owned(), id);
        id
    }

    async fn insert(self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        execute(
            tx,
            "INSERT INTO item_group (id, parent_id, name)
             SELECT id, nullif(parent, '')::uuid, name
             FROM unnest($1::uuid[], $2::text[], $3::text[]) AS new (id, parent, name)",
            [
                array(ArrayType::Uuid, self.ids),
                array(ArrayType::String, self.parents),
                array(ArrayType::String, self.names),
            ],
        )
        .await
    }
}

/// The columns of the items, one array each.
#[derive(Default)]
struct Items {
    ids: Vec<Value>,
    groups: Vec<Value>,
    cells: [Vec<Value>; 8],
}

impl Items {
    fn push(&mut self, group: Uuid, cell: impl Fn(usize) -> String) {
        self.ids.push(Uuid::now_v7().into());
        self.groups.push(group.into());
        for (column, index) in self.cells.iter_mut().zip([0, 1, 2, 4, 5, 6, 7, 8]) {
            column.push(cell(index).into());
        }
    }

    async fn insert(self, tx: &DatabaseTransaction, currency: &str) -> Result<(), DbErr> {
        let [sku, name, description, unit, price, per, barcode, status] =
            self.cells.map(|column| array(ArrayType::String, column));
        let ids = array(ArrayType::Uuid, self.ids);
        execute(
            tx,
            "INSERT INTO item (id, group_id, sku, name, description, base_unit, price_amount,
                 price_per, price_unit, currency, status, created_at, updated_at)
             SELECT id, group_id, sku, name, description, unit, price::numeric,
                 per::numeric, unit, $10, status, now(), now()
             FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                 $7::text[], $8::text[], $9::text[])
               AS new (id, group_id, sku, name, description, unit, price, per, status)",
            [
                ids.clone(),
                array(ArrayType::Uuid, self.groups),
                sku,
                name,
                description,
                unit,
                price,
                per,
                status,
                currency.into(),
            ],
        )
        .await?;
        execute(
            tx,
            "INSERT INTO item_barcode (barcode, item_id, position)
             SELECT barcode, id, 0
             FROM unnest($1::uuid[], $2::text[]) AS new (id, barcode) WHERE barcode <> ''",
            [ids, barcode],
        )
        .await
    }
}

fn array(of: ArrayType, values: Vec<Value>) -> Value {
    Value::Array(of, Some(Box::new(values)))
}
