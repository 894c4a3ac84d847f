//! Bodies of the catalogue's operations.

use serde_json::{Value, json};

pub(super) fn body_of(operation_id: &str) -> Option<Value> {
    Some(match operation_id {
        "create_item" => json!({"sku": "NEW", "name": "new", "base_unit": "pcs"}),
        "create_item_group" => json!({"name": "new"}),
        "create_unit" => json!({"code": "new", "name": "new", "symbol": "new", "decimals": 0}),
        "change_item" | "change_item_group" | "change_unit" => json!({"name": "new"}),
        _ => return None,
    })
}
