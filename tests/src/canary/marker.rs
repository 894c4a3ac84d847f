//! Marker words, and finding those that do not belong.

/// Every marker begins like this; no word of the product does.
pub(super) const PREFIX: &str = "canary";
const LETTERS: usize = 3;

/// The marker of a dealer by its number. All are equally long, so that none holds another.
pub(super) fn marker(number: usize) -> String {
    let letter = |place: u32| {
        let digit = number / 26_usize.pow(place) % 26;
        char::from(b'a' + u8::try_from(digit).unwrap_or(0))
    };
    format!("{PREFIX}{}{}{}", letter(2), letter(1), letter(0))
}

/// The first marker in a text that isn't `own`. With no marker to be its own, any is foreign.
pub(super) fn foreign(text: &str, own: Option<&str>) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    lower.match_indices(PREFIX).find_map(|(at, _)| {
        let end = at + PREFIX.len() + LETTERS;
        let found = lower.get(at..end).unwrap_or(&lower[at..]);
        (Some(found) != own).then(|| found.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_differ() {
        assert_eq!(marker(0), "canaryaaa");
        assert_eq!(marker(27), "canaryabb");
    }

    #[test]
    fn a_foreign_marker_is_found_among_ones_own() {
        let own = marker(1);
        let text = format!("{own} {own} \"{}\"", marker(2).to_uppercase());

        assert_eq!(foreign(&text, Some(&own)), Some(marker(2)));
        assert_eq!(foreign(&own, Some(&own)), None);
        assert_eq!(foreign(&own, None), Some(own));
    }
}
