//! Which addresses there are, to tell a wrong method from a wrong address.

use actix_web::HttpRequest;
use actix_web::dev::ResourceDef;
use utoipa::openapi::{OpenApi, PathItem};

use super::code::Code;
use super::problem::Problem;

/// The addresses of our APIs, each with the methods it takes.
#[derive(Debug)]
pub struct Addresses(Vec<(ResourceDef, String)>);

impl Addresses {
    /// The addresses of these documents.
    pub fn of<'a>(documents: impl IntoIterator<Item = &'a OpenApi>) -> Self {
        let address = |(path, item): (&String, &PathItem)| {
            let methods = [
                ("GET", item.get.is_some()),
                ("POST", item.post.is_some()),
                ("PUT", item.put.is_some()),
                ("PATCH", item.patch.is_some()),
                ("DELETE", item.delete.is_some()),
            ];
            let taken: Vec<_> = methods.iter().filter(|(_, is_taken)| *is_taken).collect();
            let allow = taken
                .iter()
                .map(|(name, _)| *name)
                .collect::<Vec<_>>()
                .join(", ");
            (ResourceDef::new(path.as_str()), allow)
        };
        let documents = documents.into_iter();
        let all = documents.flat_map(|document| &document.paths.paths);
        Self(all.map(address).collect())
    }

    /// What to answer a request whose address was taken for that of a thing, and whose id is none: the
    /// last part may be a word that another method goes by.
    pub fn refusal_of_a_name(&self, req: &HttpRequest) -> Problem {
        let is_word = |address: &ResourceDef| {
            let pattern = address.pattern().unwrap_or("{");
            !pattern.contains('{') && address.is_match(req.path())
        };
        match self.0.iter().find(|(address, _)| is_word(address)) {
            Some((_, allow)) => Problem::new(Code::MethodNotAllowed).allow(allow),
            None => Problem::new(Code::NotFound),
        }
    }

    /// What to answer a request that no route took.
    pub fn refusal(&self, req: &HttpRequest) -> Problem {
        let mut addresses = self.0.iter();
        match addresses.find(|(address, _)| address.is_match(req.path())) {
            Some((_, allow)) => Problem::new(Code::MethodNotAllowed).allow(allow),
            None => Problem::new(Code::NotFound),
        }
    }
}
