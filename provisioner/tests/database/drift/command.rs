//! `tubex drift` as people and programs call it.

use std::process::Output;

use serde_json::{Value, json};

use crate::scratch::{self, Scratch};

fn tubex(scratch: &Scratch, words: &[&str]) -> Output {
    scratch.tubex().args(words).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test]
async fn the_command_names_groups_and_prints_a_plan() {
    scratch::ready(|scratch| async move {
        for slug in ["acme", "brick", "cable"] {
            let made = ["tenant", "create", slug, "--name", slug];
            let mail = ["--owner-email", "owner@example.com"];
            let made = tubex(&scratch, &[&made[..], &mail].concat());
            assert!(made.status.success(), "{made:?}");
        }
        let well = tubex(&scratch, &["drift", "--json"]);
        let schemas: Vec<String> = scratch
            .column("SELECT schema_name FROM platform.tenant WHERE slug <> 'acme' ORDER BY slug")
            .await;
        for schema in &schemas {
            scratch
                .run(&format!(
                    "ALTER TABLE {schema}.member ADD COLUMN colour text"
                ))
                .await;
        }

        let said = tubex(&scratch, &["drift"]);
        let told = tubex(&scratch, &["drift", "--json", "--sizes"]);
        let plan = tubex(&scratch, &["drift", "--fix-plan"]);

        let found: Value = serde_json::from_slice(&well.stdout).unwrap();
        assert_eq!(well.status.code(), Some(0), "{found}");
        assert_eq!(
            (&found["groups"], &found["looked_at"]),
            (&json!([]), &json!(3))
        );
        assert_eq!(said.status.code(), Some(1));
        let said = text(&said);
        for words in [
            "2 tenants at m0",
            "  member: column `colour` text is extra",
            "  tenants: ",
            "3 schemas looked at, 2 drifted, 0 unknown",
        ] {
            assert!(said.contains(words), "{said}");
        }
        let found: Value = serde_json::from_slice(&told.stdout).unwrap();
        assert_eq!(told.status.code(), Some(1));
        let group = &found["groups"][0];
        assert_eq!(group["count"], 2);
        assert_eq!(
            group["difference"]["extra"],
            json!({"count": 1, "objects": ["column member.colour"],
                "definitions": {"column member.colour": {"is": "text"}}})
        );
        assert_eq!(found["drifted"][0]["group"], 0);
        let measured = "SELECT FROM platform.tenant_vitals WHERE size_bytes > 0";
        assert_eq!(scratch.count(measured).await, 3);
        let plan = text(&plan);
        for schema in &schemas {
            let drop = format!(
                "-- destroys data: ALTER TABLE {schema}.\"member\" DROP COLUMN \"colour\";"
            );
            assert!(plan.contains(&drop), "{plan}");
        }
        let still = "SELECT FROM pg_attribute WHERE attname = 'colour' AND NOT attisdropped";
        assert_eq!(scratch.count(still).await, 2);
    })
    .await;
}
