//! Tests of the row splitter.

use super::*;

fn split_as(text: &[u8], delimiter: Delimiter, quoting: Quoting) -> Vec<(u64, Vec<String>)> {
    let mut records = Records::new(text, Encoding::Utf8, Dialect { delimiter, quoting });
    let mut record = Record::default();
    let mut all = Vec::new();
    while records.read(&mut record).unwrap() {
        all.push((record.line, record.cells().map(str::to_owned).collect()));
    }
    all
}

fn split(text: &str) -> Vec<(u64, Vec<String>)> {
    split_as(text.as_bytes(), Delimiter::Semicolon, Quoting::Double)
}

fn row(line: u64, cells: &[&str]) -> (u64, Vec<String>) {
    (line, cells.iter().map(|cell| (*cell).to_owned()).collect())
}

fn comma() -> Dialect {
    Dialect {
        delimiter: Delimiter::Comma,
        quoting: Quoting::Double,
    }
}

#[test]
fn all_three_line_ends_count_one_line_each() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["a;b", "1;2", "", "3;4"].join(end);

        let rows = split(&text);

        let expected = [
            row(1, &["a", "b"]),
            row(2, &["1", "2"]),
            row(3, &[""]),
            row(4, &["3", "4"]),
        ];
        assert_eq!(rows, expected, "{end:?}");
    }
}

#[test]
fn a_quoted_cell_may_hold_delimiters_marks_and_line_breaks() {
    let rows = split("1;\"a;\"\"b\"\"\r\nc\rd\ne\";2\r\n3;x;4\n");

    assert_eq!(
        rows,
        [
            row(1, &["1", "a;\"b\"\nc\nd\ne", "2"]),
            row(5, &["3", "x", "4"])
        ]
    );
}

#[test]
fn a_return_and_a_later_feed_in_a_quoted_cell_are_two_lines() {
    assert_eq!(
        split("\"a\rb\nc\"\nd"),
        [row(1, &["a\nb\nc"]), row(4, &["d"])]
    );
}

#[test]
fn a_mark_inside_a_plain_cell_is_itself() {
    assert_eq!(split("3\" pipe;1/2\"\n"), [row(1, &["3\" pipe", "1/2\""])]);
}

#[test]
fn a_stray_mark_in_a_quoted_cell_does_not_swallow_rows() {
    let rows = split("\"Rohr 1/2\" verzinkt\";1\n\"3\" pipe;2\nx;\"y\"\n");

    let expected = [
        row(1, &["Rohr 1/2\" verzinkt", "1"]),
        row(2, &["3\" pipe", "2"]),
        row(3, &["x", "y"]),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn blanks_around_quoted_cells_do_not_matter() {
    assert_eq!(split("1; \"a;b\" ;  c\n"), [row(1, &["1", "a;b", "  c"])]);
}

#[test]
fn without_quoting_every_mark_is_itself() {
    let rows = split_as(b"\"3 pipe\t2\n", Delimiter::Tab, Quoting::None);

    assert_eq!(rows, [row(1, &["\"3 pipe", "2"])]);
}

#[test]
fn the_last_row_knows_whether_it_was_finished() {
    for (text, closed) in [
        ("a,b\n1,2", false),
        ("a,b\n1,2\n", true),
        ("a,b\n1,\"\"", false),
    ] {
        let mut records = Records::new(text.as_bytes(), Encoding::Utf8, comma());
        let mut record = Record::default();

        assert!(records.read(&mut record).unwrap() && records.read(&mut record).unwrap());
        assert_eq!((record.len(), record.is_closed), (2, closed));
        assert!(!records.read(&mut record).unwrap());
        assert!(!records.read(&mut record).unwrap());
    }
}

#[test]
fn an_open_mark_at_the_end_names_the_row_where_it_starts() {
    let mut records = Records::new(b"a\n1,\"b\nc\n".as_slice(), Encoding::Utf8, comma());
    let mut record = Record::default();
    assert!(records.read(&mut record).unwrap());

    let error = records.read(&mut record).unwrap_err();

    assert!(
        matches!(error, FileError::Truncated { line: 2, .. }),
        "{error}"
    );
}

#[test]
fn an_endless_row_is_refused_before_it_fills_memory() {
    for start in ["\"", ""] {
        let text = format!("a\n{start}{}", "x".repeat(3 * MAX_ROW_BYTES));
        let mut records = Records::new(text.as_bytes(), Encoding::Utf8, comma());
        let mut record = Record::default();
        assert!(records.read(&mut record).unwrap());

        let error = records.read(&mut record).unwrap_err();

        assert!(
            matches!(error, FileError::RowTooLong { line: 2, .. }),
            "{error}"
        );
        assert!(record.text.capacity() <= 4 * MAX_ROW_BYTES);
    }
}

#[test]
fn a_row_of_endless_cells_is_refused() {
    let text = format!("a\n{}", ",".repeat(3 * MAX_ROW_BYTES));
    let mut records = Records::new(text.as_bytes(), Encoding::Utf8, comma());
    let mut record = Record::default();
    assert!(records.read(&mut record).unwrap());

    let error = records.read(&mut record).unwrap_err();

    assert!(
        matches!(error, FileError::TooManyColumns { line: 2, .. }),
        "{error}"
    );
}

#[test]
fn bytes_that_are_not_utf8_are_refused_with_their_line() {
    let mut records = Records::new(b"a\nb\n\xff\n".as_slice(), Encoding::Utf8, comma());
    let mut record = Record::default();
    assert!(records.read(&mut record).unwrap() && records.read(&mut record).unwrap());

    let error = records.read(&mut record).unwrap_err();

    assert!(
        matches!(error, FileError::NotText { line: 3, .. }),
        "{error}"
    );
}

#[test]
fn rows_split_alike_wherever_the_pieces_end() {
    struct Drip<'a>(&'a [u8], usize);
    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }
    // Longer than a piece, so that pieces end inside cells, marks and line ends.
    let text = "1;\"ä;\"\"b\"\"\r\nc\";x\r\n".repeat(12_001);
    for padding in 0..24 {
        let padded = format!("{}\r\n{text}", "p".repeat(padding));
        let dialect = Dialect {
            delimiter: Delimiter::Semicolon,
            quoting: Quoting::Double,
        };
        let mut records = Records::new(Drip(padded.as_bytes(), 7_919), Encoding::Utf8, dialect);
        let mut record = Record::default();
        assert!(records.read(&mut record).unwrap());

        let mut count = 0;
        while records.read(&mut record).unwrap() {
            assert_eq!(record.cells().collect::<Vec<_>>(), ["1", "ä;\"b\"\nc", "x"]);
            assert_eq!(record.line, 2 + 2 * count);
            count += 1;
        }

        assert_eq!(count, 12_001);
    }
}
