//! Handing over what was found: to whoever looks, and into files.

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use provisioner::check::Report;
use provisioner::report::{Format, Look, summary};

use crate::cli::failure::Failure;
use crate::cli::output::say;

/// A format, and the file that it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReportFile {
    format: Format,
    path: PathBuf,
}

impl ReportFile {
    /// Reads `sarif=check.sarif`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let known = Format::ALL.map(Format::name).join(", ");
        let (format, path) = text
            .split_once('=')
            .filter(|(_, path)| !path.is_empty())
            .ok_or_else(|| format!("write FORMAT=FILE, with one of the formats {known}"))?;
        let format = Format::find(format)
            .ok_or_else(|| format!("there is no format {format:?}; known: {known}"))?;
        let path = PathBuf::from(path);
        Ok(Self { format, path })
    }
}

/// Who wants to know.
pub(super) struct Answer {
    pub(super) format: Format,
    pub(super) files: Vec<ReportFile>,
    pub(super) has_colour: bool,
    pub(super) is_verbose: bool,
}

impl Answer {
    /// Tells them. Exit code 1 when something was found.
    pub(super) fn give(&self, report: &Report) -> Result<ExitCode, Failure> {
        for file in &self.files {
            let text = file.format.render(report, self.look(false));
            write(&file.path, &text).map_err(|error| unwritten(&file.path, &error))?;
        }
        if self.format == Format::Github
            && let Some(page) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|it| !it.is_empty())
        {
            let page = Path::new(&page);
            append(page, &summary(report)).map_err(|error| unwritten(page, &error))?;
        }
        let text = self.format.render(report, self.look(self.has_colour));
        say(text.trim_end());
        Ok(ExitCode::from(u8::from(!report.findings.is_empty())))
    }

    fn look(&self, has_colour: bool) -> Look {
        Look {
            has_colour,
            is_verbose: self.is_verbose,
        }
    }
}

/// Whether who reads standard output sees colours, and wants to.
pub(super) fn is_colourful() -> bool {
    let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    io::stdout().is_terminal() && !is_unwanted && !is_dumb
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::stuck(
        "report_not_written",
        format!("{} can't be written: {error}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_its_format_and_its_file() {
        let file = ReportFile::parse("junit=out/a=b.xml").unwrap();

        assert_eq!(file.format, Format::Junit);
        assert_eq!(file.path, Path::new("out/a=b.xml"));
        for wrong in ["junit", "junit=", "xml=a.xml", "=a"] {
            let complaint = ReportFile::parse(wrong).unwrap_err();
            assert!(complaint.contains("human, json, junit, sarif, github"));
        }
    }

    #[test]
    fn files_are_written_before_anything_is_said_and_folders_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/check.json");
        let answer = Answer {
            format: Format::Human,
            files: vec![ReportFile {
                format: Format::Json,
                path: path.clone(),
            }],
            has_colour: true,
            is_verbose: false,
        };

        answer.give(&Report::default()).unwrap();

        let text = fs::read_to_string(path).unwrap();
        assert_eq!(
            provisioner::report::json::read(&text).unwrap(),
            Report::default()
        );
    }
}
