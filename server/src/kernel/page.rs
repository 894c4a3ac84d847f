//! Pages of a list, and the cursor that leads from one to the next.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Most rows of a page.
pub const PAGE_LIMIT: u64 = 200;

/// Some rows, and the cursor of the next ones if there are any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// At most as many rows as were asked for.
    pub data: Vec<T>,
    /// Where to go on.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Makes a page of `rows`, which were fetched with one more than `limit`.
    ///
    /// `key` gives what the list is sorted by: the cursor remembers it for the last row shown.
    pub fn of<K: Serialize>(mut rows: Vec<T>, limit: u64, key: impl FnOnce(&T) -> K) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if rows.len() <= limit {
            return Self {
                data: rows,
                next: None,
            };
        }
        rows.truncate(limit);
        let next = rows.last().map(|last| Cursor::after(&key(last)));
        Self { data: rows, next }
    }

    /// The same page with every row turned into something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page {
            data: self.data.into_iter().map(turn).collect(),
            next: self.next,
        }
    }
}

/// The sort key of the last row shown. On the wire it is sealed, so that only we make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(Vec<u8>);

/// The cursor belongs to another list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cursor does not belong to this list")]
pub struct CursorError;

impl Cursor {
    /// The cursor that goes on after `key`.
    pub fn after<K: Serialize>(key: &K) -> Self {
        Self(serde_json::to_vec(key).expect("a sort key is made of plain values"))
    }

    /// What was in a seal.
    pub fn from_key(key: Vec<u8>) -> Self {
        Self(key)
    }

    /// What is to be sealed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads the key back.
    ///
    /// # Errors
    ///
    /// [`CursorError`] unless it was made from a key of the same shape.
    pub fn key<K: DeserializeOwned>(&self) -> Result<K, CursorError> {
        serde_json::from_slice(&self.0).map_err(|_| CursorError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_page_with_more_behind_it_has_a_cursor() {
        let page = Page::of(vec!["a", "b", "c"], 2, |row| (*row).to_owned());

        assert_eq!(page.data, ["a", "b"]);
        assert_eq!(page.next.unwrap().key::<String>(), Ok("b".to_owned()));
    }

    #[test]
    fn the_last_page_has_none() {
        assert_eq!(
            Page::of(vec!["a", "b"], 2, |row| (*row).to_owned()).next,
            None
        );
    }

    #[test]
    fn a_cursor_of_another_shape_is_refused() {
        let cursor = Cursor::after(&("name", 1));

        assert_eq!(cursor.key::<String>(), Err(CursorError));
        let empty = Cursor::from_key(Vec::new());
        assert_eq!(empty.key::<String>(), Err(CursorError));
    }
}
