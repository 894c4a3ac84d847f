//! Everything that a check can find, with a stable name. Each has a page beside this crate, in
//! `docs/findings`.

use super::Part;

/// How bad it is. Both make the check fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Tenants are harmed.
    Error,
    /// A habit that harms later.
    Warning,
}

macro_rules! codes {
    ($($code:ident $name:literal $part:ident $severity:ident $title:literal $remedy:literal;)*) => {
        /// What kind of thing was found. Names are stable: waivers and dashboards refer to them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(
                #[doc = $title]
                $code,
            )*
        }

        /// All codes, in the order of parts.
        pub const CODES: &[Code] = &[$(Code::$code),*];

        impl Code {
            /// The stable name, which is also that of its page.
            pub fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// The part that finds it.
            pub fn part(self) -> Part {
                match self { $(Self::$code => Part::$part,)* }
            }

            /// How bad it is.
            pub fn severity(self) -> Severity {
                match self { $(Self::$code => Severity::$severity,)* }
            }

            /// What it is, in one line.
            pub fn title(self) -> &'static str {
                match self { $(Self::$code => $title,)* }
            }

            /// The safe way, in one line.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$code => $remedy,)* }
            }
        }
    };
}

impl Code {
    /// The code of that name.
    pub fn find(name: &str) -> Option<Self> {
        CODES.iter().copied().find(|code| code.name() == name)
    }
}

