//! Fields that not everybody sees who sees the thing they belong to: for whoever shows things by
//! their JSON, as the audit trail does, without knowing what they are.

use serde_json::Value;

use super::grants::Grants;
use super::permission::{Permission, ReadCosts};

/// The kind of thing, the field, and what it takes to see it.
const GUARDED: &[(&str, &str, &str)] = &[("item", "cost", ReadCosts::NAME)];

/// Takes out of a thing's JSON what these grants don't show.
pub fn withhold(kind: &str, thing: &mut Value, grants: &Grants) {
    let Value::Object(fields) = thing else {
        return;
    };
    for (_, field, permission) in GUARDED.iter().filter(|(of, ..)| *of == kind) {
        if !grants.allow(permission) {
            fields.remove(*field);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::auth::Scope;

    #[test]
    fn a_cost_is_shown_to_those_who_may_see_costs() {
        let item = json!({"sku": "A", "cost": "1.50"});
        let shown_to = |permission: &str| {
            let mut shown = item.clone();
            withhold("item", &mut shown, &Grants::of([(permission, Scope::All)]));
            shown
        };

        assert_eq!(shown_to("price.cost.read"), item);
        assert_eq!(shown_to("item.read"), json!({"sku": "A"}));
    }

    #[test]
    fn a_field_of_that_name_elsewhere_is_another() {
        let mut branch = json!({"cost": "1.50"});

        withhold("branch", &mut branch, &Grants::default());

        assert_eq!(branch, json!({"cost": "1.50"}));
    }
}
