//! What of a fleet is not as it should be: grouped by what is wrong, and nobody accused who is not
//! to blame.

mod check;
mod command;
mod plan;
mod yard;

use provisioner::{Depth, Examined, Orphan, SchemaName};
use serde_json::{Value, json};

use crate::scratch::{self, Scratch};
use crate::toy::{Toy, tenant};
use yard::Yard;

/// Makes tenants `shop-0`, `shop-1` and so on, and returns their schemas.
async fn shops(scratch: &Scratch, toy: Toy, count: usize) -> Vec<String> {
    let provisioner = scratch.provisioner(toy);
    let mut schemas = vec![];
    for number in 0..count {
        let made = provisioner.create(tenant(&format!("shop-{number}"))).await;
        schemas.push(made.unwrap().tenant.schema_name);
    }
    schemas
}

async fn examine(scratch: &Scratch, toy: Toy) -> Examined {
    let provisioner = scratch.provisioner_with_nodes(toy);
    provisioner.examine(Depth::Structure).await.unwrap()
}

/// A name like a tenant's that no tenant has.
fn stray() -> String {
    SchemaName::generate().unwrap().to_string()
}

fn names(orphans: &[Orphan]) -> Vec<&str> {
    orphans.iter().map(|one| one.name.as_str()).collect()
}

#[tokio::test]
async fn those_who_differ_alike_are_one_group_whose_objects_are_named() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, Toy::grown(5), 5).await;
        for schema in &schemas[..3] {
            scratch
                .run(&format!(
                    "ALTER TABLE {schema}.widget ADD COLUMN mine text;
                     DROP INDEX {schema}.widget_colour_idx;
                     ALTER TABLE {schema}.widget ALTER COLUMN name DROP NOT NULL"
                ))
                .await;
        }
        // The same structure, written down with other numbers in the catalogues.
        let schema = &schemas[2];
        scratch
            .run(&format!(
                "ALTER TABLE {schema}.widget DROP COLUMN mine;
                 ALTER TABLE {schema}.widget ADD COLUMN mine text"
            ))
            .await;
        scratch
            .run(&format!("DROP INDEX {}.widget_colour_idx", schemas[4]))
            .await;

        let examined = examine(&scratch, Toy::grown(5)).await;

        let groups = examined.groups();
        assert_eq!(groups.len(), 2, "{groups:#?}");
        let slugs: Vec<_> = groups[0]
            .tenants
            .iter()
            .map(|one| one.slug.as_str())
            .collect();
        assert_eq!(slugs.len(), 3);
        assert!(
            ["shop-0", "shop-1", "shop-2"]
                .iter()
                .all(|one| slugs.contains(one))
        );
        assert_eq!(
            groups[0].difference.words(),
            [
                "widget: column `mine` text is extra; index `widget_colour_idx` is missing; \
              column `name`: is text, should be text NOT NULL"
            ]
        );
        let told = groups[0].to_json();
        assert_eq!(
            (&told["count"], &told["version"]),
            (&json!(3), &json!("w0005_colour_idx"))
        );
        assert_eq!(
            told["difference"]["changed"],
            json!({"count": 1, "objects": ["column widget.name"], "definitions":
                {"column widget.name": {"is": "text", "should": "text NOT NULL"}}})
        );
        assert_eq!(examined.looked_at, 5);
        let kept: Vec<Value> = scratch
            .column("SELECT drift FROM platform.tenant_vitals WHERE drift IS NOT NULL")
            .await;
        assert_eq!(kept.len(), 4);
        assert!(kept.contains(&told["difference"]), "{kept:?}");
    })
    .await;
}

#[tokio::test]
async fn a_right_and_a_default_are_not_taken_for_each_other() {
    scratch::ready(|scratch| async move {
        let yards = scratch.provisioner_of(Yard::of(1));
        let schema = yards
            .create(tenant("yard"))
            .await
            .unwrap()
            .tenant
            .schema_name;
        scratch
            .run(&format!("GRANT UPDATE (note) ON {schema}.plot TO PUBLIC"))
            .await;

        let examined = yards.examine(Depth::Structure).await.unwrap();

        assert_eq!(
            examined.groups()[0].difference.words(),
            ["plot: column `note`: everybody may UPDATE, should be: nobody else may anything"]
        );
    })
    .await;
}