codes! {
    DoesNotCompile "does-not-compile" Lint Error
        "the migrations don't compile"
        "mend what the compiler says; nothing else was checked";
    Fails "migration-fails" Lint Error
        "a migration fails on a schema of the version before it"
        "mend the statement; every tenant would stop here";
    FailsOnRows "fails-on-rows" Lint Error
        "a migration fails where tables hold rows, though it runs where they are empty"
        "bring the rows into order with a back-fill first, then add the rule";
    Panics "migration-panics" Lint Error
        "a migration's code panics"
        "return the error instead of unwrapping it";
    Hangs "migration-hangs" Lint Error
        "a migration did not end in time"
        "remove the loop or the wait, or move the work to a back-fill; --timeout allows more";
    OwnConnection "own-connection" Lint Error
        "a migration opens a connection of its own"
        "use only the connection of the SchemaManager: another one is outside the tenant's transaction";
    TransactionAborted "transaction-aborted" Lint Error
        "a migration swallows an error and leaves its transaction aborted"
        "return the error, or ask the catalogue before you act (IF EXISTS)";
    TransactionEnded "transaction-ended" Lint Error
        "a migration ends or begins transactions"
        "leave COMMIT, ROLLBACK and BEGIN to the runner, which commits DDL and its record together";
    DependsOnRows "depends-on-rows" Lint Error
        "what a migration says depends on a tenant's rows"
        "say it in one statement, or declare it a back-fill (Way::Fill)";
    Undeclared "undeclared" Lint Error
        "a migration doesn't say whether it expands or contracts"
        "declare its kind and way beside it";
    LockTimeoutLifted "lock-timeout-lifted" Lint Error
        "a migration lifts the lock or statement timeout that the runner has set"
        "remove the SET: without a timeout one waiting ALTER blocks every request behind it";
    SessionChanged "session-changed" Lint Error
        "a migration changes the search path, the role or other settings for those after it"
        "name no schema and set nothing: the runner has set path and role for this tenant";
    OutsideSchema "outside-schema" Lint Error
        "a migration makes or changes things outside the tenant's schema"
        "move it to the platform's migrations, which run once and not once per tenant";
    TableRewritten "table-rewritten" Lint Error
        "a table that holds rows is rewritten under an exclusive lock"
        "add a new column, back-fill it, switch, and drop the old one in a contract";
    VolatileDefault "volatile-default" Lint Error
        "a new column's default is volatile, so that the table is rewritten"
        "add the column without default, set the default for new rows, back-fill the old ones";
    ColumnTypeChanged "column-type-changed" Lint Error
        "a column's type is changed in place"
        "add a new column of the new type, back-fill it, switch, and drop the old one in a contract";
    ColumnRenamed "column-renamed" Lint Error
        "a column is renamed"
        "add the new column, write both, back-fill, and drop the old one in a contract";
    TableRenamed "table-renamed" Lint Error
        "a table is renamed"
        "keep the name, or make the new table and leave a view under the old name";
    IndexUnderLock "index-under-lock" Lint Error
        "an index is built while writers wait"
        "declare it Way::index with CREATE INDEX CONCURRENTLY, alone in its migration";
    UniqueUnderLock "unique-under-lock" Lint Error
        "a primary key, unique or exclusion constraint builds its index under an exclusive lock"
        "build the unique index beside traffic first, then ADD CONSTRAINT … USING INDEX";
    NotNullUnderLock "not-null-under-lock" Lint Error
        "SET NOT NULL reads the whole table under an exclusive lock"
        "add CHECK (column IS NOT NULL) NOT VALID, validate it in a later migration, then SET NOT NULL";
    CheckUnderLock "check-under-lock" Lint Error
        "a CHECK reads the whole table under an exclusive lock"
        "add it NOT VALID, and VALIDATE CONSTRAINT in a later migration";
    ForeignKeyUnderLock "foreign-key-under-lock" Lint Error
        "a foreign key is validated while writers of both tables wait"
        "add it NOT VALID, and VALIDATE CONSTRAINT in a later migration";
    RowsUnderLock "rows-changed-in-transaction" Lint Error
        "rows are changed in the transaction of a migration"
        "declare it a back-fill (Way::fill): batches beside traffic, resumable";
    ManyTablesLocked "many-tables-locked" Lint Warning
        "one transaction holds exclusive locks on many tables"
        "split it: each table's lock is one more chance of waiting with all others held";
    NativeEnum "native-enum" Lint Error
        "a native enum type is made in a tenant's schema"
        "use text with a CHECK: an enum's number differs from tenant to tenant and breaks prepared statements";
    CrossSchemaReference "cross-schema-reference" Lint Error
        "an object refers to another schema's"
        "refer only to the tenant's own schema and to shared";
    ViewSelectStar "view-select-star" Lint Warning
        "a view selects *"
        "list the columns: the star is frozen when the view is made, and hides what it needs";
    NoPrimaryKey "no-primary-key" Lint Error
        "a table has no primary key"
        "give it one: clones, exports, back-fills and replication go by it";
    ForeignKeyWithoutIndex "foreign-key-without-index" Lint Warning
        "a foreign key's columns have no index"
        "add an index that begins with them: each delete or update of the parent reads the whole table";
    DuplicateIndex "duplicate-index" Lint Warning
        "two indexes are the same"
        "drop one: each costs every write, in every tenant";
    NarrowKey "narrow-key" Lint Warning
        "a primary key of 16 or 32 bits"
        "use uuid or bigint: widening a key later rewrites the table and all that refer to it";
    TimestampWithoutZone "timestamp-without-zone" Lint Warning
        "a column is a timestamp without time zone"
        "use timestamptz";
    LengthLimitedText "length-limited-text" Lint Warning
        "a column is varchar(n) or char(n)"
        "use text with a CHECK on its length, which can be changed without changing the type";
    UnloggedTable "unlogged-table" Lint Warning
        "a table is unlogged"
        "make it a plain table: an unlogged one is empty after a crash, and on every replica";
    WaiverUnknown "waiver-unknown" Lint Error
        "a waiver names no code"
        "tubex explain lists the codes";
    WaiverUnused "waiver-unused" Lint Warning
        "a waiver for something that was not found"
        "remove it";
    WaiverWithoutReason "waiver-without-reason" Lint Error
        "a waiver gives no reason"
        "write why it may stay, for whoever reads it next";

    DownFails "down-fails" Reversible Error
        "the way back fails"
        "mend `down`; a run could not be rolled back";
    DownLeavesTraces "down-leaves-traces" Reversible Error
        "the way back leaves traces"
        "undo in `down` all that `up` does, in the opposite order";
    UpAgainDiffers "up-again-differs" Reversible Error
        "up, down and up again is not the same as up"
        "undo in `down` all that `up` does; what is left over changes the second `up`";

    TableDropped "table-dropped" Kind Error
        "an expand drops a table or view"
        "declare it a contract since the migration whose code needs it no more";
    ColumnDropped "column-dropped" Kind Error
        "an expand drops a column"
        "declare it a contract since the migration whose code needs it no more";
    IndexDropped "index-dropped" Kind Error
        "an expand drops an index"
        "declare it a contract since the migration whose code needs it no more";
    RequiredColumn "required-column" Kind Error
        "an expand adds a column that the build before it can't fill"
        "add it without NOT NULL or with a default; make it NOT NULL in a contract";
    NotNullAdded "not-null-added" Kind Error
        "an expand makes a column NOT NULL that the build before it may leave empty"
        "declare it a contract since the migration whose code always fills it";
    ConstraintAdded "constraint-added" Kind Error
        "an expand adds a rule that rows of the build before it may break"
        "declare it a contract since the migration whose code keeps the rule";
    DefaultDropped "default-dropped" Kind Error
        "an expand takes away a default that the build before it relies on"
        "declare it a contract since the migration whose code always gives the value";
    RightsRevoked "rights-revoked" Kind Error
        "an expand takes rights away"
        "declare it a contract since the migration whose code needs them no more";
    ReaderBreaks "reader-breaks" Kind Error
        "what the build before it reads can't be read any more"
        "keep names and types of what is read until a contract";
    WriterBreaks "writer-breaks" Kind Error
        "what the build before it writes is refused"
        "keep accepting its rows until a contract";
    ContractSince "contract-since" Kind Error
        "a contract names no earlier migration"
        "name the migration whose code can do without what goes";
    ContractNeedless "contract-needless" Kind Warning
        "a contract takes nothing away"
        "declare it an expand: a contract can't be rolled back and waits for every older server";
    FillUnbounded "fill-unbounded" Kind Error
        "a batch of a back-fill changes more rows than it may"
        "bound it by $1: UPDATE … WHERE key IN (SELECT key … ORDER BY key LIMIT $1)";
    FillEndless "fill-endless" Kind Error
        "a back-fill never says that all is done"
        "leave out rows that are done already: … WHERE the column is still empty …";
    FillDiffers "fill-differs" Kind Error
        "a back-fill's batches don't lead where its `up` leads"
        "let `up` and the batch do the same to the same rows";

    RoadsDiffer "roads-differ" Roads Error
        "an older tenant that is brought to head looks different from a new one"
        "let the declared index or the later migration make the same as `up` does on a new schema";
    RoadBlocked "road-blocked" Roads Error
        "an older tenant can't be brought to head"
        "mend the migration that fails; it runs on a new schema only";

    EntityTableMissing "entity-table-missing" Entities Error
        "an entity has no table"
        "add the migration, or remove the entity";
    EntityColumnMissing "entity-column-missing" Entities Error
        "an entity has a column that its table hasn't"
        "add the migration, or remove the field";
    EntityColumnUnknown "entity-column-unknown" Entities Error
        "a table demands a column that its entity doesn't know"
        "add the field, or give the column a default";
    EntityTypeDiffers "entity-type-differs" Entities Error
        "an entity's column has another type than its table's"
        "let the field say the column's type";
    EntityNullDiffers "entity-null-differs" Entities Error
        "an entity and its table disagree on whether a column may be empty"
        "make the field an Option, or the column NOT NULL";
    EntityKeyDiffers "entity-key-differs" Entities Error
        "an entity has another primary key than its table"
        "mark the fields of the table's key with primary_key, in its order";

    Drift "drift" Fleet Error
        "tenants look different from their version"
        "tubex drift --fix-plan prints what would mend them";
    InvalidIndex "invalid-index" Fleet Error
        "an index is invalid: it is written and never used"
        "tubex drift --fix-plan prints how to build it again";
    OrphanSchema "orphan-schema" Fleet Warning
        "a schema that no tenant has"
        "look whose it was; tubex drift --fix-plan prints how to drop it";
    OrphanRole "orphan-role" Fleet Warning
        "a role that no tenant has"
        "look whose it was; tubex drift --fix-plan prints how to drop it";
    SchemaMissing "schema-missing" Fleet Error
        "a tenant has no schema"
        "restore it from an export; its requests fail";
    TenantAhead "tenant-ahead" Fleet Error
        "a tenant stands at a version that this build doesn't know"
        "check with the build that took it there, or a newer one";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        let names: HashSet<_> = CODES.iter().map(|code| code.name()).collect();

        assert_eq!(names.len(), CODES.len());
        for code in CODES {
            assert_eq!(Code::find(code.name()), Some(*code));
        }
    }
}
