//! A tenant into a folder and out of it again; a folder that was touched is refused.

use std::fs;
use std::path::{Path, PathBuf};

use provisioner::copy::{CopyError, NewImport};
use provisioner::{CreateError, Label, Placement, Slug};
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use tempfile::TempDir;

use crate::scratch::{self, Scratch};
use crate::toy::{Toy, tenant};

/// Rows that are hard to copy.
pub(crate) async fn fill(db: &DatabaseConnection, schema: &str) {
    let sql = format!(
        r#"INSERT INTO {schema}.shelf (id, note, raw, at, share, tags)
           VALUES ('00000000-0000-0000-0000-0000000000aa', '{{"a": "\\n\t\"ü\\."}}', '\x00ff0a5c',
               '2026-02-03 04:05:06.789012+05', 0.1::float8 + 0.2::float8, '{{a,NULL,"b,c"}}'),
             ('00000000-0000-0000-0000-0000000000ab', NULL, '', 'infinity', 'NaN', '{{}}');
           INSERT INTO {schema}.widget (name, shelf_id)
           SELECT E'tab\t line\n back\\slash \\N ' || n, '00000000-0000-0000-0000-0000000000aa'
           FROM generate_series(1, 5000) n;
           UPDATE {schema}.shelf SET best = 77;
           DELETE FROM {schema}.shelf WHERE id = '00000000-0000-0000-0000-000000000001';
           INSERT INTO {schema}."Odd ""table/" ("a col", shelf_id)
           VALUES ('', '00000000-0000-0000-0000-0000000000ab'), (NULL, NULL), ('\N', NULL);
           SELECT nextval('{schema}.ticket'), nextval('{schema}.ticket')"#
    );
    db.execute_unprepared(&sql).await.unwrap();
}

pub(crate) fn import(folder: &Path, slug: &str) -> NewImport {
    NewImport {
        folder: folder.to_owned(),
        slug: Slug::parse(slug).unwrap(),
        name: None,
        at: Placement::default(),
        actor: "test".to_owned(),
    }
}

pub(crate) fn on_n2() -> Placement {
    Placement {
        node: Some(Label::parse("n2").unwrap()),
        ..Placement::default()
    }
}

/// Everything in an export but its manifest.
fn data(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder.join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().into(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

fn manifest(folder: &Path) -> String {
    fs::read_to_string(folder.join("manifest.json")).unwrap()
}

#[tokio::test]
async fn a_tenant_comes_out_of_a_folder_as_it_went_in() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let provisioner = scratch.provisioner_with_nodes(Toy::shelved());
        let acme = provisioner.create(tenant("acme")).await.unwrap().tenant;
        fill(&scratch.db, &acme.schema_name).await;
        let home = TempDir::new().unwrap();
        let folder = |name: &str| home.path().join(name);

        let first = provisioner
            .export("acme", &folder("one"), "test")
            .await
            .unwrap();
        let here = provisioner.import(import(&folder("one"), "here")).await;
        let here = here.unwrap();
        let there = provisioner
            .import(NewImport {
                at: on_n2(),
                ..import(&folder("one"), "there")
            })
            .await
            .unwrap();
        for slug in ["here", "there"] {
            provisioner
                .export(slug, &folder(slug), "test")
                .await
                .unwrap();
        }

        assert_eq!((first.tables, first.rows), (3, 5006));
        assert_eq!((here.rows, there.rows), (5006, 5006));
        assert_eq!(there.tenant.node, "n2");
        assert_eq!(here.tenant.name, "acme");
        assert_eq!(data(&folder("one")), data(&folder("here")));
        assert_eq!(data(&folder("one")), data(&folder("there")));
        // Sequences go on where they were, and tables point at each other again.
        for (db, copy) in [(&scratch.db, &here.tenant), (&other.db, &there.tenant)] {
            let schema = &copy.schema_name;
            let next = format!("SELECT nextval('{schema}.ticket')");
            assert_eq!(Scratch::column_of::<i64>(db, &next).await, [7]);
            let keys = format!(
                "SELECT count(*) FROM pg_constraint
                 WHERE connamespace = '{schema}'::regnamespace AND contype = 'f' AND convalidated"
            );
            assert_eq!(Scratch::column_of::<i64>(db, &keys).await, [3]);
            let add = format!("INSERT INTO {schema}.widget (name) VALUES ('x') RETURNING id");
            assert_eq!(Scratch::column_of::<i64>(db, &add).await, [5002]);
            let ledger = format!("SELECT version FROM {schema}.seaql_migrations ORDER BY 1");
            assert_eq!(
                Scratch::column_of::<String>(db, &ledger).await,
                ["w0001_widget", "w0002_shelved"]
            );
        }
        scratch.assert_memberships().await;
        let left: Vec<_> = fs::read_dir(home.path()).unwrap().collect();
        assert_eq!(left.len(), 3, "{left:?}");
    })
    .await;
}