#[tokio::test]
async fn views_functions_policies_and_sequences_are_looked_at() {
    scratch::ready(|scratch| async move {
        let yards = scratch.provisioner_of(Yard::of(1));
        for (slug, damage) in [
            (
                "view",
                "CREATE OR REPLACE VIEW tall_tree AS SELECT id, plot_id FROM tree",
            ),
            (
                "function",
                "ALTER FUNCTION doubled(bigint) SECURITY DEFINER",
            ),
            ("policy", "CREATE POLICY mine ON tree USING (true)"),
            ("sequence", "ALTER SEQUENCE ticket INCREMENT 2"),
            (
                "rule",
                "CREATE RULE mine AS ON DELETE TO plot DO INSTEAD NOTHING",
            ),
            (
                "right",
                "REVOKE EXECUTE ON FUNCTION doubled(bigint) FROM PUBLIC",
            ),
        ] {
            let made = yards.create(tenant(slug)).await.unwrap().tenant;
            plan::do_to(&scratch, &made.schema_name, damage).await;
        }

        let examined = yards.examine(Depth::Structure).await.unwrap();

        let mut seen: Vec<_> = examined
            .drifted
            .iter()
            .map(|one| one.slug.as_str())
            .collect();
        seen.sort_unstable();
        assert_eq!(
            seen,
            ["function", "policy", "right", "rule", "sequence", "view"]
        );
    })
    .await;
}

#[tokio::test]
async fn an_invalid_index_is_named_with_all_who_have_it() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, Toy::grown(5), 3).await;
        for schema in &schemas[1..] {
            scratch
                .run(&format!(
                    "UPDATE pg_index SET indisvalid = false
                     WHERE indexrelid = '{schema}.widget_colour_idx'::regclass"
                ))
                .await;
        }

        let examined = examine(&scratch, Toy::grown(5)).await;

        assert_eq!(examined.invalid_indexes.len(), 1);
        let index = &examined.invalid_indexes[0];
        assert_eq!(
            (&*index.name, &*index.table),
            ("widget_colour_idx", "widget")
        );
        let slugs: Vec<_> = index
            .tenants
            .iter()
            .map(|(slug, _)| slug.as_str())
            .collect();
        assert_eq!(slugs, ["shop-1", "shop-2"]);
        assert!(!examined.is_well());
    })
    .await;
}

#[tokio::test]
async fn a_schema_and_a_role_of_nobody_are_found_and_say_what_they_are() {
    scratch::ready(|scratch| async move {
        shops(&scratch, Toy::first(), 2).await;
        let (alone, left) = (stray(), stray());
        scratch
            .run(&format!(
                "CREATE ROLE {alone} NOLOGIN; CREATE SCHEMA {alone};
                 GRANT USAGE ON SCHEMA {alone} TO {alone};
                 CREATE SCHEMA {left}; COMMENT ON SCHEMA {left} IS 'tubex rehearsal of shop-1'"
            ))
            .await;

        let examined = examine(&scratch, Toy::first()).await;
        let plan = examined.fix_plan();
        scratch
            .run(&format!(
                "DROP SCHEMA {alone}; DROP ROLE {alone}; DROP SCHEMA {left}"
            ))
            .await;
        let after = examine(&scratch, Toy::first()).await;

        let mut found = names(&examined.orphan_schemas);
        found.sort_unstable();
        let mut both = [alone.as_str(), &left];
        both.sort_unstable();
        assert_eq!(found, both);
        assert_eq!(names(&examined.orphan_roles), [&alone]);
        let says = examined.orphan_schemas.iter().find(|one| one.name == left);
        assert_eq!(
            says.unwrap().says.as_deref(),
            Some("tubex rehearsal of shop-1")
        );
        let drop = format!("-- destroys data: DROP SCHEMA \"{alone}\" CASCADE;");
        assert!(plan.contains(&drop), "{plan}");
        assert!(after.is_well(), "{after:#?}");
    })
    .await;
}

