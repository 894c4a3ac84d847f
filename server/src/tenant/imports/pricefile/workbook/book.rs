//! What a workbook consists of: its worksheets, and where they lie.

use std::collections::HashMap;

use super::package::Package;
use super::unreadable;
use super::xml::Token;
use crate::tenant::imports::pricefile::error::FileError;

/// Longest list of worksheets or of places, bytes.
const MAX_LIST_BYTES: u64 = 4 * 1024 * 1024;

/// A workbook.
pub(super) struct Book {
    /// The folder of its parts, with a slash.
    folder: String,
    sheets: Vec<Sheet>,
    /// Whether its days are counted from 1904.
    pub(super) is_1904: bool,
}

/// A worksheet.
pub(super) struct Sheet {
    pub(super) name: String,
    pub(super) part: String,
    is_hidden: bool,
}

impl Book {
    pub(super) fn read(package: &mut Package) -> Result<Self, FileError> {
        if !package.has("_rels/.rels") {
            return Err(unreadable(
                "it is an archive and no workbook; unpack it, or save the list as .xlsx",
            ));
        }
        let main = places(package, "_rels/.rels", "")?
            .into_values()
            .find(|(kind, _)| kind.ends_with("/officeDocument"));
        let (_, main) = main.ok_or_else(|| unreadable("it holds no list; save it as .xlsx"))?;
        if !main.ends_with(".xml") || !main.contains("workbook") {
            return Err(unreadable(
                "it is a document of another kind; save the list as .xlsx",
            ));
        }
        let (folder, name) = main.rsplit_once('/').unwrap_or(("", &main));
        let folder = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let places = places(package, &format!("{folder}_rels/{name}.rels"), &folder)?;
        let (sheets, is_1904) = sheets(package, &main, &places)?;
        Ok(Self {
            folder,
            sheets,
            is_1904,
        })
    }

    /// The worksheet of this name, or the first that people see.
    pub(super) fn sheet(&self, wanted: Option<&str>) -> Result<&Sheet, FileError> {
        let Some(wanted) = wanted else {
            let mut shown = self.sheets.iter().filter(|sheet| !sheet.is_hidden);
            return shown
                .next()
                .or(self.sheets.first())
                .ok_or_else(|| unreadable("it has no worksheet"));
        };
        let same =
            |sheet: &&Sheet| sheet.name.trim().to_lowercase() == wanted.trim().to_lowercase();
        self.sheets
            .iter()
            .find(same)
            .ok_or_else(|| FileError::SheetNotFound {
                sheet: wanted.to_owned(),
                sheets: self.sheets.iter().map(|it| it.name.clone()).collect(),
            })
    }

    pub(super) fn strings(&self) -> String {
        format!("{}sharedStrings.xml", self.folder)
    }

    pub(super) fn styles(&self) -> String {
        format!("{}styles.xml", self.folder)
    }
}

/// What each relation of a part is, and where it leads, by its id.
fn places(
    package: &mut Package,
    name: &str,
    folder: &str,
) -> Result<HashMap<String, (String, String)>, FileError> {
    let mut xml = package.part(name, MAX_LIST_BYTES)?;
    let mut places = HashMap::new();
    loop {
        match xml.next()? {
            Token::Open(tag) if tag.is("Relationship") => {
                let found = (
                    tag.attribute("Id"),
                    tag.attribute("Type"),
                    tag.attribute("Target"),
                );
                if let (Some(id), Some(kind), Some(target)) = found {
                    let part = match target.strip_prefix('/') {
                        Some(absolute) => absolute.to_owned(),
                        None => format!("{folder}{target}"),
                    };
                    places.insert(id, (kind, part));
                }
            }
            Token::End => return Ok(places),
            Token::Open(_) | Token::Close(_) | Token::Text(_) | Token::Other => {}
        }
    }
}

fn sheets(
    package: &mut Package,
    main: &str,
    places: &HashMap<String, (String, String)>,
) -> Result<(Vec<Sheet>, bool), FileError> {
    let mut xml = package.part(main, MAX_LIST_BYTES)?;
    let (mut sheets, mut is_1904) = (Vec::new(), false);
    loop {
        match xml.next()? {
            Token::Open(tag) if tag.is("workbookPr") => {
                let said = tag.attribute("date1904");
                is_1904 = matches!(said.as_deref(), Some("1" | "true"));
            }
            Token::Open(tag) if tag.is("sheet") => {
                let place = tag.attribute("id").and_then(|id| places.get(&id));
                // Pages of charts and macros hold no cells.
                if let (Some(name), Some((kind, part))) = (tag.attribute("name"), place)
                    && kind.ends_with("/worksheet")
                {
                    sheets.push(Sheet {
                        name,
                        part: part.clone(),
                        is_hidden: tag.attribute("state").is_some_and(|it| it != "visible"),
                    });
                }
            }
            Token::End => return Ok((sheets, is_1904)),
            Token::Open(_) | Token::Close(_) | Token::Text(_) | Token::Other => {}
        }
    }
}