#[tokio::test]
async fn an_older_export_is_brought_to_head_and_a_newer_one_refused() {
    scratch::ready(|scratch| async move {
        let old = scratch.provisioner(Toy::shelved());
        let acme = old.create(tenant("acme")).await.unwrap().tenant;
        fill(&scratch.db, &acme.schema_name).await;
        let home = TempDir::new().unwrap();
        let (one, two) = (home.path().join("one"), home.path().join("two"));
        old.export("acme", &one, "test").await.unwrap();
        let new = scratch.provisioner(Toy::higher());

        let imported = new.import(import(&one, "higher")).await.unwrap().tenant;
        new.export("higher", &two, "test").await.unwrap();
        let newer = old.import(import(&two, "older")).await.unwrap_err();
        let other = scratch
            .provisioner(Toy::second())
            .import(import(&one, "other"))
            .await
            .unwrap_err();

        assert_eq!(imported.schema_version, "w0003_higher");
        let heights = format!("SELECT DISTINCT height FROM {}.shelf", imported.schema_name);
        assert_eq!(scratch.column::<i32>(&heights).await, [7]);
        assert!(
            matches!(&newer, CopyError::NewerBuild(name) if name == "w0003_higher"),
            "{newer:?}"
        );
        assert!(matches!(&other, CopyError::NewerBuild(_)), "{other:?}");
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn a_folder_that_was_touched_is_refused_before_anything_is_written() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::shelved());
        let acme = provisioner.create(tenant("acme")).await.unwrap().tenant;
        fill(&scratch.db, &acme.schema_name).await;
        let home = TempDir::new().unwrap();
        let whole = home.path().join("whole");
        provisioner.export("acme", &whole, "test").await.unwrap();
        let widget = |folder: &Path| folder.join("data/widget.copy");
        type Touch = fn(&Path, &Path);
        let touches: [(&str, Touch, &str); 9] = [
            (
                "flipped",
                |_, file| {
                    let mut bytes = fs::read(file).unwrap();
                    bytes[100] ^= 1;
                    fs::write(file, bytes).unwrap();
                },
                "checksum",
            ),
            (
                "cut",
                |_, file| {
                    let bytes = fs::read(file).unwrap();
                    fs::write(file, &bytes[..bytes.len() - 1]).unwrap();
                },
                "bytes",
            ),
            (
                "missing",
                |_, file| fs::remove_file(file).unwrap(),
                "is missing",
            ),
            (
                "extra",
                |folder, _| fs::write(folder.join("data/more.copy"), "").unwrap(),
                "no part",
            ),
            (
                "foreign",
                |folder, _| fs::write(folder.join("notes"), "").unwrap(),
                "no part",
            ),
            (
                "edited",
                |folder, _| {
                    let text = manifest(folder).replace("\"acme\"", "\"emca\"");
                    fs::write(folder.join("manifest.json"), text).unwrap();
                },
                "was changed",
            ),
            (
                "newer",
                |folder, _| {
                    let text = manifest(folder).replace("\"format\": 1", "\"format\": 2");
                    fs::write(folder.join("manifest.json"), text).unwrap();
                },
                "format 2",
            ),
            (
                "garbled",
                |folder, _| fs::write(folder.join("manifest.json"), "{").unwrap(),
                "no manifest",
            ),
            (
                "bare",
                |folder, _| fs::remove_file(folder.join("manifest.json")).unwrap(),
                "no complete export",
            ),
        ];

        for (name, touch, said) in touches {
            let folder = home.path().join(name);
            copy_folder(&whole, &folder);
            touch(&folder, &widget(&folder));
            let error = provisioner.import(import(&folder, name)).await.unwrap_err();
            assert!(
                matches!(error, CopyError::Damaged { .. }),
                "{name}: {error:?}"
            );
            assert!(error.to_string().contains(said), "{name}: {error}");
        }
        let nowhere = home.path().join("nowhere");
        let nothing = provisioner
            .import(import(&nowhere, "nowhere"))
            .await
            .unwrap_err();

        assert!(matches!(nothing, CopyError::Damaged { .. }), "{nothing:?}");
        assert_eq!(scratch.count("SELECT FROM platform.tenant").await, 1);
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn what_can_not_be_exported_or_imported_is_refused() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::shelved());
        let acme = provisioner.create(tenant("acme")).await.unwrap().tenant;
        let home = TempDir::new().unwrap();
        let one = home.path().join("one");
        provisioner.export("acme", &one, "test").await.unwrap();

        let twice = provisioner.export("acme", &one, "test").await.unwrap_err();
        let nobody = provisioner
            .export("nobody", &home.path().join("two"), "test")
            .await
            .unwrap_err();
        let no_room = provisioner
            .export("acme", Path::new("/proc/tubex/export"), "test")
            .await
            .unwrap_err();
        let taken = provisioner.import(import(&one, "acme")).await.unwrap_err();
        scratch
            .run(&format!(
                "CREATE INDEX by_hand ON {}.widget (name)",
                acme.schema_name
            ))
            .await;
        let changed = home.path().join("changed");
        provisioner.export("acme", &changed, "test").await.unwrap();
        let by_hand = provisioner
            .import(import(&changed, "changed"))
            .await
            .unwrap_err();
        scratch
            .run("UPDATE platform.tenant SET status = 'archived'")
            .await;
        let archived = provisioner
            .export("acme", &home.path().join("three"), "test")
            .await
            .unwrap_err();
        scratch
            .run("UPDATE platform.tenant SET status = 'active'")
            .await;

        assert!(matches!(twice, CopyError::Exists(_)), "{twice:?}");
        assert!(matches!(nobody, CopyError::NotFound(_)), "{nobody:?}");
        assert!(matches!(no_room, CopyError::File { .. }), "{no_room:?}");
        assert!(
            matches!(taken, CopyError::Create(CreateError::SlugTaken(_))),
            "{taken:?}"
        );
        assert!(
            matches!(&by_hand, CopyError::Structure { table, .. } if table == "widget"),
            "{by_hand:?}"
        );
        assert!(
            matches!(archived, CopyError::Standing { .. }),
            "{archived:?}"
        );
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_leaves_no_folder() {
    // A disk that is always full is there on every Linux.
    if !Path::new("/dev/full").exists() {
        return;
    }
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::shelved());
        provisioner.create(tenant("acme")).await.unwrap();
        let home = TempDir::new().unwrap();
        let one = home.path().join("one");
        let partial = home.path().join("one.partial");
        fs::create_dir(&partial).unwrap();
        std::os::unix::fs::symlink("/dev/full", partial.join("manifest.json")).unwrap();

        let full = provisioner.export("acme", &one, "test").await.unwrap_err();

        assert!(matches!(full, CopyError::DiskFull(_)), "{full:?}");
        assert!(!one.exists());
    })
    .await;
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("data")).unwrap();
    fs::copy(from.join("manifest.json"), to.join("manifest.json")).unwrap();
    for (name, bytes) in data(from) {
        fs::write(to.join("data").join(name), bytes).unwrap();
    }
}
