//! Whoever watches a registry: HTTP by hand, and the text that Prometheus reads.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::SOON;

/// An answer.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Asks for a path.
pub(crate) fn get(at: SocketAddr, path: &str) -> Page {
    ask(at, &format!("GET {path} HTTP/1.1\r\nhost: {at}\r\n\r\n"))
}

/// Sends a request and reads to the end of the connection.
pub(crate) fn ask(at: SocketAddr, request: &str) -> Page {
    let mut stream = TcpStream::connect_timeout(&at, SOON).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Page {
        status,
        head: head.to_lowercase(),
        body: body.to_owned(),
    }
}

/// The metrics of a registry at one moment.
#[derive(Debug)]
pub(crate) struct Scrape {
    /// The type of each family, by the name that Prometheus stores: that of a counter ends in
    /// `_total`.
    pub(crate) families: BTreeMap<String, String>,
    /// Families that say what they are.
    pub(crate) helps: Vec<String>,
    samples: BTreeMap<String, f64>,
}

impl Scrape {
    pub(crate) fn of(at: SocketAddr) -> Self {
        let page = get(at, "/metrics");
        assert_eq!(page.status, 200);
        let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert!(page.head.contains(kind), "{}", page.head);
        let (body, end) = page.body.rsplit_once("# EOF").unwrap();
        assert_eq!(end, "\n", "the text ends there");
        let mut scrape = Self {
            families: BTreeMap::new(),
            helps: Vec::new(),
            samples: BTreeMap::new(),
        };
        body.lines().for_each(|line| scrape.read(line));
        scrape
    }

    fn read(&mut self, line: &str) {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", "HELP", name, _] => self.helps.push(name.to_owned()),
            ["#", "UNIT", name, unit] => assert!(name.ends_with(unit), "{name}"),
            ["#", "TYPE", name, kind] => {
                let end = if kind == "counter" { "_total" } else { "" };
                let earlier = self
                    .families
                    .insert(format!("{name}{end}"), kind.to_owned());
                assert_eq!(earlier, None, "{name} is there twice");
            }
            _ => {
                let (name, value) = line.rsplit_once(' ').unwrap();
                let earlier = self.samples.insert(name.to_owned(), value.parse().unwrap());
                assert_eq!(earlier, None, "{name} is there twice");
            }
        }
    }

    /// A value by its name and labels as they are written, without the prefix.
    pub(crate) fn value(&self, name: &str) -> f64 {
        let found = self.samples.get(&format!("p2pchat_registry_{name}"));
        *found.unwrap_or_else(|| panic!("no {name} in {:#?}", self.samples))
    }

    /// The sum of all values whose names begin so.
    pub(crate) fn sum(&self, beginning: &str) -> f64 {
        let beginning = format!("p2pchat_registry_{beginning}");
        let samples = self.samples.iter();
        let fitting = samples.filter(|(name, _)| name.starts_with(&beginning));
        fitting.map(|(_, value)| value).sum()
    }

    /// What can be asked for: the names of all values, without labels.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = self.samples.keys();
        let mut names: Vec<String> = names
            .map(|name| name.split('{').next().unwrap().to_owned())
            .collect();
        names.dedup();
        names
    }
}
