//! Pages of a list, and the cursor that leads from one to the next.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::text;

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

/// The sort key of the last row shown, opaque on the wire.
///
/// It grants nothing: a list reads within the dealer's own schema whatever its cursor says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

/// The cursor isn't one of ours, or belongs to another list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cursor does not belong to this list")]
pub struct CursorError;

impl Cursor {
    /// The cursor that goes on after `key`.
    pub fn after<K: Serialize>(key: &K) -> Self {
        let json = serde_json::to_vec(key).expect("a sort key is made of plain values");
        Self(URL_SAFE_NO_PAD.encode(json))
    }

    /// What came back from a client.
    pub fn from_wire(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Reads the key back.
    ///
    /// # Errors
    ///
    /// [`CursorError`] unless it was made from a key of the same shape.
    pub fn key<K: DeserializeOwned>(&self) -> Result<K, CursorError> {
        let json = URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| CursorError)?;
        let key: Value = serde_json::from_slice(&json).map_err(|_| CursorError)?;
        if text::holds_nul(&key) {
            return Err(CursorError);
        }
        serde_json::from_value(key).map_err(|_| CursorError)
    }

    /// As it goes on the wire.
    pub fn into_wire(self) -> String {
        self.0
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
        assert_eq!(Cursor::from_wire("%%").key::<String>(), Err(CursorError));
        assert_eq!(Cursor::from_wire("").key::<String>(), Err(CursorError));
    }

    #[test]
    fn a_cursor_with_a_nul_was_never_ours() {
        let cursor = Cursor::after(&"a\0");

        assert_eq!(cursor.key::<String>(), Err(CursorError));
    }
}
