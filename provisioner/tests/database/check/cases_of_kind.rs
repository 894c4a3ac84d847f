//! What migrations take from the build before them, and back-fills: a bad and a good one of each.

use provisioner::{Declared, Kind, Way};

use super::cases::Case;
use super::trial::{contract, expand};

fn fill(batch: &str) -> Declared {
    Declared::new(Kind::Expand, Way::fill(batch))
}

pub(super) const KIND: &[Case] = &[
    Case {
        code: "table-dropped",
        ground: "CREATE TABLE gone1 (id uuid PRIMARY KEY); CREATE TABLE gone2 (id uuid PRIMARY KEY)",
        bad: ("DROP TABLE gone1", expand),
        good: &[("DROP TABLE gone2", contract)],
    },
    Case {
        code: "column-dropped",
        ground: "CREATE TABLE leaving (id uuid PRIMARY KEY, a integer, b text)",
        bad: ("ALTER TABLE leaving DROP COLUMN a", expand),
        good: &[("ALTER TABLE leaving DROP COLUMN b", contract)],
    },
    Case {
        code: "index-dropped",
        ground: "CREATE TABLE sought (id uuid PRIMARY KEY, a integer, b text);
                 CREATE INDEX sought_a ON sought (a); CREATE INDEX sought_b ON sought (b)",
        bad: ("DROP INDEX sought_a", expand),
        good: &[("DROP INDEX sought_b", contract)],
    },
    Case {
        code: "required-column",
        ground: "CREATE TABLE demanding (id uuid PRIMARY KEY)",
        bad: (
            "ALTER TABLE demanding ADD COLUMN a integer NOT NULL DEFAULT 0;
             ALTER TABLE demanding ALTER COLUMN a DROP DEFAULT",
            expand,
        ),
        good: &[(
            "ALTER TABLE demanding ADD COLUMN b integer NOT NULL DEFAULT 0",
            expand,
        )],
    },
    Case {
        code: "not-null-added",
        ground: "CREATE TABLE given (id uuid PRIMARY KEY, a integer CHECK (a IS NOT NULL),
                     b integer CHECK (b IS NOT NULL))",
        bad: ("ALTER TABLE given ALTER COLUMN a SET NOT NULL", expand),
        good: &[("ALTER TABLE given ALTER COLUMN b SET NOT NULL", contract)],
    },
    Case {
        code: "constraint-added",
        ground: "CREATE TABLE ruled (id uuid PRIMARY KEY, a integer)",
        bad: (
            "ALTER TABLE ruled ADD CONSTRAINT ruled_bad CHECK (a > 5) NOT VALID",
            expand,
        ),
        good: &[(
            "ALTER TABLE ruled ADD CONSTRAINT ruled_good CHECK (a > 4) NOT VALID",
            contract,
        )],
    },
    Case {
        code: "default-dropped",
        ground: "CREATE TABLE helped (id uuid PRIMARY KEY, a integer DEFAULT 1, b integer DEFAULT 1)",
        bad: ("ALTER TABLE helped ALTER COLUMN a DROP DEFAULT", expand),
        good: &[("ALTER TABLE helped ALTER COLUMN b SET DEFAULT 2", expand)],
    },
    Case {
        code: "rights-revoked",
        ground: "CREATE TABLE closed (id uuid PRIMARY KEY); CREATE TABLE closing (id uuid PRIMARY KEY)",
        bad: (
            "DO $$ BEGIN EXECUTE format('REVOKE DELETE ON closed FROM %I', current_schema()); END $$",
            expand,
        ),
        good: &[(
            "DO $$ BEGIN EXECUTE format('GRANT TRUNCATE ON closing TO %I', current_schema()); END $$",
            expand,
        )],
    },
    Case {
        code: "reader-breaks",
        ground: "CREATE TABLE behind (id uuid PRIMARY KEY, a integer, b text);
                 CREATE VIEW window_bad AS SELECT id, a FROM behind;
                 CREATE VIEW window_good AS SELECT id, a FROM behind",
        bad: (
            "DROP VIEW window_bad; CREATE VIEW window_bad AS SELECT id, b FROM behind",
            expand,
        ),
        good: &[(
            "CREATE OR REPLACE VIEW window_good AS SELECT id, a, b FROM behind",
            expand,
        )],
    },
    Case {
        code: "writer-breaks",
        ground: "CREATE TABLE guarded (id uuid PRIMARY KEY, a integer);
                 CREATE TABLE watched (id uuid PRIMARY KEY, a integer)",
        bad: (
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
                 AS $$ BEGIN RAISE EXCEPTION 'no more'; END $$;
             CREATE TRIGGER guarded_refuse BEFORE INSERT ON guarded
                 FOR EACH ROW EXECUTE FUNCTION refuse()",
            expand,
        ),
        good: &[(
            "CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql
                 AS $$ BEGIN RETURN NEW; END $$;
             CREATE TRIGGER watched_pass BEFORE INSERT ON watched
                 FOR EACH ROW EXECUTE FUNCTION pass()",
            expand,
        )],
    },
    Case {
        code: "contract-since",
        ground: "CREATE TABLE early (id uuid PRIMARY KEY); CREATE TABLE late (id uuid PRIMARY KEY)",
        bad: ("DROP TABLE early", || {
            Declared::new(Kind::contract("nothing_of_ours"), Way::Transaction)
        }),
        good: &[("DROP TABLE late", contract)],
    },
    Case {
        code: "contract-needless",
        ground: "CREATE TABLE growing (id uuid PRIMARY KEY)",
        bad: ("ALTER TABLE growing ADD COLUMN a integer", contract),
        good: &[("ALTER TABLE growing ADD COLUMN b integer", expand)],
    },
    Case {
        code: "fill-unbounded",
        ground: "CREATE TABLE flooded (id uuid PRIMARY KEY, a integer, b integer)",
        bad: (
            "UPDATE flooded SET a = 1 WHERE a IS DISTINCT FROM 1",
            || fill("UPDATE flooded SET a = 1 WHERE a IS DISTINCT FROM 1 AND $1::bigint > 0"),
        ),
        good: &[("UPDATE flooded SET b = 1 WHERE b IS NULL", || {
            fill(
                "UPDATE flooded SET b = 1 WHERE id IN (
                SELECT id FROM flooded WHERE b IS NULL ORDER BY id LIMIT $1)",
            )
        })],
    },
    Case {
        code: "fill-endless",
        ground: "CREATE TABLE endless (id uuid PRIMARY KEY, a integer, b integer)",
        bad: ("UPDATE endless SET a = 1", || {
            fill(
                "UPDATE endless SET a = 1 WHERE id IN (SELECT id FROM endless ORDER BY id LIMIT $1)",
            )
        }),
        good: &[(
            "UPDATE endless SET b = 1 WHERE b IS DISTINCT FROM 1",
            || {
                fill(
                    "UPDATE endless SET b = 1 WHERE id IN (
                SELECT id FROM endless WHERE b IS DISTINCT FROM 1 ORDER BY id LIMIT $1)",
                )
            },
        )],
    },
    Case {
        code: "fill-differs",
        ground: "CREATE TABLE forked (id uuid PRIMARY KEY, a integer, b timestamptz)",
        bad: ("UPDATE forked SET a = 1 WHERE a IS NULL", || {
            fill(
                "UPDATE forked SET a = 2 WHERE id IN (
                SELECT id FROM forked WHERE a IS NULL ORDER BY id LIMIT $1)",
            )
        }),
        good: &[("UPDATE forked SET b = now() WHERE b IS NULL", || {
            fill(
                "UPDATE forked SET b = now() WHERE id IN (
                SELECT id FROM forked WHERE b IS NULL ORDER BY id LIMIT $1)",
            )
        })],
    },
];