#[tokio::test]
async fn a_role_of_another_database_is_not_accused() {
    scratch::ready(|scratch| async move {
        shops(&scratch, Toy::first(), 1).await;
        let other = scratch.other_database().await;
        let (theirs, nobodys) = (stray(), stray());
        let made = format!(
            "CREATE ROLE {theirs} NOLOGIN; CREATE SCHEMA {theirs};
             GRANT USAGE ON SCHEMA {theirs} TO {theirs}; CREATE ROLE {nobodys} NOLOGIN"
        );
        sea_orm::ConnectionTrait::execute_unprepared(&other.db, &made)
            .await
            .unwrap();

        let examined = examine(&scratch, Toy::first()).await;
        let gone =
            format!("DROP OWNED BY {theirs}; DROP SCHEMA {theirs}; DROP ROLE {theirs}, {nobodys}");
        sea_orm::ConnectionTrait::execute_unprepared(&other.db, &gone)
            .await
            .unwrap();

        assert!(examined.is_well(), "{examined:#?}");
        let uncertain = names(&examined.uncertain_roles);
        assert!(uncertain.contains(&nobodys.as_str()), "{uncertain:?}");
        assert!(!uncertain.contains(&theirs.as_str()), "{uncertain:?}");
    })
    .await;
}

#[tokio::test]
async fn an_entry_without_a_schema_is_named() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, Toy::first(), 2).await;
        scratch
            .run(&format!("DROP SCHEMA {} CASCADE", schemas[1]))
            .await;

        let examined = examine(&scratch, Toy::first()).await;

        assert_eq!(examined.schema_missing.len(), 1);
        assert_eq!(examined.schema_missing[0].slug, "shop-1");
        assert!(examined.drifted.is_empty());
        assert!(
            examined
                .fix_plan()
                .contains("by hand: shop-1 has no schema")
        );
        let drifted = examined.is_well();
        assert!(!drifted);
        let kept = "SELECT FROM platform.tenant_vitals WHERE drift IS NOT NULL";
        assert_eq!(scratch.count(kept).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_tenant_ahead_of_this_build_is_not_judged() {
    scratch::ready(|scratch| async move {
        shops(&scratch, Toy::grown(3), 1).await;
        let old = scratch.provisioner(Toy::first());
        old.create(tenant("behind")).await.unwrap();

        let examined = examine(&scratch, Toy::first()).await;

        assert_eq!(examined.ahead.len(), 1);
        assert_eq!(examined.ahead[0].slug, "shop-0");
        assert_eq!(examined.ahead[0].version, "w0003_colour");
        assert!(examined.drifted.is_empty());
        assert!(!examined.is_well());
    })
    .await;
}

#[tokio::test]
async fn nodes_are_looked_at_together_and_mended_apart() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let here = shops(&scratch, Toy::first(), 1).await.remove(0);
        let provisioner = scratch.provisioner_with_nodes(Toy::first());
        let at = provisioner::Placement {
            node: Some(provisioner::Label::parse("n2").unwrap()),
            ..provisioner::Placement::default()
        };
        let there = provisioner
            .create_at(tenant("far"), at)
            .await
            .unwrap()
            .tenant;
        let damage = |schema: &str| format!("ALTER TABLE {schema}.widget ADD COLUMN mine text");
        scratch.run(&damage(&here)).await;
        sea_orm::ConnectionTrait::execute_unprepared(&other.db, &damage(&there.schema_name))
            .await
            .unwrap();

        let examined = examine(&scratch, Toy::first()).await;
        let plan = examined.fix_plan();

        let groups = examined.groups();
        assert_eq!(groups.len(), 1);
        assert_eq!(groups[0].tenants.len(), 2);
        assert!(examined.orphan_schemas.is_empty() && examined.orphan_roles.is_empty());
        let (own, others) = plan.split_once("\\connect -reuse-previous=on ").unwrap();
        assert!(
            own.contains(&here) && !own.contains(&there.schema_name),
            "{plan}"
        );
        assert!(
            others.contains(&other.name) && others.contains(&there.schema_name),
            "{plan}"
        );
    })
    .await;
}
