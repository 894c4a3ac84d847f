//! What every file of ours looks like: its first line, its length, its name, and what it must not say.

use super::{all_sources, code_of, read, sources};

/// A file longer than this is looking for its second name.
const LONGEST: usize = 400;
/// Names that say nothing about what is inside.
const SHAPELESS: [&str; 4] = ["utils", "helpers", "common", "types"];

#[test]
fn no_amount_and_no_quantity_is_a_float() {
    let folders = [
        "server/src/kernel",
        "server/src/tenant",
        "entity/src",
        "migration/src",
        "provisioner/src",
    ];

    for path in folders.iter().flat_map(|folder| sources(folder)) {
        let code = code_of(&path);
        for word in ["f32", "f64", "double precision"] {
            assert!(!code.contains(word), "{} says {word:?}", path.display());
        }
    }
}

#[test]
fn every_file_says_first_what_it_is_for() {
    for path in all_sources() {
        let text = read(&path);
        assert!(
            text.starts_with("//! "),
            "{} has no module doc",
            path.display()
        );
    }
}

#[test]
fn no_file_is_too_long_or_shapeless() {
    for path in all_sources() {
        let length = read(&path).lines().count();
        assert!(length <= LONGEST, "{} has {length} lines", path.display());
        let name = path
            .file_stem()
            .expect("has a name")
            .to_string_lossy()
            .into_owned();
        assert!(
            !SHAPELESS.contains(&name.as_str()),
            "{} has no idea",
            path.display()
        );
    }
}

#[test]
fn no_test_is_ignored_without_a_reason_and_nothing_is_left_to_do() {
    for path in all_sources() {
        let text = read(&path);
        for word in [
            concat!("todo", "!("),
            concat!("unimplemented", "!("),
            concat!("FIX", "ME"),
        ] {
            assert!(!text.contains(word), "{} says {word}", path.display());
        }
        let bare = concat!("#[ign", "ore]");
        assert!(
            !text.contains(bare),
            "{} ignores a test without a reason",
            path.display()
        );
    }
}
