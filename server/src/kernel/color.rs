//! A dealer's colour, and the ink that can be read on it.

use std::fmt;
use std::str::FromStr;

/// A colour as `#rrggbb`, red, green and blue of sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color([u8; 3]);

/// What was written is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a colour is written as #rrggbb, such as #b4532a")]
pub struct NoColor;

/// How bright each fifteenth step of a channel is, in hundred-thousandths (IEC 61966-2-1).
const LINEAR: [u32; 18] = [
    0, 478, 1_298, 2_624, 4_519, 7_036, 10_224, 14_126, 18_782, 24_228, 30_499, 37_626, 45_641,
    54_572, 64_448, 75_294, 87_137, 100_000,
];
/// A background that is darker than this is read better with white ink, a brighter one with black
/// (WCAG 2.2: where both have the same contrast, 4.58).
const MIDDLE: u32 = 17_913;

impl Color {
    /// What messages have where a dealer has no colour of its own.
    pub const USUAL: Self = Self([0xb4, 0x53, 0x2a]);
    /// White.
    pub const WHITE: Self = Self([0xff; 3]);
    /// Black.
    pub const BLACK: Self = Self([0; 3]);

    /// White or black, whichever is read better on it. Its contrast is 4.5 at least, whatever the
    /// colour.
    pub fn ink(self) -> Self {
        if self.luminance() < MIDDLE {
            Self::WHITE
        } else {
            Self::BLACK
        }
    }

    /// In hundred-thousandths of white's.
    fn luminance(self) -> u32 {
        let [red, green, blue] = self.0.map(linear);
        (2_126 * red + 7_152 * green + 722 * blue) / 10_000
    }
}

fn linear(channel: u8) -> u32 {
    let (step, rest) = (usize::from(channel / 15), u32::from(channel % 15));
    match (LINEAR.get(step), LINEAR.get(step + 1)) {
        (Some(from), Some(to)) => from + (to - from) * rest / 15,
        _ => 100_000,
    }
}

impl FromStr for Color {
    type Err = NoColor;

    fn from_str(text: &str) -> Result<Self, NoColor> {
        let digits = text.strip_prefix('#').ok_or(NoColor)?;
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NoColor);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| NoColor)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (brighter + 0.05) / (darker + 0.05), in hundredths.
    fn contrast(one: Color, other: Color) -> u32 {
        let (one, other) = (one.luminance(), other.luminance());
        (one.max(other) + 5_000) * 100 / (one.min(other) + 5_000)
    }

    #[test]
    fn every_colour_has_an_ink_that_can_be_read_on_it() {
        for red in (0..=255).step_by(15) {
            for green in (0..=255).step_by(5) {
                for blue in (0..=255).step_by(15) {
                    let color = Color([red, green, blue]);
                    let contrast = contrast(color, color.ink());
                    assert!(contrast >= 450, "{color}: {contrast}");
                }
            }
        }
        assert_eq!(contrast(Color::WHITE, Color::BLACK), 2_100);
    }

    #[test]
    fn a_colour_is_six_digits_after_a_hash() {
        assert_eq!("#B4532a".parse(), Ok(Color::USUAL));
        assert_eq!(Color::USUAL.to_string(), "#b4532a");
        for text in ["b4532a", "#b45", "#b4532", "#b4532ag", "red", "#+4532a", ""] {
            assert_eq!(text.parse::<Color>(), Err(NoColor), "{text}");
        }
    }
}
