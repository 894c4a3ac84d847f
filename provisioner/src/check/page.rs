//! The page of each code: what was seen, why it hurts, the safe way, how to waive it.

use super::Code;

macro_rules! pages {
    ($($code:ident $name:literal;)*) => {
        impl Code {
            /// Its page, in Markdown.
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$code => {
                        include_str!(concat!("../../docs/findings/", $name, ".md"))
                    })*
                }
            }
        }

        #[cfg(test)]
        const NAMES: &[(Code, &str)] = &[$((Code::$code, $name)),*];
    };
}

pages! {
    DoesNotCompile "does-not-compile";
    Fails "migration-fails";
    FailsOnRows "fails-on-rows";
    Panics "migration-panics";
    Hangs "migration-hangs";
    OwnConnection "own-connection";
    TransactionAborted "transaction-aborted";
    TransactionEnded "transaction-ended";
    DependsOnRows "depends-on-rows";
    Undeclared "undeclared";
    LockTimeoutLifted "lock-timeout-lifted";
    SessionChanged "session-changed";
    OutsideSchema "outside-schema";
    TableRewritten "table-rewritten";
    VolatileDefault "volatile-default";
    ColumnTypeChanged "column-type-changed";
    ColumnRenamed "column-renamed";
    TableRenamed "table-renamed";
    IndexUnderLock "index-under-lock";
    UniqueUnderLock "unique-under-lock";
    NotNullUnderLock "not-null-under-lock";
    CheckUnderLock "check-under-lock";
    ForeignKeyUnderLock "foreign-key-under-lock";
    RowsUnderLock "rows-changed-in-transaction";
    ManyTablesLocked "many-tables-locked";
    NativeEnum "native-enum";
    CrossSchemaReference "cross-schema-reference";
    ViewSelectStar "view-select-star";
    NoPrimaryKey "no-primary-key";
    ForeignKeyWithoutIndex "foreign-key-without-index";
    DuplicateIndex "duplicate-index";
    NarrowKey "narrow-key";
    TimestampWithoutZone "timestamp-without-zone";
    LengthLimitedText "length-limited-text";
    UnloggedTable "unlogged-table";
    WaiverUnknown "waiver-unknown";
    WaiverUnused "waiver-unused";
    WaiverWithoutReason "waiver-without-reason";
    DownFails "down-fails";
    DownLeavesTraces "down-leaves-traces";
    UpAgainDiffers "up-again-differs";
    TableDropped "table-dropped";
    ColumnDropped "column-dropped";
    IndexDropped "index-dropped";
    RequiredColumn "required-column";
    NotNullAdded "not-null-added";
    ConstraintAdded "constraint-added";
    DefaultDropped "default-dropped";
    RightsRevoked "rights-revoked";
    ReaderBreaks "reader-breaks";
    WriterBreaks "writer-breaks";
    ContractSince "contract-since";
    ContractNeedless "contract-needless";
    FillUnbounded "fill-unbounded";
    FillEndless "fill-endless";
    FillDiffers "fill-differs";
    RoadsDiffer "roads-differ";
    RoadBlocked "road-blocked";
    EntityTableMissing "entity-table-missing";
    EntityColumnMissing "entity-column-missing";
    EntityColumnUnknown "entity-column-unknown";
    EntityTypeDiffers "entity-type-differs";
    EntityNullDiffers "entity-null-differs";
    EntityKeyDiffers "entity-key-differs";
    Drift "drift";
    InvalidIndex "invalid-index";
    OrphanSchema "orphan-schema";
    OrphanRole "orphan-role";
    SchemaMissing "schema-missing";
    TenantAhead "tenant-ahead";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::check::CODES;

    const HEADINGS: [&str; 4] = [
        "## What was seen",
        "## Why it hurts at fleet scale",
        "## The safe way",
        "## How to waive",
    ];

    #[test]
    fn every_code_has_its_own_page_with_all_that_belongs_there() {
        for code in CODES {
            let page = code.page();

            let title = format!("# {}: {}\n", code.name(), code.title());
            assert!(page.starts_with(&title), "{}: its title", code.name());
            let headings: Vec<_> = page
                .lines()
                .filter(|line| line.starts_with("## "))
                .collect();
            assert_eq!(headings, HEADINGS, "{}", code.name());
            assert!(page.ends_with('\n') && !page.ends_with("\n\n"));
        }
    }

    #[test]
    fn no_page_is_under_anothers_name_and_none_is_left_over() {
        for (code, name) in NAMES {
            assert_eq!(code.name(), *name);
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/findings");
        let files = fs::read_dir(folder).unwrap();
        let files: BTreeSet<_> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        let expected: BTreeSet<_> = CODES
            .iter()
            .map(|code| format!("{}.md", code.name()))
            .collect();
        assert_eq!(files, expected);
    }
}
