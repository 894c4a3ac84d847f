//! How long a password would stand, as people really choose them.

use zxcvbn::Score;

/// Words shorter than this are in every text.
const SHORTEST_WORD: usize = 3;

/// Says why a password is too easily guessed, if it is. `context` are words that its owner would
/// think of, and that whoever guesses tries first.
///
/// # Errors
///
/// What is wrong and what would help, for people.
pub(super) fn judge(password: &str, context: &[String], least: u8) -> Result<(), String> {
    let words = context
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    let words: Vec<_> = words
        .chain(context.iter().map(String::as_str))
        .filter(|word| word.chars().count() >= SHORTEST_WORD)
        .collect();
    let whole = zxcvbn::zxcvbn(password, &words);
    let rest = zxcvbn::zxcvbn(&without(password, &words), &words);
    let verdict = if rest.score() < whole.score() {
        rest
    } else {
        whole
    };
    if score(verdict.score()) >= least {
        return Ok(());
    }
    let feedback = verdict.feedback();
    let warning = feedback.and_then(|feedback| feedback.warning());
    let suggestions = feedback.map_or(&[][..], |feedback| feedback.suggestions());
    let mut said: Vec<_> = warning.iter().map(ToString::to_string).collect();
    said.extend(suggestions.iter().map(ToString::to_string));
    if said.is_empty() {
        said.push("Add another word or two, uncommon ones.".to_owned());
    }
    Err(format!("it is too easily guessed. {}", said.join(" ")))
}

/// What is left of a password without words of its owner's surroundings: they count for nothing,
/// wherever they stand. A password that holds none is left as it is.
fn without(password: &str, words: &[&str]) -> String {
    let folded = password.to_lowercase();
    let mut words: Vec<_> = words.iter().map(|word| word.to_lowercase()).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let mut rest = folded.clone();
    for word in words {
        rest = rest.replace(&word, "");
    }
    if rest == folded {
        password.to_owned()
    } else {
        rest
    }
}

fn score(score: Score) -> u8 {
    match score {
        Score::Zero => 0,
        Score::One => 1,
        Score::Two => 2,
        Score::Three => 3,
        // The estimator may know finer degrees one day; they are no weaker.
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(password: &str) -> Result<(), String> {
        let context = [
            "Olga Brandt",
            "olga.brandt@acme.example",
            "Acme Baustoffe",
            "acme",
        ];
        judge(password, &context.map(ToOwned::to_owned), 3)
    }

    #[test]
    fn what_people_choose_is_guessed_and_told_so() {
        for weak in [
            "password123",
            "qwertzuiop",
            "1234567890",
            "aaaaaaaaaaaa",
            "P@ssw0rd2024",
        ] {
            let said = judged(weak).unwrap_err();
            assert!(said.starts_with("it is too easily guessed. "), "{said}");
            assert!(said.len() > 40, "{said}");
        }
    }

    #[test]
    fn words_of_ones_own_surroundings_do_not_count() {
        assert!(judged("OlgaBrandt1").is_err());
        assert!(judged("AcmeBaustoffe!").is_err());
        assert!(judged("olga.brandt@acme.example").is_err());
    }

    #[test]
    fn some_uncommon_words_are_enough() {
        assert_eq!(judged("seldom gravel heron 4"), Ok(()));
        assert_eq!(judged("vT9#kLq2zRw8"), Ok(()));
    }
}
