//! Files on a disk.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

fn on(folder: &Path) -> Storage {
    storage(&[("TUBEX_STORAGE__DIRECTORY", folder.to_str().unwrap())]).unwrap()
}

pub(super) fn files_in(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files_in(&path)),
            false => found.push(path.to_string_lossy().into_owned()),
        }
    }
    found
}

#[actix_web::test]
async fn a_folder_keeps_files_as_a_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();

    keeps_its_promises(&on(folder.path())).await;
}

#[actix_web::test]
async fn what_was_begun_and_broken_off_leaves_no_file_behind() {
    let folder = tempfile::tempdir().unwrap();
    let storage = on(folder.path());

    let gone = stream::iter([Ok(piece(0)), Err(std::io::Error::other("gone"))]);
    storage.put(&a_key(), gone, u64::MAX).await.unwrap_err();
    storage.put(&a_key(), pieces(40), 1024).await.unwrap_err();

    tests::eventually("nothing is left", async || {
        files_in(folder.path()).is_empty()
    })
    .await;
}

#[actix_web::test]
async fn a_file_lies_under_its_tenants_id_and_nobody_else_may_look() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("made");
    let storage = on(&folder);
    let (tenant, id) = (Uuid::now_v7(), Uuid::now_v7());
    let key = StorageKey::of(TenantKey::of(tenant), Shelf::Exports, id);

    storage.put(&key, pieces(1), u64::MAX).await.unwrap();

    assert!(folder.join(format!("t/{tenant}/exports/{id}")).is_file());
    let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[actix_web::test]
async fn a_folder_that_cannot_be_used_keeps_the_server_from_starting() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let within = file.path().join("folder");

    let error = storage(&[("TUBEX_STORAGE__DIRECTORY", within.to_str().unwrap())]).unwrap_err();

    assert!(error.contains("storage.directory"), "{error}");
}
