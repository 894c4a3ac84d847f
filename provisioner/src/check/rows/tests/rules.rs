//! Rules of columns: lists, bounds, lengths, patterns, and rules about several columns.

use super::Bench;

#[tokio::test]
async fn every_case_of_a_list_is_taken() {
    let bench = Bench::new(
        "CREATE TABLE t (id uuid PRIMARY KEY, status text NOT NULL
            CHECK (status IN ('draft', 'sent', 'it''s')), kind varchar(9) CHECK (kind IN ('a', 'b')))",
    )
    .await;

    bench.fill_all(50).await;

    assert_eq!(bench.count("t").await, 50);
    assert_eq!(bench.count("(SELECT DISTINCT status FROM t) of").await, 3);
    assert!(bench.count("t WHERE kind IS NULL").await > 5);
    assert_eq!(bench.count("(SELECT DISTINCT kind FROM t) of").await, 3);
}

#[tokio::test]
async fn columns_that_rules_bind_together_go_with_each_other() {
    let bench = Bench::new(
        "CREATE TABLE t (id bigint PRIMARY KEY,
            valid_from timestamptz NOT NULL, valid_until timestamptz,
            CHECK (valid_until > valid_from),
            low integer NOT NULL, high integer NOT NULL, CHECK (low <= high AND high < 100),
            amount numeric(18, 6), per numeric(18, 6), unit text, currency text,
            CHECK (currency ~ '^[A-Z]{3}$'), CHECK (per > 0),
            CHECK (num_nulls(amount, per, unit, currency) IN (0, 4)),
            email text NOT NULL UNIQUE, folded text NOT NULL CHECK (folded = lower(email)))",
    )
    .await;

    bench.fill_all(50).await;

    assert_eq!(bench.count("t").await, 50);
    assert!(bench.count("t WHERE valid_until IS NULL").await > 0);
    assert!(bench.count("t WHERE valid_until IS NOT NULL").await > 0);
    assert!(bench.count("t WHERE currency IS NULL").await > 0);
    assert!(bench.count("t WHERE currency IS NOT NULL").await > 0);
}

#[tokio::test]
async fn patterns_and_lengths_are_kept() {
    let bench = Bench::new(
        "CREATE TABLE t (code text PRIMARY KEY CHECK (code ~ '^[a-z0-9][a-z0-9_]{0,31}$'),
            country char(2) NOT NULL UNIQUE, short varchar(3) NOT NULL,
            exact text NOT NULL CHECK (length(exact) = 13),
            hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
            mail text CHECK (position('@' in mail) > 1),
            link text CHECK (link LIKE 'https://%'),
            trimmed text NOT NULL CHECK (trimmed = btrim(trimmed) AND trimmed <> ''))",
    )
    .await;

    bench.fill_all(50).await;

    assert_eq!(bench.count("t").await, 50);
    assert!(bench.count("t WHERE mail IS NOT NULL").await > 5);
    assert!(bench.count("t WHERE link IS NOT NULL").await > 5);
}

#[tokio::test]
async fn numbers_stay_within_their_bounds() {
    let bench = Bench::new(
        "CREATE TABLE t (id smallint PRIMARY KEY,
            cost numeric(5, 2) NOT NULL CHECK (cost > 0),
            share numeric(3, 3) NOT NULL CHECK (share > 0.5),
            decimals smallint NOT NULL CHECK (decimals BETWEEN 0 AND 6),
            balance bigint CHECK (balance < -1000),
            rate float8 NOT NULL CHECK (rate >= 0 AND rate <= 1),
            even integer NOT NULL CHECK (even % 2 = 0))",
    )
    .await;

    bench.fill_all(50).await;

    assert_eq!(bench.count("t").await, 50);
    assert!(bench.count("(SELECT DISTINCT decimals FROM t) of").await > 2);
    assert!(bench.count("t WHERE balance IS NOT NULL").await > 5);
}

#[tokio::test]
async fn domains_and_enums_are_asked_for_what_they_take() {
    let bench = Bench::new(
        "CREATE TYPE mood AS ENUM ('glad', 'so so', 'it''s bad');
         CREATE DOMAIN code AS varchar(8) CHECK (VALUE ~ '^[A-Z]{2}-[0-9]+$');
         CREATE DOMAIN share AS numeric(5, 2) NOT NULL CHECK (VALUE >= 0 AND VALUE <= 100);
         CREATE DOMAIN main_code AS code CHECK (VALUE LIKE 'A%');
         CREATE TABLE t (id uuid PRIMARY KEY, mood mood NOT NULL, moods mood[],
            code code NOT NULL UNIQUE, main main_code, share share)",
    )
    .await;

    bench.fill_all(50).await;

    assert_eq!(bench.count("t").await, 50);
    assert_eq!(bench.count("(SELECT DISTINCT mood FROM t) of").await, 3);
    assert!(bench.count("t WHERE moods IS NOT NULL").await > 5);
    assert!(bench.count("t WHERE main IS NOT NULL").await > 0);
}

#[tokio::test]
async fn a_rule_that_nothing_satisfies_is_a_reason() {
    let bench = Bench::new(
        "CREATE TABLE never (id uuid PRIMARY KEY, a integer NOT NULL CHECK (a > 1 AND a < 1));
         CREATE TABLE guarded (id uuid PRIMARY KEY);
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION refuse();
         CREATE TABLE child (id uuid PRIMARY KEY, of uuid NOT NULL REFERENCES never (id))",
    )
    .await;

    let filled = bench.fill(10).await;

    let names: Vec<&str> = filled.empty.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["child", "guarded", "never"]);
    assert!(filled.empty[0].1.contains("child_of_fkey"), "{filled:?}");
    assert!(filled.empty[1].1.contains("not today"), "{filled:?}");
    assert!(filled.empty[2].1.contains("\"a\""), "{filled:?}");
}

#[tokio::test]
async fn a_trigger_that_refuses_some_rows_costs_only_those() {
    let bench = Bench::new(
        "CREATE TABLE t (id integer PRIMARY KEY);
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.id % 10 = 0 THEN RAISE EXCEPTION 'no round numbers'; END IF;
            RETURN NEW; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    .await;

    bench.fill_all(30).await;

    assert_eq!(bench.count("t").await, 30);
}
