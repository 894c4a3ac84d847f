//! Statements that a build could do.

use super::super::probes;
use super::Bench;

const TABLES: &str = "
    CREATE TABLE unit (code text PRIMARY KEY CHECK (code ~ '^[a-z]{3}$'));
    CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        sku text NOT NULL UNIQUE, unit text NOT NULL REFERENCES unit (code),
        note text, state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'old')),
        amount integer, currency text, CHECK (num_nulls(amount, currency) IN (0, 2)))";

#[tokio::test]
async fn a_probe_gives_as_little_or_as_much_as_it_can_and_can_be_repeated() {
    let bench = Bench::new(TABLES).await;
    bench.fill_all(10).await;

    let made = probes(&bench.tx, &bench.schema, 7).await.unwrap();
    assert_eq!(bench.count("t").await, 10);

    let of_t: Vec<&str> = made
        .iter()
        .filter(|probe| probe.table == "t")
        .map(|probe| probe.insert.as_str())
        .collect();
    assert_eq!(of_t.len(), 2);
    assert!(
        of_t[0].starts_with(r#"INSERT INTO "t" ("sku", "unit") VALUES"#),
        "{}",
        of_t[0]
    );
    assert!(
        of_t[1].starts_with(
            r#"INSERT INTO "t" ("sku", "unit", "note", "state", "amount", "currency") VALUES"#
        ),
        "{}",
        of_t[1]
    );
    bench.run("ALTER TABLE t ADD COLUMN later text").await;
    bench.fill_all(20).await;
    for probe in &made {
        bench
            .run(&format!("SAVEPOINT s; {}; ROLLBACK TO s", probe.insert))
            .await;
    }
}

#[tokio::test]
async fn a_table_that_takes_no_row_has_no_probe() {
    let bench = Bench::new("CREATE TABLE t (id uuid PRIMARY KEY CHECK (id IS NULL))").await;

    assert_eq!(probes(&bench.tx, &bench.schema, 7).await.unwrap(), []);
}
