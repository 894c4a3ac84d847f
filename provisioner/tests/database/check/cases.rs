//! What migrations do under a lock, and shapes that harm later: a bad and a good one of each.

use provisioner::{Declared, Kind, Way};

use super::trial::{contract, expand};

/// A migration's text, and what it says of itself.
type Migration = (&'static str, fn() -> Declared);

/// A pair: what is there before it, what must be found, and what must not.
pub(super) struct Case {
    pub(super) code: &'static str,
    pub(super) ground: &'static str,
    pub(super) bad: Migration,
    pub(super) good: &'static [Migration],
}

pub(super) const LINT: &[Case] = &[
    Case {
        code: "table-rewritten",
        ground: "CREATE TABLE rewritten (id uuid PRIMARY KEY, a integer)",
        bad: (
            "ALTER TABLE rewritten ADD COLUMN twice integer GENERATED ALWAYS AS (a * 2) STORED",
            expand,
        ),
        good: &[("ALTER TABLE rewritten ADD COLUMN twice integer", expand)],
    },
    Case {
        code: "volatile-default",
        ground: "CREATE TABLE volatile (id uuid PRIMARY KEY)",
        bad: (
            "ALTER TABLE volatile ADD COLUMN token uuid DEFAULT gen_random_uuid()",
            expand,
        ),
        good: &[(
            "ALTER TABLE volatile ADD COLUMN at timestamptz NOT NULL DEFAULT now()",
            expand,
        )],
    },
    Case {
        code: "column-type-changed",
        ground: "CREATE TABLE retyped (id uuid PRIMARY KEY, a integer);
                 CREATE INDEX retyped_a_idx ON retyped (a)",
        bad: ("ALTER TABLE retyped ALTER COLUMN a TYPE bigint", expand),
        good: &[("ALTER TABLE retyped ADD COLUMN a_wide bigint", expand)],
    },
    Case {
        code: "column-renamed",
        ground: "CREATE TABLE renaming (id uuid PRIMARY KEY, b text)",
        bad: ("ALTER TABLE renaming RENAME COLUMN b TO title", expand),
        good: &[("ALTER TABLE renaming ADD COLUMN title text", expand)],
    },
    Case {
        code: "table-renamed",
        ground: "CREATE TABLE renamed (id uuid PRIMARY KEY, b text)",
        bad: ("ALTER TABLE renamed RENAME TO renamed_now", expand),
        good: &[(
            "ALTER TABLE renamed RENAME CONSTRAINT renamed_pkey TO renamed_key",
            expand,
        )],
    },
    Case {
        code: "index-under-lock",
        ground: "CREATE TABLE indexed (id uuid PRIMARY KEY, a integer)",
        bad: ("CREATE INDEX indexed_bad ON indexed (a)", expand),
        good: &[("CREATE INDEX indexed_a ON indexed (a)", || {
            let statement = "CREATE INDEX CONCURRENTLY indexed_a ON indexed (a)";
            Declared::new(Kind::Expand, Way::index("indexed_a", statement))
        })],
    },
    Case {
        code: "unique-under-lock",
        ground: "CREATE TABLE single (id uuid PRIMARY KEY, a integer)",
        bad: (
            "ALTER TABLE single ADD CONSTRAINT single_bad UNIQUE (id, a)",
            contract,
        ),
        good: &[
            ("CREATE UNIQUE INDEX single_key ON single (id, a)", || {
                let statement = "CREATE UNIQUE INDEX CONCURRENTLY single_key ON single (id, a)";
                Declared::new(Kind::contract("base"), Way::index("single_key", statement))
            }),
            (
                "ALTER TABLE single ADD CONSTRAINT single_key UNIQUE USING INDEX single_key",
                expand,
            ),
        ],
    },
    Case {
        code: "not-null-under-lock",
        ground: "CREATE TABLE strict (id uuid PRIMARY KEY,
                     a integer CHECK (coalesce(a, -1) >= 0));
                 CREATE TABLE proven (id uuid PRIMARY KEY, a integer CHECK (a IS NOT NULL))",
        bad: ("ALTER TABLE strict ALTER COLUMN a SET NOT NULL", contract),
        good: &[("ALTER TABLE proven ALTER COLUMN a SET NOT NULL", contract)],
    },
    Case {
        code: "check-under-lock",
        ground: "CREATE TABLE checked (id uuid PRIMARY KEY, a integer CHECK (a > 0))",
        bad: (
            "ALTER TABLE checked ADD CONSTRAINT checked_bad CHECK (a > -1)",
            contract,
        ),
        good: &[
            (
                "ALTER TABLE checked ADD CONSTRAINT checked_good CHECK (a > -2) NOT VALID",
                contract,
            ),
            (
                "ALTER TABLE checked VALIDATE CONSTRAINT checked_good",
                expand,
            ),
        ],
    },
    Case {
        code: "foreign-key-under-lock",
        ground: "CREATE TABLE parent (id uuid PRIMARY KEY);
                 CREATE TABLE child (id uuid PRIMARY KEY,
                     parent_id uuid REFERENCES parent (id));
                 CREATE INDEX child_parent_id_idx ON child (parent_id)",
        bad: (
            "ALTER TABLE child ADD CONSTRAINT child_bad
                 FOREIGN KEY (parent_id) REFERENCES parent (id)",
            contract,
        ),
        good: &[
            (
                "ALTER TABLE child ADD CONSTRAINT child_good
                     FOREIGN KEY (parent_id) REFERENCES parent (id) NOT VALID",
                contract,
            ),
            ("ALTER TABLE child VALIDATE CONSTRAINT child_good", expand),
        ],
    },
    Case {
        code: "rows-changed-in-transaction",
        ground: "CREATE TABLE changed (id uuid PRIMARY KEY, b text, c text)",
        bad: ("UPDATE changed SET b = 'all of them'", expand),
        good: &[
            ("UPDATE changed SET c = 'rest' WHERE c IS NULL", || {
                let batch = "UPDATE changed SET c = 'rest' WHERE id IN (
                    SELECT id FROM changed WHERE c IS NULL ORDER BY id LIMIT $1)";
                Declared::new(Kind::Expand, Way::fill(batch))
            }),
            (
                "INSERT INTO changed (id) VALUES ('00000000-0000-0000-0000-0000000000aa')",
                expand,
            ),
        ],
    },
    Case {
        code: "many-tables-locked",
        ground: "DO $$ BEGIN FOR n IN 1..9 LOOP
                     EXECUTE format('CREATE TABLE many%s (id uuid PRIMARY KEY)', n);
                 END LOOP; END $$",
        bad: (
            "DO $$ BEGIN FOR n IN 1..9 LOOP
                 EXECUTE format('ALTER TABLE many%s ADD COLUMN b text', n);
             END LOOP; END $$",
            expand,
        ),
        good: &[(
            "ALTER TABLE many1 ADD COLUMN c text; ALTER TABLE many2 ADD COLUMN c text",
            expand,
        )],
    },
    Case {
        code: "native-enum",
        ground: "",
        bad: ("CREATE TYPE mood AS ENUM ('fine', 'well')", expand),
        good: &[(
            "CREATE TABLE mooded (id uuid PRIMARY KEY,
                 mood text NOT NULL CHECK (mood IN ('fine', 'well')))",
            expand,
        )],
    },
    Case {
        code: "cross-schema-reference",
        ground: "CREATE TABLE crossed (id uuid PRIMARY KEY, b text)",
        bad: (
            "CREATE VIEW everybody AS SELECT t.id FROM platform.tenant t",
            expand,
        ),
        good: &[(
            "CREATE VIEW folded AS SELECT id, shared.fold(b) AS b FROM crossed",
            expand,
        )],
    },
    Case {
        code: "outside-schema",
        ground: "",
        bad: ("CREATE TABLE public.stray (id uuid PRIMARY KEY)", expand),
        good: &[("CREATE TABLE inside (id uuid PRIMARY KEY)", expand)],
    },
    Case {
        code: "view-select-star",
        ground: "CREATE TABLE starred (id uuid PRIMARY KEY, b text)",
        bad: ("CREATE VIEW star AS SELECT s.* FROM starred s", expand),
        good: &[(
            "CREATE VIEW counted AS SELECT count(*) AS rows, 2 * 3 AS six FROM starred",
            expand,
        )],
    },
    Case {
        code: "no-primary-key",
        ground: "",
        bad: ("CREATE TABLE keyless (a integer)", expand),
        good: &[("CREATE TABLE keyed (a bigint PRIMARY KEY)", expand)],
    },
    Case {
        code: "foreign-key-without-index",
        ground: "CREATE TABLE owner (id uuid PRIMARY KEY)",
        bad: (
            "CREATE TABLE unserved (id uuid PRIMARY KEY, owner_id uuid REFERENCES owner (id))",
            expand,
        ),
        good: &[(
            "CREATE TABLE served (id uuid PRIMARY KEY, owner_id uuid REFERENCES owner (id));
             CREATE INDEX served_owner_id_idx ON served (owner_id, id)",
            expand,
        )],
    },
    Case {
        code: "duplicate-index",
        ground: "",
        bad: (
            "CREATE TABLE twice (id uuid PRIMARY KEY, a integer);
             CREATE INDEX twice_one ON twice (a); CREATE INDEX twice_two ON twice (a)",
            expand,
        ),
        good: &[(
            "CREATE TABLE once (id uuid PRIMARY KEY, a integer);
             CREATE INDEX once_up ON once (a); CREATE INDEX once_down ON once (a DESC)",
            expand,
        )],
    },
    Case {
        code: "narrow-key",
        ground: "",
        bad: (
            "CREATE TABLE narrow (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY)",
            expand,
        ),
        good: &[(
            "CREATE TABLE wide (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)",
            expand,
        )],
    },
    Case {
        code: "timestamp-without-zone",
        ground: "",
        bad: (
            "CREATE TABLE zoneless (id uuid PRIMARY KEY, at timestamp)",
            expand,
        ),
        good: &[(
            "CREATE TABLE zoned (id uuid PRIMARY KEY, at timestamptz(3), day date)",
            expand,
        )],
    },
    Case {
        code: "length-limited-text",
        ground: "",
        bad: (
            "CREATE TABLE limited (id uuid PRIMARY KEY, b varchar(20))",
            expand,
        ),
        good: &[(
            "CREATE TABLE unlimited (id uuid PRIMARY KEY, b text CHECK (length(b) <= 20))",
            expand,
        )],
    },
    Case {
        code: "unlogged-table",
        ground: "",
        bad: ("CREATE UNLOGGED TABLE fast (id uuid PRIMARY KEY)", expand),
        good: &[("CREATE TABLE safe (id uuid PRIMARY KEY)", expand)],
    },
    Case {
        code: "lock-timeout-lifted",
        ground: "",
        bad: ("SET LOCAL lock_timeout = 0", expand),
        good: &[("SET LOCAL lock_timeout = '50ms'", expand)],
    },
    Case {
        code: "session-changed",
        ground: "",
        bad: ("SET LOCAL session_replication_role = replica", expand),
        good: &[("SET LOCAL work_mem = '8MB'", expand)],
    },
    Case {
        code: "transaction-ended",
        ground: "",
        bad: ("CREATE TABLE ended (id uuid PRIMARY KEY); COMMIT", expand),
        good: &[(
            "SAVEPOINT a; CREATE TABLE kept (id uuid PRIMARY KEY); RELEASE SAVEPOINT a",
            expand,
        )],
    },
];
