//! Price files, sent and waited for.

use reqwest::multipart::{Form, Part};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::actor::Actor;
use super::eventually::eventually;
use super::reply::Reply;

/// Where an import goes no further by itself.
const AT_REST: [&str; 5] = ["ready", "applied", "failed", "cancelled", "undone"];

impl Actor {
    /// Sends a price file with the given query, such as `apply=true`; it is read in the background.
    ///
    /// # Panics
    ///
    /// Never: the parts are plain.
    pub async fn send_file(&self, query: &str, file: impl Into<Vec<u8>>) -> Reply {
        let part = Part::bytes(file.into()).file_name("prices.csv");
        self.send_form(query, Form::new().part("file", part)).await
    }

    /// The same with a form that is ready.
    pub async fn send_form(&self, query: &str, form: Form) -> Reply {
        let path = format!("/imports?{query}");
        self.send(self.request(Method::POST, &path).multipart(form))
            .await
    }

    /// Loads a price file and waits for its end; it is applied unless the query says `apply=false`. The
    /// answer is a report: counts, `units_created`, `groups_created`, `mapping`, `status`, and the
    /// lists `rejected_rows`, `superseded_rows` and `warnings`. What is refused, at once or later, is
    /// answered as the problem that it is.
    ///
    /// # Panics
    ///
    /// When it doesn't come to an end, such as where no worker runs.
    pub async fn import(&self, query: &str, file: impl Into<Vec<u8>>) -> Reply {
        let sent = self.send_file(&applying(query), file).await;
        self.report(sent).await
    }

    /// The report of an import that was taken in, after its end.
    ///
    /// # Panics
    ///
    /// As [`Actor::import`].
    pub async fn report(&self, sent: Reply) -> Reply {
        if sent.status != StatusCode::ACCEPTED {
            return sent;
        }
        let id = id_of(&sent);
        let import = self.import_at_rest(&id).await;
        let mut report = sent;
        if import["status"] == "failed" {
            report.json = import["error"].clone();
            let status = report.json["status"].as_u64().unwrap_or(500);
            let status = u16::try_from(status).expect("a status is small");
            report.status = StatusCode::from_u16(status).expect("a problem has a status");
            let kind = "application/problem+json".parse();
            let kind = kind.expect("a media type is a header's value");
            report.headers.insert("content-type", kind);
        } else {
            report.status = StatusCode::OK;
            report.json = self.told(&id, &import).await;
        }
        report.body = report.json.to_string().into_bytes();
        report
    }

    /// An import once it goes no further by itself.
    ///
    /// # Panics
    ///
    /// When it never does.
    pub async fn import_at_rest(&self, id: &str) -> Value {
        let mut import = Value::Null;
        eventually("the import comes to rest", async || {
            import = self.get(&format!("/imports/{id}")).await.expect(200).json;
            let status = import["status"].as_str().unwrap_or_default();
            AT_REST.contains(&status)
        })
        .await;
        import
    }

    /// All rows of a kind that an import tells of.
    ///
    /// # Panics
    ///
    /// When they are refused.
    pub async fn import_rows(&self, id: &str, kind: &str) -> Vec<Value> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/imports/{id}/rows?kind={kind}&limit=200{cursor}");
            let page = self.get(&path).await.expect(200).json;
            rows.extend(page["data"].as_array().cloned().unwrap_or_default());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }

    async fn told(&self, id: &str, import: &Value) -> Value {
        let mut report = import["counts"].clone();
        for name in [
            "id",
            "status",
            "mapping",
            "units_created",
            "groups_created",
            "samples",
            "undone",
        ] {
            report[name] = import[name].clone();
        }
        for (list, kind, count) in [
            ("rejected_rows", "rejected", "rejected"),
            ("superseded_rows", "superseded", "superseded"),
            ("warnings", "warning", "warnings"),
        ] {
            report[list] = match import["counts"][count].as_u64() {
                Some(0) => json!([]),
                _ => Value::Array(self.import_rows(id, kind).await),
            };
        }
        report
    }
}

fn id_of(sent: &Reply) -> String {
    let id = sent.json["id"].as_str();
    id.expect("what was taken in has an id").to_owned()
}

fn applying(query: &str) -> String {
    match query {
        "" => "apply=true".to_owned(),
        query if query.contains("apply=") => query.to_owned(),
        query => format!("{query}&apply=true"),
    }
}
